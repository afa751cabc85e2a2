"""What earlier visits of the same patient say: trends, symptoms, the programmes they follow.

Only this box's own visits are looked at, and only numbers that were usable; nothing is filled in between.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from chevet.edge.programme_rules import PROGRAMMES, Point, prompts
from chevet.edge.visits import Visit, VisitWords
from chevet.study.study import Vital

KINDS = ("weight", "systolic", "diastolic", "pulse_rate", "heart_rate", "spo2", "glucose", "temperature")
_PROGRAMME, _SYMPTOM = "programme.", "symptom."


def trends_shape(visits: Sequence[Visit]) -> dict[str, Any]:
    """Return Trends of docs/api.md for one patient's visits, oldest first; the last is the one in hand."""
    programmes = programmes_of(visits)
    points = {kind: _points(visits, kind) for kind in KINDS}
    newest = visits[-1].words.history if visits else {}
    there = [key.removeprefix(_SYMPTOM) for key, said in newest.items() if _is(key, _SYMPTOM, said, "yes")]
    series = {kind: [Point(one["at_ms"], one["value"]) for one in rows] for kind, rows in points.items()}
    return {
        "programmes": programmes,
        "visits": len(visits),
        "trends": {kind: rows for kind, rows in points.items() if rows},
        "symptoms": [_symptoms(visit) for visit in visits if _asked(visit.words)],
        "prompts": [asdict(one) for one in prompts(programmes, series, there)],
    }


def programmes_of(visits: Sequence[Visit]) -> list[str]:
    """Return the programmes the patient follows: what the newest visit that speaks of each says."""
    said: dict[str, str] = {}
    for visit in visits:
        said |= {
            key.removeprefix(_PROGRAMME): answer
            for key, answer in visit.words.history.items()
            if key.startswith(_PROGRAMME)
        }
    return [programme for programme in PROGRAMMES if said.get(programme) == "yes"]


def _points(visits: Sequence[Visit], kind: str) -> list[dict[str, Any]]:
    rows = []
    for visit in visits:
        of_kind = [vital for vital in visit.words.vitals if vital.kind == kind and _usable(vital)]
        if of_kind:
            newest = max(of_kind, key=lambda vital: vital.at_ms)
            rows.append(
                {"visit": visit.id, "at_ms": newest.at_ms, "value": newest.value, "unit": newest.unit}
            )
    return sorted(rows, key=lambda row: row["at_ms"])


def _usable(vital: Vital) -> bool:
    return vital.value is not None and vital.quality.usable


def _asked(words: VisitWords) -> bool:
    return any(key.startswith(_SYMPTOM) for key in words.history)


def _symptoms(visit: Visit) -> dict[str, Any]:
    history = visit.words.history.items()
    return {
        "visit": visit.id,
        "at_ms": visit.created_ms,
        "there": [key.removeprefix(_SYMPTOM) for key, said in history if _is(key, _SYMPTOM, said, "yes")],
        "denied": [key.removeprefix(_SYMPTOM) for key, said in history if _is(key, _SYMPTOM, said, "no")],
    }


def _is(key: str, prefix: str, said: str, answer: str) -> bool:
    return key.startswith(prefix) and said == answer
