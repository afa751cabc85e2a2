"""Which electrodes were probably exchanged.

Limb electrodes: for each of the six ways in which right arm, left arm and left leg can be connected, the
leads are computed back and scored by how usual they look: axes of P, QRS and T, and how leads I and II
resemble the chest leads (the check of Kors and van Herpen 2001, doi 10.1046/j.1542-474X.2001.0001C.x,
widened to all waves). Chest electrodes: the same for the fifteen exchanges of two, by the looks of each lead
and the distance of neighbours along the chest. Scores are linear, learnt on LUDB (doi 10.13026/eegm-h675) by
`benchmarks/signals_fit_swap.py`. An arm exchanged with the right leg shows as a lead without signal. All of
it is conservative: dextrocardia, old infarction and pacing look alike, so a swap is a question to the
worker, never a finding.
"""

from dataclasses import dataclass

import numpy as np

from chevet.signals.arrays import Floats, Indices, bridged_rows
from chevet.signals.ecg_beats import Shape, shapes_of
from chevet.signals.ecg_delineate import irregularity
from chevet.signals.ecg_waves import Waves, waves_of
from chevet.signals.ecg_weights_swap import CHEST, LIMB
from chevet.signals.ecg_wiring import LIMBS, ORDERS, PAIRS, Parts, chest_inputs, limb_inputs
from chevet.signals.filters import band_passed

_CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
# By how much (log odds) another wiring must look more usual, as `ORDERS` and `PAIRS` are ordered. An exchange
# of left arm and left leg changes little, and healthy hearts that lie across look like it: only the clearest
# are told. Three electrodes in each other's place are rarer than two, neighbours likelier than others.
LIMB_MARGINS = np.array([4.0, 2.0, 4.0, 4.0, 2.0])
CHEST_MARGINS = np.array([0.8 if b - a == 1 else 2.5 for a, b in PAIRS])
_FLAT = 0.10  # of the other limb leads' height


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
    if len(qrs) < 3:
        return ()
    parts, known = parts_of(x, rate_hz, names, qrs)
    if not {"I", "II"} <= known:
        return ()
    chest_known = set(_CHEST) <= known
    found = [
        _leg_swap(parts[0]) or (_limb_swap(parts) if chest_known else None),
        _chest_swap(parts) if chest_known else None,
    ]
    return tuple(swap for swap in found if swap)


def parts_of(x: Floats, rate_hz: float, names: tuple[str, ...], qrs: Indices) -> tuple[Parts, set[str]]:
    """Return QRS, T and P of the median beat in I, II, V1 .. V6, and which of these leads are there.

    Args:
        x: leads in mV [c, n].
        rate_hz: sampling rate.
        names: of the rows.
        qrs: R peaks, at least 3.
    """
    y, gaps = bridged_rows(x)
    rows = {name: y[i] for i, name in enumerate(names) if gaps[i].mean() < 0.2}
    wanted = ("I", "II", *_CHEST)
    leads = np.stack([rows.get(name, np.zeros(x.shape[1])) for name in wanted])
    calm = band_passed(leads, rate_hz, 0.5, min(40.0, 0.4 * rate_hz))
    shape = max(shapes_of(calm, rate_hz, qrs), key=lambda s: len(s.members))
    waves = waves_of(shape, rate_hz, _usual_gap(qrs), irregularity(qrs))
    return _parts(shape, waves), set(rows) & set(wanted)


def _usual_gap(qrs: Indices) -> Indices:
    return np.full((2, 1), int(np.median(np.diff(qrs))), dtype=np.int64)


def _parts(shape: Shape, waves: Waves) -> Parts:
    on, off = waves.qrs
    before = shape.beat[:, max(on - 10, 0) : on + 1]
    qrs = shape.beat[:, on : off + 1] - np.median(before, axis=1, keepdims=True)
    p_on, _, p_off = waves.p if waves.p_here.any() else (-1, -1, -1)
    return qrs, _over_line(shape, waves.t[0], waves.t[2]), _over_line(shape, p_on, p_off)


def _over_line(shape: Shape, on: int, off: int) -> Floats | None:
    """A wave of the median beat over the line through its ends, [8, w]."""
    if on < 0 or off - on <= 3:
        return None
    part = shape.beat[:, on : off + 1]
    flat: Floats = part - part[:, :1] - (part[:, -1:] - part[:, :1]) * np.linspace(0, 1, part.shape[1])
    return flat


def _leg_swap(qrs: Floats) -> Swap | None:
    one, two = qrs[0], qrs[1]
    height = {"II": np.ptp(two), "III": np.ptp(two - one), "I": np.ptp(one)}
    tallest = max(height.values())
    if height["II"] < _FLAT * tallest:
        return Swap(("RA", "RL"), 0.9)
    if height["III"] < 0.5 * _FLAT * tallest:
        return Swap(("LA", "RL"), 0.7)
    return None


def _limb_swap(parts: Parts) -> Swap | None:
    score = limb_inputs(parts) @ LIMB
    gain = score[1:] - score[0] - LIMB_MARGINS
    best = int(np.argmax(gain))
    if gain[best] <= 0:
        return None
    order = ORDERS[best + 1]
    moved = tuple(name for name, other in zip(LIMBS, order, strict=True) if name != other)
    return Swap(moved, _confidence(score[best + 1] - score[0]))


def _chest_swap(parts: Parts) -> Swap | None:
    score = chest_inputs(parts) @ CHEST
    gain = score[1:] - score[0] - CHEST_MARGINS
    best = int(np.argmax(gain))
    if gain[best] <= 0:
        return None
    first, second = PAIRS[best]
    return Swap((_CHEST[first], _CHEST[second]), _confidence(score[best + 1] - score[0]))


def _confidence(gain: float) -> float:
    """A gain in log odds as 0..1."""
    return float(np.tanh(gain / 4))
