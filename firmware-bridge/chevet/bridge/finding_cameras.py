"""Which cameras are there: USB cameras by their stable names, and the Raspberry Pi's own."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from chevet.bridge.errors import LinkUnavailable
from chevet.bridge.pi_camera import pi_cameras

BY_ID, BY_PATH = Path("/dev/v4l/by-id"), Path("/dev/v4l/by-path")
NODES = Path("/sys/class/video4linux")
PICTURES = "-video-index0"
"""Every UVC camera makes two nodes; that of index 1 carries metadata and no pictures."""
USB = "-usb"
"""A node without it in its by-path name is a Raspberry Pi's codec or scaler, not a camera."""


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """One camera.

    Attributes:
        link: the URL to open it.
        name: as it calls itself.
        place: its node now, such as "video0", or "ribbon 0".
        identity: what stays the same when it is replugged.
    """

    link: str
    name: str
    place: str
    identity: str


@functools.cache
def ribbon_cameras() -> tuple[str, ...]:
    """Return the models of the Raspberry Pi's own cameras; asked once, nobody plugs a ribbon in at work."""
    try:
        return tuple(pi_cameras())
    except LinkUnavailable:
        return ()  # not a Pi, or without its software: then it has no ribbon cameras


def cameras(
    by_id: Path = BY_ID,
    by_path: Path = BY_PATH,
    nodes: Path = NODES,
    ribbon: Callable[[], Sequence[str]] = ribbon_cameras,
) -> list[FoundCamera]:
    """Return all cameras: USB by name, by place where two share a name, then the ribbon cameras.

    Args:
        by_id: udev's links by name and serial number.
        by_path: udev's links by place.
        nodes: the kernel's list of video nodes, for their names.
        ribbon: gives the models of the Raspberry Pi's cameras.
    """
    found: dict[str, FoundCamera] = {}
    for folder in (by_id, by_path):
        for link, node in _picture_nodes(folder):
            if node not in found and (folder == by_id or USB in link.name):
                found[node] = FoundCamera(f"v4l2:{link}", _name(nodes / node), node, f"camera:{link.name}")
    own = [
        FoundCamera(f"picamera:{number}", model, f"ribbon {number}", f"camera:ribbon-{number}")
        for number, model in enumerate(ribbon())
    ]
    return [*found.values(), *own]


def _picture_nodes(folder: Path) -> Iterator[tuple[Path, str]]:
    if folder.is_dir():
        for link in sorted(folder.iterdir()):
            if link.name.endswith(PICTURES):
                yield link, link.resolve().name


def _name(node: Path) -> str:
    try:
        return (node / "name").read_text("utf-8", "replace").strip()
    except OSError:
        return ""
