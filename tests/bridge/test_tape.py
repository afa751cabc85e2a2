import io
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.errors import LinkLost, LinkUnavailable
from chevet.bridge.link import open_link
from chevet.bridge.packet import Packet
from chevet.bridge.tape import MAGIC, RECORD, RecordingLink, TapeRecord, encode_record, read_tape

records = st.lists(
    st.builds(
        TapeRecord,
        at_s=st.floats(0, 1e6),
        sent=st.booleans(),
        data=st.binary(max_size=40),
        source=st.sampled_from(["", "00002a5f-0000-1000-8000-00805f9b34fb"]),
    ),
    max_size=8,
)
ROLL = [
    TapeRecord(0.0, False, b"hello"),
    TapeRecord(0.05, True, b"start"),
    TapeRecord(0.1, False, b"pulse", "2a5f"),
]


class FakeLink:
    """A link that gives the packets it was made with, then is lost."""

    def __init__(self, packets):
        self.url, self.dropped = "fake:1", 2
        self.packets, self.sent, self.closed = list(packets), [], False

    async def open(self):
        pass

    async def receive(self):
        if not self.packets:
            raise LinkLost(self.url, "unplugged")
        return self.packets.pop(0)

    async def send(self, data):
        self.sent.append(data)

    async def aclose(self):
        self.closed = True


def write(path, roll):
    path.write_bytes(MAGIC + b"".join(map(encode_record, roll)))
    return path


@settings(max_examples=50)
@given(records)
def test_what_is_written_is_read(roll):
    file = io.BytesIO(MAGIC + b"".join(map(encode_record, roll)))
    assert list(read_tape(file)) == roll


@settings(max_examples=50)
@given(records, st.integers(0, 400))
def test_a_tape_cut_off_ends_with_its_last_whole_record(roll, cut):
    pieces = [encode_record(record) for record in roll]
    whole = sum(sum(map(len, pieces[: count + 1])) <= cut for count in range(len(pieces)))
    assert list(read_tape(io.BytesIO(MAGIC + b"".join(pieces)[:cut]))) == roll[:whole]


@settings(max_examples=50)
@given(st.binary(max_size=100))
def test_garbage_on_a_tape_never_raises(data):
    assert all(len(record.data) <= 100 for record in read_tape(io.BytesIO(MAGIC + data)))


def test_a_record_that_promises_too_much_ends_the_tape():
    assert list(read_tape(io.BytesIO(MAGIC + RECORD.pack(0, 0, 0, 1 << 30)))) == []


def test_what_is_no_tape_is_refused():
    with pytest.raises(ValueError, match="not a tape"):
        list(read_tape(io.BytesIO(b"RIFF")))
    with pytest.raises(ValueError, match="255"):
        encode_record(TapeRecord(0, False, b"", "x" * 256))


async def test_a_recorded_link_plays_back_as_it_was(tmp_path):
    path = tmp_path / "a.tape"
    fake = FakeLink([Packet(b"one", 100.0), Packet(b"two", 100.5, "2a5f")])
    link = RecordingLink(fake, path, lambda: 100.2)
    await link.open()
    await link.receive()
    await link.send(b"start")
    await link.receive()
    with pytest.raises(LinkLost):
        await link.receive()
    await link.aclose()
    assert fake.sent == [b"start"]
    assert fake.closed
    assert link.dropped == 2
    with path.open("rb") as file:
        roll = list(read_tape(file))
    assert [(record.sent, record.data, record.source) for record in roll] == [
        (False, b"one", ""),
        (True, b"start", ""),
        (False, b"two", "2a5f"),
    ]
    assert roll[2].at_s == pytest.approx(0.5)


async def test_a_tape_keeps_its_times_when_played_without_waiting(tmp_path):
    path = write(tmp_path / "a.tape", ROLL)
    link = open_link(f"tape:{path}?speed=0", clock=lambda: 50.0)
    await link.send(b"ignored")
    first, second = await link.receive(), await link.receive()
    assert (first.data, first.at) == (b"hello", 50.0)
    assert (second.data, second.source) == (b"pulse", "2a5f")
    assert second.at == pytest.approx(50.1)
    with pytest.raises(LinkLost) as lost:
        await link.receive()
    assert lost.value.reason == "ended"
    await link.aclose()


async def test_a_tape_plays_at_the_speed_asked_for(tmp_path):
    path = write(tmp_path / "a.tape", ROLL)
    link = open_link(f"tape:{path}?speed=2")
    started = time.monotonic()
    first, second = await link.receive(), await link.receive()
    assert time.monotonic() - started >= 0.045
    assert second.at - first.at == pytest.approx(0.05)
    await link.aclose()
    with pytest.raises(LinkLost):
        await link.receive()


@pytest.mark.parametrize(("content", "reason"), [(None, "not_found"), (b"RIFF....", "wrong_device")])
async def test_a_tape_that_cannot_be_played_says_why(tmp_path, content, reason):
    path = tmp_path / "a.tape"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LinkUnavailable) as refused:
        await open_link(f"tape:{path}").receive()
    assert refused.value.reason == reason


async def test_a_folder_is_no_tape(tmp_path):
    with pytest.raises(LinkUnavailable) as refused:
        await open_link(f"tape:{tmp_path}").open()
    assert refused.value.reason == "no_permission"
