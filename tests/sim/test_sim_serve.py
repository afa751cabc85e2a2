"""`chevet-sim serve` and `control` as an operator uses them."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from chevet.sim import cli, control, doctor
from chevet.sim.errors import FaultError, ServeError
from chevet.sim.serve import DEVICES, Plan, serve

LINKS = {
    "ecg": "serial:",
    "stethoscope": "serial:",
    "oximeter": "serial:",
    "oximeter-ble": "ble:",
    "otoscope": "mjpeg:",
}


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="chevet-") as short:  # Unix sockets need short paths
        yield Path(short) / "sim"


@contextlib.asynccontextmanager
async def serving(plan):
    stop = asyncio.Event()
    task = asyncio.create_task(serve(plan, stop))
    async with asyncio.timeout(60):
        while not (plan.folder / "devices.json").exists():
            if task.done():
                await task
            await asyncio.sleep(0.02)
    yield
    stop.set()
    await asyncio.wait_for(task, 60)


async def test_everything_is_listed_when_ready_and_gone_at_the_end(folder, capsys):
    async with serving(Plan(folder)):
        listed = json.loads((folder / "devices.json").read_text())
        assert [one["id"] for one in listed] == list(DEVICES)
        for one in listed:
            assert one["url"].startswith(LINKS[one["id"]])
            assert one["link"] == one["url"]
        (ble,) = [one for one in listed if one["id"] == "oximeter-ble"]
        assert ble["bluetooth_backend"] == "chevet.sim.bumble_backend:bluetooth"
        assert ble["bluetooth_spec"] == f"unix:{folder / 'radio.sock'}"
        assert all((folder / name).is_symlink() for name in ("ecg", "stethoscope", "oximeter"))
    assert capsys.readouterr().out.startswith("READY 5 virtual instruments")
    assert list(folder.iterdir()) == []


async def test_one_directory_serves_one_simulator(folder):
    async with serving(Plan(folder, devices=("oximeter",))):
        with pytest.raises(ServeError, match="already served"):
            await serve(Plan(folder), asyncio.Event())
        assert (folder / "devices.json").exists()


async def test_what_a_killed_simulator_left_behind_is_no_obstacle(folder):
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "control.sock"))
    (folder / "ecg").symlink_to("/dev/pts/9999")
    async with serving(Plan(folder, devices=("ecg",))):
        assert (folder / "ecg").exists()


async def test_a_directory_that_cannot_be_made_is_said_with_its_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ServeError, match="--dir"):
        await serve(Plan(tmp_path / "file" / "sim"), asyncio.Event())


async def test_a_start_that_fails_leaves_nothing_behind(folder):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServeError, match="--camera-port"):
            await serve(Plan(folder, camera_port=port), asyncio.Event())
    assert list(folder.iterdir()) == []


async def test_faults_are_switched_while_it_runs(folder):
    path = folder / "control.sock"
    async with serving(Plan(folder)):
        known = (await control.ask(path, {"list": True}))["targets"]
        assert {"unplug", "silence", "lead_off", "mains_hum"} <= set(known["ecg"])
        await control.set_fault(path, "ecg", "lead_off", value="V3,V4")
        await control.set_fault(path, "ecg", "mains_hum")
        await control.set_fault(path, "stethoscope", "friction", value="0.8")
        await control.set_fault(path, "stethoscope", "site", value="A")
        await control.set_fault(path, "stethoscope", "sensor_off")
        await control.set_fault(path, "oximeter", "motion")
        await control.set_fault(path, "oximeter", "unplug")
        assert not (folder / "oximeter").exists()
        await control.set_fault(path, "oximeter", "unplug", on=False)
        assert (folder / "oximeter").exists()
        await control.set_fault(path, "oximeter-ble", "ble_drop")
        await control.set_fault(path, "oximeter-ble", "ble_drop", on=False)
        await control.set_fault(path, "oximeter-ble", "silence")
        await control.set_fault(path, "otoscope", "ear", value="left:bulging")
        await control.set_fault(path, "otoscope", "ear", on=False)
        for fault in ("defocus", "silence", "garbage"):
            await control.set_fault(path, "otoscope", fault)
        await control.set_fault(path, "otoscope", "unplug")
        await control.set_fault(path, "otoscope", "unplug", on=False)
        await control.set_fault(path, "otoscope", "replug", value="0")


@pytest.mark.parametrize(
    ("target", "fault", "value", "says"),
    [
        ("ekg", "silence", "", "no instrument 'ekg'"),
        ("oximeter", "lead_off", "", "knows no fault"),
        ("oximeter", "garbage", "7", "probability"),
        ("oximeter", "garbage", "often", "could not convert"),
    ],
)
async def test_wrong_requests_are_refused_with_what_would_be_right(folder, target, fault, value, says):
    async with serving(Plan(folder, devices=("oximeter",))):
        with pytest.raises(FaultError, match=says):
            await control.set_fault(folder / "control.sock", target, fault, value=value)


async def test_garbage_on_the_control_socket_is_answered_or_dropped(folder):
    async with serving(Plan(folder, devices=("oximeter",))):
        reader, writer = await asyncio.open_unix_connection(str(folder / "control.sock"))
        for line in (b"nonsense\n", b"[1]\n", b'{"fault": 3}\n', b'{"more": 1}\n', b"\xff\xfe\n"):
            writer.write(line)
            assert json.loads(await reader.readline())["ok"] is False
        writer.write(b"x" * 10_000)
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
        assert (await control.ask(folder / "control.sock", {"list": True}))["ok"]


async def test_nobody_at_the_socket_is_said_with_its_remedy(folder):
    with pytest.raises(ServeError, match="chevet-sim serve"):
        await control.ask(folder / "control.sock", {"list": True})


def test_the_command_serves_until_sigterm_and_is_controlled_from_outside(folder, capsys):
    words = [sys.executable, "-W", "error", "-m", "chevet.sim.cli", "serve", "--dir", str(folder)]
    process = subprocess.Popen(
        [*words, "--devices", "ecg", "oximeter"], stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout.readline().startswith("READY 2 virtual instruments")
        assert cli.main(["control", "--dir", str(folder)]) == 0
        assert "lead_off" in capsys.readouterr().out
        assert cli.main(["control", "--dir", str(folder), "ecg", "lead_off", "--value", "V1"]) == 0
        assert cli.main(["control", "--dir", str(folder), "ecg", "lead_off", "off"]) == 0
        assert cli.main(["control", "--dir", str(folder), "ecg"]) == 1
        assert "name a fault" in capsys.readouterr().err
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        _, errors = process.communicate()
    assert errors == ""
    assert list(folder.iterdir()) == []


def test_an_unknown_device_is_refused_with_the_known_ones(folder, capsys):
    assert cli.main(["serve", "--dir", str(folder), "--devices", "xray"]) == 1
    assert "there are ecg, stethoscope" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["serve"], ["control"], ["demo"], ["consult"], ["doctor"]])
def test_every_command_has_help_that_teaches(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out) > 80


def test_the_demos_options_reach_it(monkeypatch):
    seen = []
    monkeypatch.setattr("chevet.sim.demo.run", lambda options: seen.append(options) or 0)
    assert (
        cli.main(["demo", "--once", "--json", "r.json", "--port-kiosk", "9000", "--broker", "mosquitto"]) == 0
    )
    assert (seen[0].once, seen[0].json, seen[0].port_kiosk, seen[0].port_desk) == (True, "r.json", 9000, None)
    assert (seen[0].dir, seen[0].broker) == (None, "mosquitto")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], ()),
        (["--patient", "wheeze"], ("--patient", "wheeze")),
        (["--patient", "wheeze", "--web", "0"], ("--patient", "wheeze", "--web", "0")),
    ],
)
def test_the_demos_instruments_are_told_of_the_patient_and_the_page(words, told):
    from chevet.sim.demo import _serving

    assert _serving(cli.parser().parse_args(["demo", *words])) == told


def test_the_doctor_finds_this_machine_fit(capsys):
    assert cli.main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "bumble is installed" in said
    assert "FAIL" not in said


def test_the_doctor_names_the_remedy_for_what_is_missing(monkeypatch):
    def missing(name):
        raise ImportError(f"No module named {name!r}")

    def no_terminals():
        raise OSError(2, "No such file or directory")

    monkeypatch.setattr(doctor.importlib, "import_module", missing)
    monkeypatch.setattr(doctor.os, "openpty", no_terminals)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(doctor, "KIOSK_PORT", taken.getsockname()[1])
        findings = doctor.look()
    said = doctor.report(findings)
    assert "pip install 'chevet[sim]'" in said
    assert "/dev/pts" in said
    assert "note  port" in said
    assert said.count("FAIL") == 6


def test_ctrl_c_ends_the_command_quietly(monkeypatch, folder):
    def interrupted(_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("chevet.sim.demo.run", interrupted)
    assert cli.main(["demo"]) == 130
