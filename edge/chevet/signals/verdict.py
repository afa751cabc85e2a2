"""What the quality engine says: a score, usable or not, and coded reasons."""

from dataclasses import dataclass

REASONS = (
    "lead_off",
    "flat",
    "saturated",
    "mains_hum",
    "tremor",
    "baseline_wander",
    "motion",
    "lead_swap",
    "too_short",
    "gaps",
    "friction",
    "room_noise",
    "too_faint",
    "clipping",
    "no_heart_sound",
    "low_perfusion",
    "no_pulse",
    "out_of_focus",
    "overexposed",
    "underexposed",
    "glare",
    "fog",
    "no_eardrum_in_view",
    "wax",
)
"""Stable words that screens translate; docs/signals.md explains each. New ones may be added, none renamed."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a recording is less than good: a code of `REASONS`, with a detail such as the lead's name."""

    code: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.code}:{self.detail}" if self.detail else self.code


@dataclass(frozen=True, slots=True)
class Quality:
    """The verdict.

    Attributes:
        score: 0 (nothing to be seen) to 1 (as good as it gets).
        usable: whether a reader can work with it; False suggests a retake.
        reasons: most important first; empty for a good recording.
    """

    score: float
    usable: bool
    reasons: tuple[Reason, ...] = ()


USABLE_FROM = 0.5


def verdict(score: float, faults: list[tuple[float, Reason]]) -> Quality:
    """Return the quality for a score before faults and what was found.

    Args:
        score: 0..1.
        faults: weight and reason; 1 rules the recording out, 0.3 leaves 70 % of the score.
    """
    ordered = sorted(faults, key=lambda fault: -fault[0])
    for weight, _ in ordered:
        score *= 1 - weight
    score = min(max(score, 0.0), 1.0)
    return Quality(round(score, 3), score >= USABLE_FROM, tuple(reason for _, reason in ordered))
