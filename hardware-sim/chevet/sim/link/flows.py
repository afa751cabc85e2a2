"""Which connection an IP packet belongs to, so that those from before a new address can be left dead."""

from typing import TypeAlias

Flow: TypeAlias = tuple[int, bytes, bytes, bytes, bytes]
"""Protocol, near address and port, far address and port."""
_TCP, _UDP = 6, 17


def flow(packet: bytes, *, upward: bool) -> Flow | None:
    """Return the flow of an IPv4 packet with TCP or UDP in it, None for anything else."""
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return None
    head = (packet[0] & 15) * 4
    protocol = packet[9]
    if protocol not in (_TCP, _UDP) or len(packet) < head + 4:
        return None
    source = packet[12:16], packet[head : head + 2]
    target = packet[16:20], packet[head + 2 : head + 4]
    near, far = (source, target) if upward else (target, source)
    return protocol, *near, *far


class Flows:
    """Flows that are alive, and those that an address change left dead."""

    def __init__(self) -> None:
        self._seen: set[Flow] = set()
        self._dead: set[Flow] = set()

    def alive(self, packet: bytes, *, upward: bool) -> bool:
        """Return whether a packet may pass."""
        found = flow(packet, upward=upward)
        if found is None:
            return True
        self._seen.add(found)
        return found not in self._dead

    def rebind(self) -> None:
        """The near side has another address: nothing that was open arrives any more."""
        self._dead |= self._seen
        self._seen.clear()
