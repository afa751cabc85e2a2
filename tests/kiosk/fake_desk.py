"""The far end as the fake box sees it: cases on their way, and a specialist who answers."""

import time
from typing import Any

WEEK_S = 7 * 86_400


class Far:
    """Cases by id, and their answers."""

    def __init__(self) -> None:
        self.cases: dict[str, dict[str, Any]] = {}
        self.full: dict[str, dict[str, Any]] = {}

    def add(self, case_id: str, visit: dict[str, Any]) -> dict[str, Any]:
        """A closed visit becomes a case on the box."""
        patient = visit["patient"]
        case = {
            "id": case_id,
            "patient_name": patient["name"],
            "initials": "".join(word[0] for word in patient["name"].split()[:2]),
            "created_ms": round(time.time() * 1000),
            "age_s": 0,
            "state": "on_box",
            "percent": 0,
            "urgency": visit["urgency"] or "routine",
            "specialty": visit["specialty"],
            "reason": visit["reason"],
            "simulated": True,
            "unread": False,
            "refused": "",
            "opinion_ms": None,
            "continues": (visit.get("continues") or {}).get("case", ""),
            "retakes": [],
            "feedback": "",
            "pieces_sent": 0,
            "pieces_total": 40,
        }
        self.cases[case_id] = case
        self.full[case_id] = {
            "opinions": [],
            "messages": [],
            "recordings": visit["recordings"],
            "vitals": visit["vitals"],
            "question": visit["question"],
            "patient": patient,
            "language": visit.get("language", "fr"),
            "path": visit.get("path", ""),
            "history": visit.get("history", {}),
            "consent": visit.get("consent"),
        }
        self.settle(visit.get("continues"))
        return case

    def settle(self, continued: dict[str, Any] | None) -> None:
        """A visit that was sent answers the request it was opened for."""
        if continued and continued["case"] in self.cases:
            left = [one for one in self.cases[continued["case"]]["retakes"] if one != continued["message"]]
            self.cases[continued["case"]]["retakes"] = left

    def move(self, case_id: str, state: str, percent: int = 100) -> None:
        self.cases[case_id].update(state=state, percent=percent)

    def answer(self, case_id: str, *, verified: bool = True, transfer: bool = False, **words: str) -> None:
        """A specialist signs an opinion."""
        now = round(time.time() * 1000)
        self.full[case_id]["opinions"].append(
            {
                "id": f"{case_id}-o",
                "case": case_id,
                "version": len(self.full[case_id]["opinions"]) + 1,
                "impression": words.get(
                    "impression",
                    "Souffle systolique à l’apex, irradiant vers l’aisselle. ECG en rythme sinusal.",
                ),
                "certainty": "probable",
                "advice": words.get(
                    "advice",
                    "Furosémide 40 mg le matin.\nPas de sel.\nPeser chaque matin ; rappeler si +2 kg.",
                ),
                "urgency": words.get("urgency", "urgent"),
                "transfer": transfer,
                "follow_up_date": time.strftime("%Y-%m-%d", time.gmtime(now / 1000 + WEEK_S)),
                "medicines": [{"name": "Furosémide 40 mg", "how": "1 le matin"}],
                "author": {"id": "s1", "name": "Dr K. Amrani", "specialty": "cardiology"},
                "signed_ms": now,
                "verified": verified,
            }
        )
        self.cases[case_id].update(state="answered", unread=True, opinion_ms=now)

    def ask_again(
        self, case_id: str, site: str, text: str, *, step: str = "heart_sound", side: str = ""
    ) -> None:
        """A specialist asks for one point again."""
        self.cases[case_id]["retakes"].append(f"{case_id}-m")
        self.cases[case_id]["unread"] = True
        self.full[case_id]["messages"].append(
            {
                "id": f"{case_id}-m",
                "case": case_id,
                "kind": "retake",
                "step": step,
                "site": site,
                "side": side,
                "text": text,
                "author": {"id": "s1", "name": "Dr K. Amrani", "specialty": "cardiology"},
                "at_ms": round(time.time() * 1000),
                "verified": True,
            }
        )
