import asyncio
import os
import shutil

import numpy as np
import pytest

from chevet.bridge.errors import LinkLost, LinkUnavailable
from chevet.bridge.link import open_link
from chevet.devices.samples import SampleBlock
from chevet.devices.sound_card import SoundCard as Driver
from chevet.sim.twins.sound_card import SoundCard, at_rate

arecord = pytest.mark.skipif(not shutil.which("arecord"), reason="needs alsa-utils")


class Ramp:
    """A sound whose samples say where they are."""

    def __init__(self, rate_hz):
        self.rate_hz = rate_hz

    def take(self, first, count):
        return (np.arange(first, first + count) % 30000).astype(np.int16)[np.newaxis]


class Tone:
    """200 Hz, half of full scale."""

    rate_hz = 4000.0

    def take(self, first, count):
        at_s = np.arange(first, first + count) / self.rate_hz
        return np.rint(16000 * np.sin(2 * np.pi * 200 * at_s)).astype(np.int16)[np.newaxis]


class Running:
    """A card that runs beside a test."""

    def __init__(self, card):
        self.card = card

    async def __aenter__(self):
        self.task = asyncio.create_task(self.card.run())
        await asyncio.sleep(0)
        return self.card

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def bytes_of(link, count):
    data = b""
    while len(data) < count:
        packet = await link.receive()
        data += packet.data if packet.source == "pcm" else b""
    return data


async def blocks_of(link, driver, count):
    found, told = [], []
    while len(found) < count:
        for event in driver.feed(await link.receive()):
            (found if isinstance(event, SampleBlock) else told).append(event)
    return found, told


async def a_run_of(link, driver, count):
    """Return `count` blocks without a gap, and the notices until then: a loaded machine may lose some."""
    run, told = [], []
    while len(run) < count:
        found, more = await blocks_of(link, driver, 1)
        told += more
        for block in found:
            run = [*run, block] if run and run[-1].first + 80 == block.first else [block]
    return run[:count], told


@arecord
async def test_real_arecord_reads_every_sample_of_the_card(tmp_path):
    async with asyncio.timeout(60), Running(SoundCard(tmp_path, Ramp(48000.0))) as card:
        link = open_link(card.url)
        data = await bytes_of(link, 2 * 24000)
        await link.aclose()
    values = np.frombuffer(data[:48000], "<i2").astype(int)
    assert set(np.diff(values)) <= {1, -29999}
    assert link.gaps == card.lost == 0


@arecord
@pytest.mark.parametrize(("rate_hz", "channels"), [(48000, 2), (44100, 1)])
async def test_the_driver_hears_the_stethoscope_through_the_card(tmp_path, rate_hz, channels):
    driver = Driver()
    async with (
        asyncio.timeout(60),
        Running(SoundCard(tmp_path, Tone(), rate_hz=rate_hz, channels=channels)) as card,
    ):
        link = open_link(card.url)
        blocks, told = await a_run_of(link, driver, 25)
        await link.aclose()
    sound = np.concatenate([block.values[0] for block in blocks])
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(2000)))
    assert np.argmax(spectrum) == 100  # 200 Hz of 4000 in 2000
    assert 15500 < sound.max() < 16100
    assert "simulated=1" in told[0].detail
    assert "model=chevet_sim" in told[0].detail


@arecord
async def test_a_card_whose_clock_stands_still_leaves_a_counted_gap(tmp_path):
    driver = Driver()
    async with asyncio.timeout(60), Running(SoundCard(tmp_path, Tone())) as card:
        link = open_link(card.url)
        before, early = await blocks_of(link, driver, 10)
        card.silence = True
        await asyncio.sleep(0.8)
        card.silence = False
        after, told = await blocks_of(link, driver, 30)
        await link.aclose()
    lost = [int(notice.detail) for notice in [*early, *told] if notice.code == "lost_samples"]
    assert sum(lost) == driver.counters.lost_samples
    assert sum(lost) > 0.6 * 4000
    firsts = [block.first for block in [*before, *after]]
    assert sum(np.diff(firsts) - 80) == sum(lost)


@arecord
async def test_an_unplugged_card_is_lost_and_not_found_until_it_is_back(tmp_path, monkeypatch):
    async with asyncio.timeout(60), Running(SoundCard(tmp_path, Tone())) as card:
        link = open_link(card.url)
        await bytes_of(link, 1000)
        card.unplug()
        with monkeypatch.context() as impatient:
            impatient.setattr("chevet.bridge.alsa_link.SILENT_S", 1.0)
            with pytest.raises(LinkLost) as lost:
                await bytes_of(link, 1 << 20)
        await link.aclose()
        with pytest.raises(LinkUnavailable) as refused:
            await open_link(card.url).open()
        card.plug()
        again = open_link(card.url)
        assert await bytes_of(again, 1000)
        await again.aclose()
    assert lost.value.reason == "ended"
    assert refused.value.reason == "not_found"
    assert not list(tmp_path.iterdir())


@arecord
async def test_a_muted_card_gives_zeros(tmp_path):
    async with asyncio.timeout(60), Running(SoundCard(tmp_path, Tone())) as card:
        card.muted = True
        link = open_link(card.url)
        assert not any(await bytes_of(link, 5000))
        await link.aclose()


@pytest.mark.parametrize("rate_hz", [44100, 48000, 96000])
def test_a_slower_sound_is_interpolated_and_its_own_samples_stay(rate_hz):
    heard = at_rate(Tone(), rate_hz, 0, rate_hz // 10)
    at_s = np.arange(rate_hz // 10) / rate_hz + 16 / 4000
    assert np.abs(heard - 16000 * np.sin(2 * np.pi * 200 * at_s)).max() < 20
    own = Ramp(4000.0)
    assert list(at_rate(own, 48000, 0, 480)[::12]) == list(range(16, 56))
    assert list(at_rate(Ramp(48000.0), 48000, 7, 5)) == [7, 8, 9, 10, 11]


def test_a_card_that_nobody_reads_runs_on(tmp_path):
    now = [0.0]
    card = SoundCard(tmp_path, Tone(), clock=lambda: now[0])
    card.step()
    card.plug()
    card.plug()
    now[0] = 1.0
    card.step()
    assert card.lost == 0
    card.close()
    card.unplug()


def test_a_card_that_cannot_be_made_says_why(tmp_path):
    for wrong in ({"rate_hz": 44110}, {"rate_hz": 192000, "channels": 2}, {"name": 'a"b'}):
        with pytest.raises(ValueError, match=r"card|ALSA"):
            SoundCard(tmp_path, Tone(), **wrong)


def test_a_reader_that_stands_still_costs_chunks_and_one_that_goes_costs_nothing(tmp_path):
    now = [0.0]
    card = SoundCard(tmp_path, Tone(), clock=lambda: now[0])
    card.plug()
    reader = os.open(tmp_path / "sound-card.pcm", os.O_RDONLY | os.O_NONBLOCK)
    for _ in range(1200):
        now[0] += 0.01
        card.step()
    assert 0 < card.lost < 1200
    lost = card.lost
    os.close(reader)
    now[0] += 0.01
    card.step()
    now[0] += 0.01
    card.step()
    assert card.lost == lost
    card.close()
