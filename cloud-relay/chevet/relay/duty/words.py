"""What an alert says: how urgent, how long it has waited, where to read it. Never who, where or why.

A mail crosses servers that nobody of the programme runs, so it holds no patient data, no site, no specialty
and no reason; the address it names holds a random id.
"""

import json
from dataclasses import dataclass
from typing import Final

from chevet.relay.duty.ladder import APART

SUBJECTS: Final = {
    "fr": ("Urgence : un cas attend", "Cas urgent en attente", "Un cas attend"),
    "ar": ("حالة طارئة تنتظر", "حالة مستعجلة تنتظر", "حالة تنتظر"),
    "en": ("Emergency: a case waits", "An urgent case waits", "A case waits"),
}
INVITED_SUBJECTS: Final = {
    "fr": "Discussion d'un cas",
    "ar": "مناقشة حالة",
    "en": "Discussion of a case",
}
LINES: Final = {
    "fr": {
        "asked": "On vous demande de répondre à un cas.",
        "invited": "On vous invite à discuter un cas. La date et les questions sont dans votre agenda.",
        "soon": "Une discussion où vous êtes invité commence dans l'heure.",
        "unread": "Personne ne l'a encore ouvert, reçu il y a {minutes} min.",
        "late": "La réponse est en retard ; le cas a été reçu il y a {minutes} min.",
        "where": "À lire ici : {link}",
        "no_link": "À lire sur votre poste Chevet.",
        "end": "Ce message ne contient aucune donnée de patient. N'y répondez pas.",
    },
    "ar": {
        "asked": "يُطلب منكم الرد على حالة.",
        "invited": "أنتم مدعوون إلى مناقشة حالة. الموعد والأسئلة في جدولكم.",
        "soon": "تبدأ خلال ساعة مناقشة دُعيتم إليها.",
        "unread": "لم يفتحها أحد بعد، وصلت منذ {minutes} دقيقة.",
        "late": "تأخر الرد؛ وصلت الحالة منذ {minutes} دقيقة.",
        "where": "للقراءة هنا: {link}",
        "no_link": "للقراءة على مكتب Chevet.",
        "end": "لا تحتوي هذه الرسالة على أي بيانات عن المريض. لا تردوا عليها.",
    },
    "en": {
        "asked": "You are asked to answer a case.",
        "invited": "You are invited to discuss a case. Date and questions are in your agenda.",
        "soon": "A discussion that you are invited to begins within the hour.",
        "unread": "Nobody has opened it yet; it came {minutes} min ago.",
        "late": "The answer is late; the case came {minutes} min ago.",
        "where": "Read it here: {link}",
        "no_link": "Read it at your Chevet desk.",
        "end": "This message holds no patient data. Do not reply to it.",
    },
}
TRIALS: Final = {
    "fr": "Ceci est un essai : les alertes arrivent ici.",
    "ar": "هذه تجربة: التنبيهات تصل إلى هنا.",
    "en": "This is a trial: alerts arrive here.",
}
DEFAULT: Final = "fr"
EVENTS: Final = {
    "asked": "case.asked",
    "late": "case.late",
    "invited": "discussion.invited",
    "soon": "discussion.soon",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What an alert is about."""

    case_id: str
    rung: str
    rank: int
    received_ms: int
    simulated: bool


def mail(told: Told, language: str, desk_url: str, now_ms: int) -> tuple[str, str]:
    """Return subject and text of a mail."""
    spoken = language if language in LINES else DEFAULT
    lines = LINES[spoken]
    where = "talks" if told.rung in APART else f"case/{told.case_id}"
    link = f"{desk_url.rstrip('/')}/#/{where}" if desk_url else ""
    text = [
        lines[_line(told)].format(minutes=(now_ms - told.received_ms) // 60_000),
        lines["where"].format(link=link) if link else lines["no_link"],
        "",
        lines["end"],
    ]
    mark = "[HTEST] " if told.simulated else ""
    return f"{mark}Chevet. {_subject(told, spoken)}", "\n".join(text) + "\n"


def notice(told: Told, language: str, now_ms: int) -> bytes:
    """Return what a browser shows, as JSON: title and text as in a mail, without an address of the case."""
    spoken = language if language in LINES else DEFAULT
    lines = LINES[spoken]
    mark = "[HTEST] " if told.simulated else ""
    said = {
        "title": f"{mark}Chevet. {_subject(told, spoken)}",
        "body": lines[_line(told)].format(minutes=(now_ms - told.received_ms) // 60_000),
        "lang": spoken,
        "dir": _direction(spoken),
        "urgent": told.rank == 0 and told.rung not in APART,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def trial(language: str) -> bytes:
    """Return what a browser shows when its reader tries it out."""
    spoken = language if language in LINES else DEFAULT
    said = {
        "title": "Chevet",
        "body": TRIALS[spoken],
        "lang": spoken,
        "dir": _direction(spoken),
        "urgent": False,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _direction(language: str) -> str:
    return "rtl" if language == "ar" else "ltr"


def _line(told: Told) -> str:
    return told.rung if told.rung in LINES[DEFAULT] else "unread"


def _subject(told: Told, spoken: str) -> str:
    return INVITED_SUBJECTS[spoken] if told.rung in APART else SUBJECTS[spoken][told.rank]


def call(told: Told, users: list[str], desk_url: str, now_ms: int) -> bytes:
    """Return the body of a webhook call: coded words, ids and times."""
    said = {
        "v": 1,
        "event": EVENTS.get(told.rung, "case.unread"),
        "step": told.rung,
        "case": told.case_id,
        "urgency": ("emergency", "urgent", "routine")[told.rank],
        "received_ms": told.received_ms,
        "at_ms": now_ms,
        "users": users,
        "desk": desk_url,
        "simulated": told.simulated,
    }
    return json.dumps(said, separators=(",", ":")).encode()
