"""Which electrodes were probably exchanged.

Limb electrodes: for each of the six ways in which right arm, left arm and left leg can be connected, the
leads are computed back, and scored by how usual the axes of P, QRS and T are and by how much lead I
resembles V6 (the check of Kors and van Herpen 2001, doi 10.1046/j.1542-474X.2001.0001C.x, widened to all
three waves). An arm exchanged with the right leg shows as a lead without signal. Chest electrodes:
neighbours along the chest should resemble each other; an exchange of two that shortens the path from V1 to
V6 clearly is reported. All of it is conservative: dextrocardia, old infarction and pacing look alike, so a
swap is a question to the worker, never a finding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations

import numpy as np

from chevet.signals.arrays import Floats, Indices, bridged_rows
from chevet.signals.ecg_beats import BEFORE_S, Shape, shapes_of
from chevet.signals.ecg_delineate import irregularity
from chevet.signals.ecg_waves import Waves, waves_of
from chevet.signals.filters import band_passed

_LIMBS = ("RA", "LA", "LL")
_CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
_MARGIN = 3.2  # log likelihood by which another wiring must fit better
_ROTATIONS = (("LA", "LL", "RA"), ("LL", "RA", "LA"))
_RARE = 1.5  # three electrodes in each other's place are rarer than two
_SHORTER = 0.91  # of the path along the chest
_FLAT = 0.10  # of the other limb leads' height
# Usual axis and its spread in degrees for P, QRS and T, and the weight of each.
_AXES = {"p": (52.0, 28.0, 1.0), "qrs": (30.0, 55.0, 1.0), "t": (42.0, 50.0, 0.6)}
_V6_WEIGHT = 2.5


@dataclass(frozen=True, slots=True)
class Swap:
    """Two or three electrodes that seem exchanged.

    Attributes:
        electrodes: such as ("RA", "LA") or ("V1", "V2"); three names stand for a rotation among them.
        confidence: 0..1, how much better the other wiring fits.
    """

    electrodes: tuple[str, ...]
    confidence: float

    def __str__(self) -> str:
        return "/".join(self.electrodes)


def swaps_of(x: Floats, rate_hz: float, names: tuple[str, ...], qrs: Indices) -> tuple[Swap, ...]:
    """Return probable exchanges in `x` [c, n] (mV); see `chevet.signals.ecg.lead_swap`."""
    y, gaps = bridged_rows(x)
    wanted = [n for n in ("I", "II", *_CHEST) if n in names]
    usable = {n: y[names.index(n)] for n in wanted if gaps[names.index(n)].mean() < 0.2}
    if not {"I", "II"} <= set(usable) or len(qrs) < 3:
        return ()
    leads = band_passed(np.stack(list(usable.values())), rate_hz, 0.5, min(40.0, 0.4 * rate_hz))
    shape = max(shapes_of(leads, rate_hz, qrs), key=lambda s: len(s.members))
    waves = waves_of(shape, rate_hz, _usual_gap(qrs), irregularity(qrs))
    row = {name: i for i, name in enumerate(usable)}
    found = [
        _leg_swap(shape, waves, row) or _limb_swap(shape, waves, row),
        _chest_swap(shape, waves, row, rate_hz),
    ]
    return tuple(swap for swap in found if swap)


def _usual_gap(qrs: Indices) -> Indices:
    return np.full((2, 1), int(np.median(np.diff(qrs))), dtype=np.int64)


def _part(shape: Shape, on: int, off: int) -> Floats:
    """A wave of the median beat over the line through its ends, [c, w]."""
    part = shape.beat[:, on : off + 1]
    flat: Floats = part - part[:, :1] - (part[:, -1:] - part[:, :1]) * np.linspace(0, 1, part.shape[1])
    return flat


def _leg_swap(shape: Shape, waves: Waves, row: dict[str, int]) -> Swap | None:
    qrs = _part(shape, *waves.qrs)
    one, two = qrs[row["I"]], qrs[row["II"]]
    height = {"II": np.ptp(two), "III": np.ptp(two - one), "I": np.ptp(one)}
    tallest = max(height.values())
    if height["II"] < _FLAT * tallest:
        return Swap(("RA", "RL"), 0.9)
    if height["III"] < 0.5 * _FLAT * tallest:
        return Swap(("LA", "RL"), 0.7)
    return None


def _limb_swap(shape: Shape, waves: Waves, row: dict[str, int]) -> Swap | None:
    score = {order: _likelihood(shape, waves, row, order) for order in permutations(_LIMBS)}
    for rotated in _ROTATIONS:
        score[rotated] -= _RARE
    best = max(score, key=lambda order: score[order])
    gain = score[best] - score[_LIMBS]
    if best == _LIMBS or gain < _MARGIN:
        return None
    moved = tuple(name for name, other in zip(_LIMBS, best, strict=True) if name != other)
    return Swap(moved, float(1 - np.exp(-gain / 4)))


def _likelihood(shape: Shape, waves: Waves, row: dict[str, int], order: tuple[str, ...]) -> float:
    """Log likelihood that the electrode called order[i] in truth sits where _LIMBS[i] belongs."""
    total = 0.0
    for wave, (usual, spread, weight) in _AXES.items():
        on, off = _ends(waves, wave)
        if on < 0 or off - on < 3 or (wave == "p" and not waves.p_here.any()):
            continue
        one, two = _rewired(_part(shape, on, off), row, order)
        axis = np.degrees(np.arctan2((two - one / 2).sum() * 2 / np.sqrt(3), one.sum()))
        away = (axis - usual + 180) % 360 - 180
        total -= weight * min(0.5 * (away / spread) ** 2, 4.0)
    if "V6" in row:
        qrs = _part(shape, *waves.qrs)
        one, _ = _rewired(qrs, row, order)
        six = qrs[row["V6"]]
        size = float(np.linalg.norm(one) * np.linalg.norm(six))
        total += _V6_WEIGHT * float(one @ six) / max(size, 1e-12)
    return total


def _ends(waves: Waves, wave: str) -> tuple[int, int]:
    if wave == "qrs":
        return waves.qrs
    three = waves.p if wave == "p" else waves.t
    return three[0], three[2]


def _rewired(part: Floats, row: dict[str, int], order: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Leads I and II if the electrodes were in `order`; right arm is taken as zero, which cancels."""
    potential = {"RA": np.zeros(part.shape[1]), "LA": part[row["I"]], "LL": part[row["II"]]}
    right, left, leg = (potential[name] for name in order)
    return left - right, leg - right


def _chest_swap(shape: Shape, waves: Waves, row: dict[str, int], rate_hz: float) -> Swap | None:
    if not set(_CHEST) <= set(row):
        return None
    centre = int(BEFORE_S * rate_hz)
    end = waves.t[2] if waves.t[2] > 0 else centre + int(0.3 * rate_hz)
    part = shape.beat[[row[name] for name in _CHEST], max(waves.qrs[0], 0) : end]
    part = part - part[:, :1]
    root = np.sign(part) * np.sqrt(np.abs(part))  # so that the tall S and R waves do not decide alone
    gap = np.linalg.norm(root[:, None] - root[None], axis=-1)
    straight = _path(gap, range(6))
    best, pair = min((_path(gap, _exchanged(i, j)), (i, j)) for i, j in combinations(range(6), 2))
    ratio = best / max(straight, 1e-12)
    if ratio > _SHORTER:
        return None
    return Swap((_CHEST[pair[0]], _CHEST[pair[1]]), float(min(1.0, 2 * (1 - ratio))))


def _exchanged(i: int, j: int) -> list[int]:
    order = list(range(6))
    order[i], order[j] = order[j], order[i]
    return order


def _path(gap: Floats, order: Sequence[int]) -> float:
    return float(sum(gap[a, b] for a, b in pairwise(order)))
