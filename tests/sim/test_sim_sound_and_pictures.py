import asyncio
import shutil

import pytest

from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice, Picture, SampleBlock
from chevet.sim.serve import Plan, served

arecord = pytest.mark.skipif(not shutil.which("arecord"), reason="needs alsa-utils")


async def hear(listing, kind, count):
    """Return `count` events of a kind and the notices until then, through the real link."""
    driver, link = DRIVERS[listing["driver"]](), open_link(listing["link"])
    found, told = [], []
    try:
        while len(found) < count:
            for event in driver.feed(await link.receive()):
                if isinstance(event, kind):
                    found.append(event)
                elif isinstance(event, Notice):
                    told.append(event)
    finally:
        await link.aclose()
    return found, told


@arecord
async def test_a_served_sound_card_gives_a_heart_and_says_that_it_is_simulated(tmp_path):
    async with asyncio.timeout(60), served(Plan(tmp_path, devices=("sound-card",))) as room:
        (card,) = room.instruments
        blocks, told = await hear(card.listing(), SampleBlock, 50)
        await card.set_fault("muted", True, "")
        await asyncio.sleep(0.1)
        silent, _ = await hear(card.listing(), SampleBlock, 20)
        await card.set_fault("unplug", True, "")
        await card.set_fault("unplug", False, "")
    assert {block.channels[0].rate_hz for block in blocks} == {4000.0}
    assert max(int(abs(block.values).max()) for block in blocks) > 300
    assert not any(block.values.any() for block in silent[5:])
    assert any("simulated=1" in notice.detail for notice in told)
    assert not list(tmp_path.glob("sound-card*"))


async def test_a_served_wifi_otoscope_shows_the_ear_and_takes_faults(tmp_path):
    async with asyncio.timeout(60), served(Plan(tmp_path, devices=("wifi-otoscope",))) as room:
        (camera,) = room.instruments
        pictures, told = await hear(camera.listing(), Picture, 3)
        await camera.set_fault("lost_frames", True, "0.05")
        await camera.set_fault("ear", True, "left:wax")
        await camera.set_fault("reboot", True, "")
        more, _ = await hear(camera.listing(), Picture, 2)
        await camera.set_fault("unplug", True, "")
        await camera.set_fault("unplug", False, "")
    assert pictures[0].data.startswith(b"\xff\xd8")
    assert more[0].data not in {picture.data for picture in pictures}
    assert any("simulated=1" in notice.detail for notice in told)
