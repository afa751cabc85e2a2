"""What the relay sends down, while it arrives and when it is whole: the exchange's Inbox."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from chevet.edge.cases import Cases
from chevet.edge.database import Database
from chevet.edge.errors import Refusal
from chevet.edge.trust import vouched
from chevet.exchange.errors import Refused
from chevet.exchange.manifest import Manifest, read_manifest
from chevet.exchange.sealing import open_sealed
from chevet.study.bundle import Bundle
from chevet.study.case import (
    Message,
    Opinion,
    message_bytes,
    opinion_bytes,
    unpack_message,
    unpack_opinion,
)
from chevet.study.errors import BundleError
from chevet.study.spoken import unpack_voice

log = logging.getLogger(__name__)

OPEN, COMPLETE = "open", "complete"
DEAD_LETTERS_AT_MOST = 200
DEAD_LETTER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that nothing could be made of; `at_ms` is this box's clock."""

    origin: str
    reason: str
    at_ms: int


def dead_letters(database: Database) -> list[DeadLetter]:
    """Return what came and could not be used, newest first: messages, and bundles refused as a whole."""
    rows = database.rows(
        "SELECT origin, reason, at_ms FROM dead_letters UNION ALL"
        " SELECT origin, substr(state, 9), begun_ms FROM transfers WHERE state LIKE 'refused:%'"
        " ORDER BY at_ms DESC"
    )
    return [DeadLetter(row["origin"], row["reason"], row["at_ms"]) for row in rows]


class Arrivals:
    """Opinions, messages and voice notes on their way to this box."""

    def __init__(
        self,
        database: Database,
        cases: Cases,
        opener: X25519PrivateKey,
        relay_key: Ed25519PublicKey,
        now_ms: Callable[[], int],
        arrived: Callable[[str], None],
    ) -> None:
        """Stand on the store; `arrived` is told the case's id when something for it is complete."""
        self._database = database
        self._cases = cases
        self._opener = opener
        self._relay_key = relay_key
        self._now_ms = now_ms
        self._arrived = arrived

    def begin(self, tid: bytes, origin: str, manifest: bytes) -> None:
        """Keep a verified manifest; a transfer that is known stays what it is."""
        with self._database.write() as cursor:
            cursor.execute(
                "INSERT OR IGNORE INTO transfers VALUES (?, ?, ?, ?, ?)",
                (tid, origin, manifest, OPEN, self._now_ms()),
            )

    def state(self, tid: bytes) -> str:
        """Return "unknown", "open", "complete", or "refused:" with the reason."""
        row = self._database.row("SELECT state FROM transfers WHERE tid = ?", (tid,))
        return str(row["state"]) if row else "unknown"

    def manifest(self, tid: bytes) -> bytes | None:
        """Return the manifest kept by `begin`."""
        row = self._database.row("SELECT manifest FROM transfers WHERE tid = ?", (tid,))
        return bytes(row["manifest"]) if row else None

    def store(self, tid: bytes, oid: int, seq: int, data: bytes) -> bool:
        """Keep one chunk; False when it was there already."""
        with self._database.write() as cursor:
            cursor.execute("INSERT OR IGNORE INTO chunks VALUES (?, ?, ?, ?)", (tid, oid, seq, data))
            return bool(cursor.rowcount)

    def have(self, tid: bytes, oid: int) -> set[int]:
        """Return the chunks kept of one object."""
        rows = self._database.rows("SELECT seq FROM chunks WHERE tid = ? AND oid = ?", (tid, oid))
        return {row["seq"] for row in rows}

    def read(self, tid: bytes, oid: int) -> bytes:
        """Return the chunks kept of one object, joined in order."""
        rows = self._database.rows(
            "SELECT data FROM chunks WHERE tid = ? AND oid = ? ORDER BY seq", (tid, oid)
        )
        return b"".join(row["data"] for row in rows)

    def drop(self, tid: bytes, oid: int) -> None:
        """Forget the chunks of one object."""
        with self._database.write() as cursor:
            cursor.execute("DELETE FROM chunks WHERE tid = ? AND oid = ?", (tid, oid))

    def commit(self, tid: bytes) -> bool:
        """Open the bundle and put it to its case durably; False when it was complete already.

        Raises:
            Refused: it cannot be opened, or is not for a case of this box.
        """
        if self.state(tid) == COMPLETE:
            return False
        manifest = read_manifest(self.manifest(tid) or b"")
        objects = {item.oid: self.read(tid, item.oid) for item in manifest.objects}
        self._keep(manifest, open_sealed(manifest, objects, self._opener))
        self._end(tid, COMPLETE)
        self._arrived(manifest.case)
        return True

    def refuse(self, tid: bytes, reason: str) -> None:
        """Mark a transfer as refused; what came of it stays for a person."""
        with self._database.write() as cursor:
            cursor.execute(
                "UPDATE transfers SET state = ? WHERE tid = ? AND state = ?", (f"refused:{reason}", tid, OPEN)
            )

    def bury(self, origin: str, payload: bytes, reason: str) -> None:
        """Keep the beginning of a message that nothing could be made of; the oldest give way."""
        with self._database.write() as cursor:
            cursor.execute(
                "INSERT INTO dead_letters (origin, reason, at_ms, payload) VALUES (?, ?, ?, ?)",
                (origin, reason, self._now_ms(), payload[:DEAD_LETTER_BYTES]),
            )
            cursor.execute(
                "DELETE FROM dead_letters WHERE number <= (SELECT MAX(number) FROM dead_letters) - ?",
                (DEAD_LETTERS_AT_MOST,),
            )

    def _keep(self, manifest: Manifest, bundle: Bundle) -> None:
        try:
            if bundle.kind == "opinion":
                self._keep_opinion(unpack_opinion(bundle))
            elif bundle.kind == "message":
                self._keep_message(unpack_message(bundle))
            elif bundle.kind == "voice":
                self._same_world(bundle.case, manifest.label)
                self._cases.keep_voice(bundle.id, bundle.case, unpack_voice(bundle))
            else:
                raise Refused("unexpected_kind")
        except BundleError:
            raise Refused("malformed") from None
        except Refusal:
            raise Refused("unknown_case") from None
        log.info("case %s: %s arrived", manifest.case, bundle.kind)

    def _keep_opinion(self, opinion: Opinion) -> None:
        self._same_world(opinion.case, opinion.label)
        verified = vouched(opinion.author, opinion.signature, opinion_bytes(opinion), self._relay_key)
        if not verified:
            log.warning("case %s: an opinion's signature does not hold; it is no answer", opinion.case)
        self._cases.keep_opinion(opinion, verified=verified)

    def _keep_message(self, message: Message) -> None:
        self._same_world(message.case, message.label)
        verified = vouched(message.author, message.signature, message_bytes(message), self._relay_key)
        if not verified:
            log.warning("case %s: a message's signature does not hold", message.case)
        self._cases.keep_message(message, verified=verified)

    def _same_world(self, case_id: str, label: str) -> None:
        """Keep what was written about simulated patients away from real ones."""
        if label and not self._cases.get(case_id).words.simulated:
            raise Refused("simulated_answer")

    def _end(self, tid: bytes, state: str) -> None:
        with self._database.write() as cursor:
            cursor.execute("UPDATE transfers SET state = ? WHERE tid = ?", (state, tid))
            cursor.execute("DELETE FROM chunks WHERE tid = ?", (tid,))
