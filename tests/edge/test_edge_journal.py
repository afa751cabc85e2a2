"""The journal of a capture: whatever is torn, what was synced before is there, and nothing is made up."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices.samples import Channel, Event, Notice, Picture, Reading, SampleBlock
from chevet.edge.errors import JournalDamaged
from chevet.edge.journal import JournalWriter, Opening, cut_torn_tail, read_journal

OPENING = Opening(
    capture="c1",
    visit="v1",
    step="ecg",
    site="",
    side="",
    device="ecg",
    driver="kit-ecg",
    link="serial:ecg",
    seconds=10.0,
    started_ms=1_700_000_000_000,
    started_at=12.5,
    simulated=True,
    identity={"model": "Kit ECG"},
)
ONE = (Channel("I", "mV", 500.0, 0.001), Channel("II", "mV", 500.0, 0.001))
TWO = (Channel("pleth", "1", 75.0, 1.0, 0.5),)


def block(channels: tuple[Channel, ...], first: int, values: list[int]) -> SampleBlock:
    row = np.array([values] * len(channels), np.int16)
    return SampleBlock(channels, row, first, first / 500)


EVENTS: list[Event] = [
    block(ONE, 0, [1, -2, 3]),
    Reading("spo2", 97.0, "%", 1.0, ("artifact",)),
    Reading("spo2", None, "%", 2.0),
    block(TWO, 7, [9]),
    Picture(b"\xff\xd8picture\xff\xd9", "image/jpeg", 3.0, "left"),
    Notice("lead_off", 3.5, True, "V3"),
    block(ONE, 25, [32767, -32768]),
]


def written(path: Path, events: list[Event] = EVENTS, *, close: bool = True) -> bytes:
    path.unlink(missing_ok=True)
    writer = JournalWriter.create(path, OPENING)
    for event in events:
        writer.append(event)
    if close:
        writer.close("done")
    else:
        writer.sync()
        writer.leave()
    return path.read_bytes()


def same(left: Event, right: Event) -> bool:
    if isinstance(left, SampleBlock) and isinstance(right, SampleBlock):
        return (left.channels, left.first, left.at) == (right.channels, right.first, right.at) and bool(
            np.array_equal(left.values, right.values)
        )
    return left == right


def test_everything_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written(tmp_path / "j")
    journal = read_journal(tmp_path / "j")
    assert journal.opening == OPENING
    assert journal.end == "done"
    assert len(journal.events) == len(EVENTS)
    assert all(same(*pair) for pair in zip(journal.events, EVENTS, strict=True))


def test_a_journal_torn_at_any_byte_gives_a_prefix_and_never_an_invention(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole")
    torn = tmp_path / "torn"
    lengths = set()
    for cut in range(len(whole)):
        torn.write_bytes(whole[:cut])
        try:
            journal = read_journal(torn)
        except JournalDamaged:
            assert cut < 400, "only a journal without its whole opening is beyond rescue"
            continue
        assert all(same(*pair) for pair in zip(journal.events, EVENTS, strict=False))
        assert journal.end == ""
        assert journal.whole_bytes <= cut
        lengths.add(len(journal.events))
    assert lengths == set(range(len(EVENTS) + 1))


def test_a_torn_tail_is_cut_at_the_last_good_record(tmp_path: Path) -> None:
    whole = written(tmp_path / "j")
    (tmp_path / "j").write_bytes(whole[:-3])
    journal = cut_torn_tail(tmp_path / "j")
    assert (tmp_path / "j").stat().st_size == journal.whole_bytes < len(whole) - 3
    assert cut_torn_tail(tmp_path / "j").whole_bytes == journal.whole_bytes
    assert len(journal.events) == len(EVENTS)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_byte_costs_what_follows_it_and_nothing_before(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("j") / "j"
    whole = bytearray(written(path))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)
    try:
        journal = read_journal(path)
    except JournalDamaged:
        return
    assert journal.whole_bytes <= len(whole)
    assert all(same(*pair) for pair in zip(journal.events, EVENTS, strict=False))


@settings(max_examples=40, deadline=None)
@given(junk=st.binary(max_size=200))
def test_garbage_is_refused_or_ignored(junk: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("j") / "j"
    whole = written(path, close=False)
    path.write_bytes(whole + junk)
    assert len(read_journal(path).events) == len(EVENTS)
    path.write_bytes(junk)
    with pytest.raises(JournalDamaged):
        read_journal(path)


def test_what_was_not_synced_is_not_promised_and_what_was_is_there(tmp_path: Path) -> None:
    writer = JournalWriter.create(tmp_path / "j", OPENING)
    writer.append(EVENTS[0])
    assert read_journal(tmp_path / "j").events == ()
    writer.sync()
    assert len(read_journal(tmp_path / "j").events) == 1
    writer.close("done")


def test_wide_samples_keep_every_bit(tmp_path: Path) -> None:
    wide = SampleBlock(TWO, np.array([[8_388_607, -8_388_608]], np.int32), 0, 0.0)
    written(tmp_path / "j", [wide])
    found = read_journal(tmp_path / "j").events[0]
    assert isinstance(found, SampleBlock)
    assert found.values.tolist() == [[8_388_607, -8_388_608]]


class FullDisk:
    """An open file on a disk that has room for so many bytes."""

    def __init__(self, path: Path, room: int) -> None:
        self._file = path.open("wb")
        self._room = room

    def write(self, data: bytes, /) -> int:
        part = data[: self._room]
        self._file.write(part)
        self._room -= len(part)
        if len(part) < len(data):
            self._file.flush()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(data)

    def flush(self) -> None:
        self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()


@pytest.mark.parametrize("room", [300, 420, 500, 600])
def test_a_full_disk_raises_and_leaves_a_readable_journal(tmp_path: Path, room: int) -> None:
    path = tmp_path / "j"
    writer = JournalWriter(FullDisk(path, room), OPENING)
    for event in EVENTS * 5:
        writer.append(event)
    with pytest.raises(OSError, match="No space"):
        writer.sync()
    with pytest.raises(OSError, match="No space"):
        writer.close("done")
    try:
        journal = cut_torn_tail(path)
    except JournalDamaged:
        assert room < 400
    else:
        assert all(same(*pair) for pair in zip(journal.events, EVENTS * 5, strict=False))
