"""Scenarios: read strictly, checked against the instruments, played in time."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.sim import cli, scenario
from chevet.sim.conductor import Conductor, check
from chevet.sim.errors import FaultError
from chevet.sim.scenario import ScenarioError, parse
from chevet.sim.serve import Plan, examine, served

GOOD = """\
title = "Short"
seed = 3
patient = "normal"
devices = ["ecg", "oximeter"]

[[at]]
s = 2
target = "ecg"
fault = "swapped"
value = "LA/RA"
for_s = 3

[[at]]
s = 1
patient = "atrial_fibrillation"
say = "it begins"

[[at]]
s = 4
say = "nothing"
"""


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="chevet-") as short:
        yield Path(short)


async def until(met):
    async with asyncio.timeout(60):
        while not met():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.002)


def test_a_timeline_is_sorted_and_faults_with_a_length_are_turned_off_again():
    story = parse(GOOD)
    told = [(step.at_s, step.target, step.fault, step.value, step.on) for step in story.steps]
    assert told == [
        (1.0, "patient", "condition", "atrial-fibrillation", True),
        (2.0, "ecg", "swapped", "LA/RA", True),
        (4.0, "", "", "", True),
        (5.0, "ecg", "swapped", "", False),
    ]
    assert (story.seed, story.patient, story.lasts_s, story.repeat_s) == (3, "normal", 5.0, 0.0)
    assert story.steps[0].sentence() == "patient condition atrial-fibrillation on: it begins"
    assert "nothing" in [step.sentence() for step in story.steps]


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "says"),
    [
        ("seed = 3", "sede = 3", 2, "sede", "is no key here; there are title"),
        ("seed = 3", "seed = -3", 2, "seed", "0 or more"),
        ("seed = 3", 'seed = "3"', 2, "seed", "a whole number"),
        ("seed = 3", "seed = true", 2, "seed", "a whole number"),
        ("seed = 3", "repeat_s = 4", 2, "repeat_s", "above the last step"),
        ('patient = "normal"', 'patient = "plague"', 3, "patient", "there are normal"),
        ('devices = ["ecg", "oximeter"]', 'devices = ["ecg", "ecg"]', 4, "devices", "twice"),
        ('devices = ["ecg", "oximeter"]', "devices = [1]", 4, "devices", "list of texts"),
        ("s = 2", "s = -2", 7, "s", "0 to"),
        ("s = 2", 's = "2"', 7, "s", "a number"),
        ("s = 2\n", "", 6, "s", "is missing"),
        ('target = "ecg"\n', "", 6, "target", "is missing"),
        ('fault = "swapped"\n', "", 6, "fault", "is missing"),
        ("for_s = 3", "for_s = 0", 11, "for_s", "above 0"),
        ("for_s = 3", "for_s = 3\noff = true", 11, "for_s", "turned on"),
        ('say = "it begins"', 'target = "ecg"', 16, "target", "use two steps"),
        ("s = 4", "s = 4\nlen = 3", 20, "len", "is no key here"),
        ('say = "nothing"', "", 18, "target", "is missing"),
        ('title = "Short"', 'title = "Short', 1, "", "is no TOML"),
        ('title = "Short"', "play = { ecg = 3 }", 0, "ecg", "path of a recording"),
        ('title = "Short"', "at = [3]", 0, "", "is no TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_key(old, new, line, key, says):
    with pytest.raises(ScenarioError, match=says) as refused:
        parse(GOOD.replace(old, new, 1))
    assert refused.value.key == key
    if line:
        assert refused.value.line == line
        assert f"line {line}" in str(refused.value)


def test_steps_that_are_no_tables_are_refused():
    with pytest.raises(ScenarioError, match="tables"):
        parse("at = [3]")


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    try:
        story = parse(text)
    except ScenarioError:
        return
    assert list(story.steps) == sorted(story.steps, key=lambda step: step.at_s)


@pytest.mark.parametrize("name", scenario.shipped())
async def test_shipped_scenarios_are_right(name, folder):
    story = scenario.read(scenario.find(name))
    assert story.title
    assert story.story
    await examine(Plan(folder, story.seed or 1, story.devices, patient=story.patient, scenario=story))


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ('target = "ekg"\nfault = "swapped"', "no instrument 'ekg'"),
        ('target = "ecg"\nfault = "wax"', "knows no fault 'wax'"),
        ('target = "ecg"\nfault = "swapped"\nvalue = "LA"', "pairs of"),
        ('target = "ecg"\nfault = "silence"\nvalue = "x"', "takes no value"),
        ('target = "ecg"\nfault = "reboot"\noff = true', "happens once"),
        ('patient = "normal"', "--patient"),
    ],
)
async def test_a_step_that_the_room_cannot_do_is_refused_with_its_line(step, says, folder):
    story = parse(f'devices = ["ecg"]\n\n[[at]]\ns = 1\n{step}\n', "x.toml")
    with pytest.raises(ScenarioError, match=says) as refused:
        await examine(Plan(folder, 1, ("ecg",), scenario=story))
    assert "x.toml, line 4" in str(refused.value)


async def test_a_scenario_is_played_repeated_and_calmed_between(folder):
    text = (
        'patient = "normal"\nrepeat_s = 0.6\n[[at]]\ns = 0.1\ntarget = "ecg"\nfault = "tremor"\n'
        '[[at]]\ns = 0.2\npatient = "child"\n[[at]]\ns = 0.3\ntarget = "ecg"\nfault = "banner"\n'
    )
    story, said = parse(text), []
    async with served(Plan(folder, 1, ("ecg",), patient="normal")) as room:
        check(story, room)
        conductor = Conductor(story, room, said.append)
        task = asyncio.create_task(conductor.run())
        (ecg,) = room.instruments
        await until(lambda: len(said) >= 3 and "tremor" in ecg.active)
        await until(lambda: room.bedside.heart.patient.condition == "child")
        assert [step["s"] for step in conductor.state()["steps"]] == [0.1, 0.2, 0.3]
        await until(lambda: not ecg.active)
        await until(lambda: len(said) >= 6)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert conductor.state()["failed"] == []


async def test_a_step_that_fails_is_told_and_the_others_go_on(folder):
    story = parse(
        '[[at]]\ns = 0\ntarget = "ekg"\nfault = "x"\n[[at]]\ns = 0\ntarget = "ecg"\nfault = "tremor"\n'
    )
    async with served(Plan(folder, 1, ("ecg",))) as room:
        conductor = Conductor(story, room, lambda _line: None)
        task = asyncio.create_task(conductor.run())
        await until(lambda: room.instruments[0].active and conductor.state()["failed"])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert "no instrument 'ekg'" in conductor.state()["failed"][0]["error"]


async def test_serving_plays_the_plans_scenario(folder, capsys):
    story = parse('[[at]]\ns = 0\ntarget = "ecg"\nfault = "tremor"\n')
    async with served(Plan(folder, 1, ("ecg",), scenario=story)) as room:
        await until(lambda: "tremor" in room.instruments[0].active)
        assert room.state()["scenario"]["steps"][0]["tells"] == "ecg tremor on"
    assert "ecg tremor on" in capsys.readouterr().out


def test_the_command_checks_and_lists(folder, capsys):
    assert cli.main(["scenario", "list"]) == 0
    assert "first-visit" in capsys.readouterr().out
    assert cli.main(["scenario", "check", "first-visit"]) == 0
    assert "all well" in capsys.readouterr().out
    assert cli.main(["scenario", "check"]) == 1
    assert "name a file" in capsys.readouterr().err
    assert cli.main(["scenario", "check", "no-such"]) == 1
    assert "ready ones are" in capsys.readouterr().err
    folder.joinpath("bad.toml").write_bytes(b"\xff")
    assert cli.main(["scenario", "check", str(folder / "bad.toml")]) == 1
    assert "cannot be read" in capsys.readouterr().err


async def test_a_room_without_that_instrument_says_so(folder):
    async with served(Plan(folder, 1, ("ecg",))) as room:
        with pytest.raises(FaultError, match="there are ecg, patient"):
            await room.set_fault("oximeter", "silence")
