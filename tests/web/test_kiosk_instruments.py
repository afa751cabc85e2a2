"""The instruments' arithmetic, in the browser that runs it: frames, gaps, missing contact."""

from collections.abc import Callable

import numpy as np
import pytest
from kiosk.fake_signals import picture_frame, wave_frame
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import expect

from chevet.devices.samples import Channel
from chevet.edge.wire import samples_frame

pytestmark = pytest.mark.web

DECODE = """async (bytes) => {
  const { decodeFrame } = await import('/shared/live.js');
  const frame = decodeFrame(new Uint8Array(bytes).buffer);
  if (!frame) return null;
  return frame.kind === 'picture' ? [frame.kind, frame.image.size] : [frame.kind, [...frame.channels[1]]];
}"""
BUFFER = """async (frames) => {
  const { WaveBuffer } = await import('/shared/instruments/wave-buffer.js');
  const buffer = new WaveBuffer(['I'], 10, 1);
  for (const [first, samples, off, gaps] of frames) {
    const channels = [{ name: 'I', gain: 0.5, offset: 1 }];
    const header = { rate_hz: 10, first, count: samples.length, channels, gaps };
    buffer.add({ kind: 'samples', header, channels: [Int16Array.from(samples)] }, new Set(off));
  }
  return [[...buffer.values[0]].map((value) => (Number.isNaN(value) ? null : value)), [...buffer.off[0]]];
}"""

SHOWN = """async (frames) => {
  const { decodeFrame } = await import('/shared/live.js');
  await import('/shared/instruments/live-wave.js');
  const wave = document.createElement('live-wave');
  wave.setAttribute('seconds', '2');
  wave.setAttribute('highpass', '0.5');
  for (const bytes of frames) wave.push(decodeFrame(new Uint8Array(bytes).buffer));
  const there = wave.buffer.values[0].filter((value) => !Number.isNaN(value));
  return [wave.buffer.names, Math.max(...there), Math.min(...there)];
}"""


@pytest.fixture
def worker(hand: Callable[..., Hand]) -> Hand:  # noqa: F811
    return hand("en")


def test_a_wave_frame_is_read_as_it_was_written(worker: Hand) -> None:
    kind, lead_two = worker.page.evaluate(DECODE, list(wave_frame("d", "ecg", 500, 25)))
    assert kind == "samples"
    assert len(lead_two) == 25
    assert max(map(abs, lead_two)) > 5
    assert worker.page.evaluate(DECODE, list(picture_frame("d", b"12345", 0))) == ["picture", 5]


def test_garbage_on_the_line_is_passed_over(worker: Hand) -> None:
    good = wave_frame("d", "ecg", 0, 25)
    for bad in (
        b"",
        b"\x01",
        b"\x02" + good[1:],
        good[:40],
        good[:-1],
        b"\x01\x09\x00\x00",
        good[:4] + b"}" + good[5:],
    ):
        assert worker.page.evaluate(DECODE, list(bad)) is None


def test_a_jump_ahead_leaves_a_gap_and_a_jump_back_starts_anew(worker: Hand) -> None:
    values, _ = worker.page.evaluate(BUFFER, [[0, [2, 4], [], []], [5, [6], [], []]])
    assert values == [2, 3, None, None, None, 4, None, None, None, None]
    values, _ = worker.page.evaluate(BUFFER, [[7, [2, 4], [], []], [0, [6], [], []]])
    assert values == [4] + [None] * 9


def test_announced_gaps_and_missing_contact_are_kept_apart(worker: Hand) -> None:
    values, off = worker.page.evaluate(BUFFER, [[0, [2, 4, 6], ["I"], []], [3, [8, 10], [], [[4, 1]]]])
    assert values[:5] == [2, 3, 4, 5, None]
    assert off[:5] == [1, 1, 1, 0, 0]


def test_24_bit_frames_are_read_as_they_were_written(worker: Hand) -> None:
    channels = (Channel("I", "mV", 500.0, 4.8e-5), Channel("II", "mV", 500.0, 4.8e-5))
    values = np.array([[0, 1, 2], [-8_388_608, 8_388_607, -1]], np.int32)
    good = samples_frame(channels, values, 0, at_ms=0)
    assert worker.page.evaluate(DECODE, list(good)) == ["samples", [-8_388_608, 8_388_607, -1]]
    for width in (b'"bytes":2', b'"bytes":3', b'"bytes":0'):
        assert worker.page.evaluate(DECODE, list(good.replace(b'"bytes":4', width))) is None


def test_the_level_of_a_24_bit_sound_is_that_of_its_full_scale(worker: Hand) -> None:
    levels = worker.page.evaluate("""async () => {
      const { loudness, toFullScale } = await import('/shared/instruments/level-meter.js');
      const level = (value, gain) => loudness(Int32Array.from([value, -value]), toFullScale(gain));
      return [level(16384, 1), level(16384, 2 ** -15), level(2 ** 22, 2 ** -23), level(16384, 0.000030518)];
    }""")
    assert levels == pytest.approx([0.9] * 4, abs=0.01)


def test_an_ecg_on_electrodes_of_300_mv_is_drawn_on_its_line_and_other_streams_do_not_wipe_it(
    worker: Hand,
) -> None:
    ecg, other = (Channel("I", "mV", 500.0, 4.8e-5),), (Channel("x", "g", 50.0, 0.01),)
    beat = np.zeros(500)
    beat[250:260] = 1.0
    values = np.rint((300 + np.tile(beat, 2)) / 4.8e-5).astype(np.int32)[np.newaxis]
    frames = [samples_frame(ecg, values[:, :500], 0, at_ms=0)]
    frames.append(samples_frame(other, np.zeros((1, 50), np.int16), 0, at_ms=0, main=False))
    frames.append(samples_frame(ecg, values[:, 500:], 500, at_ms=0))
    names, high, low = worker.page.evaluate(SHOWN, [list(frame) for frame in frames])
    assert names == ["I"]
    assert high == pytest.approx(1.0, abs=0.05)
    assert -0.2 < low < 0
    values[:, 300:400] = 0
    torn = samples_frame(ecg, values, 0, at_ms=0, gaps=[(300, 100)])
    _, high, low = worker.page.evaluate(SHOWN, [list(torn)])
    assert (high, low) == pytest.approx((1.0, -0.1), abs=0.1)


def test_a_clean_signal_is_recorded_by_itself_but_never_a_second_time(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr")
    worker.page.evaluate("localStorage.setItem('chevet.by_itself', 'on')")
    worker.sign_in()
    worker.to_tiles()
    worker.edge.judge("oximeter", "low_perfusion")
    worker.exam("oximetry")
    worker.sees("reason.low_perfusion.do")
    assert worker.edge.running() is None
    worker.edge.judge("oximeter")
    expect(worker.page.locator(".coach.result")).to_be_visible()
    worker.touch("result.keep")
    worker.exam("oximetry")
    worker.sees("oximeter.good")
    assert worker.edge.running() is None
    assert worker.edge.visit is not None
    assert len(worker.edge.visit["recordings"]) == 1
