"""Everything that can go wrong: listed with what it does, strict about values, seeded, seen on the wire."""

import asyncio
import json
import random
import socket
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.link import open_link
from chevet.sim import kit
from chevet.sim.air_faults import AirFaults, air_of
from chevet.sim.chest_piece import ChestPiece, chest_piece_faults, loop_sound
from chevet.sim.device_clock import DeviceClock
from chevet.sim.electrodes import LEADS, Electrodes, electrode_faults
from chevet.sim.errors import FaultError, ServeError
from chevet.sim.faults import choice, number, several
from chevet.sim.in_the_clip import HeartPulse, LightFront, WiredFinger, finger_faults
from chevet.sim.one_heart import OneHeart
from chevet.sim.otoscope_video import HEIGHT, WIDTH, Lens, through
from chevet.sim.patient import Patient
from chevet.sim.patient_faults import swapped
from chevet.sim.playback import load
from chevet.sim.serial_runner import SerialRunner
from chevet.sim.serve import ALL, Plan, served
from chevet.sim.tcp_port import TcpPort
from chevet.sim.wire_faults import WireFaults
from chevet.sim.wired import Place


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="chevet-") as short:
        yield Path(short)


class Clock:
    def __init__(self, at=100.0):
        self.at = at

    def __call__(self):
        return self.at


# --- every fault of every instrument -------------------------------------------------------------------


async def test_every_fault_of_every_instrument_is_told_and_can_be_thrown(folder):
    plan = Plan(folder, 1, tuple(name for name in ALL if name not in SERVED_ELSEWHERE), patient="normal")
    async with served(plan) as room:
        state = json.loads(json.dumps(room.state()))
        for instrument, told in zip(room.instruments, state["targets"], strict=True):
            for name, fault in instrument.faults.items():
                assert told["faults"][name]["tells"][0].islower()
                assert told["faults"][name]["kind"] in ("hands", "wire", "body")
                if name in ("replug", "slow_reconnect", "ear"):  # take time; tried elsewhere
                    continue
                await instrument.set_fault(name, True, "")
                assert (name in instrument.active) != fault.once
                if not fault.once:
                    await instrument.set_fault(name, False, "")
            assert instrument.active == {}


SERVED_ELSEWHERE = {"sound-card", "camera-wifi", "contec-ecg90a", "ecg-cart"}
"""Instruments with tests of their own."""


@pytest.mark.parametrize(
    ("target", "fault", "value", "says"),
    [
        ("ecg", "swapped", "LA/LA", "pairs of"),
        ("ecg", "lead_off", "V9", "one of I, II"),
        ("ecg", "mains_hum", "0.3@55", "one of 50, 60"),
        ("ecg", "mains_hum", "9", "0 to 5"),
        ("ecg", "silence", "x", "takes no value"),
        ("ecg", "clock_drift", "x", "could not convert"),
        ("ecg", "renamed", "../x", "a name of letters"),
        ("ecg", "overflow", "0", "1 to 1e"),
        ("otoscope", "ear", "middle", "one of"),
        ("thermometer", "measure", "warm", "a number"),
    ],
)
async def test_wrong_values_are_refused_with_what_would_be_right(folder, target, fault, value, says):
    async with served(Plan(folder, 1, ("ecg", "otoscope", "thermometer"))) as room:
        with pytest.raises(FaultError, match=says):
            await room.set_fault(target, fault, value=value)
        assert all(not one.active for one in room.instruments)


def test_values_are_read_strictly():
    assert number("", 0, 1, 0.5) == 0.5
    assert several("", ("a", "b")) == ["a", "b"]
    assert several("b, a", ("a", "b")) == ["b", "a"]
    with pytest.raises(ValueError, match="a number, 0 to 1"):
        number("nan", 0, 1, 0.5)
    with pytest.raises(ValueError, match="one of a"):
        choice("c", ("a",))


# --- electrodes ----------------------------------------------------------------------------------------


def electrodes(**set_):
    hands = Electrodes(7, **set_)
    return hands, electrode_faults(hands)


def test_exchanged_electrodes_change_the_leads_as_electrodes_do():
    leads = Patient(3).ecg(0, 4)
    hands, faults = electrodes()
    faults["swapped"].throw(True, "LA/RA")
    np.testing.assert_allclose(hands.disturbed(leads, 0, 500.0), swapped(leads, "LA", "RA"), atol=1e-9)
    faults["swapped"].throw(True, "V1/V2,LA/LL")
    both = swapped(swapped(leads, "V1", "V2"), "LA", "LL")
    np.testing.assert_allclose(hands.disturbed(leads, 0, 500.0), both, atol=1e-9)
    faults["swapped"].throw(False, "")
    assert hands.disturbed(leads, 0, 500.0) is leads


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["loose", "electrode_off", "mains_hum", "tremor", "wander", "motion"]),
    st.lists(st.integers(1, 400), min_size=1, max_size=6),
)
def test_disturbances_are_the_same_however_they_are_cut(fault, counts):
    every = Patient(3).ecg(0, 6)
    leads = every[:, : sum(counts)]
    hands, faults = electrodes()
    faults[fault].throw(True, "")
    assert not np.allclose(hands.disturbed(every, 1000, 500.0), every)
    whole = hands.disturbed(leads, 1000, 500.0)
    pieces, at = [], 0
    for count in counts:
        pieces.append(hands.disturbed(leads[:, at : at + count], 1000 + at, 500.0))
        at += count
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole)


def test_a_loose_chest_electrode_troubles_its_own_lead_and_a_leg_all_of_them():
    leads = np.zeros((12, 5000))
    hands, faults = electrodes()
    faults["loose"].throw(True, "V3")
    moved = np.abs(hands.disturbed(leads, 0, 500.0)).max(axis=1)
    assert moved[LEADS.index("V3")] > 0.3
    assert np.delete(moved, LEADS.index("V3")).max() < 1e-9
    faults["loose"].throw(False, "V3")
    faults["loose"].throw(True, "RL")
    assert (np.abs(hands.disturbed(leads, 0, 500.0)).max(axis=1) > 0.01).all()


def test_without_a_limb_electrode_no_lead_is_left_and_without_a_chest_electrode_one_is_lost():
    hands, faults = electrodes()
    faults["electrode_off"].throw(True, "V2")
    assert hands.leads_off() == {"V2"}
    seen = hands.disturbed(np.zeros((12, 500)), 0, 500.0)
    assert np.abs(seen[LEADS.index("V2")]).min() > 3
    faults["electrode_off"].throw(True, "LA")
    assert hands.leads_off() == set(LEADS)
    faults["electrode_off"].throw(False, "")
    single = Electrodes(1)
    electrode_faults(single, ("ECG",))["lead_off"].throw(True, "")
    assert single.leads_off() == {*LEADS, "ECG"}


def test_a_stuck_lead_keeps_its_value():
    leads = Patient(3).ecg(0, 2)
    hands, faults = electrodes()
    faults["stuck"].throw(True, "II")
    first = hands.disturbed(leads, 0, 500.0)[1]
    assert np.ptp(first) == 0.0
    assert hands.disturbed(leads[:, 100:], 100, 500.0)[1, 0] == first[0]


def test_hum_of_sixty_hertz_is_sixty_hertz():
    hands, faults = electrodes()
    faults["mains_hum"].throw(True, "0.3@60")
    seen = hands.disturbed(np.zeros((12, 500)), 0, 500.0)
    assert np.abs(np.fft.rfft(seen[7])).argmax() == 60


# --- stethoscope ---------------------------------------------------------------------------------------


def head():
    loop = load("heart-circor-85343-mv")
    piece = ChestPiece(loop_sound(lambda _site: loop), 5)
    return piece, chest_piece_faults(piece, ("M", "A"))


@pytest.mark.parametrize("fault", ["friction", "speech", "room_noise", "knocks"])
def test_what_is_heard_beside_the_heart_is_the_same_however_it_is_cut(fault):
    piece, faults = head()
    clean = piece.take(0, 9000)
    faults[fault].throw(True, "")
    whole = piece.take(0, 9000)
    cut = np.concatenate([piece.take(at, 500) for at in range(0, 9000, 500)], axis=1)
    np.testing.assert_array_equal(whole, cut)
    assert np.std(whole - clean.astype(int)) > 50
    faults[fault].throw(False, "")
    np.testing.assert_array_equal(piece.take(0, 9000), clean)


def test_a_head_that_hardly_touches_loses_its_low_tones():
    piece, faults = head()
    clean = piece.take(0, 16000)[0].astype(float)
    faults["light_contact"].throw(True, "")
    thin = piece.take(0, 16000)[0].astype(float)

    def low(x):
        power = np.abs(np.fft.rfft(x)) ** 2
        return power[:200].sum() / power.sum()  # below 50 Hz

    assert thin.std() < clean.std()
    assert low(thin) < low(clean)


def test_too_much_gain_cuts_sounds_off_and_a_stuck_converter_is_flat():
    piece, faults = head()
    faults["overdriven"].throw(True, "50")
    assert (np.abs(piece.take(0, 16000)) >= 32767).mean() > 0.001
    faults["stuck"].throw(True, "")
    assert np.ptp(piece.take(0, 100)) == 0


# --- finger --------------------------------------------------------------------------------------------


def clip(condition="normal", clock=None):
    clock = clock or Clock()
    heart = OneHeart(3, condition, 100.0, clock)
    place = Place(DeviceClock(clock))
    place.starts = lambda: 100.0
    finger = WiredFinger(HeartPulse(heart, place), 3)
    return finger, finger_faults(finger), heart, clock


def test_a_finger_that_comes_back_is_searched_for_before_numbers_are_shown():
    finger, faults, heart, clock = clip()
    assert finger.shown(10.0).spo2 == round(heart.spo2(110.0))
    faults["sensor_off"].throw(True, "")
    assert finger.shown(11.0).spo2 is None
    assert finger.wave(0, 5, 75.0, 255) == [0] * 5
    faults["sensor_off"].throw(False, "")
    assert finger.shown(12.0).spo2 is None
    clock.at += 5.0
    assert finger.shown(13.0).spo2 is not None


def test_cold_fingers_show_little_perfusion_then_nothing():
    finger, faults, _, _ = clip()
    warm = finger.shown(10.0).perfusion_pct
    faults["cold_finger"].throw(True, "0.2")
    assert finger.shown(10.0).perfusion_pct == pytest.approx(0.2 * warm)
    assert finger.shown(10.0).spo2 is not None
    faults["cold_finger"].throw(True, "0.01")
    assert finger.shown(10.0).spo2 is None
    assert finger.numbers(750).status


def test_movement_misleads_the_numbers_downwards_and_the_wave():
    finger, faults, heart, _ = clip()
    still = finger.wave(0, 300, 75.0, 255)
    faults["motion"].throw(True, "")
    shown = [finger.shown(float(second)).spo2 for second in range(5, 40)]
    assert max(shown) <= round(heart.spo2(110.0)) + 1
    assert min(shown) < round(heart.spo2(110.0)) - 1
    assert finger.wave(0, 300, 75.0, 255) != still


def test_light_without_a_finger_is_room_light_and_cold_light_hardly_swings():
    finger, faults, _, _ = clip()
    front = LightFront(finger, finger.source, 100.0)
    warm = front.take(500, 400)
    faults["cold_finger"].throw(True, "0.1")
    assert np.ptp(front.take(500, 400)[1]) < 0.5 * np.ptp(warm[1])
    faults["motion"].throw(True, "")
    faults["room_light"].throw(True, "1")
    assert np.ptp(front.take(500, 400)[1]) > np.ptp(warm[1])
    faults["sensor_off"].throw(True, "")
    assert front.off() == 3
    assert front.take(500, 400).max() > 30_000
    faults["stuck"].throw(True, "")
    assert np.ptp(front.take(500, 400)) == 0
    assert finger.wave(0, 3, 75.0, 255) == [0, 0, 0]


# --- lens ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lens", "brighter"),
    [
        (Lens(fog=0.7), None),
        (Lens(smear=0.6), None),
        (Lens(glare=0.7), True),
        (Lens(dark=0.8), False),
        (Lens(shake=0.6), None),
    ],
)
def test_every_lens_changes_the_picture_as_it_should(lens, brighter):
    image = np.random.default_rng(1).integers(60, 160, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    seen = through(image, lens, 3)
    assert seen.shape == image.shape
    np.testing.assert_array_equal(seen, through(image, lens, 3))
    if brighter is None:
        assert np.std(np.diff(seen.astype(float), axis=1)) < np.std(np.diff(image.astype(float), axis=1))
    else:
        assert (seen.mean() > image.mean()) == brighter


# --- wires ---------------------------------------------------------------------------------------------


def wire(**set_):
    return WireFaults(random.Random(1), **set_)


def test_wire_faults_do_what_they_say():
    frames = [b"abcdef", b"ghijkl"]
    assert wire(lost_frames=1.0).apply(frames) == b""
    assert wire(duplicate=1.0).apply(frames) == b"abcdefabcdefghijklghijkl"
    faults = wire(mid_frame=True)
    faults.attached()
    first = faults.apply(frames)
    assert b"abcdefghijkl".endswith(first)
    assert 6 < len(first) < 12
    assert faults.apply(frames) == b"abcdefghijkl"
    faults.say(b"boot\r\n")
    assert faults.apply([]) == b"boot\r\n"
    assert wire(silence=True).apply(frames) == b""


def test_air_faults_do_what_they_say():
    sent = [("a", b"12345"), ("b", b"6")]
    faults = AirFaults(1)
    assert faults.apply(sent, 0.0) == sent
    faults.lost = 1.0
    assert faults.apply(sent, 0.0) == []
    faults.lost, faults.duplicate = 0.0, 1.0
    assert len(faults.apply(sent, 0.0)) == 4
    faults.duplicate, faults.odd_sizes = 0.0, 1.0
    pieces = faults.apply(sent, 0.0)
    assert b"".join(value for _, value in pieces) == b"123456"
    assert len(pieces) == 3
    faults.odd_sizes, faults.truncated = 0.0, 1.0
    assert all(len(value) < 5 for _, value in faults.apply(sent, 0.0))
    faults.truncated, faults.checksum = 0.0, 1.0
    assert faults.apply(sent, 0.0)[0][1][-1] == ord("5") ^ 0x55
    faults.checksum, faults.garbage = 0.0, 1.0
    assert len(faults.apply(sent, 0.0)) == 4
    faults.garbage, faults.stall_s = 0.0, 2.0
    assert faults.apply(sent, 10.0) == []
    assert faults.apply(sent, 12.5) == sent + sent
    faults.silence = True
    assert faults.apply(sent, 20.0) == []
    assert faults.disturbed > 0


class OutOfRange:
    def __init__(self):
        self.there, self.hung_up = True, 0

    def leave(self):
        self.there = False

    def come_back(self):
        self.there = True

    async def hang_up(self):
        self.hung_up += 1


async def test_a_device_out_of_range_comes_back_after_a_while():
    device = OutOfRange()
    faults = air_of(device, AirFaults())
    faults["slow_reconnect"].throw(True, "0.1")
    assert not device.there
    async with asyncio.timeout(5):
        while not device.there:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)
    faults["ble_drop"].throw(True, "")
    assert not device.there
    faults["ble_drop"].throw(False, "")
    assert device.there
    await faults["hang_up"].throw(True, "")
    assert device.hung_up == 1


class Chatty:
    """A device that has as much to say as it is asked for."""

    baud = 9600

    def __init__(self):
        self.says, self.heard, self.restarts = 0, b"", 0

    def receive(self, data, now):
        self.heard += data
        return []

    def advance(self, now):
        says, self.says = self.says, 0
        return [b"x" * says] if says else []

    def restart(self, now):
        self.restarts += 1


class Wire:
    plugged = True

    def __init__(self, baud=9600):
        self.there, self.speed, self.written, self.heard = True, baud, b"", b""

    def attached(self):
        return self.there

    def baud(self):
        return self.speed

    def read(self):
        heard, self.heard = self.heard, b""
        return heard

    def write(self, data):
        self.written += data


def bench(**options):
    device, port, host = Chatty(), Wire(), Clock(0.0)
    return device, port, host, SerialRunner(device, port, wire(), host, host=host, **options)


@pytest.mark.parametrize(("bits", "most"), [(10, 960), (11, 873)])
def test_bytes_leave_no_faster_than_the_line_carries_them(bits, most):
    device, port, host, runner = bench(bits=bits)
    runner.step()
    device.says = 3000
    for _ in range(50):
        host.at += 0.02
        runner.step()
    assert most - 2 <= len(port.written) <= most
    for _ in range(150):
        host.at += 0.02
        runner.step()
    assert len(port.written) == 3000


def test_what_a_line_can_never_carry_is_overrun_and_counted():
    device, _, host, runner = bench()
    device.says = 10_000
    host.at += 0.02
    runner.step()
    assert runner.overrun_bytes > 5000


def test_a_stalled_line_gives_everything_at_once():
    device, port, host, runner = bench()
    runner.faults.stall_s = 1.0
    for _ in range(49):
        host.at += 0.02
        device.says = 5
        runner.step()
    assert port.written == b""
    for _ in range(5):
        host.at += 0.02
        runner.step()
    assert len(port.written) == 49 * 5


def test_a_deaf_device_hears_nothing_and_one_at_another_speed_speaks_garbage():
    device, port, host, runner = bench()
    port.heard, runner.faults.deaf = b"start", True
    runner.step()
    assert device.heard == b""
    runner.faults.deaf = False
    port.heard, device.says = b"start", 10
    host.at += 0.02
    runner.step()
    assert device.heard == b"start"
    assert port.written == b"x" * 10
    runner.faults.wrong_baud = True
    device.says = 10
    host.at += 0.02
    runner.step()
    assert len(port.written) == 18
    assert port.written[10:] != b"x" * 8


def test_an_arduino_restarts_whenever_its_port_is_opened():
    device, port, _, runner = bench(restarts_when_opened=True)
    runner.step()
    port.there = False
    runner.step()
    port.there = True
    runner.step()
    assert device.restarts == 2


def test_a_kit_device_that_overflows_counts_its_losses_and_one_that_jumps_does_not():
    class Flat:
        def take(self, first, count):
            return np.arange(first, first + count, dtype=np.int16)[None].repeat(12, axis=0)

        def off(self):
            return 0

    device = kit.KitDevice(kit.ecg_identity("S"), Flat(), 25, 0.0)
    device.overflow(10)
    device.jump(10)
    device._start(0.0)
    assert len(device._samples_due(0.1)) == 2
    device.overflow(100)
    assert device._samples_due(0.2) == []  # they never leave
    (frame, *_) = device._samples_due(0.4)
    assert int.from_bytes(frame[6:10], "little") == 150
    assert int.from_bytes(frame[10:14], "little") == 100
    device.jump(1000)
    (frame, *_) = device._samples_due(0.5)
    assert int.from_bytes(frame[6:10], "little") == 1200
    assert int.from_bytes(frame[10:14], "little") == 100
    assert frame[16:18] == (200).to_bytes(2, "little")  # the samples themselves go on


# --- ports ---------------------------------------------------------------------------------------------


async def test_serial_instruments_are_also_on_tcp(folder):
    async with served(Plan(folder, 1, ("oximeter",), tcp=True)) as room:
        (listed,) = room.listing
        link = open_link(listed["tcp"])
        await link.open()
        packet = await asyncio.wait_for(link.receive(), 5)
        assert packet.data
        await link.aclose()
        await room.set_fault("oximeter", "unplug")
        host, port = listed["tcp"].removeprefix("socket:").split(":")
        with socket.socket() as probe:
            assert probe.connect_ex((host, int(port))) != 0


def test_a_tcp_port_serves_one_client_after_the_other():
    port = TcpPort()
    port.plug()
    port.plug()
    with pytest.raises(ServeError, match="taken"):
        TcpPort(port.number).plug()
    for _ in range(2):
        client = socket.create_connection(("127.0.0.1", port.number))
        _until(port.attached)
        client.sendall(b"hello")
        _until(lambda: port.read() == b"hello")
        port.write(b"x" * 20_000_000)
        assert port.dropped_bytes > 0
        client.close()
        _until(lambda: port.read() == b"" and not port.attached())
    port.unplug()
    assert not port.plugged


def _until(met):
    for _ in range(2000):
        if met():
            return
        socket.socketpair()[0].close()  # gives the loopback a moment
    raise AssertionError("it never happened")


async def test_an_instrument_under_another_name_is_listed_anew(folder):
    async with served(Plan(folder, 1, ("oximeter",))) as room:
        await room.set_fault("oximeter", "renamed", value="ttyUSB7")
        (listed,) = json.loads((folder / "devices.json").read_text())
        assert listed["url"].startswith(f"serial:{folder / 'ttyUSB7'}?")
        assert (folder / "ttyUSB7").is_symlink()
        assert not (folder / "oximeter").exists()
        (folder / "control").touch()
        with pytest.raises(FaultError, match="called control"):
            await room.set_fault("oximeter", "renamed", value="control")
        await room.set_fault("oximeter", "renamed", on=False)
        assert (folder / "oximeter").is_symlink()
    (folder / "control").unlink()


def test_a_clock_runs_at_the_speed_it_is_given_without_a_jump():
    host = Clock(50.0)
    clock = DeviceClock(host)
    host.at = 60.0
    clock.run_at(2.0)
    host.at = 61.0
    assert clock() == 62.0
    assert clock.host_of(64.0) == 62.0
    with pytest.raises(ValueError, match="forwards"):
        clock.run_at(0.0)
