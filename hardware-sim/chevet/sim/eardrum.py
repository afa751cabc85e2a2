"""Eardrums as an otoscope sees them, drawn with NumPy and OpenCV: our own pictures, of nobody.

Geometry is that of a right ear, seen from outside: the malleus handle runs from the upper front
(short process near 1 o'clock) down to the umbo, the cone of light from the umbo to the lower front
(about 5 o'clock). A left ear is the mirror image: 11 and 7 o'clock. Coordinates are in radii of the drum,
x to the patient's front (right in the picture of a right ear), y down.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chevet.sim.brushes import (
    Colour,
    Paint,
    Point,
    Weight,
    along,
    cloud,
    coordinates,
    fibres,
    flat,
    lay,
    lit,
    smooth,
    strokes,
    wander,
)
from chevet.sim.ear_canal import canal, from_rim, wax_plug

CONDITIONS = ("normal", "bulging", "fluid", "wax")
SIDES = ("right", "left")

UMBO: Point = (-0.05, 0.12)
SHORT_PROCESS: Point = (0.27, -0.70)
LOWER_FRONT: Point = (0.56, 0.83)
"""Direction of the cone of light, a unit vector."""

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One ear, drawn once and larger than a frame.

    Attributes:
        drum: the drum and what lies on it, [SCENE_PX, SCENE_PX, 3] BGR.
        canal: the skin of the canal in front of it, BGR.
        cover: 255 where the canal hides the drum, [SCENE_PX, SCENE_PX].
        gloss: how strongly each place mirrors the lamp, 0..255.
    """

    drum: Bytes
    canal: Bytes
    cover: Bytes
    gloss: Bytes


def draw(condition: str, side: str, seed: int) -> Scene:
    """Draw one ear.

    Args:
        condition: one of CONDITIONS.
        side: one of SIDES.
        seed: another seed is another ear with the same finding.
    """
    rng = np.random.default_rng((seed, CONDITIONS.index(condition), SIDES.index(side)))
    x, y = coordinates()
    drum, gloss = _DRAWINGS[condition](rng, x, y)
    skin, cover = canal(rng, x, y, inflamed=condition == "bulging")
    if condition == "wax":
        skin, cover, gloss = wax_plug(rng, x, y, skin, cover, gloss)
    layers = (_to_bytes(drum), _to_bytes(skin), _to_bytes(cover * 255), _to_bytes(gloss * 255))
    return Scene(*(layer if side == "right" else np.ascontiguousarray(layer[:, ::-1]) for layer in layers))


def _to_bytes(layer: NDArray[np.float32]) -> Bytes:
    return np.clip(layer, 0, 255).astype(np.uint8)


def _normal(rng: np.random.Generator, x: Weight, y: Weight) -> tuple[Paint, Weight]:
    """Pearly grey, translucent, with handle, folds and cone of light."""
    paint = _membrane(rng, x, y, pearl=(186, 188, 200), front=(150, 132, 146))
    paint = lay(paint, (164, 182, 216), 0.45 * smooth(0.0, 0.9, -x - 0.4 * y + 0.15 * cloud(rng, 4)))
    paint = lay(paint, (140, 146, 206), 0.40 * smooth(0.72, 1.05, from_rim(x, y) + 0.08 * cloud(rng, 6)))
    incus_shining_through = _blob(x, y, (-0.30, -0.38), 0.20, 0.34, 0.5)
    paint = lay(paint, (178, 184, 214), 0.22 * incus_shining_through)
    paint = _folds(paint, rng, x, y)
    paint = _handle(paint, rng, x, y, SHORT_PROCESS, UMBO)
    streaks = fibres(rng, x, y, UMBO)
    return paint, _cone(x, y, streaks, strength=0.85) + _sheen(rng, 0.16)


def _membrane(rng: np.random.Generator, x: Weight, y: Weight, pearl: Colour, front: Colour) -> Paint:
    """Paint the pars tensa: lighter behind the handle, darker in front of it, streaked outwards."""
    paint = flat(pearl)
    _, beside = along(x, y, SHORT_PROCESS, UMBO)
    below = smooth(-0.12, 0.42, y - UMBO[1] + 0.5 * smooth(0.0, 0.3, UMBO[0] - x))
    in_front = smooth(-0.02, 0.12, beside) * (1 - below) * (1 - smooth(0.45, 0.72, -y))
    paint = lay(paint, front, 0.9 * in_front)
    paint = lit(paint, 1.0 + 0.014 * fibres(rng, x, y, UMBO) + 0.045 * cloud(rng, 4, 5))
    paint = lit(paint, 1.0 + 0.055 * cloud(rng, 100, 2))  # the fine grain of skin
    depth = np.exp(-((x - UMBO[0]) ** 2 + (y - UMBO[1]) ** 2) / 0.35).astype(np.float32)
    slope = 1.0 + 0.10 * depth * np.tanh(4 * (x - UMBO[0]) + 3 * (y - UMBO[1])).astype(np.float32)
    paint = lit(paint, slope)
    return _annulus(paint, x, y)


def _annulus(paint: Paint, x: Weight, y: Weight) -> Paint:
    radius = from_rim(x, y)
    ring = np.exp(-((radius - 0.98) ** 2) / 0.0016).astype(np.float32)
    notch = 1 - smooth(-0.75, -0.62, -np.abs(x - 0.25)) * (y < 0)  # the ring is open above the folds
    paint = lay(paint, (196, 208, 226), 0.45 * ring * notch)
    shade = np.exp(-((radius - 0.90) ** 2) / 0.004).astype(np.float32)
    return lit(paint, 1.0 - 0.10 * shade)


def _folds(paint: Paint, rng: np.random.Generator, x: Weight, y: Weight) -> Paint:
    """Paint the two malleolar folds and the pinker pars flaccida above them."""
    flaccid = smooth(0.0, 0.16, -0.66 - y - 0.18 * np.abs(x - SHORT_PROCESS[0]))
    paint = lay(paint, (150, 158, 214), 0.55 * flaccid)
    lines = [
        wander(rng, SHORT_PROCESS, (-0.46, -0.80), 0.10),
        wander(rng, SHORT_PROCESS, (0.66, -0.68), 0.06),
    ]
    paint = lay(paint, (200, 208, 230), 0.40 * strokes(lines, 10, 7.0))
    return lay(
        paint, (110, 110, 160), 0.40 * strokes([line + np.array((0.0, 0.06)) for line in lines], 10, 9.0)
    )


def _handle(paint: Paint, rng: np.random.Generator, x: Weight, y: Weight, top: Point, umbo: Point) -> Paint:
    """Paint the handle of the malleus as a ridge under the membrane, with the vessels that run along it."""
    t, beside = along(x, y, top, umbo)
    width = 0.085 - 0.03 * t + 0.025 * smooth(0.85, 1.0, t)
    ridge = np.exp(-((beside / width) ** 2)).astype(np.float32)
    shadow = np.exp(-(((beside + 0.085) / (width * 1.1)) ** 2)).astype(np.float32)
    paint = lit(paint, 1.0 - 0.22 * shadow * smooth(0.0, 0.1, t))
    paint = lay(paint, (196, 206, 232), 0.85 * ridge)
    crest = np.exp(-(((beside - 0.02) / (width * 0.45)) ** 2)).astype(np.float32)
    paint = lay(paint, (226, 234, 246), 0.65 * crest)
    knob = _blob(x, y, top, 0.11, 0.11, 0.6)
    paint = lit(paint, 1.0 - 0.20 * _blob(x, y, (top[0] - 0.07, top[1] + 0.09), 0.12, 0.12, 0.8))
    paint = lay(paint, (222, 232, 244), 0.9 * knob)
    vessels = [
        wander(rng, (top[0] + shift, top[1] - 0.12), (umbo[0] + shift * 0.6, umbo[1] - 0.06), 0.035)
        for shift in (-0.05, 0.07)
    ]
    twigs = [
        wander(rng, (top[0] - 0.06, top[1] + down), (top[0] - 0.40 - down, top[1] + 0.1 + 1.5 * down), 0.10)
        for down in (0.10, 0.26, 0.42)
    ]
    paint = lay(paint, (96, 92, 196), 0.42 * strokes(vessels, 2, 1.1))
    paint = lay(paint, (112, 112, 202), 0.22 * strokes(twigs, 2, 1.3))
    return lay(paint, (128, 132, 214), 0.22 * strokes(vessels, 26, 14.0))


def _blob(x: Weight, y: Weight, centre: Point, width: float, height: float, softness: float) -> Weight:
    """Return an ellipse that fades out over `softness` of its radius."""
    radius = np.hypot((x - centre[0]) / width, (y - centre[1]) / height)
    return 1 - smooth(1 - softness, 1 + softness, np.asarray(radius, dtype=np.float32))


def _cone(x: Weight, y: Weight, streaks: Weight, strength: float) -> Weight:
    """Return the light reflex: a wedge with its tip just off the umbo, widening to the rim."""
    dx, dy = x - UMBO[0], y - UMBO[1]
    out = dx * LOWER_FRONT[0] + dy * LOWER_FRONT[1]
    across = dx * LOWER_FRONT[1] - dy * LOWER_FRONT[0]
    half = np.clip(0.035 + 0.24 * out, 0.02, None)
    ragged = np.abs(across) / half + 0.10 * streaks
    body = smooth(0.06, 0.22, out) * (1 - smooth(0.34, 0.72, out)) * (1 - smooth(0.25, 1.15, ragged))
    return np.asarray(strength * body * (0.9 + 0.22 * streaks), dtype=np.float32)


def _sheen(rng: np.random.Generator, strength: float) -> Weight:
    """Return the faint uneven shine of a moist surface."""
    return np.asarray(strength * np.clip(cloud(rng, 7), 0, None) ** 2, dtype=np.float32)


def _bulging(rng: np.random.Generator, x: Weight, y: Weight) -> tuple[Paint, Weight]:
    """Red and bulging outwards: pus behind the drum, landmarks lost, vessels full, no cone."""
    centre = (-0.16, -0.08)
    radius = np.hypot((x - centre[0]) / 1.05, (y - centre[1]) / 1.0) + 0.05 * cloud(rng, 4)
    dome = np.exp(-((radius / 0.72) ** 2)).astype(np.float32)
    paint = flat((82, 66, 196))
    paint = lay(paint, (54, 40, 168), 0.75 * smooth(-0.1, 0.8, cloud(rng, 5)))
    paint = lay(paint, (112, 128, 222), 0.70 * smooth(0.25, 0.95, dome + 0.22 * cloud(rng, 5)))
    paint = lay(paint, (134, 184, 226), 0.62 * smooth(0.62, 1.05, dome + 0.20 * cloud(rng, 6)))
    light = 0.70 + 0.38 * dome - 0.22 * smooth(0.2, 1.1, radius) * (0.5 + 0.5 * x)
    paint = lit(paint, np.asarray(light + 0.05 * cloud(rng, 16) + 0.05 * cloud(rng, 90, 2), dtype=np.float32))
    fold = np.abs(x - 0.34 + 0.32 * y + 0.05 * cloud(rng, 4))
    crease = np.exp(-((fold / 0.07) ** 2)).astype(np.float32) * smooth(-0.1, 0.4, -y)
    paint = lit(paint, 1.0 - 0.30 * crease)  # where the handle ties the swollen drum down
    paint = _full_vessels(paint, rng, centre)
    spots = _blob(x, y, (-0.34, -0.36), 0.12, 0.06, 0.9) + 0.8 * _blob(x, y, (-0.14, -0.47), 0.05, 0.03, 0.9)
    spots = spots * (0.75 + 0.4 * cloud(rng, 30, 2)) + 0.35 * _blob(x, y, (0.30, 0.48), 0.14, 0.05, 1.0)
    return paint, np.asarray(np.clip(0.85 * spots, 0, 1) + _sheen(rng, 0.32), dtype=np.float32)


def _full_vessels(paint: Paint, rng: np.random.Generator, centre: Point) -> Paint:
    """Paint injected vessels: from the rim inwards, thinning and fading, some forking."""
    angles = rng.uniform(0, 2 * np.pi, (3, 9))
    for weight, group in zip((0.20, 0.30, 0.40), angles, strict=True):
        trees = [_vessel(rng, angle, centre) for angle in group]
        paint = lay(paint, (42, 30, 150), weight * strokes([trunk[:14] for trunk, _ in trees], 4, 2.4))
        twigs = [line for trunk, fork in trees for line in (trunk[12:], fork)]
        paint = lay(paint, (48, 36, 160), 0.8 * weight * strokes(twigs, 2, 1.8))
    return paint


def _vessel(
    rng: np.random.Generator, angle: float, centre: Point
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a vessel from the rim inwards and the branch it gives off half way."""
    outer = np.array((np.cos(angle), np.sin(angle))) * 1.08
    turned = angle + rng.uniform(-0.35, 0.35)
    reach = rng.uniform(0.35, 0.85)
    inner = np.asarray(centre) + reach * np.array((np.cos(turned), np.sin(turned)))
    trunk = wander(rng, (outer[0], outer[1]), (inner[0], inner[1]), 0.04)
    return trunk, wander(rng, (trunk[12][0], trunk[12][1]), (inner[0] + 0.10, inner[1] - 0.08), 0.05)


LEVEL_Y = 0.16
BUBBLES = (
    *((-0.50, 0.09, 0.120), (-0.31, 0.12, 0.075), (-0.66, 0.03, 0.060), (-0.20, 0.15, 0.040)),
    *((0.36, 0.07, 0.095), (0.49, 0.15, 0.050), (0.10, 0.40, 0.045), (-0.40, -0.06, 0.045)),
)
"""x, y and radius of air bubbles at the fluid's level, below it, and clinging to the drum above."""


def _fluid(rng: np.random.Generator, x: Weight, y: Weight) -> tuple[Paint, Weight]:
    """Amber fluid up to a level, bubbles at it; the drum drawn in, so that the handle lies flatter."""
    paint = _membrane(rng, x, y, pearl=(146, 172, 196), front=(116, 134, 164))
    paint = lay(paint, (120, 132, 196), 0.45 * smooth(0.70, 1.05, from_rim(x, y) + 0.08 * cloud(rng, 6)))
    paint = _folds(paint, rng, x, y)
    paint = _handle(paint, rng, x, y, (0.34, -0.66), (-0.18, 0.02))
    level = LEVEL_Y + 0.06 * x**2 - 0.05 * x + 0.006 * cloud(rng, 12)
    below = np.asarray(y - level, dtype=np.float32)
    amber = lit(flat((52, 124, 182)), 1.06 - 0.30 * smooth(0.0, 0.8, below) + 0.07 * cloud(rng, 4))
    amber = lay(amber, (70, 160, 206), 0.4 * smooth(0.1, 0.9, cloud(rng, 5)))
    paint = lay(paint, amber, 0.78 * smooth(-0.012, 0.03, below))
    paint = lay(paint, (36, 76, 112), 0.55 * np.exp(-((below / 0.016) ** 2)).astype(np.float32))
    patchy = np.clip(0.5 + 0.6 * cloud(rng, 9), 0, 1)
    paint = lay(paint, (190, 216, 230), 0.40 * np.exp(-(((below + 0.03) / 0.014) ** 2)) * patchy)
    paint, shine = _bubbles(paint, x, y)
    broken = 0.45 * _cone(x, y, fibres(rng, x, y, UMBO), strength=1.0) * smooth(-0.2, 0.6, cloud(rng, 9))
    return paint, np.asarray(broken + shine + _sheen(rng, 0.22), dtype=np.float32)


def _bubbles(paint: Paint, x: Weight, y: Weight) -> tuple[Paint, Weight]:
    shine = np.zeros_like(x)
    for bx, by, radius in BUBBLES:
        across, down = (x - bx) / radius, (y - by) / (radius * 0.93)
        away = np.hypot(across, down).astype(np.float32)
        inside = 1 - smooth(0.80, 1.0, away)
        paint = lay(paint, (140, 172, 194), 0.40 * inside)
        paint = lit(paint, 1 + 0.16 * inside * np.clip(across * 0.5 + down * 0.7, -1, 1).astype(np.float32))
        edge = np.exp(-(((away - 1.0) * radius / 0.013) ** 2)).astype(np.float32)
        facing = np.clip(0.55 + 0.45 * (across * 0.5 + down * 0.85), 0, 1).astype(np.float32)
        paint = lay(paint, (34, 74, 108), 0.62 * edge * facing)
        shine += 0.30 * edge * (1 - facing)
        glint = (bx - radius * 0.35, by - radius * 0.42)
        shine += 0.75 * _blob(x, y, glint, radius * 0.16, radius * 0.12, 0.9)
    return paint, shine


_DRAWINGS = {"normal": _normal, "bulging": _bulging, "fluid": _fluid, "wax": _normal}
