"""What `arecord -v` prints while it records: how the card was set up, and why it stopped."""

import re
from dataclasses import dataclass

_SETUP = re.compile(r"^\s+(format|channels|rate)\s*: (\S+)", re.MULTILINE)
_HARDWARE = re.compile(r"Hardware PCM card (\d+) '(.*)' device (\d+)")

REASONS = (
    ("Device or resource busy", "busy"),
    ("Permission denied", "no_permission"),
    ("Operation not permitted", "no_permission"),
    ("non available", "wrong_format"),  # format, channels, access type
    ("Unable to install hw params", "wrong_format"),
    ("Invalid argument", "wrong_format"),
    ("Unknown PCM", "not_found"),
    ("Cannot get card index", "not_found"),
    ("No such file or directory", "not_found"),
    ("No such device", "not_found"),
    ("No such entity", "not_found"),
)
"""Texts of ALSA 1.2 (with LC_ALL=C), the most telling first."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a card records.

    Attributes:
        rate_hz, sample_format, channels: what the program gets.
        hardware_rate_hz: what the card itself runs at; another one means that ALSA converts, without a
            filter worth the name.
        card: the card's number, None where there is no hardware behind.
        card_name: its own short name.
    """

    rate_hz: int
    sample_format: str
    channels: int
    hardware_rate_hz: int
    card: int | None = None
    card_name: str = ""


def parse_setup(text: str) -> Setup | None:
    """Return the setup that `arecord -v` printed, or None where it is not (yet) all there."""
    blocks: list[dict[str, str]] = []
    for part in text.split("Its setup is:")[1:]:
        found = dict(_SETUP.findall(part))
        if {"format", "channels", "rate"} <= found.keys():
            blocks.append(found)
    if not blocks or not all(b["rate"].isdecimal() and b["channels"].isdecimal() for b in blocks):
        return None
    hardware = _HARDWARE.search(text)
    return Setup(
        int(blocks[0]["rate"]),
        blocks[0]["format"],
        int(blocks[0]["channels"]),
        int(blocks[-1]["rate"]),
        int(hardware[1]) if hardware else None,
        hardware[2] if hardware else "",
    )


def open_reason(text: str) -> str:
    """Return the coded reason why `arecord` could not begin."""
    return next((reason for phrase, reason in REASONS if phrase in text), "failed")


def has_overrun(text: str) -> bool:
    """Say whether `arecord` ended because this computer did not take the sound in time."""
    return "overrun" in text


def has_slept(text: str) -> bool:
    """Say whether the computer slept: `arecord` then goes on by itself and joins before and after."""
    return "Suspended" in text or "suspend:" in text


def was_unplugged(text: str) -> bool:
    """Say whether `arecord` stopped because the card is gone."""
    return "read error" in text and ("No such device" in text or "Input/output error" in text)
