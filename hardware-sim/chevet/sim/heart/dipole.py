"""Twelve leads from the dipole of one heart, with breath, muscle and drift of the skin contacts.

The dipole is projected with Dower's matrix (Dower et al. 1980, doi 10.1002/clc.1980.3.2.87). III, aVR,
aVL and aVF are computed from I and II, so Einthoven's and Goldberger's identities hold.
"""

from dataclasses import dataclass

import numpy as np

from chevet.sim.heart.blocks import Coloured, Floats, Wander, band
from chevet.sim.heart.breath import Breath
from chevet.sim.heart.rhythm import Beat, Rhythm
from chevet.sim.heart.shapes import Bell, Shape, Vector

DOWER = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)
"""I, II, V1 to V6 from x, y, z."""

REACH_S = 0.9
"""No wave of a beat lies farther from its onset."""
MUSCLE_MV = 0.006
DRIFT_MV = 0.030
BREATH_MV = 0.05
BREATH_TURN = 0.07
"""Radians by which a full breath turns the heart in the frontal plane; the heart hangs on the diaphragm."""
FIBRILLATION_HZ = 6.6
FLAT_BELL = 5.0
"""Standard deviations beyond which a bell is left out: 4e-6 of its height, far below a converter's step."""


@dataclass(frozen=True, slots=True)
class Build:
    """How one person's heart lies and how large it shows.

    Attributes:
        roll: turn in the frontal plane, radians, positive towards the feet.
        yaw: turn in the horizontal plane, radians, positive towards the back.
        size: factor on all waves.
        repolarised: factor on T.
        contacts: how strongly breath moves each of I, II, V1 to V6.
    """

    roll: float
    yaw: float
    size: float
    repolarised: float
    contacts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Waves:
    """Where the waves of one beat lie, in seconds; NaN where there is none."""

    p_on: float
    p_peak: float
    p_off: float
    qrs_on: float
    qrs_peak: float
    qrs_off: float
    t_on: float
    t_peak: float
    t_off: float


@dataclass(frozen=True, slots=True)
class Conduction:
    """How the heart's waves look.

    Attributes:
        shapes: one `Shape` for each kind of beat.
        p_wave: bells after the onset of P.
        p_s: length of P.
        fibrillation_mv: size of the fibrillatory waves, 0 with a sinus node.
    """

    shapes: dict[str, Shape]
    p_wave: tuple[Bell, ...]
    p_s: float
    fibrillation_mv: float = 0.0

    def waves(self, beat: Beat) -> Waves:
        """Return where the waves of `beat` lie."""
        shape = self.shapes[beat.kind]
        t_peak, t_off = _t_wave(shape, beat)
        q = beat.qrs_s
        rise = 2.4 * shape.t_rise_s
        peak = self.p_wave[-1].at_s if beat.p_s == beat.p_s else np.nan
        return Waves(
            beat.p_s,
            beat.p_s + peak,
            beat.p_s + self.p_s,
            q,
            q + shape.r_s,
            q + shape.qrs_s,
            max(q + shape.qrs_s, t_peak - rise),
            t_peak,
            t_off,
        )


def _t_wave(shape: Shape, beat: Beat) -> tuple[float, float]:
    """Return peak and end of T: QT follows the usual interval (and a little the last) by its cube root."""
    interval = 0.75 * beat.usual_rr_s + 0.25 * beat.rr_s
    end = beat.qrs_s + shape.qtc_s * interval ** (1 / 3)
    return end - 2.3 * shape.t_fall_s, end


class Leads:
    """The ECG of one heart at one sample rate; `block` fits `Blocks`."""

    def __init__(
        self,
        rhythm: Rhythm,
        conduction: Conduction,
        build: Build,
        *,
        seed: int,
        rate_hz: float,
    ) -> None:
        self._rhythm, self._conduction, self._build = rhythm, conduction, build
        self._breath: Breath = rhythm.breath
        muscle = band(15.0, 120.0, 2.0)
        self._noise = [
            (
                Wander((seed, 21, row)),
                Coloured((seed, 22, row), rate_hz, muscle, 5.0),
            )
            for row in range(len(DOWER))
        ]
        rng = np.random.default_rng((seed, 23))
        self._fibrillatory = rng.uniform(0, 2 * np.pi, (3, 4))

    def block(self, k: int, at_s: Floats) -> Floats:
        """Return the leads of block `k` at the times `at_s` [n], shape [12, n], mV."""
        dipole = self._ventricles(at_s) + self._atria(at_s)
        volume = self._breath.volume(at_s)
        seen = DOWER @ self._placed(dipole, volume)
        for row, (drift, muscle) in enumerate(self._noise):
            seen[row] += BREATH_MV * self._build.contacts[row] * (volume - 0.4)
            seen[row] += DRIFT_MV * drift.at(at_s) + MUSCLE_MV * muscle.block(k)
        return twelve(seen)

    def _ventricles(self, at_s: Floats) -> Floats:
        dipole = np.zeros((3, len(at_s)))
        for beat in self._rhythm.beats(at_s[0] - REACH_S, at_s[-1] + 0.05):
            shape = self._conduction.shapes[beat.kind]
            after = at_s - beat.qrs_s
            grow = 1 + 0.012 * beat.vary[0]
            for bell in shape.qrs:
                _add(dipole, after, bell, grow)
            t_peak, _ = _t_wave(shape, beat)
            _add_st(dipole, after, shape, t_peak - beat.qrs_s)
            t = Bell(t_peak - beat.qrs_s, shape.t_rise_s, shape.t_fall_s, shape.t)
            _add(dipole, after, t, self._build.repolarised * (1 + 0.015 * beat.vary[1]))
        return dipole

    def _atria(self, at_s: Floats) -> Floats:
        dipole = np.zeros((3, len(at_s)))
        for p_s in self._rhythm.p_waves(at_s[0] - 0.3, at_s[-1] + 0.05):
            for bell in self._conduction.p_wave:
                _add(dipole, at_s - p_s, bell, 1.0)
        if self._conduction.fibrillation_mv:
            dipole += self._fibrillating(at_s)
        return dipole

    def _fibrillating(self, at_s: Floats) -> Floats:
        """Return f waves: a saw tooth of wandering rate and height, largest towards V1.

        After Stridh and Sörnmo 2001 (doi 10.1109/10.900266): three harmonics, frequency and amplitude
        modulated. Two such sources of other phase keep the waves of the leads from being copies.
        """
        total = np.zeros((3, len(at_s)))
        directions: tuple[Vector, ...] = ((-0.70, 0.25, -0.50), (0.30, 0.45, 0.15))
        for source, towards in enumerate(directions):
            one, two, three, four = self._fibrillatory[source]
            slow = 0.55 * np.sin(2 * np.pi * 0.23 * at_s + one) + 0.3 * np.sin(2 * np.pi * 0.61 * at_s + two)
            phase = 2 * np.pi * (FIBRILLATION_HZ + 0.5 * source) * at_s + 3.0 * slow + three
            height = 1 + 0.35 * np.sin(2 * np.pi * 0.31 * at_s + four)
            wave = height * (np.sin(phase) + 0.35 * np.sin(2 * phase) + 0.12 * np.sin(3 * phase))
            total += self._conduction.fibrillation_mv * np.array(towards)[:, None] * wave
        return total

    def _placed(self, dipole: Floats, volume: Floats) -> Floats:
        """Return the dipole as this chest shows it: turned, scaled, and moved by breath; [3, n]."""
        x, y, z = dipole
        cos, sin = np.cos(self._build.yaw), np.sin(self._build.yaw)
        x, z = cos * x - sin * z, sin * x + cos * z
        roll = self._build.roll + BREATH_TURN * (volume - 0.4)
        cos, sin = np.cos(roll), np.sin(roll)
        x, y = cos * x - sin * y, sin * x + cos * y
        return np.asarray(self._build.size * (1 - 0.05 * (volume - 0.4)) * np.stack([x, y, z]))


def twelve(seen: Floats) -> Floats:
    """Return the twelve leads from I, II, V1 to V6; [8, n] -> [12, n]."""
    one, two = seen[0], seen[1]
    limb = np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2])
    return np.concatenate([limb, seen[2:]])


def _add(dipole: Floats, after: Floats, bell: Bell, grow: float) -> None:
    """Add one bell where it can be seen; `after` [n] ascends, seconds since the wave's onset."""
    first, stop = np.searchsorted(
        after, [bell.at_s - FLAT_BELL * bell.left_s, bell.at_s + FLAT_BELL * bell.right_s]
    )
    if first == stop:
        return
    away = after[first:stop] - bell.at_s
    height = grow * np.exp(-0.5 * (away / np.where(away < 0, bell.left_s, bell.right_s)) ** 2)
    for axis in range(3):
        dipole[axis, first:stop] += bell.towards[axis] * height


def _add_st(dipole: Floats, after: Floats, shape: Shape, t_peak_s: float) -> None:
    """Add the ST segment: on within the end of QRS, off into the falling limb of T."""
    rise = 1 / (1 + np.exp(-np.clip((after - (shape.qrs_s - 0.016)) / 0.006, -60, 60)))
    fall = 1 / (1 + np.exp(np.clip((after - (t_peak_s + 0.4 * shape.t_fall_s)) / 0.018, -60, 60)))
    level = rise * fall
    for axis in range(3):
        dipole[axis] += shape.st[axis] * level
