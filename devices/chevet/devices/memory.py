"""What some drivers can besides `Driver`: hand out what their device keeps, read and set its clock."""

import datetime
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from chevet.devices.samples import Event, Notice, Reading

FROM_STORAGE = "from_storage"
"""Status word of a reading that the device had stored: it is of the past, and maybe of another person."""
STORED_UNTIL = "stored_until"
"""Code of the notice that ends a fetch; its detail is the mark for `remember`."""
LONGEST_MARK = 200


@dataclass(frozen=True, slots=True)
class Write:
    """One value for one place of a device that has several, such as a Bluetooth characteristic.

    Attributes:
        target: the place, a 128-bit UUID in lower case.
        data: what to write, whole.
    """

    target: str
    data: bytes


@runtime_checkable
class KeepsRecords(Protocol):
    """A driver whose device keeps measurements."""

    def remember(self, mark: str) -> None:
        """Fetch stored measurements after the next `start`, but not those up to `mark` ("" for all).

        They come as readings with the word `from_storage`; when all have come the notice `stored_until`
        tells the next mark. A mark that the driver does not understand counts as "".
        """
        ...


@runtime_checkable
class SetsClock(Protocol):
    """A driver whose device may have a clock that can be set."""

    def set_clock(self, now: datetime.datetime) -> list[Write]:
        """Return what sets the device's clock to local time `now`."""
        ...


@runtime_checkable
class AsksTime(Protocol):
    """A driver whose device tells its time when asked."""

    def ask_time(self) -> bytes:
        """Return the question; the notice `device_time` answers it."""
        ...


def is_stored(event: Event) -> bool:
    """Whether an event is about what a device had stored, not about what it measures now."""
    if isinstance(event, Reading):
        return FROM_STORAGE in event.status
    return isinstance(event, Notice) and event.code == STORED_UNTIL
