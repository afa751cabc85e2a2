"""The round that a running relay makes: allocate by rules, see which steps are due, send what waits."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from chevet.relay.archive import alerts
from chevet.relay.archive.discussion_alerts import to_tell
from chevet.relay.archive.duty import addresses, coordinators, people
from chevet.relay.archive.schema import cases, erasures, users
from chevet.relay.duty.ladder import Reach, Step, Waiting, due_steps
from chevet.relay.duty.post import Channel, NotSent, Webhook, mail_of, webhook_of
from chevet.relay.duty.rules import Need
from chevet.relay.duty.words import DEFAULT, Told, call, mail
from chevet.relay.relay import Relay
from chevet.relay.settings import Settings
from chevet.study.study import HTEST

log = logging.getLogger(__name__)
ALLOCATED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Ways:
    """How people are reached; None where that way is not set up."""

    mail: Channel | None
    webhook: Webhook | None


def ways_of(settings: Settings) -> Ways:
    """Return the ways that the settings name.

    Raises:
        SettingsError: one of them cannot be used.
    """
    return Ways(mail_of(settings), webhook_of(settings))


def make_round(relay: Relay, ways: Ways) -> int:
    """Do all that is due now; return how many alerts left.

    Raises:
        ArchiveError: the archive cannot be used.
    """
    if relay.settings.allocation == "automatic":
        allocate_new(relay)
    if ways.mail is None and ways.webhook is None:
        return 0
    plan(relay, ways)
    return send(relay, ways)


def allocate_new(relay: Relay) -> int:
    """Let the rules ask somebody for every case that nobody was asked for; return for how many."""
    query = (
        select(cases.c.id, cases.c.specialty, cases.c.language)
        .where(cases.c.answered_ms.is_(None), cases.c.first_taken_ms.is_(None))
        .where(cases.c.id.not_in(select(erasures.c.case_id)))
        .order_by(cases.c.rank, cases.c.received_ms)
        .limit(ALLOCATED_AT_ONCE)
    )
    query = query if relay.settings.label == HTEST else query.where(cases.c.simulated.is_(False))
    with relay.database.read() as view:
        found = view.execute(query).all()
    done = 0
    for row in found:
        with relay.database.write() as connection:
            still = select(cases.c.id).where(cases.c.id == row.id, cases.c.first_taken_ms.is_(None))
            if connection.execute(still).first():
                asked = relay.allocation.by_rules(connection, row.id, Need(row.specialty, row.language))
                done += asked is not None
    return done


def plan(relay: Relay, ways: Ways) -> None:
    """Write down the steps that are due and were not yet."""
    now = relay.now_ms()
    with relay.database.read() as view:
        found = alerts.unanswered(view, simulated=relay.settings.label == HTEST)
        told = alerts.told_steps(view, [one.id for one in found])
        reach = Reach(people(view, now), coordinators(view), relay.settings.last_resort)
        invited = to_tell(view, now, simulated=relay.settings.label == HTEST)
    new = [
        step for one in found for step in _steps(relay.settings, one, reach, now) if _key(step) not in told
    ]
    if not new and not invited:
        return
    with relay.database.write() as connection:
        for step in new + invited:
            alerts.write_down(connection, step, _ways(connection, step, ways), now)


def _steps(settings: Settings, one: Waiting, reach: Reach, now: int) -> list[Step]:
    ladders = (settings.escalation_emergency, settings.escalation_urgent, settings.escalation_routine)
    return due_steps(one, ladders[one.rank], reach, now)


def _key(step: Step) -> tuple[str, str, int]:
    return step.case_id, step.rung, step.round


def _ways(connection: Connection, step: Step, ways: Ways) -> Sequence[tuple[str, str]]:
    """Return (channel, to) for everybody whom a step names and who can be reached."""
    found: list[tuple[str, str]] = []
    if ways.mail is not None:
        known = addresses(connection, step.users)
        found += [(alerts.EMAIL, user) for user in step.users if user in known]
        found += [(alerts.EMAIL, one) for one in step.addresses]
    if ways.webhook is not None:
        found.append((alerts.WEBHOOK, " ".join(dict.fromkeys(step.users))))
    return found


def send(relay: Relay, ways: Ways) -> int:
    """Send what waits; return how many left. What does not leave is tried again later."""
    now = relay.now_ms()
    with relay.database.read() as view:
        if not alerts.due(view, now):
            return 0
    with relay.database.write() as connection:
        taken = alerts.take(connection, now)
    return sum(_sent(relay, ways, one) for one in taken)


def _sent(relay: Relay, ways: Ways, one: alerts.Alert) -> bool:
    state = alerts.NEEDLESS
    try:
        if not one.needless:
            _go(relay, ways, one)
            state = alerts.SENT
    except NotSent as problem:
        log.warning("an alert of step %s did not leave by %s: %s", one.rung, one.channel, problem)
        with relay.database.write() as connection:
            alerts.not_sent(connection, one, str(problem), relay.now_ms())
        return False
    with relay.database.write() as connection:
        alerts.settle(connection, one.number, state, relay.now_ms())
    return state == alerts.SENT


def _go(relay: Relay, ways: Ways, one: alerts.Alert) -> None:
    """Send one alert by its way.

    Raises:
        NotSent: it did not leave.
    """
    told = Told(one.case_id, one.rung, one.rank, one.received_ms, one.simulated)
    desk, now = relay.settings.desk_url, relay.now_ms()
    if one.channel == alerts.WEBHOOK:
        if ways.webhook is None:
            raise NotSent("not_set_up")
        ways.webhook.call(call(told, one.to.split(), desk, now), now)
        return
    if ways.mail is None:
        raise NotSent("not_set_up")
    address, language = _reader(relay, one.to)
    ways.mail.send(address, *mail(told, language, desk, now))


def _reader(relay: Relay, to: str) -> tuple[str, str]:
    """Return the address and language of whom an alert goes to.

    Raises:
        NotSent: they have no address any more.
    """
    if "@" in to:
        return to, DEFAULT
    with relay.database.read() as view:
        address = addresses(view, [to]).get(to)
        spoken = view.execute(select(users.c.languages).where(users.c.id == to)).scalar() or DEFAULT
    if address is None:
        raise NotSent("no_address")
    return address, spoken.split(",")[0]
