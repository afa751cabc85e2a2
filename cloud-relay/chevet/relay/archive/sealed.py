"""Sealed cases: kept, listed and answered without being opened; the specialist's browser does that.

The relay knows of such a case what its manifest says in clear: site, time, sizes, urgent or not, simulated or
not, and whose keys it was sealed to. Its words and recordings it cannot know.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Select, func, insert, select, update

from chevet.exchange.keys import kid, sealing_public
from chevet.exchange.manifest import CHUNK, TAG, Manifest, ObjectEntry, Wrap, digest, read_manifest
from chevet.exchange.messages import sign_status, write
from chevet.exchange.sealing import RELAY, Sealed, SealedObject, sign_manifest
from chevet.relay.accounts.users import User
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.changes import tell
from chevet.relay.archive.database import Database
from chevet.relay.archive.looks import Looks
from chevet.relay.archive.objects import Objects
from chevet.relay.archive.outbox import URGENT, keep_receipt, next_seq, post
from chevet.relay.archive.roster import SpecialistKey
from chevet.relay.archive.schema import Found, answers, bundles, cases, erasures, objects, users
from chevet.relay.archive.shared_keys import kids_of, share, wraps_for
from chevet.relay.archive.sites import Site, find_site
from chevet.relay.errors import RefusedError
from chevet.study.study import EdgeClock

MAX_ANSWER = 40 * 1024
"""Ciphertext bytes of an opinion or message; the longest form that the desk has is below."""
ANSWERED_SHOWN = 100


@dataclass(frozen=True, slots=True)
class SealedObjectRow:
    """One object as the relay knows it: `chunks` and `have` count what is here."""

    oid: int
    layer: int
    bytes: int
    chunks: int
    have: int
    whole: bool


@dataclass(frozen=True, slots=True)
class SealedAnswer:
    """An opinion or message of a sealed case, sealed too."""

    id: str
    kind: str
    version: int
    author: str
    at_ms: int
    manifest: bytes


@dataclass(frozen=True, slots=True)
class SealedCase:
    """What the relay knows of a sealed case.

    Attributes:
        shared: short names of the keys that a specialist's browser wrapped its key for, later than the box.
    """

    id: str
    tid: str
    site: Site
    manifest: bytes
    urgent: bool
    simulated: bool
    received_ms: int
    complete_ms: int | None
    opened_ms: int | None
    answered_ms: int | None
    claimed_by: tuple[str, str] | None
    objects: tuple[SealedObjectRow, ...]
    shared: frozenset[bytes]

    def for_key(self, name: bytes) -> bool:
        """Tell whether the key of that short name opens it."""
        return name in self.shared or any(wrap.kid == name for wrap in read_manifest(self.manifest).wraps)


@dataclass(frozen=True, slots=True)
class SealedWords:
    """An opinion or message as a browser sealed it: one object and the wraps of its key."""

    id: str
    kind: str
    version: int
    ciphertext: bytes
    wraps: tuple[Wrap, ...]


class SealedCases:
    """Reads, hands out and answers sealed cases; every look is in the audit, an open page's once."""

    def __init__(
        self,
        database: Database,
        store: Objects,
        audit: Audit,
        signer: Ed25519PrivateKey,
        now_ms: Callable[[], int],
        *,
        shows_simulated: bool,
    ) -> None:
        self._database = database
        self._store = store
        self._audit = audit
        self._signer = signer
        self._now_ms = now_ms
        self._shows_simulated = shows_simulated
        self._looks = Looks(now_ms)
        self._boot_id = os.urandom(8).hex()

    def inbox(self, user: User) -> list[SealedCase]:
        """Return sealed cases: urgent first, then the oldest; answered ones last, the newest of them."""
        if not self._looks.going_on(user.id, ""):
            with self._database.write() as connection:
                self._audit.add(connection, self._now_ms(), user.id, "inbox.read")
            self._looks.told(user.id, "")
        with self._database.read() as connection:
            waiting = connection.execute(self._visible().where(cases.c.answered_ms.is_(None))).all()
            answered = self._visible().where(cases.c.answered_ms.is_not(None))
            done = connection.execute(answered.order_by(cases.c.answered_ms.desc()).limit(ANSWERED_SHOWN))
            found = [_case(connection, row) for row in (*waiting, *done)]
        return sorted(found, key=_by_clock)

    def open(self, case_id: str, user: User) -> SealedCase:
        """Return one case for the user's browser to open.

        Raises:
            RefusedError: 404 `not_found`.
        """
        again = self._looks.going_on(user.id, case_id)
        with self._database.read() if again else self._database.write() as connection:
            found = self._get(connection, case_id)
            if not again:
                self._audit.add(connection, self._now_ms(), user.id, "case.read", case_id, "sealed")
        if not again:
            self._looks.told(user.id, case_id)
        return found

    def said(self, case_id: str) -> list[SealedAnswer]:
        """Return the opinions and messages of a case, oldest first."""
        query = (
            select(answers, bundles.c.manifest)
            .join(bundles, bundles.c.tid == answers.c.tid)
            .where(answers.c.case_id == case_id)
            .order_by(answers.c.at_ms, answers.c.version, answers.c.id)
        )
        with self._database.read() as connection:
            return [
                SealedAnswer(row.id, row.kind, row.version, row.author, row.at_ms, row.manifest)
                for row in connection.execute(query)
            ]

    def object(self, case_id: str, bundle_id: str, oid: int, user: User) -> bytes:
        """Return the ciphertext of one object of a case or of an answer to it.

        Raises:
            RefusedError: 404 `not_found`, 404 `not_yet_here`.
        """
        query = (
            select(objects.c.name)
            .join(bundles, bundles.c.tid == objects.c.tid)
            .where(bundles.c.id == bundle_id, bundles.c.case_id == case_id, objects.c.oid == oid)
            .where(bundles.c.refused == "")
        )
        with self._database.write() as connection:
            self._get(connection, case_id)
            row = connection.execute(query).first()
            if row is None:
                raise RefusedError(404, "not_found", "This case has no such part: open the case again.")
            if row.name is None:
                raise RefusedError(404, "not_yet_here", "This part has not arrived yet: wait for it.")
            self._audit.add(connection, self._now_ms(), user.id, "object.read", case_id, f"{bundle_id} {oid}")
        return self._store.get(row.name)

    def opened(self, case_id: str, user: User) -> None:
        """Tell the site, once, that a specialist's browser has opened its case.

        Raises:
            RefusedError: 404 `not_found`.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            self._get(connection, case_id)
            first = update(cases).where(cases.c.id == case_id, cases.c.opened_ms.is_(None))
            if connection.execute(first.values(opened_ms=now)).rowcount:
                status = write(sign_status(case_id, "opened", now, self._signer))
                keep_receipt(connection, case_id, "opened", status, now)
                self._audit.add(connection, now, user.id, "case.opened", case_id, "sealed")
                tell(connection, case_id, now)

    def claim(self, case_id: str, user: User, *, take: bool) -> SealedCase:
        """Take a case to answer, or give it back.

        Raises:
            RefusedError: 404 `not_found`, 409 `claimed` by another.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            found = self._get(connection, case_id)
            if found.claimed_by is not None and found.claimed_by[0] != user.id:
                raise RefusedError(409, "claimed", "Somebody else has claimed this case: choose another one.")
            values = {"claimed_by": user.id if take else None, "claimed_ms": now if take else None}
            connection.execute(update(cases).where(cases.c.id == case_id).values(**values))
            self._audit.add(connection, now, user.id, "case.claim" if take else "case.release", case_id)
            tell(connection, case_id, now)
            return self._get(connection, case_id)

    def answer(self, case_id: str, user: User, words: SealedWords) -> None:
        """Sign for the road, and send, what a browser sealed to the site.

        Raises:
            RefusedError: 404 `not_found`, 409 `not_claimed`, `claimed`, `other_version`, 422 `malformed`.
        """
        now = self._now_ms()
        with self._database.read() as view:
            case = self._get(view, case_id)
            self._may_answer(view, case, user, words)
        self._store.put(words.ciphertext)  # a store on the network holds up nobody who writes
        with self._database.write() as connection:
            case = self._get(connection, case_id)
            self._may_answer(connection, case, user, words)
            sealed = self._signed(case, words, next_seq(connection), now)
            post(connection, sealed, None, case.site.code, now)
            connection.execute(
                insert(answers).values(
                    id=words.id,
                    tid=sealed.tid.hex(),
                    case_id=case_id,
                    kind=words.kind,
                    version=words.version,
                    author=user.id,
                    at_ms=now,
                )
            )
            if words.kind == "opinion":
                self._answered(connection, case_id, now)
            self._audit.add(
                connection, now, user.id, f"{words.kind}.sealed", case_id, f"version {words.version}"
            )
            tell(connection, case_id, now)

    def _may_answer(self, connection: Connection, case: SealedCase, user: User, words: SealedWords) -> None:
        if words.kind == "opinion" and (case.claimed_by is None or case.claimed_by[0] != user.id):
            raise RefusedError(409, "not_claimed", "Claim the case first: only who claimed it may do this.")
        if kid(sealing_public(case.site.seal_key)) not in {wrap.kid for wrap in words.wraps}:
            raise RefusedError(422, "malformed", "The site could not open this: reload the page.")
        if connection.execute(select(answers.c.id).where(answers.c.id == words.id)).first():
            raise RefusedError(409, "already_sent", "This was sent before: reload the case.")
        if words.kind == "opinion" and words.version != self._next_version(connection, case.id):
            raise RefusedError(409, "other_version", "The case was answered meanwhile: read that first.")

    def share(
        self,
        case_id: str,
        giver: SpecialistKey | None,
        taker: SpecialistKey | None,
        wraps: Mapping[str, bytes],
    ) -> None:
        """Keep what one specialist's browser wrapped of a case for a colleague who cannot open it yet.

        Raises:
            RefusedError: 404 `not_found`, 409 `key_not_confirmed`, 403 `not_yours`, 422 `malformed`.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            found = self._get(connection, case_id)
            if giver is not None and not found.for_key(giver.kid):
                raise RefusedError(403, "not_yours", "This case is not sealed to you: nobody can pass it on.")
            share(connection, self._audit, now, case_id, giver, taker, wraps)
            tell(connection, case_id, now)

    def shared_with(self, case_id: str, name: bytes) -> dict[str, bytes]:
        """Return by bundle what a colleague's browser wrapped for the key of that short name."""
        with self._database.read() as connection:
            return wraps_for(connection, case_id, name)

    def next_version(self, case_id: str) -> int:
        """Return the number that the next opinion of a case must have."""
        with self._database.read() as connection:
            return self._next_version(connection, case_id)

    @staticmethod
    def _next_version(connection: Connection, case_id: str) -> int:
        last = select(func.max(answers.c.version)).where(
            answers.c.case_id == case_id, answers.c.kind == "opinion"
        )
        return (connection.execute(last).scalar() or 0) + 1

    def _signed(self, case: SealedCase, words: SealedWords, seq: int, now: int) -> Sealed:
        data = words.ciphertext
        manifest = Manifest(
            id=words.id,
            kind=words.kind,
            case=case.id,
            origin=RELAY,
            seq=seq,
            created=EdgeClock(now, self._boot_id, 0.0),
            priority=URGENT,
            label=read_manifest(case.manifest).label,
            objects=(ObjectEntry(0, 0, len(data), hashlib.sha256(data).digest()),),
            wraps=words.wraps,
        )
        signed = sign_manifest(manifest, self._signer)
        return Sealed(words.id, digest(signed)[:8], signed, (SealedObject(0, 0, data),))

    def _answered(self, connection: Connection, case_id: str, now: int) -> None:
        first = update(cases).where(cases.c.id == case_id, cases.c.answered_ms.is_(None))
        connection.execute(first.values(answered_ms=now))
        status = write(sign_status(case_id, "answered", now, self._signer))
        keep_receipt(connection, case_id, "answered", status, now)

    def _get(self, connection: Connection, case_id: str) -> SealedCase:
        row = connection.execute(self._visible().where(cases.c.id == case_id)).first()
        if row is None:
            raise RefusedError(404, "not_found", "There is no such case: go back to the inbox.")
        return _case(connection, row)

    def _visible(self) -> Select[Any]:
        query = (
            select(cases, bundles.c.manifest, bundles.c.complete_ms, users.c.name.label("claimer"))
            .join(bundles, bundles.c.tid == cases.c.tid)
            .join(objects, (objects.c.tid == cases.c.tid) & (objects.c.oid == 0))
            .outerjoin(users, users.c.id == cases.c.claimed_by)
            .where(objects.c.name.is_not(None), objects.c.kind.is_(None))
            .where(cases.c.id.not_in(select(erasures.c.case_id)))  # hidden, or destroyed already
        )
        return query if self._shows_simulated else query.where(cases.c.simulated.is_(False))


def fits(data: bytes) -> bool:
    """Tell whether `data` can be one sealed object of an answer."""
    last = len(data) % CHUNK or CHUNK
    return TAG < len(data) <= MAX_ANSWER and last >= TAG


def _by_clock(case: SealedCase) -> tuple[bool, int, int]:
    if case.answered_ms is not None:
        return True, 0, -case.answered_ms
    return False, -int(case.urgent), case.received_ms


def _case(connection: Connection, row: Found) -> SealedCase:
    site = find_site(connection, row.site)
    assert site is not None, "a case has a site"
    parts = connection.execute(select(objects).where(objects.c.tid == row.tid).order_by(objects.c.oid))
    return SealedCase(
        id=row.id,
        tid=row.tid,
        site=site,
        manifest=row.manifest,
        urgent=row.urgency != "routine",
        simulated=row.simulated,
        received_ms=row.received_ms,
        complete_ms=row.complete_ms,
        opened_ms=row.opened_ms,
        answered_ms=row.answered_ms,
        claimed_by=(row.claimed_by, row.claimer) if row.claimed_by else None,
        objects=tuple(
            SealedObjectRow(part.oid, part.layer, part.bytes, part.chunks, part.have, part.name is not None)
            for part in parts
        ),
        shared=kids_of(connection, row.id),
    )
