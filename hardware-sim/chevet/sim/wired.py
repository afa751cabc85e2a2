"""Where a sensor meets the patient: which sample of the patient's grid a device's sample is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from chevet.sim.device_clock import DeviceClock
from chevet.sim.electrodes import LEADS, Electrodes
from chevet.sim.heart.blocks import Floats
from chevet.sim.heart.dipole import twelve
from chevet.sim.one_heart import OneHeart
from chevet.sim.playback import Int16
from chevet.sim.twins.ecg_body import FIXED, Vitals

SAMPLE_MAX = 32767
LOOKED_UP_EVERY_S = 0.5
SLOWEST_ECG_HZ = 100.0
"""Slower converters pick samples from a multiple of their rate."""
MEAN_LIGHT = np.array([[0.8], [1.0]])
"""Of red and infrared, as the patient gives them."""


class Place:
    """Turns a device's sample numbers into those of the patient's grid.

    The device may be started again and its clock may run fast or slow: the grid then has the rate at which
    samples really are taken, and the number is found anew once, so that no sample is taken twice or left out.

    Args:
        clock: the device's.

    Attributes:
        starts: returns when the device took its sample 0, on its own clock.
    """

    def __init__(self, clock: DeviceClock) -> None:
        self.clock = clock
        self.starts: Callable[[], float] = lambda: 0.0
        self._known: dict[float, tuple[float, float, int]] = {}

    def grid(self, heart: OneHeart, first: int, rate_hz: float) -> tuple[int, float]:
        """Return the number of the device's sample `first` on the patient's grid, and the grid's rate."""
        began, speed = self.starts(), self.clock.speed
        known = self._known.get(rate_hz)
        if known is None or known[:2] != (began, speed):
            host = self.clock.host_of(began + first / rate_hz)
            known = began, speed, round((host - heart.began) * rate_hz * speed) - first
            self._known[rate_hz] = known
        return known[2] + first, rate_hz * speed

    def host(self, at_s: float) -> float:
        """Return the host's time `at_s` seconds after the device's beginning, by its own clock."""
        return self.clock.host_of(self.starts() + at_s)

    def own(self, host_s: float) -> float:
        """Return the seconds since the device's beginning, by its own clock, at the host's time `host_s`."""
        return self.clock.at(host_s) - self.starts()


class Recorded(Protocol):
    """A recording that goes round and round."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its channels."""
        ...

    def between(self, row: int, first: int, count: int, rate_hz: float) -> Floats:
        """Return samples `first` on of a channel in steps, at any rate, shape [count]."""
        ...


class LeadSource(Protocol):
    """Where a chest's leads come from."""

    def leads(self, first: int, count: int, rate_hz: float) -> tuple[Floats, int]:
        """Return twelve leads in mV, shape [12, count], and the place of their first sample."""
        ...


@dataclass(slots=True, eq=False)
class HeartLeads:
    """The leads of the patient in the room."""

    heart: OneHeart
    place: Place

    def leads(self, first: int, count: int, rate_hz: float) -> tuple[Floats, int]:
        """Return the leads at the device's own rate; slow converters pick every so many samples."""
        every = max(1, int(np.ceil(SLOWEST_ECG_HZ / rate_hz)))
        start, grid_hz = self.place.grid(self.heart, first * every, rate_hz * every)
        made = self.heart.take("ecg", start, (count - 1) * every + 1, grid_hz)
        return made[:, ::every], start // every


@dataclass(slots=True, eq=False)
class LoopLeads:
    """A recording round and round, as twelve leads; between its samples along straight lines.

    Attributes:
        loop: the recording.
        unit_mv: mV a step, one for all channels or one each.
    """

    loop: Recorded
    unit_mv: float | tuple[float, ...] = 0.001

    def leads(self, first: int, count: int, rate_hz: float) -> tuple[Floats, int]:
        """Return the leads in standard order, exact at the recording's own rate.

        Limb leads that a recording lacks follow from I and II where it has those; others are 0.
        """
        found = np.zeros((len(LEADS), count))
        names = self.loop.names
        for row, name in enumerate(names):
            if name in LEADS:
                unit = self.unit_mv[row] if isinstance(self.unit_mv, tuple) else self.unit_mv
                found[LEADS.index(name)] = unit * self.loop.between(row, first, count, rate_hz)
        if "I" in names and "II" in names:
            worked_out = twelve(found[[0, 1, 6, 7, 8, 9, 10, 11]])
            missing = [row for row in range(2, 6) if LEADS[row] not in names]
            found[missing] = worked_out[missing]
        return found, first


@dataclass(slots=True, eq=False)
class HeartVitals:
    """Numbers of the patient in the room, now; looked up twice a second at most, as devices do."""

    heart: OneHeart
    place: Place
    _until: float = -1.0
    _found: tuple[int, int, int, float] = (0, 0, 0, 0.0)

    def _look(self) -> tuple[int, int, int, float]:
        now = self.heart.clock()
        if now >= self._until:
            heart, self._until = self.heart, now + LOOKED_UP_EVERY_S
            found = heart.now(now)
            breaths = round(heart.breaths_per_min(now))
            self._found = found.pulse_rate, found.spo2, breaths, found.temperature_cel
        return self._found

    def heart_rate(self) -> int:
        """Return beats a minute."""
        return self._look()[0]

    def spo2(self) -> int:
        """Return per cent."""
        return self._look()[1]

    def breaths(self) -> int:
        """Return breaths a minute."""
        return self._look()[2]

    def temperature_cel(self) -> float:
        """Return degrees."""
        return self._look()[3]

    def lung_filling(self, at_s: float) -> float:
        """Return how full the lungs are `at_s` after the device's beginning, 0 to 1."""
        host = self.place.host(at_s)
        return self.heart.at(host).lung_filling(self.heart.seconds(host))

    def light(self, first: int, count: int, rate_hz: float) -> Floats:
        """Return red and infrared light at the device's own rate, each 1 in the mean, shape [2, count]."""
        start, grid_hz = self.place.grid(self.heart, first, rate_hz)
        return np.asarray(self.heart.take("pleth", start, count, grid_hz) / MEAN_LIGHT)

    def intervals_s(self, from_s: float, to_s: float) -> list[float]:
        """Return the intervals that ended between two seconds after the device's beginning."""
        span = self.place.host(from_s), self.place.host(to_s)
        return [rr_s for _, rr_s in self.heart.beats(*span)]


@dataclass(slots=True, eq=False)
class WiredChest:
    """A chest with electrodes, as ECG twins and the kit's front end see it.

    Attributes:
        source: the leads.
        hands: what is wrong with the electrodes.
        vitals: numbers that a device with its own arithmetic shows.
        rate_hz, step_mv: of the kit's front end; the step for all leads or one each, shape [12, 1].
    """

    source: LeadSource
    hands: Electrodes
    vitals: Vitals = FIXED
    rate_hz: float = 500.0
    step_mv: float | Floats = 0.001

    @property
    def off(self) -> set[str]:
        """Leads without contact."""
        gone = self.hands.leads_off()
        return gone | {"ECG"} if gone else gone

    def microvolts(self, leads: tuple[str, ...], first: int, count: int, rate_hz: float) -> Floats:
        """Return samples `first` on at `rate_hz`, shape [leads, count]."""
        seen = self._seen(first, count, rate_hz)
        return np.asarray(1000.0 * seen[[LEADS.index(lead) for lead in leads]])

    def take(self, first: int, count: int) -> Int16:
        """Return sample sets `first` on for the kit's front end, shape [12, count]."""
        steps = np.rint(self._seen(first, count, self.rate_hz) / self.step_mv)
        return np.clip(steps, -SAMPLE_MAX - 1, SAMPLE_MAX).astype(np.int16)

    def _seen(self, first: int, count: int, rate_hz: float) -> Floats:
        leads, place = self.source.leads(first, count, rate_hz)
        return self.hands.disturbed(leads, place, rate_hz)


@dataclass(slots=True, eq=False)
class EcgFront:
    """The kit's ECG front end on a chest.

    Attributes:
        chest: where its electrodes are.
        names: of its channels.
    """

    chest: WiredChest
    names: tuple[str, ...] = LEADS

    def take(self, first: int, count: int) -> Int16:
        """Return sample sets `first` on, shape [leads, count]."""
        return self.chest.take(first, count)[[LEADS.index(name) for name in self.names]]

    def off(self) -> int:
        """Return the bitmap of leads without contact."""
        gone = self.chest.off
        return sum(1 << row for row, name in enumerate(self.names) if name in gone)
