"""The bad link: what goes in comes out late, in order, or not at all; every byte is counted."""

import argparse
import asyncio
import contextlib
import io
import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from chevet.sim import cli
from chevet.sim.errors import ServeError, SimError
from chevet.sim.link import command, inside
from chevet.sim.link.clockwork import Clockwork
from chevet.sim.link.flows import Flows, flow
from chevet.sim.link.meter import Meter
from chevet.sim.link.profiles import KBIT, PROFILES, Cut, Profile
from chevet.sim.link.proxy import Proxy
from chevet.sim.link.road import Counted, Road
from chevet.sim.link.tun import open_tunnel

SLOW = Profile(1000, 2000, 0.5, buffer=5000)


# One direction


def test_a_packet_takes_its_time_on_the_line_and_half_the_round_trip():
    road: Road[str] = Road(SLOW, SLOW.up, 1)
    assert road.offer("first", 100, 10.0)
    assert road.offer("second", 100, 10.0)
    assert road.next_at() == pytest.approx(10.35)
    assert road.due(10.34) == []
    assert road.due(10.36) == [("first", 100)]
    assert road.queued(10.15) == pytest.approx(50)
    assert road.due(10.46) == [("second", 100)]
    assert road.next_at() is None


def test_what_the_buffer_does_not_hold_is_dropped():
    road: Road[int] = Road(SLOW, SLOW.up, 1)
    taken = [road.offer(number, 1000, 0.0) for number in range(8)]
    assert taken == [True] * 5 + [False] * 3
    assert road.counted.overflowed == 3


@settings(max_examples=50, deadline=None)
@given(
    packets=st.lists(st.tuples(st.floats(0, 2), st.integers(1, 1400)), max_size=60),
    loss=st.sampled_from((0.0, 0.1, 0.5)),
    burst=st.sampled_from((1.0, 4.0)),
    jitter=st.sampled_from((0.0, 0.4)),
    seed=st.integers(0, 99),
)
def test_order_is_kept_the_rate_never_passed_and_nothing_is_miscounted(packets, loss, burst, jitter, seed):
    profile = Profile(4000, 4000, 0.2, loss=loss, burst=burst, jitter_s=jitter)
    road: Road[int] = Road(profile, profile.up, seed)
    now, sent = 0.0, 0
    for number, (gap, size) in enumerate(packets):
        now += gap
        road.offer(number, size, now)
        sent += size
    begun, out = packets[0][0] if packets else 0.0, []
    while (when := road.next_at()) is not None:
        for item, size in road.due(when):
            out.append(item)
            assert road.counted.carried_bytes <= 4000 * (when - begun - 0.1) + 1
            assert size == packets[item][1]
    assert out == sorted(out)
    counted = road.counted
    assert counted.offered == len(packets)
    assert counted.offered_bytes == sent
    assert counted.carried + counted.lost + counted.overflowed == counted.offered
    if not loss:
        assert counted.lost == 0


@pytest.mark.parametrize("burst", [1.0, 5.0])
def test_losses_come_as_often_and_as_long_as_the_profile_says(burst):
    road: Road[int] = Road(Profile(1e6, 1e6, 0.0, loss=0.05, burst=burst), 1e6, 7)
    lost = [road.loses() for _ in range(60_000)]
    assert sum(lost) / len(lost) == pytest.approx(0.05, rel=0.15)
    runs = sum(now and not before for before, now in zip([False, *lost], lost, strict=False))
    assert sum(lost) / runs == pytest.approx(burst, rel=0.15)


def test_the_same_seed_loses_the_same_packets():
    def losses(seed: int) -> list[bool]:
        road: Road[int] = Road(PROFILES["bad"], 1e6, seed)
        return [road.loses() for _ in range(500)]

    assert losses(3) == losses(3) != losses(4)


def test_what_must_arrive_stalls_instead_of_being_lost():
    road: Road[int] = Road(Profile(1e6, 1e6, 0.0, loss=0.5), 1e6, 1)
    for number in range(40):
        road.hold(number, 100, 0.0, 1.0)
    early, late = road.due(0.9), road.due(5.0)
    assert [item for item, _ in early + late] == list(range(40))
    assert road.counted.lost > 5
    assert late


# When it is away


def test_cuts_come_when_they_should_and_come_again():
    profile = Profile(1, 1, 0, cuts=(Cut(10, 5), Cut(20, 1)), repeat_s=30)
    assert [at for at in range(60) if profile.is_cut(at)] == [*range(10, 15), 20, *range(40, 45), 50]
    assert not any(PROFILES["64k"].is_cut(at) for at in range(200))


def test_a_new_address_comes_with_the_end_of_a_cut_and_a_hand_may_cut_too():
    clockwork = Clockwork(Profile(1, 1, 0, cuts=(Cut(1, 1),), rebind=True))
    assert [clockwork.tick(at) for at in (0.5, 1.5, 2.5, 3.5)] == [
        (False, False),
        (True, False),
        (False, True),
        (False, False),
    ]
    clockwork.toggle()
    assert clockwork.tick(4.0) == (True, False)
    clockwork.toggle()
    assert clockwork.tick(5.0) == (False, True)
    assert clockwork.rebinds == 2


def packet(source_port: int, target_port: int, *, protocol: int = 6, upward: bool = True) -> bytes:
    near, far = bytes((10, 77, 0, 2)), bytes((10, 77, 0, 1))
    source, target = (near, far) if upward else (far, near)
    head = bytes((0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0)) + source + target
    return head + source_port.to_bytes(2, "big") + target_port.to_bytes(2, "big") + bytes(16)


def test_connections_from_before_a_new_address_stay_dead_both_ways():
    flows = Flows()
    assert flows.alive(packet(5000, 1883), upward=True)
    assert flows.alive(packet(1883, 5000, upward=False), upward=False)
    flows.rebind()
    assert not flows.alive(packet(5000, 1883), upward=True)
    assert not flows.alive(packet(1883, 5000, upward=False), upward=False)
    assert flows.alive(packet(5001, 1883), upward=True)
    assert flows.alive(packet(0, 0, protocol=1), upward=True), "ping has no connection"


@given(st.binary(max_size=80))
def test_any_bytes_have_a_flow_or_none(data):
    found = flow(data, upward=True)
    assert found is None or (found[0] in (6, 17) and len(found[1]) == 4)


# What is shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_counters_are_shown_each_second_and_reported_at_the_end():
    up, down = Counted(), Counted()
    terminal, file = Terminal(), io.StringIO()
    up.carried_bytes, down.lost = 8000, 3
    for out in (terminal, file):
        meter = Meter(up, down, out)
        meter.show(1.0, cut=False, queued=2048)
        meter.show(2.0, cut=True, queued=0)
        meter.end()
    assert terminal.getvalue().count("\r") == 2
    assert terminal.getvalue().endswith("\n")
    first, second = file.getvalue().splitlines()
    assert "64.0 kbit/s" in first
    assert "lost 3  queued 2.0 KiB" in first
    assert "CUT" in second
    assert " 0.0 kbit/s" in second
    assert meter.report(2.0)["up"]["carried_bytes"] == 8000
    up.carried_bytes = 20 << 20
    quiet = Meter(up, down, file, quiet=True)
    quiet.show(3.0, cut=False, queued=0)
    assert len(file.getvalue().splitlines()) == 2
    assert "20.0 MiB" in Meter(up, down)._line(4.0, cut=False, queued=0)


# The command line


def options(*words: str) -> argparse.Namespace:
    return cli.parser().parse_args(["link", *words])


def test_each_number_of_a_profile_can_be_changed():
    profile = command.chosen(
        options(
            *("2g", "--up", "100", "--down", "200", "--delay", "50", "--loss", "2", "--burst", "3"),
            *("--jitter", "10", "--buffer", "8", "--cut", "1+2", "--cut", "5+1", "--every", "9", "--rebind"),
        )
    )
    assert profile.up == 100 * KBIT
    assert profile.down == 200 * KBIT
    assert (profile.round_trip_s, profile.loss, profile.burst, profile.jitter_s) == (0.05, 0.02, 3.0, 0.01)
    assert profile.buffer == 8192
    assert (profile.cuts, profile.repeat_s, profile.rebind) == ((Cut(1, 2), Cut(5, 1)), 9.0, True)
    assert command.chosen(options("vsat")) == PROFILES["vsat"]
    assert command.chosen(options("cuts", "--cut", "3+4")).repeat_s == 0.0


@pytest.mark.parametrize(
    "words",
    [
        ("2g", "--loss", "100"),
        ("2g", "--up", "0"),
        ("2g", "--delay", "-1"),
        ("2g", "--cut", "5"),
        ("2g", "--to", "x:y"),
        ("2g", "--listen", "70000"),
        ("4g",),
    ],
)
def test_numbers_that_make_no_sense_are_refused(words, capsys):
    with pytest.raises(SystemExit) as left:
        options(*words)
    assert left.value.code == 2
    assert "link" in capsys.readouterr().err


def test_a_command_or_a_proxy_and_not_both(capsys):
    for words in (("2g",), ("2g", "--listen", "1"), ("2g", "--listen", "1", "--to", "2", "--", "true")):
        assert cli.main(["link", *words]) == 1
        assert "either -- COMMAND" in capsys.readouterr().err


def test_the_help_teaches_each_profile(capsys):
    with pytest.raises(SystemExit):
        cli.main(["link", "--help"])
    told = capsys.readouterr().out
    for name in PROFILES:
        assert f"  {name} " in told
    assert "SIGUSR1" in told


# The proxy, without root


class Echo:
    """A server that sends back what it gets."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                one, _ = self.listening.accept()
                threading.Thread(target=self._one, args=(one,), daemon=True).start()

    @staticmethod
    def _one(one: socket.socket) -> None:
        with one, contextlib.suppress(OSError):
            while data := one.recv(4096):
                one.sendall(data)


@pytest.fixture
def echo():
    server = Echo()
    yield server
    server.listening.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def proxied(echo: Echo, profile: Profile):
    clockwork, port = Clockwork(profile), free_port()
    proxy = Proxy(("127.0.0.1", echo.port), profile, clockwork, 1)
    running = asyncio.create_task(proxy.run("127.0.0.1", port))
    try:
        while True:
            with contextlib.suppress(OSError):
                streams = await asyncio.open_connection("127.0.0.1", port)
                break
            await asyncio.sleep(0.01)
        yield proxy, clockwork, streams, port
        streams[1].close()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_proxy_carries_every_byte_in_order_and_counts_headers(echo):
    data = os.urandom(50_000)
    async with proxied(echo, Profile(1e6, 1e6, 0.01, loss=0.1)) as (proxy, _, (reader, writer), _port):
        writer.write(data)
        writer.write_eof()
        async with asyncio.timeout(30):
            assert await reader.read(-1) == data
        assert proxy.up.counted.carried_bytes > 50_000
        assert proxy.up.counted.lost > 0


async def test_the_proxy_takes_as_long_as_the_link(echo):
    loop = asyncio.get_running_loop()
    async with proxied(echo, Profile(20_000, 1e6, 0.2)) as (_, _clockwork, (reader, writer), _port):
        begun = loop.time()
        writer.write(bytes(10_000))
        async with asyncio.timeout(30):
            await reader.readexactly(10_000)
        assert loop.time() - begun > 0.5 + 0.2


async def test_nothing_passes_a_cut_and_old_connections_die_with_the_address(echo):
    profile = Profile(1e6, 1e6, 0.0, rebind=True)
    async with proxied(echo, profile) as (_, clockwork, (reader, writer), port):
        writer.write(b"one")
        async with asyncio.timeout(30):
            assert await reader.readexactly(3) == b"one"
        clockwork.toggle()
        await asyncio.sleep(0.05)
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await reader.readexactly(3)
        clockwork.toggle()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await reader.readexactly(3)
        fresh, out = await asyncio.open_connection("127.0.0.1", port)
        out.write(b"new")
        async with asyncio.timeout(30):
            assert await fresh.readexactly(3) == b"new"
        out.close()


async def test_a_proxy_that_is_stopped_hangs_up_and_says_nothing_of_a_fault(echo):
    faults = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["message"]))
    async with proxied(echo, PROFILES["clean"]) as (proxy, _, (reader, writer), _port):
        writer.write(b"one")
        async with asyncio.timeout(30):
            assert await reader.readexactly(3) == b"one"
        (handler,) = proxy._serving
        writer.transport.pause_reading()
    await asyncio.wait({handler})
    assert not handler.cancelled()
    assert faults == []


async def test_a_proxy_to_nobody_hangs_up_and_a_taken_port_is_told(echo):
    nobody = argparse.Namespace(port=free_port())
    async with proxied(nobody, PROFILES["clean"]) as (_, _clockwork, (reader, _writer), _port):
        async with asyncio.timeout(30):
            assert await reader.read(10) == b""
    with pytest.raises(ServeError, match="another --listen"):
        await Proxy(("127.0.0.1", 1), SLOW, Clockwork(SLOW), 1).run("127.0.0.1", echo.port)


async def test_the_proxy_command_runs_until_it_is_stopped(echo, tmp_path):
    report, port = tmp_path / "link.json", free_port()
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chevet.sim.cli", "link", "3g", "--listen", str(port)),
        *("--to", f"127.0.0.1:{echo.port}", "--json", str(report)),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            await asyncio.sleep(0.05)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.close()
        assert b"kbit/s" in await child.stderr.readline()
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0
    assert json.loads(report.read_text())["up"]["carried_bytes"] >= 45


# The kernel's own TCP, as root


def may_tunnel() -> bool:
    try:
        open_tunnel([sys.executable, "-c", ""]).close()
    except ServeError:
        return False
    return True


needs_root = pytest.mark.skipif(os.geteuid() != 0 or not may_tunnel(), reason="needs root and TUN devices")
ASK = (
    "import os, socket, sys; s = socket.create_connection((os.environ['CHEVET_LINK_HOST'], int(sys.argv[1])))"
    "\ns.sendall(b'x' * 9000); s.shutdown(1); n = 0\nwhile d := s.recv(4096): n += len(d)\nprint(n)"
)


@needs_root
def test_a_command_behind_the_link_reaches_this_machine_through_it(tmp_path: Path, capfd):
    listening = socket.create_server(("", 0))
    server = Echo.__new__(Echo)
    server.listening = listening
    threading.Thread(target=server._serve, daemon=True).start()
    report, port = tmp_path / "link.json", listening.getsockname()[1]
    words = ["link", "3g", "--up", "2000", "--loss", "1", "--json", str(report)]
    assert cli.main([*words, "--", sys.executable, "-c", ASK, str(port)]) == 0
    listening.close()
    told = capfd.readouterr()
    assert told.out.strip() == "9000"
    assert "behind the link (3g)" in told.err
    counted = json.loads(report.read_text())
    assert 9000 < counted["up"]["carried_bytes"] < 30_000
    assert 9000 < counted["down"]["carried_bytes"] < 30_000


@needs_root
def test_the_code_of_the_command_is_the_code_of_the_link():
    assert cli.main(["link", "clean", "--quiet", "--", "sh", "-c", "exit 7"]) == 7
    assert cli.main(["link", "clean", "--quiet", "--", "/no/such/program"]) == 127


def test_without_root_the_proxy_is_named_as_the_remedy(monkeypatch):
    def refused(_name: str):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("chevet.sim.link.tun.tun_device", refused)
    with pytest.raises(SimError, match=r"as a proxy: `chevet-sim link PROFILE --listen"):
        open_tunnel(["true"])


def test_the_inner_side_says_what_the_kernel_refuses(monkeypatch, capsys):
    class Kernel:
        @staticmethod
        def unshare(_flags: int) -> int:
            return -1

    monkeypatch.setattr("ctypes.CDLL", lambda *_args, **_more: Kernel)
    ours, theirs = socket.socketpair()
    with ours:
        assert inside.main([str(theirs.detach()), "10.77.0.2", "10.77.0.1", "true"]) == 127
    assert "chevet-sim link" in capsys.readouterr().err
