"""The escalation ladder: who is told when, while nobody reads or answers a case. Pure; times are Unix ms.

Step 0 tells whoever was asked to answer, else those on call of the specialty, else all of it. Step 1 tells
all of it and the coordinators. Step 2 tells the coordinators again and the addresses of last resort.
Opening or claiming the case ends these. Once an answer is late, the coordinators are told, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chevet.relay.duty.rules import Person, of_specialty

MINUTE_MS = 60_000
ASKED, LATE = "asked", "late"
INVITED, SOON = "invited", "soon"
"""Steps of a discussion: invited to it, and its appointment comes near."""
APART = (INVITED, SOON)
"""Steps that do not wait for an answer to the case."""
RUNGS = ("0", "1", "2")
PUSH, EMAIL, WEBHOOK = "push", "email", "webhook"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One case without an answer, as the ladder sees it; `seen` once it was opened or claimed."""

    id: str
    rank: int
    specialty: str
    received_ms: int
    due_ms: int
    seen: bool
    allocated_to: str
    allocated_ms: int


@dataclass(frozen=True, slots=True)
class Reach:
    """Who there is to tell: specialists, ids of coordinators, addresses of last resort."""

    people: Sequence[Person]
    coordinators: Sequence[str]
    last_resort: Sequence[str]


@dataclass(frozen=True, slots=True)
class Step:
    """One step that is due for a case: users by id and addresses. `round` tells allocations apart."""

    case_id: str
    rung: str
    round: int
    users: tuple[str, ...]
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Means:
    """How people can be reached: users with a browser that takes alerts, users with an address, and so on.

    `lead_ms` is how long a push is left to do its work before the same person gets a mail.
    """

    browsers: frozenset[str] = frozenset()
    addressed: frozenset[str] = frozenset()
    mail: bool = False
    webhook: bool = False
    lead_ms: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """One alert to write down: by which channel, to whom, and how long after the step is due."""

    channel: str
    to: str
    after_ms: int = 0


def ways_to(step: Step, means: Means) -> list[Way]:
    """Return every way to those whom a step names.

    First a push to whoever has a browser that takes one. A mail follows after the lead, which is needless by
    then where the case was opened; whoever has no browser gets it at once. The webhook is told of everything.
    """
    found = [Way(PUSH, user) for user in step.users if user in means.browsers]
    if means.mail:
        known = [user for user in step.users if user in means.addressed]
        found += [Way(EMAIL, user, means.lead_ms if user in means.browsers else 0) for user in known]
        found += [Way(EMAIL, one) for one in step.addresses]
    if means.webhook:
        found.append(Way(WEBHOOK, " ".join(dict.fromkeys(step.users))))
    return found


def due_steps(case: Waiting, minutes: Sequence[int], reach: Reach, now_ms: int) -> list[Step]:
    """Return every step whose time has come, told before or not: who keeps them takes each once."""
    steps = []
    if case.allocated_to:
        steps.append(Step(case.id, ASKED, case.allocated_ms, (case.allocated_to,)))
    if not case.seen:
        steps += [
            _step(case, rung, reach)
            for rung, after in zip(RUNGS, minutes, strict=True)
            if now_ms >= case.received_ms + after * MINUTE_MS
        ]
    if now_ms >= case.due_ms:
        steps.append(Step(case.id, LATE, 0, tuple(reach.coordinators)))
    return steps


def _step(case: Waiting, rung: str, reach: Reach) -> Step:
    able = of_specialty(case.specialty, reach.people) or list(reach.people)
    everybody = tuple(one.id for one in able)
    if rung == RUNGS[0]:
        ready = tuple(one.id for one in able if one.on_call)
        # whoever was asked hears of it by the step "asked"
        return Step(case.id, rung, 0, () if case.allocated_to else ready or everybody)
    if rung == RUNGS[1]:
        return Step(case.id, rung, 0, (*everybody, *reach.coordinators))
    return Step(case.id, rung, 0, tuple(reach.coordinators), tuple(reach.last_resort))
