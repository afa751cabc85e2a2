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
from chevet.sim.memory_inbox import MemoryInbox
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
class OpeningInbox(MemoryInbox):
    """Survives the Receiver; opens what is complete, as the relay's archive does."""

    complete: dict[str, Bundle] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)

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


def chunks_of(item: Sealed) -> int:
    return sum(-(-len(part.data) // CHUNK) for part in item.objects)
