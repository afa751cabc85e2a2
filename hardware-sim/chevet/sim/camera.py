"""A network camera: MJPEG over HTTP (multipart/x-mixed-replace), showing a virtual ear."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from chevet.sim.errors import ServeError
from chevet.sim.otoscope_video import FRAMES_PER_S, Lens, OtoscopeVideo

log = logging.getLogger(__name__)

BOUNDARY = b"chevet-sim-frame"
REQUEST_WITHIN_S = 5.0
PATH = b"/stream"
OTHER = {"left": "right", "right": "left"}
BACKLOG_BYTES = 200_000
"""A client further behind than this misses frames, as with a real camera."""


@dataclass(slots=True)
class Ear:
    """What the camera looks at; every switch can be turned while it runs.

    Attributes:
        side, condition: which drawing, see `chevet.sim.eardrum`; condition "" is what the patient has there.
        wrong_side: the worker looks into the other ear.
        defocus: the lens is not focused.
        fog, smear, glare, dark, shake: 0 (none) to 1; see `chevet.sim.otoscope_video.Lens`.
        frozen: the camera sends nothing.
        stuck: it sends the same picture again and again.
        slow: pictures a second, 0 for as many as it can.
        garbage: each image is cut off and followed by noise with this probability.
        lost: each image is lost with this probability.
    """

    side: str = "right"
    condition: str = "normal"
    wrong_side: bool = False
    defocus: bool = False
    fog: float = 0.0
    smear: float = 0.0
    glare: float = 0.0
    dark: float = 0.0
    shake: float = 0.0
    frozen: bool = False
    stuck: bool = False
    slow: float = 0.0
    garbage: float = 0.0
    lost: float = 0.0

    def lens(self) -> Lens:
        """Return what is between the ear and the sensor."""
        return Lens(self.defocus, self.fog, self.smear, self.glare, self.dark, self.shake)


class Camera:
    """Serves one virtual otoscope to any number of clients."""

    def __init__(
        self,
        ear: Ear,
        seed: int,
        clock: Callable[[], float] = time.monotonic,
        patient: Callable[[str], str] | None = None,
    ) -> None:
        self.ear = ear
        self._patient = patient
        self._stuck_at = 0
        self._seed = seed
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - noise, not secrets
        self._videos: dict[tuple[str, str], OtoscopeVideo] = {}
        self._server: asyncio.Server | None = None
        self._port = 0
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where the stream is."""
        return f"http://127.0.0.1:{self._port}{PATH.decode()}"

    async def plug(self, port: int = 0) -> None:
        """Start serving; a camera that comes back keeps its port.

        Raises:
            ServeError: the port is taken.
        """
        if self._server is not None:
            return
        wanted = port or self._port
        try:
            self._server = await asyncio.start_server(self._client, "127.0.0.1", wanted)
        except OSError as error:
            raise ServeError(
                f"port {wanted}", f"port {wanted} for the camera is taken; choose another: --camera-port"
            ) from error
        self._port = int(self._server.sockets[0].getsockname()[1])

    async def unplug(self) -> None:
        """Close the port and every stream."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await server.wait_closed()

    async def run(self) -> None:
        """Serve until cancelled."""
        await self.plug()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self.unplug()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._answer(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client went away or never asked properly
        except asyncio.CancelledError:
            pass  # unplugged: the task ends here, and start_server must not report it
        finally:
            self._serving.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(REQUEST_WITHIN_S):
            request = await reader.readuntil(b"\r\n\r\n")
        words = request.split(maxsplit=2)
        if len(words) < 2 or words[0] != b"GET" or words[1].split(b"?")[0] != PATH:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        writer.write(
            b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nConnection: close\r\n"
            b"Content-Type: multipart/x-mixed-replace; boundary=" + BOUNDARY + b"\r\n\r\n"
        )
        await self._stream(writer)

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        began = self._clock()
        frame = 0
        while not writer.is_closing():
            jpeg = await self.picture(int(self._clock() * FRAMES_PER_S))
            if self._sends() and writer.transport.get_write_buffer_size() < BACKLOG_BYTES:
                writer.write(part(self._spoiled(jpeg)))
            rate_hz = min(self.ear.slow or FRAMES_PER_S, FRAMES_PER_S)
            every = max(1, round(FRAMES_PER_S / rate_hz))
            frame = max(frame + every, int((self._clock() - began) * FRAMES_PER_S))
            await asyncio.sleep(max(0.0, began + frame / FRAMES_PER_S - self._clock()))

    def _sends(self) -> bool:
        return not self.ear.frozen and not (self.ear.lost > 0 and self._random.random() < self.ear.lost)

    def has(self, side: str) -> str:
        """Return what the patient has in that ear."""
        return self._patient(side) if self._patient else Ear().condition

    def cut(self) -> None:
        """Break every stream off; the camera goes on and takes new ones."""
        for task in list(self._serving):
            task.cancel()

    async def look_at(self, condition: str, side: str) -> None:
        """Turn to another ear; it has been drawn when this returns, and the next frame shows it."""
        await self._video(condition or self.has(side), side)
        self.ear.condition, self.ear.side = condition, side

    async def _video(self, condition: str, side: str) -> OtoscopeVideo:
        key = (condition, side)
        if key not in self._videos:
            self._videos[key] = await asyncio.to_thread(OtoscopeVideo, *key, self._seed)
        return self._videos[key]

    async def picture(self, frame: int) -> bytes:
        """Return what it sees in picture number `frame`, as JPEG."""
        ear = self.ear
        side = OTHER[ear.side] if ear.wrong_side else ear.side
        video = await self._video(ear.condition or self.has(side), side)
        if not ear.stuck:
            self._stuck_at = frame
        return await asyncio.to_thread(video.jpeg, self._stuck_at, lens=ear.lens())

    def _spoiled(self, jpeg: bytes) -> bytes:
        if self.ear.garbage <= 0 or self._random.random() >= self.ear.garbage:
            return jpeg
        kept = self._random.randrange(len(jpeg))
        return jpeg[:kept] + self._random.randbytes(64)


def part(jpeg: bytes) -> bytes:
    """Return one part of the multipart stream."""
    head = b"--%b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % (BOUNDARY, len(jpeg))
    return head + jpeg + b"\r\n"
