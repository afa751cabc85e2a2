"""What all cameras share: of pictures only the newest waits, while words and buttons are never dropped."""

from chevet.bridge.base import Clock, QueuedLink
from chevet.bridge.errors import LinkError
from chevet.bridge.packet import Packet

PICTURE, BUTTON, INFO = "", "button", "info"
"""Sources of packets: an image; the snapshot button was pressed; ASCII words `name=value`, joined by `;`."""


class NewestPictureLink(QueuedLink):
    """A viewer that is late wants the present picture, not a queue of old ones."""

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(url, clock)

    def _put_picture(self, packet: Packet) -> None:
        """Queue an image instead of one that waits."""
        waiting = next((old for old in self._packets if old.source == PICTURE), None)
        if waiting is not None:
            self._packets.remove(waiting)
            self.dropped += 1
        self._put_packet(packet)

    async def send(self, data: bytes) -> None:
        """Refuse: cameras are only read. An empty `data` is taken silently.

        Raises:
            LinkError: there was something to send.
        """
        if data:
            raise LinkError(self.url, "not_writable")
