"""USB cameras and MJPEG streams through OpenCV, which hands over the camera's own JPEG bytes."""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from chevet.bridge.errors import LinkUnavailable
from chevet.bridge.url import split_url

OPEN_TIMEOUT_MS = 4000
READ_TIMEOUT_MS = 3000
MJPG = cv2.VideoWriter.fourcc(*"MJPG")


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used here."""

    def isOpened(self) -> bool: ...  # noqa: N802, D102 (OpenCV's name)
    def read(self) -> tuple[bool, Any]: ...  # noqa: D102
    def set(self, propId: int, value: float) -> bool: ...  # noqa: N803, D102
    def get(self, propId: int) -> float: ...  # noqa: N803, D102
    def release(self) -> None: ...  # noqa: D102


class OpenCvCamera:
    """An opened capture that gives encoded bytes instead of pixels."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    def read(self) -> bytes | None:
        """Wait for the next image; None when the stream ended, the camera was unplugged or is silent."""
        there, image = self._capture.read()
        if not there or image is None:
            return None
        encoded: NDArray[np.uint8] = image
        return encoded.tobytes()

    def close(self) -> None:
        """Free the camera."""
        self._capture.release()


def open_stream(url: str, address: str) -> OpenCvCamera:
    """Open an MJPEG stream over HTTP.

    CAP_PROP_FORMAT -1 makes OpenCV's FFmpeg reader give each packet as it came, undecoded; tried with OpenCV
    5.0.0 against parts with and without Content-Length.

    Raises:
        LinkUnavailable: nothing answers at `address`, or no stream of images.
    """
    limits = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        OPEN_TIMEOUT_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        READ_TIMEOUT_MS,
    ]
    capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        raise LinkUnavailable(url, "not_found")
    if not capture.set(cv2.CAP_PROP_FORMAT, -1) or capture.get(cv2.CAP_PROP_FORMAT) != -1:
        capture.release()
        raise LinkUnavailable(url, "failed")
    return OpenCvCamera(capture)


@dataclass(frozen=True, slots=True)
class WantedVideo:
    """What to ask of a USB camera.

    Attributes:
        path: its device.
        width, height, fps: pixels and pictures a second, 0 for the camera's own choice.
        button: input device of its snapshot button, "" for the one that belongs to it.
    """

    path: str
    width: int
    height: int
    fps: int
    button: str = ""


def parse_v4l2(url: str) -> WantedVideo:
    """Return what a `v4l2:/dev/...?width=640&height=480&fps=30` URL asks for.

    Raises:
        LinkUnavailable: it is misspelt.
    """
    parts = split_url(url, options=frozenset({"width", "height", "fps", "button"}))
    width, height, fps = (int(parts.number(name, 0)) for name in ("width", "height", "fps"))
    return WantedVideo(parts.target, width, height, fps, parts.options.get("button", ""))


def open_v4l2(url: str, wanted: WantedVideo) -> OpenCvCamera:
    """Open a USB camera.

    Raises:
        LinkUnavailable: it is not there, busy, forbidden, or gives no JPEG images.
    """
    path = Path(wanted.path)
    try:
        if not stat.S_ISCHR(path.stat().st_mode):
            raise LinkUnavailable(url, "wrong_device")
        with path.open("rb"):  # OpenCV does not say why it cannot open
            pass
    except FileNotFoundError:
        raise LinkUnavailable(url, "not_found") from None
    except PermissionError:
        raise LinkUnavailable(url, "no_permission") from None
    except OSError as error:
        raise LinkUnavailable(url, "busy") from error
    return configure(url, cv2.VideoCapture(wanted.path, cv2.CAP_V4L2), wanted)


def configure(url: str, capture: Capture, wanted: WantedVideo) -> OpenCvCamera:
    """Ask an opened USB camera for untouched JPEG images and see that it gives them.

    The format must be set before the size, and each may be ignored although `set` says otherwise (OpenCV 4.6
    to 4.12), so the format is read back; the images themselves are checked by the link.

    Raises:
        LinkUnavailable: it is busy (OpenCV could not open it) or has no JPEG format.
    """
    if not capture.isOpened():
        raise LinkUnavailable(url, "busy")
    capture.set(cv2.CAP_PROP_FOURCC, MJPG)
    sizes = (
        (cv2.CAP_PROP_FRAME_WIDTH, wanted.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, wanted.height),
        (cv2.CAP_PROP_FPS, wanted.fps),
    )
    for prop, value in sizes:
        if value:
            capture.set(prop, value)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # fewer stale images, where the driver obeys
    capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    if int(capture.get(cv2.CAP_PROP_FOURCC)) != MJPG:
        capture.release()
        raise LinkUnavailable(url, "wrong_device")
    return OpenCvCamera(capture)
