"""The course as the fake box tells it: the lessons of the real one, done as far as a test wants."""

import time
from typing import Any

from chevet.edge.api_training import lesson_shape
from chevet.edge.training_lessons import BY_CODE, LESSONS

POINTS = 92
PARTS = {"identity": 100, "order": 100, "quality": 88, "time": 60, "action": 94}


def course(*, passed: int = 0, open_: str = "", ended: str = "", good: bool = True) -> dict[str, Any]:
    """Return GET /api/training: so many lessons passed, one open, one just ended.

    Args:
        passed: lessons with points, from the first.
        open_, ended: codes of lessons, or "".
        good: whether the ended one was passed.
    """
    lessons = [lesson_shape(lesson, None) for lesson in LESSONS]
    for lesson in lessons[:passed]:
        lesson["best"] = POINTS
    history = [attempt(lesson["code"], "passed") for lesson in lessons[:passed]]
    if ended:
        history.insert(0, attempt(ended, "passed" if good else "failed"))
    whole = passed == len(LESSONS)
    return {
        "lessons": lessons,
        "open": attempt(open_, "open") if open_ else None,
        "history": history,
        "certificate": {"at_ms": now_ms(), "points": POINTS} if whole else None,
        "missing": [],
    }


def attempt(code: str, state: str) -> dict[str, Any]:
    """Return one attempt at a lesson; an open one has done its first step, a failed one all but the last."""
    steps = lesson_shape(BY_CODE[code], None)["steps"]
    done = {"open": 1, "failed": len(steps) - 1}.get(state, len(steps))
    ended = state != "open"
    points = (POINTS if state == "passed" else 64) if ended else None
    return {
        "id": f"attempt-{code}-{state}",
        "lesson": code,
        "state": state,
        "started_ms": now_ms() - 240_000,
        "ended_ms": now_ms() if ended else None,
        "points": points,
        "parts": PARTS if ended else {},
        "steps": [step | {"value": float(n < done)} for n, step in enumerate(steps)],
    }


def now_ms() -> int:
    return round(time.time() * 1000)
