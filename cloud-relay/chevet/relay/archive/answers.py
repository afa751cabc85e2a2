"""What goes back: opinions signed by their author's own key, notes and retake requests, and voices to both.

Each is a bundle sealed to the site and to the programme; its words are nowhere else, so the archive reads
them back the way the site does.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, func, select, update

from chevet.exchange.messages import sign_status, write
from chevet.relay.accounts.users import User
from chevet.relay.archive.answer_drafts import forget_drafts
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.cases import Case, Cases, require_claim
from chevet.relay.archive.composed import Composed, W, sent, write_down
from chevet.relay.archive.database import Database
from chevet.relay.archive.objects import Objects
from chevet.relay.archive.outbox import Sealing, keep_receipt, next_seq
from chevet.relay.archive.schema import Found, answers, bundles, cases, objects
from chevet.relay.archive.signatures import verified
from chevet.relay.archive.sites import find_site
from chevet.relay.archive.vault import Vault
from chevet.relay.archive.voices import named_voice, nothing_named, told_voice, voice_before, voice_row
from chevet.relay.errors import RefusedError
from chevet.relay.keys import ProgrammeKeys
from chevet.study.bundle import Bundle
from chevet.study.case import (
    Author,
    Medicine,
    Message,
    Opinion,
    Signature,
    author_bytes,
    message_bytes,
    opinion_bytes,
    pack_message,
    pack_opinion,
    unpack_message,
    unpack_opinion,
)
from chevet.study.ids import RANDOM_BYTES, uuid7
from chevet.study.spoken import VoiceNote, pack_voice, unpack_voice
from chevet.study.study import HTEST


@dataclass(frozen=True, slots=True)
class Draft:
    """An opinion's words before it has an id, a version and a signature; fields as in Opinion.

    Attributes:
        voice: said aloud too, as `encode_voice` gave it; None for silence.
        keep_voice: an amendment goes on with the voice of the version before, which does not travel again.
    """

    impression: str
    certainty: str
    advice: str
    urgency: str
    transfer: bool
    follow_up_date: str | None
    medicines: tuple[Medicine, ...] = ()
    voice: bytes | None = None
    keep_voice: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A message's words before it has an id; fields as in Message, `voice` as in Draft."""

    kind: str
    step: str
    site: str
    side: str
    text: str
    voice: bytes | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything said about one case, oldest first, each with whether its signatures hold."""

    opinions: tuple[tuple[Opinion, bool], ...]
    messages: tuple[tuple[Message, bool], ...]


class Answers:
    """Signs, seals and reads back what belongs to a case."""

    def __init__(
        self,
        database: Database,
        store: Objects,
        vault: Vault,
        audit: Audit,
        cases: Cases,
        keys: ProgrammeKeys,
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._store = store
        self._vault = vault
        self._audit = audit
        self._cases = cases
        self._keys = keys
        self._now_ms = now_ms
        self._sealing = Sealing(keys, os.urandom(8).hex())

    def give_opinion(self, case_id: str, user: User, draft: Draft, key: Ed25519PrivateKey) -> Opinion:
        """Sign an opinion and send it; a second one is an amendment, with the next version.

        Raises:
            RefusedError: 404 `not_found`, 409 `not_claimed`, 422 `no_voice` where there is none to keep.
            BundleError: the voice is no voice note.
        """
        now = self._now_ms()

        def compose(view: Connection) -> Composed[Opinion]:
            case = self._cases.get(view, case_id)
            require_claim(case, user)
            opinion = self._signed(view, case, user, draft, key, now)
            spoken = (opinion.voice, draft.voice)
            return self._composed(view, case, opinion, pack_opinion(opinion), spoken, now)

        def keep(connection: Connection, made: Composed[Opinion]) -> None:
            write_down(connection, made, user.id, made.words.version, now)
            connection.execute(
                update(cases)
                .where(cases.c.id == case_id, cases.c.answered_ms.is_(None))
                .values(answered_ms=now)
            )
            status = write(sign_status(case_id, "answered", now, self._keys.relay))
            keep_receipt(connection, case_id, "answered", status, now)
            forget_drafts(connection, case_id)
            detail = f"version {made.words.version}"
            self._audit.add(connection, now, user.id, "opinion.sign", case_id, detail)

        return sent(self._database, self._store, compose, partial(self._stamp, case_id), keep)

    def send_message(self, case_id: str, user: User, note: Note) -> Message:
        """Send a note or a retake request; the relay vouches for its author, who is signed in.

        Raises:
            RefusedError: 404 `not_found`.
            BundleError: the voice is no voice note.
        """
        now = self._now_ms()

        def compose(view: Connection) -> Composed[Message]:
            case = self._cases.get(view, case_id)
            message = self._vouched(case, user, note, now)
            spoken = (message.voice, note.voice)
            return self._composed(view, case, message, pack_message(message), spoken, now)

        def keep(connection: Connection, made: Composed[Message]) -> None:
            write_down(connection, made, user.id, 1, now)
            self._audit.add(connection, now, user.id, f"message.{note.kind}", case_id)

        return sent(self._database, self._store, compose, partial(self._stamp, case_id), keep)

    def conversation(self, case_id: str) -> Conversation:
        """Read everything said about a case."""
        query = (
            select(
                answers.c.kind, bundles.c.tid, bundles.c.manifest, bundles.c.direction, bundles.c.complete_ms
            )
            .join(bundles, bundles.c.tid == answers.c.tid)
            .where(answers.c.case_id == case_id)
            .order_by(answers.c.at_ms, answers.c.version, answers.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            found = [(row, self._bundle(connection, row)) for row in rows]
        opinions = [unpack_opinion(bundle) for row, bundle in found if row.kind == "opinion"]
        messages = [(row, unpack_message(bundle)) for row, bundle in found if row.kind == "message"]
        return Conversation(
            tuple((one, self._holds(one.author, one.signature, opinion_bytes(one))) for one in opinions),
            # a site's own message was verified with its manifest, before it was stored
            tuple(
                (one, row.direction == "up" or self._holds(one.author, one.signature, message_bytes(one)))
                for row, one in messages
            ),
        )

    def voice(self, case_id: str, voice_id: str) -> bytes:
        """Return the sound of a voice note that verified words of this case name.

        Raises:
            RefusedError: 404 `not_found` where no verified words name it; 404 `not_yet_here`.
        """
        said = self.conversation(case_id)
        named = named_voice((*said.opinions, *said.messages), voice_id)
        with self._database.read() as connection:
            row = voice_row(connection, case_id, voice_id)
            bundle = self._bundle(connection, row) if row is not None else None
        if bundle is None:
            raise RefusedError(404, "not_yet_here", "The sound is still on its way: its words came first.")
        ogg = unpack_voice(bundle)
        if not named.names(ogg):
            raise nothing_named()
        return ogg

    def _signed(
        self, connection: Connection, case: Case, user: User, draft: Draft, key: Ed25519PrivateKey, now: int
    ) -> Opinion:
        last = select(func.max(answers.c.version)).where(
            answers.c.case_id == case.id, answers.c.kind == "opinion"
        )
        author = Author(user.id, user.name, user.specialty)
        blank = Opinion(
            id=uuid7(now, os.urandom(RANDOM_BYTES)),
            case=case.id,
            version=(connection.execute(last).scalar() or 0) + 1,
            impression=draft.impression,
            certainty=draft.certainty,
            advice=draft.advice,
            urgency=draft.urgency,
            transfer=draft.transfer,
            follow_up_date=draft.follow_up_date,
            author=author,
            signed_ms=now,
            label=_label(case),
            medicines=draft.medicines,
            voice=voice_before(self.conversation(case.id).opinions)
            if draft.keep_voice
            else told_voice(draft.voice, now),
        )
        return replace(blank, signature=self._signature(author, key, opinion_bytes(blank)))

    def _vouched(self, case: Case, user: User, note: Note, now: int) -> Message:
        author = Author(user.id, user.name, user.specialty)
        blank = Message(
            id=uuid7(now, os.urandom(RANDOM_BYTES)),
            case=case.id,
            kind=note.kind,
            text=note.text,
            author=author,
            at_ms=now,
            step=note.step,
            site=note.site,
            side=note.side,
            label=_label(case),
            voice=told_voice(note.voice, now),
        )
        return replace(blank, signature=self._signature(author, self._keys.relay, message_bytes(blank)))

    def _signature(self, author: Author, key: Ed25519PrivateKey, signed: bytes) -> Signature:
        public = key.public_key().public_bytes_raw()
        return Signature(key.sign(signed), public, self._keys.relay.sign(author_bytes(author, public)))

    def _holds(self, author: Author, signature: Signature, signed: bytes) -> bool:
        return verified(author, signature, signed, self._keys.relay.public_key())

    def _composed(
        self,
        view: Connection,
        case: Case,
        words: W,
        bundle: Bundle,
        spoken: tuple[VoiceNote | None, bytes | None],
        now: int,
    ) -> Composed[W]:
        """Seal the words, and behind them the sound that they name."""
        site = find_site(view, case.site)
        assert site is not None, "a case has a site"
        note, ogg = spoken
        sound: list[Bundle] = [pack_voice(note, case.id, ogg)] if note is not None and ogg is not None else []
        first = next_seq(view)
        letters = tuple(
            (one, self._sealing.seal(one, site, _label(case), seq, now))
            for seq, one in enumerate([bundle, *sound], first)
        )
        return Composed(words, case, letters, self._stamp(case.id, view))

    def _stamp(self, case_id: str, view: Connection) -> tuple[object, ...]:
        """Return what must not have changed since an answer was composed.

        Raises:
            RefusedError: 404 `not_found`.
        """
        case = self._cases.get(view, case_id)
        site = find_site(view, case.site)
        return next_seq(view), case.claimed_by, site.seal_key if site else b""

    def _bundle(self, connection: Connection, row: Found) -> Bundle:
        names = select(objects.c.oid, objects.c.name).where(objects.c.tid == row.tid)
        return self._vault.bundle(row.manifest, {item.oid: item.name for item in connection.execute(names)})


def _label(case: Case) -> str:
    return HTEST if case.simulated else ""
