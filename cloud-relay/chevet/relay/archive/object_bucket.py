"""Stored objects in a bucket of an S3 store, each read back by hash before anybody relies on it.

An object's key is the prefix, two characters of its name and its name, as files are laid out. Before the
first byte goes there the bucket must be in the region that the settings say, and must not keep versions: what
is destroyed would stay.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final, TypeVar

from chevet.relay.archive.bucket_client import Bucket, MissingObject, elsewhere, no_bucket, open_client, told
from chevet.relay.archive.objects import Kept, is_name
from chevet.relay.errors import ArchiveError, SettingsError, StoreAwayError

T = TypeVar("T")
FIRST_REGION: Final = "us-east-1"
"""What an empty location means (Amazon S3 API reference, GetBucketLocation)."""
REST_S: Final = 3.0
"""So long after a store did not answer nobody waits for it again: a writer would hold all others up."""
REMEMBERED: Final = 32 << 20
"""Bytes of verified objects kept in memory: a study is read again several times while it becomes whole."""


class ObjectBucket:
    """Immutable objects in a bucket, shared by any number of processes and threads."""

    def __init__(
        self,
        bucket: Bucket,
        *,
        clock: Callable[[], float] = time.monotonic,
        client: Any = None,
    ) -> None:
        """Stand on a bucket; nothing is asked of it before the first object.

        Raises:
            SettingsError: boto3 is missing, or the address is none.
        """
        self.bucket, self.place, self.there = bucket, bucket.place, True
        self._client = client or open_client(bucket)
        self._clock = clock
        self._checked = False
        self._rests_until = -REST_S
        self._recent = _Recent(REMEMBERED)

    def put(self, data: bytes) -> str:
        """Store `data`, which makes it young where it is there, and read it back."""
        name = hashlib.sha256(data).hexdigest()
        self._check()
        self._call("put_object", Key=self._key(name), Body=data, ContentLength=len(data))
        try:
            back = self._read(name)
        except MissingObject:
            raise ArchiveError(
                f"{self.place} does not have object {name} that it just took: see the store's log."
            ) from None
        if back != data:
            raise ArchiveError(f"{self.place} changed object {name} on its way: see the store's log.")
        self._recent.keep(name, data)
        return name

    def get(self, name: str) -> bytes:
        """Return an object's bytes, checked against its name."""
        known = self._recent.get(name)
        if known is not None:
            return known
        try:
            data = self._read(name)
        except MissingObject:
            raise ArchiveError(
                f"Object {name} is missing from {self.place}: restore it from the backup."
            ) from None
        if hashlib.sha256(data).hexdigest() != name:
            raise ArchiveError(f"Object {name} in {self.place} is damaged: restore it from the backup.")
        self._recent.keep(name, data)
        return data

    def has(self, name: str) -> bool:
        """Tell whether an object is there; its bytes are not looked at."""
        try:
            self._call("head_object", Key=self._key(name))
        except MissingObject:
            return False
        return True

    def destroy(self, name: str) -> None:
        """Remove an object for good; one that is gone already stays gone."""
        self._check()
        self._recent.forget(name)
        try:
            self._call("delete_object", Key=self._key(name))
        except MissingObject:
            return

    def every(self) -> Iterator[Kept]:
        """Give every object, the names in order; whatever else lies there is passed over."""
        prefix = f"{self.bucket.prefix}/" if self.bucket.prefix else ""
        token: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=prefix, **token)
            now = datetime.now(UTC)
            for one in page.get("Contents", ()):
                name = one["Key"].rpartition("/")[2]
                if is_name(name) and one["Key"] == self._key(name):
                    yield Kept(name, one["Size"], (now - one["LastModified"]).total_seconds())
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def ready(self) -> None:
        """Ask the store whether the bucket is there, and, the first time, whether it is the one meant."""
        if self._checked:
            try:
                self._call("head_bucket")
            except MissingObject:  # the answer to a HEAD says 404 and not of what
                raise no_bucket(self.bucket) from None
        self._check()

    def _check(self) -> None:
        if self._checked:
            return
        self._check_region()
        kept = self._call("get_bucket_versioning").get("Status")
        if kept:
            raise SettingsError(
                "objects",
                f"{self.place} keeps versions ({kept}), so what is erased would stay there: use a bucket "
                "that never did.",
            )
        self._checked = True

    def _check_region(self) -> None:
        found = self._call("get_bucket_location").get("LocationConstraint") or FIRST_REGION
        if found != (self.bucket.region or FIRST_REGION):
            raise elsewhere(self.bucket, found)
        if self.bucket.policy not in ("", found):
            raise SettingsError(
                "region",
                f"{self.place} is in '{found}', and patient data must stay in '{self.bucket.policy}': use a "
                "store there.",
            )

    def _read(self, name: str) -> bytes:
        def read() -> bytes:
            answer = self._client.get_object(Bucket=self.bucket.name, Key=self._key(name))
            data: bytes = answer["Body"].read()
            return data

        return self._asked(read)

    def _key(self, name: str) -> str:
        return "/".join(part for part in (self.bucket.prefix, name[:2], name) if part)

    def _call(self, what: str, **arguments: Any) -> dict[str, Any]:
        """Make one call whose answer is not streamed."""

        def call() -> dict[str, Any]:
            answer: dict[str, Any] = getattr(self._client, what)(Bucket=self.bucket.name, **arguments)
            return answer

        return self._asked(call)

    def _asked(self, ask: Callable[[], T]) -> T:
        """Ask the store for something, to the last byte of its answer.

        Raises:
            MissingObject: there is no such object.
            RelayError: it failed; after no answer, for a while, without asking.
        """
        if self._clock() < self._rests_until:
            raise StoreAwayError(self.place, "no answer a moment ago")
        there = True
        try:
            with told(self.bucket):
                return ask()
        except StoreAwayError:
            there, self._rests_until = False, self._clock() + REST_S
            raise
        finally:
            self.there = there


class _Recent:
    """The last verified objects, up to so many bytes."""

    def __init__(self, most: int) -> None:
        self._most, self._size, self._lock = most, 0, Lock()
        self._held: OrderedDict[str, bytes] = OrderedDict()

    def get(self, name: str) -> bytes | None:
        with self._lock:
            data = self._held.get(name)
            if data is not None:
                self._held.move_to_end(name)
            return data

    def keep(self, name: str, data: bytes) -> None:
        with self._lock:
            if name in self._held:
                return
            self._held[name] = data
            self._size += len(data)
            while self._size > self._most:
                _, gone = self._held.popitem(last=False)
                self._size -= len(gone)

    def forget(self, name: str) -> None:
        with self._lock:
            self._size -= len(self._held.pop(name, b""))
