"""The two small stores that Sender and Receiver stand on.

The spool (edge) and the relay's downlink are Outboxes; the relay's archive and the edge's answers are
Inboxes. All calls are synchronous; what a call promises must be on disk when it returns.
"""

from collections.abc import Iterable
from typing import Protocol


class Outbox(Protocol):
    """Sealed bundles until the other end's receipt settles them."""

    def pending(self) -> Iterable[bytes]:
        """Return the manifests neither settled nor refused, oldest first."""
        ...

    def read(self, tid: bytes, oid: int, start: int, size: int) -> bytes:
        """Return `size` ciphertext bytes of an object from `start` on; fewer where they are lost for good.

        A bundle that cannot be read whole is refused by the Sender, so that it holds up no other.
        """
        ...

    def settle(self, tid: bytes, receipt: bytes) -> None:
        """Keep the verified COMPLETE; from now on the bundle may be freed. Idempotent."""
        ...

    def refuse(self, tid: bytes, reason: str) -> None:
        """Keep the bundle and the reason for a person; it is no longer pending. Idempotent."""
        ...


class Inbox(Protocol):
    """Bundles while they arrive, and which of them are complete; several workers may share one."""

    def begin(self, tid: bytes, origin: str, manifest: bytes) -> None:
        """Keep a verified manifest. Idempotent; a complete or refused transfer stays what it is."""
        ...

    def state(self, tid: bytes) -> str:
        """Return "unknown", "open", "complete", or "refused:" with the reason."""
        ...

    def manifest(self, tid: bytes) -> bytes | None:
        """Return the manifest kept by `begin`, also after completion, or None."""
        ...

    def store(self, tid: bytes, oid: int, seq: int, data: bytes) -> bool:
        """Keep one chunk of an open transfer; return False when it was there already."""
        ...

    def have(self, tid: bytes, oid: int) -> set[int]:
        """Return the chunks kept of one object."""
        ...

    def read(self, tid: bytes, oid: int) -> bytes:
        """Return the chunks kept of one object, joined in order."""
        ...

    def drop(self, tid: bytes, oid: int) -> None:
        """Forget the chunks of one object, whose bytes do not match the manifest."""
        ...

    def commit(self, tid: bytes) -> bool:
        """Store the whole bundle durably; return False when it was complete already.

        The Receiver has checked every object's hash. A COMPLETE follows the return of this call.

        Raises:
            Refused: the bundle cannot be opened or contradicts what is known; it is NACKed with the reason.
        """
        ...

    def refuse(self, tid: bytes, reason: str) -> None:
        """Mark a transfer as refused, keeping what came of it for a person. Idempotent."""
        ...

    def bury(self, origin: str, payload: bytes, reason: str) -> None:
        """Keep a message that nothing could be made of, as a dead letter with its reason (bounded)."""
        ...
