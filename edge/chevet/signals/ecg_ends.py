"""Where the QRS begins and ends in each lead of a median beat, as a reader would mark that lead.

A threshold on the slope is pulled about by a slow foot or a late low wave. Here the way outwards from a first
guess is cut into steps of 4 ms, and a small network tells for each step and lead how probably the QRS still
goes on there, from slope, bend and level around the step against those of the whole QRS, and from what the
other leads do. The sum of these probabilities is how far it goes. Learnt from the marks of all leads of LUDB
(doi 10.13026/eegm-h675), with all leads and with each alone, by `benchmarks/signals_fit_ecg_ends.py`.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from chevet.signals.arrays import Floats, Indices
from chevet.signals.ecg_weights_ends import END, ONSET

RATE_HZ = 500.0  # of the beats that come in: one sample is 2 ms
STEP, REACH = 2, 40  # samples: a step, and how far from the first guess the limit may lie
STEPS: Indices = np.arange(-REACH, REACH + 1, STEP, dtype=np.int64)
_FINE, _COARSE = 1.0, 3.0  # Gaussian smoothing, samples
_FLAT = 1e-3  # slopes below this share of the greatest say no more
_LEAST = 1e-9
_AHEAD = (5, 10, 20, -5, -10, -20)
_SLOW_AHEAD = (-10, -5, 5, 10, 20)
_LEVELS_AHEAD = (5, 10, 20, 30, 40, -5, -10, -20)
_QUARTERS = (0.25, 0.5, 0.75)
_BACK, _ON = 20, 40  # the farthest of these looks


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """What the steps are looked at in, each against its greatest value within the QRS, [c, w] or [w].

    Attributes:
        level: the beat, against its height.
        speed: log of the slope's size, fine.
        slow: slope, coarse.
        bend: second derivative, coarse.
        joint: log of the spatial velocity of all leads [w].
        foot: level before the QRS [c, 1].
        height: of every lead against the median lead, log [c, 1].
    """

    level: Floats
    speed: Floats
    slow: Floats
    bend: Floats
    joint: Floats
    foot: Floats
    height: Floats


def curves_of(beat: Floats, limits: tuple[int, int]) -> Curves:
    """Return the curves of a beat [c, w] at 500 Hz whose QRS lies about within `limits`."""
    on, off = limits
    inside = slice(max(on - 20, 0), min(off + 20, beat.shape[1]))
    fine = ndimage.gaussian_filter1d(beat, _FINE, axis=1)
    slope = np.gradient(fine, axis=1)
    slow = np.gradient(ndimage.gaussian_filter1d(beat, _COARSE, axis=1), axis=1)
    bend = np.gradient(slow, axis=1)
    speed = ndimage.uniform_filter1d(np.abs(slope), 3, axis=1)
    joint = ndimage.uniform_filter1d(np.sqrt((slope**2).sum(axis=0)), 5)
    height = np.maximum(np.ptp(beat[:, inside], axis=1), _LEAST)[:, None]
    level = fine / height
    return Curves(
        level,
        _log(speed / _top(speed[:, inside])),
        slow / _top(slow[:, inside]),
        bend / _top(bend[:, inside]),
        _log(joint / max(float(joint[inside].max()), _LEAST)),
        np.median(level[:, max(on - 15, 0) : max(on - 3, 1)], axis=1)[:, None],
        np.log(height / np.median(height)),
    )


def end_inputs(curves: Curves, limits: tuple[int, int], centre: int, side: int) -> Floats:
    """Return what the network is fed, shape [c, steps, inputs].

    Args:
        curves: of the beat.
        limits: first guess of both limits, samples at 500 Hz.
        centre: index of the R peak.
        side: 0 for the onset, 1 for the end; steps go outwards.
    """
    level, speed, slow, bend, joint = (
        _outwards(c, limits[side], side)
        for c in (curves.level, curves.speed, curves.slow, curves.bend, curves.joint)
    )
    here = _seen(level, 0)
    course = np.sign(here - _seen(level, -6))  # a lead upside down is the same
    own = [_seen(speed, 0), *(_greatest(speed, k) for k in _AHEAD)]
    own += [_log(np.abs(_seen(slow, k))) for k in (0, *_SLOW_AHEAD)]
    own += [(_seen(level, k) - here) * course for k in _LEVELS_AHEAD]
    own += [_seen(bend, k) * course for k in (0, 4, -4)]
    own += [_seen(slow, k) * course for k in (0, 5, -5, 10)]
    own += [np.abs(here - curves.foot), np.broadcast_to(curves.height, here.shape)]
    common = [_seen(joint, k) for k in (-5, 0, 5, 10)]
    common += list(np.quantile(own[0], _QUARTERS, axis=0)) + list(np.quantile(own[2], _QUARTERS, axis=0))
    from_peak = ((limits[side] - centre) * (-1, 1)[side] + STEPS) / 25 - 1
    width = (limits[1] - limits[0]) / 50 - 1
    common += [STEPS / 10, from_peak, np.full(len(STEPS), width)]
    return np.stack([*own, *(np.broadcast_to(c, here.shape) for c in common)], axis=-1)


def _outwards(values: Floats, limit: int, side: int) -> Floats:
    """Return a curve [.., w] along the way outwards over a limit, from far inside to far outside."""
    at = limit + (-1, 1)[side] * np.arange(-REACH - _BACK, REACH + _ON + 1)
    along: Floats = values[..., np.clip(at, 0, values.shape[-1] - 1)]
    return along


def _seen(along: Floats, further: int) -> Floats:
    """Return what lies `further` outwards of every step, [.., steps]."""
    start = _BACK + further
    return along[..., start : start + 2 * REACH + 1 : STEP]


def _greatest(along: Floats, further: int) -> Floats:
    """Return the greatest between every step and what lies `further` outwards of it."""
    greatest = np.lib.stride_tricks.sliding_window_view(along, abs(further) + 1, axis=-1).max(axis=-1)
    return _seen(greatest, min(further, 0))


def lead_ends(beat: Floats, limits: tuple[int, int], centre: int) -> Floats:
    """Return onset and end of the QRS in every lead, samples at 500 Hz, shape [2, c].

    Args:
        beat: median beat at 500 Hz [c, w].
        limits: first guess of both limits.
        centre: index of the R peak.
    """
    curves = curves_of(beat, limits)
    ends = []
    for side, net in enumerate((ONSET, END)):
        inputs = end_inputs(curves, limits, centre, side)
        odds = net.odds(inputs.reshape(-1, inputs.shape[-1])).reshape(inputs.shape[:2])
        ends.append(limits[side] + (-1, 1)[side] * how_far(odds))
    return np.array(ends)


def how_far(odds: Floats) -> Floats:
    """Samples outwards from the first guess, from the log odds [.., steps] that the QRS goes on."""
    on = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
    far: Floats = STEPS[0] - STEP / 2 + STEP * on.sum(axis=-1)
    return far


def _top(values: Floats) -> Floats:
    top: Floats = np.maximum(np.abs(values).max(axis=1), _LEAST)[:, None]
    return top


def _log(share: Floats) -> Floats:
    logs: Floats = np.log(np.maximum(share, _FLAT))
    return logs
