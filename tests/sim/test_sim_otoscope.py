"""The drawn ears, and the camera that shows them."""

import asyncio
import functools

import cv2
import numpy as np
import pytest

from chevet.bridge.link import open_link
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Picture
from chevet.sim.brushes import SCENE_PX
from chevet.sim.camera import Camera, Ear
from chevet.sim.eardrum import CONDITIONS, SIDES, draw
from chevet.sim.errors import ServeError
from chevet.sim.otoscope_video import CLEAR, HEIGHT, LOOP_FRAMES, WIDTH, OtoscopeVideo, view


@pytest.fixture(scope="module")
def videos():
    return {condition: OtoscopeVideo(condition, "right", 1) for condition in CONDITIONS}


drawn = functools.cache(draw)


def middle(image):
    """Return the mean B, G, R of what lies in the middle of the speculum."""
    return image[140:340, 220:420].reshape(-1, 3).mean(axis=0)


def test_frames_are_pictures_with_a_dark_speculum_around(videos):
    for video in videos.values():
        image = video.render(0)
        assert image.shape == (HEIGHT, WIDTH, 3)
        assert image[:, :40].mean() < 45
        assert 70 < middle(image).mean() < 235


def test_conditions_have_their_colours(videos):
    normal, bulging, fluid, wax = (middle(videos[name].render(10)) for name in CONDITIONS)
    assert np.ptp(normal) < 45  # pearly: no colour stands out
    assert bulging[2] > 1.7 * bulging[1]  # red
    assert fluid[2] - fluid[0] > 1.5 * (normal[2] - normal[0])  # amber
    assert wax.mean() < 0.75 * normal.mean()
    assert wax[2] > 1.5 * wax[0]  # brown


def test_only_a_healthy_drum_shows_a_whole_cone_of_light():
    lit = {name: (drawn(name, "right", 1).gloss[370:510, 350:470] > 120).mean() for name in CONDITIONS}
    assert lit["normal"] > 3 * max(lit["bulging"], lit["fluid"], lit["wax"], 0.005)


def test_the_cone_of_light_lies_in_front_and_below_on_either_side():
    for side in SIDES:
        gloss = drawn("normal", side, 1).gloss
        y, x = (np.flatnonzero((gloss > 150).any(axis=axis)).mean() for axis in (1, 0))
        assert y > SCENE_PX / 2
        assert (x > SCENE_PX / 2) == (side == "right")


def test_the_same_seed_draws_the_same_ear_and_another_seed_another():
    first = drawn("normal", "left", 1)
    np.testing.assert_array_equal(draw("normal", "left", 1).drum, first.drum)
    assert not np.array_equal(draw("normal", "left", 2).drum, first.drum)


def test_the_hand_trembles_and_the_loop_closes():
    here, next_one, round_again = view(5, False), view(6, False), view(5 + LOOP_FRAMES, False)
    assert here == round_again
    assert here != next_one
    assert max(abs(view(frame, False).dx) for frame in range(LOOP_FRAMES)) < 25


def test_focus_hunts_and_defocus_blurs_for_good(videos):
    def edges(image):
        grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (0, 0), 1.5)  # noise has edges too
        return cv2.Laplacian(grey[100:380, 200:440], cv2.CV_64F).var()

    hunted = [view(frame, False).blur_px for frame in range(LOOP_FRAMES)]
    best, worst = hunted.index(min(hunted)), hunted.index(max(hunted))
    sharp, soft = (edges(videos["wax"].render(frame)) for frame in (best, worst))
    assert sharp > 1.3 * soft
    assert soft > 1.1 * edges(videos["wax"].render(best, defocus=True))


def test_a_frame_is_encoded_once(videos):
    first = videos["normal"].jpeg(3)
    assert videos["normal"].jpeg(3 + LOOP_FRAMES) is first
    assert first[:2] == b"\xff\xd8"
    assert videos["normal"].jpeg(3, defocus=True) != first


class StillLife:
    """A video that costs nothing: a fake for tests of the network camera."""

    def __init__(self, condition, side, seed):
        image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        cv2.putText(
            image, f"{condition} {side} {seed}", (40, 240), cv2.FONT_HERSHEY_PLAIN, 3, (255, 255, 255)
        )
        self._jpeg = cv2.imencode(".jpg", image)[1].tobytes()

    def jpeg(self, frame, *, lens=CLEAR):
        return self._jpeg


@pytest.fixture
async def camera(monkeypatch):
    monkeypatch.setattr("chevet.sim.camera.OtoscopeVideo", StillLife)
    camera = Camera(Ear(), 1)
    await camera.plug()
    yield camera
    await camera.unplug()


async def ask(camera, request):
    port = int(camera.url.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    return reader, writer


async def test_the_kits_link_and_driver_get_untouched_jpegs(camera):
    link, driver = open_link(f"mjpeg:{camera.url}"), DRIVERS["camera"]()
    pictures = []
    async with asyncio.timeout(60):
        while len(pictures) < 3:
            events = driver.feed(await link.receive())
            pictures += [event for event in events if isinstance(event, Picture)]
    await link.aclose()
    assert pictures[0].media_type == "image/jpeg"
    assert pictures[0].data == StillLife("normal", "right", 1).jpeg(0)


async def test_frames_come_at_camera_speed_as_multipart(camera):
    reader, writer = await ask(camera, b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"200 OK" in head
    assert b"multipart/x-mixed-replace; boundary=" in head
    for _ in range(4):
        part = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        length = int(part.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        assert (await reader.readexactly(length))[:2] == b"\xff\xd8"
        await reader.readexactly(2)
    writer.close()


@pytest.mark.parametrize(
    "request_bytes", [b"GET /other HTTP/1.1\r\n\r\n", b"POST /stream HTTP/1.1\r\n\r\n", b"\r\n\r\n"]
)
async def test_other_requests_are_not_found(camera, request_bytes):
    reader, writer = await ask(camera, request_bytes)
    assert b"404" in await asyncio.wait_for(reader.read(), 60)
    writer.close()


async def test_a_client_that_says_nothing_sensible_does_no_harm(camera):
    _, writer = await ask(camera, bytes(100_000))
    writer.close()
    reader, writer = await ask(camera, b"GET /stream HTTP/1.1\r\n\r\n")
    assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    writer.close()


async def test_unplugging_ends_the_stream_and_the_same_address_comes_back(camera):
    url = camera.url
    reader, writer = await ask(camera, b"GET /stream HTTP/1.1\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    await camera.unplug()
    await asyncio.wait_for(reader.read(), 60)
    writer.close()
    with pytest.raises(OSError):  # noqa: PT011 - any refusal will do
        await ask(camera, b"")
    await camera.plug()
    assert camera.url == url


async def test_a_taken_port_is_said_with_its_remedy(camera):
    port = int(camera.url.split(":")[2].split("/")[0])
    with pytest.raises(ServeError, match="--camera-port"):
        await Camera(Ear(), 1).plug(port)


async def test_garbage_and_a_frozen_camera(camera):
    camera.ear.garbage = 1.0
    reader, writer = await ask(camera, b"GET /stream HTTP/1.1\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    part = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    length = int(part.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    assert await reader.readexactly(length) != StillLife("normal", "right", 1).jpeg(0)
    camera.ear.frozen = True
    with pytest.raises(TimeoutError):
        await _read_until_quiet(reader, 0.5)
    writer.close()


async def _read_until_quiet(reader, seconds):
    """Read what is under way; raises TimeoutError once nothing comes for so long."""
    for _ in range(100):
        async with asyncio.timeout(seconds):
            if not await reader.read(100_000):
                return
