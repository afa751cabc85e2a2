"""What the host may say to Nonin's Bluetooth (SPP) oximeters 9560 and 3150: `02 op len data 03`.

Source: Nonin 9560 and 3150 OEM specifications as used by diozero's NoninPulseOx and by OpenICE. OEM modules
(OEM III, Xpod) listen to none of it: their format is set by a wire.
"""

STX, ETX = 0x02, 0x03
ACK, NAK = 0x06, 0x15
DATA_FORMAT, SERIAL_NUMBER = 0x70, 0x74
ANSWER = 0x80
SPOT_CHECK, BLUETOOTH_ON = 0x40, 0x20
"""Options of the 3150's format command beside the 0x01 that is always set."""


def command(op: int, data: bytes = b"") -> bytes:
    """Return a framed command."""
    return bytes((STX, op, len(data))) + data + bytes((ETX,))


def set_format(number: int) -> bytes:
    """Return the 9560's command for data format `number` (2, 7, 8 or 13)."""
    return command(DATA_FORMAT, bytes((0x02, number)))


def set_format_3150(number: int, options: int = 0) -> bytes:
    """Return the 3150's command for data format `number`; its checksum covers op, length and data."""
    data = bytes((0x02, number, 0x01 | options))
    check = (DATA_FORMAT + 0x04 + sum(data)) & 0xFF
    return bytes((STX, DATA_FORMAT, 0x04)) + data + bytes((check, ETX))


def get_serial_number() -> bytes:
    """Return the question for the serial number; the answer is F4 with 9 characters."""
    return command(SERIAL_NUMBER, bytes((0x02, 0x02)))
