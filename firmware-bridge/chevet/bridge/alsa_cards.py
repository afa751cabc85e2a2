"""Which sound cards can record, and how to name one so that the name survives replugging.

Numbers of cards change with the order of plugging. A card's id ("Device") stays, unless two cards of one
kind are there; its USB number with the serial number, or udev's name under /dev/snd/by-id, stays always.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from chevet.bridge.errors import LinkUnavailable

_CARD = re.compile(r"^\s*(\d+) \[(\S+)\s*\]: (\S+) - (.*)$", re.MULTILINE)
_CAPTURE = re.compile(r"^(\d+)-(\d+):.*: capture \d+", re.MULTILINE)
_CONTROL_NODE = re.compile(r"controlC(\d+)$")
_USB_NAME = re.compile(r"^[0-9a-f]{4}:[0-9a-f]{4}(:.+)?$")


@dataclass(frozen=True, slots=True)
class SoundCard:
    """One sound card that can record.

    Attributes:
        number: today's number.
        id: ALSA's short id, such as "Device".
        name: what the card calls itself.
        driver: its kernel driver, such as "USB-Audio".
        usb: "0d8c:0014", or "" where it is not on USB.
        serial: USB serial number, mostly "".
        stable: udev's name, such as "usb-C-Media_Electronics_Inc._USB_Audio_Device-00", or "".
        devices: numbers of its capture devices, ascending.
    """

    number: int
    id: str
    name: str
    driver: str
    usb: str = ""
    serial: str = ""
    stable: str = ""
    devices: tuple[int, ...] = (0,)

    @property
    def link(self) -> str:
        """The card's link by the stablest name it has: udev's, else the card's id."""
        return f"alsa:/dev/snd/by-id/{self.stable}" if self.stable else f"alsa:{self.id}"


@dataclass(frozen=True, slots=True)
class SoundFolders:
    """Where the system tells about sound cards; other places in tests."""

    proc: Path = Path("/proc/asound")
    sys: Path = Path("/sys/class/sound")
    by_id: Path = Path("/dev/snd/by-id")


SYSTEM = SoundFolders()


def parse_cards(cards: str, pcm: str) -> tuple[SoundCard, ...]:
    """Return the cards that can record, from the texts of /proc/asound/cards and /proc/asound/pcm."""
    devices: dict[int, list[int]] = {}
    for number, device in _CAPTURE.findall(pcm):
        devices.setdefault(int(number), []).append(int(device))
    return tuple(
        SoundCard(int(number), id_, name.strip(), driver, devices=tuple(sorted(devices[int(number)])))
        for number, id_, driver, name in _CARD.findall(cards)
        if int(number) in devices
    )


def sound_cards(folders: SoundFolders = SYSTEM) -> tuple[SoundCard, ...]:
    """Return the sound cards that can record now; none where the machine has no sound at all."""
    found = parse_cards(_text(folders.proc / "cards"), _text(folders.proc / "pcm"))
    names = _stable_names(folders.by_id)
    return tuple(
        SoundCard(
            card.number,
            card.id,
            card.name,
            card.driver,
            _text(folders.proc / f"card{card.number}" / "usbid").strip(),
            _text(folders.sys / f"card{card.number}" / "device" / ".." / "serial").strip(),
            names.get(card.number, ""),
            card.devices,
        )
        for card in found
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _stable_names(by_id: Path) -> dict[int, str]:
    try:
        links = sorted(by_id.iterdir())
    except OSError:
        return {}
    numbers = ((_CONTROL_NODE.search(str(link.resolve())), link.name) for link in links)
    return {int(found[1]): name for found, name in numbers if found}


def pcm_name(url: str, target: str, folders: SoundFolders = SYSTEM) -> str:
    """Return the name by which ALSA opens `target`.

    Args:
        url: the link's URL, for errors.
        target: ALSA's own name ("hw:CARD=Device,DEV=0", "plughw:1,0", "default"), a path under
            /dev/snd/by-id or by-path, "usb:0d8c:0014" with or without ":SERIAL", or a card's id.
        folders: where to look.

    Raises:
        LinkUnavailable: no such card, or two that fit (reason "not_found", "wrong_device").
    """
    if target.startswith("usb:"):
        wanted = target.removeprefix("usb:").lower()
        if not _USB_NAME.match(wanted):
            raise LinkUnavailable(url, "bad_url")
        fitting = [card for card in sound_cards(folders) if _fits(card, wanted)]
        if len(fitting) > 1:
            raise LinkUnavailable(url, "wrong_device")
        return _hardware(url, fitting[0] if fitting else None)
    if target.startswith("/"):
        node = _CONTROL_NODE.search(str(Path(target).resolve()))
        number = int(node[1]) if node and Path(target).exists() else None
        return _hardware(url, next((c for c in sound_cards(folders) if c.number == number), None))
    same = next((card for card in sound_cards(folders) if card.id == target), None)
    return _hardware(url, same) if same else target


def _fits(card: SoundCard, wanted: str) -> bool:
    return wanted in {card.usb, f"{card.usb}:{card.serial}".lower()} and bool(card.usb)


def _hardware(url: str, card: SoundCard | None) -> str:
    if card is None:
        raise LinkUnavailable(url, "not_found")
    return f"hw:CARD={card.id},DEV={card.devices[0]}"
