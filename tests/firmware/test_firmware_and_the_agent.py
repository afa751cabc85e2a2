"""The agent records from the firmware's own bytes, undisturbed and with everything disturbed that can be."""

import os
import random

import numpy as np
import pytest
from firmware_board import AgentBoard, powered, sets_words

from chevet.bridge.frame import FrameDecoder
from chevet.devices import kit_messages
from chevet.sim import kit_wire as wire

SECONDS = 60 if os.environ.get("CHEVET_PROOF") else 4
"""`make proof` takes the whole minute."""
PATIENCE_S = 10.0 * SECONDS
"""Nothing is timed; a busy machine may be slower than the chip."""
SETS_IN_RING = 256
"""KIT_SETS of kit_sets.h."""
LATE_SETS = 1000
"""What comes while the main loop is late: more than the ring holds."""
FRONTS = [("ecg", 12, 500, 25), ("stethoscope", 1, 4000, 100)]
pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("patient_host")]


def noise(channels, sets):
    """Any value at any place, sync bytes included: harder than a heart."""
    rng = np.random.default_rng(channels + 7)
    return rng.integers(-32768, 32768, (channels, sets)).astype(np.int16)


@pytest.mark.parametrize(("instrument", "channels", "rate", "per_frame"), FRONTS)
async def test_the_agent_records_every_sample_bit_by_bit(elves, instrument, channels, rate, per_frame):
    values = noise(channels, rate * SECONDS)
    async with powered(elves[instrument], instrument, AgentBoard) as board:
        await board.open()
        await board.until_running()
        await board.inject(*sets_words(values, per_frame))
        await board.until(lambda: board.count == values.shape[1], PATIENCE_S)
        assert (np.concatenate([block.values for block in board.blocks], axis=1) == values).all()
        assert board.blocks[0].first == 0
        assert board.instrument.state == "ready"
        assert board.instrument.simulated
        assert board.instrument.identity["serial"] == "T0042"
        assert (board.instrument.lost_samples, board.instrument.bad_frames) == (0, 0)


class BadWire:
    """Spoils the wire once in about so many bytes, however cut: one lost, a bit turned, noise put in."""

    def __init__(self, every):
        self._rng = random.Random(11)
        self._every = every
        self._wait = 0
        self.hits = 0

    def __call__(self, data):
        heard = b""
        while data:
            if self._wait >= len(data):
                self._wait -= len(data)
                return heard + data
            heard, byte, data = heard + data[: self._wait], data[self._wait], data[self._wait + 1 :]
            self._wait = self._rng.randrange(2 * self._every)
            self.hits += 1
            heard += self._rng.choice(
                (b"", bytes([byte ^ 1 << self._rng.randrange(8)]), self._rng.randbytes(9) + bytes([byte]))
            )
        return heard


@pytest.mark.parametrize(("instrument", "channels", "rate", "per_frame"), FRONTS)
async def test_faults_all_the_way_cost_what_they_hit_and_the_rest_is_right_bit_by_bit(
    elves, instrument, channels, rate, per_frame
):
    """Garbage on the command line, electrodes off and on, a late main loop, and a bad wire to the host."""
    values = noise(channels, rate * SECONDS)
    part = values.shape[1] // 10 // per_frame * per_frame
    async with powered(elves[instrument], instrument, AgentBoard) as board:
        await board.open()
        await board.until_running()
        board.spoil = bad_wire = BadWire(4000)
        late = 0
        for number in range(10):
            first, last = number * part, values.shape[1] if number == 9 else (number + 1) * part
            await board.inject(b"L" + (number % 2).to_bytes(2, "little"))
            if number in {3, 7} and last - first > LATE_SETS:
                await board.inject(b"W" + LATE_SETS.to_bytes(2, "little"))
                late += LATE_SETS - SETS_IN_RING
            await board.inject(*sets_words(values[:, first:last], per_frame))
            await board.link_garbage(bytes(random.Random(number).randbytes(40)))
            await board.until(lambda last=last: board.sent_up_to() >= last, PATIENCE_S)
        board.spoil = lambda data: data
        await board.inject(*sets_words(values[:, :per_frame], per_frame))  # shows what was lost just before
        await board.until(lambda: any(block.first == values.shape[1] for block in board.blocks), PATIENCE_S)
        assert bad_wire.hits >= 5
        kept = [block for block in board.blocks if block.first < values.shape[1]]
        for block in kept:
            assert (block.values == values[:, block.first : block.first + block.values.shape[1]]).all()
        firsts = [block.first for block in kept]
        assert firsts == sorted(set(firsts))
        count = sum(block.values.shape[1] for block in kept)
        assert board.instrument.lost_samples == values.shape[1] - count, "what is missing is what is counted"
        assert count >= values.shape[1] - late - 2 * bad_wire.hits * per_frame
        last_status = [one for one in FrameDecoder().feed(bytes(board.raw)) if one.type == wire.STATUS][-1]
        status = kit_messages.parse_status(last_status.payload)
        assert status.streaming
        assert status.lost == late
        codes = {one.on for one in board.notices("lead_off" if instrument == "ecg" else "sensor_off")}
        assert codes == {True, False}
