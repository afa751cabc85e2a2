"""The store a receiver writes to, in memory: for tests, and for measuring links rather than disks."""

from dataclasses import dataclass, field


@dataclass
class MemoryInbox:
    """Keeps what a receiver gives it, unopened, for as long as the process runs.

    Attributes:
        manifests: by transfer id, as signed.
        states: "open", "complete" or "refused:" and why, by transfer id.
        chunks: by transfer id and object id, then by number.
        dead: origin and reason of every message that could not be read.
    """

    manifests: dict[bytes, bytes] = field(default_factory=dict)
    states: dict[bytes, str] = field(default_factory=dict)
    chunks: dict[tuple[bytes, int], dict[int, bytes]] = field(default_factory=dict)
    dead: list[tuple[str, str]] = field(default_factory=list)

    def begin(self, tid: bytes, _origin: str, manifest: bytes) -> None:
        """Open a transfer, or find it open."""
        self.manifests.setdefault(tid, manifest)
        self.states.setdefault(tid, "open")

    def state(self, tid: bytes) -> str:
        """Tell how a transfer stands; "unknown" for one never begun."""
        return self.states.get(tid, "unknown")

    def manifest(self, tid: bytes) -> bytes | None:
        """Return a transfer's manifest."""
        return self.manifests.get(tid)

    def store(self, tid: bytes, oid: int, seq: int, data: bytes) -> bool:
        """Keep a chunk; tell whether it is new."""
        kept = self.chunks.setdefault((tid, oid), {})
        fresh = seq not in kept
        kept.setdefault(seq, data)
        return fresh

    def have(self, tid: bytes, oid: int) -> set[int]:
        """Return the numbers of the chunks kept of an object."""
        return set(self.chunks.get((tid, oid), {}))

    def read(self, tid: bytes, oid: int) -> bytes:
        """Return an object's chunks in order."""
        return b"".join(data for _, data in sorted(self.chunks.get((tid, oid), {}).items()))

    def drop(self, tid: bytes, oid: int) -> None:
        """Forget an object's chunks."""
        self.chunks.pop((tid, oid), None)

    def commit(self, tid: bytes) -> bool:
        """Call a transfer complete; tell whether it was not before."""
        first = self.states[tid] != "complete"
        self.states[tid] = "complete"
        return first

    def refuse(self, tid: bytes, reason: str) -> None:
        """Call a transfer refused."""
        self.states[tid] = f"refused:{reason}"

    def bury(self, origin: str, _payload: bytes, reason: str) -> None:
        """Count a message that could not be read."""
        self.dead.append((origin, reason))
