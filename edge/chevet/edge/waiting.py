"""A box that waits for the key of its disk: one screen that asks for the passphrase, and nothing else.

No instrument is started, no study is sent and nothing of a patient is known until it is open. A stick with
the key file does as well as the passphrase, whenever it is put in.
"""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Annotated, Any, Final

import uvicorn
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, ConfigDict, StringConstraints

from chevet.edge.at_rest import DataKey
from chevet.edge.covered_files import bring_forward
from chevet.edge.disk import MEGABYTE, Disk
from chevet.edge.errors import Refusal, SettingsError
from chevet.edge.guard import add_error_forms
from chevet.edge.key_ways import brought
from chevet.edge.lock_file import LONGEST, Lock, read_lock
from chevet.edge.screens import add_screens
from chevet.edge.settings import EdgeSettings
from chevet.edge.trust import known_name

log = logging.getLogger(__name__)

TRIES: Final = 5
PAUSE_S: Final = 60.0
LONGEST_PAUSE_S: Final = 960.0
"""Each further wrong one doubles the pause, up to a quarter of an hour: nobody is shut out for good."""
LOOK_EVERY_S: Final = 2.0
GOODBYE_S: Final = 3


class Said(BaseModel):
    """What was typed: the passphrase or the recovery code."""

    model_config = ConfigDict(extra="forbid", strict=True)
    passphrase: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]


class Brake:
    """Slows down who guesses: five wrong ones in peace, then pauses that double; one guess at a time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._wrong = 0
        self._until = 0.0

    def left_s(self) -> float:
        """Return seconds until the next try, 0 when it may be now."""
        return max(0.0, self._until - self._monotonic())

    def wrong(self) -> None:
        """Count a wrong one."""
        self._wrong += 1
        if self._wrong >= TRIES:
            pause = min(PAUSE_S * 2 ** (self._wrong - TRIES), LONGEST_PAUSE_S)
            self._until = self._monotonic() + pause


class Waiting:
    """One box that waits.

    Attributes:
        key: what was found, None until then.
        done: set when there is a key, or when it is to wait no more.
    """

    def __init__(self, settings: EdgeSettings, lock: Lock, monotonic: Callable[[], float]) -> None:
        self.settings = settings
        self.lock = lock
        self.key: DataKey | None = None
        self.done = asyncio.Event()
        self.brake = Brake(monotonic)
        self._one = asyncio.Lock()
        self._told = ""

    async def take(self, said: str) -> None:
        """Try what was typed.

        Raises:
            Refusal: wrong_passphrase (401), or too_many_attempts (429).
        """
        async with self._one:  # each try takes 64 MB and all cores
            left = self.brake.left_s()
            if left:
                raise Refusal(
                    "too_many_attempts", f"Too many wrong tries; wait {left:.0f} seconds.", status=429
                )
            key = await asyncio.to_thread(self.lock.open, said)
            if key is None:
                self.brake.wrong()
                log.warning("a wrong passphrase was given")
                raise Refusal(
                    "wrong_passphrase",
                    "This does not open the box; try again.",
                    status=401,
                    field="passphrase",
                )
            self.key = key
            self.done.set()

    async def watch(self) -> None:
        """Look for a key file until one opens the box."""
        while not self.done.is_set():
            self.key = await asyncio.to_thread(self.look)
            if self.key is not None:
                self.done.set()
                return
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> DataKey | None:
        """Return the key where something that was brought gives it; say once what does not fit."""
        try:
            return brought(self.settings, self.lock)
        except SettingsError as error:
            if error.sentence != self._told:
                self._told = error.sentence
                log.warning("%s", error.sentence)
            return None

    def shape(self) -> dict[str, Any]:
        """Return what GET /api/lock answers."""
        return {
            "locked": True,
            "version": version("chevet"),
            "site": known_name(self.settings.data_dir),
            "languages": list(self.settings.languages),
            "label": self.settings.label,
            "passphrase": self.lock.has("passphrase"),
            "key_file": self.settings.lock.key_file is not None,
            "wait_s": round(self.brake.left_s()),
        }


def waiting_app(waiting: Waiting) -> FastAPI:
    """Return the application of a box that waits."""
    app = FastAPI(title="Chevet edge, waiting", openapi_url=None, docs_url=None, redoc_url=None)
    settings = waiting.settings
    add_error_forms(app, Disk(settings.data_dir, settings.disk_low_mb * MEGABYTE, 0, 0))
    app.include_router(_routes(waiting))
    return add_screens(app)


def _routes(waiting: Waiting) -> APIRouter:
    routes = APIRouter(prefix="/api")

    @routes.get("/lock")
    async def lock() -> dict[str, Any]:
        return waiting.shape()

    @routes.post("/lock", status_code=204)
    async def open_lock(body: Said) -> None:
        await waiting.take(body.passphrase)

    @routes.api_route("/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def locked(rest: str) -> None:  # noqa: ARG001 - whatever is asked
        raise Refusal("locked", "The box waits for its passphrase; give it on the screen.", status=423)

    return routes


async def key_of_disk(
    settings: EdgeSettings,
    listening: socket.socket,
    monotonic: Callable[[], float],
    ready: Callable[[], None],
) -> tuple[bool, DataKey | None]:
    """Return whether to go on, and the key of the disk, None where it has none.

    Waits for it as long as it takes; what still lies in the clear is covered before this returns.

    Args:
        settings: of the box.
        listening: bound; a screen is served on it while the key is awaited.
        monotonic: seconds.
        ready: called when that screen can be opened.

    Raises:
        SettingsError: the lock file is damaged.
    """
    lock = read_lock(settings.data_dir)
    if lock is None:
        return True, None
    waiting = Waiting(settings, lock, monotonic)
    waiting.key = await asyncio.to_thread(waiting.look)
    if waiting.key is None:
        await _serve_until_done(waiting, listening, ready)
    if waiting.key is None:
        return False, None
    count = await asyncio.to_thread(bring_forward, settings.data_dir, waiting.key)
    if count:
        log.info("%d files that lay in the clear are covered now", count)
    return True, waiting.key


async def _serve_until_done(waiting: Waiting, listening: socket.socket, ready: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, waiting.done.set)
    server = _Server(
        uvicorn.Config(
            waiting_app(waiting),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GOODBYE_S,
        )
    )
    log.info("the box waits for its passphrase or its key")
    async with asyncio.TaskGroup() as group:
        # The server closes what it was given; the agent goes on with the other end of the same door.
        serving = group.create_task(server.serve(sockets=[listening.dup()]))
        watching = group.create_task(waiting.watch())
        ready()
        await waiting.done.wait()
        server.should_exit = True
        await serving
        watching.cancel()


class _Server(uvicorn.Server):
    """A server that leaves signals to the agent."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield
