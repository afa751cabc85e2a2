"""What the programme asks of who signs in."""

from dataclasses import dataclass

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Rules:
    """How a session begins and ends; times in ms.

    Attributes:
        second_factor: a code from an app besides the password; off for demo and training alone.
        grace_ms: how long after a code was given an opinion is signed without a new one.
        idle_ms: a session that was not used for so long is over.
        longest_ms: so long after its beginning a session is over, used or not.
    """

    second_factor: bool = True
    grace_ms: int = 10 * MINUTE_MS
    idle_ms: int = 60 * MINUTE_MS
    longest_ms: int = 12 * 60 * MINUTE_MS
