"""What the programme's report counts, read from the archive: no case is opened for it."""

from sqlalchemy import Connection, func, select

from chevet.relay.archive.schema import answers, bundles, cases
from chevet.relay.archive.schema_discussions import discussions, members
from chevet.relay.archive.schema_duty import recording_facts
from chevet.relay.archive.terms import count, uncounted
from chevet.relay.errors import RelayError
from chevet.relay.impact.figures import Happened, Held, Recorded
from chevet.relay.relay import Relay

AT_ONCE = 200
TALKING = 2
"""People who make a discussion: one who wrote alone discussed with nobody."""


def happened(connection: Connection, from_ms: int, until_ms: int, *, simulated: bool) -> list[Happened]:
    """Return the cases that came in between, erased ones too: what was done stays done."""
    authors = _authors(connection, from_ms, until_ms)
    reached = _reached(connection, from_ms, until_ms)
    query = select(cases).where(cases.c.received_ms >= from_ms, cases.c.received_ms < until_ms)
    query = query if simulated else query.where(cases.c.simulated.is_(False))
    return [
        Happened(
            site=row.site,
            worker=row.worker,
            received_ms=row.received_ms,
            due_ms=row.due_ms,
            taken_ms=_first(row.first_taken_ms, row.claimed_ms, row.answered_ms),
            answered_ms=row.answered_ms,
            at_site_ms=reached.get(row.id),
            authors=authors.get(row.id, frozenset()),
            feedback=row.feedback,
        )
        for row in connection.execute(query)
    ]


def recorded(connection: Connection, from_ms: int, until_ms: int, *, simulated: bool) -> list[Recorded]:
    """Return the recordings of these cases."""
    query = (
        select(recording_facts, cases.c.received_ms, cases.c.site, cases.c.worker)
        .join(cases, cases.c.id == recording_facts.c.case_id)
        .where(cases.c.received_ms >= from_ms, cases.c.received_ms < until_ms)
    )
    query = query if simulated else query.where(cases.c.simulated.is_(False))
    return [
        Recorded(row.received_ms, row.site, row.worker, row.driver, row.usable)
        for row in connection.execute(query)
    ]


def held(connection: Connection, from_ms: int, until_ms: int, *, simulated: bool) -> list[Held]:
    """Return the discussions that closed in between with two people or more, erased cases' too."""
    there = (
        select(members.c.discussion)
        .where(members.c.part_ms.is_not(None))
        .group_by(members.c.discussion)
        .having(func.count() >= TALKING)
    )
    query = (
        select(cases.c.site, discussions.c.closed_ms)
        .join(cases, cases.c.id == discussions.c.case_id)
        .where(discussions.c.closed_ms >= from_ms, discussions.c.closed_ms < until_ms)
        .where(discussions.c.id.in_(there))
    )
    query = query if simulated else query.where(cases.c.simulated.is_(False))
    return [Held(row.site, row.closed_ms) for row in connection.execute(query)]


def _authors(connection: Connection, from_ms: int, until_ms: int) -> dict[str, frozenset[str]]:
    query = (
        select(answers.c.case_id, answers.c.author)
        .join(cases, cases.c.id == answers.c.case_id)
        .where(answers.c.kind == "opinion", cases.c.received_ms >= from_ms, cases.c.received_ms < until_ms)
    )
    found: dict[str, frozenset[str]] = {}
    for row in connection.execute(query):
        found[row.case_id] = found.get(row.case_id, frozenset()) | {row.author}
    return found


def _reached(connection: Connection, from_ms: int, until_ms: int) -> dict[str, int]:
    """Return, by case, when the first opinion was at the site: its verified receipt."""
    query = (
        select(answers.c.case_id, func.min(bundles.c.complete_ms).label("at_ms"))
        .join(bundles, bundles.c.tid == answers.c.tid)
        .join(cases, cases.c.id == answers.c.case_id)
        .where(answers.c.kind == "opinion", bundles.c.complete_ms.is_not(None))
        .where(cases.c.received_ms >= from_ms, cases.c.received_ms < until_ms)
        .group_by(answers.c.case_id)
    )
    return {row.case_id: row.at_ms for row in connection.execute(query)}


def _first(*times: int | None) -> int | None:
    return next((one for one in times if one is not None), None)


def count_older(relay: Relay) -> int:
    """Count cases of before there was a report, as many as can be opened; return how many."""
    with relay.database.read() as view:
        older = uncounted(view, AT_ONCE)
    done = 0
    for case_id in older:
        try:
            with relay.database.write() as connection:
                count(connection, relay.cases.get(connection, case_id).study)
        except RelayError:
            continue  # sealed, simulated or erased: nothing of it is counted
        done += 1
    return done
