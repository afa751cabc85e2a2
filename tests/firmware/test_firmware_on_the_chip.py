"""The firmware's own bytes: an emulated STM32F405, a real terminal, the kit's link and driver."""

import os

import numpy as np
import pytest
from firmware_board import as_python_says_it, powered, sets_words
from firmware_core import identity

from chevet.devices import kit_messages
from chevet.devices.samples import Reading
from chevet.sim import kit_wire as wire

SECONDS = 60 if os.environ.get("CHEVET_PROOF") else 5
"""`make -C firmware-bridge/firmware proof` takes the whole minute."""
SETS_IN_RING = 256
"""KIT_SETS of kit_sets.h."""
pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("patient_host")]


def noise(channels: int, sets: int) -> np.ndarray:
    """Any value at any place, sync bytes included: harder than a heart."""
    rng = np.random.default_rng(channels)
    return rng.integers(-32768, 32768, (channels, sets)).astype(np.int16)


@pytest.mark.parametrize(
    ("instrument", "channels", "rate", "per_frame"), [("ecg", 12, 500, 25), ("stethoscope", 1, 4000, 100)]
)
async def test_samples_in_are_samples_out_bit_by_bit(elves, instrument, channels, rate, per_frame):
    values = noise(channels, rate * SECONDS)
    async with powered(elves[instrument], instrument) as board:
        await board.open()
        await board.until_running()
        await board.inject(*sets_words(values, per_frame))
        await board.until(lambda: board.count == values.shape[1], 10.0 * SECONDS)
        await board.close()
        out = np.concatenate([block.values for block in board.blocks], axis=1)
        assert [block.first for block in board.blocks] == list(range(0, values.shape[1], per_frame))
        assert (out == values).all()
        assert (
            board.link.dropped == board.driver.counters.lost_samples == board.driver.counters.bad_frames == 0
        )
        assert bytes(board.raw) == as_python_says_it(bytes(board.raw), identity(instrument, "T0042"), values)
        known = board.notices("identified")[0].detail.split(";")
        assert known[1:] == ["serial=T0042", "firmware=0.1.0", "simulated=1"]


async def test_lost_and_foreign_bytes_on_the_command_line_delay_the_start_and_no_more(elves):
    spoilt = [
        lambda words: words[:3] + words[4:],  # a byte lost
        lambda words: b"\x00\xff\xa5garbage\xa5\x5a\x02\x00\x00\x04" + words,  # noise, and a false start
        lambda words: words[:-1] + bytes([words[-1] ^ 1]),  # a wrong CRC
        lambda words: bytes(range(256)) * 8 + words,  # more than the device can hold
    ]
    values = noise(1, 200)
    async with powered(elves["stethoscope"], "stethoscope") as board:
        send = board.link.send

        async def bad_line(words: bytes) -> None:
            await send(spoilt.pop(0)(words) if spoilt else words)

        board.link.send = bad_line
        await board.open()
        await board.until_running()
        assert spoilt == []
        await board.inject(*sets_words(values, 100))
        await board.until(lambda: board.count == 200)
        assert (np.concatenate([block.values for block in board.blocks], axis=1) == values).all()
        seen = len(board.payloads(wire.STATUS))
        await board.until(lambda: len(board.payloads(wire.STATUS)) > seen)
        last = kit_messages.parse_status(board.payloads(wire.STATUS)[-1])
        assert last.bad_commands >= 1
        assert last.streaming


async def test_a_late_main_loop_loses_samples_that_are_counted_and_leaves_the_rest_in_place(elves):
    values = noise(1, 1400)
    async with powered(elves["stethoscope"], "stethoscope") as board:
        await board.open()
        await board.until_running()
        await board.inject(*sets_words(values[:, :100], 100))
        await board.until(lambda: board.count == 100)
        await board.inject(b"W" + (1000).to_bytes(2, "little"), *sets_words(values[:, 100:], 100))
        lost = 1000 - SETS_IN_RING
        await board.until(lambda: board.count == 1400 - lost)
        for block in board.blocks:
            assert (block.values == values[:, block.first : block.first + block.values.shape[1]]).all()
        assert board.driver.counters.lost_samples == lost
        heads = [kit_messages.SAMPLES_HEAD.unpack_from(one) for one in board.payloads(wire.SAMPLES)]
        assert [head[:3] for head in heads] == [
            (0, 0, 100),
            (100, 0, 100),
            (200, 0, 100),
            (300, 0, 56),
            (1100, lost, 100),
            (1200, lost, 100),
            (1300, lost, 100),
        ]


async def test_leads_battery_and_a_silent_front_end_are_told_as_they_change(elves):
    async with powered(elves["ecg"], "ecg") as board:
        await board.open()
        await board.until_running()
        await board.inject(b"L" + (1 << 8 | 1).to_bytes(2, "little"), b"B\x09\x00")
        await board.until(lambda: len(board.notices("lead_off")) == 2 and bool(board.notices("battery_low")))
        assert [(one.detail, one.on) for one in board.notices("lead_off")] == [("I", True), ("V3", True)]
        await board.inject(b"L\x01\x00", b"B\x62\x01")
        await board.until(
            lambda: len(board.notices("lead_off")) == 3 and len(board.notices("battery_low")) == 2
        )
        assert (board.notices("lead_off")[-1].detail, board.notices("lead_off")[-1].on) == ("V3", False)
        last = [event for event in board.events if isinstance(event, Reading)][-1]
        assert (last.value, last.status) == (98, ("charging",))


async def test_a_front_end_that_does_not_answer_refuses_the_start_until_it_does(elves):
    async with powered(elves["ecg"], "ecg") as board:
        await board.open(b"F\x00")
        await board.until(lambda: bool(board.notices("refused")))
        await board.inject(b"F\x01")
        await board.until_running()
        assert [(one.detail, one.on) for one in board.notices("refused")] == [
            ("front_end", True),
            ("front_end", False),
        ]


async def test_a_restarted_device_is_started_again_and_its_samples_go_on_after_a_gap(elves):
    before, after = noise(1, 300), noise(1, 500)
    async with powered(elves["stethoscope"], "stethoscope") as board:
        await board.open()
        await board.until_running()
        await board.inject(*sets_words(before, 100))
        await board.until(lambda: board.count == 300)
        await board.monitor("system_reset")
        await board.until_running(times=2)
        await board.inject(*sets_words(after, 100))
        await board.until(lambda: board.count == 800)
        values = np.concatenate([block.values for block in board.blocks], axis=1)
        assert (values == np.concatenate([before, after], axis=1)).all()
        assert board.blocks[3].first >= 300
        assert len(board.notices("identified")) == 2
        assert [one[:4] for one in board.payloads(wire.SAMPLES)].count(bytes(4)) == 2  # both begin at 0
