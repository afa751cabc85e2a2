"""Codes that the DICOM objects carry, each as (value, scheme, meaning) of PS3.16 and its context groups.

MDC codes are written `partition:code` (PS3.16, section 8); a decimal number there would be another code.
"""

from typing import NamedTuple


class Code(NamedTuple):
    """One coded concept."""

    value: str
    scheme: str
    meaning: str


LEADS = {  # CID 3001
    "I": Code("2:1", "MDC", "Lead I"),
    "II": Code("2:2", "MDC", "Lead II"),
    "III": Code("2:61", "MDC", "Lead III"),
    "aVR": Code("2:62", "MDC", "aVR, augmented voltage, right"),
    "aVL": Code("2:63", "MDC", "aVL, augmented voltage, left"),
    "aVF": Code("2:64", "MDC", "aVF, augmented voltage, foot"),
    "V1": Code("2:3", "MDC", "Lead V1"),
    "V2": Code("2:4", "MDC", "Lead V2"),
    "V3": Code("2:5", "MDC", "Lead V3"),
    "V4": Code("2:6", "MDC", "Lead V4"),
    "V5": Code("2:7", "MDC", "Lead V5"),
    "V6": Code("2:8", "MDC", "Lead V6"),
}
SOME_LEAD = Code("2:0", "MDC", "Unspecified lead")
PHONOCARDIOGRAM = Code("109114", "DCM", "Phonocardiogram")  # CID 3000
BODY_SOUND = Code("109115", "DCM", "Physiological audio signal")
ROOM_SOUND = Code("109112", "DCM", "Ambient room environment")
VOICE = Code("109110", "DCM", "Voice")
NARRATIVE = Code("109111", "DCM", "Operator's narrative")
PULSE = Code("109116", "DCM", "Arterial Pulse Waveform")  # CID 3004
AUDIO_SOURCES = (
    VOICE,
    NARRATIVE,
    ROOM_SOUND,
    Code("109113", "DCM", "Doppler audio"),
    PHONOCARDIOGRAM,
    BODY_SOUND,
)
UNITS = {
    "mV": Code("uV", "UCUM", "microvolt"),  # as CID 3082 has it, the gain times 1000
    "1": Code("1", "UCUM", "no units"),
}
EAR_CANAL = Code("84301002", "SCT", "External auditory canal")  # CID 4 and 4040
CONSULTATION = Code("11488-4", "LN", "Consultation note")
LOSSY = Code("113040", "DCM", "Lossy Compression")  # CID 7203

RIGHT = Code("24028007", "SCT", "Right")
LEFT = Code("7771000", "SCT", "Left")
BOTH = Code("51440002", "SCT", "Right and left")
STERNAL = Code("91691001", "SCT", "Parasternal region")
_SECOND = Code("117134006", "SCT", "Second intercostal space")
_THIRD = Code("117135007", "SCT", "Third intercostal space")
_FOURTH = Code("117136008", "SCT", "Fourth intercostal space")
_FIFTH = Code("117137004", "SCT", "Fifth intercostal space")
UPPER_LOBE = Code("45653009", "SCT", "Upper lobe of lung")
LOWER_LOBE = Code("90572001", "SCT", "Lower lobe of lung")
RIGHT_LUNG = Code("3341006", "SCT", "Right lung")
LEFT_LUNG = Code("44029006", "SCT", "Left lung")
TRACHEA = Code("44567001", "SCT", "Trachea")

PLACES = {
    # Where on the chest, never which valve: what is heard at A is not always aortic.
    "A": (_SECOND, RIGHT, STERNAL),
    "P": (_SECOND, LEFT, STERNAL),
    "E": (_THIRD, LEFT, STERNAL),
    "T": (_FOURTH, LEFT, STERNAL),
    "M": (_FIFTH, LEFT),
    "Tc": (TRACHEA,),
    "Al": (UPPER_LOBE, LEFT),
    "Ar": (UPPER_LOBE, RIGHT),
    "Pl": (LOWER_LOBE, LEFT),
    "Pr": (LOWER_LOBE, RIGHT),
    "Ll": (LEFT_LUNG, LEFT),
    "Lr": (RIGHT_LUNG, RIGHT),
}
ALIASES = {"AV": "A", "PV": "P", "TV": "T", "MV": "M"}
"""Keys that research sets use for the same places."""


SKIN = {  # CID 4
    "head": Code("69536005", "SCT", "Head"),
    "face": Code("89545001", "SCT", "Face"),
    "mouth": Code("123851003", "SCT", "Mouth"),
    "neck": Code("45048000", "SCT", "Neck"),
    "chest": Code("816094009", "SCT", "Chest"),
    "abdomen": Code("818981001", "SCT", "Abdomen"),
    "groin": Code("26893007", "SCT", "Inguinal region"),
    "upper_back": Code("77568009", "SCT", "Back"),
    "lower_back": Code("52612000", "SCT", "Lumbar region"),
    "buttocks": Code("46862004", "SCT", "Buttock"),
    "arm": Code("40983000", "SCT", "Upper arm"),
    "forearm": Code("14975008", "SCT", "Forearm"),
    "hand": Code("85562004", "SCT", "Hand"),
    "thigh": Code("68367000", "SCT", "Thigh"),
    "leg": Code("30021000", "SCT", "Lower leg"),
    "foot": Code("56459004", "SCT", "Foot"),
}
"""Where a photograph was taken, by its site without the side."""
_SIDES = {"r": RIGHT, "l": LEFT}


def place(site: str) -> tuple[Code, ...]:
    """Return the codes of an auscultation site or of a photograph's, the place first; none for any other."""
    region, _, side = site.rpartition("_") if site[-2:] in ("_r", "_l") else (site, "", "")
    if region in SKIN:
        return (SKIN[region], *([_SIDES[side]] if side else []))
    return PLACES.get(ALIASES.get(site, site), ())
