"""Logistic regression by Newton's method, for the scripts that learn weights."""

import numpy as np


def logistic(x, y, weight, ridge=1.0):
    """Return the weights [k] for inputs `x` [n, k], truths `y` [n] and weights of the rows."""
    w = np.zeros(x.shape[1])
    for _ in range(40):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        h = (x * (weight * np.maximum(p * (1 - p), 1e-6))[:, None]).T @ x + ridge * np.eye(len(w))
        step = np.linalg.solve(h, x.T @ (weight * (y - p)) - ridge * w)
        w += step
        if np.abs(step).max() < 1e-6:
            break
    return w
