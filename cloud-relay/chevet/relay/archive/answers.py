"""What goes back: opinions signed by their author's own key, notes and retake requests, and voices to both.

Each is a bundle sealed to the site and to the programme; its words are nowhere else, so the archive reads
them back the way the site does.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, func, insert, select, update

from chevet.exchange.messages import sign_status, write
from chevet.relay.accounts.users import User
from chevet.relay.archive.answer_drafts import forget_drafts
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.cases import Case, Cases, require_claim
from chevet.relay.archive.changes import tell
from chevet.relay.archive.database import Database
from chevet.relay.archive.objects import Objects
from chevet.relay.archive.outbox import Sealing, keep_receipt, next_seq, post
from chevet.relay.archive.schema import Found, answers, bundles, cases, objects
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
        self._store.ready()
        with self._database.write() as connection:
            case = self._cases.get(connection, case_id)
            require_claim(case, user)
            opinion = self._signed(connection, case, user, draft, key, now)
            self._post(connection, case, pack_opinion(opinion), opinion.version, user.id, now)
            self._post_voice(connection, case, opinion.voice, draft.voice, user.id, now)
            connection.execute(
                update(cases)
                .where(cases.c.id == case_id, cases.c.answered_ms.is_(None))
                .values(answered_ms=now)
            )
            status = write(sign_status(case_id, "answered", now, self._keys.relay))
            keep_receipt(connection, case_id, "answered", status, now)
            forget_drafts(connection, case_id)
            self._audit.add(connection, now, user.id, "opinion.sign", case_id, f"version {opinion.version}")
        return opinion

    def send_message(self, case_id: str, user: User, note: Note) -> Message:
        """Send a note or a retake request; the relay vouches for its author, who is signed in.

        Raises:
            RefusedError: 404 `not_found`.
            BundleError: the voice is no voice note.
        """
        now = self._now_ms()
        self._store.ready()
        with self._database.write() as connection:
            case = self._cases.get(connection, case_id)
            author = Author(user.id, user.name, user.specialty)
            blank = Message(
                id=uuid7(now, os.urandom(RANDOM_BYTES)),
                case=case_id,
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
            signature = self._signature(author, self._keys.relay, message_bytes(blank))
            message = replace(blank, signature=signature)
            self._post(connection, case, pack_message(message), 1, user.id, now)
            self._post_voice(connection, case, message.voice, note.voice, user.id, now)
            self._audit.add(connection, now, user.id, f"message.{note.kind}", case_id)
        return message

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

    def _signature(self, author: Author, key: Ed25519PrivateKey, signed: bytes) -> Signature:
        public = key.public_key().public_bytes_raw()
        return Signature(key.sign(signed), public, self._keys.relay.sign(author_bytes(author, public)))

    def _holds(self, author: Author, signature: Signature, signed: bytes) -> bool:
        return verified(author, signature, signed, self._keys.relay.public_key())

    def _post(
        self, connection: Connection, case: Case, bundle: Bundle, version: int, author: str, now: int
    ) -> None:
        site = find_site(connection, case.site)
        assert site is not None, "a case has a site"
        sealed = self._sealing.seal(bundle, site, _label(case), next_seq(connection), now)
        post(connection, self._store, sealed, bundle, case.site, now)
        connection.execute(
            insert(answers).values(
                id=bundle.id,
                tid=sealed.tid.hex(),
                case_id=case.id,
                kind=bundle.kind,
                version=version,
                author=author,
                at_ms=now,
            )
        )
        tell(connection, case.id, now)

    def _post_voice(
        self,
        connection: Connection,
        case: Case,
        note: VoiceNote | None,
        ogg: bytes | None,
        author: str,
        now: int,
    ) -> None:
        """Send the sound behind the words that name it."""
        if note is not None and ogg is not None:
            self._post(connection, case, pack_voice(note, case.id, ogg), 1, author, now)

    def _bundle(self, connection: Connection, row: Found) -> Bundle:
        names = select(objects.c.oid, objects.c.name).where(objects.c.tid == row.tid)
        return self._vault.bundle(row.manifest, {item.oid: item.name for item in connection.execute(names)})


def verified(author: Author, signature: Signature, signed: bytes, relay_key: Ed25519PublicKey) -> bool:
    """Say whether the author's key signed `signed`, and the relay vouches that the key is the author's."""
    try:
        relay_key.verify(signature.certificate, author_bytes(author, signature.public_key))
        Ed25519PublicKey.from_public_bytes(signature.public_key).verify(signature.value, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _label(case: Case) -> str:
    return HTEST if case.simulated else ""
