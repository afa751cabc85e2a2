"""Record Access Control Point 0x2A52: how a Bluetooth device is asked for what it has stored.

Shared by the Glucose and Pulse Oximeter Services. Both the measurement and the control point must be
subscribed before the first request.
"""

from chevet.devices.errors import BrokenPayload
from chevet.devices.gatt import uuid

CONTROL_POINT = uuid(0x2A52)
HIGHEST_SEQUENCE = 0xFFFF
REPORT, RESPONSE = 0x01, 0x06
ALL, AT_LEAST = 0x01, 0x03
BY_SEQUENCE = 0x01
SUCCESS, NO_RECORDS = 0x01, 0x06


def report_all() -> bytes:
    """Return the request for every record."""
    return bytes((REPORT, ALL))


def report_from(sequence: int) -> bytes:
    """Return the request for the records from `sequence` on."""
    return bytes((REPORT, AT_LEAST, BY_SEQUENCE)) + sequence.to_bytes(2, "little")


def answer_to_report(data: bytes) -> int | None:
    """Return the response code to a request for records, None where the indication answers something else.

    Raises:
        BrokenPayload: it is no indication of a control point.
    """
    if len(data) < 2:
        raise BrokenPayload("control_point")
    if data[0] != RESPONSE:
        return None
    if len(data) < 4:
        raise BrokenPayload("control_point")
    return data[3] if data[2] == REPORT else None


def mark(sequence: int) -> str:
    """Return the mark of the newest record that was given."""
    return f"sequence={sequence}"


def marked(text: str) -> int | None:
    """Return the sequence number of a mark, None where it names none."""
    word, _, number = text.partition("=")
    if word != "sequence" or not (number.isascii() and number.isdigit()) or len(number) > 5:
        return None
    return int(number) if int(number) <= HIGHEST_SEQUENCE else None
