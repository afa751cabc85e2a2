"""How a discussion goes on, and who may do what in it. Pure; times are Unix ms.

A discussion is planned until its appointment, runs from then on, and ends when it is closed. One that nobody
closes lapses, so that an invitation never opens a case for ever. Specialists read a discussion as they
read its case; everybody else reads both by invitation, while it is planned or running. Only who was invited
writes.
"""

from dataclasses import dataclass
from typing import Final, Literal

DAY_MS: Final = 24 * 3600 * 1000
LAPSES_AFTER_MS: Final = 14 * DAY_MS
"""From the appointment on: two weeks are enough to close what was discussed, or to plan it anew."""
LATEST_MS: Final = 366 * DAY_MS
"""An appointment further away is a mistake in a date."""
EARLIEST_MS: Final = 3_600_000
"""An appointment may lie this far back: the clock of whoever writes it may be slow."""
MOST_MEMBERS: Final = 20

State = Literal["planned", "running", "lapsed", "closed"]
Act = Literal["read", "write", "lead", "close"]
LIVE: Final = ("planned", "running")
ASKED: Final = ("specialist", "expert")


@dataclass(frozen=True, slots=True)
class Standing:
    """How one person stands to one discussion.

    Attributes:
        role: of the account.
        holds: has claimed the case.
        opened: opened the discussion.
        invited: was invited, or opened it as somebody who reads cases.
        state: of the discussion.
    """

    role: str
    holds: bool
    opened: bool
    invited: bool
    state: State


def state_of(starts_ms: int, until_ms: int, closed_ms: int | None, now_ms: int) -> State:
    """Return how far a discussion has come."""
    if closed_ms is not None:
        return "closed"
    if now_ms >= until_ms:
        return "lapsed"
    return "running" if now_ms >= starts_ms else "planned"


def may(act: Act, who: Standing) -> bool:
    """Say whether somebody may read, write, lead (agenda and invitations) or close a discussion."""
    live = who.state in LIVE
    leads = who.opened or (who.role == "specialist" and who.holds)
    if act == "read":
        return who.role == "specialist" or (who.invited and live)
    if act == "write":
        return who.invited and live
    return leads and (live if act == "lead" else who.state != "closed")


def may_be_invited(by: str, role: str) -> bool:
    """Say whether an account of `role` may be invited by one of role `by`.

    Coordinators see no patients. One who could invite another would open cases past the emergency access
    that is made for that, so only a specialist invites one.
    """
    return role in ASKED or (role == "coordinator" and by == "specialist")


def appointment(starts_ms: int, now_ms: int) -> bool:
    """Say whether a time can be an appointment."""
    return -EARLIEST_MS <= starts_ms - now_ms <= LATEST_MS
