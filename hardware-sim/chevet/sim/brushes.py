"""Brushes for drawing soft tissue: coordinates, textures, ridges, vessels and hairs.

Weights are float32 [SCENE_PX, SCENE_PX] in 0..1; colours are BGR, 0..255.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Weight = NDArray[np.float32]
Paint = NDArray[np.float32]
"""[height, width, 3] BGR, 0..255."""
Colour = tuple[float, float, float]
Point = tuple[float, float]

SCENE_PX = 720
DRUM_PX = 190.0
"""Radius of the drum in the scene; the unit of all coordinates."""


def coordinates() -> tuple[Weight, Weight]:
    """Return x and y of every pixel, in drum radii from the drum's centre, y down."""
    axis = (np.arange(SCENE_PX, dtype=np.float32) - SCENE_PX / 2) / DRUM_PX
    x, y = np.meshgrid(axis, axis)
    return x, y


def smooth(edge_low: float, edge_high: float, values: Weight) -> Weight:
    """Return 0 below the lower edge, 1 above the higher, an S in between."""
    t = np.clip((values - edge_low) / (edge_high - edge_low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), dtype=np.float32)


def cloud(rng: np.random.Generator, cells: int, octaves: int = 4) -> Weight:
    """Return cloudy noise around 0, about -1..1, with details from 1/cells of the scene down."""
    total = np.zeros((SCENE_PX, SCENE_PX), np.float32)
    for octave in range(octaves):
        size = cells << octave
        if size > SCENE_PX:
            break
        grid = rng.standard_normal((size, size)).astype(np.float32)
        enlarged = cv2.resize(grid, (SCENE_PX, SCENE_PX), interpolation=cv2.INTER_CUBIC)
        total += np.asarray(enlarged, np.float32) / np.float32(2**octave)
    return np.asarray(total / np.float32(2.5), dtype=np.float32)


def fibres(rng: np.random.Generator, x: Weight, y: Weight, centre: Point) -> Weight:
    """Return fine streaks that run outwards from `centre`, about -1..1."""
    strip = rng.standard_normal((24, 720)).astype(np.float32)
    soft = cv2.GaussianBlur(strip, (0, 0), sigmaX=1.2, sigmaY=3.0, borderType=cv2.BORDER_REFLECT)
    angle = (np.arctan2(y - centre[1], x - centre[0]) / (2 * np.pi) + 0.5) * 719
    radius = np.clip(np.hypot(x - centre[0], y - centre[1]) * 14, 0, 23)
    place = (angle.astype(np.float32), radius.astype(np.float32))
    streaks = cv2.remap(soft, *place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(streaks / np.float32(np.std(streaks) * 2.5), dtype=np.float32)


def flat(colour: Colour) -> Paint:
    """Return a scene of one colour."""
    return np.full((SCENE_PX, SCENE_PX, 3), colour, np.float32)


def lay(under: Paint, colour: Colour | Paint, weight: Weight) -> Paint:
    """Return `under` covered by `colour` where and as far as `weight` says."""
    over = np.asarray(colour, dtype=np.float32)
    return under + (over - under) * weight[..., np.newaxis]


def lit(paint: Paint, gain: Weight) -> Paint:
    """Return `paint` under light of strength `gain`."""
    return paint * gain[..., np.newaxis]


def along(x: Weight, y: Weight, start: Point, end: Point) -> tuple[Weight, Weight]:
    """Return, for each pixel, how far along a segment it lies (0..1) and its signed distance from it."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = float(np.hypot(dx, dy))
    t = ((x - start[0]) * dx + (y - start[1]) * dy) / length**2
    t = np.clip(t, 0.0, 1.0)
    away = np.hypot(x - start[0] - t * dx, y - start[1] - t * dy)
    side = np.sign((x - start[0]) * dy - (y - start[1]) * dx)
    return np.asarray(t, dtype=np.float32), np.asarray(away * side, dtype=np.float32)


def to_pixels(points: Sequence[Point] | NDArray[np.float64]) -> NDArray[np.int32]:
    """Return points as OpenCV wants polylines, with 4 fractional bits."""
    return np.rint((np.asarray(points) * DRUM_PX + SCENE_PX / 2) * 16).astype(np.int32).reshape(-1, 1, 2)


def strokes(lines: Sequence[NDArray[np.float64]], width_px: int, blur_px: float) -> Weight:
    """Return soft lines through the given points, each an array [k, 2]."""
    canvas = np.zeros((SCENE_PX, SCENE_PX), np.uint8)
    cv2.polylines(canvas, [to_pixels(line) for line in lines], False, 255, width_px, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(canvas, (0, 0), blur_px)  # in 8 bits: many times faster
    return np.asarray(soft, dtype=np.float32) / np.float32(255)


def wander(rng: np.random.Generator, start: Point, end: Point, sway: float) -> NDArray[np.float64]:
    """Return a line from `start` to `end` that strays sideways by about `sway`, as vessels do; [24, 2]."""
    steps = 24
    t = np.linspace(0.0, 1.0, steps)
    stray = np.cumsum(rng.standard_normal(steps))
    stray = (stray - stray[0] - t * (stray[-1] - stray[0])) * sway / np.sqrt(steps)
    direction = np.array((end[0] - start[0], end[1] - start[1]))
    normal = np.array((-direction[1], direction[0])) / float(np.hypot(*direction))
    line: NDArray[np.float64] = np.asarray(start) + t[:, None] * direction + stray[:, None] * normal
    return line
