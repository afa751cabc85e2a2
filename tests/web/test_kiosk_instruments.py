"""The instruments' arithmetic, in the browser that runs it: frames, gaps, missing contact."""

from collections.abc import Callable

import pytest
from kiosk.fake_signals import picture_frame, wave_frame
from kiosk.kiosk_browser import edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand

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
