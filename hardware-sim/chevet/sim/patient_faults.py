"""What a worker does wrong, on the arrays of a patient or of any recording: pure functions.

None changes its argument. Noise follows from a seed; the same call gives the same result.
"""

import numpy as np

from chevet.sim.heart.blocks import Floats
from chevet.sim.heart.dipole import twelve
from chevet.sim.heart.errors import PatientError

ELECTRODES = ("RA", "LA", "LL", "RL", "V1", "V2", "V3", "V4", "V5", "V6")
LEG_TO_LEG = 0.03
"""Potential of the right leg as a share of the left leg's: hardly any current flows through the legs."""
ROOM_LIGHT_SWING = 0.004


def electrodes_of(leads: Floats) -> Floats:
    """Return the potentials of `ELECTRODES` against Wilson's terminal from twelve leads, [12, n] -> [10, n].

    The right leg lies near the left one, but leads cannot tell how near: it is taken as almost the same.
    """
    right = -(leads[0] + leads[1]) / 3
    left, leg = leads[0] + right, leads[1] + right
    return np.concatenate([np.stack([right, left, leg, leg * (1 - LEG_TO_LEG)]), leads[6:]])


def leads_of(electrodes: Floats) -> Floats:
    """Return twelve leads from the potentials of `ELECTRODES`, [10, n] -> [12, n]."""
    right, left, leg = electrodes[0], electrodes[1], electrodes[2]
    wilson = (right + left + leg) / 3
    return twelve(np.concatenate([np.stack([left - right, leg - right]), electrodes[4:] - wilson]))


def swapped(leads: Floats, one: str, other: str) -> Floats:
    """Exchange two electrodes: their potentials change places and every lead follows; [12, n] mV.

    Args:
        leads: standard order.
        one: a name in `ELECTRODES`.
        other: another.

    Raises:
        PatientError: unknown electrode.
    """
    at = electrodes_of(leads)
    first, second = _row(one), _row(other)
    at[[first, second]] = at[[second, first]]
    return leads_of(at)


def loose(leads: Floats, electrode: str, rate_hz: float, *, seed: int = 0) -> Floats:
    """Let an electrode lose its grip: its potential jumps, creeps back, hums and crackles; [12, n] mV.

    Args:
        leads: standard order.
        electrode: a name in `ELECTRODES`; with RL every lead suffers a little.
        rate_hz: of the leads.
        seed: another seed is another fit of bad contact.

    Raises:
        PatientError: unknown electrode.
    """
    rng = np.random.default_rng((seed, 41))
    count = leads.shape[1]
    at_s = np.arange(count) / rate_hz
    wild = 0.12 * np.sin(2 * np.pi * 50 * at_s) + 0.02 * rng.standard_normal(count)
    for jump_s in np.cumsum(rng.exponential(0.9, max(1, round(count / rate_hz * 2)))):
        after = at_s - jump_s
        wild += rng.normal(0, 1.1) * np.where(after > 0, np.exp(-np.maximum(after, 0) / 0.45), 0)
    at = electrodes_of(leads)
    if electrode == "RL":
        at[4:] += 0.15 * wild * rng.uniform(0.5, 1.5, (6, 1))
        at[:3] += 0.15 * wild * rng.uniform(0.5, 1.5, (3, 1))
    else:
        at[_row(electrode)] += wild
    return leads_of(at)


def with_mains(leads: Floats, rate_hz: float, *, hum_mv: float = 0.15, mains_hz: float = 50.0) -> Floats:
    """Add mains hum with its third harmonic, stronger in some leads than others; [12, n] mV."""
    at_s = np.arange(leads.shape[1]) / rate_hz
    turn = 2 * np.pi * mains_hz * at_s
    picked = np.linspace(0.5, 1.3, 8)[:, None] * hum_mv
    wave = picked * (np.sin(turn) + 0.15 * np.sin(3 * turn + 0.8))
    wave[1] *= -0.8
    return leads + twelve(wave)


def with_tremor(leads: Floats, rate_hz: float, *, tremor_mv: float = 0.08, seed: int = 0) -> Floats:
    """Add shivering, RMS `tremor_mv` in the limbs: bursts of muscle at 8 a second; [12, n] mV."""
    rng = np.random.default_rng((seed, 42))
    count = leads.shape[1]
    at_s = np.arange(count) / rate_hz
    burst = 0.5 + 0.5 * np.sin(2 * np.pi * 8.2 * at_s + np.sin(2 * np.pi * 0.7 * at_s)) ** 2
    muscle = _filtered(rng.standard_normal((8, count)), rate_hz, 20.0, 110.0) * burst
    muscle /= muscle.std(axis=1, keepdims=True)
    muscle[2:] *= 0.35
    return np.asarray(leads + tremor_mv * twelve(muscle))


def with_friction(sound: Floats, rate_hz: float, *, level: float = 0.4, seed: int = 0) -> Floats:
    """Rub the chest piece over skin or cloth: scrapes and thumps of all frequencies; [n], full scale +-1."""
    rng = np.random.default_rng((seed, 43))
    count = len(sound)
    at_s = np.arange(count) / rate_hz
    envelope = np.zeros(count)
    for start_s in np.cumsum(rng.exponential(0.5, max(2, round(count / rate_hz * 4)))):
        after = np.maximum(at_s - start_s, 0)
        envelope += rng.lognormal(-0.3, 0.5) * (after / 0.05) * np.exp(1 - after / 0.05)
        envelope += 0.08 * ((at_s > start_s) & (after < rng.uniform(0.05, 0.3)))
    scrape = _filtered(rng.standard_normal((1, count)), rate_hz, 40.0, min(500.0, 0.45 * rate_hz))[0]
    return np.asarray(np.clip(sound + 0.5 * level * envelope * scrape / scrape.std(), -1.0, 1.0))


def with_room_speech(sound: Floats, rate_hz: float, *, level: float = 0.05, seed: int = 0) -> Floats:
    """Let somebody talk nearby: a voice's harmonics under moving formants in syllables; [n], full scale +-1.

    It carries no words: pitch, formants and syllables wander at random.
    """
    rng = np.random.default_rng((seed, 44))
    count = len(sound)
    at_s = np.arange(count) / rate_hz
    steps = np.arange(0, at_s[-1] + 1.0, 0.22)
    pitch = np.interp(at_s, steps, rng.uniform(95, 155, len(steps)))
    formants = [np.interp(at_s, steps, rng.uniform(*f, len(steps))) for f in ((300, 800), (900, 1900))]
    syllable = np.interp(at_s, steps, rng.uniform(0, 1, len(steps)) * (rng.random(len(steps)) > 0.25))
    turn = 2 * np.pi * np.cumsum(pitch) / rate_hz
    voice = np.zeros(count)
    for number in range(1, 25):
        hz = number * pitch
        gain = sum(np.exp(-(((hz - one) / 110) ** 2)) / (1 + k) for k, one in enumerate(formants))
        voice += np.where(hz < 0.45 * rate_hz, gain, 0.0) * np.sin(number * turn)
    voice *= syllable
    return np.clip(sound + level * voice / max(float(voice.std()), 1e-9), -1.0, 1.0)


def cold_finger(light: Floats, *, left: float = 0.1) -> Floats:
    """Let the vessels of the finger close: pulses shrink to the share `left`, the mean stays; [2, n]."""
    mean = light.mean(axis=1, keepdims=True)
    return np.asarray(mean + left * (light - mean))


def finger_off(light: Floats, rate_hz: float, *, from_s: float = 0.0, seed: int = 0) -> Floats:
    """Take the finger out `from_s` after the window's beginning: room light alone; [2, n]."""
    rng = np.random.default_rng((seed, 45))
    count = light.shape[1]
    at_s = np.arange(count) / rate_hz
    lamp = 1 + ROOM_LIGHT_SWING * np.sin(2 * np.pi * 0.4 * at_s) + 2e-4 * rng.standard_normal(count)
    room = 2.6 * light.mean(axis=1, keepdims=True) * lamp
    return np.where(at_s < from_s, light, room)


def _row(electrode: str) -> int:
    if electrode not in ELECTRODES:
        raise PatientError("electrode", electrode, f"choose one of {', '.join(ELECTRODES)}")
    return ELECTRODES.index(electrode)


def _filtered(noise: Floats, rate_hz: float, low_hz: float, high_hz: float) -> Floats:
    """Keep a band of `noise` [c, n], with soft edges."""
    at_hz = np.fft.rfftfreq(noise.shape[1], 1 / rate_hz)
    gain = 1 / np.sqrt((1 + (low_hz / np.maximum(at_hz, 1e-6)) ** 4) * (1 + (at_hz / high_hz) ** 4))
    return np.asarray(np.fft.irfft(np.fft.rfft(noise, axis=1) * gain, noise.shape[1], axis=1))
