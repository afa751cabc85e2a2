"""How usual a wiring of electrodes looks: what `ecg_swap` weighs, on the median beat.

Rows of every array here: I, II, V1 .. V6. All inputs are ratios, angles or correlations, so the recording's
height does not matter. A wave that is missing gives zeros, which speak for no wiring.
"""

from collections.abc import Sequence
from itertools import combinations, permutations

import numpy as np

from chevet.signals.arrays import Floats

LIMBS = ("RA", "LA", "LL")
ORDERS = tuple(permutations(LIMBS))  # the first is the right one
PAIRS = tuple(combinations(range(6), 2))
CHEST_ORDERS = (
    tuple(range(6)),
    *(tuple(b if k == a else a if k == b else k for k in range(6)) for a, b in PAIRS),
)
_THIRDS = ((0.0, 0.3), (0.3, 0.6), (0.6, 1.0))
_LEAST = 1e-12

Parts = tuple[Floats, Floats | None, Floats | None]


def limb_inputs(parts: Parts) -> Floats:
    """Return what the limb model is fed for each of the six `ORDERS`, shape [6, 39].

    Args:
        parts: QRS over the level before it, T and P over the lines through their ends, each [8, w]; None
            where T or P is missing.
    """
    return np.array([_limb_row(parts, order) for order in ORDERS])


def _limb_row(parts: Parts, order: Sequence[str]) -> Floats:
    row: list[float] = []
    for part in parts:
        row += _wave_row(_rewired(part, order)) if part is not None else [0.0] * 9
    qrs = _rewired(parts[0], order)
    one, two = qrs[0], qrs[1]
    against = (
        (two - one, qrs[7]),
        (one - two / 2, qrs[7]),
        (two - one / 2, qrs[7]),
        (one, qrs[6]),
        (two, qrs[6]),
        (two, qrs[5]),
    )
    row += [_likeness(a, b) for a, b in against]
    count = qrs.shape[1]
    for low, high in _THIRDS:
        start = int(low * count)
        row += _direction(qrs[:, start : max(int(high * count), start + 2)])
    return np.array(row)


def _wave_row(x: Floats) -> list[float]:
    c, s = _direction(x)
    size = float(np.linalg.norm(x[:2])) + _LEAST
    return [
        c,
        s,
        c * c - s * s,
        2 * c * s,
        *(_likeness(x[limb], x[chest]) for chest in (7, 2) for limb in (0, 1)),
        float(np.linalg.norm(x[1]) - np.linalg.norm(x[0])) / size,
    ]


def _rewired(x: Floats, order: Sequence[str]) -> Floats:
    """The leads if the electrode called `LIMBS[i]` sits where order[i] belongs; the chest is not touched."""
    potential = {"RA": np.zeros(x.shape[1]), "LA": x[0], "LL": x[1]}
    right, left, leg = (potential[name] for name in order)
    return np.vstack([left - right, leg - right, x[2:]])


def _direction(x: Floats) -> list[float]:
    """Cosine and sine of the frontal axis of the net area."""
    across, down = float(x[0].sum()), float((x[1] - x[0] / 2).sum()) * 2 / np.sqrt(3)
    size = float(np.hypot(across, down)) + _LEAST
    return [across / size, down / size]


def _likeness(a: Floats, b: Floats) -> float:
    return float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), _LEAST)


def chest_inputs(parts: Parts) -> Floats:
    """Return what the chest model is fed for each of the sixteen `CHEST_ORDERS`, shape [16, 148]."""
    looks = _chest_looks(parts)
    gaps = _chest_gaps(parts)
    rows = []
    for order in CHEST_ORDERS:
        o = list(order)
        moved = looks[o]
        row = [moved.ravel()]
        for gap in gaps:
            near = gap[o[:-1], o[1:]]
            row += [near, gap[o[:-2], o[2:]].sum(keepdims=True)]
        row += [np.abs(np.diff(moved, axis=0)).sum(0), np.abs(np.diff(moved, 2, axis=0)).sum(0)]
        rows.append(np.concatenate(row))
    return np.array(rows)


def _chest_looks(parts: Parts) -> Floats:
    """What each chest lead looks like, [6, 11]."""
    qrs, t, p = parts
    heights = np.ptp(qrs[2:], axis=1)
    usual = float(heights.mean()) + _LEAST
    rows = []
    for lead in range(2, 8):
        q = qrs[lead]
        up, down = max(float(q.max()), 0.0), max(float(-q.min()), 0.0)
        row = [
            up / (up + down + _LEAST),
            float(np.log(heights[lead - 2] / usual + 0.05)),
            float(q.sum() / (np.abs(q).sum() + _LEAST)),
            (up - down) / usual,
            _likeness(q, qrs[0]),
            _likeness(q, qrs[1]),
            float(q.argmax() - q.argmin()) / len(q),
        ]
        row += (
            [_area(t, lead), _likeness(t[lead], t[0]), _likeness(t[lead], t[1])]
            if t is not None
            else [0.0] * 3
        )
        row += [_area(p, lead)] if p is not None else [0.0]
        rows.append(row)
    return np.array(rows)


def _area(x: Floats, lead: int) -> float:
    return float(x[lead].sum() / (np.abs(x[2:]).sum() / 6 + _LEAST))


def _chest_gaps(parts: Parts) -> list[Floats]:
    """How far the chest leads are from each other, several ways, each [6, 6]."""
    qrs, t, p = parts
    found = []
    for part, root in ((qrs, True), (qrs, False), (t, False), (t, True), (p, False)):
        if part is None:
            found += [np.zeros((6, 6))] * 2
            continue
        chest = part[2:]
        v = np.sign(chest) * np.sqrt(np.abs(chest)) if root else chest
        gap = np.linalg.norm(v[:, None] - v[None], axis=-1)
        unit = v / (np.linalg.norm(v, axis=1, keepdims=True) + _LEAST)
        found += [gap / (gap.mean() + _LEAST), 1 - unit @ unit.T]
    return found
