"""What instruments measured a moment ago, kept until the worker takes it into the visit.

A cuff, a thermometer or a scale sends its numbers some seconds after a measurement and falls silent, often
before the worker is back at the screen. So the newest measurement of each instrument stays here; taking it is
the worker's word that it is of this patient.
"""

from collections.abc import Callable
from dataclasses import dataclass

from chevet.devices.samples import Reading
from chevet.edge.errors import Refusal
from chevet.edge.judge import numbers_mark
from chevet.edge.visit import PLAUSIBLE, check_vital
from chevet.study.study import Vital

METERS = frozenset({"blood_pressure", "thermometer", "glucose", "scale"})
"""Instruments that measure now and then; what the others give now is not kept as a measurement."""

ONE_MEASUREMENT_S = 5.0
"""Numbers that arrive within this time belong together: a cuff sends pressure and pulse in one message, a
scale repeats itself until it is steady."""
OLD_AFTER_S = 600.0
"""Older than this a number on an instrument is more likely of the person before."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The newest measurement of one instrument.

    Attributes:
        readings: one of each kind, those of the instrument's own store left out.
        at_ms: wall time of the newest.
    """

    readings: tuple[Reading, ...]
    at_ms: int


class Meters:
    """The newest measurement of each instrument, for as long as it can be of the patient who is there."""

    def __init__(self, now_ms: Callable[[], int], monotonic: Callable[[], float]) -> None:
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._newest: dict[str, dict[str, Reading]] = {}

    def offer(self, device: str, reading: Reading) -> None:
        """Take one number; one without a value ends nothing, one of the instrument's store is not of now."""
        if reading.kind not in PLAUSIBLE or reading.value is None or "from_storage" in reading.status:
            return
        known = self._newest.setdefault(device, {})
        known[reading.kind] = reading
        self._newest[device] = {
            kind: one for kind, one in known.items() if reading.at - one.at <= ONE_MEASUREMENT_S
        }

    def forget(self, device: str) -> None:
        """Forget what was taken: it must not go to the next patient too."""
        self._newest.pop(device, None)

    def measured(self, device: str, since_ms: int) -> Measured | None:
        """Return what an instrument measured after `since_ms` and not long ago; None without one."""
        readings = tuple(self._newest.get(device, {}).values())
        if not readings:
            return None
        age_s = self._monotonic() - max(reading.at for reading in readings)
        at_ms = self._now_ms() - round(age_s * 1000)
        return Measured(readings, at_ms) if age_s <= OLD_AFTER_S and at_ms >= since_ms else None


def vitals_of(measured: Measured, driver: str) -> list[Vital]:
    """Return the numbers as vitals, each with what the instrument itself doubts.

    Raises:
        Refusal: implausible, when a number cannot be of a person: an instrument may be broken or set wrong.
    """
    mark = numbers_mark(measured.readings)
    vitals = []
    for reading in measured.readings:
        if reading.value is None:
            raise Refusal("nothing_measured", "This instrument gave no number; measure again.")
        check_vital(reading.kind, reading.value, reading.unit)
        vitals.append(Vital(reading.kind, reading.value, reading.unit, driver, measured.at_ms, mark))
    return vitals
