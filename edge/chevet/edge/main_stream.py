"""Of several streams of one device, which is the one that its examination is about."""

from collections.abc import Sequence

from chevet.devices.samples import Channel

_OXIMETRY = ("pleth", "infrared", "red")


def belongs(step: str, channels: Sequence[Channel]) -> bool:
    """Return whether a stream is of the kind that an examination step records.

    An ECG is what is measured in mV; a pulse wave or a sound is known by its first channel's name. What else
    a device sends beside them (breathing, light, acceleration) has other units and names.
    """
    match step:
        case "ecg":
            return all(channel.unit == "mV" for channel in channels)
        case "oximetry":
            return channels[0].name.lower() in _OXIMETRY
        case "heart_sound" | "lung_sound":
            return "sound" in channels[0].name.lower()
        case _:
            return False
