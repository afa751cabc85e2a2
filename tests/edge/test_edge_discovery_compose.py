"""Whose link opens what was found, and how this very box looks around."""

from pathlib import Path

import pytest
from discovery_bench import QUICK, Bench, Counting
from test_edge_agent import free_port, prepare

from chevet.bridge.errors import LinkUnavailable
from chevet.devices.recognise_asking import QUESTIONS
from chevet.edge.discovery_compose import configured_as, real_buses
from chevet.edge.discovery_listening import ask, listen
from chevet.edge.discovery_things import Thing
from chevet.edge.settings import DeviceSettings, load_settings
from chevet.sim.kit import KitDevice, ecg_identity
from chevet.sim.twins.ecg_body import RecordedChest
from chevet.sim.twins.ecg_chords import ChordsUno
from chevet.sim.twins.ecg_openview import healthypi_v4


def device(name: str, link: str) -> DeviceSettings:
    return DeviceSettings(id=name, driver="kit-ecg", link=link)


def test_a_configured_link_is_known_again_under_whatever_name_the_system_gives_it(tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"
    port.write_text("")
    stable = tmp_path / "usb-FTDI-if00"
    stable.symlink_to(port)
    devices = (
        device("oximeter", f"serial:{stable}?baud=9600"),
        device("cuff", "ble:c0:ff:ee:00:00:01?notify=2a35"),
        device("ear", f"v4l2:{stable}?width=640"),
        device("stethoscope", "alsa:Device"),
        device("pi", "picamera:0?width=640"),
    )
    for thing, owner in (
        (Thing("usb:1", "serial", str(port)), "oximeter"),
        (Thing("usb:2", "serial", str(tmp_path / "ttyUSB1")), ""),
        (Thing("ble:1", "bluetooth", "C0:FF:EE:00:00:01"), "cuff"),
        (Thing("ble:2", "bluetooth", "C0:FF:EE:00:00:02"), ""),
        (Thing("camera:1", "camera", f"v4l2:{port}"), "ear"),
        (Thing("camera:2", "camera", "picamera:0"), "pi"),
        (Thing("camera:3", "camera", "picamera:1"), ""),
        (Thing("sound:1", "sound", "alsa:Device"), "stethoscope"),
    ):
        assert configured_as(devices, thing) == owner, thing


async def test_this_box_lists_its_buses_without_opening_anything(tmp_path: Path) -> None:
    bench = tmp_path / "bench"
    bench.mkdir()
    config = prepare(tmp_path, free_port(), '[discovery]\nports = ["bench"]\n')
    settings = load_settings(config)
    assert settings.discovery.ports == (bench,), "read from the configuration's folder"
    buses = real_buses(settings)
    assert not buses.virtual_radio
    assert all(port.usb for port in buses.ports())
    assert isinstance(buses.cameras(), list)
    assert all(card.devices for card in buses.sound_cards())
    with pytest.raises(LinkUnavailable):
        buses.connect("nonsense:x")


@pytest.fixture
async def bench(tmp_path: Path):
    made = Bench(tmp_path)
    yield made
    await made.clear()


async def test_an_arduino_that_restarts_when_opened_is_asked_once_it_hears(bench: Bench) -> None:
    cable = bench.plug("ttyACM0", lambda: ChordsUno(RecordedChest(), 0.0), usb=(0x2341, 0x0043))
    chords = [one for one in QUESTIONS if "chords" in one.drivers]
    answer = await ask(cable.port.path, bench.buses.connect, chords)
    assert answer is not None
    assert (answer.driver, answer.reason, answer.options) == ("chords", "answer:UNO-R3", "baud=230400")


async def test_look_alikes_are_settled_by_the_adapter_and_others_stay_two(bench: Bench) -> None:
    cable = bench.plug("ttyUSB0", lambda: healthypi_v4(RecordedChest(), 0.0))
    hinted = await listen(cable.port.path, bench.buses.connect, ("healthypi-v4",), QUICK)
    assert (hinted.recognition.driver, hinted.recognition.certainty) == ("healthypi-v4", "likely")
    plain = await listen(cable.port.path, bench.buses.connect, ("berrymed",), QUICK)
    assert plain.recognition.drivers == ("healthypi-v4", "healthypi-v3")


class Talker:
    """Prints what is no instrument, at 9600 baud."""

    baud = 9600

    def receive(self, data: bytes, now: float) -> list[bytes]:
        return []

    def advance(self, now: float) -> list[bytes]:
        return [b"GPS fix lost, retrying\r\n"]

    def restart(self, now: float) -> None:
        pass


async def test_a_talker_that_nobody_knows_ends_the_search_at_its_own_speed(bench: Bench) -> None:
    cable = bench.plug("ttyUSB0", Talker)
    heard = await listen(cable.port.path, bench.buses.connect, (), QUICK)
    assert heard.recognition.drivers == ()
    assert (heard.silent, heard.problem) == (False, "")
    assert len(bench.opened) == 1, "plain text: the speed is right"


async def test_a_kit_device_that_gives_no_answer_stays_one_of_three(bench: Bench) -> None:
    class Deaf(KitDevice):
        def receive(self, data: bytes, now: float) -> list[bytes]:
            return []

    cable = bench.plug("ttyACM0", lambda: Deaf(ecg_identity("E1"), Counting(12), 25, 0.0))
    heard = await listen(cable.port.path, bench.buses.connect, ("kit-ecg",), QUICK)
    assert set(heard.recognition.drivers) == {"kit-ecg", "kit-stethoscope", "kit-oximeter"}
