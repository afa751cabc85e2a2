"""A hand-held otoscope camera looking at a drawn ear: tremor, focus hunting, glare, noise, JPEG."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from chevet.sim.brushes import SCENE_PX
from chevet.sim.eardrum import Scene, draw

WIDTH, HEIGHT = 640, 480
FRAMES_PER_S = 15
LOOP_FRAMES = 90
"""Six seconds of movement that end where they began."""
SPECULUM_PX = 222
JPEG_QUALITY = 82
NOISE_FRAMES = 8
DEFOCUS_PX = 7.0
LEAST_BLUR_PX = 0.4
NOISE_LEVELS = 3.0
EXPOSURE = 1.14
BRIGHTEST = 210
SPECULUM_COLOUR = (34, 26, 30)
WAX_COLOUR = (36, 84, 128)
"""BGR: honey brown."""
ZOOM = 0.86
CANAL_DEPTH, GLOSS_DEPTH = 1.3, 1.12
"""How much nearer to the lens than the drum; reflections slide over the drum as the camera moves."""
OFF_CENTRE_PX = 20
SIZE = 500
LEFT = (WIDTH - SIZE) // 2
"""Only these columns can see anything; the rest is the dark wall of the speculum."""

Frame = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera is: shift in pixels, turn in radians, scale, blur in pixels, lamp strength."""

    dx: float
    dy: float
    turn: float
    scale: float
    blur_px: float
    lamp: float


@dataclass(frozen=True, slots=True)
class Lens:
    """What is between the ear and the sensor; shares from 0 (none) to 1.

    Attributes:
        defocus: not focused.
        fog: breath or steam on the lens: grey, soft, without contrast.
        smear: wax on the lens: a brown blot that moves with the camera, not with the ear.
        glare: too much light.
        dark: a weak lamp.
        shake: a shaking hand: pictures blurred along its way.
    """

    defocus: bool = False
    fog: float = 0.0
    smear: float = 0.0
    glare: float = 0.0
    dark: float = 0.0
    shake: float = 0.0


CLEAR = Lens()
LENSES_KEPT = 3
"""Rendered loops kept, one for each lens that was looked through last."""


def view(frame: int, defocus: bool) -> View:
    """Return the camera's place at `frame` of the loop: slow drift, breathing, and a 1 to 2 Hz hand."""
    t = 2 * np.pi * (frame % LOOP_FRAMES) / LOOP_FRAMES
    dx = 9 * np.sin(t) + 4 * np.sin(3 * t + 1.0) + 1.6 * np.sin(8 * t + 0.4) + 0.8 * np.sin(11 * t)
    dy = 7 * np.cos(t + 0.5) + 3 * np.sin(2 * t + 2.0) + 1.5 * np.sin(9 * t + 1.3) + 0.7 * np.cos(12 * t)
    hunting = 0.5 + 0.9 * np.sin(2 * t + 0.6) + 0.5 * np.sin(5 * t)
    return View(
        dx=float(dx),
        dy=float(dy),
        turn=float(0.03 * np.sin(t + 1.0) + 0.01 * np.sin(4 * t)),
        scale=float(1.0 + 0.025 * np.sin(t + 2.0) + 0.008 * np.sin(3 * t)),
        blur_px=float(DEFOCUS_PX + np.sin(t)) if defocus else float(max(0.0, hunting)),
        lamp=float(1.0 + 0.03 * np.sin(4 * t + 0.2)),
    )


class OtoscopeVideo:
    """Frames of one ear; each is rendered once and then played again and again.

    All in 8 bits and only inside the speculum, so that a running camera costs a tenth of a core during its
    first six seconds and next to nothing afterwards.
    """

    def __init__(self, condition: str, side: str, seed: int) -> None:
        self._scene: Scene = draw(condition, side, seed)
        self._mirror = -1.0 if side == "left" else 1.0
        rng = np.random.default_rng((seed, 99))
        self._lamp = _lamp()
        self._rim = _rim()
        self._noise = [
            rng.normal(0, NOISE_LEVELS, (HEIGHT, WIDTH, 3)).astype(np.int16) for _ in range(NOISE_FRAMES)
        ]
        self._rendered: dict[Lens, dict[int, bytes]] = {}

    def jpeg(self, frame: int, *, defocus: bool = False, lens: Lens = CLEAR) -> bytes:
        """Return frame number `frame`, encoded."""
        seen_by = replace(lens, defocus=defocus or lens.defocus)
        loop = self._rendered.setdefault(seen_by, {})
        while len(self._rendered) > LENSES_KEPT:
            del self._rendered[next(iter(self._rendered))]
        place = frame % LOOP_FRAMES
        if place not in loop:
            image = through(self.render(frame, defocus=seen_by.defocus), seen_by, frame)
            done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            assert done, "OpenCV could not encode a JPEG"
            loop[place] = encoded.tobytes()
        return loop[place]

    def render(self, frame: int, *, defocus: bool = False) -> Frame:
        """Return frame number `frame` as uint8 [HEIGHT, WIDTH, 3] BGR."""
        at = view(frame, defocus)
        seen = cv2.multiply(self._seen(at), self._lamp, scale=at.lamp * EXPOSURE / 255)
        gloss = _warp(self._scene.gloss, self._placed(at, GLOSS_DEPTH))
        shine = cv2.multiply(cv2.merge([gloss, gloss, gloss]), self._lamp, scale=0.9 / 255)
        seen = cv2.add(seen, shine)
        if at.blur_px > LEAST_BLUR_PX:
            seen = cv2.GaussianBlur(seen, (0, 0), at.blur_px)
        image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        image[:] = SPECULUM_COLOUR
        image[:, LEFT : LEFT + SIZE] = cv2.add(_bloom(np.asarray(seen, np.uint8)), self._rim)
        return np.asarray(cv2.add(image, self._noise[frame % NOISE_FRAMES], dtype=cv2.CV_8U), np.uint8)

    def _seen(self, at: View) -> Frame:
        """Return drum and canal as the lens sees them, evenly lit; the canal is out of its focus."""
        near = self._placed(at, CANAL_DEPTH)
        drum = _warp(self._scene.drum, self._placed(at, 1.0))
        canal = cv2.GaussianBlur(_warp(self._scene.canal, near), (0, 0), 1.1)
        cover = cv2.GaussianBlur(_warp(self._scene.cover, near), (0, 0), 1.4).astype(np.float32)
        return np.asarray(cv2.blendLinear(drum, canal, 255 - cover, cover), np.uint8)

    def _placed(self, at: View, parallax: float) -> NDArray[np.float64]:
        """Return the map from frame to scene; what is nearer to the lens moves more and looks larger."""
        scale = at.scale * ZOOM * (1 + (parallax - 1) * 0.12)
        cos, sin = np.cos(at.turn) / scale, np.sin(at.turn) / scale
        cx = SIZE / 2 + at.dx * parallax - OFF_CENTRE_PX * self._mirror
        cy = HEIGHT / 2 + at.dy * parallax + 4
        centre = SCENE_PX / 2
        return np.array([[cos, sin, centre - cos * cx - sin * cy], [-sin, cos, centre + sin * cx - cos * cy]])


def through(image: Frame, lens: Lens, frame: int) -> Frame:
    """Return `image` [HEIGHT, WIDTH, 3] as it is seen through `lens`."""
    seen = image
    if lens.shake:
        seen = _shaken(seen, lens.shake, frame)
    if lens.smear:
        seen = _smeared(seen, lens.smear)
    if lens.fog:
        soft = cv2.GaussianBlur(seen, (0, 0), 2 + 12 * lens.fog)
        veil = np.full_like(seen, 150)
        seen = np.asarray(cv2.addWeighted(soft, 1 - 0.72 * lens.fog, veil, 0.72 * lens.fog, 0), np.uint8)
    if lens.glare:
        seen = np.asarray(
            cv2.convertScaleAbs(seen, alpha=1 + 2.6 * lens.glare, beta=40 * lens.glare), np.uint8
        )
    if lens.dark:
        seen = np.asarray(cv2.convertScaleAbs(seen, alpha=1 - 0.93 * lens.dark), np.uint8)
    return seen


def _shaken(image: Frame, strength: float, frame: int) -> Frame:
    """Blur along the hand's way, which turns from picture to picture, and shift."""
    rng = np.random.default_rng((frame % LOOP_FRAMES, 97))
    length = 3 + int(26 * strength)
    angle = float(rng.uniform(0, 180))
    way = np.zeros((length, length), np.float32)
    way[length // 2] = 1 / length
    turned = cv2.warpAffine(
        way, cv2.getRotationMatrix2D((length / 2, length / 2), angle, 1.0), (length, length)
    )
    shift = np.array([[1, 0, rng.normal(0, 24 * strength)], [0, 1, rng.normal(0, 24 * strength)]])
    moved = cv2.warpAffine(image, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    kernel = np.asarray(turned / max(float(turned.sum()), 1e-6), np.float32)
    return np.asarray(cv2.filter2D(moved, -1, kernel), np.uint8)


def _smeared(image: Frame, strength: float) -> Frame:
    """Lay a blot of wax over the picture, a little off its middle."""
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    away = np.hypot((x - 0.56 * WIDTH) / 1.35, y - 0.45 * HEIGHT)
    wobble = 14 * np.sin(np.arctan2(y - 0.45 * HEIGHT, x - 0.56 * WIDTH) * 3 + 0.7)
    radius = 60 + 170 * strength
    cover = (1 / (1 + np.exp((away + wobble - radius) / 16))).astype(np.float32) * (0.55 + 0.4 * strength)
    wax = np.empty_like(image)
    wax[:] = WAX_COLOUR
    soft = cv2.GaussianBlur(image, (0, 0), 9)
    mixed = np.asarray(cv2.addWeighted(soft, 0.35, wax, 0.65, 0), np.uint8)
    return np.asarray(cv2.blendLinear(image, mixed, 1 - cover, cover), np.uint8)


def _warp(layer: Frame, placed: NDArray[np.float64]) -> Frame:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(layer, placed, (SIZE, HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _bloom(seen: Frame) -> Frame:
    """Let what is brighter than the sensor can show spill over its surroundings."""
    over = cv2.subtract(seen, np.full_like(seen, BRIGHTEST))
    small = cv2.resize(over, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    spill = cv2.resize(cv2.GaussianBlur(small, (0, 0), 3.0), (SIZE, HEIGHT))
    return np.asarray(cv2.add(seen, spill), np.uint8)


def _from_centre() -> NDArray[np.float32]:
    x = np.arange(SIZE, dtype=np.float32) - SIZE / 2
    y = np.arange(HEIGHT, dtype=np.float32) - HEIGHT / 2
    return np.asarray(np.hypot(*np.meshgrid(x, y)), dtype=np.float32)


def _wall() -> NDArray[np.float32]:
    """Return the weight of the speculum's unlit wall, soft because it is far out of focus."""
    t = np.clip((_from_centre() - (SPECULUM_PX - 16)) / 28, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def _lamp() -> Frame:
    """Return the lamp's light, 255 in the middle, falling towards the speculum's edge and none behind it."""
    fall = np.clip(_from_centre() / SPECULUM_PX, 0, 1.3) ** 2
    light = 255 * (1.0 - 0.40 * fall) * (1 - _wall())
    return cv2.merge([light.astype(np.uint8)] * 3).astype(np.uint8)


def _rim() -> Frame:
    """Return the speculum's own faint colour."""
    return np.asarray(_wall()[..., None] * np.array(SPECULUM_COLOUR, np.float32), np.uint8)
