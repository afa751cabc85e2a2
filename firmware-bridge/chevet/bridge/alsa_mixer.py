"""What a sound card does to the sound before anybody sees it: its mixer, as `amixer contents` prints it.

A heart sound taken through an automatic gain or a high-pass filter looks like another heart: so what the
card says about its own gain and filters is read before recording and stays with the recording.
"""

import re
from dataclasses import dataclass

_TITLE = re.compile(r"numid=\d+,iface=(?P<iface>\w+),name='(?P<name>.*?)'")
_TYPE = re.compile(r"; type=(?P<type>\w+),.*?values=\d+(?:,min=(?P<low>-?\d+),max=(?P<high>-?\d+))?")
_ITEM = re.compile(r"; Item #\d+ '(?P<item>.*)'")
_VALUES = re.compile(r": values=(?P<values>.*)")
_SCALE = re.compile(r"\| dBscale-min=(?P<low>-?[\d.]+)dB,step=(?P<step>-?[\d.]+)dB")
_RANGE = re.compile(r"\| dBminmax(?:mute)?-min=(?P<low>-?[\d.]+)dB,max=(?P<high>-?[\d.]+)dB")

_CAPTURE = re.compile(
    r"capture|mic|line in|adc|input|boost|gain control|agc|alc|high.?pass|\bhpf\b|noise|echo", re.IGNORECASE
)
_NOT_CAPTURE = re.compile(r"playback|channel map|jack|sidetone", re.IGNORECASE)
_AGC = re.compile(r"auto(matic)? gain|\bagc\b|\balc\b", re.IGNORECASE)
MOST_CONTROLS = 16
"""A stethoscope's card has a handful; a whole sound chip's routing tables say nothing about its gain."""


@dataclass(slots=True)
class Control:
    """One control of a mixer.

    Attributes:
        name: as the card's driver calls it.
        type: BOOLEAN, INTEGER or ENUMERATED; others are kept with their values as printed.
        values: one for each channel, as printed.
        low, high: range of an INTEGER control's raw values.
        items: names of an ENUMERATED control's choices.
        low_db, step_db: decibels at `low`, and for each raw step; None where the card does not say.
    """

    name: str
    type: str = ""
    values: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    items: tuple[str, ...] = ()
    low_db: float | None = None
    step_db: float | None = None

    @property
    def on(self) -> bool:
        """Whether a switch, or the first choice other than "Off", is on."""
        return any(value not in {"off", "0"} for value in self.values)

    def said(self) -> str:
        """Return the setting of the first channel: decibels, on or off, a choice, or the raw number."""
        first = self.values[0] if self.values else ""
        if not first.lstrip("-").isdecimal():
            return first
        place = int(first)
        if self.items:
            return self.items[place] if 0 <= place < len(self.items) else first
        if self.low_db is not None and self.step_db is not None:
            return f"{self.low_db + (place - self.low) * self.step_db:g}dB"
        return first


def parse_contents(text: str) -> tuple[Control, ...]:
    """Return the mixer's controls from what `amixer -c N contents` printed; unknown lines are left."""
    found: list[Control] = []
    for line in text.splitlines():
        title = _TITLE.search(line)
        if title:
            found.append(Control(title["name"] if title["iface"] == "MIXER" else ""))
        elif found:
            _take(found[-1], line)
    return tuple(control for control in found if control.name and control.values)


def _take(control: Control, line: str) -> None:
    """Take one of the lines that follow a control's title."""
    if kind := _TYPE.search(line):
        control.type = kind["type"]
        control.low, control.high = int(kind["low"] or 0), int(kind["high"] or 0)
    elif item := _ITEM.search(line):
        control.items = (*control.items, item["item"])
    elif values := _VALUES.search(line):
        control.values = tuple(values["values"].split(","))
    elif scale := _SCALE.search(line):
        control.low_db, control.step_db = float(scale["low"]), float(scale["step"])
    elif (limits := _RANGE.search(line)) and control.high > control.low:
        control.low_db = float(limits["low"])
        control.step_db = (float(limits["high"]) - control.low_db) / (control.high - control.low)


def capture_words(controls: tuple[Control, ...]) -> tuple[tuple[str, str], ...]:
    """Return the settings that act on what is recorded, as coded words.

    Returns:
        ("agc", "on" or "off") first where the card has an automatic gain, then each control's name in
        lower case with underscores and its setting: ("mic_capture_volume", "12dB"). At most 16.
    """
    acting = [one for one in controls if _CAPTURE.search(one.name) and not _NOT_CAPTURE.search(one.name)]
    gains = [one for one in acting if _AGC.search(one.name) and one.type in {"BOOLEAN", "ENUMERATED"}]
    words = [("agc", "on" if any(one.on for one in gains) else "off")] if gains else []
    words += [(coded(one.name), coded(one.said(), keep="-.")) for one in acting[:MOST_CONTROLS]]
    return tuple(words)


def coded(text: str, keep: str = "") -> str:
    """Return `text` with all but letters, digits and `keep` as single underscores: safe between ; and =."""
    letters = "".join(c if c.isascii() and (c.isalnum() or c in keep) else " " for c in text)
    return "_".join(letters.split()) if keep else "_".join(letters.lower().split())
