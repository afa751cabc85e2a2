import asyncio
import os
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.camera_button import EVENT, ButtonEvents, button_of, open_button
from chevet.bridge.camera_link import CameraLink, camera_link

SYN = struct.pack("@llHHi", 1, 2, 0, 0, 0)
PRESS = struct.pack("@llHHi", 1, 2, 1, 212, 1)
HELD = struct.pack("@llHHi", 1, 2, 1, 212, 2)
RELEASE = struct.pack("@llHHi", 1, 2, 1, 212, 0)
OTHER = struct.pack("@llHHi", 1, 2, 1, 115, 1)
ONCE = PRESS + SYN + HELD + SYN + RELEASE + SYN
JPEG = b"\xff\xd8\xff\xdb" + bytes(50) + b"\xff\xd9"


def test_a_press_counts_once_and_other_keys_do_not():
    assert EVENT.size in (16, 24)
    assert ButtonEvents().feed(ONCE + OTHER) == 1
    assert ButtonEvents(0).feed(ONCE + OTHER) == 2


@settings(max_examples=50)
@given(st.lists(st.sampled_from([ONCE, SYN, OTHER]), max_size=12), st.integers(1, 30))
def test_any_cutting_gives_the_same_presses(runs, size):
    data, cut = b"".join(runs), ButtonEvents()
    found = sum(cut.feed(data[at : at + size]) for at in range(0, len(data), size))
    assert found == runs.count(ONCE)


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_noise_never_raises(data):
    assert 0 <= ButtonEvents(0).feed(data) <= len(data) // EVENT.size


def test_the_button_is_found_beside_the_camera_it_belongs_to(tmp_path):
    interface = tmp_path / "usb" / "1-1:1.0"
    (interface / "input" / "input7" / "event5").mkdir(parents=True)
    (tmp_path / "nodes" / "video2").mkdir(parents=True)
    (tmp_path / "nodes" / "video2" / "device").symlink_to(interface)
    (tmp_path / "video2").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "video2")
    inputs = tmp_path / "input"
    assert button_of(str(tmp_path / "by-id"), tmp_path / "nodes", inputs) == inputs / "event5"
    assert button_of("/dev/video9", tmp_path / "nodes", inputs) is None


class Still:
    """A camera that shows one picture until it is closed."""

    def __init__(self):
        self.closed = False

    def read(self):
        return JPEG

    def close(self):
        self.closed = True


async def test_a_press_is_passed_on_among_the_pictures(tmp_path):
    button = tmp_path / "event5"
    os.mkfifo(button)
    writer = os.open(button, os.O_RDWR)
    link = CameraLink("v4l2:/dev/video9", lambda: 3.0, Still, lambda told: open_button(button, told))
    async with asyncio.timeout(60):
        await link.receive()
        os.write(writer, ONCE[:30])
        os.write(writer, ONCE[30:])
        sources = set()
        while "button" not in sources:
            packet = await link.receive()
            sources.add(packet.source)
        await link.aclose()
    os.close(writer)
    assert (packet.data, packet.at) == (b"", 3.0)


async def test_a_button_that_goes_away_leaves_the_camera(tmp_path):
    button, pressed = tmp_path / "event5", asyncio.Event()
    os.mkfifo(button)
    opened = open_button(button, pressed.set)
    writer = os.open(button, os.O_WRONLY)
    os.write(writer, PRESS)
    async with asyncio.timeout(60):
        await pressed.wait()
    opened._read()  # nothing more has come
    os.close(writer)
    pressed.clear()
    opened._read()  # it is gone
    opened.close()
    assert not pressed.is_set()


async def test_a_button_that_may_not_be_read_is_none(tmp_path, caplog):
    assert open_button(None, print) is None
    assert open_button(tmp_path / "none", print) is None
    assert "group input" in caplog.text


async def test_a_link_may_name_a_button_of_its_own(tmp_path):
    button = tmp_path / "event9"
    os.mkfifo(button)
    writer = os.open(button, os.O_RDWR)
    link = camera_link(f"v4l2:/dev/video9?button={button}", lambda: 1.0)
    link._open_camera = Still
    async with asyncio.timeout(60):
        await link.receive()
        os.write(writer, OTHER)
        while (await link.receive()).source != "button":
            pass
        await link.aclose()
    os.close(writer)
    assert link._button is None
