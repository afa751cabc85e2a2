"""A box without a battery-backed clock: time never falls below what is certain, and certificates follow."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chevet.edge import box as box_room
from chevet.edge.box import BoxClock
from chevet.edge.clock_floor import FLOOR_FILE, MADE_MS, ClockFloor
from chevet.edge.identity import new_id

DAY_MS = 24 * 3_600_000
LATER_MS = MADE_MS + 100 * DAY_MS


class Ticks:
    """A monotonic clock that only the test moves, in seconds."""

    s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def test_a_new_box_lives_no_earlier_than_its_version(tmp_path: Path, ticks: Ticks) -> None:
    floor = ClockFloor(tmp_path, ticks)
    assert floor.ms() == MADE_MS
    ticks.s = 5.0
    assert floor.ms() == MADE_MS + 5000


def test_what_was_seen_is_kept_over_a_power_cut_and_never_falls(tmp_path: Path, ticks: Ticks) -> None:
    floor = ClockFloor(tmp_path, ticks)
    floor.seen(LATER_MS)
    floor.seen(MADE_MS)
    assert floor.ms() == LATER_MS
    assert ClockFloor(tmp_path, ticks).ms() == LATER_MS
    ticks.s += 3600.0
    floor.seen(floor.ms())
    assert ClockFloor(tmp_path, ticks).ms() == LATER_MS + 3_600_000


def test_flash_is_spared(tmp_path: Path, ticks: Ticks) -> None:
    floor = ClockFloor(tmp_path, ticks)
    floor.seen(LATER_MS)
    before = (tmp_path / FLOOR_FILE).stat().st_ino
    for _ in range(5):
        ticks.s += 60.0
        floor.seen(floor.ms())
    assert (tmp_path / FLOOR_FILE).stat().st_ino == before


def test_the_relays_word_mends_a_bound_that_a_wrong_clock_had_lifted(tmp_path: Path, ticks: Ticks) -> None:
    floor = ClockFloor(tmp_path, ticks)
    floor.seen(LATER_MS + 9000 * DAY_MS)
    floor.told(LATER_MS)
    assert floor.ms() == LATER_MS
    floor.told(LATER_MS - 3_600_000)
    assert floor.ms() == LATER_MS
    assert ClockFloor(tmp_path, ticks).ms() == LATER_MS


@pytest.mark.parametrize("text", ["", "soon", "-5", "\x00"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, ticks: Ticks, text: str) -> None:
    (tmp_path / FLOOR_FILE).write_text(text)
    assert ClockFloor(tmp_path, ticks).ms() == MADE_MS


def test_a_folder_that_cannot_be_written_ends_nothing(tmp_path: Path, ticks: Ticks) -> None:
    floor = ClockFloor(tmp_path / "none", ticks)
    floor.seen(LATER_MS)
    assert floor.ms() == LATER_MS


def test_without_a_synchronised_clock_a_certificates_end_counts_against_the_bound(
    tmp_path: Path, ticks: Ticks
) -> None:
    floor = ClockFloor(tmp_path, ticks)
    begins, ends = at(LATER_MS), at(LATER_MS + 365 * DAY_MS)
    assert floor.fits(begins, ends, 0, synchronised=False)
    assert floor.ms() == LATER_MS, "the certificate's beginning has certainly passed"
    wild = LATER_MS + 9000 * DAY_MS
    assert floor.fits(begins, ends, wild, synchronised=False), "a wrong clock locks nobody out"
    assert not floor.fits(at(MADE_MS), at(LATER_MS - 1), 0, synchronised=False)


def test_with_a_synchronised_clock_both_dates_count(tmp_path: Path, ticks: Ticks) -> None:
    floor = ClockFloor(tmp_path, ticks)
    begins, ends = at(LATER_MS), at(LATER_MS + DAY_MS)
    assert floor.fits(begins, ends, LATER_MS + 1, synchronised=True)
    assert not floor.fits(begins, ends, LATER_MS - 1, synchronised=True)
    assert not floor.fits(begins, ends, LATER_MS + DAY_MS + 1, synchronised=True)


def test_a_box_that_starts_in_1970_dates_nothing_before_the_bound(
    tmp_path: Path, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box_room.time, "time_ns", lambda: 7_000_000_000)
    monkeypatch.setattr(BoxClock, "quality", lambda _: "free-running")
    clock = BoxClock(floor=ClockFloor(tmp_path, ticks))
    assert clock.now_ms() == MADE_MS
    assert int(new_id().replace("-", "")[:12], 16) == MADE_MS
    clock.note(LATER_MS)
    ticks.s += 2.0
    assert clock.reading().wall_ms == LATER_MS + 2000
    year = timedelta(days=365)
    assert clock.fits(at(LATER_MS), at(LATER_MS) + year)
    assert not clock.fits(at(MADE_MS) - year, at(MADE_MS))
    clock.note()
    assert ClockFloor(tmp_path, ticks).ms() >= LATER_MS


def test_a_clock_without_a_bound_judges_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_room.time, "time_ns", lambda: LATER_MS * 1_000_000)
    clock = BoxClock()
    clock.note(MADE_MS)
    assert clock.fits(at(MADE_MS), at(LATER_MS + 1))
    assert not clock.fits(at(LATER_MS + 1), at(LATER_MS + 2))
