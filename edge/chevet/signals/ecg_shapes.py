"""The usual QRS shapes of a recording, and how much a stretch of signal resembles them."""

from dataclasses import dataclass

import numpy as np

from chevet.signals.arrays import Floats, Mask

_MOST_SHAPES = 6
_MOST_BEATS = 500  # taken evenly over the recording; more teach nothing new
_ALIKE = 0.85
_RARE = 0.01  # of the beats
_LEAST = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class UsualShapes:
    """Shapes of unit length [m, w], the usual size of their beats [m], and their share of the beats [m]."""

    shapes: Floats
    sizes: Floats
    shares: Floats

    def compared(self, wide: Floats) -> tuple[Floats, Floats, Floats]:
        """Compare stretches with the shapes at every lag they have room for.

        Args:
            wide: shape [k, w + lags].

        Returns:
            Per stretch: greatest correlation (-1..1), log of its amount of that shape against the usual, and
            log of that shape's share.
        """
        width = self.shapes.shape[1]
        rows = np.arange(len(wide))
        best, amount = np.full(len(wide), -1.0), np.zeros(len(wide))
        which = np.zeros(len(wide), dtype=np.int64)
        energy = np.concatenate([np.zeros((len(wide), 1)), np.cumsum(wide**2, axis=1)], axis=1)
        for lag in range(wide.shape[1] - width + 1):
            product = wide[:, lag : lag + width] @ self.shapes.T
            shape = np.argmax(product, axis=1)
            found = product[rows, shape]
            size = np.sqrt(np.maximum(energy[:, lag + width] - energy[:, lag], _LEAST**2))
            likeness = np.minimum(found / size, 1.0)
            better = likeness > best
            best = np.where(better, likeness, best)
            amount = np.where(better, found, amount)
            which = np.where(better, shape, which)
        share = np.clip(np.log(np.maximum(amount, _LEAST) / self.sizes[which]), -3, 1.5)
        return best, share, np.log(self.shares[which])


def usual_shapes(each: Floats, of: Mask) -> UsualShapes:
    """Return the usual shapes among the rows `of` [k] of `each` [k, w], most frequent first."""
    rows = np.flatnonzero(of)
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _MOST_BEATS)).astype(int)]
    size = np.maximum(np.linalg.norm(each[rows], axis=1), _LEAST)
    unit = each[rows] / size[:, None]
    alike = unit @ unit.T > _ALIKE
    left = np.ones(len(rows), dtype=bool)
    fewest = max(1.0, _RARE * len(rows))
    shapes, sizes, shares = [], [], []
    for _ in range(_MOST_SHAPES):
        leader = int(np.argmax(alike[:, left].sum(1) * left))
        members = left & alike[leader]
        if members.sum() < fewest:
            break
        mean = unit[members].mean(0)
        shapes.append(mean / max(float(np.linalg.norm(mean)), _LEAST))
        sizes.append(float(np.median(size[members])))
        shares.append(float(members.mean()))
        left &= ~members
    if not shapes:  # rows without any signal
        return UsualShapes(np.zeros((1, each.shape[1])), np.ones(1), np.ones(1))
    return UsualShapes(np.array(shapes), np.array(sizes), np.array(shares))
