import asyncio
import io
import random
import socket
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from chevet.bridge import wifi_camera
from chevet.bridge import wifi_frames as wire
from chevet.bridge.errors import LinkError, LinkLost, LinkUnavailable
from chevet.bridge.link import open_link
from chevet.devices.camera import CameraDriver
from chevet.devices.samples import Notice, Picture, Reading
from chevet.sim.twins.wifi_camera import WifiCamera


def jpeg(seed, side=96):
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


IMAGES = [jpeg(seed) for seed in range(8)]


def cut(image, frame, first_chunk=0, part=1280):
    """Cut an image as the published captures show."""
    parts = [image[at : at + part] for at in range(0, len(image), part)]
    found = []
    for place, data in enumerate(parts):
        last = place == len(parts) - 1
        chunk, total = (first_chunk + place) % 256, len(parts) * last
        head = struct.pack("<BBBBBB6sHH", 1, chunk, frame % 256, last, total, 0, bytes(6), 640, 480)
        found.append(head + data)
    return found


def whole_clip():
    chunk, datagrams = 250, []
    for number, image in enumerate(IMAGES):
        datagrams.append(cut(image, 253 + number, chunk))
        chunk += len(datagrams[-1])
    return datagrams


def test_the_requests_are_those_of_the_published_clients():
    assert wire.command(wire.OPEN_VIDEO, 0).hex() == "eeffeeff0000040001000000"
    assert wire.command(wire.DEVICE_INFO, 0).hex() == "eeffeeff0000010001000000"
    assert wire.command(wire.SET_LED, 7, b"\x01").hex() == "eeffeeff07000a000100010001"
    assert wire.open_video(2, 22785).hex() == "eeffeeff020004000100020001590000"


def test_an_answer_is_told_from_video_and_from_noise():
    answer = wire.parse_answer(bytes.fromhex("eeffeeff 0700 0a00 01 02 0100 55"))
    assert (answer.type, answer.error, answer.data) == (wire.SET_LED, 2, b"\x55")
    for other in (b"", cut(IMAGES[0], 0)[0], bytes.fromhex("eeffeeff 0700 0a00 01 00 0500 55")):
        assert wire.parse_answer(other) is None


def test_a_camera_says_its_model_and_battery_but_not_its_networks_name():
    info = b"\x01" + b"i4season".ljust(32, b"\0") + b"X6;=\x01".ljust(32, b"\0") + b"2.0".ljust(16, b"\0")
    info += (
        b"Soulear-Amina".ljust(32, b"\0") + bytes(6) + ((73 << 9) | (1 << 8)).to_bytes(2, "little") + bytes(7)
    )
    words = wire.device_words(info)
    assert words == {"model": "i4season X6", "firmware": "2.0", "battery": "73", "charging": "1"}
    assert wire.device_words(info[:100]) == {}
    assert "battery" not in wire.device_words(info[:119] + b"\xff\xff" + bytes(7))
    assert wire.serial_word(b"ABC123".ljust(32, b"\0") + b"licence") == "ABC123"


def test_pictures_come_out_byte_for_byte_over_both_counters_ends():
    joined = wire.PictureAssembler()
    found = [joined.feed(one) for datagrams in whole_clip() for one in datagrams]
    assert [image for image in found if image] == IMAGES
    assert (joined.frames, joined.broken, joined.doubled, joined.foreign) == (len(IMAGES), 0, 0, 0)


def test_padding_behind_the_last_byte_is_no_part_of_the_picture():
    datagrams = cut(IMAGES[0], 1)
    datagrams[-1] += bytes(3)
    joined = wire.PictureAssembler()
    assert [joined.feed(one) for one in datagrams][-1] == IMAGES[0]


def test_a_lost_datagram_costs_its_picture_and_no_other():
    joined = wire.PictureAssembler()
    clip = whole_clip()
    del clip[2][1]
    found = [joined.feed(one) for datagrams in clip for one in datagrams]
    assert [image for image in found if image] == IMAGES[:2] + IMAGES[3:]
    assert joined.broken == 1


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.floats(0, 0.4), st.floats(0, 0.5))
def test_whatever_the_air_does_pictures_are_right_or_missing(seed, loss, doubling):
    chance = random.Random(seed)
    joined = wire.PictureAssembler()
    arriving = [one for datagrams in whole_clip() for one in datagrams if chance.random() >= loss]
    arriving = [one for one in arriving for _ in range(1 + (chance.random() < doubling))]
    for place in range(len(arriving) - 3):
        other = place + chance.randrange(3)
        arriving[place], arriving[other] = arriving[other], arriving[place]
    found = [image for image in map(joined.feed, arriving) if image]
    assert all(image in IMAGES for image in found)
    assert len(found) == len(set(found)) == joined.frames


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=60) | st.sampled_from(cut(IMAGES[0], 5)), max_size=40))
def test_hostile_datagrams_never_raise_and_never_make_a_picture(datagrams):
    joined = wire.PictureAssembler()
    for one in datagrams:
        wire.parse_answer(one)
        wire.device_words(one)
        image = joined.feed(one)
        assert image in (None, IMAGES[0])
    assert len(joined._open) <= wire.FRAMES_AT_ONCE


def test_chunks_of_two_pictures_under_one_number_are_given_up():
    joined = wire.PictureAssembler()
    first, second = cut(IMAGES[0], 9, 0), cut(IMAGES[1], 9, 100)
    for one in [*first[:-1], *second]:
        assert joined.feed(one) is None
    assert joined.broken == 1
    no_image = cut(b"\xff\xd8 no end", 10)
    assert joined.feed(no_image[0]) is None
    assert joined.broken == 2
    joined.feed(first[0][:2] + b"\x63" + first[0][3:])
    joined.restart()
    assert joined.broken == 3


class Twin:
    """A camera that runs beside a test."""

    def __init__(self, **options):
        async def picture(number):
            return IMAGES[number % len(IMAGES)]

        self.camera = WifiCamera(picture, 1, **options)

    async def __aenter__(self):
        await self.camera.plug()
        self.task = asyncio.create_task(self.camera.run())
        return self.camera

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.camera.unplug()


async def events_of(link, driver, count):
    pictures, others = [], []
    while len(pictures) < count:
        for event in driver.feed(await link.receive()):
            (pictures if isinstance(event, Picture) else others).append(event)
    return pictures, others


async def test_the_driver_gets_the_cameras_own_bytes_its_name_and_battery():
    driver = CameraDriver()
    async with asyncio.timeout(60), Twin() as camera:
        camera.charging = True
        link = open_link(camera.url + "&led=0")
        pictures, others = await events_of(link, driver, 5)
        await link.aclose()
    assert all(picture.data in IMAGES for picture in pictures)
    named = [e.detail for e in others if isinstance(e, Notice) and "serial=SIM" in e.detail]
    assert named[0] == "model=chevet-sim Ear camera;serial=SIM00001W;firmware=1.0;simulated=1"
    (battery, *_) = [e for e in others if isinstance(e, Reading)]
    assert (battery.value, battery.status) == (80, ("charging",))
    assert camera.led is False


async def test_loss_doubling_and_disorder_never_spoil_a_picture():
    driver = CameraDriver()
    async with asyncio.timeout(60), Twin() as camera:
        camera.loss, camera.duplicate, camera.reorder = 0.03, 0.2, 0.2
        link = open_link(camera.url)
        pictures, _ = await events_of(link, driver, 8)
        await link.aclose()
    assert all(picture.data in IMAGES for picture in pictures)
    assert driver.counters.bad_frames == 0
    assert link.pictures.doubled > 0


async def test_a_camera_that_restarts_is_asked_again(monkeypatch):
    monkeypatch.setattr(wifi_camera, "QUIET_S", 0.2)
    monkeypatch.setattr(wifi_camera, "WATCH_S", 0.05)
    async with asyncio.timeout(60), Twin() as camera:
        link = open_link(camera.url)
        await events_of(link, CameraDriver(), 3)
        await camera.restart()
        await asyncio.sleep(0.3)
        pictures, _ = await events_of(link, CameraDriver(), 5)
        await link.aclose()
    assert all(picture.data in IMAGES for picture in pictures)


async def test_a_camera_that_falls_silent_is_lost(monkeypatch):
    monkeypatch.setattr(wifi_camera, "WATCH_S", 0.05)
    monkeypatch.setattr(wifi_camera, "INFO_EVERY_S", 0.1)
    async with asyncio.timeout(60), Twin() as camera:
        link = open_link(camera.url)
        await events_of(link, CameraDriver(), 1)
        camera.silence = True
        monkeypatch.setattr(wifi_camera, "LOST_S", 0.4)
        with pytest.raises(LinkLost) as lost:
            await events_of(link, CameraDriver(), 1000)
        await link.aclose()
    assert lost.value.reason == "disconnected"


async def test_an_older_camera_sends_to_the_usual_port(monkeypatch):
    monkeypatch.setattr(wifi_camera, "ASK_AGAIN_S", 0.2)
    async with asyncio.timeout(60), Twin(newer=False) as camera:
        link = open_link(camera.url)
        try:
            pictures, _ = await events_of(link, CameraDriver(), 2)
        finally:
            await link.aclose()
    assert all(picture.data in IMAGES for picture in pictures)


async def test_datagrams_of_strangers_are_left():
    async with asyncio.timeout(60), Twin() as camera:
        link = open_link(camera.url)
        await link.open()
        before = link.pictures.frames
        link.hear(cut(IMAGES[0], 1)[0], ("10.0.0.9", 10006))
        link.hear(bytes.fromhex("eeffeeff 0700 0a00 01 05 0000"), ("127.0.0.1", 10005))
        assert link.strangers == 1
        assert link.pictures.frames >= before
        with pytest.raises(LinkError):
            await link.send(b"zoom")
        await link.aclose()


async def test_a_camera_that_is_not_there_is_not_found(monkeypatch):
    monkeypatch.setattr(wifi_camera, "OPEN_TIMEOUT_S", 0.3)
    monkeypatch.setattr(wifi_camera, "ASK_AGAIN_S", 0.1)
    with pytest.raises(LinkUnavailable) as refused:
        await open_link("wificam:127.0.0.1?port=0&command=9&video=9").open()
    assert refused.value.reason == "not_found"


async def test_a_port_that_is_taken_is_busy():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("", 0))
        with pytest.raises(LinkUnavailable) as refused:
            await open_link(f"wificam:127.0.0.1?port={taken.getsockname()[1]}").open()
    assert refused.value.reason == "busy"


@pytest.mark.parametrize("options", ["port=70000", "port=1.5", "video=0", "led=2", "zoom=1"])
def test_a_misspelt_wifi_camera_is_refused(options):
    with pytest.raises(LinkUnavailable) as refused:
        open_link(f"wificam:192.168.1.1?{options}")
    assert refused.value.reason == "bad_url"


async def test_a_camera_refuses_what_it_does_not_know():
    async with Twin() as camera:
        heard = []

        class Wire:
            def sendto(self, data, address):
                heard.append(data)

            def close(self):
                pass

        camera._command.close()
        camera._command = Wire()
        camera._asked(wire.command(0x63, 1), ("127.0.0.1", 5))
        camera._asked(b"noise", ("127.0.0.1", 5))
        camera._asked_video(b"noise", ("127.0.0.1", 5))
        camera._asked_video(wire.command(wire.OPEN_VIDEO, 1), ("127.0.0.1", 5))
    assert [wire.parse_answer(data).error for data in heard] == [1]
