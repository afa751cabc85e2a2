"""The Raspberry Pi's ribbon camera through picamera2.

picamera2 needs libcamera's bindings, which only Raspberry Pi OS packages provide, so it is imported when a
camera is opened and not before.
"""

import importlib
import io
import logging
from dataclasses import dataclass
from typing import Any, Protocol

from chevet.bridge.errors import LinkUnavailable
from chevet.bridge.url import split_url

log = logging.getLogger(__name__)

DEFAULT_WIDTH, DEFAULT_HEIGHT = 1280, 720
SETTLING_FRAMES = 10
"""Pictures thrown away first: the automatic exposure starts dark."""


class PiCamera2(Protocol):
    """The part of picamera2.Picamera2 that is used here (0.3.38)."""

    def create_video_configuration(self, main: dict[str, Any]) -> Any: ...  # noqa: D102
    def configure(self, camera_config: Any) -> None: ...  # noqa: D102
    def start(self) -> None: ...  # noqa: D102
    def capture_file(self, file_output: Any, *, format: str) -> Any: ...  # noqa: A002, D102
    def stop(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class PiCamera2Class(Protocol):
    """picamera2.Picamera2 itself."""

    def __call__(self, camera_num: int) -> PiCamera2: ...  # noqa: D102
    def global_camera_info(self) -> list[dict[str, Any]]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class PiCameraSettings:
    """Which camera, and the size of its pictures in pixels."""

    number: int
    width: int
    height: int


class PiCamera:
    """A started camera; its sensor gives no JPEG, so the images are encoded here, once, by picamera2."""

    def __init__(self, camera: PiCamera2) -> None:
        self._camera = camera

    def read(self) -> bytes | None:
        """Wait for the next image, encoded as JPEG; None when the camera ended."""
        buffer = io.BytesIO()
        self._camera.capture_file(buffer, format="jpeg")
        return buffer.getvalue() or None

    def close(self) -> None:
        """Stop and free the camera."""
        self._camera.stop()
        self._camera.close()


def parse_pi_camera(url: str) -> PiCameraSettings:
    """Return what a `picamera:0?width=1280&height=720` URL asks for.

    Raises:
        LinkUnavailable: it is misspelt.
    """
    parts = split_url(url, options=frozenset({"width", "height"}))
    if not parts.target.isdecimal():
        raise LinkUnavailable(url, "bad_url")
    width = int(parts.number("width", DEFAULT_WIDTH))
    return PiCameraSettings(int(parts.target), width, int(parts.number("height", DEFAULT_HEIGHT)))


def open_pi_camera(
    url: str, settings: PiCameraSettings, camera_class: PiCamera2Class | None = None
) -> PiCamera:
    """Open and start the camera; `camera_class` stands in for picamera2.Picamera2 where it is given.

    Raises:
        LinkUnavailable: picamera2 is missing, there is no such camera, or another program uses it.
    """
    found = camera_class or _picamera2(url)
    if settings.number >= len(found.global_camera_info()):
        raise LinkUnavailable(url, "not_found")
    try:
        camera = found(settings.number)
    except RuntimeError as error:  # what picamera2 raises for "device or resource busy"
        raise LinkUnavailable(url, "busy") from error
    try:
        camera.configure(camera.create_video_configuration(main={"size": (settings.width, settings.height)}))
        camera.start()
        opened = PiCamera(camera)
        for _ in range(SETTLING_FRAMES):
            opened.read()
    except (
        Exception
    ) as error:  # whatever libcamera throws: a camera left open stays busy until the agent ends
        log.warning("cannot start %s: %s", url, error)
        camera.close()
        raise LinkUnavailable(url, "failed") from error
    return opened


def pi_cameras(camera_class: PiCamera2Class | None = None) -> list[str]:
    """Return the models of the Pi's own cameras, in the order of their numbers.

    USB cameras, which libcamera lists too, are left out: they have links of their own.

    Raises:
        LinkUnavailable: picamera2 is missing.
    """
    found = camera_class or _picamera2("picamera:")
    return [
        str(camera.get("Model", ""))
        for camera in found.global_camera_info()
        if "/usb" not in str(camera.get("Id", ""))
    ]


def _picamera2(url: str) -> PiCamera2Class:
    try:
        found: PiCamera2Class = importlib.import_module("picamera2").Picamera2
    except ImportError as error:  # picamera2 itself, or libcamera under it
        raise LinkUnavailable(url, "no_library") from error
    return found
