"""The snapshot button of a USB camera: the kernel offers it as an input device that sends KEY_CAMERA.

The uvcvideo driver makes the input device a child of the camera's own USB interface (uvc_status.c), so it is
found from the video node and never confused with another camera's. Some cheap cameras have the button as a
keyboard of its own; the link then names it (`button=/dev/input/by-id/...`), and any key counts.
"""

import asyncio
import logging
import os
import struct
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

EVENT = struct.Struct("@llHHi")
"""struct input_event of linux/input.h: seconds, microseconds (native long), type, code, value."""
EV_KEY, KEY_CAMERA, PRESSED = 0x01, 212, 1
"""linux/input-event-codes.h; value 0 is the release, 2 a repeat while it is held."""
READ_BYTES = EVENT.size * 64
NODES = Path("/sys/class/video4linux")
INPUTS = Path("/dev/input")


class ButtonEvents:
    """Finds presses in what an input device sends.

    Args:
        code: the key that counts, 0 for any.
    """

    def __init__(self, code: int = KEY_CAMERA) -> None:
        self._code = code
        self._rest = b""

    def feed(self, data: bytes) -> int:
        """Return how many presses `data` completes; cut anywhere."""
        data = self._rest + data
        whole = len(data) - len(data) % EVENT.size
        self._rest = data[whole:]
        return sum(
            type_ == EV_KEY and value == PRESSED and self._code in {0, code}
            for _, _, type_, code, value in EVENT.iter_unpack(data[:whole])
        )


def button_of(camera: str, nodes: Path = NODES, inputs: Path = INPUTS) -> Path | None:
    """Return the input device of the button of the camera at path `camera`, None where it has none."""
    interface = nodes / Path(camera).resolve().name / "device"
    events = sorted(interface.glob("input/input*/event*"))
    return inputs / events[0].name if events else None


class Button:
    """An open input device that calls `pressed` in the event loop."""

    def __init__(self, path: Path, pressed: Callable[[], None], *, any_key: bool = False) -> None:
        """Open it.

        Raises:
            OSError: it is not there, or this user may not read it.
        """
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._pressed = pressed
        self._events = ButtonEvents(0 if any_key else KEY_CAMERA)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._descriptor, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:  # unplugged: the pictures end, too, and with them the link
            data = b""
        if not data:
            self._loop.remove_reader(self._descriptor)
            return
        for _ in range(self._events.feed(data)):
            self._pressed()

    def close(self) -> None:
        """Free it."""
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)


def open_button(path: Path | None, pressed: Callable[[], None], *, any_key: bool = False) -> Button | None:
    """Open a camera's button; where it cannot be had the log says so, and there is none."""
    if path is None:
        return None
    try:
        return Button(path, pressed, any_key=any_key)
    except OSError as error:
        log.warning("no snapshot button at %s (%s); add this user to the group input", path, error.strerror)
        return None
