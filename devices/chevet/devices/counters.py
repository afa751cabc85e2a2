"""What a driver has counted since it was made."""

from collections.abc import Callable
from dataclasses import dataclass

from chevet.bridge.packet import Packet
from chevet.devices.errors import BrokenPayload
from chevet.devices.samples import Event


@dataclass(slots=True)
class Counters:
    """Running totals of one driver.

    Attributes:
        frames: good frames, notifications or pictures.
        bad_frames: those refused for length, checksum or content.
        lost_samples: samples known to be missing while the device was streaming.
        resyncs: times that bytes had to be skipped to find the next good frame.
    """

    frames: int = 0
    bad_frames: int = 0
    lost_samples: int = 0
    resyncs: int = 0


def counted(read: Callable[[Packet], list[Event]], packet: Packet, counters: Counters) -> list[Event]:
    """Read one notification and count it as good, or as bad when it contradicts its own format."""
    try:
        events = read(packet)
    except BrokenPayload:
        counters.bad_frames += 1
        return []
    counters.frames += 1
    return events
