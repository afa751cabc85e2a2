"""What happens to bytes, notifications, ports and clocks, whatever the instrument."""

import asyncio
import json
import random
import socket
import tempfile
from pathlib import Path

import numpy as np
import pytest
from waiting import until_true

from chevet.bridge.link import open_link
from chevet.sim import kit
from chevet.sim.air_faults import AirFaults, air_of
from chevet.sim.device_clock import DeviceClock
from chevet.sim.errors import FaultError, ServeError
from chevet.sim.serial_runner import SerialRunner
from chevet.sim.serve import Plan, served
from chevet.sim.tcp_port import TcpPort
from chevet.sim.wire_faults import WireFaults


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="chevet-") as short:
        yield Path(short)


class Clock:
    def __init__(self, at=100.0):
        self.at = at

    def __call__(self):
        return self.at


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
    async with asyncio.timeout(60):
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


async def test_serial_instruments_are_also_on_tcp(folder):
    async with served(Plan(folder, 1, ("oximeter",), tcp=True)) as room:
        (listed,) = room.listing
        link = open_link(listed["tcp"])
        await link.open()
        packet = await asyncio.wait_for(link.receive(), 60)
        assert packet.data
        await link.aclose()
        await room.set_fault("oximeter", "unplug")
        host, port = listed["tcp"].removeprefix("socket:").split(":")
        with socket.socket() as probe:
            assert probe.connect_ex((host, int(port))) != 0


def arrived(port, size):
    heard = []
    until_true(lambda: heard.extend(port.read()) or len(heard) >= size)
    return bytes(heard)


def test_a_tcp_port_serves_one_client_after_the_other():
    port = TcpPort()
    port.plug()
    port.plug()
    with pytest.raises(ServeError, match="taken"):
        TcpPort(port.number).plug()
    for _ in range(2):
        client = socket.create_connection(("127.0.0.1", port.number))
        until_true(port.attached)
        client.sendall(b"hello")
        assert arrived(port, 5) == b"hello"
        port.write(b"x" * 20_000_000)
        assert port.dropped_bytes > 0
        client.close()
        until_true(lambda: port.read() == b"" and not port.attached())
    port.unplug()
    assert not port.plugged


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
