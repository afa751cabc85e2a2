"""The unit that every link delivers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Packet:
    """Bytes as they arrived.

    Attributes:
        data: what the wire gave, cut anywhere (a serial read, one BLE notification, one JPEG image).
        at: host monotonic clock at arrival, in seconds.
        source: GATT characteristic UUID (lower case, 128 bit) on BLE, else "".
    """

    data: bytes
    at: float
    source: str = ""
