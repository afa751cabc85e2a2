"""The spool: acknowledged means on the disk, settled means by receipt."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.edge import spool as spool_module
from chevet.edge.errors import DiskFull
from chevet.edge.spool import DAY_MS, PAGE, PENDING, REFUSED, SETTLED, Spool
from chevet.exchange.manifest import digest
from chevet.exchange.sealing import Sealed, SealedObject


def sealed(number: int, sizes: tuple[int, ...] = (100,)) -> Sealed:
    objects = tuple(
        SealedObject(oid, 3, bytes((number + oid + i) % 251 for i in range(size)))
        for oid, size in enumerate(sizes)
    )
    return Sealed(f"id-{number}", number.to_bytes(8, "big"), f"manifest {number}".encode(), objects)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        self.now += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_pending_is_oldest_first_and_put_is_idempotent(tmp_path: Path, clock: Clock) -> None:
    spool = Spool(tmp_path / "s.db", clock)
    assert spool.put(sealed(2))
    assert spool.put(sealed(1))
    assert not spool.put(sealed(2)), "encrypt once: the bytes never change"
    assert spool.pending() == [b"manifest 2", b"manifest 1"]
    assert spool.count() == 2
    spool.close()


@pytest.mark.parametrize("many", [0, 1, 2, 5])
def test_everything_is_listed_once_a_few_at_a_time(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(spool_module, "LISTED_AT_ONCE", 2)
    spool = Spool(tmp_path / "s.db", clock)
    items = [sealed(number) for number in range(many)]
    for item in items:
        spool.put(item)
    expected = [(item.id, digest(item.manifest).hex(), PENDING) for item in items]
    assert list(spool.everything()) == expected
    spool.close()


SIZES = (1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 17)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spool]:
    spool = Spool(tmp_path_factory.mktemp("s") / "s.db", lambda: 1)
    spool.put(sealed(1, SIZES))
    yield spool
    spool.close()


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_any_slice_reads_as_it_was_put(data: st.DataObject, filled: Spool) -> None:
    oid = data.draw(st.integers(0, len(SIZES) - 1))
    start = data.draw(st.integers(0, SIZES[oid] - 1))
    count = data.draw(st.integers(1, SIZES[oid] - start))
    bundle = sealed(1, SIZES)
    assert filled.read(bundle.tid, oid, start, count) == bundle.objects[oid].data[start : start + count]


def test_a_receipt_settles_and_the_payload_goes_after_its_retention(tmp_path: Path, clock: Clock) -> None:
    spool = Spool(tmp_path / "s.db", clock, retention_days=7)
    bundle = sealed(1)
    spool.put(bundle)
    spool.settle(bundle.tid, b"receipt")
    spool.settle(bundle.tid, b"another receipt")
    assert spool.pending() == []
    found = spool.find("id-1")
    assert found is not None
    assert found.state == SETTLED
    assert spool.drop_delivered() == 0
    clock.now += 7 * DAY_MS
    assert spool.drop_delivered() == 1
    assert spool.drop_delivered() == 0
    assert spool.read(bundle.tid, 0, 0, 100) == b""
    assert spool.find("id-1") is not None, "manifest and receipt stay as proof"
    spool.close()


def test_a_refused_bundle_is_kept_with_its_reason(tmp_path: Path, clock: Clock) -> None:
    spool = Spool(tmp_path / "s.db", clock, retention_days=0)
    bundle = sealed(1)
    spool.put(bundle)
    spool.refuse(bundle.tid, "bad_hash")
    spool.refuse(bundle.tid, "another")
    found = spool.find("id-1")
    assert found is not None
    assert (found.state, found.reason) == (REFUSED, "bad_hash")
    assert spool.pending() == []
    assert spool.drop_delivered() == 0
    assert spool.read(bundle.tid, 0, 0, 100) == bundle.objects[0].data
    assert spool.find("nothing") is None
    spool.close()


def test_numbers_are_never_given_twice(tmp_path: Path, clock: Clock) -> None:
    spool = Spool(tmp_path / "s.db", clock)
    first = [spool.next_seq() for _ in range(3)]
    spool.close()
    again = Spool(tmp_path / "s.db", clock)
    assert [*first, again.next_seq()] == [1, 2, 3, 4]
    again.close()


def test_a_bundle_that_does_not_fit_leaves_nothing_and_loses_nothing(tmp_path: Path, clock: Clock) -> None:
    spool = Spool(tmp_path / "s.db", clock)
    spool.put(sealed(1))
    pages = spool._database.rows("PRAGMA page_count")[0][0]
    spool._database.rows(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(DiskFull):
        spool.put(sealed(2, (PAGE, PAGE)))
    assert spool.pending() == [b"manifest 1"]
    assert spool.read(sealed(1).tid, 0, 0, 100) == sealed(1).objects[0].data
    spool.close()


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_edge_spool import sealed
from chevet.edge.spool import Spool
spool = Spool(Path(sys.argv[1]), lambda: 1)
number = 0
while True:
    number += 1
    spool.put(sealed(number, (5000, 70000)))
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 12])
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, after: int) -> None:
    path = tmp_path / "s.db"
    here = str(Path(__file__).parent)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), here], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(after)]
    time.sleep(0.01 * (after % 3))
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in writer.stdout.read().split()]
    writer.stdout.close()
    writer.wait()
    spool = Spool(path, lambda: 1)
    there = spool.pending()
    for number in acknowledged:
        bundle = sealed(number, (5000, 70000))
        assert bundle.manifest in there
        for item in bundle.objects:
            assert spool.read(bundle.tid, item.oid, 0, len(item.data)) == item.data
    spool.close()
