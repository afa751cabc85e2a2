"""Which serial ports are there, and which USB adapter each belongs to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from serial.tools.list_ports import comports

BY_ID = Path("/dev/serial/by-id")
PSEUDO_TERMINALS = "/dev/pts/"

COMMON_SERIALS = frozenset({"", "0", "0001", "00000000", "0000", "12345678", "123456", "1.0"})
"""What makers of cheap adapters put into every unit (a CP210x leaves the factory with "0001")."""


@dataclass(frozen=True, slots=True)
class SerialPort:
    """One port.

    Attributes:
        path: to open, such as "/dev/ttyUSB0".
        vid, pid: USB ids of the adapter, None where there is no USB.
        serial: the adapter's serial number, "" where it has none.
        maker, product: as the adapter calls itself.
        location: where it is plugged in, such as "1-1.2"; "" without USB.
        stable: a path that stays the same when it is replugged, `path` where there is none.
        virtual: a pseudo-terminal, so whatever is behind it is a program.
    """

    path: str
    vid: int | None = None
    pid: int | None = None
    serial: str = ""
    maker: str = ""
    product: str = ""
    location: str = ""
    stable: str = ""
    virtual: bool = False

    @property
    def usb(self) -> str:
        """Return "0403:6001", "" without USB."""
        return f"{self.vid:04x}:{self.pid:04x}" if self.vid is not None and self.pid is not None else ""

    @property
    def identity(self) -> str:
        """Return what stays the same when it is unplugged and plugged in again, under whatever path.

        USB ids and serial number; where the serial number tells nothing, the place where it is plugged in.
        """
        if not self.usb:
            return f"port:{self.path}"
        if self.serial in COMMON_SERIALS:
            return f"usb:{self.usb}@{self.location}"
        return f"usb:{self.usb}:{self.serial}"


def serial_ports(more: Sequence[Path] = (), by_id: Path = BY_ID) -> list[SerialPort]:
    """Return the USB serial ports, and what is named in `more`, sorted by path.

    Ports that are soldered to the board (ttyS0, ttyAMA0), Bluetooth serial ports (rfcomm0) and benches
    (folders of pseudo-terminals) are listed only where `more` names them: opening them may disturb others.

    Args:
        more: paths of ports, or folders whose every entry is one.
        by_id: where udev keeps the stable names.
    """
    stable = dict(_links(by_id))
    found = {
        info.device: SerialPort(
            info.device,
            info.vid,
            info.pid,
            info.serial_number or "",
            info.manufacturer or "",
            info.product or "",
            info.location or "",
            stable.get(info.device, info.device),
        )
        for info in comports()
        if info.vid is not None
    }
    known = {str(Path(path).resolve()) for path in found}
    for path in _named(more):
        real = str(path.resolve())
        if real not in known:
            known.add(real)
            virtual = real.startswith(PSEUDO_TERMINALS)
            found[str(path)] = SerialPort(str(path), stable=str(path), virtual=virtual)
    return sorted(found.values(), key=lambda port: port.path)


def _links(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each device of a folder of links with its link."""
    if folder.is_dir():
        for link in sorted(folder.iterdir()):
            yield str(link.resolve()), str(link)


def _named(more: Iterable[Path]) -> Iterator[Path]:
    for path in more:
        if path.is_dir():
            yield from (entry for entry in sorted(path.iterdir()) if entry.is_char_device())
        elif path.exists():
            yield path
