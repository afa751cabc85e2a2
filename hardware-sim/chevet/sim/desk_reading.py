"""Reads a case as the specialist's desk does, and compares it with what the kiosk recorded."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from chevet.sim.errors import StepError
from chevet.sim.screens import Screen, read_wave

SOUNDS = ("heart_sound", "lung_sound")


@dataclass(slots=True)
class Made:
    """A recording as the kiosk has it.

    Attributes:
        sha256: of its samples as in the wave frame, "" for pictures only.
        pictures: SHA-256 of each still.
    """

    sha256: str
    pictures: list[str] = field(default_factory=list[str])


async def read_case(step: str, desk: Screen, case: str, made: list[Made]) -> list[str]:
    """Fetch every layer of every recording; return their ids; all were exact.

    Args:
        step: the step's name, for errors.
        desk: signed in as a specialist.
        case: the case's id.
        made: the recordings in the order in which they were made.

    Raises:
        StepError: the case or a recording is missing, or one differs from what was recorded.
    """
    inbox = (await desk.get(step, "/api/inbox"))["cases"]
    if case not in [entry["id"] for entry in inbox]:
        raise StepError(step, "the case is not in the specialist's inbox")
    opened = await desk.get(step, f"/api/cases/{case}")
    if len(opened["recordings"]) != len(made):
        raise StepError(step, f"{len(opened['recordings'])} of {len(made)} recordings arrived")
    read = []
    for ours, recording in zip(made, _in_order(opened["recordings"]), strict=True):
        at = f"/api/cases/{case}/recordings/{recording['id']}"
        if not await (_waves if ours.sha256 else _pictures)(step, desk, at, recording, ours):
            raise StepError(step, f"the {recording['step']} at the desk differs from the one recorded")
        read.append(str(recording["id"]))
    return read


async def _waves(step: str, desk: Screen, at: str, recording: dict[str, Any], made: Made) -> bool:
    if recording["step"] in SOUNDS:
        for layer in ("preview", "diagnostic", "lossless"):
            await desk.fetch(step, f"{at}/sound", layer)
    else:
        read_wave(await desk.fetch(step, f"{at}/waveform", "preview"))
    wave = read_wave(await desk.fetch(step, f"{at}/waveform", "lossless"))
    return hashlib.sha256(wave.payload).hexdigest() == made.sha256


async def _pictures(step: str, desk: Screen, at: str, recording: dict[str, Any], made: Made) -> bool:
    """Fetch every still; only the best one has a preview."""
    stills = recording["pictures"]
    if stills:
        best = max(range(len(stills)), key=lambda number: bool(stills[number]["best"]))
        await desk.fetch(step, f"{at}/pictures/{best}", "preview")
    hashes = []
    for number in range(len(stills)):
        await desk.fetch(step, f"{at}/pictures/{number}", "diagnostic")
        image = await desk.fetch(step, f"{at}/pictures/{number}", "lossless")
        hashes.append(hashlib.sha256(image).hexdigest())
    return hashes == made.pictures


def _in_order(recordings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return recordings as they were made; ids are UUIDv7 and sort by time."""
    return sorted(recordings, key=lambda recording: str(recording["id"]))
