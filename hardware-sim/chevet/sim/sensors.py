"""What a device's sensor touches: the patient in the room, or a recording chosen for it."""

from collections.abc import Callable
from functools import cache

from chevet.sim.bedside import Bedside
from chevet.sim.bodies import ECG_RECORDING, PLETH_RECORDING, SOUND_OF_SITE
from chevet.sim.chest_piece import HEART_SITES, LUNG_SITES, ChestPiece, heart_sound, loop_sound
from chevet.sim.electrodes import Electrodes
from chevet.sim.finger_light import LightSource, LoopLight
from chevet.sim.in_the_clip import HeartPulse, LoopPulse, PulseSource, WiredFinger
from chevet.sim.one_heart import OneHeart
from chevet.sim.playback import Loop, load
from chevet.sim.twins.ecg_body import FIXED, Vitals
from chevet.sim.wfdb_file import RecordingError
from chevet.sim.wired import SAMPLE_MAX, HeartLeads, HeartVitals, LeadSource, LoopLeads, Place, WiredChest

FASTEST_SOUND_HZ = 40_000.0
"""16 bits a sample over 92 160 bytes a second, PROTOCOL.md section 1."""


def vitals(bedside: Bedside, place: Place) -> Vitals:
    """Return the numbers that a device with its own arithmetic would find."""
    return FIXED if bedside.heart is None else HeartVitals(bedside.heart, place)


def chest(bedside: Bedside, device: str, place: Place, numbers: Vitals = FIXED) -> WiredChest:
    """Return the chest that `device` has its electrodes on."""
    source: LeadSource
    played = bedside.plays.get(device)
    if played is not None:
        if not played.leads():
            names = ", ".join(played.names)
            raise RecordingError(played.place, f"has no lead of an ECG among {names}; map one: FILE?II=NAME")
        source = LoopLeads(played, played.steps)
    elif bedside.heart is not None:
        source = HeartLeads(bedside.heart, place)
    else:
        source = LoopLeads(load(ECG_RECORDING))
    return WiredChest(source, Electrodes(_own(bedside, device)), numbers)


def finger(bedside: Bedside, device: str, place: Place) -> WiredFinger:
    """Return the finger in the clip of `device`."""
    source: PulseSource
    played = bedside.plays.get(device)
    if played is not None:
        source = LoopPulse(played.only(played.row("pleth", "infrared")), place)
    elif bedside.heart is not None:
        source = HeartPulse(bedside.heart, place)
    else:
        source = LoopPulse(load(PLETH_RECORDING), place)
    return WiredFinger(source, _own(bedside, device))


def chest_piece(bedside: Bedside, device: str, place: Place) -> tuple[ChestPiece, tuple[str, ...]]:
    """Return the head of stethoscope `device` on a chest, and the sites it can be put to."""
    seed, played = _own(bedside, device), bedside.plays.get(device)
    if played is not None:
        one = played.only(played.row("sound", "sound 1"))
        if one.rate_hz > FASTEST_SOUND_HZ:
            raise RecordingError(
                one.place,
                f"{one.rate_hz:g} Hz do not fit the line: resample to {FASTEST_SOUND_HZ:g} Hz or less",
            )
        # 16-bit files keep their integers: SAMPLE_MAX steps come back as SAMPLE_MAX steps.
        full_scale = SAMPLE_MAX / (one.steps[0] * 32768)
        return ChestPiece(loop_sound(lambda _site: one, full_scale), seed, rate_hz=one.rate_hz), HEART_SITES
    if bedside.heart is not None:
        return ChestPiece(heart_sound(bedside.heart, place), seed), (*HEART_SITES, *LUNG_SITES)
    return ChestPiece(loop_sound(_recorded()), seed), HEART_SITES


def _recorded() -> Callable[[str], Loop]:
    return cache(lambda site: load(SOUND_OF_SITE[site]))


def _own(bedside: Bedside, device: str) -> int:
    """Return a seed that is the device's own."""
    return bedside.seed * 65537 + sum(ord(letter) * (place + 1) for place, letter in enumerate(device))


def light(bedside: Bedside, device: str, place: Place) -> LightSource:
    """Return the red and infrared light that reaches `device` through a finger."""
    played = bedside.plays.get(device)
    if played is not None:
        return LoopLight(played)
    if bedside.heart is not None:
        return HeartPulse(bedside.heart, place)
    # No recording that is shipped holds both colours: the patient of the seed stands in.
    return HeartPulse(OneHeart(bedside.seed, "normal", bedside.now), place)
