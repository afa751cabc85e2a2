"""Sees what the sensors of virtual instruments give to their devices: the ground truth of a test."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from chevet.sim import instruments, sensors
from chevet.sim.heart.dipole import twelve


@dataclass(eq=False)
class Witness:
    """Sees what a sensor gives to its device: the ground truth.

    Attributes:
        taken: (index of the first sample, names of the rows, values [rows, n]), in order.
        shown: numbers that the device had to show.
    """

    taken: list = field(default_factory=list)
    shown: dict = field(default_factory=dict)

    def see(self, first, names, values):
        self.taken.append((first, names, np.atleast_2d(np.asarray(values))))

    def show(self, **numbers):
        for kind, value in numbers.items():
            self.shown.setdefault(kind, set()).add(value)


class Wandering:
    """Leads that wander: a few samples tell their place, and any number of them costs nothing."""

    def __init__(self):
        steps = np.random.default_rng(5).uniform(-0.05, 0.05, (8, 2**15))
        self._leads = twelve(np.sin(np.cumsum(steps, axis=1)))

    def leads(self, first, count, _rate_hz):
        """Return leads in mV, between -1 and 1 in I and II."""
        return self._leads.take(range(first, first + count), axis=1, mode="wrap"), first


def watch(patch, witness):
    """Put a witness beside every sensor that is made from now on; what sensors give stays as it is."""

    def beside(kind, methods):
        class Watched(kind):
            pass

        for name, told in methods.items():
            setattr(Watched, name, _seen(getattr(kind, name), told))
        return Watched

    def put(where, name, kind, methods, **other):
        make, watched = getattr(where, name), beside(kind, methods)

        def made(*args, **kwargs):
            found = make(*args, **kwargs)
            body = found[0] if isinstance(found, tuple) else found
            fields = [one.name for one in dataclasses.fields(kind) if one.init]
            fresh = watched(**({field: getattr(body, field) for field in fields} | other))
            return (fresh, *found[1:]) if isinstance(found, tuple) else fresh

        patch.setattr(where, name, made)

    def wave(given, first, _count, _rate_hz, _top):
        witness.see(first, ("pleth",), given)

    def shown(given, _at_s):
        witness.show(spo2=given.spo2, pulse_rate=given.pulse_rate, perfusion_index=given.perfusion_pct)

    def microvolts(given, leads, first, _count, _rate_hz):
        witness.see(first, leads, given / 1000)

    def take(given, first, _count):
        witness.see(first, (), given)

    put(sensors, "finger", sensors.WiredFinger, {"wave": wave, "shown": shown})
    put(sensors, "chest", sensors.WiredChest, {"microvolts": microvolts, "take": take}, source=Wandering())
    put(sensors, "chest_piece", sensors.ChestPiece, {"take": take})
    put(instruments, "LightFront", instruments.LightFront, {"take": take})


def _seen(method, told):
    def seen(self, *args):
        given = method(self, *args)
        told(given, *args)
        return given

    return seen
