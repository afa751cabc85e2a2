"""Cameras and a sound card under every fault of their virtual instruments, through their real links.

Pictures are compared byte for byte with those the camera sent, samples with those the card wrote. All of it
runs in real time, since HTTP, UDP and `arecord` know no other: nothing here depends on how long it takes.
"""

import asyncio
import shutil
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from eye_and_ear import LOOKS_THE_SAME, SEED, Ear, Eye

from chevet.bridge import wifi_camera
from chevet.bridge.errors import LinkLost, LinkUnavailable
from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import SampleBlock
from chevet.sim.otoscope_video import LOOP_FRAMES
from chevet.sim.serve import Plan, served

arecord = pytest.mark.skipif(
    not shutil.which("arecord"), reason="reads a sound card with alsa-utils' arecord"
)
PATIENCE_S = 60.0
"""Only what hangs needs so long."""
SHOWN = "whole pictures, which show something else"
WHOLE = "whole pictures, nothing counted"
FEWER = "whole pictures, fewer of them: nothing in the stream is numbered, so that nothing can be counted"
SLOWER = "whole pictures, further apart"
SAME = "one whole picture again and again"
COUNTED = "what arrives damaged or in part is counted, and never shown"
ENDED = "the link says that it has ended, and is opened again"
REFUSED = "the link ends, cannot be opened meanwhile, and is opened again"
RETURNED = "pictures come again, be it over the same link or a new one"
EXACT = "every sample is the card's own"
CONSTANT = "every sample is the card's own, and all are the same"
GAP = "what the card did not take is counted, and a gap"


@dataclass(frozen=True)
class Row:
    """One fault: what is claimed, its value, and what the link may end with."""

    claim: str
    value: str = ""
    ends: frozenset = frozenset()


OVER, GONE = frozenset({"ended"}), frozenset({"disconnected"})
HANDS = {
    "ear": Row(SHOWN, "left:wax"),
    **dict.fromkeys(("wrong_ear", "defocus", "fogged_lens", "wax_on_lens"), Row(SHOWN)),
    **dict.fromkeys(("overexposed", "dark", "shaking"), Row(SHOWN)),
}
HTTP = HANDS | {
    "silence": Row(ENDED, ends=OVER),
    "stuck": Row(SAME),
    "slow": Row(SLOWER, "3"),
    "garbage": Row(COUNTED, "0.5"),
    "lost_frames": Row(FEWER, "0.5"),
    "cut": Row(ENDED, ends=OVER),
    "unplug": Row(REFUSED, ends=OVER),
    "replug": Row(ENDED, "0.2", OVER),
}
UDP = HANDS | {
    "silence": Row(ENDED, ends=GONE),
    "lost_frames": Row(COUNTED, "0.02"),
    "duplicate": Row(COUNTED, "0.3"),
    "reorder": Row(WHOLE, "0.3"),
    "reboot": Row(RETURNED),
    "unplug": Row(REFUSED, ends=GONE),
    "replug": Row(RETURNED, "0.2"),
}
CARD = {
    "site": Row(EXACT, "A"),
    **dict.fromkeys(("friction", "speech", "room_noise", "knocks", "light_contact"), Row(EXACT)),
    **dict.fromkeys(("sensor_off", "overdriven", "clock_drift", "lying_rate"), Row(EXACT)),
    **dict.fromkeys(("stuck", "muted"), Row(CONSTANT)),
    "silence": Row(GAP),
    "unplug": Row(REFUSED, ends=OVER),
    "replug": Row(ENDED, "0.2", OVER),
}
ROWS = {"otoscope": HTTP, "wifi-otoscope": UDP, "sound-card": CARD}


class Reading:
    """A link and its driver, opened again whenever it ends, as the agent does."""

    def __init__(self, room):
        (listed,) = room.listing
        self.id, self.url = listed["id"], listed["url"]
        self.room, self.driver = room, DRIVERS[listed["driver"]]()
        self.link, self.lost, self.refused = None, [], []
        self._counts = Counter()

    async def step(self):
        """Return the events of what comes next; none when the link ended or was refused."""
        try:
            if self.link is None:
                link = open_link(self.url)
                await link.open()
                self.link = link
                self.driver.start()
            return self.driver.feed(await self.link.receive())
        except LinkUnavailable as error:
            self.refused.append(error.reason)
            await asyncio.sleep(0.1)
        except LinkLost as error:
            self.lost.append(error.reason)
            await self.aclose()
        return []

    async def until(self, enough):
        """Read on until `enough(events)`; return the events."""
        events = []
        async with asyncio.timeout(PATIENCE_S):
            while not enough(events):
                events += await self.step()
        return events

    async def aclose(self):
        link, self.link = self.link, None
        if link is not None:
            self._counts += self._of(link)
            await link.aclose()

    def counted(self):
        """Return what the links of a camera have counted."""
        return self._counts + self._of(self.link)

    @staticmethod
    def _of(link):
        pictures = getattr(link, "pictures", None)
        if pictures is None:
            return Counter(broken=getattr(link, "broken", 0))
        return Counter(broken=pictures.broken, doubled=pictures.doubled)

    async def set_fault(self, name, row, *, on=True):
        if on or not self.room.fault(self.id, name).once:
            await self.room.set_fault(self.id, name, on=on, value=row.value if on else "")

    async def outlived(self, claim):
        """Read until the link has ended as `claim` says; return what came before."""
        lost, refused = len(self.lost), len(self.refused)
        return await self.until(
            lambda _: len(self.lost) > lost and (claim != REFUSED or len(self.refused) > refused)
        )


async def looked_at(reading, eye, fault, row):
    """Let a camera suffer a fault; hold what arrived under it against what was sent, return the later."""
    lost, sent, before = len(reading.lost), len(eye.sent), reading.counted()
    await reading.set_fault(fault, row)
    mark, sent_then = eye.order, len(eye.sent)

    def enough(events):
        missing = eye.order - mark - (len(eye.sent) - sent_then)
        waits = (row.claim == COUNTED and not reading.counted() - before) or (
            row.claim == FEWER and missing < 3
        )
        return len(eye.later(events, mark)) >= 4 and not waits

    ends = row.claim in (ENDED, REFUSED)
    under = eye.later(await (reading.outlived(row.claim) if ends else reading.until(enough)), mark)
    await reading.set_fault(fault, row, on=False)
    done = eye.order
    after = eye.later(await reading.until(lambda events: len(eye.later(events, done)) >= 2), done)
    # A starved machine may break a stream besides: it is opened again, and what comes is held to the truth.
    assert row.ends <= set(reading.lost[lost:])
    spoiled = [image for image in eye.sent[sent:] if image not in eye.made]
    judged(eye, row.claim, under, reading.counted() - before, len(spoiled))
    return after


def judged(eye, claim, under, counts, spoiled):
    """Hold the pictures that came under a fault against what is claimed."""
    if claim == COUNTED:
        assert counts["broken"] == spoiled if spoiled else counts
    elif claim not in (ENDED, REFUSED, RETURNED):
        assert not counts
    if claim == SHOWN:
        assert all(eye.difference(image) > LOOKS_THE_SAME for image in under)
    elif claim == SAME:
        assert len(set(under)) == 1
    else:
        assert all(eye.difference(image) < LOOKS_THE_SAME for image in under)
    if claim == SLOWER:
        frames = [eye.made[image].frame for image in under]
        apart = [
            (late - early) % LOOP_FRAMES for early, late in pairwise(frames)
        ]  # the loop may have come round
        assert sum(apart) > 1.5 * len(apart)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["otoscope", "wifi-otoscope"])
async def test_a_picture_is_the_cameras_own_or_is_not_shown(name, tmp_path, subtests, monkeypatch):
    for limit, seconds in {"QUIET_S": 0.5, "LOST_S": 3.0, "OPEN_TIMEOUT_S": 1.5, "WATCH_S": 0.1}.items():
        monkeypatch.setattr(wifi_camera, limit, seconds)
    eye = Eye(monkeypatch)
    async with served(Plan(tmp_path, SEED, devices=(name,))) as room:
        reading = Reading(room)
        await reading.until(lambda events: len(eye.later(events, 0)) >= 3)
        for fault, row in ROWS[name].items():
            with subtests.test(fault=fault):
                after = await looked_at(reading, eye, fault, row)
                assert len(after) >= 2
                assert all(eye.difference(image) < LOOKS_THE_SAME for image in after)
        await reading.aclose()


async def listened(reading, ear, fault, row):
    """Let a card suffer a fault; hold every sample against what the card wrote.

    Returns the samples that did not come, by the card's own count, and those that the driver told as lost.
    """
    lost, jumps, told = len(reading.lost), ear.jumps, reading.driver.counters.lost_samples

    async def hear(enough):
        blocks = [event for event in await reading.until(enough) if isinstance(event, SampleBlock)]
        for block in blocks:
            ear.judge(block)
        return blocks

    def blocks(count):
        return lambda events: sum(isinstance(event, SampleBlock) for event in events) >= count

    def constant(events):
        return any(isinstance(event, SampleBlock) and np.ptp(event.values) == 0 for event in events)

    await reading.set_fault(fault, row)
    if row.claim == GAP:
        await asyncio.sleep(1.0)
    elif row.claim in (ENDED, REFUSED):
        for event in await reading.outlived(row.claim):
            if isinstance(event, SampleBlock):
                ear.judge(event)
    else:
        await hear(constant if row.claim == CONSTANT else blocks(15))
    await reading.set_fault(fault, row, on=False)
    counters = reading.driver.counters
    await hear(lambda events: blocks(15)(events) and (row.claim != GAP or counters.lost_samples > told))
    # A starved machine may break a stream besides: it is opened again, and what comes is held to the truth.
    assert row.ends <= set(reading.lost[lost:])
    return ear.jumps - jumps, counters.lost_samples - told


@arecord
@pytest.mark.timeout(300)
async def test_a_sample_is_the_cards_own_or_is_counted_as_missing(tmp_path, subtests, monkeypatch):
    ear = Ear(monkeypatch)
    async with served(Plan(tmp_path, SEED, devices=("sound-card",))) as room:
        reading = Reading(room)
        for fault, row in CARD.items():
            with subtests.test(fault=fault):
                missing, told = await listened(reading, ear, fault, row)
                assert missing > 0 if row.ends else missing == told
        await reading.aclose()


async def test_no_fault_is_without_a_row_and_no_row_without_a_fault(tmp_path):
    async with served(Plan(tmp_path, SEED, devices=tuple(ROWS))) as room:
        assert {one.id: set(one.faults) for one in room.instruments} == {
            name: set(rows) for name, rows in ROWS.items()
        }
