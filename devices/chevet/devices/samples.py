"""What instruments give: channels, sample blocks, readings, pictures, notices."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True, slots=True)
class Channel:
    """One row of a sample block: physical value = integer value * gain + offset, in `unit` (UCUM).

    `unit` is "mV" for ECG and "1" for sound and pleth, whose scale has no physical meaning.
    """

    name: str
    unit: str
    rate_hz: float
    gain: float
    offset: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class SampleBlock:
    """Consecutive samples of channels that share one clock.

    Attributes:
        channels: one per row of `values`.
        values: integers as the device sent them, shape [channels, samples].
        first: index of the first sample since the device started; a jump is a gap, never spliced.
        at: host monotonic time at which the last sample arrived, in seconds.
    """

    channels: tuple[Channel, ...]
    values: Samples
    first: int
    at: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One number a device reported; "no value" is None, never a number.

    Attributes:
        kind: one of the reading kinds of the design, such as "spo2" or "pulse_rate".
        value: in `unit`, or None while the device has none to give.
        unit: UCUM code.
        at: host monotonic time of arrival, in seconds.
        status: raw flags of the device as coded words, such as "artifact" or "low_perfusion".
    """

    kind: str
    value: float | None
    unit: str
    at: float
    status: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """One image exactly as the camera encoded it.

    Attributes:
        data: encoded bytes, untouched.
        media_type: such as "image/jpeg".
        at: host monotonic time of arrival, in seconds.
        side: "left", "right" or "" while it is not known.
    """

    data: bytes
    media_type: str
    at: float
    side: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the device says about itself, coded, never free text.

    Codes: sensor_off, lead_off, searching, battery_low, artifact, low_perfusion, identified,
    lost_samples, bad_frames, snapshot_button, refused (the device will not start; detail says why),
    rate_wrong (its clock is off; detail "nominal=500;measured=511.20"), device_time (its own clock; detail
    "2025-03-14T09:30:05"), stored_until (all it had stored has come; detail: the mark of memory.py).

    Attributes:
        code: one of the codes above.
        at: host monotonic time, in seconds.
        on: whether the condition begins or ends.
        detail: coded detail, such as the lead's name, a count, or "model=..;serial=..;firmware=.."
            (";simulated=1" follows where the device itself says so).
    """

    code: str
    at: float
    on: bool = True
    detail: str = ""


Event = SampleBlock | Reading | Picture | Notice
