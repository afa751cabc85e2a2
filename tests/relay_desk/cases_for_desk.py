"""The fake relay's cases, in the shapes of docs/api.md."""

import time
from typing import Any

Shape = dict[str, Any]

DOCTOR: Shape = {
    "id": "amrani",
    "name": "Dr K. Amrani",
    "role": "specialist",
    "specialty": "cardiology",
    "languages": ["fr", "ar"],
}
OTHER: Shape = {"id": "benali", "name": "Dr S. Benali"}
FULL = {
    "0": {"have": 1, "total": 1},
    "1": {"have": 4, "total": 4},
    "2": {"have": 22, "total": 22},
    "3": {"have": 61, "total": 61},
}
GOOD: Shape = {"score": 0.94, "usable": True, "reasons": []}


def ident(number: int) -> str:
    """A stable id in the form of a UUIDv7."""
    return f"01936f2a-0000-7000-8000-{number:012x}"


def layers(arrived: str) -> dict[str, Shape]:
    """Per recording: how much of each layer is there."""
    share = {"preview": (6, 0, 0), "half": (6, 10, 4), "all": (6, 10, 30)}[arrived]
    bytes_of = (3900, 41000, 121500)
    totals = (6, 10, 30)
    return {
        str(n + 1): {"have": have, "total": total, "bytes": size}
        for n, (have, total, size) in enumerate(zip(share, totals, bytes_of, strict=True))
    }


def recording(number: int, step: str, arrived: str = "all", **other: Any) -> Shape:
    """One recording's summary with its layers."""
    base: Shape = {
        "id": ident(number),
        "step": step,
        "site": "",
        "side": "",
        "driver": "kit-ecg",
        "link": "serial:",
        "device": {"model": "Chevet kit", "serial": "K-0007", "firmware": "1.2.0"},
        "started_ms": now_ms() - 1_200_000,
        "duration_s": 10.0,
        "samples": 5000,
        "lost_samples": 0,
        "gaps": [],
        "quality": GOOD,
        "measurements": [],
        "readings": [],
        "accepted_poor": False,
        "simulated": True,
        "channels": [],
        "pictures": [],
        "layers": layers(arrived),
        "source": None,
    }
    return base | other


def now_ms() -> int:
    return int(time.time() * 1000)


def vital(kind: str, value: float | None, unit: str, source: str = "nonin-df2", **quality: Any) -> Shape:
    """One vital sign."""
    return {
        "kind": kind,
        "value": value,
        "unit": unit,
        "source": source,
        "at_ms": now_ms() - 1_500_000,
        "quality": GOOD | quality,
        "recording": "",
    }


def measurements() -> list[Shape]:
    rows = [
        ("heart_rate", 72, "/min", "median RR"),
        ("pr", 162, "ms", "delineation, median beat"),
        ("qrs", 88, "ms", "delineation, median beat"),
        ("qt", 392, "ms", "delineation, median beat"),
        ("qtc_bazett", 428, "ms", "Bazett, median QT and RR"),
        ("qtc_fridericia", 408, "ms", "Fridericia, median QT and RR"),
        ("st_V2", 0.04, "mV", "J + 60 ms against PR"),
        ("qrs_axis", 54, "deg", "net area I, aVF"),
    ]
    return [
        {"kind": kind, "value": value, "unit": unit, "method": method} for kind, value, unit, method in rows
    ]


def recordings(base: int, arrived: str) -> list[Shape]:
    """ECG, two heart points, both ears, oximetry."""
    ecg = recording(base + 1, "ecg", arrived, measurements=measurements())
    sounds = [
        recording(base + 2 + n, "heart_sound", arrived, site=site, driver="kit-stethoscope", duration_s=8.0)
        for n, site in enumerate("AM")
    ]
    sounds[1]["quality"] = {"score": 0.71, "usable": True, "reasons": ["room_noise"]}
    stills = [{"media_type": "image/jpeg", "at_s": 1.4, "best": True, "bytes": 48_000}]
    ears = [
        recording(base + 4 + n, "otoscopy", arrived, side=side, driver="camera", pictures=stills, samples=0)
        for n, side in enumerate(("right", "left"))
    ]
    ears[1]["quality"] = {"score": 0.38, "usable": False, "reasons": ["out_of_focus"]}
    ears[1]["accepted_poor"] = True
    finger = recording(base + 6, "oximetry", arrived, driver="nonin-df2", duration_s=20.0)
    return [ecg, *sounds, *ears, finger]


def photographs(base: int, arrived: str = "all") -> list[Shape]:
    """Two of one place and a blurred one of another, as the kiosk's camera gives them."""
    still = {"media_type": "image/jpeg", "at_s": 0.0, "best": True, "bytes": 90_000}
    words = {"driver": "camera", "pictures": [still], "samples": 0, "duration_s": 1.0}
    found = [
        recording(base + n, "photo", arrived, site=site, **words)
        for n, site in enumerate(("forearm_r", "forearm_r", "upper_back"))
    ]
    found[2]["quality"] = {"score": 0.41, "usable": False, "reasons": ["out_of_focus"]}
    return found


def earlier_visit(number: int, days: int) -> Shape:
    """An earlier visit of the patient of case 1."""
    at = now_ms() - days * 86_400_000
    seen = [
        vital("spo2", 93, "%"),
        vital("systolic", 162, "mm[Hg]", "manual"),
        vital("diastolic", 98, "mm[Hg]", "manual"),
    ]
    return {
        "id": ident(number * 256 + 200),
        "closed_ms": at,
        "reason": "chest_pain",
        "age": 54,
        "simulated": True,
        "vitals": [one | {"at_ms": at} for one in seen],
        "recordings": recordings(number * 256 + 200, "all"),
    }


def case(number: int, **other: Any) -> Shape:
    """One case as the desk gets it."""
    base: Shape = {
        "id": ident(number * 256),
        "site": {"code": "anfgou", "name": "Anfgou"},
        "patient": {
            "id": ident(number * 256 + 99),
            "name": "Fatima Bouzid",
            "birth_year": 1972,
            "sex": "F",
            "local_number": "2231",
            "age": 54,
        },
        "reason": "chest_pain",
        "question": "Souffle au cœur entendu, essoufflement à l'effort depuis 3 mois. Faut-il transférer ?",
        "specialty": "cardiology",
        "urgency": "routine",
        "state": "waiting",
        "received_ms": now_ms() - 1_080_000,
        "age_s": 1080,
        "claimed_by": None,
        "layers": FULL,
        "quality": 0.94,
        "usable": True,
        "simulated": True,
        "language": "ar",
        "consent": {"purposes": ["care"], "given_ms": now_ms() - 2_000_000, "witness": ""},
        "vitals": [
            vital("spo2", 97, "%"),
            vital("pulse_rate", 72, "/min"),
            vital("systolic", 148, "mm[Hg]", "manual"),
            vital("diastolic", 92, "mm[Hg]", "manual"),
            vital("temperature", 37.2, "Cel", "manual"),
        ],
        "recordings": recordings(number * 256, "all"),
        "opinions": [],
        "messages": [],
        "drawings": [],
        "stock": ["Paracétamol 500 mg", "Amoxicilline 500 mg", "Furosémide 40 mg"],
        "closed": {
            "wall_ms": now_ms() - 1_100_000,
            "boot_id": "b",
            "monotonic_s": 811.2,
            "quality": "free-running",
        },
    }
    return base | other


def all_cases() -> list[Shape]:
    """Five cases: urgent and whole, emergency still arriving, poor, another's, answered."""
    some = FULL | {"2": {"have": 3, "total": 22}, "3": {"have": 0, "total": 61}}
    return [
        case(1, urgency="urgent", quality=0.38, usable=False),
        case(
            2,
            urgency="emergency",
            state="arriving",
            site={"code": "imilch", "name": "Imilchil"},
            patient={
                "id": ident(700),
                "name": "Moha Ouali",
                "birth_year": 1959,
                "sex": "M",
                "local_number": "88",
                "age": 67,
            },
            reason="headache",
            question="Faiblesse du bras droit depuis une heure.",
            age_s=130,
            received_ms=now_ms() - 130_000,
            layers=some,
            specialty="internal-medicine",
            recordings=recordings(512, "preview"),
        ),
        case(
            3,
            site={"code": "zaouia", "name": "Zaouïat Ahansal"},
            patient={
                "id": ident(900),
                "name": "Ilyas A.",
                "birth_year": 2022,
                "sex": "M",
                "local_number": "",
                "age": 4,
            },
            reason="ear_pain",
            question="Fièvre et douleur à l'oreille gauche.",
            age_s=2500,
            specialty="paediatrics",
            quality=0.52,
        ),
        case(
            4,
            state="claimed",
            claimed_by=OTHER,
            age_s=10_900,
            reason="breathlessness",
            site={"code": "talsin", "name": "Talsint"},
        ),
        case(
            5, state="answered", age_s=90_000, opinions=[opinion(5)], reason="palpitations", simulated=False
        ),
    ]


def opinion(number: int) -> Shape:
    return {
        "id": ident(number * 256 + 80),
        "case": ident(number * 256),
        "version": 1,
        "impression": "Extrasystoles auriculaires isolées, bénignes.",
        "certainty": "probable",
        "advice": "Réduire le café et le thé. Revoir dans un mois.",
        "urgency": "routine",
        "transfer": False,
        "follow_up_date": "2027-01-15",
        "author": {"id": "amrani", "name": "Dr K. Amrani", "specialty": "cardiology"},
        "signed_ms": now_ms() - 40_000_000,
        "verified": True,
    }


INBOX_FIELDS = (
    "id", "site", "reason", "question", "specialty", "urgency", "state", "received_ms", "age_s",
    "claimed_by", "layers", "quality", "usable", "simulated",
)  # fmt: skip


def in_inbox(whole: Shape) -> Shape:
    """The inbox's view of a case: sex and age, no name."""
    return {field: whole[field] for field in INBOX_FIELDS} | {
        "patient": {"sex": whole["patient"]["sex"], "age": whole["patient"]["age"]}
    }
