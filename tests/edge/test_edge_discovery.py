"""Instruments on real terminals are recognised, offered, used, remembered, told apart and forgotten."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from discovery_bench import FAST, Bench, Counting, Looking, look_around, nonin
from edge_fakes import until

from chevet.bridge.alsa_cards import SoundCard
from chevet.bridge.finding_air import Heard
from chevet.bridge.finding_cameras import FoundCamera
from chevet.bridge.finding_serial import SerialPort
from chevet.devices.gatt import uuid
from chevet.edge import discovery_watch
from chevet.edge.discovery_things import Thing
from chevet.edge.discovery_watch import told_apart
from chevet.edge.errors import Refusal
from chevet.sim.kit import KitDevice, ecg_identity
from chevet.sim.twins.contec import ContecNew
from chevet.sim.twins.finger import SteadyFinger

CUFF = Heard("C0:FF:EE:00:00:21", "Cuff 7", (uuid(0x1810),), -60)
PHONE = Heard("51:22:33:44:55:66", "Phone", (), -40)
EAR = FoundCamera("v4l2:/dev/v4l/by-id/usb-Firefly-video-index0", "Firefly DE550", "video0", "camera:firefly")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    await made.clear()


@pytest.fixture
async def looking(bench: Bench, tmp_path: Path) -> AsyncIterator[Looking]:
    made = look_around(bench, tmp_path / "edge.db")
    yield made
    await made.stop()


async def test_an_oximeter_is_plugged_in_offered_accepted_unplugged_and_back_under_another_name(
    bench: Bench, looking: Looking
) -> None:
    bench.plug("ttyUSB0", nonin)
    await until(lambda: looking.states() == {"ttyUSB0": "offered"})
    offer = looking.discovery.shape(looking.at("ttyUSB0"))
    assert (offer["driver"], offer["instrument"], offer["certainty"]) == ("nonin-df2", "oximeter", "certain")
    assert offer["reason"].startswith("frames:")
    assert looking.types() == ["found"]
    assert looking.told[0]["found"]["id"] == offer["id"]  # type: ignore[index]
    await looking.discovery.decide(offer["id"], use=True)
    instrument = looking.instruments["oximeter-1"]
    await until(lambda: instrument.state == "ready")
    assert instrument.found
    assert instrument.simulated, "a pseudo-terminal is a program"
    await bench.pull("ttyUSB0")
    await until(lambda: instrument.state == "absent")
    await until(lambda: looking.told[-1] == {"type": "gone", "found": offer["id"]})
    bench.plug("ttyUSB3", nonin)
    await until(lambda: instrument.state == "ready")
    assert looking.states() == {"ttyUSB3": "used"}
    assert instrument.settings.link == "serial:usb:0403:6001:A1?baud=9600", "it names, whatever the port"


async def test_what_was_accepted_comes_back_after_a_restart_and_what_was_refused_stays_quiet(
    bench: Bench, tmp_path: Path
) -> None:
    first = look_around(bench, tmp_path / "edge.db")
    bench.plug("ttyUSB0", nonin, serial="A1")
    bench.plug("ttyUSB1", nonin, serial="B2", location="1-1.2")
    await until(lambda: set(first.states().values()) == {"offered"} and len(first.states()) == 2)
    await first.discovery.decide(first.at("ttyUSB0").id, use=True)
    await first.discovery.decide(first.at("ttyUSB1").id, use=False)
    await until(lambda: first.instruments["oximeter-1"].state == "ready")
    await first.stop()

    second = look_around(bench, tmp_path / "edge.db")
    try:
        await until(lambda: second.instruments["oximeter-1"].state == "ready")
        await until(lambda: second.states() == {"ttyUSB0": "used", "ttyUSB1": "refused"})
        listened = [url for url in bench.opened if "ttyUSB1" in url]
        await asyncio.sleep(0.4)
        assert listened == [url for url in bench.opened if "ttyUSB1" in url], "nobody listens to it any more"
        await second.discovery.forget("oximeter-1")
        assert "oximeter-1" not in second.instruments
        assert {"type": "forgotten", "device": "oximeter-1"} in second.told
        await until(lambda: second.states()["ttyUSB0"] == "offered")
    finally:
        await second.stop()


async def test_two_equal_oximeters_at_once_have_their_own_ids_and_their_own_samples(
    bench: Bench, looking: Looking
) -> None:
    for number in (0, 1):
        bench.plug(f"ttyUSB{number}", nonin, serial="0001", location=f"1-1.{number}")
    await until(lambda: list(looking.states().values()) == ["offered", "offered"])
    for number in (0, 1):
        await looking.discovery.decide(looking.at(f"ttyUSB{number}").id, use=True)
    assert set(looking.instruments) == {"oximeter-1", "oximeter-2"}
    await until(lambda: all(one.state == "ready" for one in looking.instruments.values()))
    assert looking.at("ttyUSB0").device != looking.at("ttyUSB1").device
    await bench.pull("ttyUSB0")
    gone = looking.instruments["oximeter-1"]
    await until(lambda: gone.state == "absent")
    assert looking.instruments["oximeter-2"].state == "ready"


async def test_a_silent_port_is_not_spoken_to_unless_somebody_asks_for_it(
    bench: Bench, looking: Looking
) -> None:
    twin = ContecNew(SteadyFinger(), time.monotonic())
    said: list[bytes] = []
    receive = twin.receive
    twin.receive = lambda data, now: (said.append(data) if data else None, receive(data, now))[1]  # type: ignore[method-assign]
    bench.plug("ttyUSB0", lambda: twin, usb=(0x10C4, 0xEA60))
    await until(lambda: looking.states() == {"ttyUSB0": "unknown"})
    assert said == []
    assert looking.told == [], "an unknown adapter is no news for a worker"
    with pytest.raises(Refusal) as refused:
        await looking.discovery.decide(looking.at("ttyUSB0").id, use=True)
    assert refused.value.code == "not_recognised"
    thing = await looking.discovery.ask(looking.at("ttyUSB0").id)
    assert (thing.state, thing.recognition.driver) == ("offered", "contec-cms50-v2")
    assert thing.recognition.reason == "answer:50D(A)+"
    assert said, "it was asked"


async def test_an_adapter_on_the_sites_list_is_asked_by_itself(bench: Bench, tmp_path: Path) -> None:
    settings = FAST.model_copy(update={"ask": ("10c4:ea60",), "allow": ("contec-*", "contec-cms50-v2")})
    looking = look_around(bench, tmp_path / "edge.db", settings)
    try:
        bench.plug("ttyUSB0", lambda: ContecNew(SteadyFinger(), time.monotonic()), usb=(0x10C4, 0xEA60))
        await until(lambda: looking.states() == {"ttyUSB0": "used"})
        await until(lambda: looking.instruments["oximeter-1"].state == "ready")
        assert looking.instruments["oximeter-1"].settings.driver == "contec-cms50-v2"
    finally:
        await looking.stop()


async def test_an_idle_kit_front_end_says_which_it_is(bench: Bench, looking: Looking) -> None:
    make = lambda: KitDevice(ecg_identity("E12-7"), Counting(12), 25, time.monotonic())  # noqa: E731
    bench.plug("ttyACM0", make, usb=(0x0483, 0x5740))
    await until(lambda: looking.states() == {"ttyACM0": "offered"})
    offer = looking.discovery.shape(looking.at("ttyACM0"))
    assert (offer["driver"], offer["serial"]) == ("kit-ecg", "E12-7")
    await looking.discovery.decide(offer["id"], use=True)
    await until(lambda: looking.instruments["ecg-1"].state == "ready")
    assert looking.instruments["ecg-1"].identity["serial"] == "E12-7"


async def test_bluetooth_meters_are_offered_and_strangers_are_left_alone(
    bench: Bench, looking: Looking
) -> None:
    bench.heard += [CUFF, PHONE]
    await until(lambda: looking.states() == {CUFF.address: "offered", PHONE.address: "unknown"})
    offer = looking.discovery.shape(looking.at(CUFF.address))
    assert (offer["driver"], offer["instrument"], offer["reason"]) == (
        "blood-pressure",
        "blood_pressure",
        "service:1810",
    )
    assert offer["rssi"] == -60
    assert [message["found"]["name"] for message in looking.told] == ["Cuff 7"]  # type: ignore[index]
    assert looking.discovery.offers == [looking.at(CUFF.address)]
    await looking.discovery.decide(offer["id"], use=False)
    assert looking.discovery.offers == []
    await looking.discovery.decide(offer["id"], use=True)
    assert looking.instruments["blood_pressure-1"].state == "waiting"
    assert looking.changed[0] == "blood_pressure-1", "screens hear of it although nothing changes"


async def test_the_sites_list_lets_a_name_or_an_address_in_without_asking(
    bench: Bench, tmp_path: Path
) -> None:
    settings = FAST.model_copy(update={"allow": ("name:cuff*",), "offer": False})
    looking = look_around(bench, tmp_path / "edge.db", settings)
    try:
        other = Heard("C0:FF:EE:00:00:22", "Thermo", (uuid(0x1809),), -60)
        bench.heard += [CUFF, other]
        await until(lambda: looking.states() == {CUFF.address: "used", other.address: "unknown"})
    finally:
        await looking.stop()
    thing = Thing("ble:X", "bluetooth", "C0:FF:EE:00:00:21", name="Cuff 7")
    assert thing.is_allowed(("address:c0:ff:ee:00:00:21",))
    assert not thing.is_allowed(("address:c0:ff:ee:00:00:22", "blood-pressure", "usb:*"))


async def test_a_name_that_comes_later_is_taken_up(bench: Bench, looking: Looking) -> None:
    bench.heard.append(Heard("C0:FF:EE:00:00:23", "", (), -60))
    await until(lambda: looking.states() == {"C0:FF:EE:00:00:23": "unknown"})
    bench.heard[:] = [Heard("C0:FF:EE:00:00:23", "Polar H10 123", (uuid(0x180D),), -50)]
    await until(lambda: looking.states() == {"C0:FF:EE:00:00:23": "offered"})
    assert looking.at("C0:FF:EE:00:00:23").recognition.driver == "polar-h10"


async def test_what_is_not_heard_any_more_goes_and_the_offer_with_it(
    bench: Bench, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.heard += [CUFF, PHONE]
    await until(lambda: len(looking.states()) == 2)
    bench.heard.clear()
    monkeypatch.setattr(discovery_watch, "STRANGER_S", 0.05)
    await until(lambda: looking.states() == {CUFF.address: "offered"})
    monkeypatch.setattr(discovery_watch, "KEPT_S", 0.05)
    await until(lambda: looking.states() == {})
    assert looking.types() == ["found", "gone"]


async def test_a_radio_that_is_not_there_is_told_and_all_else_goes_on(bench: Bench, looking: Looking) -> None:
    bench.no_radio = "no_adapter"
    bench.cameras.append(EAR)
    await until(lambda: looking.discovery.watch.problems == {"bluetooth": "no_adapter"})
    await until(lambda: looking.states() == {"video0": "offered"})
    offer = looking.discovery.shape(looking.at("video0"))
    assert (offer["instrument"], offer["certainty"]) == ("otoscope", "likely")
    assert "look at its picture" in offer["doubt"]
    bench.no_radio = ""
    await until(lambda: looking.discovery.watch.problems == {})


async def test_a_camera_that_was_accepted_is_opened_under_its_stable_name(
    bench: Bench, looking: Looking
) -> None:
    bench.cameras.append(EAR)
    await until(lambda: looking.states() == {"video0": "offered"})
    await looking.discovery.decide(looking.at("video0").id, use=True)
    await until(lambda: EAR.link in bench.opened)
    instrument = looking.instruments["otoscope-1"]
    await until(lambda: instrument.problem == "not_found")
    assert instrument.settings.driver == "camera"


async def test_a_usb_sound_card_may_be_a_stethoscope_and_the_boards_own_is_none(
    bench: Bench, looking: Looking
) -> None:
    bench.cards += [
        SoundCard(0, "PCH", "HDA Intel", "HDA-Intel"),
        SoundCard(1, "Device", "USB Audio Device", "USB-Audio", "0d8c:0014", stable="usb-C-Media-00"),
    ]
    await until(lambda: looking.states() == {"card 1": "offered"})
    offer = looking.discovery.shape(looking.at("card 1"))
    assert (offer["instrument"], offer["certainty"]) == ("stethoscope", "likely")
    await looking.discovery.decide(offer["id"], use=True)
    assert looking.instruments["stethoscope-1"].settings.link == "alsa:usb-C-Media-00"
    await until(lambda: "alsa:/dev/snd/by-id/usb-C-Media-00" in bench.opened)


async def test_a_port_that_another_program_holds_is_told_and_tried_again(
    bench: Bench, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    cable = bench.plug("ttyUSB0", nonin)
    await bench.pull("ttyUSB0")
    bench.cables["ttyUSB0"] = cable  # listed, and not there: as a port without rights or taken
    await until(lambda: looking.states() == {"ttyUSB0": "unknown"})
    assert looking.at("ttyUSB0").problem == "not_found"
    bench.plug("ttyUSB0", nonin)
    monkeypatch.setattr(discovery_watch, "LISTEN_AGAIN_S", 0.05)
    await until(lambda: looking.states() == {"ttyUSB0": "offered"})
    assert looking.at("ttyUSB0").problem == ""


async def test_what_the_configuration_names_is_neither_listened_to_nor_decided_on(
    bench: Bench, tmp_path: Path
) -> None:
    looking = look_around(bench, tmp_path / "edge.db", configured=lambda _: "oximeter")
    try:
        bench.plug("ttyUSB0", nonin)
        await until(lambda: looking.states() == {"ttyUSB0": "used"})
        assert bench.opened == []
        with pytest.raises(Refusal) as refused:
            await looking.discovery.decide(looking.at("ttyUSB0").id, use=False)
        assert refused.value.code == "configured"
        with pytest.raises(Refusal) as refused:
            await looking.discovery.ask(looking.at("ttyUSB0").id)
        assert refused.value.code == "not_askable"
        with pytest.raises(Refusal) as refused:
            await looking.discovery.forget("nobody")
        assert refused.value.code == "not_found"
    finally:
        await looking.stop()


async def test_switched_off_nothing_is_looked_at(bench: Bench, tmp_path: Path) -> None:
    looking = look_around(bench, tmp_path / "edge.db", FAST.model_copy(update={"on": False}))
    try:
        bench.plug("ttyUSB0", nonin)
        await asyncio.sleep(0.3)
        assert looking.states() == {}
        with pytest.raises(Refusal) as refused:
            await looking.discovery.look()
        assert refused.value.code == "discovery_off"
    finally:
        await looking.stop()


async def test_look_alikes_are_offered_with_a_choice(bench: Bench, looking: Looking) -> None:
    heard = Heard("C0:FF:EE:00:00:24", "", ("14839ac4-7d7e-415c-9a42-167340cf2339",), -60)
    bench.heard.append(heard)
    await until(lambda: looking.states() == {heard.address: "offered"})
    offer = looking.discovery.shape(looking.at(heard.address))
    assert (offer["driver"], offer["certainty"], offer["instrument"]) == ("", "ambiguous", "")
    for driver in ("", "kit-ecg"):
        with pytest.raises(Refusal) as refused:
            await looking.discovery.decide(offer["id"], use=True, driver=driver)
        assert (refused.value.code, refused.value.field) == ("choose_driver", "driver")
    thing = await looking.discovery.decide(offer["id"], use=True, driver="er1")
    assert (thing.state, thing.device) == ("used", "ecg-1")
    with pytest.raises(Refusal, match="no such instrument"):
        looking.discovery.thing("nobody")


def test_adapters_with_a_makers_common_serial_number_are_told_apart_by_their_place() -> None:
    adapters = (("0001", "1-1.2"), ("0001", "1-1.1"), ("X", "1-2"), ("X", "1-3"))
    ports = [
        SerialPort(f"/dev/ttyUSB{number}", 0x10C4, 0xEA60, serial, location=place)
        for number, (serial, place) in enumerate(adapters)
    ]
    names = [name for name, _ in told_apart(ports)]
    assert names == ["usb:10c4:ea60@1-1.1", "usb:10c4:ea60@1-1.2", "usb:10c4:ea60:X", "usb:10c4:ea60:X@1-3"]
    assert SerialPort("/dev/ttyAMA0").identity == "port:/dev/ttyAMA0"
