"""ECG files that carts write: Contec ECG90A (USB mass storage), DICOM waveforms and SCP-ECG.

A file's bytes become channels, samples and a time; the file itself is kept as it came. Who the file says it
is comes as a `FilePatient`, for a comparison with the person examined; nothing else of a patient is read out.

Contec ECG90A: 43 bytes of header (case, time "YYYY-MM-DD HH:MM:SS" at 10, name at 32, sex, age, weight), rows
of eight u16 at 800 Hz (II, III, V1 to V6; value - 2048, 5 uV a step; 0x6800 where nothing was measured), a
row of zeros, 37 bytes of footer. I, aVR, aVL, aVF are worked out. Source: RigacciOrg ecg-contec. DICOM:
Waveform Sequence of PS3.3 C.10.9; read of a file are the first group that is not marked as derived, with MDC
lead codes. SCP-ECG: see scp_ecg.py.

Doubts: the ECG90A's footer and two pairs of header bytes are unknown and left; tried with built files only.
DICOM was compared with pydicom's reading of its own sample ECG, value for value. Not read: deflated and
big-endian DICOM, DICOM channels of other rates in further groups.
"""

import datetime

import numpy as np

from chevet.devices.dicom_elements import Dataset, is_dicom, read_dicom
from chevet.devices.ecg_file import CONTEC, DICOM, SCP, SIMULATED, EcgFile, FilePatient, words
from chevet.devices.ecg_leads import DERIVED, TWELVE, twelve_leads
from chevet.devices.errors import BrokenPayload
from chevet.devices.samples import Channel
from chevet.devices.scp_ecg import read_scp
from chevet.devices.scp_record import is_scp

FORMATS = (CONTEC, DICOM, SCP)
REFUSED = {
    "ecg_file": "it is no ECG file that is known here: Contec ECG90A, DICOM or SCP-ECG",
    CONTEC: "the Contec file is not whole; copy it from the cart again",
    "dicom": "the DICOM file is not whole; copy it from the cart again",
    "transfer_syntax": "the DICOM file is compressed or big-endian; export it as Explicit VR Little Endian",
    "waveform": "the DICOM file holds no ECG that can be read",
    "scp": "the SCP-ECG file is not whole or contradicts itself; copy it from the cart again",
    "scp_checksum": "the SCP-ECG file is damaged (checksum); copy it from the cart again",
    "scp_table": "the SCP-ECG file has Huffman tables that cannot be followed; export it uncompressed",
    "scp_lossy": "the SCP-ECG file left samples out (bimodal compression); export it lossless",
    "scp_rate": "the SCP-ECG file has a reference beat of another rate; export it without one",
    "scp_units": "the SCP-ECG file has a reference beat of another scale; export it without one",
    "scp_too_long": "the SCP-ECG file is too long; export a resting ECG",
    "too_large": "the file is larger than any resting ECG; only 64 MB are read",
}
"""What each word of `BrokenPayload` means, with the remedy."""
LARGEST_FILE = 64 << 20

HEADER_BYTES, FOOTER_BYTES = 43, 37
CASE, TIME, NAME, SEX, AGE = slice(0, 8), slice(10, 29), slice(32, 40), 40, 41
VIRTUAL = b"CVSIM"
"""How the case number of a virtual cart begins: the format has no other place to say so."""
SEXES = {0: "F", 1: "M"}
NO_AGE = (0, 255)
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
ROWS = ("II", "III", "V1", "V2", "V3", "V4", "V5", "V6")
CONTEC_RATE_HZ = 800.0
CONTEC_STEP_MV = 0.005
MIDDLE = 2048
NOT_MEASURED = 0x6800

WAVEFORMS, DEFINITIONS, SOURCES, UNITS = 0x54000100, 0x003A0200, 0x003A0208, 0x003A0211
CHANNELS, SAMPLES, RATE, ORIGINALITY = 0x003A0005, 0x003A0010, 0x003A001A, 0x003A0004
SENSITIVITY, FACTOR, BASELINE = 0x003A0210, 0x003A0212, 0x003A0213
BITS, KIND, DATA, PADDING = 0x54001004, 0x54001006, 0x54001010, 0x5400100A
CODE, MEANING = 0x00080100, 0x00080104
PERSON, NUMBER, BORN, PERSON_SEX = 0x00100010, 0x00100020, 0x00100030, 0x00100040
ACQUIRED, MAKER, MODEL, SERIAL = 0x0008002A, 0x00080070, 0x00081090, 0x00181000
KINDS = {("SB", 8): "i1", ("UB", 8): "u1", ("SS", 16): "<i2", ("US", 16): "<u2", ("SL", 32): "<i4"}
MILLIVOLT = {"mV": 1.0, "uV": 0.001, "V": 1000.0, "nV": 1e-6}
LEAD_CODES = {
    f"2:{code}": lead for lead, code in zip(TWELVE, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True)
}
"""DICOM CID 3001, scheme MDC."""


def read_ecg_file(data: bytes) -> EcgFile:
    """Return what an ECG file says, whatever its name.

    Raises:
        BrokenPayload: it is none, or one that is not whole or not read; `what` is a key of REFUSED.
    """
    if len(data) > LARGEST_FILE:
        raise BrokenPayload("too_large")
    if is_dicom(data):
        return _dicom(data)
    if is_scp(data):
        return read_scp(data)
    if len(data) > HEADER_BYTES and _contec_time(data) is not None:
        return _contec(data)
    raise BrokenPayload("ecg_file")


def _contec_time(data: bytes) -> datetime.datetime | None:
    return _time(data[TIME].decode("ascii", "replace"), TIME_FORMAT)


def _time(text: str, pattern: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.strptime(text, pattern)
    except ValueError:
        return None


def _contec(data: bytes) -> EcgFile:
    length = len(data) - HEADER_BYTES - FOOTER_BYTES
    if length < 2 * len(ROWS) or length % (2 * len(ROWS)):
        raise BrokenPayload(CONTEC)
    rows = np.frombuffer(data, "<u2", length // 2, HEADER_BYTES).reshape(-1, len(ROWS)).astype(np.int32)
    ends = np.flatnonzero((rows == 0).all(1))
    rows = rows[: ends[0]] if ends.size else rows
    if not len(rows):
        raise BrokenPayload(CONTEC)
    there = (rows != NOT_MEASURED).T
    two, three, *chest = np.where(there, rows.T - MIDDLE, 0)
    values = twelve_leads(np.stack((two - three, two, *chest)))
    limb = there[0] & there[1]
    measured = np.stack((limb, there[0], there[1], limb, limb, limb, *there[2:]))
    values[2] = three  # measured, also where II was not
    channels = tuple(Channel(lead, "mV", CONTEC_RATE_HZ, CONTEC_STEP_MV) for lead in TWELVE)
    derived = tuple(lead for lead in ("I", *DERIVED) if lead != "III")
    device = {"maker": SIMULATED if data[CASE].startswith(VIRTUAL) else "Contec", "model": "ECG90A"}
    return EcgFile(
        CONTEC,
        channels,
        np.where(measured, values, 0).astype(np.int32),
        measured,
        derived,
        _contec_time(data),
        device,
        data,
        _contec_patient(data),
    )


def _contec_patient(data: bytes) -> FilePatient:
    """Return who it is; the birth year is the time's year less the age, so it may be one too late."""
    when, age = _contec_time(data), data[AGE]
    born = when.year - age if when is not None and age not in NO_AGE else None
    name = words(data[NAME])
    return FilePatient(name, "", born, SEXES.get(data[SEX], "") if name or born else "")


def _dicom(data: bytes) -> EcgFile:
    whole = read_dicom(data)
    groups = whole.sequences.get(WAVEFORMS, [])
    group = next((one for one in groups if one.text(ORIGINALITY) != "DERIVED"), None)
    if group is None:
        raise BrokenPayload("waveform")
    count, samples, rate_hz = group.number(CHANNELS), group.number(SAMPLES), group.decimal(RATE)
    kind = KINDS.get((group.text(KIND), group.number(BITS) or 0))
    definitions = group.sequences.get(DEFINITIONS, [])
    if not (count and samples and rate_hz and rate_hz > 0 and kind and len(definitions) == count):
        raise BrokenPayload("waveform")
    stored = group.values.get(DATA, b"")
    if len(stored) < count * samples * np.dtype(kind).itemsize:
        raise BrokenPayload("waveform")
    values = np.frombuffer(stored, kind, count * samples).reshape(samples, count).T.astype(np.int32)
    padding = group.values.get(PADDING, b"")[: np.dtype(kind).itemsize]
    nothing = int(np.frombuffer(padding, kind)[0]) if len(padding) == np.dtype(kind).itemsize else None
    measured = np.ones(values.shape, np.bool_) if nothing is None else values != nothing
    channels = tuple(_dicom_channel(one, place, rate_hz) for place, one in enumerate(definitions, 1))
    device = {"maker": whole.text(MAKER), "model": whole.text(MODEL), "serial": whole.text(SERIAL)}
    started = _dicom_time(whole.text(ACQUIRED))
    values = np.where(measured, values, 0)
    return EcgFile(DICOM, channels, values, measured, (), started, device, data, _dicom_patient(whole))


def _dicom_patient(whole: Dataset) -> FilePatient:
    """Return who it is: a PN's first form, with "^" between its parts (PS3.5, 6.2)."""
    name = whole.values.get(PERSON, b"").partition(b"=")[0].replace(b"^", b" ")
    year = whole.text(BORN)[:4]
    sex = whole.text(PERSON_SEX)
    return FilePatient(
        words(name),
        words(whole.values.get(NUMBER, b"")),
        int(year) if len(year) == 4 and year.isascii() and year.isdigit() else None,
        sex if sex in {"F", "M"} else "",
    )


def _dicom_channel(one: Dataset, place: int, rate_hz: float) -> Channel:
    unit = MILLIVOLT.get(one.first(UNITS).text(CODE))
    sensitivity = one.decimal(SENSITIVITY)
    name = _lead(one.first(SOURCES)) or str(place)
    if unit is None or sensitivity is None or sensitivity <= 0:
        return Channel(name, "1", rate_hz, 1.0)  # a wave without a scale is shown, not measured
    factor = one.decimal(FACTOR)
    gain = sensitivity * (1.0 if factor is None else factor) * unit
    return Channel(name, "mV", rate_hz, gain, (one.decimal(BASELINE) or 0.0) * unit)


def _lead(source: Dataset) -> str:
    known = LEAD_CODES.get(source.text(CODE))
    if known:
        return known
    words = source.text(MEANING).removeprefix("Lead ").split()
    return words[0] if words and words[0] in TWELVE else ""


def _dicom_time(text: str) -> datetime.datetime | None:
    """Return a DICOM date and time, with its zone where it has one; parts of a second are left."""
    clock, sign, zone = text[:14], text[-5:-4], text[-5:]
    if sign in {"+", "-"}:
        return _time(clock + zone, "%Y%m%d%H%M%S%z")
    return _time(clock, "%Y%m%d%H%M%S")
