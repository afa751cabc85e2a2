"""Section 1 of an SCP-ECG record: of its 35 tags those that a recording needs (EN 1064:2005, clause 5.4).

Read: who (names, number, birth, sex), the device (tag 14), date and time (25, 26, 34), the filters the cart
put on the signal (27 to 29). Not read: drugs, diagnoses, names of physicians, free text: they stay in the
source.
"""

import datetime
import struct
from collections.abc import Iterator

from chevet.devices.ecg_file import FilePatient, words
from chevet.devices.errors import BrokenPayload

FIRST_NAME, LAST_NAME, PATIENT, SECOND_NAME, BORN, SEX = 1, 0, 2, 3, 5, 8
DEVICE, DATE, TIME, HIGHPASS, LOWPASS, FILTERS, ZONE = 14, 25, 26, 27, 28, 29, 34
END = 255
SEXES = {1: "M", 2: "F"}
DEVICE_HEAD = 36
"""Bytes of tag 14 before its texts."""
NOTCHES = {0: "60", 1: "50"}
"""Bits of tag 29."""
UNKNOWN_ZONE = 0x7FFF
TAGS_AT_MOST = 1000


def tags(data: bytes) -> dict[int, bytes]:
    """Return the first value of each tag.

    Raises:
        BrokenPayload: "scp": a value ends outside the section.
    """
    found: dict[int, bytes] = {}
    for tag, value in _tags(data):
        if tag == END or len(found) > TAGS_AT_MOST:
            break
        found.setdefault(tag, value)
    return found


def _tags(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 3 <= len(data):
        tag, size = data[at], int.from_bytes(data[at + 1 : at + 3], "little")
        at += 3
        if at + size > len(data):
            raise BrokenPayload("scp")
        yield tag, data[at : at + size]
        at += size


def patient(found: dict[int, bytes]) -> FilePatient:
    """Return who the record says it is."""
    names = (words(found.get(tag, b"")) for tag in (LAST_NAME, SECOND_NAME, FIRST_NAME))
    born = found.get(BORN, b"")
    year = int.from_bytes(born[:2], "little")
    sex = found.get(SEX, b"")
    return FilePatient(
        " ".join(name for name in names if name),
        words(found.get(PATIENT, b"")),
        year if 1800 < year < 2200 else None,
        SEXES.get(sex[0], "") if sex else "",
    )


def device(found: dict[int, bytes]) -> dict[str, str]:
    """Return maker, model, serial number and firmware of the cart, and the filters it had on."""
    told: dict[str, str] = {}
    value = found.get(DEVICE, b"")
    if len(value) >= DEVICE_HEAD:
        texts = value[DEVICE_HEAD + value[DEVICE_HEAD - 1] :].split(b"\0")
        texts += [b""] * 4
        told = {
            "maker": words(texts[3]),
            "model": words(value[8:14]),
            "serial": words(texts[0]),
            "firmware": words(texts[1]),
        }
    return {name: text for name, text in (told | _filters(found)).items() if text}


def _filters(found: dict[int, bytes]) -> dict[str, str]:
    told: dict[str, str] = {}
    if len(found.get(HIGHPASS, b"")) == 2:
        told["highpass_hz"] = f"{int.from_bytes(found[HIGHPASS], 'little') / 100:g}"
    if len(found.get(LOWPASS, b"")) == 2:
        told["lowpass_hz"] = f"{int.from_bytes(found[LOWPASS], 'little'):g}"
    if found.get(FILTERS):
        bits = found[FILTERS][0]
        told["notch_hz"] = ",".join(hertz for bit, hertz in NOTCHES.items() if bits >> bit & 1)
    return told


def started(found: dict[int, bytes]) -> datetime.datetime | None:
    """Return when it was recorded by the cart's clock, with its zone where told; None where not told."""
    date, time = found.get(DATE, b""), found.get(TIME, b"")
    if len(date) < 4 or len(time) < 3:
        return None
    try:
        when = datetime.datetime(int.from_bytes(date[:2], "little"), date[2], date[3], *time[:3])
    except ValueError:
        return None
    return when.replace(tzinfo=_zone(found.get(ZONE, b"")))


def _zone(value: bytes) -> datetime.timezone | None:
    if len(value) < 2:
        return None
    (minutes,) = struct.unpack_from("<h", value)
    if minutes == UNKNOWN_ZONE or abs(minutes) >= 24 * 60:
        return None
    return datetime.timezone(datetime.timedelta(minutes=minutes))
