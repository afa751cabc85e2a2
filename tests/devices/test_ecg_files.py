import contextlib
import datetime
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices.ecg_files import read_ecg_file
from chevet.devices.errors import BrokenPayload

# Contec ECG90A, built from the layout of RigacciOrg's ecg-contec.


def contec(rows, *, when=b"2019-11-02 10:20:30", end=True):
    header = (
        b"CASE0001" + b"\x01\x02" + when.ljust(20, b"\0") + b"\x03\x04" + b"Somebody" + bytes((1, 44, 70))
    )
    body = b"".join(struct.pack("<8H", *row) for row in rows)
    return header + body + bytes(16) * end + bytes(37)


def flat(two=2048, three=2048, chest=2048):
    return (two, three, *(chest,) * 6)


def test_a_contec_file_gives_twelve_leads_of_which_four_are_derived():
    read = read_ecg_file(contec([flat(2248, 2148, 2000 + n) for n in range(9)]))
    assert (read.format, read.values.shape, read.values.dtype) == ("contec-ecg90a", (12, 9), np.int32)
    by_lead = {channel.name: row.tolist() for channel, row in zip(read.channels, read.values, strict=True)}
    assert {lead: row[0] for lead, row in by_lead.items()} == {
        "I": 100, "II": 200, "III": 100, "aVR": -150, "aVL": 0, "aVF": 150,
        "V1": -48, "V2": -48, "V3": -48, "V4": -48, "V5": -48, "V6": -48,
    }  # fmt: skip
    assert read.derived == ("I", "aVR", "aVL", "aVF")
    assert (read.channels[0].rate_hz, read.channels[0].gain, read.channels[0].unit) == (800.0, 0.005, "mV")
    assert read.started == datetime.datetime(2019, 11, 2, 10, 20, 30)
    assert read.device == {"maker": "Contec", "model": "ECG90A"}
    assert read.measured.all()


def test_the_file_is_kept_and_nothing_of_the_patient_is_read_out():
    data = contec([flat()])
    read = read_ecg_file(data)
    assert read.source == data
    assert len(read.sha256) == 64
    assert "Somebody" not in repr((read.device, read.channels, read.started))


def test_what_was_not_measured_is_said_and_takes_the_derived_leads_with_it():
    read = read_ecg_file(contec([flat(chest=0x6800), flat(three=0x6800), flat(two=0x6800, three=2100)]))
    names = [channel.name for channel in read.channels]
    off = [
        {name for name, there in zip(names, column, strict=True) if not there} for column in read.measured.T
    ]
    assert off == [
        {"V1", "V2", "V3", "V4", "V5", "V6"},
        {"I", "III", "aVR", "aVL", "aVF"},
        {"I", "II", "aVR", "aVL", "aVF"},
    ]
    assert read.values[2, 2] == 52
    assert (read.values[~read.measured] == 0).all()


@pytest.mark.parametrize("end", [True, False])
def test_a_row_of_zeros_ends_the_samples(end):
    assert read_ecg_file(contec([flat()] * 5, end=end)).values.shape == (12, 5)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "ecg_file"),
        (b"\x89PNG" + bytes(500), "ecg_file"),
        (contec([flat()], when=b"yesterday"), "ecg_file"),
        (contec([flat()])[:-3], "contec-ecg90a"),
        (contec([]), "contec-ecg90a"),
        (contec([], end=False), "contec-ecg90a"),
    ],
)
def test_files_that_are_none_are_refused_with_a_word(data, what):
    with pytest.raises(BrokenPayload) as broken:
        read_ecg_file(data)
    assert broken.value.what == what


# DICOM, built from PS3.5 and PS3.3 C.10.9.


class Dicom:
    """Writes elements; sequences and items with or without a length."""

    def __init__(self, *, explicit=True, undefined=False):
        self.explicit, self.undefined = explicit, undefined

    def element(self, tag, kind, value):
        value += (b"\0" if kind in {"UI", "OW"} else b" ") * (len(value) % 2)
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        if not self.explicit:
            return head + struct.pack("<I", len(value)) + value
        if kind in {"SQ", "OW", "UN"}:
            return head + kind.encode() + struct.pack("<HI", 0, len(value)) + value
        return head + kind.encode() + struct.pack("<H", len(value)) + value

    def text(self, tag, kind, text):
        return self.element(tag, kind, text.encode())

    def sequence(self, tag, *items):
        if not self.undefined:
            body = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items)
            return self.element(tag, "SQ", body)
        open_, end = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF), struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + (b"SQ\0\0" if self.explicit else b"")
        body = b"".join(open_ + item + end for item in items)
        return head + struct.pack("<I", 0xFFFFFFFF) + body + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)

    def file(self, *elements, syntax=None):
        uid = syntax or ("1.2.840.10008.1.2.1" if self.explicit else "1.2.840.10008.1.2")
        meta = Dicom().text(0x00020010, "UI", uid)
        length = Dicom().element(0x00020000, "UL", struct.pack("<I", len(meta)))
        return bytes(128) + b"DICM" + length + meta + b"".join(elements)

    def channel(self, code, meaning, unit="uV", sensitivity="2.5", baseline="0"):
        source = self.text(0x00080100, "SH", code) + self.text(0x00080104, "LO", meaning)
        parts = self.sequence(0x003A0208, source)
        if unit:
            parts += self.text(0x003A0210, "DS", sensitivity)
            parts += self.sequence(0x003A0211, self.text(0x00080100, "SH", unit))
            parts += self.text(0x003A0212, "DS", "1") + self.text(0x003A0213, "DS", baseline)
        return parts

    def group(
        self, values, channels, *, rate="500", originality="ORIGINAL", bits=16, kind="SS", padding=None
    ):
        count, samples = values.shape
        group = self.text(0x003A0004, "CS", originality)
        group += self.element(0x003A0005, "US", struct.pack("<H", count))
        group += self.element(0x003A0010, "UL", struct.pack("<I", samples))
        group += self.text(0x003A001A, "DS", rate) + self.sequence(0x003A0200, *channels)
        group += self.element(0x54001004, "US", struct.pack("<H", bits)) + self.text(0x54001006, "CS", kind)
        if padding is not None:
            group += self.element(0x5400100A, "OW", struct.pack("<h", padding))
        stored = {"SS": "<i2", "SL": "<i4", "US": "<u2"}[kind]
        return group + self.element(0x54001010, "OW", values.T.astype(stored).tobytes())


VALUES = np.array([[1, -2, 3, 32767], [5, 6, -32768, 8]])


def ecg(dicom, *, groups=None, when="20250314093005.123+0100"):
    channels = (dicom.channel("2:1", "Lead I"), dicom.channel("x", "Lead V2", "mV", "0.005", "1"))
    whole = groups or (dicom.group(VALUES, channels),)
    return dicom.file(
        dicom.text(0x0008002A, "DT", when),
        dicom.text(0x00080070, "LO", "Maker"),
        dicom.text(0x00081090, "LO", "Cart 9"),
        dicom.text(0x00100010, "PN", "Somebody^Else"),
        dicom.sequence(0x54000100, *whole),
    )


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize("undefined", [True, False])
def test_a_dicom_ecg_is_read_in_every_form_of_its_sequences(explicit, undefined):
    read = read_ecg_file(ecg(Dicom(explicit=explicit, undefined=undefined)))
    assert read.format == "dicom-ecg"
    assert (read.values == VALUES).all()
    one, two = read.channels
    assert (one.name, one.unit, one.rate_hz, one.gain, one.offset) == ("I", "mV", 500.0, 0.0025, 0.0)
    assert (two.name, two.gain, two.offset) == ("V2", 0.005, 1.0)
    assert read.started == datetime.datetime(
        2025, 3, 14, 9, 30, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=1))
    )
    assert read.device == {"maker": "Maker", "model": "Cart 9", "serial": ""}
    assert "Somebody" not in repr((read.device, read.channels, read.started))
    assert read.derived == ()


def test_the_group_that_was_derived_is_not_taken_for_the_recording():
    dicom = Dicom()
    channels = (dicom.channel("2:2", "Lead II"),)
    groups = (
        dicom.group(VALUES[:1] * 0, channels, originality="DERIVED"),
        dicom.group(VALUES[:1], channels),
    )
    assert (read_ecg_file(ecg(dicom, groups=groups)).values == VALUES[:1]).all()


def test_numbers_of_32_bits_and_padding_are_understood():
    dicom = Dicom()
    wide = np.array([[2**30, -(2**30)]])
    groups = (dicom.group(wide, (dicom.channel("2:2", "Lead II"),), bits=32, kind="SL"),)
    assert (read_ecg_file(ecg(dicom, groups=groups)).values == wide).all()
    groups = (dicom.group(VALUES[:1], (dicom.channel("2:2", "Lead II"),), padding=3),)
    read = read_ecg_file(ecg(dicom, groups=groups))
    assert read.measured.tolist() == [[True, True, False, True]]
    assert read.values[0, 2] == 0


def test_a_channel_without_a_scale_has_no_physical_unit_and_one_without_a_name_a_number():
    dicom = Dicom()
    groups = (dicom.group(VALUES[:1], (dicom.channel("99", "Somewhere", unit=""),)),)
    (one,) = read_ecg_file(ecg(dicom, groups=groups, when="soon")).channels
    assert (one.name, one.unit, one.gain) == ("1", "1", 1.0)


def test_what_cannot_be_read_is_refused_with_a_word():
    dicom = Dicom()
    channel = (dicom.channel("2:2", "Lead II"),)
    cases = {
        "waveform": [
            dicom.file(dicom.text(0x00080070, "LO", "no waveform")),
            ecg(dicom, groups=(dicom.group(VALUES, channel),)),
            ecg(dicom, groups=(dicom.group(VALUES[:1], channel, rate="none"),)),
            ecg(dicom, groups=(dicom.group(VALUES[:1], channel, bits=8),)),
            ecg(dicom, groups=(dicom.group(VALUES[:1], channel, kind="US", bits=16)[:-4],)),
        ],
        "transfer_syntax": [dicom.file(syntax="1.2.840.10008.1.2.1.99")],
    }
    for what, files in cases.items():
        for data in files:
            with pytest.raises(BrokenPayload) as broken:
                read_ecg_file(data)
            assert broken.value.what in {what, "dicom"}


def test_sequences_in_sequences_without_end_are_refused():
    dicom = Dicom()
    inner = b""
    for _ in range(40):
        inner = dicom.sequence(0x54000100, inner)
    with pytest.raises(BrokenPayload):
        read_ecg_file(dicom.file(inner))


@settings(max_examples=50)
@given(st.data())
def test_a_damaged_file_is_refused_or_read_and_nothing_else(data):
    whole = bytearray(ecg(Dicom(explicit=data.draw(st.booleans()), undefined=data.draw(st.booleans()))))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(132, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    for one in (cut, bytes(whole), contec([flat()] * 3)[: len(cut)]):
        with contextlib.suppress(BrokenPayload):
            read = read_ecg_file(one)
            assert read.values.shape == read.measured.shape
            assert len(read.channels) == len(read.values)
