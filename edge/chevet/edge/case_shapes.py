"""The JSON shapes of cases, opinions, messages and voice notes (docs/api.md)."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chevet.edge.cases import ALTERED, ON_BOX, TRAVELLING, Case, Progress
from chevet.study.case import Message, Opinion
from chevet.study.spoken import VoiceNote


def case_shape(case: Case, progress: Progress | None, now_ms: int) -> dict[str, Any]:
    """Return Case of docs/api.md."""
    state, travelled = case.state, progress or Progress()
    if state == ON_BOX and travelled.sent:
        state = TRAVELLING
    # A doctor may open a case while its bulk still travels: only the receipt says that all of it arrived.
    done = case.words.complete_ms is not None
    return {
        "id": case.id,
        "patient_name": case.words.patient_name,
        "initials": initials(case.words.patient_name),
        "created_ms": case.created_ms,
        "age_s": max(0, (now_ms - case.created_ms) // 1000),
        "state": state,
        "percent": 100 if done else travelled.percent,
        "urgency": case.words.urgency,
        "specialty": case.words.specialty,
        "reason": case.words.reason,
        "simulated": case.words.simulated,
        "unread": case.unread,
        "refused": case.refused,
        "opinion_ms": case.words.opinion_ms,
        "continues": case.words.continues,
        "retakes": list(case.words.retakes),
        "feedback": case.words.feedback,
        "said": case.words.said,
        "pieces_sent": travelled.sent,
        "pieces_total": travelled.total,
    }


def delivery_shape(case: Case) -> dict[str, Any]:
    """Return the delivery report of docs/api.md."""
    words = asdict(case.words)
    told_elsewhere = (
        "patient_name",
        "urgency",
        "specialty",
        "reason",
        "simulated",
        "continues",
        "retakes",
        "feedback",
        "said",
    )
    return {key: value for key, value in words.items() if key not in told_elsewhere}


def opinion_shape(opinion: Opinion, verified: bool, voices: Mapping[str, str]) -> dict[str, Any]:
    """Return Opinion of docs/api.md; `voices` are the states of voice notes by id."""
    shape = asdict(opinion)
    del shape["signature"], shape["label"]
    return shape | {"verified": verified, "voice": voice_shape(opinion.voice, voices)}


def message_shape(message: Message, verified: bool, voices: Mapping[str, str]) -> dict[str, Any]:
    """Return Message of docs/api.md; `voices` are the states of voice notes by id."""
    shape = asdict(message)
    del shape["signature"], shape["label"]
    return shape | {"verified": verified, "voice": voice_shape(message.voice, voices)}


def voice_shape(note: VoiceNote | None, voices: Mapping[str, str]) -> dict[str, Any] | None:
    """Return Voice of docs/api.md; one that no verified words name is never played."""
    if note is None:
        return None
    state = voices.get(note.id, ALTERED)
    return {"id": note.id, "length_ms": note.length_ms, "bytes": note.size, "state": state}


def initials(name: str) -> str:
    """Return the first letter of the first and the last word, for lists that others can see."""
    words = name.split()
    return "".join(word[0].upper() for word in (words[:1] + words[1:][-1:]))
