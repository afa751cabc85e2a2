"""Writes what two more carts write: Contec's ECG90A files and DICOM 12-lead waveforms.

ECG90A after the layout that RigacciOrg's ecg-contec reads; DICOM after PS3.3 C.10.9 and PS3.5 (explicit,
little-endian), without the reader.
"""

import datetime
import struct

import numpy as np

from chevet.sim.twins.cart_scp import NOBODY, Ints, Owner

CONTEC_LEADS = ("II", "III", "V1", "V2", "V3", "V4", "V5", "V6")
CONTEC_RATE_HZ, CONTEC_STEP_UV = 800, 5
MAKER = "Chevet Sim"
MDC = {
    name: f"2:{code}"
    for name, code in zip(
        ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"),
        (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8),
        strict=True,
    )
}


def write_ecg90a(values: Ints, taken: datetime.datetime, owner: Owner = NOBODY, *, age: int = 0) -> bytes:
    """Return a file.

    Args:
        values: CONTEC_LEADS [8, samples] at 800 Hz in steps of 5 uV.
        taken: the cart's clock.
        owner: of the name 8 letters are kept.
        age: in years, 0 for unknown.
    """
    sex = {1: 1, 2: 0}.get(owner.sex, 255)
    name = f"{owner.first_name} {owner.last_name}".strip().encode("latin-1", "replace")[:8]
    header = b"CVSIM001" + bytes(2) + taken.strftime("%Y-%m-%d %H:%M:%S").encode().ljust(20, b"\0") + bytes(2)
    header += name.ljust(8, b"\0") + bytes((sex, age, 0))
    rows = (np.clip(values.T, -2047, 2047) + 2048).astype("<u2")
    return header + rows.tobytes() + bytes(16) + bytes(37)


def write_dicom(
    leads: tuple[str, ...],
    values: Ints,
    taken: datetime.datetime,
    owner: Owner = NOBODY,
    *,
    rate_hz: float = 500.0,
    step_uv: float = 1.0,
) -> bytes:
    """Return a 12-lead ECG object of integers [leads, samples]."""
    person = _text(0x00100010, "PN", f"{owner.last_name}^{owner.first_name}") if owner.last_name else b""
    person += _text(0x00100020, "LO", owner.number) if owner.number else b""
    person += _text(0x00100030, "DA", owner.born.strftime("%Y%m%d")) if owner.born else b""
    person += _text(0x00100040, "CS", "MF"[owner.sex - 1]) if owner.sex else b""
    group = _text(0x003A0004, "CS", "ORIGINAL") + _element(0x003A0005, "US", struct.pack("<H", len(leads)))
    group += _element(0x003A0010, "UL", struct.pack("<I", values.shape[1]))
    group += _text(0x003A001A, "DS", f"{rate_hz:g}")
    group += _sequence(0x003A0200, *(_channel(name, step_uv) for name in leads))
    group += _element(0x54001004, "US", struct.pack("<H", 16)) + _text(0x54001006, "CS", "SS")
    group += _element(0x54001010, "OW", values.T.astype("<i2").tobytes())
    body = _text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.9.1.1")
    body += _text(0x0008002A, "DT", taken.strftime("%Y%m%d%H%M%S") + _zone(taken))
    body += _text(0x00080070, "LO", MAKER) + _text(0x00081090, "LO", "CV-12") + person
    meta = _text(0x00020010, "UI", "1.2.840.10008.1.2.1")
    length = _element(0x00020000, "UL", struct.pack("<I", len(meta)))
    return bytes(128) + b"DICM" + length + meta + body + _sequence(0x54000100, group)


def _zone(taken: datetime.datetime) -> str:
    return taken.strftime("%z")


def _channel(name: str, step_uv: float) -> bytes:
    source = _text(0x00080100, "SH", MDC[name]) + _text(0x00080104, "LO", f"Lead {name}")
    unit = _text(0x00080100, "SH", "uV")
    scale = _text(0x003A0210, "DS", f"{step_uv:g}") + _sequence(0x003A0211, unit)
    return _sequence(0x003A0208, source) + scale + _text(0x003A0212, "DS", "1") + _text(0x003A0213, "DS", "0")


def _element(tag: int, kind: str, value: bytes) -> bytes:
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + kind.encode()
    if kind in {"SQ", "OW"}:
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def _text(tag: int, kind: str, text: str) -> bytes:
    value = text.encode()
    return _element(tag, kind, value + (b"\0" if kind == "UI" else b" ") * (len(value) % 2))


def _sequence(tag: int, *items: bytes) -> bytes:
    packed = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items)
    return _element(tag, "SQ", packed)
