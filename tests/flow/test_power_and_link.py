"""What was acknowledged survives the death of the agent, the broker and the relay, and arrives once."""

import pytest
import walk
from running_kit import RunningDemo

pytestmark = [pytest.mark.flow, pytest.mark.timeout(400)]


async def _recorded_visit(kit: RunningDemo) -> str:
    async with walk.kiosk(kit.ports) as screen:
        visit = await walk.visit(screen)
        capture = await walk.finished(screen, await walk.start(screen, visit, "kit-ecg", 3))
        assert capture["state"] == "done"
        await walk.accept(screen, capture)
        return visit


async def _sent(kit: RunningDemo) -> str:
    visit = await _recorded_visit(kit)
    async with walk.kiosk(kit.ports) as screen:
        return await walk.send(screen, visit)


async def _times_arrived_whole(kit: RunningDemo, case: str) -> int:
    """Wait for the verified receipt, compare both ends' hashes, and count the case in the inbox."""
    async with walk.kiosk(kit.ports) as screen, walk.desk(kit.ports) as desk:
        await walk.settled(screen, case)
        ours = await screen.get("delivery", f"/api/cases/{case}/delivery")
        theirs = await desk.get("delivery", f"/api/cases/{case}/delivery")
        assert ours["sha256"] == theirs["sha256"] != ""
        inbox = (await desk.get("inbox", "/api/inbox"))["cases"]
        return [one["id"] for one in inbox].count(case)


async def test_study_sent_while_the_broker_is_dead_arrives_when_it_returns(own_kit: RunningDemo) -> None:
    own_kit.stage.kill("broker")
    case = await _sent(own_kit)
    async with walk.kiosk(own_kit.ports) as screen:
        shown = await screen.get("case", f"/api/cases/{case}")
        assert shown["state"] in {"on_box", "travelling"}
    own_kit.restart("broker")
    assert await _times_arrived_whole(own_kit, case) == 1


async def test_relay_killed_in_the_middle_takes_up_where_it_was(own_kit: RunningDemo) -> None:
    own_kit.stage.kill("relay")
    case = await _sent(own_kit)
    own_kit.restart("relay")
    own_kit.stage.kill("relay")  # at once, most likely while chunks arrive
    own_kit.restart("relay")
    assert await _times_arrived_whole(own_kit, case) == 1


async def test_agent_killed_after_sending_still_delivers(own_kit: RunningDemo) -> None:
    case = await _sent(own_kit)
    own_kit.stage.kill("agent")
    own_kit.restart("agent")
    assert await _times_arrived_whole(own_kit, case) == 1


async def test_agent_killed_while_recording_loses_at_most_the_last_second(own_kit: RunningDemo) -> None:
    async with walk.kiosk(own_kit.ports) as screen:
        visit = await walk.visit(screen)
        capture = await walk.start(screen, visit, "kit-ecg", 30)
        recorded_s = await walk.recorded(screen, capture, 4.5)
    own_kit.stage.kill("agent")
    own_kit.restart("agent")
    async with walk.kiosk(own_kit.ports) as screen:
        resumed = (await screen.get("visit", "/api/visits/current"))["visit"]
        assert resumed["id"] == visit
        kept = await walk.finished(screen, capture)
        assert kept["recording"]["duration_s"] >= recorded_s - 1.0
        await walk.accept(screen, kept)
        case = await walk.send(screen, visit)
    assert await _times_arrived_whole(own_kit, case) == 1
