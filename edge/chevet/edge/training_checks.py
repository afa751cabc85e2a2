"""What the box saw of a lesson, and the score made of it: pure functions, nothing is asked of the worker.

Every check answers how far one step is done, from 0 to 1. A score is the mean of the parts that a lesson has,
weighted; the weights are this project's own choice: a mistaken identity or a missed call harms most, a slow
hand least.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from chevet.edge.training_lessons import ACTION, IDENTITY, ORDER, PARTS, QUALITY, TIME, Lesson, Step
from chevet.edge.visits import ACCEPTED, CLOSED, CaptureRow, Visit

WEIGHTS = {IDENTITY: 30, ACTION: 30, QUALITY: 20, ORDER: 15, TIME: 5}
PASS_AT = 80
"""Points of 100."""
QUESTION_AT_LEAST = 8
"""Characters: shorter is no question."""
NEAR = 0.05
"""A typed number is the one shown, to a digit that nobody reads."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What happened in one lesson.

    Attributes:
        lesson: which.
        started_ms, now_ms: its beginning, and its end or now.
        marks: times (ms) of what was done outside a visit: "signed_in", "called:chest_pain", "answer:call".
        visit: the lesson's visit, the newest if there were several; None before it was opened.
        captures: of that visit, oldest first.
        kept_ms: when each accepted capture began, by its id.
    """

    lesson: Lesson
    started_ms: int
    now_ms: int
    marks: Mapping[str, Sequence[int]]
    visit: Visit | None = None
    captures: Sequence[CaptureRow] = ()
    kept_ms: Mapping[str, int] = field(default_factory=dict[str, int])

    def accepted(self, step: str = "") -> list[CaptureRow]:
        """Return the recordings that were kept, of one examination or of all."""
        return [row for row in self.captures if row.verdict == ACCEPTED and step in {"", row.step}]

    def since(self, mark: str) -> list[int]:
        """Return when a mark was set after the lesson's start."""
        return [at for at in self.marks.get(mark, ()) if at >= self.started_ms]


@dataclass(frozen=True, slots=True)
class Score:
    """What a lesson came to.

    Attributes:
        points: 0 to 100.
        parts: points of each part that the lesson has.
        values: how far each of the lesson's steps is done, 0 to 1, in their order.
        passed: enough points, and every step that must be done is done.
    """

    points: int
    parts: dict[str, int]
    values: tuple[float, ...]
    passed: bool


def score(seen: Seen) -> Score:
    """Return the score of what was seen so far."""
    steps = seen.lesson.all_steps
    values = tuple(CHECKS[step.check](seen, step.arg) for step in steps)
    means: dict[str, float] = {}
    for part in PARTS:
        of_part = [value for step, value in zip(steps, values, strict=True) if step.part == part]
        if of_part:
            means[part] = sum(of_part) / len(of_part)
    weight = sum(WEIGHTS[part] for part in means)
    points = round(100 * sum(WEIGHTS[part] * mean for part, mean in means.items()) / weight)
    done = all(value >= 1.0 for step, value in zip(steps, values, strict=True) if step.must)
    return Score(
        points, {part: round(100 * mean) for part, mean in means.items()}, values, done and points >= PASS_AT
    )


def _signed_in(seen: Seen, _arg: str) -> float:
    return float(bool(seen.since("signed_in")))


def _called(seen: Seen, arg: str) -> float:
    """The call was made for the signs of the case, and for no others."""
    return float(bool(seen.since(f"called:{arg}")))


def _signs_asked(seen: Seen, _arg: str) -> float:
    """Signs of danger were asked, and the visit says that there are none."""
    return float(seen.visit is not None and seen.visit.words.red_flags == ())


def _right_patient(seen: Seen, _arg: str) -> float:
    return float(seen.visit is not None and seen.visit.patient == seen.lesson.patient.id)


def _consent(seen: Seen, arg: str) -> float:
    """Exactly the purposes that the patient agreed to: one too many is as wrong as one too few."""
    given = seen.visit.words.consent if seen.visit else None
    return float(given is not None and set(given.purposes) == set(arg.split(",")))


def _recorded(seen: Seen, arg: str) -> float:
    """Part of the places that have a kept recording."""
    step, places = _places(arg)
    kept = {row.site or row.side for row in seen.accepted(step)}
    if not places:
        return float(bool(seen.accepted(step)))
    return len(kept & set(places)) / len(places)


def _usable(seen: Seen, arg: str) -> float:
    """Part of the kept recordings that are good; none kept is no quality."""
    kept = seen.accepted(arg)
    good = [row for row in kept if not row.poor and row.judged is not None and row.judged.quality.usable]
    return len(good) / len(kept) if kept else 0.0


def _clean(seen: Seen, arg: str) -> float:
    """The recording that counts, the last one kept, is good."""
    kept = seen.accepted(arg)[-1:]
    return float(bool(kept) and not kept[0].poor and _usable(seen, arg) > 0)


def _in_order(seen: Seen, arg: str) -> float:
    """Places were first recorded in the order of the course; for an answer: it was read before recording."""
    if arg == "answer_first":
        read, kept = seen.since("answer_read"), list(seen.kept_ms.values())
        return float(bool(read and kept) and min(read) <= min(kept))
    step, places = _places(arg)
    order = list(dict.fromkeys(row.site or row.side for row in seen.accepted(step)))
    if len(order) < len(places):
        return 0.0
    following = sum(one == other for one, other in zip(order, places, strict=False))
    return following / len(places)


def _typed(seen: Seen, arg: str) -> float:
    kind, _, number = arg.partition("=")
    vitals = seen.visit.words.vitals if seen.visit else ()
    values = [vital.value for vital in vitals if vital.kind == kind and vital.source == "manual"]
    return float(any(value is not None and abs(value - float(number)) <= NEAR for value in values))


def _asked(seen: Seen, _arg: str) -> float:
    return float(seen.visit is not None and len(seen.visit.words.question.strip()) >= QUESTION_AT_LEAST)


def _specialty(seen: Seen, arg: str) -> float:
    return float(seen.visit is not None and seen.visit.words.specialty == arg)


def _urgency(seen: Seen, arg: str) -> float:
    return float(seen.visit is not None and seen.visit.words.urgency == arg)


def _sent(seen: Seen, _arg: str) -> float:
    return float(seen.visit is not None and seen.visit.state == CLOSED)


def _answer_read(seen: Seen, _arg: str) -> float:
    return float(bool(seen.since("answer_read")))


def _resumed(seen: Seen, _arg: str) -> float:
    """Somebody signed in again after the first recording, and that recording is still in the visit."""
    kept = list(seen.kept_ms.values())
    return float(bool(kept) and any(at > min(kept) for at in seen.since("signed_in")))


def _noticed(seen: Seen, arg: str) -> float:
    """The fault was mended, and nothing of this examination was kept that began before."""
    mended = seen.since("mended")
    kept = [seen.kept_ms.get(row.id, 0) for row in seen.accepted(arg)]
    return float(bool(mended) and all(at >= min(mended) for at in kept))


def _mended(seen: Seen, _arg: str) -> float:
    """Whole with the first thing the hands did once the fault was there, half after others."""
    fault, begun = seen.lesson.fault, seen.since("fault")
    if fault is None or not begun or not seen.since("mended"):
        return 0.0
    acts = {name: at for name, at in seen.marks.items() if name.startswith("act:")}
    wrong = [at for name, all_at in acts.items() if name != f"act:{fault.act}" for at in all_at]
    return 0.5 if any(at >= min(begun) for at in wrong) else 1.0


def _answered(seen: Seen, _arg: str) -> float:
    """The first answer counts: a second guess would always be right in the end."""
    question = seen.lesson.question
    if question is None:
        return 0.0
    first = {option: min(seen.since(f"answer:{option}"), default=None) for option in question.options}
    given = {option: at for option, at in first.items() if at is not None}
    return float(bool(given) and min(given, key=lambda option: given[option]) == question.right)


def _in_time(seen: Seen, arg: str) -> float:
    """Full within the time allowed, nothing at twice that time."""
    allowed_ms = float(arg) * 60_000
    over = (seen.now_ms - seen.started_ms) / allowed_ms - 1
    return min(1.0, max(0.0, 1 - over))


def _places(arg: str) -> tuple[str, list[str]]:
    step, _, places = arg.partition(":")
    return step, places.split(",") if places else []


CHECKS: dict[str, Callable[[Seen, str], float]] = {
    "signed_in": _signed_in,
    "called": _called,
    "signs_asked": _signs_asked,
    "right_patient": _right_patient,
    "consent": _consent,
    "recorded": _recorded,
    "usable": _usable,
    "clean": _clean,
    "in_order": _in_order,
    "typed": _typed,
    "asked": _asked,
    "specialty": _specialty,
    "urgency": _urgency,
    "sent": _sent,
    "answer_read": _answer_read,
    "resumed": _resumed,
    "noticed": _noticed,
    "mended": _mended,
    "answered": _answered,
    "in_time": _in_time,
}


def step_shape(step: Step, value: float | None = None) -> dict[str, object]:
    """Return TrainingStep of docs/api.md."""
    shape: dict[str, object] = {"check": step.check, "arg": step.arg, "part": step.part, "must": step.must}
    return shape if value is None else shape | {"value": round(value, 3)}
