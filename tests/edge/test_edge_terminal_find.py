"""`chevet-edge devices --find` and its like without an agent: looked at here, remembered for later."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from discovery_bench import QUICK
from test_edge_agent import free_port, prepare

from chevet.bridge.errors import LinkUnavailable
from chevet.bridge.finding_air import Heard
from chevet.bridge.finding_cameras import FoundCamera
from chevet.bridge.link import Link
from chevet.devices.gatt import uuid
from chevet.edge import cli
from chevet.edge.database import Database
from chevet.edge.discovery_memory import Accepted, Calibrations, FoundDevices
from chevet.edge.discovery_watch import Buses
from chevet.edge.errors import Refusal
from chevet.edge.settings import EdgeSettings, load_settings
from chevet.edge.store import open_store
from chevet.edge.terminal_find import Wish, found_lines, told_found

CUFF = Heard("C0:FF:EE:00:00:41", "Cuff 7", (uuid(0x1810),), -60)
SHARED = Heard("C0:FF:EE:00:00:42", "", ("14839ac4-7d7e-415c-9a42-167340cf2339",), -70)
EAR = FoundCamera("v4l2:/dev/v4l/by-id/usb-Firefly-video-index0", "Firefly DE550", "video0", "camera:firefly")


def buses() -> Buses:
    async def overhear(ear, _seconds):
        ear(CUFF)
        ear(SHARED)
        await asyncio.sleep(0)

    def connect(url: str) -> Link:
        raise LinkUnavailable(url, "busy")

    return Buses(list, lambda: [EAR], list, overhear, connect, patience=QUICK)


@pytest.fixture
def settings(tmp_path: Path) -> EdgeSettings:
    return load_settings(prepare(tmp_path, free_port()))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    made = open_store(tmp_path / "memory.db")
    yield made
    made.close()


def told(settings: EdgeSettings, **wish: str) -> list[str]:
    return list(told_found(settings, Wish(**wish), buses()))


def test_everything_on_the_buses_is_listed_with_its_reason_and_the_next_step(settings: EdgeSettings) -> None:
    lines = told(settings)
    text = "\n".join(lines)
    assert (
        "offered   C0:FF:EE:00:00:41  blood_pressure: blood-pressure, certain (advertises service 1810)"
        in text
    )
    assert "    Cuff 7; -60 dBm" in text
    assert "viatom-o2ring or er1 (choose with --driver), ambiguous" in text
    assert "otoscope: camera, likely" in text
    assert lines[-1] == "Use one with `chevet-edge devices --use ID`, or refuse it with `--refuse ID`."


def test_what_is_accepted_without_an_agent_is_remembered_and_can_be_taken_back(
    settings: EdgeSettings,
) -> None:
    listing = told(settings)
    found_id = next(line.split()[0] for line in listing if "blood-pressure" in line)
    assert told(settings, use=found_id)[-1] == "The agent will know when it is started."
    assert any("is blood_pressure-1" in line and "used" in line for line in told(settings))
    assert told(settings, calibrated="blood_pressure-1", day="2026-05-04") == [
        "blood_pressure-1: last calibrated 2026-05-04."
    ]
    assert told(settings, calibrated="blood_pressure-1", day="none") == [
        "blood_pressure-1: no calibration noted."
    ]
    assert "forgotten" in told(settings, forget="blood_pressure-1")[0]
    assert any("offered" in line and "blood-pressure" in line for line in told(settings))
    assert any("refused" in line for line in told(settings, refuse=found_id))
    shared_id = next(line.split()[0] for line in listing if "er1" in line)
    assert any("is ecg-1" in line for line in told(settings, use=shared_id, driver="er1"))


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"use": "nobody"}, "not_found"),
        ({"ask": "nobody"}, "not_found"),
        ({"forget": "nobody"}, "not_found"),
        ({"calibrated": "nobody", "day": "2026-05-04"}, "not_found"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(settings: EdgeSettings, wish: dict[str, str], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        told(settings, **wish)
    assert refused.value.code == code


def test_a_day_that_is_none_is_refused(settings: EdgeSettings) -> None:
    found_id = next(line.split()[0] for line in told(settings) if "blood-pressure" in line)
    told(settings, use=found_id)
    with pytest.raises(Refusal, match="write it as 2026-05-04"):
        told(settings, calibrated="blood_pressure-1", day="2026-02-31")


def test_a_port_that_is_silent_or_taken_says_what_to_do() -> None:
    shape = {
        "id": "0123456789ab",
        "bus": "serial",
        "name": "Silicon Labs CP210x",
        "maker": "",
        "serial": "0001",
        "place": "ttyUSB0",
        "rssi": None,
        "state": "unknown",
        "instrument": "",
        "drivers": [],
        "certainty": "unknown",
        "reason": "",
        "doubt": "",
        "device": "",
        "problem": "busy",
    }
    lines = list(found_lines(shape))
    assert "try `--ask ID`" in lines[0]
    assert lines[1] == "    Silicon Labs CP210x; serial 0001"
    assert "another program uses it" in lines[2]
    configured = shape | {"device": "ecg", "state": "used", "problem": ""}
    assert next(found_lines(configured)).endswith("is ecg")
    assert next(found_lines(shape | {"state": "listening"})).rstrip().endswith("ttyUSB0")


def test_the_command_needs_a_box(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "edge.toml"
    config.write_text('data_dir = "nowhere"\nprogramme = "programme.json"\n')
    assert cli.main(["devices", "--find", "--config", str(config)]) == 1
    assert "run `chevet-edge init` first" in capsys.readouterr().err


def test_a_decision_outlives_the_process_and_the_last_one_counts(store: Database) -> None:
    memory = FoundDevices(store, lambda: time.time_ns() // 1_000_000)
    cuff = Accepted("ble:C0", "cuff-1", "bluetooth", "blood-pressure", "notify=2a35", "Cuff", simulated=True)
    memory.refuse("ble:C0")
    memory.use(cuff)
    memory.refuse("usb:1")
    again = FoundDevices(store, lambda: 0)
    assert again.used == [cuff]
    assert again.of("ble:C0") == cuff
    assert not again.is_refused("ble:C0")
    assert again.is_refused("usb:1")
    again.forget("usb:1")
    again.refuse("ble:C0")
    third = FoundDevices(store, lambda: 0)
    assert (third.used, third.is_refused("usb:1"), third.is_refused("ble:C0")) == ([], False, True)


def test_a_calibration_belongs_to_the_unit_not_to_the_plug(store: Database) -> None:
    days = Calibrations(store, lambda: time.time_ns() // 1_000_000)
    days.note("oximeter", "501", "2026-05-04")
    assert days.day("oximeter", "501") == "2026-05-04"
    assert days.day("oximeter", "777") is None, "another unit of the same kind"
    assert days.day("oximeter", "") == "2026-05-04", "it has not said its number yet"
    assert days.day("ecg", "501") is None
    days.note("scale", "", "2026-01-02")
    assert days.day("scale", "9") == "2026-01-02", "noted before it could say its number"
    again = Calibrations(store, lambda: 0)
    assert again.day("oximeter", "501") == "2026-05-04"
    again.note("oximeter", "501", None)
    again.forget("scale")
    third = Calibrations(store, lambda: 0)
    assert third.day("oximeter", "501") is None
    assert third.day("scale", "9") is None
