"""What the box sends while a desk watches: what is held, with consent, within the rate, urgent first."""

import asyncio
import os
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
from edge_fakes import ECG, PLETH, SOUND, Box, ecg_block, sound_block, until
from test_edge_visit import agree, open_visit

from chevet.devices.samples import Channel, SampleBlock
from chevet.edge.instruments import READY
from chevet.edge.live_streams import NOTHING, SOUND_BITS, WAVE_HZ, cost, make_stream
from chevet.edge.live_up import LiveUp, make_live
from chevet.exchange.keys import new_sealing_key
from chevet.exchange.live_receiver import LiveReceiver, Piece
from chevet.exchange.live_watch import Report, Watch, write_watch
from chevet.exchange.live_wire import OPUS, unpack_deltas, unpack_packets
from chevet.exchange.sealing import Recipient
from chevet.study.errors import BundleError
from chevet.study.sound_stream import OpusStream, decode_packets, packet_samples

NAME = b"watching"


@dataclass
class Bundles:
    """The sender of studies: how fast the link is, what it may carry, and whether an urgent one is on it."""

    rate: float = 20_000.0
    travelling: bool = False
    bulk: bool = True

    @property
    def window(self) -> SimpleNamespace:
        return SimpleNamespace(rate=self.rate)

    def urgent(self) -> bool:
        return self.travelling


@dataclass
class DeskLine:
    """A line whose other end is a desk."""

    receiver: LiveReceiver
    now: Callable[[], float]
    pieces: list[Piece] = field(default_factory=list)
    sent: list[tuple[str, int, int]] = field(default_factory=list)

    def publish(
        self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False, expiry_s: int = 0
    ) -> int:
        assert not retain
        self.sent.append((topic, qos, expiry_s))
        self.pieces += self.receiver.receive(payload, self.now())
        return 0


@dataclass
class Watching:
    """A box, what it sends over, and how it is asked."""

    box: Box
    line: DeskLine
    bundles: Bundles
    up: LiveUp
    case: str = "018f0000-0000-7000-8000-000000000001"
    number: int = 0
    first: int = 0

    @property
    def state(self) -> str:
        told = self.line.receiver.told
        return told.state if told else ""

    def ask(self, for_ms: int = 8000) -> None:
        self.number += 1
        self.line.receiver.asked(self.number, self.line.now())
        word = Watch(NAME, self.number, 1_000_000, for_ms, self.case, self.line.receiver.report())
        self.up.command(write_watch(word, self.box.relay.signer))

    def asking(self, until_: Callable[[], object]) -> Callable[[], object]:
        """Ask every two seconds, as a desk that watches does, until something is true."""
        asked = self.line.now() - 2.0

        def looked() -> object:
            nonlocal asked
            if self.line.now() - asked >= 2.0:
                asked = self.line.now()
                self.ask()
            return until_()

        return looked

    def hold(self, *devices: str) -> None:
        """The worker opens the examination of these."""
        client = self.box.bedside.live.join()
        client.watched = frozenset(devices)
        for device in devices:
            self.box.bedside.instruments[device].state = READY

    async def plays(
        self, device: str, make: Callable[..., SampleBlock], until_: Callable[[], object]
    ) -> None:
        """Let the device give a block every tenth of a second, as real ones do, until something is true."""
        due = self.line.now()

        def step() -> object:
            nonlocal due
            if self.line.now() >= due:
                due = max(due + 0.1, self.line.now() - 0.1)
                block = make(self.first, self.size(device), self.line.now())
                self.first += self.size(device)
                self.up.offer(device, block)
            return until_()

        await until(step, within_s=30.0)

    @staticmethod
    def size(device: str) -> int:
        return 400 if device == "stethoscope" else 50


@asynccontextmanager
async def watched(box: Box):
    bedside = box.bedside
    programme = new_sealing_key()
    box.programme.recipients = (
        Recipient("programme", programme.public_key()),
        Recipient("recovery", new_sealing_key().public_key()),
    )
    receiver = LiveReceiver(bedside.site.signer.public_key(), [programme], NAME)
    line, bundles = DeskLine(receiver, bedside.clock.monotonic), Bundles()
    up = make_live(bedside, line, bundles, box.programme)
    task = asyncio.create_task(up.run())
    try:
        yield Watching(box, line, bundles, up)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_nothing_is_sent_before_somebody_watches_nor_without_a_visit_with_consent(box: Box) -> None:
    async with watched(box) as live:
        live.hold("ecg")
        live.up.offer("ecg", ecg_block(0, 50))
        await asyncio.sleep(0.3)
        assert live.line.sent == []
        live.up.command(b"not a word")
        live.ask()
        await until(lambda: live.state == "no_visit")
        assert box.bedside.uplink.watched
        visit = open_visit(box)
        live.ask()
        agree(box, visit)
        await until(lambda: live.state in {"live", "idle"})
        assert {(topic.rpartition("/")[2], qos, expiry) for topic, qos, expiry in live.line.sent} == {
            ("l", 0, 5)
        }
        live.ask(for_ms=0)
        await until(lambda: not box.bedside.uplink.watched)


async def test_the_desk_sees_what_is_held_exactly_and_whose_it_is(box: Box) -> None:
    async with watched(box) as live:
        visit = open_visit(box)
        agree(box, visit)
        live.case = visit
        live.hold("ecg")
        live.ask()
        await live.plays("ecg", ecg_block, lambda: len(live.line.pieces) > 3)
        piece = live.line.pieces[-1]
        assert live.state == "live"
        assert live.line.receiver.told.patient == "same"
        assert [channel.name for channel in piece.stream.channels] == [channel.name for channel in ECG]
        whole = ecg_block(2 * piece.first, 2 * piece.count).values
        means = np.rint(whole.reshape(12, piece.count, 2).mean(axis=2))
        assert piece.stream.rate_hz == 250.0
        assert piece.values.shape == means.shape
        live.up.lost("ecg", "unplugged")
        live.up.lost("unknown", "unplugged")


async def test_an_urgent_study_goes_first_and_a_slow_link_gets_fewer_leads_then_none(box: Box) -> None:
    async with watched(box) as live:
        agree(box, open_visit(box))
        live.hold("ecg")
        live.ask()
        await live.plays("ecg", ecg_block, lambda: live.line.pieces)
        live.bundles.travelling = True
        await live.plays("ecg", ecg_block, lambda: live.state == "paused")
        seen = len(live.line.pieces)
        await asyncio.sleep(0.3)
        assert len(live.line.pieces) == seen
        live.bundles.travelling = False
        live.bundles.rate = 3500.0

        def fewer() -> bool:
            sent = {len(one.stream.channels) for one in live.line.pieces[seen:]}
            return live.state == "poor" and 3 in sent

        await live.plays("ecg", ecg_block, live.asking(fewer))
        live.bundles.rate = 300.0
        await live.plays("ecg", ecg_block, live.asking(lambda: live.state == "narrow"))
        live.bundles.rate = 20_000.0
        await live.plays("ecg", ecg_block, live.asking(lambda: live.state in {"poor", "live"}))


async def test_sound_that_just_fits_an_unmeasured_link_comes_back_after_losses(box: Box) -> None:
    async with watched(box) as live:
        agree(box, open_visit(box))
        live.hold("stethoscope")
        live.bundles.rate = 0.0
        live.ask()
        await live.plays("stethoscope", sound_block, lambda: live.line.pieces)
        for _ in range(4):
            live.up.sender.rate.reported(Report(received=1, lost=9, latency_ms=10))
        await live.plays("stethoscope", sound_block, live.asking(lambda: live.state == "narrow"))
        seen = len(live.line.pieces)
        await live.plays("stethoscope", sound_block, live.asking(lambda: len(live.line.pieces) > seen + 3))
        assert live.state in {"poor", "live"}


async def test_the_stethoscope_is_heard(box: Box) -> None:
    async with watched(box) as live:
        agree(box, open_visit(box))
        live.hold("stethoscope")
        live.ask()
        await live.plays("stethoscope", sound_block, lambda: len(live.line.pieces) > 3)
        assert live.line.pieces[-1].stream.codec == OPUS
        assert live.line.pieces[-1].packets


def ramp(first: int, count: int, channels: tuple[Channel, ...] = ECG) -> SampleBlock:
    values = np.arange(first, first + count, dtype=np.int32)
    return SampleBlock(channels, np.tile(values, (len(channels), 1)), first, 0.0)


@pytest.mark.parametrize("sizes", [(1,) * 40, (7, 13, 20), (40,)])
def test_a_lower_rate_is_the_mean_of_whole_groups_whatever_the_blocks(sizes: tuple[int, ...]) -> None:
    stream, first = make_stream(0, "ecg", ramp(3, 1), 2), 3
    for size in sizes:
        stream.feed(ramp(first, size))
        first += size
    (section,) = stream.take()
    assert section.first == 1  # samples 0 to 3 were not all there
    values = unpack_deltas(section.data, 1, section.count)
    assert values[0].tolist() == [round(4 * (1 + k) + 1.5) for k in range(section.count)]
    assert stream.told.channels[0].name == "II"


def test_a_gap_stays_a_gap_and_no_mean_reaches_across_it() -> None:
    stream = make_stream(0, "ecg", ramp(0, 1), 0)
    stream.feed(ramp(0, 11))
    stream.feed(ramp(101, 9))
    before, after = stream.take()
    assert (before.first, before.count) == (0, 5)
    assert (after.first, after.count) == (51, 4)
    assert stream.take() == []


def test_sound_jumps_where_samples_are_missing() -> None:
    stream = make_stream(0, "stethoscope", sound_block(0, 1), 0)
    stream.feed(sound_block(0, 4000))
    stream.feed(sound_block(8000, 4000))
    before, after = stream.take()
    assert (before.first, after.first) == (0, 16_000)
    assert before.count == sum(packet_samples(one, 8000) for one in unpack_packets(before.data))
    sound = decode_packets([], unpack_packets(before.data), 8000)
    assert len(sound) == before.count
    assert np.abs(sound).max() > 0


@pytest.mark.parametrize("rate_hz", [8000.0, 44_100.0])
def test_sound_of_any_rate_is_coded_without_losing_time(rate_hz: float) -> None:
    channel = (Channel("sound", "1", rate_hz, 2.0**-15),)
    size = round(rate_hz / 10)

    def block(number: int) -> SampleBlock:
        at = np.arange(number * size, (number + 1) * size) / rate_hz
        return SampleBlock(
            channel, (8000 * np.sin(2 * np.pi * 200 * at)).astype(np.int16)[None], number * size, 0.0
        )

    stream = make_stream(0, "stethoscope", block(0), 1)
    for number in range(20):
        stream.feed(block(number))
    (section,) = stream.take()
    assert 1.8 < section.count / stream.told.rate_hz <= 2.0
    assert stream.told.rate_hz in {8000.0, 48_000.0}


@pytest.mark.parametrize(("kind", "channels"), [("ecg", ECG), ("stethoscope", SOUND), ("oximeter", PLETH)])
def test_each_level_costs_less_and_the_last_nothing(kind: str, channels: tuple[Channel, ...]) -> None:
    costs = [cost(kind, channels, level) for level in range(NOTHING + 1)]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == 0.0
    assert len(WAVE_HZ) == len(SOUND_BITS) == NOTHING


def test_bytes_that_are_no_sound_are_refused() -> None:
    packet = OpusStream(8000, 16_000).feed(np.zeros(4000))[0]
    for packets, rate in (
        ([], 8000),
        ([packet], 11_025),
        ([b""], 8000),
        ([b"\x0b" + packet], 8000),
        ([packet] * 60, 8000),
    ):
        with pytest.raises(BundleError):
            decode_packets([], packets, rate)
    for seed in range(20):
        noise = bytes([packet[0]]) + os.urandom(20 + seed)
        assert len(decode_packets([], [noise], 8000)) == 160
    with pytest.raises(ValueError, match="8, 12, 16"):
        OpusStream(4000, 16_000)
