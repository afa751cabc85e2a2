"""By a courier's stick from a box to the relay and back: the same receipts, and everything once."""

import os
from collections import Counter

import pytest

from chevet.edge.carry import Exported, bring, export
from chevet.edge.errors import Refusal
from chevet.edge.spool import SETTLED, Spool
from chevet.exchange.carrier import DOWN, UP, Item, Stick, messages_of
from chevet.exchange.events import Completed, Reply, Settled, StatusNews
from chevet.exchange.messages import for_sender
from chevet.exchange.receiver import Receiver
from chevet.exchange.sealing import RELAY
from chevet.exchange.sender import Sender
from chevet.relay.archive.answers import Draft, Note
from chevet.relay.carry import Import
from chevet.relay.cli import main
from chevet.relay.errors import CarryError
from chevet.relay.orphans import delivered
from chevet.study.bundle import pack

from .conftest import PASSWORD
from .test_downlink import SiteInbox


class Box:
    """A box's spool, Sender and Receiver, without its agent."""

    def __init__(self, world, folder, code="abc"):
        self.code = code
        self.spool = Spool(folder / f"{code}-spool.db", world.clock)
        relay_key = world.relay.keys.relay.public_key()
        self.sender = Sender(self.spool, peer_key=relay_key)
        self.inbox = SiteInbox()
        self.receiver = Receiver(
            self.inbox,
            signer=world.site.signer,
            origin_key=lambda origin: relay_key if origin == RELAY else None,
        )
        self.events = []

    def put(self, sealed):
        self.spool.put(sealed)
        self.sender.add(sealed.manifest)
        return sealed

    async def take(self, payload):
        if for_sender(payload):
            self.events += self.sender.receive(payload, 0.0)
            return []
        found = self.receiver.receive(RELAY, payload, 0.0)
        self.events += found
        return [one.payload for one in found if isinstance(one, Reply)]

    def fill(self, stick):
        done = Exported()
        return done, list(export(self.spool, self.code, stick, done))

    async def bring(self, stick):
        return await bring(self.spool, self.code, stick, self.take)

    def count(self):
        return Counter(type(event) for event in self.events)


@pytest.fixture
def box(world, tmp_path):
    made = Box(world, tmp_path)
    yield made
    made.spool.close()


@pytest.fixture
def stick(tmp_path):
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def imported(world, stick):
    work = Import(world.relay, lambda: 0.0)
    return work.outcome, list(work.run(stick))


async def test_studies_go_and_receipts_and_answers_come_back_once_each(world, box, stick, make_study):
    studies = [make_study() for _ in range(3)]
    for study in studies:
        box.put(world.site.seal(pack(study)))
    done, lines = box.fill(stick)
    assert (done.written, done.there, done.left) == (3, 0, 0)
    assert lines[-1].startswith("3 of 3  100 %")

    outcome, lines = imported(world, stick)
    assert (outcome.complete, outcome.refused) == (3, 0)
    assert lines[-1].startswith("abc.down: 3 receipts and 0 answers")
    user = world.user()
    world.relay.cases.claim(studies[0].id, user)
    world.relay.cases.open(studies[0].id, user)
    key = world.relay.sign_in.signing_key(user, PASSWORD)
    draft = Draft("Well.", "certain", "Rest.", "routine", False, None)
    world.relay.answers.give_opinion(studies[0].id, user, draft, key)
    outcome, lines = imported(world, stick)
    assert outcome.complete == 3, "what is here already says so again"
    assert "3 receipts and 1 answers" in lines[-1]

    brought = await box.bring(stick)
    assert brought.settled == 3
    assert box.spool.pending() == []
    sent, here = list(box.spool.everything()), list(delivered(world.relay, "abc"))
    assert sorted(here) == sorted((ident, sha256) for ident, sha256, _ in sent), "box and relay list the same"
    assert {state for _, _, state in sent} == {SETTLED}
    assert list(delivered(world.relay, "elsewhere")) == []
    assert {spooled.state for spooled in box.spool.ended()} == {SETTLED}
    seen = box.count()
    assert (seen[Settled], seen[Completed]) == (3, 1)
    assert {event.status for event in box.events if isinstance(event, StatusNews)} == {"opened", "answered"}
    assert sorted(path.name for path in (stick / "chevet").iterdir()) == ["abc.back", "abc.down"]

    again = await box.bring(stick)
    assert again.settled == 0
    assert box.count()[Settled] == 3, "a second time nothing happens"
    assert box.count()[Completed] == 1

    assert len(list(world.relay.outbox("abc").pending())) == 1
    imported(world, stick)
    assert list(world.relay.outbox("abc").pending()) == [], "the box's receipt came by the stick"
    with world.relay.database.read() as connection:
        assert len(world.relay.cases.get(connection, studies[0].id).id) == 36


async def test_an_export_goes_on_where_it_was_interrupted_and_writes_damaged_files_anew(
    world, box, stick, make_study
):
    first, second = (box.put(world.site.seal(pack(make_study()))) for _ in range(2))
    box.fill(stick)
    (broken,) = (stick / "chevet").glob(f"abc-{second.tid.hex()}.up")
    broken.write_bytes(broken.read_bytes()[:-40])
    done, _ = box.fill(stick)
    assert (done.written, done.there) == (1, 1)
    assert first.tid != second.tid
    outcome, _ = imported(world, stick)
    assert outcome.complete == 2


def test_a_full_stick_takes_what_fits_and_says_what_stays(world, box, stick, make_study, monkeypatch):
    urgent = world.site.seal(pack(make_study()))
    box.put(urgent)
    monkeypatch.setattr(Stick, "free", lambda _: 1000)
    done, lines = box.fill(stick)
    assert (done.written, done.left) == (0, 1)
    assert "no room" in lines[0]
    assert box.spool.pending()


def test_a_stick_that_is_not_there_or_breaks_is_told_with_its_remedy(
    world, box, tmp_path, make_study, monkeypatch
):
    box.put(world.site.seal(pack(make_study())))
    with pytest.raises(Refusal, match="mounted there"):
        box.fill(tmp_path / "nothing")
    with pytest.raises(CarryError, match="mounted there"):
        imported(world, tmp_path / "nothing")

    def breaks(*_):
        raise OSError(5, "Input/output error")

    (tmp_path / "chevet").mkdir()
    monkeypatch.setattr(Stick, "write", breaks)
    with pytest.raises(Refusal, match="Input/output error"):
        box.fill(tmp_path)
    monkeypatch.setattr(Stick, "items", breaks)
    with pytest.raises(CarryError, match="Input/output error"):
        imported(world, tmp_path)


async def test_nothing_hostile_on_a_stick_is_taken_and_the_rest_is(world, box, stick, make_study):
    good, altered, cut, lost = (box.put(world.site.seal(pack(make_study()))) for _ in range(4))
    box.fill(stick)
    folder = stick / "chevet"
    path = folder / f"abc-{altered.tid.hex()}.up"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    path = folder / f"abc-{cut.tid.hex()}.up"
    path.write_bytes(path.read_bytes()[:-100])
    path = folder / f"abc-{lost.tid.hex()}.up"
    path.unlink()
    path.symlink_to("/etc/hostname")
    foreign = world.site.seal(pack(make_study()))
    with Stick(stick) as open_stick:
        messages = list(messages_of(_Held(foreign), foreign.manifest))
        for code in ("zzz", "rev"):
            open_stick.write(Item(f"{code}-{foreign.tid.hex()}.up", UP, code, foreign.tid), messages)
        stranger = world.site.seal(pack(make_study()), signer=type(world.site)("abc", []).signer)
        item = Item(f"abc-{stranger.tid.hex()}.up", UP, "abc", stranger.tid)
        open_stick.write(item, list(messages_of(_Held(stranger), stranger.manifest)))
    os.mkfifo(folder / "rev.back")
    outcome, lines = imported(world, stick)
    told = "\n".join(lines)
    assert (outcome.complete, outcome.refused) == (1, 7)
    for words in (
        "changed or damaged",
        "ends too early",
        "a link, a folder or a pipe",
        "not known here, or was revoked",
        "bad_signature",
    ):
        assert words in told
    assert f"abc-{good.tid.hex()}.up: here whole" in told
    assert not (folder / "zzz.down").exists()
    brought = await box.bring(stick)
    assert brought.settled == 1
    assert len(box.spool.pending()) == 3


async def test_a_box_takes_nothing_that_is_altered_forged_or_of_another_site(world, box, stick, make_study):
    sealed = box.put(world.site.seal(pack(make_study())))
    with pytest.raises(Refusal, match="mounted there"):
        await box.bring(stick)
    box.fill(stick)
    with pytest.raises(Refusal, match="nothing of the relay for site abc"):
        await box.bring(stick)
    imported(world, stick)
    down = stick / "chevet" / "abc.down"
    whole = down.read_bytes()
    down.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(Refusal, match="changed or damaged"):
        await box.bring(stick)
    assert box.spool.pending(), "and nothing was settled by it"
    with Stick(stick) as open_stick:
        receipts = list(_whole(whole))
        forged = [receipt[:-1] + bytes([receipt[-1] ^ 1]) for receipt in receipts]
        open_stick.write(Item("abc.down", DOWN, "abc", b""), forged)
    brought = await box.bring(stick)
    assert brought.settled == 0
    assert box.spool.pending() == [sealed.manifest], "a receipt with a wrong signature frees nothing"


async def test_what_the_relay_refuses_comes_back_as_its_refusal(world, box, stick, make_study):
    study = make_study()
    box.put(world.site.seal(pack(study)))
    other = make_study()
    assert other.id != study.id
    await _contradicting(world, box, study, stick)
    assert box.spool.find(study.id).reason == "contradiction"


async def _contradicting(world, box, study, stick):
    """The relay has another study under this id already."""
    from dataclasses import replace

    changed = world.site.seal(pack(replace(study, question="Another question altogether?")))
    receiver = world.receiver()
    for message in messages_of(_Held(changed), changed.manifest):
        receiver.receive("abc", message, 0.0)
    box.fill(stick)
    outcome, lines = imported(world, stick)
    assert outcome.refused == 1
    assert "contradiction" in lines[0]
    await box.bring(stick)


def test_the_command_imports_and_says_what_is_missing(world, box, stick, make_study, capsys, monkeypatch):
    from contextlib import nullcontext

    monkeypatch.setattr("chevet.relay.commands.carry.opened", lambda _: nullcontext(world.relay))
    (stick / "chevet").mkdir()
    assert main(["carry", "import", str(stick)]) == 0
    assert "Nothing of a box" in capsys.readouterr().out
    box.put(world.site.seal(pack(make_study())))
    box.fill(stick)
    assert main(["carry", "import", str(stick)]) == 0
    assert "1 bundles are here, 0 files refused." in capsys.readouterr().out
    (stick / "chevet" / "abc-0000000000000001.up").write_bytes(b"noise")
    assert main(["carry", "import", str(stick)]) == 1
    assert main(["carry", "import", str(stick / "no")]) == 1
    assert "mounted there" in capsys.readouterr().err


async def test_a_note_that_waits_goes_along_with_the_next_stick(world, box, stick, make_study):
    study = make_study()
    box.put(world.site.seal(pack(study)))
    box.fill(stick)
    imported(world, stick)
    user = world.user()
    world.relay.cases.claim(study.id, user)
    world.relay.answers.send_message(study.id, user, Note("note", "", "", "", "Hello."))
    imported(world, stick)
    await box.bring(stick)
    assert box.count()[Completed] == 1


class _Held:
    """An outbox of one bundle in memory."""

    def __init__(self, sealed):
        self.sealed = sealed

    def read(self, _tid, oid, start, size):
        return self.sealed.objects[oid].data[start : start + size]


def _whole(data):
    from io import BytesIO

    from chevet.exchange.carrier import read_file

    return read_file(BytesIO(data), DOWN, "abc")
