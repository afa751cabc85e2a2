"""Wi-Fi ear cameras of the Suear / i4season family, over UDP (`wificam:192.168.1.1`)."""

import asyncio
import contextlib
import errno
import logging
import socket
from dataclasses import dataclass
from typing import Any

from chevet.bridge import wifi_frames as wire
from chevet.bridge.base import Clock
from chevet.bridge.errors import LinkUnavailable
from chevet.bridge.newest_picture import INFO, NewestPictureLink
from chevet.bridge.packet import Packet
from chevet.bridge.url import split_url

log = logging.getLogger(__name__)

COMMAND_PORT, VIDEO_PORT, LOCAL_PORT = 10005, 10006, 22785
RECEIVE_BYTES = 1 << 20
"""About a second of video, should this process be busy."""
ASK_AGAIN_S = 1.0
"""While opening: lost requests are repeated."""
OPEN_TIMEOUT_S = 5.0
WATCH_S = 0.5
QUIET_S = 3.0
"""Without video for so long the camera is asked again: it was switched off and on."""
LOST_S = 9.0
INFO_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class WantedWifiCamera:
    """Where the camera is, which of our ports it shall send to, and whether its light is to be on."""

    host: str
    port: int
    command_port: int
    video_port: int
    led: bool | None


def parse_wifi_camera(url: str) -> WantedWifiCamera:
    """Return what a `wificam:192.168.1.1?led=1` URL asks for.

    Raises:
        LinkUnavailable: it is misspelt.
    """
    parts = split_url(url, options=frozenset({"port", "command", "video", "led"}))
    defaults = {"port": LOCAL_PORT, "command": COMMAND_PORT, "video": VIDEO_PORT}
    ports = [parts.number(name, default) for name, default in defaults.items()]
    if any(port != int(port) or port > 65535 for port in ports) or 0 in ports[1:]:
        raise LinkUnavailable(url, "bad_url")
    if parts.options.get("led", "") not in {"", "0", "1"}:
        raise LinkUnavailable(url, "bad_url")
    led = parts.options["led"] == "1" if parts.options.get("led") else None
    return WantedWifiCamera(parts.target, int(ports[0]), int(ports[1]), int(ports[2]), led)


class WifiCameraLink(NewestPictureLink):
    """One camera; its packets are images, and words about itself (source "info") now and then.

    Attributes:
        pictures: joins the datagrams and counts what was lost.
        strangers: datagrams from others than the camera.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(url, clock)
        self.pictures = wire.PictureAssembler()
        self.strangers = 0
        self._wanted = parse_wifi_camera(url)
        self._host = ""
        self._transport: asyncio.DatagramTransport | None = None
        self._watching: asyncio.Task[None] | None = None
        self._first = asyncio.Event()
        self._number = 1
        self._asked = 0
        self._heard_at = 0.0
        self._told = ""
        self._words: dict[str, str] = {}

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._wanted.host, None, family=socket.AF_INET)
            self._host = str(found[0][4][0])
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: _Heard(self), sock=self._socket()
            )
        except OSError as error:
            raise LinkUnavailable(self.url, _reason(error)) from error
        self._first.clear()
        try:
            await self._ask_until_video()
        except BaseException:
            self._transport.close()
            raise
        self._heard_at = self._clock()
        self._watching = loop.create_task(self._watch())

    def _socket(self) -> socket.socket:
        receiving = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            receiving.setblocking(False)
            with contextlib.suppress(OSError):
                receiving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            receiving.bind(("", self._wanted.port))
        except OSError:
            receiving.close()
            raise
        return receiving

    async def _ask_until_video(self) -> None:
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                while not self._first.is_set():
                    self._ask_about()
                    self._ask_video()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(ASK_AGAIN_S):
                            await self._first.wait()
        except TimeoutError:
            raise LinkUnavailable(self.url, "not_found") from None

    def _ask_video(self) -> None:
        """Ask for video, by turns in the newer form, which names our port, and in the older one."""
        self._asked += 1
        assert self._transport is not None
        port = int(self._transport.get_extra_info("sockname")[1])
        newer = wire.open_video(self._number, port)
        older = wire.command(wire.OPEN_VIDEO, self._number)
        self._send(newer if self._asked % 2 else older, self._wanted.video_port)

    def _ask_about(self) -> None:
        port = self._wanted.command_port
        self._send(wire.command(wire.DEVICE_INFO, self._number), port)
        if "serial" not in self._words:
            self._send(wire.command(wire.LICENCE, self._number), port)
        if self._wanted.led is not None:
            self._send(wire.command(wire.SET_LED, self._number, bytes([self._wanted.led])), port)

    def _send(self, data: bytes, port: int) -> None:
        assert self._transport is not None
        self._transport.sendto(data, (self._host, port))
        self._number += 1

    async def _watch(self) -> None:
        """Ask again when video stops, and how the battery is now and then; give up at last."""
        asked_at = told_at = self._clock()
        while True:
            await asyncio.sleep(WATCH_S)
            now = self._clock()
            if now - self._heard_at > LOST_S:
                self._lose("disconnected")
                return
            if now - max(self._heard_at, asked_at) > QUIET_S:
                asked_at = now
                self.pictures.restart()
                self._ask_video()
            if now - told_at > INFO_EVERY_S:
                told_at = now
                self._ask_about()

    def hear(self, datagram: bytes, address: tuple[Any, ...]) -> None:
        """Take one datagram that arrived from `address`."""
        if address[0] != self._host:
            self.strangers += 1
            return
        answer = wire.parse_answer(datagram)
        if answer is not None:
            self._answered(answer)
            return
        image = self.pictures.feed(datagram)
        if image is not None:
            self._heard_at = self._clock()
            self._first.set()
            self._put_picture(Packet(image, self._heard_at))

    def _answered(self, answer: wire.Answer) -> None:
        if answer.error:
            log.info("%s: refused command %d with error %d", self.url, answer.type, answer.error)
            return
        if answer.type == wire.DEVICE_INFO:
            self._words |= wire.device_words(answer.data)
        elif answer.type == wire.LICENCE and (serial := wire.serial_word(answer.data)):
            self._words["serial"] = serial
        words = ";".join(f"{name}={value}" for name, value in self._words.items())
        if words != self._told:
            self._told = words
            self._put(words.encode("ascii", "replace"), INFO)

    async def _disconnect(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()


class _Heard(asyncio.DatagramProtocol):
    """Passes datagrams on to the link."""

    def __init__(self, link: WifiCameraLink) -> None:
        self._link = link

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._link.hear(data, addr)

    def error_received(self, exc: Exception) -> None:
        # A camera that is off answers "port unreachable": the watch decides when it is lost.
        log.debug("%s: %s", self._link.url, exc)


def _reason(error: OSError) -> str:
    return {errno.EADDRINUSE: "busy", errno.EACCES: "no_permission"}.get(error.errno or 0, "not_found")
