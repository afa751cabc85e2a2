"""What the learning scripts share: a small network taught by Adam, noise for clean recordings, files."""

import numpy as np
from signals_data import DATA

DRAWN_DB = (12, 6, 3, 0, -3)


def taught(x, y, weight, hidden=16, epochs=3, seed=0, shrink=3e-4, pace=3e-3, batch=2048):
    """Fit log odds of `y` by a network of one hidden tanh layer; return (middle, spread, W, b, v, c)."""
    rng = np.random.default_rng(seed)
    middle, spread = x.mean(0), x.std(0) + 1e-6
    x = ((x - middle) / spread).astype(np.float32)
    n, inputs = x.shape
    w = [
        rng.normal(0, inputs**-0.5, (inputs, hidden)),
        np.zeros(hidden),
        rng.normal(0, hidden**-0.5, hidden),
        np.zeros(1),
    ]
    w = [a.astype(np.float32) for a in w]
    mean, square = [np.zeros_like(a) for a in w], [np.zeros_like(a) for a in w]
    turn, turns = 0, epochs * max(n // batch, 1)
    for _ in range(epochs):
        order = rng.permutation(n)
        for start in range(0, max(n - batch + 1, 1), batch):
            some = order[start : start + batch]
            layer = np.tanh(x[some] @ w[0] + w[1])
            odds = layer @ w[2] + w[3]
            off = (1 / (1 + np.exp(-np.clip(odds, -30, 30))) - y[some]) * weight[some] / len(some)
            back = np.outer(off, w[2]) * (1 - layer**2)
            slopes = [
                x[some].T @ back + shrink * w[0],
                back.sum(0),
                layer.T @ off + shrink * w[2],
                np.array([off.sum()]),
            ]
            turn += 1
            rate = pace * 0.5 * (1 + np.cos(np.pi * turn / turns)) + 1e-5
            for k, slope in enumerate(slopes):
                mean[k] = 0.9 * mean[k] + 0.1 * slope
                square[k] = 0.999 * square[k] + 0.001 * slope**2
                step = mean[k] / (1 - 0.9**turn) / (np.sqrt(square[k] / (1 - 0.999**turn)) + 1e-8)
                w[k] = (w[k] - rate * step).astype(np.float32)
    return middle, spread, w[0], w[1], w[2], float(w[3][0])


def noises(held_out=()):
    """Return (name, samples) of the stress test's noises, one channel each."""
    found = []
    with np.load(DATA / "ecg" / "noise.npz") as file:
        for name in ("em", "em2", "ma2", "bw2"):
            rows = np.atleast_2d(file[name].astype(float).T)
            found += [(name, row - row.mean()) for row in rows if name not in held_out]
    return found


def stressed(x, beats, rate, rng, pool):
    """Return `x` with bursts of noise of random kind, pace, length and strength (12 to -3 dB)."""
    reach = int(0.05 * rate)
    heights = np.sort([np.ptp(x[max(b - reach, 0) : b + reach]) for b in beats[:300]])
    power = np.mean(heights[len(heights) // 20 : -len(heights) // 20]) ** 2 / 8
    chance = np.array([3.0 if name.startswith("em") else 1.0 for name, _ in pool])
    noisy, start = x.copy(), int(rng.uniform(0, 60) * rate)
    while start < len(x):
        end = min(start + int(rng.choice([20, 60, 120, 300])) * rate, len(x))
        burst = np.zeros(end - start)
        for _ in range(rng.integers(1, 3)):
            _, noise = pool[rng.choice(len(pool), p=chance / chance.sum())]
            pace = rng.uniform(0.75, 1.3)
            noise = np.interp(np.arange(0, len(noise) - 1, pace), np.arange(len(noise)), noise)
            noise = np.concatenate([noise, noise[::-1]]) * rng.choice([-1, 1]) / noise.std()
            at = rng.integers(len(noise)) + np.arange(end - start)
            burst += rng.uniform(0.3, 1) * noise[at % len(noise)]
        strength = power / 10 ** (rng.choice(DRAWN_DB) / 10)
        noisy[start:end] += burst / max(burst.std(), 1e-9) * np.sqrt(strength)
        start = end + int(rng.choice([5, 30, 60, 120])) * rate
    return noisy


def as_text(values):
    """Numbers as the lines of a string, five digits each."""
    words = [f"{v:.5g}" for v in np.ravel(values)]
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > 100:
            lines, line = [*lines, line.rstrip()], ""
        line += word + " "
    return "\n".join([*lines, line.rstrip()])
