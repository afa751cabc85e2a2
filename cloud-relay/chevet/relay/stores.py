"""Where a relay's objects are, as its settings say."""

from typing import Final

from chevet.relay.archive.objects import ObjectFolder, Objects
from chevet.relay.errors import SettingsError
from chevet.relay.settings import Settings
from chevet.relay.settings_values import S3

OBJECTS_FOLDER: Final = "objects"


def open_objects(settings: Settings) -> Objects:
    """Return the store that `settings` name; nothing is asked of it yet.

    Raises:
        SettingsError: it cannot be used as it is set.
    """
    if not settings.objects:
        return ObjectFolder(settings.archive / OBJECTS_FOLDER)
    from chevet.relay.archive.bucket_client import Bucket  # a relay on one disk does without
    from chevet.relay.archive.object_bucket import ObjectBucket

    name, _, prefix = settings.objects.removeprefix(S3).partition("/")
    secret = settings.secret("s3_secret_file") or ""
    if bool(secret) != bool(settings.s3_key_id):
        raise SettingsError("s3_secret_file", "An S3 key has two halves: set s3_key_id and s3_secret_file.")
    return ObjectBucket(
        Bucket(
            name=name,
            prefix=prefix,
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            key_id=settings.s3_key_id,
            secret=secret,
            ca_file=str(settings.s3_ca_file or ""),
            policy=settings.region,
        )
    )
