import asyncio
import contextlib
import http.server
import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from waiting import until

from chevet.bridge import opencv_camera, pi_camera
from chevet.bridge.camera_link import CameraLink, camera_link
from chevet.bridge.errors import LinkError, LinkLost, LinkUnavailable
from chevet.bridge.jpeg import is_whole_jpeg
from chevet.bridge.link import open_link


def jpeg(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


IMAGES = [jpeg(seed) for seed in range(4)]


async def receive_until_lost(link, received):
    while True:
        received.append(await link.receive())


class MjpegServer:
    """A camera on HTTP: plays `parts` over and over, or once, with or without lengths."""

    def __init__(self, parts, *, lengths=True, once=False, pause_s=0.02):
        self.stopping = threading.Event()
        outer = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                with contextlib.suppress(OSError):
                    while not outer.stopping.is_set():
                        for part in parts:
                            length = f"Content-Length: {len(part)}\r\n" if lengths else ""
                            head = f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n"
                            self.wfile.write(head.encode() + part + b"\r\n")
                            outer.stopping.wait(pause_s)
                        if once:
                            break

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        self.url = f"mjpeg:http://127.0.0.1:{self.server.server_port}/stream"

    def stop(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def serve() -> Iterator:
    servers = []

    def start(*args, **kwargs):
        servers.append(MjpegServer(*args, **kwargs))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize("lengths", [True, False])
async def test_the_cameras_own_bytes_come_through_untouched(serve, lengths):
    link = open_link(serve(IMAGES, lengths=lengths).url, clock=lambda: 7.0)
    async with asyncio.timeout(60):
        packets = [await link.receive() for _ in range(6)]
    await link.aclose()
    assert all(packet.data in IMAGES for packet in packets)
    assert packets[0].at == 7.0
    assert link.broken == 0


async def test_a_late_viewer_gets_the_newest_image(serve):
    link = open_link(serve(IMAGES).url)
    async with asyncio.timeout(60):
        await link.receive()
        await until(lambda: link.dropped > 3)
        assert len(link._packets) == 1
    await link.aclose()


async def test_an_image_cut_short_is_refused_and_counted(serve):
    link = open_link(serve([IMAGES[0], IMAGES[1][:-500], IMAGES[2]]).url)
    async with asyncio.timeout(60):
        packets = [await link.receive() for _ in range(6)]
    await link.aclose()
    assert {packet.data for packet in packets} == {IMAGES[0], IMAGES[2]}
    assert link.broken > 0


async def test_a_camera_that_ends_loses_the_link(serve):
    link = open_link(serve(IMAGES, once=True).url)
    received = []
    async with asyncio.timeout(60):
        with pytest.raises(LinkLost) as lost:
            await receive_until_lost(link, received)
    await link.aclose()
    assert lost.value.reason == "ended"
    assert received


async def test_a_camera_that_is_not_there_is_not_found():
    with pytest.raises(LinkUnavailable) as refused:
        await open_link("mjpeg:http://127.0.0.1:1/stream").open()
    assert refused.value.reason == "not_found"


async def test_a_camera_is_only_read(serve):
    link = open_link(serve(IMAGES).url)
    await link.send(b"")
    with pytest.raises(LinkError) as refused:
        await link.send(b"zoom")
    assert refused.value.reason == "not_writable"


class FakeCamera:
    """Gives the images it was made with; an exception among them is raised."""

    def __init__(self, images):
        self.images, self.closed = list(images), False

    def read(self):
        image = self.images.pop(0) if self.images else None
        if isinstance(image, Exception):
            raise image
        return image

    def close(self):
        self.closed = True


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        ([IMAGES[0], RuntimeError("libcamera gave up")], "failed"),
        ([b"YUYV" * 10] * 200, "wrong_device"),
        ([None], "ended"),
    ],
)
async def test_a_failing_camera_ends_the_link_and_is_freed(images, reason):
    camera = FakeCamera(images)
    link = CameraLink("v4l2:/dev/video9", lambda: 0.0, lambda: camera)
    async with asyncio.timeout(60):
        with pytest.raises(LinkLost) as lost:
            await receive_until_lost(link, [])
    await link.aclose()
    assert lost.value.reason == reason
    assert camera.closed


def test_a_loop_that_is_gone_does_not_disturb_the_thread():
    async def open_and_forget():
        link = CameraLink("v4l2:/dev/video9", lambda: 0.0, lambda: FakeCamera([]))
        await link.open()
        thread = link._thread
        link._open_camera = None
        return link, thread

    loop = asyncio.new_event_loop()
    link, thread = loop.run_until_complete(open_and_forget())
    loop.close()
    thread.join(60)
    link._run(camera := FakeCamera([IMAGES[0]]), loop)
    assert camera.closed


class FakeCapture:
    """cv2.VideoCapture of a USB camera that obeys, or does not."""

    def __init__(self, images=(), opened=True, formats=("MJPG",)):
        self.images, self.opened, self.formats = list(images), opened, formats
        self.props, self.order, self.released = {}, [], False

    def isOpened(self):  # noqa: N802 (OpenCV's name)
        return self.opened

    def set(self, prop, value):
        self.order.append(prop)
        wanted = int(value)
        if prop == cv2.CAP_PROP_FOURCC and wanted not in [cv2.VideoWriter.fourcc(*f) for f in self.formats]:
            return True  # as OpenCV does: says yes, does nothing
        self.props[prop] = value
        return True

    def get(self, prop):
        return self.props.get(prop, 0.0)

    def read(self):
        return (True, self.images.pop(0)) if self.images else (False, None)

    def release(self):
        self.released = True


WANTED = opencv_camera.WantedVideo("/dev/video9", 640, 480, 0)


def test_a_usb_camera_is_asked_for_its_format_first_and_gives_its_own_bytes():
    capture = FakeCapture([np.frombuffer(IMAGES[0], np.uint8).reshape(1, -1)])
    camera = opencv_camera.configure("v4l2:x", capture, WANTED)
    assert capture.order[:3] == [cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT]
    assert cv2.CAP_PROP_FPS not in capture.order
    assert capture.props[cv2.CAP_PROP_CONVERT_RGB] == 0
    assert camera.read() == IMAGES[0]
    assert camera.read() is None
    camera.close()
    assert capture.released


@pytest.mark.parametrize(
    ("capture", "reason"),
    [(FakeCapture(opened=False), "busy"), (FakeCapture(formats=("YUYV",)), "wrong_device")],
)
def test_a_usb_camera_that_cannot_give_jpeg_says_why(capture, reason):
    with pytest.raises(LinkUnavailable) as refused:
        opencv_camera.configure("v4l2:x", capture, WANTED)
    assert refused.value.reason == reason


@pytest.mark.parametrize(("path", "reason"), [("/dev/chevet-none", "not_found"), ("/tmp", "wrong_device")])
async def test_a_usb_camera_that_is_not_one_says_why(path, reason):
    with pytest.raises(LinkUnavailable) as refused:
        await open_link(f"v4l2:{path}?width=640&height=480").open()
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("error", "reason"), [(PermissionError(13, "no"), "no_permission"), (OSError(16, "busy"), "busy")]
)
async def test_a_usb_camera_that_the_system_keeps_says_why(monkeypatch, error, reason):
    def refuse(*_args):
        raise error

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(LinkUnavailable) as refused:
        opencv_camera.open_v4l2("v4l2:/dev/null", opencv_camera.parse_v4l2("v4l2:/dev/null"))
    assert refused.value.reason == reason


async def test_an_opencv_that_cannot_give_bytes_untouched_is_not_used(monkeypatch):
    capture = FakeCapture()
    capture.get = lambda prop: 0.0
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_args: capture)
    with pytest.raises(LinkUnavailable) as refused:
        opencv_camera.open_stream("mjpeg:http://x/", "http://x/")
    assert refused.value.reason == "failed"
    assert capture.released


async def test_a_character_device_that_is_no_camera_is_refused():
    with pytest.raises(LinkUnavailable) as refused:
        await open_link("v4l2:/dev/null").open()
    assert refused.value.reason == "busy"


class FakePicamera2:
    """The part of picamera2.Picamera2 (0.3.38) that is used: same names, order and errors."""

    last: "FakePicamera2 | None" = None
    in_use = False

    def __init__(self, camera_num=0):
        if self.in_use:
            raise RuntimeError("Failed to acquire camera: Device or resource busy")
        self.camera_num, self.calls, self.taken = camera_num, [], 0
        type(self).last = self

    @staticmethod
    def global_camera_info():
        return [{"Model": "imx219", "Location": 2, "Rotation": 180, "Id": "/base/soc/i2c0mux", "Num": 0}]

    def create_video_configuration(self, main=None, **_others):
        return {"main": {"size": (640, 480), "format": "XBGR8888", **(main or {})}, "buffer_count": 6}

    def configure(self, camera_config="preview"):
        self.calls.append(("configure", camera_config["main"]["size"]))

    def start(self, config=None, show_preview=False):
        assert self.calls, "picamera2 must be configured first"
        self.calls.append(("start",))

    def capture_file(self, file_output, name="main", format=None, wait=None):  # noqa: A002
        assert ("start",) in self.calls
        self.taken += 1
        if format == "jpeg":
            file_output.write(IMAGES[self.taken % 4])
        return {"SensorTimestamp": self.taken}

    def stop(self):
        self.calls.append(("stop",))

    def close(self):
        self.calls.append(("close",))


async def test_the_pi_camera_gives_settled_images_and_is_freed():
    settings = pi_camera.parse_pi_camera("picamera:0?width=800&height=600")
    link = CameraLink(
        "picamera:0", lambda: 1.0, lambda: pi_camera.open_pi_camera("picamera:0", settings, FakePicamera2)
    )
    async with asyncio.timeout(60):
        packet = await link.receive()
    await link.aclose()
    camera = FakePicamera2.last
    assert packet.data in IMAGES
    assert camera.taken > pi_camera.SETTLING_FRAMES
    assert camera.calls == [("configure", (800, 600)), ("start",), ("stop",), ("close",)]


@pytest.mark.parametrize(("number", "in_use", "reason"), [(3, False, "not_found"), (0, True, "busy")])
def test_a_pi_camera_that_cannot_be_had_says_why(number, in_use, reason):
    class Camera(FakePicamera2):
        pass

    Camera.in_use = in_use
    settings = pi_camera.PiCameraSettings(number, 640, 480)
    with pytest.raises(LinkUnavailable) as refused:
        pi_camera.open_pi_camera("picamera:0", settings, Camera)
    assert refused.value.reason == reason


def test_a_pi_camera_that_does_not_start_is_freed_for_the_next_try():
    class Broken(FakePicamera2):
        def start(self, config=None, show_preview=False):
            raise RuntimeError("Camera frontend has timed out")

    with pytest.raises(LinkUnavailable) as refused:
        pi_camera.open_pi_camera("picamera:0", pi_camera.PiCameraSettings(0, 640, 480), Broken)
    assert refused.value.reason == "failed"
    assert Broken.last.calls[-1] == ("close",)


async def test_a_usb_camera_whose_device_is_gone_was_unplugged(tmp_path):
    node = tmp_path / "video0"
    for reason in ("unplugged", "ended"):
        link = camera_link(f"v4l2:{node}", lambda: 0.0)
        link._open_camera = lambda: FakeCamera([IMAGES[0]])
        with pytest.raises(LinkLost) as lost:
            await receive_until_lost(link, [])
        await link.aclose()
        assert lost.value.reason == reason
        node.touch()


async def test_off_a_pi_the_missing_library_is_named():
    with pytest.raises(LinkUnavailable) as refused:
        await open_link("picamera:0").open()
    assert refused.value.reason == "no_library"
    assert "python3-picamera2" in str(refused.value)


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (IMAGES[0], True),
        (IMAGES[0] + bytes(7), True),
        (IMAGES[0][:-1], False),
        (IMAGES[0][2:], False),
        (b"", False),
        (b"\xff\xd9", False),
    ],
)
def test_a_whole_jpeg_begins_and_ends_as_one(data, whole):
    assert is_whole_jpeg(data) is whole


async def test_a_camera_that_hangs_does_not_hold_up_the_closing(monkeypatch, caplog):
    monkeypatch.setattr("chevet.bridge.camera_link.CLOSE_TIMEOUT_S", 0.05)
    let_go = threading.Event()

    class Hung(FakeCamera):
        def read(self):
            let_go.wait(60)

    camera = Hung([])
    link = CameraLink("picamera:0", lambda: 0.0, lambda: camera)
    await link.open()
    await link.aclose()
    assert "does not let go" in caplog.text
    assert not camera.closed
    let_go.set()
    await until(lambda: camera.closed)
