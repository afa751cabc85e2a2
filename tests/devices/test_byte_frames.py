import numpy as np
import pytest
from driver_bench import cut
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices.byte_frames import FixedFrames, int24, little
from chevet.devices.counters import Counters


def frame(number):
    return bytes((0xAB, number, 255 - number, 0xCD))


def frames(**more):
    def valid(rows):
        return (rows[:, 0] == 0xAB) & (rows[:, 1] + rows[:, 2] == 255) & (rows[:, 3] == 0xCD)

    counters = Counters()
    return FixedFrames(4, valid, counters, start=b"\xab", **more), counters


def numbers(found):
    return [int(row[1]) for _, rows in found for row in rows]


def test_frames_are_cut_out_of_noise_and_what_was_skipped_is_told():
    reader, counters = frames()
    found = reader.feed(b"\x00\x01" + frame(1) + frame(2) + b"\xab\xab" + frame(3))
    assert [(skipped, len(rows)) for skipped, rows in found] == [(2, 1), (0, 1), (2, 1)]
    assert (counters.frames, counters.bad_frames, counters.resyncs) == (3, 2, 2)


def test_what_is_not_whole_waits():
    reader, _ = frames()
    assert reader.feed(frame(1)[:3]) == []
    assert reader.pending == 3
    assert numbers(reader.feed(frame(1)[3:])) == [1]
    reader.feed(frame(2)[:2])
    reader.restart()
    assert reader.pending == 0


def test_frames_in_a_row_are_asked_for_after_every_break():
    reader, _ = frames(confirm=3)
    assert numbers(reader.feed(frame(1) + frame(2))) == []
    assert numbers(reader.feed(frame(3) + frame(4))) == [1, 2, 3, 4]
    assert numbers(reader.feed(b"\x00" + frame(5) + frame(6))) == []
    assert numbers(reader.feed(frame(7))) == [5, 6, 7]


def test_a_frame_that_does_not_follow_the_one_before_begins_a_search():
    def follows(rows):
        return rows[1:, 1] == rows[:-1, 1] + 1

    reader, counters = frames(confirm=2, follows=follows)
    assert numbers(reader.feed(frame(1) + frame(2) + frame(9))) == [1, 2]
    assert numbers(reader.feed(frame(10) + frame(11))) == [9, 10, 11]
    assert counters.bad_frames == 0


def test_a_frame_may_be_judged_by_the_beginning_of_the_next():
    def valid(rows):
        return (rows[:, 0] == 0xAB) & (rows[:, 4] == 0xAB)

    reader = FixedFrames(4, valid, Counters(), peek=1)
    assert numbers(reader.feed(frame(1) + frame(2))) == [1]
    assert numbers(reader.feed(b"\xab")) == [2]


@settings(max_examples=50)
@given(
    st.lists(st.one_of(st.integers(0, 255).map(frame), st.binary(max_size=6)), max_size=30),
    st.lists(st.integers(0, 10**6), max_size=10),
    st.integers(1, 3),
)
def test_any_cutting_finds_the_same_frames(parts, places, confirm):
    def run(pieces):
        reader, counters = frames(confirm=confirm)
        found = [one for piece in pieces for one in reader.feed(piece)]
        joined = []
        for skipped, rows in found:
            joined += [(skipped if place == 0 else 0, bytes(row)) for place, row in enumerate(rows)]
        return joined, counters

    data = b"".join(parts)
    assert run(cut(data, places)) == run([data])


def test_whole_frames_in_any_noise_that_cannot_begin_one_are_all_found():
    reader, _ = frames()
    noise = bytes(range(0xAB)) * 3
    assert numbers(reader.feed(b"".join(noise + frame(n) for n in range(50)))) == list(range(50))


@pytest.mark.parametrize("value", [0, 1, -1, 2**23 - 1, -(2**23), 4474])
def test_24_bit_numbers(value):
    rows = np.frombuffer(b"\x55" + value.to_bytes(3, "big", signed=True) * 2, np.uint8)[np.newaxis]
    assert int24(rows, 1, 2).tolist() == [[value], [value]]


@pytest.mark.parametrize(("kind", "value"), [("<i2", -120), ("<u2", 65000), ("<i4", -(2**31)), ("u1", 200)])
def test_little_endian_numbers(kind, value):
    rows = np.frombuffer(b"\x01" + np.array(value, kind).tobytes(), np.uint8)[np.newaxis]
    assert little(rows, 1, kind).tolist() == [value]
