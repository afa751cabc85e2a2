"""A covered journal: torn anywhere it gives back what was whole, changed anywhere nothing that is false."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_edge_journal import EVENTS, ONE, OPENING, block, same

from chevet.devices.samples import Event, Picture, SampleBlock
from chevet.edge.at_rest import DataKey
from chevet.edge.covered_files import bring_forward, uncovered
from chevet.edge.errors import JournalDamaged
from chevet.edge.journal import JournalWriter, cut_torn_tail, read_journal

KEY = DataKey(bytes(range(32)), "0" * 32)
OTHER = DataKey(bytes(32), "0" * 32)
FEW = EVENTS[:4]


def written(path: Path, events: list[Event], key: DataKey | None = KEY) -> bytes:
    path.unlink(missing_ok=True)
    writer = JournalWriter.create(path, OPENING, key)
    for event in events:
        writer.append(event)
    writer.close("done")
    return path.read_bytes()


def begins_like(found: tuple[Event, ...], events: list[Event]) -> bool:
    return len(found) <= len(events) and all(map(same, found, events))


def test_everything_comes_back_and_nothing_is_seen(tmp_path: Path) -> None:
    values = [4660 + n for n in range(40)]
    picture = Picture(b"\xff\xd8the drum of an ear\xff\xd9", "image/jpeg", 1.0, "left")
    events: list[Event] = [*EVENTS, block(ONE, 100, values), picture]
    data = written(tmp_path / "j", events)
    journal = read_journal(tmp_path / "j", KEY)
    assert (journal.opening, journal.end, journal.whole_bytes) == (OPENING, "done", len(data))
    assert len(journal.events) == len(events)
    assert begins_like(journal.events, events)
    for seen in (b"Kit ECG", b"drum of an ear", b"spo2", b"kit-ecg", np.array(values, "<i2").tobytes()[:8]):
        assert seen not in data


def test_a_tail_torn_at_any_byte_gives_back_what_was_whole(tmp_path: Path) -> None:
    data = written(tmp_path / "j", FEW)
    torn, before = tmp_path / "torn", -1
    for length in range(len(data)):
        torn.write_bytes(data[:length])
        read = read_journal if length % 50 else cut_torn_tail  # to cut means to wait for the disk
        try:
            journal = read(torn, KEY)
        except JournalDamaged:
            assert before == -1, "once the beginning is whole it stays readable"
            assert torn.stat().st_size == length, "nothing is cut from what cannot be read"
            continue
        assert begins_like(journal.events, FEW)
        assert len(journal.events) >= max(before, 0)
        assert torn.stat().st_size == (length if length % 50 else journal.whole_bytes)
        assert journal.end == ""
        before = len(journal.events)
    assert before == len(FEW)


def test_a_bit_flipped_anywhere_is_seen(tmp_path: Path) -> None:
    data = written(tmp_path / "j", FEW)
    harmed = tmp_path / "harmed"
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        harmed.write_bytes(bytes(flipped))
        try:
            journal = read_journal(harmed, KEY)
        except JournalDamaged:
            continue
        assert begins_like(journal.events, FEW)
        assert journal.whole_bytes < len(data)


def test_records_that_were_moved_doubled_left_out_or_brought_from_another_file_do_not_open(
    tmp_path: Path,
) -> None:
    first = written(tmp_path / "a", EVENTS)
    second = written(tmp_path / "b", EVENTS)
    assert first != second
    head, records = first[:24], []
    rest = first[24:]
    while rest:
        size = 4 + int.from_bytes(rest[:4], "little")
        records.append(rest[:size])
        rest = rest[size:]
    foreign = second[24 + len(records[0]) :]
    for wrong in (
        [records[0], records[2], *records[2:]],
        [records[0], records[1], records[1], *records[2:]],
        [records[0], records[2], records[1], *records[3:]],
        [records[0], foreign],
    ):
        (tmp_path / "w").write_bytes(head + b"".join(wrong))
        assert len(read_journal(tmp_path / "w", KEY).events) <= 1
    assert len(read_journal(tmp_path / "a", KEY).events) == len(EVENTS)


def test_another_key_or_none_reads_nothing_and_touches_nothing(tmp_path: Path) -> None:
    covered = written(tmp_path / "covered", EVENTS)
    plain = written(tmp_path / "plain", EVENTS, None)
    for path, key, data in (("covered", OTHER, covered), ("covered", None, covered), ("plain", KEY, plain)):
        with pytest.raises(JournalDamaged):
            cut_torn_tail(tmp_path / path, key)
        assert (tmp_path / path).read_bytes() == data


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.integers(-32768, 32767), min_size=1, max_size=9), max_size=8),
    st.binary(max_size=80),
    st.integers(0, 80),
)
def test_whatever_is_recorded_comes_back_before_any_torn_tail(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[int]], tail: bytes, lost: int
) -> None:
    path = tmp_path_factory.mktemp("j") / "j"
    events: list[Event] = [block(ONE, 10 * n, row) for n, row in enumerate(rows)]
    data = written(path, events)
    path.write_bytes(data + tail)
    journal = read_journal(path, KEY)
    assert len(journal.events) == len(events)
    assert begins_like(journal.events, events)
    assert journal.whole_bytes == len(data)
    path.write_bytes(data[: len(data) - lost])
    try:
        assert begins_like(read_journal(path, KEY).events, events)
    except JournalDamaged:
        assert lost > 0


def test_wide_samples_and_several_syncs_come_back(tmp_path: Path) -> None:
    writer = JournalWriter.create(tmp_path / "j", OPENING, KEY)
    wide = SampleBlock(ONE[:1], np.array([[1 << 40, -5]], np.int64), 0, 0.0)
    for event in (wide, EVENTS[0], EVENTS[3]):
        writer.append(event)
        writer.sync()
    writer.leave()
    journal = read_journal(tmp_path / "j", KEY)
    assert journal.end == ""
    assert begins_like(journal.events, [wide, EVENTS[0], EVENTS[3]])
    assert len(journal.events) == 3


def test_a_journal_in_the_clear_is_brought_forward_without_its_torn_tail(tmp_path: Path) -> None:
    folder = tmp_path / "journals"
    folder.mkdir()
    written(folder / "a.journal", EVENTS, None)
    with (folder / "a.journal").open("ab") as file:
        file.write(b"\x01torn")
    (folder / "a.copies").write_bytes(b"made again")
    assert [path.name for path in uncovered(tmp_path)] == ["a.copies", "a.journal"]
    (folder / ".a.journal.new").write_bytes(b"of a power cut")
    assert bring_forward(tmp_path, KEY) == 2
    assert [path.name for path in folder.iterdir()] == ["a.journal"]
    journal = read_journal(folder / "a.journal", KEY)
    assert (journal.opening, journal.end) == (OPENING, "done")
    assert begins_like(journal.events, EVENTS)
    assert len(journal.events) == len(EVENTS)
    assert bring_forward(tmp_path, KEY) == 0, "a second time there is nothing left to do"


def test_a_cut_while_one_is_brought_forward_leaves_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "journals"
    folder.mkdir()
    old = {name: written(folder / f"{name}.journal", EVENTS, None) for name in "abc"}
    replaced: list[Path] = []

    def cut(fresh: Path, path: Path) -> Path:
        if len(replaced) == 1:
            raise OSError("no power")
        replaced.append(path)
        return path.write_bytes(fresh.read_bytes()) and path

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", cut)
        with pytest.raises(OSError, match="no power"):
            bring_forward(tmp_path, KEY)
    plain = [name for name in "abc" if (folder / f"{name}.journal").read_bytes() == old[name]]
    assert len(plain) == 2
    assert bring_forward(tmp_path, KEY) == 2
    for name in "abc":
        assert len(read_journal(folder / f"{name}.journal", KEY).events) == len(EVENTS)
