"""A virtual Wi-Fi ear camera of the Suear / i4season family: real UDP, and what the air does to it."""

import asyncio
import random
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

JPEG = Callable[[int], Awaitable[bytes]]
"""Returns image number n."""

Hear = Callable[[bytes, tuple[Any, ...]], None]

FRAMES_PER_S = 17.0
"""As a real camera was seen to send."""
PART = 1280
USUAL_PORT = 22785
"""Where the maker's older app listens; it does not say so in its request."""
HOST = "127.0.0.1"
ERROR = 1


class WifiCamera:
    """One camera, which sends to whoever asked last.

    Args:
        jpeg: gives its images.
        seed: of what goes wrong.
        host: where it is; a real one is its own access point, at 192.168.1.1.
        clock: monotonic seconds.
        newer: whether the app's port is read from its request, as newer firmware does.

    Attributes:
        loss, duplicate, reorder: each datagram's probability.
        silence: it sends nothing.
        power: battery, per cent.
        charging: whether it hangs on its charger.
        led: whether its light is on.
        frames: images that it has sent, or tried to.
    """

    def __init__(
        self,
        jpeg: JPEG,
        seed: int,
        host: str = HOST,
        clock: Callable[[], float] = time.monotonic,
        *,
        newer: bool = True,
    ) -> None:
        self.loss = self.duplicate = self.reorder = 0.0
        self.silence = False
        self.power, self.charging, self.led = 80, False, True
        self.frames = 0
        self.serial = f"SIM{seed:05d}W"
        self._jpeg, self._host, self._clock, self._newer = jpeg, host, clock, newer
        self._random = random.Random(seed)  # noqa: S311 - noise, not secrets
        self._command: asyncio.DatagramTransport | None = None
        self._video: asyncio.DatagramTransport | None = None
        self._ports = (0, 0)
        self._client: tuple[str, int] | None = None
        self._late: bytes | None = None
        self._chunk = self._frame = 0

    @property
    def url(self) -> str:
        """Its link; valid once it has been plugged in."""
        own = "0" if self._newer else str(USUAL_PORT)
        return f"wificam:{self._host}?port={own}&command={self._ports[0]}&video={self._ports[1]}"

    @property
    def plugged(self) -> bool:
        """Whether it is switched on."""
        return self._video is not None

    async def plug(self) -> None:
        """Switch it on; it comes back at the ports that it had."""
        if self._video is not None:
            return
        self._command = await self._hearing(self._ports[0], self._asked)
        self._video = await self._hearing(self._ports[1], self._asked_video)
        self._ports = (_port(self._command), _port(self._video))
        self._chunk = self._frame = 0
        self._client = None

    async def _hearing(self, port: int, hear: Hear) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        return (await loop.create_datagram_endpoint(lambda: _Ear(hear), local_addr=(self._host, port)))[0]

    async def unplug(self) -> None:
        """Switch it off: it forgets who had asked, and its counters."""
        for transport in (self._command, self._video):
            if transport is not None:
                transport.close()
        self._command = self._video = None
        await asyncio.sleep(0)

    async def restart(self) -> None:
        """Switch it off and on."""
        await self.unplug()
        await self.plug()

    async def run(self) -> None:
        """Serve until cancelled."""
        await self.plug()
        began, shown = self._clock(), 0
        try:
            while True:
                await self.show(shown)
                shown = max(shown + 1, int((self._clock() - began) * FRAMES_PER_S))
                await asyncio.sleep(max(0.0, began + shown / FRAMES_PER_S - self._clock()))
        finally:
            await self.unplug()

    async def show(self, number: int) -> None:
        """Send image `number` to whoever asked last."""
        image = await self._jpeg(number)
        if self._client is None or self._video is None or self.silence:
            return
        for datagram in self._cut(image):
            for one in self._through_the_air(datagram):
                self._video.sendto(one, self._client)
        self.frames += 1

    def _cut(self, image: bytes) -> list[bytes]:
        """Return an image's datagrams, the last padded to four bytes."""
        parts = [image[at : at + PART] for at in range(0, len(image), PART)]
        parts[-1] += bytes(-len(parts[-1]) % 4)
        self._frame = (self._frame + 1) & 0xFF
        found = []
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            self._chunk = (self._chunk + 1) & 0xFF
            head = bytes((1, self._chunk, self._frame, last, len(parts) if last else 0, 0)) + bytes(6)
            found.append(head + (640).to_bytes(2, "little") + (480).to_bytes(2, "little") + part)
        return found

    def _through_the_air(self, datagram: bytes) -> list[bytes]:
        """Return what arrives instead of one datagram: nothing, it, it twice, or it after the next."""
        if self._random.random() < self.loss:
            return []
        if self._late is None and self._random.random() < self.reorder:
            self._late = datagram
            return []
        arriving = [datagram] * (2 if self._random.random() < self.duplicate else 1)
        if self._late is not None:
            arriving.append(self._late)
            self._late = None
        return arriving

    def _asked_video(self, data: bytes, address: tuple[Any, ...]) -> None:
        if data[:4] != b"\xee\xff\xee\xff" or data[6:8] != b"\x04\x00" or self._video is None:
            return
        port = USUAL_PORT
        if self._newer:
            if len(data) < 14:
                return
            port = int.from_bytes(data[12:14], "little")
        self._client = (address[0], port)
        self._video.sendto(_answer(data, b""), address)

    def _asked(self, data: bytes, address: tuple[Any, ...]) -> None:
        if len(data) < 12 or data[:4] != b"\xee\xff\xee\xff" or self._command is None or self.silence:
            return
        match int.from_bytes(data[6:8], "little"):
            case 1:
                answer = _answer(data, self._info())
            case 2:
                answer = _answer(data, self.serial.encode().ljust(32, b"\0") + bytes(144))
            case 10:
                self.led = data[12:13] == b"\x01"
                answer = _answer(data, b"")
            case _:
                answer = _answer(data, b"", ERROR)
        self._command.sendto(answer, address)

    def _info(self) -> bytes:
        power = self.power << 9 | self.charging << 8
        names = struct.pack("<x32s32s16s32s", b"chevet-sim", b"Ear camera", b"1.0", b"Sim-0001")
        return names + bytes(6) + power.to_bytes(2, "little") + bytes(7)


class _Ear(asyncio.DatagramProtocol):
    """Passes datagrams on."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._hear(data, addr)

    def error_received(self, exc: Exception) -> None:
        """Take note that the client is gone: it will ask again when it is back."""


def _port(transport: asyncio.DatagramTransport) -> int:
    return int(transport.get_extra_info("sockname")[1])


def _answer(asked: bytes, data: bytes, error: int = 0) -> bytes:
    """Return the answer to a command: its own head with error and length."""
    return asked[:8] + bytes((1, error)) + len(data).to_bytes(2, "little") + data
