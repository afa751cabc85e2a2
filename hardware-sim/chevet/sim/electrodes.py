"""What a worker's hands do to ten electrodes, while the ECG runs on.

Disturbances belong to the patient's grid of samples: the same seed and place give the same ones however the
signal is read. Leads become potentials of electrodes, those are disturbed, and every lead follows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from chevet.sim.faults import Fault, Faults, Throw, choice, level, number, several
from chevet.sim.heart.blocks import Blocks, Coloured, Floats, Wander, band, white
from chevet.sim.patient_faults import ELECTRODES, electrodes_of, leads_of

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
LIMBS = ("RA", "LA", "LL")
ONLY = "ECG"
"""What devices with a single lead call theirs."""
RAIL_MV, RAIL_DRIFT_MV = 9.0, 2.5
"""Where the input of an open electrode floats: near the amplifier's rail, slowly moving."""
OPEN_HUM_MV, OPEN_NOISE_MV = 0.7, 0.12
JUMP_EVERY_S, JUMP_MV, CREEP_S = 0.9, 1.1, 0.45
JUMPS_REACH_S = 3
MAINS = (50.0, 60.0)
THROUGH_RIGHT_LEG = np.array([0.6, 1.4, 0.9, 0.0, 0.5, 0.7, 1.1, 1.3, 1.5, 0.8])
"""How much of a bad right leg each electrode shows: no two alike, or leads would cancel it."""

Swap = tuple[str, str]


@dataclass(slots=True, eq=False)
class Electrodes:
    """Ten electrodes on a chest.

    Attributes:
        seed: of all disturbances.
        swaps: pairs of electrodes that are exchanged.
        loose: electrodes that lose their grip.
        open: electrodes that hang free.
        off: leads without contact as the front end tells them; may be set directly.
        stuck: leads whose value does not move.
        mains_mv, mains_hz: hum and its frequency.
        tremor_mv, wander_mv, motion_mv: shivering; slow drift; jerks of a restless patient.
    """

    seed: int
    swaps: list[Swap] = field(default_factory=list[Swap])
    loose: set[str] = field(default_factory=set[str])
    open: set[str] = field(default_factory=set[str])
    off: set[str] = field(default_factory=set[str])
    stuck: set[str] = field(default_factory=set[str])
    mains_mv: float = 0.0
    mains_hz: float = MAINS[0]
    tremor_mv: float = 0.0
    wander_mv: float = 0.0
    motion_mv: float = 0.0
    _made: dict[tuple[str, float], Blocks] = field(default_factory=dict[tuple[str, float], Blocks])
    _held: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def quiet(self) -> bool:
        """Whether nothing disturbs."""
        disturbed = (self.swaps, self.loose, self.open, self.off, self.stuck)
        heights = (self.mains_mv, self.tremor_mv, self.wander_mv, self.motion_mv)
        return not any(disturbed) and not any(heights)

    def release(self) -> None:
        """Forget at which values stuck leads stand."""
        self._held.clear()

    def leads_off(self) -> set[str]:
        """Return the leads a front end finds without contact; without a limb electrode there is none left."""
        gone = {name for name in self.open if name in LEADS} | self.off
        return set(LEADS) | gone if self.open & set(LIMBS) or ONLY in gone else gone

    def disturbed(self, leads: Floats, first: int, rate_hz: float) -> Floats:
        """Return what the front end sees of `leads` [12, n] in mV, of which `first` is the first sample."""
        if self.quiet:
            self._held.clear()
            return leads
        span = (first, leads.shape[1], rate_hz)
        at = electrodes_of(leads)
        for one, other in self.swaps:
            rows = [ELECTRODES.index(one), ELECTRODES.index(other)]
            at[rows] = at[rows[::-1]]
        self._shake(at, span)
        seen = leads_of(at)
        for row, name in enumerate(LEADS):
            if name in self.leads_off():
                seen[row] = self._floating(row, span)
            if name in self.stuck:
                seen[row] = self._held.setdefault(name, float(seen[row, 0]))
        return seen

    def _shake(self, at: Floats, span: tuple[int, int, float]) -> None:
        """Add what moves and hums to the potentials `at` [10, n]."""
        if self.mains_mv:
            at_s = (span[0] + np.arange(span[1])) / span[2]
            turn = 2 * np.pi * self.mains_hz * at_s
            picked = np.array([0.5, -0.6, 0.4, 0.0, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2])[:, None]
            at += self.mains_mv * picked * (np.sin(turn) + 0.15 * np.sin(3 * turn + 0.8))
        for height, kind in (
            (self.tremor_mv, "tremor"),
            (self.wander_mv, "wander"),
            (self.motion_mv, "motion"),
        ):
            if height:
                at += height * self._noise(kind, span)
        for name in sorted(self.loose):
            wild = self._noise(f"loose {name}", span)[0]
            if name == "RL":
                at += 0.15 * wild * THROUGH_RIGHT_LEG[:, None]
            else:
                at[ELECTRODES.index(name)] += wild

    def _floating(self, row: int, span: tuple[int, int, float]) -> Floats:
        first, count, rate_hz = span
        at_s = (first + np.arange(count)) / rate_hz
        drift = RAIL_MV + RAIL_DRIFT_MV * np.sin(2 * np.pi * 0.07 * at_s + row)
        hum = OPEN_HUM_MV * np.sin(2 * np.pi * self.mains_hz * at_s)
        return np.asarray(drift + hum + OPEN_NOISE_MV * self._noise(f"open {row}", span)[0])

    def _noise(self, kind: str, span: tuple[int, int, float]) -> Floats:
        first, count, rate_hz = span
        if (kind, rate_hz) not in self._made:
            word, _, whose = kind.partition(" ")
            self._made[kind, rate_hz] = Blocks(rate_hz, _MAKERS[word]((self.seed, _key(whose)), rate_hz))
        return self._made[kind, rate_hz].take(max(first, 0) / rate_hz, count / rate_hz)


def _key(whose: str) -> int:
    return int.from_bytes(whose.encode()[:4], "big") if whose else 0


Key = tuple[int, int]
Maker = Callable[[int, Floats], Floats]


def _tremor(key: Key, rate_hz: float) -> Maker:
    """Return muscle in bursts of about 8 a second, mostly in the limbs, RMS 1 there."""
    limit = min(110.0, 0.45 * rate_hz)
    muscles = [Coloured((*key, 60, row), rate_hz, band(20.0, limit, 2.0), 5.0) for row in range(10)]
    share = np.array([1.0, 1.0, 0.8, 0.5, *[0.3] * 6])[:, None]

    def make(k: int, at_s: Floats) -> Floats:
        burst = 0.4 + 0.9 * np.sin(2 * np.pi * 4.1 * at_s + np.sin(2 * np.pi * 0.7 * at_s)) ** 2
        return np.asarray(share * burst * np.stack([muscle.block(k) for muscle in muscles]))

    return make


def _wander(key: Key, _rate_hz: float) -> Maker:
    drifts = [Wander((*key, 61, row)) for row in range(10)]

    def make(_k: int, at_s: Floats) -> Floats:
        return np.stack([drift.at(at_s) for drift in drifts])

    return make


def _motion(key: Key, _rate_hz: float) -> Maker:
    """Return jerks: about one a second, each a swing of the whole limb that dies away."""

    def make(k: int, at_s: Floats) -> Floats:
        total = np.zeros((10, len(at_s)))
        for jerk_s, height, place in _events(key, k, at_s, 1.1):
            after = np.maximum(at_s - jerk_s, 0.0)
            swing = height * np.sin(2 * np.pi * 2.3 * after) * np.exp(-after / 0.35)
            total[place % 10] += swing
            total[(place * 7 + 3) % 10] -= 0.6 * swing
        return total

    return make


def _loose(key: Key, rate_hz: float) -> Maker:
    """Return a contact that jumps, creeps back, hums and crackles, shape [1, n], mV."""
    crackle = Coloured((*key, 62), rate_hz, band(5.0, 0.4 * rate_hz), 5.0)

    def make(k: int, at_s: Floats) -> Floats:
        wild = 0.12 * np.sin(2 * np.pi * MAINS[0] * at_s) + 0.03 * crackle.block(k)
        for jump_s, height, _ in _events(key, k, at_s, JUMP_EVERY_S):
            after = np.maximum(at_s - jump_s, 0.0)
            wild += np.where(at_s > jump_s, JUMP_MV * height * np.exp(-after / CREEP_S), 0.0)
        return np.asarray(wild[None])

    return make


def _open(key: Key, _rate_hz: float) -> Maker:
    return lambda k, at_s: white((*key, 63), k, (1, len(at_s)))


def _events(key: Key, k: int, at_s: Floats, every_s: float) -> list[tuple[float, float, int]]:
    """Return (second, height, some number) of events in block `k` and those before that still matter."""
    length = float(at_s[-1] - at_s[0]) + (float(at_s[1] - at_s[0]) if len(at_s) > 1 else 1.0)
    found: list[tuple[float, float, int]] = []
    for block in range(max(0, k - JUMPS_REACH_S), k + 1):
        rng = np.random.default_rng((*key, 64, block))
        for _ in range(int(rng.poisson(length / every_s))):
            place = at_s[0] + (block - k + float(rng.random())) * length
            found.append((float(place), float(rng.normal()), int(rng.integers(1000))))
    return found


_MAKERS: dict[str, Callable[[Key, float], Maker]] = {
    "tremor": _tremor,
    "wander": _wander,
    "motion": _motion,
    "loose": _loose,
    "open": _open,
}


def electrode_faults(hands: Electrodes, leads: tuple[str, ...] = LEADS) -> Faults:
    """Return what can go wrong between chest and front end.

    Args:
        hands: the electrodes.
        leads: names of the instrument's own leads, as `lead_off` and `stuck` take them.
    """

    def of_leads(names: set[str]) -> Throw:
        def throw(on: bool, value: str) -> None:
            (names.update if on else names.difference_update)(several(value, leads))
            hands.release()

        return throw

    def grip(names: set[str]) -> Throw:
        def throw(on: bool, value: str) -> None:
            (names.update if on else names.difference_update)(_electrodes(value or ("V3" if on else "")))

        return throw

    def swapped(on: bool, value: str) -> None:
        hands.swaps = _pairs(value) if on else []

    def hum(on: bool, value: str) -> None:
        hands.mains_mv, hands.mains_hz = _hum(value) if on else (0.0, MAINS[0])

    which, of_ten = ", ".join(leads), "RA LA LL RL V1 to V6 (V3)"

    def read(value: str) -> object:
        return several(value, leads)

    return {
        "lead_off": Fault(
            of_leads(hands.off), "leads lose contact and the device says so", f"{which} (all)", reads=read
        ),
        "stuck": Fault(
            of_leads(hands.stuck), "leads keep the value they have", f"{which} (all)", kind="wire", reads=read
        ),
        "swapped": Fault(
            swapped, "electrodes are exchanged", "pairs such as LA/RA, LA/LL, V1/V2 (LA/RA)", reads=_pairs
        ),
        "loose": Fault(grip(hands.loose), "electrodes lose their grip", of_ten, reads=_electrodes),
        "electrode_off": Fault(grip(hands.open), "electrodes hang free", of_ten, reads=_electrodes),
        "mains_hum": Fault(
            hum, "hum of the mains", "0 to 5 mV (0.5), @60 for 60 Hz, such as 0.3@60", reads=_hum
        ),
        "tremor": level(hands, "tremor_mv", "the patient shivers", (0.0, 1.0, 0.08), "mV"),
        "wander": level(hands, "wander_mv", "breath and skin move the baseline", (0.0, 5.0, 0.4), "mV"),
        "motion": level(hands, "motion_mv", "the patient moves", (0.0, 5.0, 0.8), "mV"),
    }


def _electrodes(value: str) -> list[str]:
    return several(value, ELECTRODES)


def _hum(value: str) -> tuple[float, float]:
    """Return height in mV and frequency in Hz."""
    height, _, hz = value.partition("@")
    return number(height, 0.0, 5.0, 0.5), float(choice(hz or "50", ("50", "60")))


def _pairs(value: str) -> list[Swap]:
    return [_pair(pair) for pair in (value or "LA/RA").split(",")]


def _pair(text: str) -> Swap:
    one, slash, other = text.strip().upper().partition("/")
    if not slash or one not in ELECTRODES or other not in ELECTRODES or one == other:
        raise ValueError(f"the value is pairs of {', '.join(ELECTRODES)}, such as LA/RA or V1/V2,LA/LL")
    return one, other
