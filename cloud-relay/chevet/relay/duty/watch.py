"""The round that a running relay makes: allocate by rules, see which steps are due, send what waits."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import Connection, select

from chevet.relay.archive import alerts, browsers
from chevet.relay.archive.discussion_alerts import to_tell
from chevet.relay.archive.duty import addresses, coordinators, people
from chevet.relay.archive.schema import cases, erasures, users
from chevet.relay.duty.ladder import (
    EMAIL,
    MINUTE_MS,
    PUSH,
    WEBHOOK,
    Means,
    Reach,
    Step,
    Waiting,
    Way,
    due_steps,
    ways_to,
)
from chevet.relay.duty.post import Channel, NotSent, Webhook, mail_of, webhook_of
from chevet.relay.duty.rules import Need
from chevet.relay.duty.web_push import Gone, Push, push_of
from chevet.relay.duty.words import DEFAULT, Told, call, mail, notice
from chevet.relay.relay import Relay
from chevet.relay.settings import Settings
from chevet.study.study import HTEST

log = logging.getLogger(__name__)
ALLOCATED_AT_ONCE = 100
LANES = 8
"""Alerts that are on their way to browsers at once."""


class _NoBrowserError(Exception):
    """A person has no browser any more that takes alerts."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How people are reached; None where that way is not set up."""

    mail: Channel | None
    webhook: Webhook | None
    push: Push | None = None


def ways_of(settings: Settings) -> Ways:
    """Return the ways that the settings name.

    Raises:
        SettingsError: one of them cannot be used.
    """
    return Ways(mail_of(settings), webhook_of(settings), push_of(settings))


def make_round(relay: Relay, ways: Ways) -> int:
    """Do all that is due now; return how many alerts left.

    Raises:
        ArchiveError: the archive cannot be used.
    """
    if relay.settings.allocation == "automatic":
        allocate_new(relay)
    if (ways.mail, ways.webhook, ways.push) == (None, None, None):
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
            alerts.write_down(connection, step, _ways(relay, connection, step, ways), now)


def _steps(settings: Settings, one: Waiting, reach: Reach, now: int) -> list[Step]:
    ladders = (settings.escalation_emergency, settings.escalation_urgent, settings.escalation_routine)
    return due_steps(one, ladders[one.rank], reach, now)


def _key(step: Step) -> tuple[str, str, int]:
    return step.case_id, step.rung, step.round


def _ways(relay: Relay, connection: Connection, step: Step, ways: Ways) -> list[Way]:
    """Return every way to those whom a step names, as they can be reached now."""
    means = Means(
        browsers=browsers.subscribed(connection, step.users) if ways.push else frozenset(),
        addressed=frozenset(addresses(connection, step.users)),
        mail=ways.mail is not None,
        webhook=ways.webhook is not None,
        lead_ms=relay.settings.push_lead_minutes * MINUTE_MS,
    )
    return ways_to(step, means)


def send(relay: Relay, ways: Ways) -> int:
    """Send what waits; return how many left. What does not leave is tried again later."""
    now = relay.now_ms()
    with relay.database.read() as view:
        if not alerts.due(view, now):
            return 0
    with relay.database.write() as connection:
        taken = alerts.take(connection, now)
    pushes = [one for one in taken if one.channel == PUSH]
    others = [one for one in taken if one.channel != PUSH]
    # services of browsers' makers that do not answer hold up neither each other nor a mail
    with ThreadPoolExecutor(LANES, "push") as pool:
        under_way = [pool.submit(_sent, relay, ways, one) for one in pushes]
        left = sum(_sent(relay, ways, one) for one in others)
        return left + sum(one.result() for one in under_way)


def _sent(relay: Relay, ways: Ways, one: alerts.Alert) -> bool:
    state = alerts.NEEDLESS
    try:
        if not one.needless:
            _go(relay, ways, one)
            state = alerts.SENT
    except _NoBrowserError:
        with relay.database.write() as connection:
            alerts.no_browser(connection, one, relay.now_ms())
        return False
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
    if one.channel == WEBHOOK and ways.webhook is not None:
        ways.webhook.call(call(told, one.to.split(), desk, now), now)
    elif one.channel == PUSH and ways.push is not None:
        _push(relay, ways.push, one.to, told)
    elif one.channel == EMAIL and ways.mail is not None:
        address, language = _reader(relay, one.to)
        ways.mail.send(address, *mail(told, language, desk, now))
    else:
        raise NotSent("not_set_up")


def _push(relay: Relay, push: Push, user: str, told: Told) -> None:
    """Send one alert to every browser of a person; one that takes it is enough.

    Raises:
        _NoBrowserError: none is left.
        NotSent: none took it now.
    """
    now = relay.now_ms()
    with relay.database.read() as view:
        found, language = browsers.listeners(view, user), _spoken(view, user)
    words, problems = notice(told, language, now), list[NotSent | None]()
    for one in found:
        try:
            push.send(one.to, words, told.rank, now // 1000)
        except Gone:
            with relay.database.write() as connection:
                browsers.forget_listener(connection, one.number, user)
        except NotSent as problem:
            problems.append(problem)
        else:
            with relay.database.write() as connection:
                browsers.taken(connection, one.number, now)
            problems.append(None)
    if not problems:
        raise _NoBrowserError
    if problems[0] is not None and None not in problems:
        raise problems[0]


def _reader(relay: Relay, to: str) -> tuple[str, str]:
    """Return the address and language of whom an alert goes to.

    Raises:
        NotSent: they have no address any more.
    """
    if "@" in to:
        return to, DEFAULT
    with relay.database.read() as view:
        address = addresses(view, [to]).get(to)
        spoken = _spoken(view, to)
    if address is None:
        raise NotSent("no_address")
    return address, spoken


def _spoken(view: Connection, user: str) -> str:
    found: str = view.execute(select(users.c.languages).where(users.c.id == user)).scalar() or DEFAULT
    return found.split(",")[0]
