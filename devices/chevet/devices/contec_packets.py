"""Packets of Contec's newer oximeters: a type byte with bit 7 clear, all others with bit 7 set.

`[0] type, [1] bits 7 of the data (bit i belongs to byte i), [2..] up to seven data bytes`. No checksum.
Source: Contec's "Communication protocol of pulse oximeter V7.0", as Brad Martin's program has its table.
"""

from chevet.devices.counters import Counters

PACKET_BYTES = 9
HOST_COMMAND = 0x7D
LEAST_DATA = {
    0x01: 7,  # live data
    0x02: 1,  # model, one part
    0x03: 1,  # vendor, one part
    0x04: 0,  # device id
    0x05: 0,  # user
    0x07: 0,  # start date of a stored recording
    0x08: 6,  # its length: user, segment, u32 bytes
    0x09: 4,  # stored data with perfusion index
    0x0A: 0,  # stored recordings, their number
    0x0B: 2,  # command refused: command, reason
    0x0C: 0,  # command taken
    0x0D: 0,  # the device disconnects: reason
    0x0E: 0,  # whether it knows the perfusion index
    0x0F: 2,  # stored data: up to three times SpO2 and pulse rate
    0x10: 0,  # users, their number
    0x11: 0,  # notices
    0x12: 0,  # start time of a stored recording
    0x15: 0,  # what a stored recording holds
}
"""Types the device may send, and the least of data without which one is broken (padding may be missing)."""

Cut = tuple[int, int, bytes]
"""Bytes skipped before a packet, its type, its data with their bits 7."""


def command(code: int) -> bytes:
    """Return a command for user 0, recording 0, padded to full length."""
    return bytes((HOST_COMMAND, 0x81, code)) + b"\x80" * 6


class ContecPackets:
    """Cuts the stream. A packet ends with the next type byte or after nine bytes, as some omit padding."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._packet = bytearray()
        self._skipped = 0

    @property
    def pending(self) -> int:
        """Bytes of a packet that may not be whole yet."""
        return len(self._packet)

    def restart(self) -> None:
        """Forget what is not whole: another connection begins."""
        self._packet.clear()
        self._skipped = 0

    def end(self) -> list[Cut]:
        """Take what is pending as whole: nothing followed it."""
        found = self._whole() if self._packet else []
        self._packet.clear()
        return found

    def feed(self, data: bytes) -> list[Cut]:
        """Return the packets that `data` completed."""
        found: list[Cut] = []
        for byte in data:
            if byte < 0x80:
                found += self.end()
                self._packet.append(byte)
            elif self._packet:
                self._packet.append(byte)
                if len(self._packet) == PACKET_BYTES:
                    found += self.end()
            else:
                self._skip(1)
        return found

    def _whole(self) -> list[Cut]:
        type_, *body = self._packet
        least = LEAST_DATA.get(type_)
        if least is None or len(body) <= least:
            self._skip(len(self._packet))
            return []
        bits, *low = body
        skipped, self._skipped = self._skipped, 0
        self._counters.frames += 1
        self._counters.resyncs += bool(skipped)
        data = bytes(byte & 0x7F | (bits >> place & 1) << 7 for place, byte in enumerate(low))
        return [(skipped, type_, data)]

    def _skip(self, count: int) -> None:
        self._counters.bad_frames += not self._skipped
        self._skipped += count
