import asyncio
import contextlib
import errno
import os
import stat
import tty
from collections.abc import Iterator

import pytest
import serial
from waiting import until

from chevet.bridge.errors import LinkLost, LinkUnavailable
from chevet.bridge.link import open_link
from chevet.bridge.serial_link import SerialLink, _reason


class Cable:
    """A pseudo-terminal: `path` is what the link opens, `master` the device's end."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self.master, False)

    def write(self, data: bytes) -> None:
        os.write(self.master, data)

    def read(self) -> bytes:
        with contextlib.suppress(BlockingIOError, OSError):
            return os.read(self.master, 65536)
        return b""

    def unplug(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


@pytest.fixture
def cable() -> Iterator[Cable]:
    cable = Cable()
    yield cable
    cable.unplug()


async def receive_bytes(link, size: int) -> bytes:
    data = b""
    async with asyncio.timeout(60):
        while len(data) < size:
            data += (await link.receive()).data
    return data


async def test_every_byte_value_passes_both_ways(cable):
    link = open_link(f"serial:{cable.path}?baud=921600", clock=lambda: 12.5)
    everything = bytes(range(256))
    await link.send(everything)
    cable.write(everything)
    assert await receive_bytes(link, 256) == everything
    arrived: list[int] = []
    await until(lambda: arrived.extend(cable.read()) or len(arrived) >= len(everything))
    assert bytes(arrived) == everything
    await link.aclose()


async def test_packets_carry_the_time_of_arrival_and_no_source(cable):
    link = open_link(f"serial:{cable.path}", clock=lambda: 12.5)
    await link.open()
    cable.write(b"x")
    packet = await link.receive()
    assert (packet.data, packet.at, packet.source) == (b"x", 12.5, "")
    await link.aclose()


async def test_a_second_client_on_the_port_is_told_that_it_is_busy(cable):
    first, second = open_link(f"serial:{cable.path}"), open_link(f"serial:{cable.path}")
    await first.open()
    with pytest.raises(LinkUnavailable) as refused:
        await second.open()
    assert refused.value.reason == "busy"
    cable.write(b"still mine")
    assert await receive_bytes(first, 10) == b"still mine"
    await first.aclose()
    await second.open()
    await second.aclose()


async def test_pulling_the_cable_ends_the_link_and_the_loop_stays_idle(cable):
    link = open_link(f"serial:{cable.path}")
    await link.open()
    cable.unplug()
    with pytest.raises(LinkLost) as lost:
        await asyncio.wait_for(link.receive(), 60)
    assert lost.value.reason == "unplugged"
    with pytest.raises(LinkLost):
        await link.send(b"hello?")
    await link.aclose()


async def test_writing_into_a_pulled_cable_ends_the_link(cable):
    link = SerialLink(f"serial:{cable.path}", lambda: 0.0)
    await link.open()
    link._stop_reading()  # the write comes first
    cable.unplug()
    with pytest.raises(LinkLost) as lost:
        await link.send(b"start")
    assert lost.value.reason == "unplugged"
    await link.aclose()


async def test_sending_after_the_closing_says_so(cable):
    link = open_link(f"serial:{cable.path}")
    await link.open()
    await link.aclose()
    with pytest.raises(LinkLost) as lost:
        await link.send(b"x")
    assert lost.value.reason == "closed"
    link._read()  # a late call of the event loop finds nothing to read
    assert not link._packets


async def test_a_device_that_takes_nothing_stalls_the_send_and_not_the_loop(cable, monkeypatch):
    monkeypatch.setattr("chevet.bridge.serial_link.WRITE_TIMEOUT_S", 0.2)
    link = open_link(f"serial:{cable.path}")
    await link.open()
    sending = asyncio.create_task(link.send(bytes(1 << 20)))
    await asyncio.sleep(0)
    assert not sending.done()
    with pytest.raises(LinkLost) as lost:
        await sending
    assert lost.value.reason == "stalled"
    cable.read()
    await link.aclose()


async def test_a_slow_receiver_does_not_stop_the_reader(cable):
    link = open_link(f"serial:{cable.path}")
    await link.open()
    link._capacity = 4
    for number in range(50):
        cable.write(bytes([number]))
        await until(lambda so_far=number: link.dropped + len(link._packets) > so_far)
    newest = b""
    while link._packets:
        newest += (await link.receive()).data
    assert newest.endswith(bytes([49]))
    assert link.dropped == 46
    await link.aclose()


async def test_a_port_that_is_not_there_is_not_found():
    with pytest.raises(LinkUnavailable) as refused:
        await open_link("serial:/dev/chevet-no-such-port").open()
    assert refused.value.reason == "not_found"


async def test_a_file_is_not_a_serial_port(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("x")
    with pytest.raises(LinkUnavailable) as refused:
        await open_link(f"serial:{file}").open()
    assert refused.value.reason == "wrong_device"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything; run as another user")
async def test_a_port_of_somebody_else_says_so(tmp_path):
    file = tmp_path / "port"
    file.touch(mode=stat.S_IRUSR)
    file.chmod(0)
    with pytest.raises(LinkUnavailable) as refused:
        await open_link(f"serial:{file}").open()
    assert refused.value.reason == "no_permission"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (serial.SerialException(errno.EACCES, "no"), "no_permission"),
        (serial.SerialException(errno.ENXIO, "no"), "not_found"),
        (TimeoutError(), "not_found"),
        (OSError(errno.E2BIG, "odd"), "failed"),
    ],
)
def test_system_errors_become_coded_reasons(error, reason):
    assert _reason(error) == reason


async def test_a_speed_that_the_port_cannot_do_is_a_bad_url(cable, monkeypatch):
    def refuse(*_args, **_settings):
        raise ValueError("Failed to set custom baud rate (12345)")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(LinkUnavailable) as refused:
        await open_link(f"serial:{cable.path}?baud=12345").open()
    assert refused.value.reason == "bad_url"


async def test_a_socket_passes_bytes_both_ways_and_its_last_words_before_the_end():
    async def device(reader, writer):
        writer.write(b"echo:" + await reader.readexactly(5))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(device, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = open_link(f"socket:127.0.0.1:{port}")
    await link.send(b"hello")
    assert await receive_bytes(link, 10) == b"echo:hello"
    with pytest.raises(LinkLost) as lost:
        await asyncio.wait_for(link.receive(), 60)
    assert lost.value.reason == "ended"
    await link.aclose()
    server.close()
    await server.wait_closed()


async def test_a_socket_that_nobody_serves_is_not_found():
    with pytest.raises(LinkUnavailable) as refused:
        await open_link("socket:127.0.0.1:1").open()
    assert refused.value.reason == "not_found"
