"""The skin in front of a drawn eardrum, and what may lie in its way."""

import cv2
import numpy as np
from numpy.typing import NDArray

from chevet.sim.brushes import Colour, Paint, Weight, cloud, flat, lay, lit, smooth, strokes


def from_rim(x: Weight, y: Weight) -> Weight:
    """Return how far out each pixel lies: 1 at the drum's rim, which is a little taller than wide."""
    return np.asarray(np.hypot(x, y * 0.95), dtype=np.float32)


def canal(rng: np.random.Generator, x: Weight, y: Weight, inflamed: bool) -> tuple[Paint, Weight]:
    """Paint the skin around the drum and say where it hides it; the front wall bulges into the view."""
    angle = np.arctan2(y, x)
    rim = 1.02 + 0.03 * np.sin(2 * angle + 0.7) - 0.16 * np.exp(-((angle - 0.25) ** 2) / 0.45)
    radius = (from_rim(x, y) - (rim - 1.0) + 0.012 * cloud(rng, 12)).astype(np.float32)
    skin: Colour = (108, 104, 208) if inflamed else (140, 164, 216)
    paint = lit(flat(skin), 1.0 + 0.10 * cloud(rng, 6) + 0.05 * cloud(rng, 60, 2))
    paint = lay(paint, (92, 96, 192), 0.45 * smooth(0.2, 0.9, cloud(rng, 5)))
    front = np.cos(angle - 0.35)
    near = 0.74 + 0.66 * smooth(1.0, 1.5, radius) * (0.55 + 0.45 * front)
    paint = lit(paint, np.asarray(near, dtype=np.float32))
    glare = smooth(1.10, 1.36, radius + 0.06 * cloud(rng, 8)) * smooth(0.40, 0.95, front)
    paint = lay(paint, (238, 246, 253), 0.95 * glare)
    flakes = smooth(0.75, 1.05, cloud(rng, 26, 3)) * smooth(1.12, 1.3, radius)
    paint = lay(paint, (120, 186, 214), 0.55 * flakes)
    hairs = [_hair(rng) for _ in range(9)]
    paint = lay(paint, (40, 46, 64), 0.60 * strokes(hairs, 2, 1.2))
    return paint, smooth(0.985, 1.03, radius)


def _hair(rng: np.random.Generator) -> NDArray[np.float64]:
    angle = rng.uniform(0, 2 * np.pi)
    start = 1.55 * np.array((np.cos(angle), np.sin(angle)))
    turn = angle + np.pi + rng.uniform(-0.9, 0.9)
    end = start + rng.uniform(0.25, 0.5) * np.array((np.cos(turn), np.sin(turn)))
    bend = (start + end) / 2 + rng.uniform(-0.12, 0.12, 2)
    t = np.linspace(0.0, 1.0, 20)[:, None]
    return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end)


def wax_plug(
    rng: np.random.Generator, x: Weight, y: Weight, skin: Paint, cover: Weight, gloss: Weight
) -> tuple[Paint, Weight, Weight]:
    """Push a lump of wax into the canal: it leaves a crescent of drum in view, above."""
    lumps = 0.13 * cloud(rng, 5) + 0.05 * cloud(rng, 22, 3)
    away = (np.hypot((x - 0.10) / 1.15, (y - 0.38) / 0.94) + lumps).astype(np.float32)
    wax = 1 - smooth(0.95, 1.0, away)
    relief = cv2.GaussianBlur(cloud(rng, 14, 5), (0, 0), 1.5)
    slope = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3) + cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3)
    slope = -slope / np.float32(np.std(slope) * 2.5)
    height = smooth(0.0, 0.7, 1 - away)
    paint = flat((30, 96, 170))
    paint = lay(paint, (14, 40, 82), 0.75 * smooth(-0.1, 0.8, cloud(rng, 5)))
    paint = lay(paint, (62, 172, 228), 0.60 * smooth(0.25, 1.0, cloud(rng, 8)))
    paint = lit(paint, 0.55 + 0.50 * height + 0.14 * relief + 0.22 * slope)
    shadow = smooth(0.0, 1.0, 1 - np.abs(away - 1.03) / 0.10)
    skin = lit(skin, np.asarray(1 - 0.32 * shadow, dtype=np.float32))
    skin = lay(skin, paint, wax)
    wet = smooth(0.75, 1.25, 0.8 * slope + 0.6 * cloud(rng, 60, 2)) * wax * (0.25 + 0.75 * height)
    return skin, np.maximum(cover, wax), np.asarray(gloss * (1 - wax) + 0.85 * wet, dtype=np.float32)
