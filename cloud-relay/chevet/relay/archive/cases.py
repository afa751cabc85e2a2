"""Cases as people meet them: the inbox, one case opened, claimed, released."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, ScalarSelect, Select, func, select, update

from chevet.exchange.messages import WANTED, sign_status, write
from chevet.relay.accounts.users import User
from chevet.relay.archive.audit import Audit
from chevet.relay.archive.changes import tell
from chevet.relay.archive.database import Database
from chevet.relay.archive.outbox import keep_receipt
from chevet.relay.archive.schema import (
    Found,
    bundles,
    cases,
    erasures,
    objects,
    sites,
    users,
    withdrawals,
)
from chevet.relay.archive.vault import Vault
from chevet.relay.errors import RefusedError
from chevet.study.shape import Shape
from chevet.study.study import Study

LAYERS = (0, 1, 2, 3)
asked = users.alias("asked")
WAITING_SHOWN = 200
"""Waiting cases the inbox lists at most, the most urgent, then the oldest; more as these are answered."""
ANSWERED_SHOWN = 100
"""Answered cases the inbox still lists, the newest."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Chunks of one layer: how many are here of how many, and their bytes in all."""

    have: int
    total: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Case:
    """One case with what is readable of it.

    Attributes:
        id: the study's id.
        tid: the study's transfer.
        manifest: of the study.
        study: its summary: recordings without samples.
        shapes: by recording id, how much its lossless layer holds.
        layers: what is here, by layer.
        complete_ms: when everything was stored, or None.
        claimed_by: (id, name) or None.
        rank: 0 emergency, 1 urgent, 2 routine.
        due_ms: when an answer should be there.
        allocated_to: who was asked to answer, (id, name) or None.
        snoozed: until when it is put off, Unix ms, and why (coded), or None.
    """

    id: str
    tid: str
    site: str
    site_name: str
    study: Study
    shapes: dict[str, Shape]
    manifest: bytes
    simulated: bool
    received_ms: int
    complete_ms: int | None
    refused: str
    claimed_by: tuple[str, str] | None
    answered_ms: int | None
    layers: dict[int, Arrival]
    rank: int
    due_ms: int
    allocated_to: tuple[str, str] | None
    snoozed: tuple[int, str] | None

    @property
    def state(self) -> str:
        """Return "answered", "claimed", "waiting", or "arriving" while something is missing."""
        if self.answered_ms is not None:
            return "answered"
        if self.claimed_by is not None:
            return "claimed"
        return "arriving" if self.complete_ms is None else "waiting"


class Cases:
    """Reads and claims cases; every look is in the audit."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        vault: Vault,
        signer: Ed25519PrivateKey,
        now_ms: Callable[[], int],
        *,
        shows_simulated: bool,
    ) -> None:
        self._database = database
        self._audit = audit
        self._vault = vault
        self._signer = signer
        self._now_ms = now_ms
        self._shows_simulated = shows_simulated

    def inbox(self, user: User) -> list[Case]:
        """Return the cases: urgent first, then the oldest; then those put off, then answered ones."""
        now = self._now_ms()
        with self._database.write() as connection:
            self._audit.add(connection, now, user.id, "inbox.read")
        with self._database.read() as connection:
            rows = self._listed(connection, now)
            layers = _layers(connection, [row.tid for row in rows])
        return sorted((self._case(row, layers[row.tid]) for row in rows), key=_by_clock(now))

    def waiting(self) -> int:
        """Return how many cases wait for an answer, listed or not."""
        query = select(func.count()).select_from(cases).where(cases.c.answered_ms.is_(None))
        query = query.where(cases.c.id.not_in(select(erasures.c.case_id)))
        if not self._shows_simulated:
            query = query.where(cases.c.simulated.is_(False))
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()

    def _listed(self, connection: Connection, now: int) -> list[Found]:
        until = cases.c.snoozed_until_ms
        to_answer = self._visible().where(cases.c.answered_ms.is_(None))
        awake = to_answer.where(until.is_(None) | (until <= now)).order_by(cases.c.rank, cases.c.received_ms)
        put_off = to_answer.where(until > now).order_by(until)
        answered = self._visible().where(cases.c.answered_ms.is_not(None))
        newest = answered.order_by(cases.c.answered_ms.desc())
        return [
            *connection.execute(awake.limit(WAITING_SHOWN)),
            *connection.execute(put_off.limit(WAITING_SHOWN)),
            *connection.execute(newest.limit(ANSWERED_SHOWN)),
        ]

    def open(self, case_id: str, user: User) -> Case:
        """Return one case to read; a specialist's first look tells the site "opened".

        Raises:
            RefusedError: 404 `not_found`.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            case = self.get(connection, case_id)
            self._audit.add(connection, now, user.id, "case.read", case_id)
            if user.role == "specialist":
                self._tell_opened(connection, case_id, now)
        return case

    def claim(self, case_id: str, user: User) -> Case:
        """Take a case to answer.

        Raises:
            RefusedError: 404 `not_found`, 409 `claimed` by another.
        """
        with self._database.write() as connection:
            case = self.get(connection, case_id)
            if case.claimed_by is not None and case.claimed_by[0] != user.id:
                raise RefusedError(409, "claimed", "Somebody else has claimed this case: choose another one.")
            self._set_claim(connection, case_id, user, "case.claim", user.id)
            return self.get(connection, case_id)

    def release(self, case_id: str, user: User) -> Case:
        """Give a claimed case back.

        Raises:
            RefusedError: 404 `not_found`, 409 `not_claimed` by this user.
        """
        with self._database.write() as connection:
            require_claim(self.get(connection, case_id), user)
            self._set_claim(connection, case_id, user, "case.release", None)
            return self.get(connection, case_id)

    def want(self, case_id: str, user: User) -> None:
        """Ask the site to send what is missing of a case before the bulk of all others.

        Raises:
            RefusedError: 404 `not_found`, 409 `complete` where nothing is missing.
        """
        now = self._now_ms()
        with self._database.write() as connection:
            if self.get(connection, case_id).complete_ms is not None:
                raise RefusedError(409, "complete", "Everything of this case is here already.")
            keep_receipt(
                connection, case_id, WANTED, write(sign_status(case_id, WANTED, now, self._signer)), now
            )
            self._audit.add(connection, now, user.id, "case.want", case_id)
            tell(connection, case_id, now)

    def get(self, connection: Connection, case_id: str) -> Case:
        """Return one case, without an audit record of its own.

        Raises:
            RefusedError: 404 `not_found`; also for a simulated case in a clinical relay.
        """
        row = connection.execute(self._visible().where(cases.c.id == case_id)).first()
        if row is None:
            raise RefusedError(404, "not_found", "There is no such case: go back to the inbox.")
        return self._case(row, _layers(connection, [row.tid])[row.tid])

    def of_site(self, connection: Connection, site: str, before_ms: int, most: int) -> list[Case]:
        """Return cases of one site whose visit closed before `before_ms`, the last received first."""
        query = self._visible().where(cases.c.site == site).order_by(cases.c.received_ms.desc()).limit(most)
        rows = connection.execute(query).all()
        layers = _layers(connection, [row.tid for row in rows])
        found = (self._case(row, layers[row.tid]) for row in rows)
        return [one for one in found if one.study.closed.wall_ms < before_ms]

    def note(self, user: User, what: str, case_id: str, detail: str = "") -> None:
        """Add one record of reading to the audit."""
        with self._database.write() as connection:
            self._audit.add(connection, self._now_ms(), user.id, what, case_id, detail)

    def _visible(self) -> Select[Any]:
        query = (
            select(
                cases,
                bundles.c.manifest,
                bundles.c.complete_ms,
                bundles.c.refused,
                sites.c.name.label("site_name"),
                users.c.name.label("claimer"),
                asked.c.name.label("asked"),
                objects.c.name.label("summary"),
                _withdrawn().label("withdrawn"),
            )
            .join(bundles, bundles.c.tid == cases.c.tid)
            .join(sites, sites.c.code == cases.c.site)
            .join(objects, (objects.c.tid == cases.c.tid) & (objects.c.oid == 0))
            .outerjoin(users, users.c.id == cases.c.claimed_by)
            .outerjoin(asked, asked.c.id == cases.c.allocated_to)
            # a summary that nobody here could open is of a sealed case: see `sealed.py`
            .where(objects.c.name.is_not(None), objects.c.kind.is_not(None))
        )
        query = query.where(cases.c.id.not_in(select(erasures.c.case_id)))  # hidden, or destroyed already
        return query if self._shows_simulated else query.where(cases.c.simulated.is_(False))

    def _case(self, row: Found, layers: dict[int, Arrival]) -> Case:
        study, shapes = self._vault.summary(row.manifest, row.summary)
        study = _consented(study, row.withdrawn)
        return Case(
            id=row.id,
            tid=row.tid,
            site=row.site,
            site_name=row.site_name,
            study=study,
            shapes=shapes,
            manifest=row.manifest,
            simulated=row.simulated,
            received_ms=row.received_ms,
            complete_ms=row.complete_ms,
            refused=row.refused,
            claimed_by=(row.claimed_by, row.claimer) if row.claimed_by else None,
            answered_ms=row.answered_ms,
            layers=layers,
            rank=row.rank,
            due_ms=row.due_ms,
            allocated_to=(row.allocated_to, row.asked) if row.asked else None,
            snoozed=(row.snoozed_until_ms, row.snoozed_why) if row.snoozed_until_ms else None,
        )

    def _set_claim(
        self, connection: Connection, case_id: str, user: User, what: str, holder: str | None
    ) -> None:
        now = self._now_ms()
        connection.execute(
            update(cases)
            .where(cases.c.id == case_id)
            .values(
                claimed_by=holder,
                claimed_ms=now if holder else None,
                first_taken_ms=func.coalesce(cases.c.first_taken_ms, now),
            )
        )
        self._audit.add(connection, now, user.id, what, case_id)
        tell(connection, case_id, now)

    def _tell_opened(self, connection: Connection, case_id: str, now: int) -> None:
        first = update(cases).where(cases.c.id == case_id, cases.c.opened_ms.is_(None)).values(opened_ms=now)
        if connection.execute(first).rowcount:
            status = write(sign_status(case_id, "opened", now, self._signer))
            keep_receipt(connection, case_id, "opened", status, now)


def require_claim(case: Case, user: User) -> None:
    """Let only the specialist who claimed a case go on.

    Raises:
        RefusedError: 409 `not_claimed`.
    """
    if case.claimed_by is None or case.claimed_by[0] != user.id:
        raise RefusedError(409, "not_claimed", "Claim the case first: only who claimed it may do this.")


def _withdrawn() -> ScalarSelect[Any]:
    """Return the purposes a patient no longer consents to, with commas between them."""
    purposes = func.aggregate_strings(withdrawals.c.purpose, ",")
    return select(purposes).where(withdrawals.c.case_id == cases.c.id).correlate(cases).scalar_subquery()


def _consented(study: Study, withdrawn: str | None) -> Study:
    """Return the study with the consent that still holds."""
    if not withdrawn:
        return study
    left = tuple(one for one in study.consent.purposes if one not in withdrawn.split(","))
    return replace(study, consent=replace(study.consent, purposes=left))


def _by_clock(now: int) -> Callable[[Case], tuple[int, int, int]]:
    def place(case: Case) -> tuple[int, int, int]:
        if case.answered_ms is not None:
            return 2, 0, -case.answered_ms
        if case.snoozed is not None and case.snoozed[0] > now:
            return 1, 0, case.snoozed[0]
        return 0, case.rank, case.received_ms

    return place


def _layers(connection: Connection, tids: Iterable[str]) -> dict[str, dict[int, Arrival]]:
    found: dict[str, dict[int, Arrival]] = {tid: dict.fromkeys(LAYERS, Arrival(0, 0, 0)) for tid in tids}
    query = (
        select(
            objects.c.tid,
            objects.c.layer,
            func.sum(objects.c.have).label("have"),
            func.sum(objects.c.chunks).label("total"),
            func.sum(objects.c.bytes).label("size"),
        )
        .where(objects.c.tid.in_(list(found)))
        .group_by(objects.c.tid, objects.c.layer)
    )
    for row in connection.execute(query):
        found[row.tid][row.layer] = Arrival(int(row.have), int(row.total), int(row.size))
    return found
