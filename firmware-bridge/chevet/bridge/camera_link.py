"""Cameras as links whose packets are JPEG images; a thread keeps the newest frame."""

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from chevet.bridge.base import Clock, open_in_thread
from chevet.bridge.camera_button import Button, button_of, open_button
from chevet.bridge.errors import LinkUnavailable
from chevet.bridge.jpeg import is_whole_jpeg
from chevet.bridge.newest_picture import BUTTON, NewestPictureLink
from chevet.bridge.packet import Packet

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
BROKEN_IN_A_ROW = 100
"""Some seconds of nothing but broken images: this is no camera that can be read."""


class Camera(Protocol):
    """What the thread reads from; `read` and `close` are called in that thread alone."""

    def read(self) -> bytes | None:
        """Wait for the next encoded image; None when the camera ended."""
        ...

    def close(self) -> None:
        """Free the camera."""


class CameraLink(NewestPictureLink):
    """`mjpeg:`, `v4l2:` or `picamera:`; `send` takes nothing.

    Attributes:
        broken: images refused because they were cut short or were no JPEG.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        open_camera: Callable[[], Camera],
        press: Callable[[Callable[[], None]], Button | None] = lambda _pressed: None,
        ended: Callable[[], str] = lambda: "ended",
    ) -> None:
        """Keep how to open the camera.

        Args:
            url: the link's URL.
            clock: gives the arrival times.
            open_camera: opens it, in a thread; raises LinkUnavailable.
            press: opens its snapshot button, which calls what it is given; None where it has none.
            ended: returns the reason of a link whose camera gives no more pictures.
        """
        super().__init__(url, clock)
        self.broken = 0
        self._open_camera = open_camera
        self._press = press
        self._ended = ended
        self._button: Button | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    async def _connect(self) -> None:
        camera = await open_in_thread(self._open_camera, lambda camera: camera.close())
        self._button = self._press(lambda: self._put(b"", BUTTON))
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(
            target=self._run, args=(camera, loop), name=f"camera {self.url}", daemon=True
        )
        self._thread.start()

    def _run(self, camera: Camera, loop: asyncio.AbstractEventLoop) -> None:
        try:
            reason = self._read_all(camera, loop)
        except Exception:  # whatever a camera library throws must end this link, never the process
            log.exception("lost %s", self.url)
            reason = "failed"
        camera.close()
        _in_loop(loop, self._lose, reason)

    def _read_all(self, camera: Camera, loop: asyncio.AbstractEventLoop) -> str:
        """Pass images on until the camera ends or the link is closed; return why."""
        in_a_row = 0
        while not self._stopping.is_set():
            image = camera.read()
            if image is None:
                return self._ended()
            if is_whole_jpeg(image):
                in_a_row = 0
                _in_loop(loop, self._put_picture, Packet(image, self._clock()))
                continue
            self.broken += 1
            in_a_row += 1
            if in_a_row == 1:
                log.info("%s: refused a broken image of %d bytes", self.url, len(image))
            if in_a_row >= BROKEN_IN_A_ROW:
                return "wrong_device"
        return "closed"

    async def _disconnect(self) -> None:
        self._stopping.set()
        if self._button is not None:
            self._button.close()
            self._button = None
        thread, self._thread = self._thread, None
        if thread is not None:
            # It ends after the read under way, which OpenCV limits; a hung Pi camera keeps its thread.
            await asyncio.to_thread(thread.join, CLOSE_TIMEOUT_S)
            if thread.is_alive():
                log.warning("%s does not let go", self.url)


def camera_opener(url: str) -> Callable[[], Camera]:
    """Return what opens the camera that `url` names; its library is imported by the opening.

    Raises:
        LinkUnavailable: the URL is misspelt.
    """
    if url.startswith("picamera:"):
        from chevet.bridge.pi_camera import open_pi_camera, parse_pi_camera

        settings = parse_pi_camera(url)
        return lambda: open_pi_camera(url, settings)
    from chevet.bridge.opencv_camera import open_stream, open_v4l2, parse_v4l2

    if url.startswith("v4l2:"):
        wanted = parse_v4l2(url)
        return lambda: open_v4l2(url, wanted)
    address = url.removeprefix("mjpeg:")
    if not address.startswith(("http://", "https://")):  # or FFmpeg would open files and devices
        raise LinkUnavailable(url, "bad_url")
    return lambda: open_stream(url, address)


def camera_link(url: str, clock: Clock) -> CameraLink:
    """Return the camera link that `url` names, with its snapshot button where it is a USB camera.

    Raises:
        LinkUnavailable: the URL is misspelt.
    """
    opener = camera_opener(url)
    if not url.startswith("v4l2:"):
        return CameraLink(url, clock, opener)
    from chevet.bridge.opencv_camera import parse_v4l2

    wanted = parse_v4l2(url)

    def press(pressed: Callable[[], None]) -> Button | None:
        path = Path(wanted.button) if wanted.button else button_of(wanted.path)
        return open_button(path, pressed, any_key=bool(wanted.button))

    def ended() -> str:
        return "ended" if Path(wanted.path).exists() else "unplugged"

    return CameraLink(url, clock, opener, press, ended)


def _in_loop(loop: asyncio.AbstractEventLoop, do: Callable[[Any], None], argument: object) -> None:
    try:
        loop.call_soon_threadsafe(do, argument)
    except RuntimeError:  # the loop was closed while a read was under way: nobody is left to tell
        log.debug("the event loop is closed")
