"""MQTT control packets, as far as rights need them: cut from the stream, and four of them read. No I/O.

MQTT 3.1.1 (OASIS 2014) and 5.0 (OASIS 2019); section numbers are the latter's.
"""

from dataclasses import dataclass, replace
from typing import Final

CONNECT, PUBLISH, SUBSCRIBE, AUTH = 1, 3, 8, 15
LARGEST: Final = 300 * 1024
"""Bytes of a packet: the largest chunk of the exchange four times over, as the brokers are set too."""
_V311, _V5 = 4, 5


class Malformed(Exception):  # noqa: N818 - named for what it is
    """These bytes are no MQTT, or more than we carry; the connection ends."""


class Frames:
    """Cuts a stream of bytes into whole packets; holds at most one that is not yet whole."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the packets that are whole now.

        Raises:
            Malformed: a length is no length, or too large.
        """
        self._held += data
        found = []
        while (size := self._size()) is not None and size <= len(self._held):
            found.append(bytes(self._held[:size]))
            del self._held[:size]
        return found

    def _size(self) -> int | None:
        """Return how long the packet at the head is, fixed header and all (2.1.4)."""
        length, shift = 0, 0
        for place in range(1, min(len(self._held), 5)):
            byte = self._held[place]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if length > LARGEST:
                    raise Malformed("packet too large")
                return 1 + place + length
        if len(self._held) >= 5:
            raise Malformed("length of more than four bytes")
        return None


@dataclass(frozen=True, slots=True)
class Connect:
    """What a client says of itself (3.1); `will` is the topic of its last will, None without one."""

    level: int
    flags: int
    head: bytes  # keep-alive, and for version 5 the properties
    client_id: str
    will_bytes: bytes
    will: str | None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def take(self, count: int) -> bytes:
        found = self._data[self.at : self.at + count]
        if len(found) != count:
            raise Malformed("cut short")
        self.at += count
        return found

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def binary(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        try:
            found = self.binary().decode()
        except UnicodeDecodeError:
            raise Malformed("no UTF-8") from None
        if "\0" in found:
            raise Malformed("a null character")
        return found

    def variable(self) -> int:
        length = 0
        for shift in range(0, 28, 7):
            byte = self.number(1)
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                return length
        raise Malformed("length of more than four bytes")

    def properties(self) -> bytes:
        start = self.at
        self.take(self.variable())
        return self._data[start : self.at]

    @property
    def ended(self) -> bool:
        return self.at == len(self._data)


def kind(packet: bytes) -> int:
    """Return the packet's type, 0 to 15 (2.1.2)."""
    return packet[0] >> 4


def read_connect(packet: bytes) -> Connect:
    """Read a CONNECT packet.

    Raises:
        Malformed: it is none, or of another version than 3.1.1 and 5.
    """
    reader = _Reader(_body(packet))
    if reader.text() != "MQTT" or (level := reader.number(1)) not in (_V311, _V5):
        raise Malformed("neither MQTT 3.1.1 nor 5")
    flags, head = reader.number(1), reader.take(2)
    if level == _V5:
        head += reader.properties()
    client_id, start, will = reader.text(), reader.at, None
    if flags & 0x04:
        if level == _V5:
            reader.properties()
        will = reader.text()
        reader.binary()
    will_bytes = _body(packet)[start : reader.at]
    for bit in (0x80, 0x40):
        if flags & bit:
            reader.binary()
    if not reader.ended:
        raise Malformed("more than a CONNECT")
    return Connect(level, flags, head, client_id, will_bytes, will)


def write_connect(connect: Connect, client_id: str, username: str, password: bytes) -> bytes:
    """Return the CONNECT packet with another name and these credentials."""
    said = replace(connect, flags=(connect.flags & 0x3F) | 0xC0)
    body = _binary(b"MQTT") + bytes((said.level, said.flags)) + said.head + _binary(client_id.encode())
    body += said.will_bytes + _binary(username.encode()) + _binary(password)
    return bytes((CONNECT << 4,)) + _variable(len(body)) + body


def publish_topic(packet: bytes, level: int) -> str:
    """Return where a PUBLISH packet goes (3.3).

    Raises:
        Malformed: it is none, or it uses a topic alias, which would hide where it goes.
    """
    reader = _Reader(_body(packet))
    topic = reader.text()
    if packet[0] & 0x06:
        reader.take(2)
    if level == _V5 and _aliased(_Reader(reader.properties())):
        raise Malformed("a topic alias")
    return topic


def subscribe_filters(packet: bytes, level: int) -> list[str]:
    """Return what a SUBSCRIBE packet asks for (3.8).

    Raises:
        Malformed: it is none.
    """
    reader = _Reader(_body(packet))
    reader.take(2)
    if level == _V5:
        reader.properties()
    filters = []
    while not reader.ended:
        filters.append(reader.text())
        reader.take(1)
    return filters


def _aliased(reader: _Reader) -> bool:
    """Walk the properties a PUBLISH may have (3.3.2.3)."""
    reader.variable()
    while not reader.ended:
        match reader.variable():
            case 0x23:
                return True
            case 0x01:
                reader.take(1)
            case 0x02:
                reader.take(4)
            case 0x03 | 0x08 | 0x09:
                reader.binary()
            case 0x0B:
                reader.variable()
            case 0x26:
                reader.binary(), reader.binary()
            case _:
                raise Malformed("an unknown property")
    return False


def _body(packet: bytes) -> bytes:
    start = 2
    while start < len(packet) and packet[start - 1] & 0x80:
        start += 1
    return packet[start:]


def _binary(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _variable(length: int) -> bytes:
    found = bytearray()
    while True:
        length, byte = divmod(length, 128)
        found.append(byte | (0x80 if length else 0))
        if not length:
            return bytes(found)
