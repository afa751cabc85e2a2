"""The adaptive levels that tell a QRS from noise, shared by batch and streaming detection."""

from collections import deque
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from chevet.signals.arrays import Floats

_REMEMBERED = 8  # beats, as in Pan-Tompkins
_SHARE = 0.2  # of the way from the noise to the beats, in a quiet recording
_SHARE_NOISY = 0.5  # added, times the noise's share of the beats
_NOISE_CAP = 0.2  # of the beats: a missed low beat must not teach that noise is high


@dataclass(slots=True)
class QrsLevels:
    """Running levels of beats and of noise; the threshold sinks with the time since the last beat."""

    beat: float
    noise: float
    last_s: float = -1.0
    heights: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    intervals: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    @classmethod
    def from_first(cls, heights: Floats) -> "QrsLevels":
        """Learn from the first candidates' heights: beats are their upper fifth, noise their lower half."""
        if not len(heights):
            return cls(beat=0.0, noise=0.0)
        high = float(np.quantile(heights, 0.85))
        return cls(beat=high, noise=min(float(np.quantile(heights, 0.3)), 0.3 * high))

    def threshold(self, at_s: float) -> float:
        """Return the height a candidate at `at_s` must reach."""
        usual = min(median(self.intervals), 1.0) if self.intervals else 0.8
        since = at_s - self.last_s if self.last_s >= 0 else usual
        share = min(_SHARE + _SHARE_NOISY * self.noise / max(self.beat, 1e-12), 0.35)
        if since < 0.36:
            share = 0.55
        elif since > 1.3 * usual:
            share = max(0.12, share * (1.3 * usual / since) ** 2)
        return self.noise + share * (self.beat - self.noise)

    def accepts(self, at_s: float, height: float) -> bool:
        """Judge the candidate at `at_s` and learn from it."""
        if height < self.threshold(at_s) or height <= 0:
            self.noise += 0.1 * (min(height, _NOISE_CAP * self.beat) - self.noise)
            return False
        if self.last_s >= 0 and at_s - self.last_s < 3:
            self.intervals.append(at_s - self.last_s)
        self.last_s = at_s
        self.heights.append(height)
        self.beat += 0.2 * (median(self.heights) - self.beat)
        return True
