"""Cases as the store keeps them: what was sent, how far it is, what came back."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from chevet.edge.covered_rows import place
from chevet.edge.database import Database
from chevet.edge.errors import Refusal, not_found
from chevet.study.bundle import Bundle, Part
from chevet.study.case import Message, Opinion, pack_message, pack_opinion, unpack_message, unpack_opinion
from chevet.study.spoken import VoiceNote

ON_BOX, TRAVELLING, AT_RELAY, OPENED, ANSWERED = "on_box", "travelling", "at_relay", "opened", "answered"
HERE, ARRIVING, ALTERED = "here", "arriving", "altered"
"""States of a voice note: to be heard, words came first, not what was signed."""
_ORDER = (ON_BOX, TRAVELLING, AT_RELAY, OPENED, ANSWERED)


@dataclass(frozen=True, slots=True)
class CaseWords:
    """What stays the same of a case, and the milestones of its delivery (Unix ms of this box).

    Attributes:
        recordings: rows of the delivery report, with bytes per layer.
        summary_bytes: the sealed summary, which speaks of the whole study.
        bytes_up: payload bytes sent for it, repeats included.
        bytes_down: payload bytes received for it.
        continues: the earlier case that this one goes on with, or "".
        retakes: verified requests to record again that no sent visit has answered yet.
        feedback: what the worker thought of the answer: good, fair, bad or "".
        said: counts what joined the conversation, so that a screen knows when to read it again.
    """

    patient_name: str
    urgency: str
    specialty: str
    reason: str
    simulated: bool
    closed_ms: int
    sha256: str
    recordings: tuple[dict[str, Any], ...] = ()
    summary_bytes: int = 0
    spooled_ms: int | None = None
    complete_ms: int | None = None
    opened_ms: int | None = None
    opinion_ms: int | None = None
    bytes_up: int = 0
    bytes_down: int = 0
    continues: str = ""
    retakes: tuple[str, ...] = ()
    feedback: str = ""
    said: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One case; `state` is durable, travelling is told by the uplink."""

    id: str
    created_ms: int
    state: str
    words: CaseWords
    unread: bool = False
    refused: str = ""


@dataclass(slots=True)
class Progress:
    """How far a bundle has travelled, in chunks that the relay confirmed."""

    sent: int = 0
    total: int = 0

    @property
    def percent(self) -> int:
        """Return 0 to 99: 100 is only ever said by a receipt."""
        return min(99, 100 * self.sent // self.total) if self.total else 0


_WORDS = TypeAdapter(CaseWords)


class Cases:
    """The cases of this box."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        self.progress: dict[str, Progress] = {}

    def add(self, case: Case) -> None:
        """Store a new case; one that is here already stays as it is."""
        with self._database.write() as cursor:
            cursor.execute(
                "INSERT OR IGNORE INTO cases VALUES (?, ?, ?, 0, ?, ?, ?)",
                (case.id, case.created_ms, case.state, self._hidden(case), int(case.unread), case.refused),
            )

    def get(self, case_id: str) -> Case:
        """Return one case.

        Raises:
            Refusal: not_found.
        """
        row = self._database.row("SELECT * FROM cases WHERE id = ?", (case_id,))
        if row is None:
            raise not_found("case")
        return self._case(row)

    def all(self) -> list[Case]:
        """Return every case, newest first."""
        rows = self._database.rows("SELECT * FROM cases ORDER BY created_ms DESC, id DESC")
        return [self._case(row) for row in rows]

    def awaiting(self) -> list[str]:
        """Return ids of delivered cases whose opening or answer is still awaited, newest first."""
        rows = self._database.rows(
            "SELECT id FROM cases WHERE state IN (?, ?) ORDER BY created_ms DESC", (AT_RELAY, OPENED)
        )
        return [row["id"] for row in rows]

    def advance(self, case_id: str, state: str, change: Callable[[CaseWords], CaseWords]) -> Case:
        """Bring a case to `state` unless it is further already, and change its words.

        Raises:
            Refusal: not_found.
        """
        with self._database.write() as cursor:
            case = self._in(cursor, case_id)
            further = max(case.state, state, key=_ORDER.index)
            changed = replace(case, state=further, words=change(case.words))
            self._update(cursor, changed)
        return changed

    def refuse(self, case_id: str, reason: str) -> Case:
        """Remember why the relay refused a case."""
        with self._database.write() as cursor:
            changed = replace(self._in(cursor, case_id), refused=reason)
            self._update(cursor, changed)
        return changed

    def unread(self) -> int:
        """Return how many cases hold an answer or a message that nobody has read."""
        row = self._database.row("SELECT count(*) AS n FROM cases WHERE unread = 1")
        return int(row["n"]) if row is not None else 0

    def read(self, case_id: str) -> Case:
        """Remember that the worker has read the answer."""
        with self._database.write() as cursor:
            changed = replace(self._in(cursor, case_id), unread=False)
            self._update(cursor, changed)
        return changed

    def keep_opinion(self, opinion: Opinion, *, verified: bool) -> bool:
        """Store an opinion, and answer its case where it is verified; False when it was here already.

        Raises:
            Refusal: not_found when the case is not of this box.
        """
        with self._database.write() as cursor:
            case = self._in(cursor, opinion.case)
            cursor.execute(
                "INSERT OR IGNORE INTO opinions VALUES (?, ?, ?, ?, ?, ?)",
                (
                    opinion.id, opinion.case, opinion.version, int(verified), self._now_ms(),
                    self._packed("opinions", opinion.id, pack_opinion(opinion)),
                ),
            )  # fmt: skip
            if not cursor.rowcount:
                return False
            if verified:
                words = replace(
                    case.words,
                    opinion_ms=case.words.opinion_ms or self._now_ms(),
                    said=case.words.said + 1,
                )
                self._update(cursor, replace(case, state=ANSWERED, words=words, unread=True))
        return True

    def keep_message(self, message: Message, *, verified: bool, own: bool = False) -> bool:
        """Store a message; False when it was here already. What this box's worker said is not unread.

        Raises:
            Refusal: not_found when the case is not of this box.
        """
        with self._database.write() as cursor:
            case = self._in(cursor, message.case)
            cursor.execute(
                "INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?)",
                (
                    message.id, message.case, int(verified), self._now_ms(),
                    self._packed("messages", message.id, pack_message(message)),
                ),
            )  # fmt: skip
            if not cursor.rowcount:
                return False
            if verified:
                asked = (message.id,) if message.kind == "retake" else ()
                words = replace(case.words, retakes=(*case.words.retakes, *asked), said=case.words.said + 1)
                self._update(cursor, replace(case, unread=case.unread or not own, words=words))
        return True

    def keep_voice(self, voice_id: str, case_id: str, ogg: bytes) -> None:
        """Store the sound of a voice note; what was here already stays as it is.

        Raises:
            Refusal: not_found when the case is not of this box.
        """
        with self._database.write() as cursor:
            case = self._in(cursor, case_id)
            hidden = self._database.hide_bytes(ogg, place("voices", "ogg", voice_id))
            cursor.execute(
                "INSERT OR IGNORE INTO voices VALUES (?, ?, ?, ?)",
                (voice_id, case_id, self._now_ms(), hidden),
            )
            if cursor.rowcount:
                words = replace(case.words, said=case.words.said + 1)
                self._update(cursor, replace(case, words=words))

    def voice(self, case_id: str, note: VoiceNote) -> bytes | None:
        """Return the sound of a voice note, None until it is here.

        Raises:
            Refusal: not_found when what is here is not what was signed.
        """
        row = self._database.row("SELECT * FROM voices WHERE id = ? AND case_id = ?", (note.id, case_id))
        if row is None:
            return None
        ogg = self._database.show_bytes(row["ogg"], place("voices", "ogg", row["id"]))
        if not note.names(ogg):
            raise not_found("voice note")
        return ogg

    def voice_states(self, case_id: str) -> dict[str, str]:
        """Return how it stands with each voice note that verified words of a case name."""
        return {ident: self._voice_state(case_id, note) for ident, note in self.voices(case_id).items()}

    def _voice_state(self, case_id: str, note: VoiceNote) -> str:
        try:
            return HERE if self.voice(case_id, note) is not None else ARRIVING
        except Refusal:
            return ALTERED

    def voices(self, case_id: str) -> dict[str, VoiceNote]:
        """Return the voice notes that verified words of a case name, by id."""
        opinions = [one.voice for one, verified in self.opinions(case_id) if verified]
        messages = [one.voice for one, verified in self.messages(case_id) if verified]
        return {voice.id: voice for voice in (*opinions, *messages) if voice is not None}

    def taken_again(self, case_id: str, message_id: str) -> None:
        """Remember that a visit which was sent answers this request; a case no longer here is passed over."""
        with self._database.write() as cursor:
            if cursor.execute("SELECT 1 FROM cases WHERE id = ?", (case_id,)).fetchone() is None:
                return
            case = self._in(cursor, case_id)
            left = tuple(one for one in case.words.retakes if one != message_id)
            self._update(cursor, replace(case, words=replace(case.words, retakes=left)))

    def rate(self, case_id: str, feedback: str) -> Case:
        """Remember what the worker thought of the answer.

        Raises:
            Refusal: not_found.
        """
        with self._database.write() as cursor:
            case = self._in(cursor, case_id)
            changed = replace(case, words=replace(case.words, feedback=feedback))
            self._update(cursor, changed)
        return changed

    def opinions(self, case_id: str) -> list[tuple[Opinion, bool]]:
        """Return a case's opinions by version, each with whether it is verified."""
        rows = self._database.rows(
            "SELECT * FROM opinions WHERE case_id = ? ORDER BY version, arrived_ms", (case_id,)
        )
        return [(unpack_opinion(self._bundle(row, "opinion")), bool(row["verified"])) for row in rows]

    def messages(self, case_id: str) -> list[tuple[Message, bool]]:
        """Return a case's messages in order of arrival, each with whether it is verified."""
        rows = self._database.rows(
            "SELECT * FROM messages WHERE case_id = ? ORDER BY arrived_ms, id", (case_id,)
        )
        return [(unpack_message(self._bundle(row, "message")), bool(row["verified"])) for row in rows]

    def _in(self, cursor: sqlite3.Cursor, case_id: str) -> Case:
        row = cursor.execute("SELECT * FROM cases WHERE id = ?", (case_id,)).fetchone()
        if row is None:
            raise not_found("case")
        return self._case(row)

    def _case(self, row: sqlite3.Row) -> Case:
        words = _WORDS.validate_json(self._database.show(row["words"], place("cases", "words", row["id"])))
        return Case(row["id"], row["created_ms"], row["state"], words, bool(row["unread"]), row["refused"])

    def _update(self, cursor: sqlite3.Cursor, case: Case) -> None:
        cursor.execute(
            "UPDATE cases SET state = ?, words = ?, unread = ?, refused = ? WHERE id = ?",
            (case.state, self._hidden(case), int(case.unread), case.refused, case.id),
        )

    def _hidden(self, case: Case) -> str:
        words = _WORDS.dump_json(case.words).decode()
        return self._database.hide(words, place("cases", "words", case.id))

    def _packed(self, table: str, row_id: str, bundle: Bundle) -> bytes:
        return self._database.hide_bytes(bundle.parts[0].data, place(table, "packed", row_id))

    def _bundle(self, row: sqlite3.Row, kind: str) -> Bundle:
        """Return what came, as it was packed: its signature can be checked again at any time."""
        packed = self._database.show_bytes(row["packed"], place(f"{kind}s", "packed", row["id"]))
        return Bundle(row["id"], kind, row["case_id"], (Part(0, 0, kind, "", "", packed),))
