"""SCP-ECG files, written by the virtual cart's own encoder, read back sample for sample."""

import contextlib
import datetime
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chevet.devices.ecg_files import REFUSED, read_ecg_file
from chevet.devices.errors import BrokenPayload
from chevet.devices.scp_record import checksum, is_scp
from chevet.sim.bodies import EcgBody
from chevet.sim.twins.cart_scp import Beat, Owner, Record, Structure, assemble, crc, standard_table, write_scp

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
REAL = EcgBody(1).take(0, 1500)
OWN_TABLE = (
    Structure("00", 0),
    Structure("01", -3),
    Structure("100", 7),
    Structure("101", 0, 6),
    Structure("11", 0, 16),
)
TWO = np.array([[1, -2, 3, 300, -32768], [5, 6, -7, 8, 32767]])


def small(**more):
    return Record(("I", "V2"), TWO, **({"order": 0} | more))


def refused(data):
    with pytest.raises(BrokenPayload) as broken:
        read_ecg_file(data)
    assert broken.value.what in REFUSED
    return broken.value.what


def test_the_checksum_is_ccitts():
    assert crc(b"123456789") == checksum(b"123456789") == 0x29B1  # the check value of CRC-16/CCITT-FALSE


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize(
    ("table", "own"), [(None, False), (standard_table(), False), (standard_table(), True), (OWN_TABLE, True)]
)
def test_a_real_ecg_comes_back_sample_for_sample(order, table, own):
    read = read_ecg_file(write_scp(Record(LEADS, REAL, order=order, table=table, own_table=own)))
    assert (read.format, read.media_type) == ("scp-ecg", "application/vnd.scp-ecg")
    assert (read.values == REAL).all()
    assert read.measured.all()
    assert tuple(channel.name for channel in read.channels) == LEADS
    assert (read.channels[3].unit, read.channels[3].rate_hz) == ("mV", 500.0)
    assert read.channels[3].gain == pytest.approx(0.001)
    assert read.seconds == 3.0


def test_a_worked_stretch_of_the_standards_table():
    # 0, 1, -1, 2, 100 (8 bits after 1111111110), -300 (16 bits after 1111111111): by the table, by hand.
    bits = "0" + "100" + "101" + "1100" + "1111111110" + "01100100" + "1111111111" + "1111111011010100"
    data = int(bits.ljust(56, "0"), 2).to_bytes(7, "big")
    rhythm = struct.pack("<HHBBH", 5000, 4000, 0, 0, 7) + data
    lead = bytes((1, 4)) + struct.pack("<IIB", 1, 6, 2)
    read = read_ecg_file(assemble({1: b"\xff\0\0", 2: struct.pack("<H", 19999), 3: lead, 6: rhythm}))
    assert read.values.tolist() == [[0, 1, -1, 2, 100, -300]]
    assert (read.channels[0].name, read.channels[0].rate_hz) == ("II", 250.0)
    assert read.channels[0].gain == pytest.approx(0.005)


def test_who_when_and_with_what_are_read_and_the_name_hides_from_logs():
    zone = datetime.timezone(datetime.timedelta(hours=1))
    when = datetime.datetime(2026, 3, 14, 10, 32, 5, tzinfo=zone)
    owner = Owner("Benyoussef", "Fatima Zahra", "N 17", datetime.date(1962, 5, 4), 2)
    read = read_ecg_file(write_scp(small(owner=owner, taken=when)))
    assert (read.started, read.started.utcoffset()) == (when, datetime.timedelta(hours=1))
    assert read.device == {
        "maker": "Chevet Sim", "model": "CV-12", "serial": "C0012", "firmware": "3.1-sim",
        "highpass_hz": "0.05", "lowpass_hz": "150", "notch_hz": "50",
    }  # fmt: skip
    who = read.patient
    assert (who.name, who.number, who.birth_year, who.sex) == ("Benyoussef Fatima Zahra", "N 17", 1962, "F")
    assert who.known
    assert "Benyoussef" not in repr(read)
    assert "N 17" not in repr(read)


def test_a_record_that_says_nothing_of_anybody_is_read_too():
    read = read_ecg_file(write_scp(small()))
    assert not read.patient.known
    assert read.started is None


def test_texts_that_are_not_utf8_or_not_printable_are_made_fit_to_show():
    tags = {0: b"M\xfcller\x07\0rest", 14: bytes(20), 25: b"\xea\x07\x0d\x40", 26: bytes(3), 34: b"\x00"}
    read = read_ecg_file(write_scp(small(tags=tags)))
    assert read.patient.name == "Müller"
    assert read.started is None, "there is no month 13"
    assert read.device["model"] == "CV-12", "the first of two tags counts"


@pytest.mark.parametrize(("minutes", "zone"), [(-300, -5), (0x7FFF, None), (5000, None)])
def test_a_zone_is_read_where_it_can_be_one(minutes, zone):
    when = datetime.datetime(2026, 3, 14, 10, 32, 5)
    read = read_ecg_file(write_scp(small(taken=when, tags={34: struct.pack("<hHB", minutes, 0, 0)})))
    offset = read.started.utcoffset()
    assert offset == (None if zone is None else datetime.timedelta(hours=zone))


def test_leads_that_begin_at_different_samples_lie_beside_each_other_with_gaps():
    read = read_ecg_file(write_scp(small(firsts=(1, 4))))
    assert read.values.tolist() == [[*TWO[0], 0, 0, 0], [0, 0, 0, *TWO[1]]]
    assert read.measured.tolist() == [[True] * 5 + [False] * 3, [False] * 3 + [True] * 5]


def test_a_lead_of_an_unknown_number_or_named_twice_gets_a_name_of_its_own():
    read = read_ecg_file(write_scp(Record(("I", "I", "Q"), np.vstack((TWO, TWO[:1])), order=0)))
    assert [channel.name for channel in read.channels] == ["I", "I (2)", "lead 200"]


# Reference beats


def beat(**more):
    shape = np.array([[0, 40, 900, -200, 30, 10], [0, -10, -300, 60, 9, 2]])
    places = ((0, 2, 4, 7), (1, 9, 11, 14), (0, 16, 18, 21), (0, 28, 30, 99), (0, 0, 0, 0))
    return Beat(shape, 3, places, **more)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("table", [None, standard_table()])
@pytest.mark.parametrize("step_nv", [0, 5000])
def test_a_reference_beat_that_was_taken_out_is_put_back(order, table, step_nv):
    values = np.cumsum(np.arange(60).reshape(2, 30) % 7 - 3, axis=1)
    made = write_scp(Record(("I", "II"), values, order=order, table=table, beat=beat(step_nv=step_nv)))
    read = read_ecg_file(made)
    assert (read.values == values).all()
    assert read.channels[0].gain == pytest.approx(0.001)


def test_a_reference_beat_that_cannot_be_put_back_exactly_is_refused():
    values = np.zeros((2, 30), np.int64)
    record = Record(("I", "II"), values, step_nv=1000, beat=beat(step_nv=1500))
    assert refused(write_scp(record)) == "scp_units"
    assert refused(write_scp(Record(("I", "II"), values, beat=beat(every_us=1000)))) == "scp_rate"


def test_what_was_left_out_of_the_rhythm_is_not_made_up():
    assert refused(write_scp(small(bimodal=1))) == "scp_lossy"


# Files that are damaged or hostile


def parts(**changed):
    """Return the sections of a small file, with some of them changed."""
    rhythm = struct.pack("<HHBBH", 1000, 2000, 0, 0, 4) + struct.pack("<hh", 1, 2)
    usual = {1: b"\xff\0\0", 3: bytes((1, 4)) + struct.pack("<IIB", 1, 2, 1), 6: rhythm}
    return usual | {int(name[1:]): value for name, value in changed.items()}


def table_of(*rows):
    body = b"".join(struct.pack("<BBBhI", *row) for row in rows)
    return struct.pack("<HH", 1, len(rows)) + body


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"s3": b""}, "scp"),
        ({"s3": bytes((9, 4)) + bytes(9)}, "scp"),
        ({"s3": bytes((0, 4))}, "scp"),
        ({"s3": bytes((1, 4)) + struct.pack("<IIB", 3, 2, 1)}, "scp"),
        ({"s3": bytes((1, 4)) + struct.pack("<IIB", 0, 2, 1)}, "scp"),
        ({"s3": bytes((1, 4)) + struct.pack("<IIB", 1, 4_000_000_000, 1)}, "scp_too_long"),
        ({"s3": bytes((1, 4)) + struct.pack("<IIB", 1, 9, 1)}, "scp"),
        ({"s3": bytes((1, 5)) + struct.pack("<IIB", 1, 2, 1)}, "scp"),
        ({"s6": b""}, "scp"),
        ({"s6": struct.pack("<HHBBH", 0, 2000, 0, 0, 0)}, "scp"),
        ({"s6": struct.pack("<HHBBH", 1000, 0, 0, 0, 0)}, "scp"),
        ({"s6": struct.pack("<HHBBH", 1000, 2000, 3, 0, 0)}, "scp"),
        ({"s6": struct.pack("<HHBBH", 1000, 2000, 0, 0, 90)}, "scp"),
        ({"s1": b"\x00\xff\xff"}, "scp"),
        ({"s2": b"\x01"}, "scp"),
        ({"s2": b"\x00\x00"}, "scp_table"),
        ({"s2": struct.pack("<HH", 1, 0)}, "scp_table"),
        ({"s2": struct.pack("<HH", 1, 9)}, "scp"),
        ({"s2": table_of((0, 1, 1, 0, 0))}, "scp_table"),
        ({"s2": table_of((5, 1, 1, 0, 0))}, "scp_table"),
        ({"s2": table_of((1, 1, 1, 0, 0), (1, 1, 1, 1, 0))}, "scp_table"),
        ({"s2": table_of((1, 9, 1, 5, 0))}, "scp_table"),
        ({"s2": table_of((1, 1, 0, 2, 0))}, "scp_table"),
        ({"s2": table_of((1, 1, 0, 1, 0))}, "scp"),
        ({"s2": table_of((9, 9, 1, 1, 1))}, "scp"),
    ],
)
def test_sections_that_contradict_themselves_are_refused_with_a_word(changed, what):
    data = assemble({number: part for number, part in parts(**changed).items() if part or number != 3})
    assert refused(data) == what


def test_tables_may_send_to_each_other():
    first = table_of((1, 1, 0, 2, 0), (1, 1, 1, 3, 1))[2:]
    second = table_of((1, 1, 0, 1, 0), (1, 1, 1, 5, 1))[2:]
    rhythm = struct.pack("<HHBBH", 1000, 2000, 0, 0, 1) + bytes((0b10101110,))
    lead = bytes((1, 4)) + struct.pack("<IIB", 1, 5, 1)
    read = read_ecg_file(assemble(parts(s2=struct.pack("<H", 2) + first + second, s3=lead, s6=rhythm)))
    assert read.values.tolist() == [[3, 5, 3, 3, 3]]


def test_differences_that_grow_out_of_32_bits_are_refused():
    count = 40_000
    rhythm = struct.pack("<HHBBH", 1000, 2000, 2, 0, 65534) + struct.pack("<h", 32767) * 32767
    lead = bytes((1, 4)) + struct.pack("<IIB", 1, 32767, 1)
    assert count > 32767
    assert refused(assemble(parts(s3=lead, s6=rhythm))) == "scp"


@pytest.mark.parametrize("place", [0, 3, 8, 22, 40, 90, -1])
def test_one_changed_byte_anywhere_is_noticed(place):
    data = bytearray(write_scp(small()))
    data[place] ^= 0x10
    with pytest.raises(BrokenPayload):
        read_ecg_file(bytes(data))


def test_what_follows_the_record_is_left_and_a_cut_one_refused():
    whole = write_scp(small())
    assert read_ecg_file(whole + bytes(100)).values.shape == (2, 5)
    assert refused(whole[:-1]) == "scp"


def test_a_section_that_two_pointers_name_or_that_lies_outside_is_refused():
    whole = bytearray(write_scp(small()))
    first = 6 + 16
    again = bytes(whole)
    for change in (
        lambda data: data.__setitem__(slice(first + 10, first + 20), data[first : first + 10]),
        lambda data: data.__setitem__(slice(first + 6, first + 10), struct.pack("<I", 4_000_000_000)),
        lambda data: data.__setitem__(slice(first + 6, first + 10), struct.pack("<I", 0)),
        lambda data: data.__setitem__(slice(first + 2, first + 6), struct.pack("<I", 17)),
    ):
        data = bytearray(again)
        change(data)
        size = int.from_bytes(data[10:14], "little")
        data[6:8] = struct.pack("<H", checksum(bytes(data[8 : 6 + size])))
        data[0:2] = struct.pack("<H", checksum(bytes(data[2:])))
        assert refused(bytes(data)) == "scp"


def test_the_encoder_says_what_its_table_cannot_hold():
    with pytest.raises(ValueError, match="16 bits"):
        write_scp(small(order=2))


def test_other_files_are_not_taken_for_scp():
    assert not is_scp(b"")
    assert not is_scp(bytes(200))
    older = bytearray(write_scp(small()))
    older[16:22] = bytes(6)  # before version 1.3 nothing stood there
    size = int.from_bytes(older[10:14], "little")
    older[6:8] = struct.pack("<H", checksum(bytes(older[8 : 6 + size])))
    assert not is_scp(bytes(older))
    older[0:2] = struct.pack("<H", checksum(bytes(older[2:])))
    assert is_scp(bytes(older))
    assert read_ecg_file(bytes(older)).values.shape == (2, 5)


@settings(max_examples=50, deadline=None)
@given(
    arrays(np.int32, st.tuples(st.integers(1, 3), st.integers(1, 40)), elements=st.integers(-8000, 8000)),
    st.sampled_from([0, 1, 2]),
    st.sampled_from([None, standard_table(), OWN_TABLE]),
)
def test_whatever_was_encoded_comes_back(values, order, table):
    leads = ("II", "V1", "V6")[: len(values)]
    made = write_scp(Record(leads, values, order=order, table=table, own_table=table is OWN_TABLE))
    assert (read_ecg_file(made).values == values).all()


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_damaged_file_with_a_right_checksum_is_refused_or_read_and_nothing_else(data):
    record = Record(("I", "V2"), TWO // 8) if data.draw(st.booleans()) else Record(
        ("I", "II"), np.zeros((2, 30), np.int64), beat=beat()
    )  # fmt: skip
    whole = bytearray(write_scp(record))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(6, len(whole) - 1))] = data.draw(st.integers(0, 255))
    _mend(whole)
    with contextlib.suppress(BrokenPayload):
        read = read_ecg_file(bytes(whole))
        assert read.values.shape == read.measured.shape == (len(read.channels), read.values.shape[1])
    with contextlib.suppress(BrokenPayload):
        read_ecg_file(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


def _mend(whole):
    """Write right checksums wherever a section can be found, so that damage reaches the parsers."""
    at = 6
    while at + 16 <= len(whole):
        size = int.from_bytes(whole[at + 4 : at + 8], "little")
        if size < 16 or at + size > len(whole):
            break
        whole[at : at + 2] = struct.pack("<H", checksum(bytes(whole[at + 2 : at + size])))
        at += size
    whole[0:2] = struct.pack("<H", checksum(bytes(whole[2:])))
