"""Room on the box: 80, 90, 95 percent; three days without a line; rows that grow old."""

import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from edge_fakes import Box
from test_edge_spool import sealed
from test_edge_uplink import sent

from chevet.edge.disk import EARLY, FULL, MEGABYTE, PLENTY, SPARE, Disk, used_share
from chevet.edge.errors import DiskFull
from chevet.edge.housekeeping import Housekeeping, forget_rows
from chevet.edge.spool import DAY_MS, SETTLED, Spool
from chevet.exchange.messages import ManifestMessage, read
from chevet.exchange.receiver import Receiver
from chevet.exchange.sender import Sender

sys.path.insert(0, str(Path(__file__).parent.parent / "exchange"))
from exchange_fakes import RELAY_KEY, SITE_KEY, OpeningInbox, bundle
from exchange_fakes import sealed as sealed_study


def disk(folder: Path, used: float, free: int = 2000 * MEGABYTE) -> Disk:
    return Disk(folder, 1000, 100, 50, measure=lambda _: free, share=lambda _: used)


def test_shares_of_the_disk_decide_where_little_is_left(tmp_path: Path) -> None:
    found = [disk(tmp_path, used) for used in (0.5, EARLY, SPARE, FULL)]
    assert [one.wants_room() for one in found] == [False, True, True, True]
    assert [one.spares() for one in found] == [False, False, True, True]
    assert [one.level() for one in found] == ["ok", "ok", "low", "full"]
    with pytest.raises(DiskFull):
        found[-1].require_room()
    found[-2].require_room()


def test_on_a_large_disk_no_share_refuses_a_patient(tmp_path: Path) -> None:
    assert disk(tmp_path, 0.99, PLENTY).level() == "ok"
    assert 0.0 < used_share(tmp_path) < 1.0
    gone = Disk(tmp_path / "gone", 10, 5, 0, measure=lambda _: 100)
    assert gone.used() == 1.0


def test_delivered_studies_go_before_their_time_oldest_first_and_give_room_back(tmp_path: Path) -> None:
    clock = [1_000_000]
    spool = Spool(tmp_path / "s.db", lambda: clock[0])
    for number in range(30):
        clock[0] += -5000 if number % 7 == 3 else 1000  # the wall clock steps back now and then
        spool.put(sealed(number, (200_000,)))
    for number in range(20):
        spool.settle(number.to_bytes(8, "big"), b"receipt")
    spool._database.give_back()
    before = (tmp_path / "s.db").stat().st_size
    assert spool.drop_oldest(10) == 10
    assert [one.id for one in spool.ended()] == [f"id-{number}" for number in range(10, 20)]
    assert (tmp_path / "s.db").stat().st_size < before - 1_500_000
    assert spool.drop_oldest(100) == 10
    assert spool.drop_oldest() == 0
    assert spool.pending() == [f"manifest {number}".encode() for number in range(20, 30)]
    assert len(spool.read((25).to_bytes(8, "big"), 0, 0, 200_000)) == 200_000
    spool.close()


def test_pages_that_nobody_owns_are_swept_at_start(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.db", lambda: 1)
    spool.put(sealed(1, (100, 100)))
    spool._database._connection.execute("PRAGMA foreign_keys=OFF")
    with spool._database.write() as cursor:
        cursor.execute("INSERT INTO pages VALUES (x'ff', 0, 0, x'00')")
    spool.close()
    again = Spool(tmp_path / "s.db", lambda: 1)
    assert again.swept == 1
    assert again.read((1).to_bytes(8, "big"), 0, 0, 100) == sealed(1, (100,)).objects[0].data
    again.close()


# Three days without a line


@dataclass
class Days:
    """A box that works for three days off line: its clock steps, its power goes, and its spool stays."""

    folder: Path
    wall_ms: int = 1_790_000_000_000
    monotonic: float = 500.0
    spool: Spool = field(init=False)
    sender: Sender = field(init=False)

    def __post_init__(self) -> None:
        self.boot()

    def boot(self) -> None:
        self.spool = Spool(self.folder / "spool.db", lambda: self.wall_ms)
        self.sender = Sender(self.spool, peer_key=RELAY_KEY.public_key())

    def reboot(self) -> None:
        self.spool.close()
        self.monotonic = 3.0
        self.boot()

    def pass_time(self, seconds: float) -> None:
        self.wall_ms += round(seconds * 1000)
        self.monotonic += seconds


def test_after_72_hours_off_line_everything_arrives_once_in_order_of_need(tmp_path: Path) -> None:
    box, put, urgent = Days(tmp_path), {}, []
    sizes = ((0, 300), (1, 1500), (3, 9000))
    for number in range(60):
        what = bundle(number, sizes)
        item = sealed_study(what, priority=0 if number % 15 == 7 else 1)
        box.spool.put(item)
        box.sender.add(item.manifest)
        put[what.id] = what
        urgent += [item.tid] if number % 15 == 7 else []
        box.pass_time(72 * 3600 / 60)
        assert box.sender.outgoing(box.monotonic) == []
        if number % 9 == 4:
            box.wall_ms += (-40 * DAY_MS, 400 * DAY_MS)[number % 2]  # no clock chip, then the network's time
        if number % 13 == 5:
            box.reboot()
        box.spool.drop_delivered()
    inbox, lanes = OpeningInbox(), []
    relay = Receiver(inbox, signer=RELAY_KEY, origin_key=lambda _: SITE_KEY.public_key())
    box.sender.connected(box.monotonic)
    for step in range(3000):
        if box.spool.count() == 0:
            break
        for message in box.sender.outgoing(box.monotonic):
            said = read(message.payload)
            lanes.append((message.lane, said))
            for answer in relay.receive("abc", message.payload, box.monotonic):
                if hasattr(answer, "payload"):
                    box.sender.receive(answer.payload, box.monotonic)
            box.sender.acknowledged(message.token, box.monotonic)
        box.pass_time(0.2)
        if step == 20:
            box.reboot()
            box.sender.connected(box.monotonic)
    assert inbox.complete == put
    assert sorted(inbox.commits) == sorted(put)
    manifests = [said.manifest for _, said in lanes if isinstance(said, ManifestMessage)]
    assert len(manifests) == len(set(manifests))
    order = [lane for lane, _ in lanes if lane in "pb"]
    assert order.index("b") > len(put), "the summary and preview of every study go before any bulk"
    first = list(dict.fromkeys(said.tid for lane, said in lanes if lane == "p"))[:12]
    assert set(urgent) <= set(first), "urgent ones are among the first, after what the window already held"
    assert box.spool.count(SETTLED) == 60
    box.spool.close()


# Old rows and the whole of housekeeping


def test_only_cases_answered_and_read_are_forgotten(box: Box) -> None:
    case, database = sent(box), box.database
    far = box.bedside.clock.now_ms() + DAY_MS
    with database.write() as cursor:
        cursor.execute("INSERT INTO transfers VALUES (x'01', 'relay', x'', 'complete', 5)")
        cursor.execute("INSERT INTO transfers VALUES (x'02', 'relay', x'', 'open', 5)")
        cursor.execute("INSERT INTO opinions VALUES ('o', ?, 1, 1, 5, x'')", (case,))
        cursor.execute("UPDATE patients SET used_ms = 5")
    assert forget_rows(database, 1) == 0, "nothing is old yet"
    assert forget_rows(database, far) == 1, "the transfer that is over"
    for state, unread in (("on_box", 0), ("opened", 0), ("answered", 1)):
        with database.write() as cursor:
            cursor.execute("UPDATE cases SET state = ?, unread = ?", (state, unread))
        assert forget_rows(database, far) == 0, f"{state} waits for somebody"
    assert box.bedside.visits.captures(case)
    with database.write() as cursor:
        cursor.execute("UPDATE cases SET unread = 0")
    assert forget_rows(database, far) >= 4
    for table in ("cases", "visits", "captures", "opinions", "patients"):
        assert database.rows(f"SELECT * FROM {table}") == [], table
    assert [row["state"] for row in database.rows("SELECT state FROM transfers")] == ["open"]
    assert box.bedside.spool.count() == 1, "what is not at the relay is never touched"


def test_housekeeping_makes_room_and_quiets_the_logs(box: Box) -> None:
    case = sent(box)
    found = box.bedside.spool.find(case)
    assert found is not None
    box.bedside.spool.settle(found.tid, b"receipt")
    used = [0.5]
    box.bedside.disk.measure = lambda _: 2000 * MEGABYTE
    box.bedside.disk.share = lambda _: used[0]
    box.bedside.disk.low_bytes = 0
    keeping = Housekeeping(box.bedside, box.database)
    keeping.tidy()
    assert len(box.bedside.spool.ended()) == 1
    used[0] = SPARE
    try:
        keeping.tidy()
        assert box.bedside.spool.ended() == []
        assert not logging.getLogger("chevet.edge").isEnabledFor(logging.INFO)
    finally:
        used[0] = 0.5
        keeping.tidy()
    assert logging.getLogger("chevet").level == logging.NOTSET


def test_receipts_are_forgotten_after_their_time_and_numbers_never_given_twice(tmp_path: Path) -> None:
    now = [DAY_MS]
    spool = Spool(tmp_path / "s.db", lambda: now[0], retention_days=1)
    for number in range(3):
        spool.put(sealed(number))
        spool.settle(number.to_bytes(8, "big"), b"receipt")
    assert spool.forget(10 * DAY_MS) == 0, "their payload is still here"
    now[0] += 2 * DAY_MS
    assert spool.drop_delivered() == 3
    assert spool.forget(10 * DAY_MS) == 2
    assert spool.find("id-2") is not None
    spool.close()
