"""Stores in memory, bundles to send, and a network with faults, for the tests of the exchange."""

import os
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from chevet.exchange.errors import Refused
from chevet.exchange.manifest import CHUNK, read_manifest
from chevet.exchange.sealing import Recipient, Sealed, open_sealed, seal
from chevet.study.bundle import Bundle, Part
from chevet.study.ids import uuid7
from chevet.study.study import EdgeClock

CLOCK = EdgeClock(1_790_000_000_000, "boot", 1.5, "synchronised")
SITE_KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
RELAY_KEY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
PROGRAMME = X25519PrivateKey.from_private_bytes(b"p" * 32)


def bundle(number: int, sizes: Iterable[tuple[int, int]] = ((0, 700), (1, 3900), (3, 30_000))) -> Bundle:
    """A bundle whose parts have these (layer, bytes)."""
    rng = random.Random(number)
    ident = uuid7(1_790_000_000_000 + number, rng.randbytes(10))
    parts = tuple(
        Part(oid, layer, "summary" if layer == 0 else "waveform", "application/x", "", rng.randbytes(size))
        for oid, (layer, size) in enumerate(sizes)
    )
    return Bundle(ident, "study", ident, parts)


def sealed(
    what: Bundle, *, priority: int = 1, origin: str = "abc", key: Ed25519PrivateKey = SITE_KEY
) -> Sealed:
    return seal(
        what,
        origin=origin,
        seq=1,
        priority=priority,
        created=CLOCK,
        recipients=[Recipient("programme", PROGRAMME.public_key())],
        signer=key,
        random=os.urandom,
        label="HTEST",
    )


@dataclass
class MemoryOutbox:
    """Survives the Sender, as a spool survives the process."""

    bundles: dict[bytes, Sealed] = field(default_factory=dict)
    settled: dict[bytes, bytes] = field(default_factory=dict)
    refused: dict[bytes, str] = field(default_factory=dict)

    def put(self, item: Sealed) -> Sealed:
        self.bundles[item.tid] = item
        return item

    def pending(self) -> list[bytes]:
        return [
            item.manifest
            for tid, item in self.bundles.items()
            if tid not in self.settled and tid not in self.refused
        ]

    def read(self, tid: bytes, oid: int, start: int, size: int) -> bytes:
        return self.bundles[tid].objects[oid].data[start : start + size]

    def settle(self, tid: bytes, receipt: bytes) -> None:
        self.settled[tid] = receipt

    def refuse(self, tid: bytes, reason: str) -> None:
        self.refused[tid] = reason


@dataclass
class MemoryInbox:
    """Survives the Receiver; opens what is complete, as the relay's archive does."""

    manifests: dict[bytes, bytes] = field(default_factory=dict)
    states: dict[bytes, str] = field(default_factory=dict)
    chunks: dict[tuple[bytes, int], dict[int, bytes]] = field(default_factory=dict)
    complete: dict[str, Bundle] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    dead: list[tuple[str, str]] = field(default_factory=list)

    def begin(self, tid: bytes, origin: str, manifest: bytes) -> None:
        self.manifests.setdefault(tid, manifest)
        self.states.setdefault(tid, "open")

    def state(self, tid: bytes) -> str:
        return self.states.get(tid, "unknown")

    def manifest(self, tid: bytes) -> bytes | None:
        return self.manifests.get(tid)

    def store(self, tid: bytes, oid: int, seq: int, data: bytes) -> bool:
        kept = self.chunks.setdefault((tid, oid), {})
        fresh = seq not in kept
        kept.setdefault(seq, data)
        return fresh

    def have(self, tid: bytes, oid: int) -> set[int]:
        return set(self.chunks.get((tid, oid), {}))

    def read(self, tid: bytes, oid: int) -> bytes:
        kept = self.chunks.get((tid, oid), {})
        return b"".join(kept[seq] for seq in sorted(kept))

    def drop(self, tid: bytes, oid: int) -> None:
        self.chunks.pop((tid, oid), None)

    def commit(self, tid: bytes) -> bool:
        if self.states[tid] == "complete":
            return False
        manifest = read_manifest(self.manifests[tid])
        opened = open_sealed(
            manifest, {item.oid: self.read(tid, item.oid) for item in manifest.objects}, PROGRAMME
        )
        if opened.id in self.complete:
            raise Refused("conflict")
        self.complete[opened.id] = opened
        self.states[tid] = "complete"
        self.commits.append(opened.id)
        return True

    def refuse(self, tid: bytes, reason: str) -> None:
        self.states[tid] = f"refused:{reason}"

    def bury(self, origin: str, payload: bytes, reason: str) -> None:
        self.dead.append((origin, reason))


def chunks_of(item: Sealed) -> int:
    return sum(-(-len(part.data) // CHUNK) for part in item.objects)
