"""The client of an S3 store, and what can go wrong with one in our own words.

boto3 is imported here alone and only where `objects` names a bucket: it is an extra, `chevet[s3]`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from chevet.relay.errors import ArchiveError, DiskFullError, RelayError, SettingsError, StoreAwayError

CONNECT_S: Final = 3.0
READ_S: Final = 10.0
ATTEMPTS: Final = 3
"""Of one call; between them botocore's "standard" mode waits up to 1 s, then up to 2 s."""
POOL: Final = 16

MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
REFUSED: Final = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "AllAccessDisabled", "401", "403"}
)
ELSEWHERE: Final = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"}
)
FULL: Final = frozenset({"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "507"})
SLOW: Final = frozenset(
    {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "429", "500", "502", "503", "504"}
)
"""What a store answers that will answer better later; other codes need a person."""

WHY: Final = {
    "EndpointConnectionError": "nobody listens there",
    "ConnectTimeoutError": "no connection in time",
    "ReadTimeoutError": "no answer in time",
    "SSLError": "its certificate is not trusted: s3_ca_file names a private authority's",
}
"""In our words, by the name of botocore's error."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where objects are kept. `endpoint` "" is Amazon's; `key_id` "" takes what the machine's role gives.

    `policy` is the one region patient data may lie in, "" where any will do.
    """

    name: str
    prefix: str
    endpoint: str
    region: str
    key_id: str
    secret: str
    ca_file: str
    policy: str

    @property
    def place(self) -> str:
        """Return the bucket as sentences name it."""
        path = "/".join(part for part in (self.name, self.prefix) if part)
        return f"s3://{path}" + (f" at {self.endpoint}" if self.endpoint else "")


class MissingObject(Exception):  # noqa: N818 - an outcome
    """There is no such object."""


def open_client(bucket: Bucket) -> Any:
    """Return boto3's client for a bucket; nothing is sent yet, and threads may share it.

    Raises:
        SettingsError: boto3 is not installed, or the endpoint is no address.
    """
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise SettingsError(
            "objects", "An S3 store needs the extra `s3` of chevet: pip install 'chevet[s3]'."
        ) from None
    options = Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=POOL,
        ignore_configured_endpoint_urls=True,  # relay.toml says where objects go, no AWS_... variable
        signature_version="s3v4",
        s3={"addressing_style": "path" if bucket.endpoint else "auto"},
        # every object is read back and hashed here; stores of others know no checksums of Amazon's
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        return boto3.session.Session().client(
            "s3",
            endpoint_url=bucket.endpoint or None,
            region_name=bucket.region or None,
            aws_access_key_id=bucket.key_id or None,
            aws_secret_access_key=bucket.secret or None,
            verify=bucket.ca_file or None,
            config=options,
        )
    except ValueError as error:
        raise SettingsError("s3_endpoint", f"`s3_endpoint` or `s3_region` is none: {error}.") from None


@contextmanager
def told(bucket: Bucket) -> Iterator[None]:
    """Tell what a call fails with in our own words.

    Raises:
        MissingObject: there is no such object.
        RelayError: anything else, with the remedy.
    """
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,  # noqa: A004 - their name
        HTTPClientError,
        IncompleteReadError,
    )

    try:
        yield
    except ClientError as error:
        raise of_answer(bucket, error.response) from None
    except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
        kind = type(error).__name__
        raise StoreAwayError(bucket.place, WHY.get(kind, kind)) from None
    except (BotoCoreError, ValueError) as error:  # such as no credentials at all
        raise SettingsError(
            "s3_key_id",
            f"The store {bucket.place} cannot be asked ({type(error).__name__}): check s3_key_id, "
            "s3_secret_file and s3_region.",
        ) from None


def of_answer(bucket: Bucket, response: dict[str, Any]) -> RelayError | MissingObject:
    """Return our error for what a store answered."""
    code = str(response.get("Error", {}).get("Code", ""))
    status = str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    said = {code, status}
    if code == "NoSuchBucket":
        return no_bucket(bucket)
    if code in MISSING:
        return MissingObject()
    if code == "RequestTimeTooSkewed":
        return ArchiveError(f"The clocks of this machine and of {bucket.place} differ: set this machine's.")
    if said & ELSEWHERE:
        return elsewhere(bucket, str(response.get("Error", {}).get("Region", "")))
    if said & FULL:
        return DiskFullError(bucket.place)
    if said & SLOW:
        return StoreAwayError(bucket.place, code or status)
    if said & REFUSED:
        return SettingsError(
            "s3_key_id",
            f"The store refuses our key for {bucket.place} ({code}): check s3_key_id, s3_secret_file and "
            "what the key may do there.",
        )
    return ArchiveError(f"The store {bucket.place} refused a call ({code}): see its own log.")


def no_bucket(bucket: Bucket) -> SettingsError:
    """Return the error of a bucket that is not there."""
    return SettingsError("objects", f"There is no bucket {bucket.place}: make it, or correct `objects`.")


def elsewhere(bucket: Bucket, region: str) -> SettingsError:
    """Return the error of a bucket that is in another region than the settings say."""
    found = f"in '{region}'" if region else "in another region"
    return SettingsError(
        "s3_region",
        f"{bucket.place} is {found}, and s3_region says '{bucket.region}': correct the one that is wrong.",
    )
