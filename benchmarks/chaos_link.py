"""The link of benchmarks/chaos.py: a TCP proxy that is cut, loudly or silently."""

import contextlib
import selectors
import socket
import struct
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

PIECE = 1 << 16
TICK_S = 0.1
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: close says RST


@dataclass(slots=True, eq=False)
class _Pair:
    """One connection; a dead one stays open, and nothing passes through it any more."""

    near: socket.socket
    far: socket.socket
    dead: bool = False


class CutLink:
    """Forwards local connections to one address, until it is cut.

    Attributes:
        port: where the near side connects to.
        carried: bytes forwarded, both ways.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.carried = 0
        self._pairs: list[_Pair] = []
        self._cut = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._listening.close()
        self._drop(silently=False)

    def cut(self, *, silently: bool) -> None:
        """Cut it. Loudly: connections are reset. Silently: they stay open, and nothing passes any more."""
        self._cut.set()
        self._drop(silently=silently)

    def mend(self) -> None:
        """Let new connections through; old ones stay dead, as behind a modem with a new address."""
        self._cut.clear()

    def _drop(self, *, silently: bool) -> None:
        with self._lock:
            for pair in self._pairs:
                if silently:
                    pair.dead = True
                    continue
                for end in (pair.near, pair.far):
                    with contextlib.suppress(OSError):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    end.close()
            if not silently:
                self._pairs.clear()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._turn()
            except (OSError, ValueError):
                continue  # a connection was cut in the middle of this turn

    def _turn(self) -> None:
        with self._lock:
            pairs = [pair for pair in self._pairs if not pair.dead]
        with selectors.DefaultSelector() as ready:
            ready.register(self._listening, selectors.EVENT_READ)
            for pair in pairs:
                for end, other in ((pair.near, pair.far), (pair.far, pair.near)):
                    ready.register(end, selectors.EVENT_READ, (pair, end, other))
            for key, _ in ready.select(TICK_S):
                if key.data is None:
                    self._accept()
                else:
                    self._forward(*key.data)

    def _accept(self) -> None:
        near, _ = self._listening.accept()
        if self._cut.is_set():
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            near.close()
            return
        try:
            far = socket.create_connection(self._target, timeout=1.0)
        except OSError:
            near.close()
            return
        far.settimeout(5.0)
        near.settimeout(5.0)
        with self._lock:
            self._pairs.append(_Pair(near, far))

    def _forward(self, pair: _Pair, end: socket.socket, other: socket.socket) -> None:
        if pair.dead:
            return
        data = b""
        with contextlib.suppress(OSError):
            data = end.recv(PIECE)
            other.sendall(data)
            self.carried += len(data)
        if not data:
            with self._lock:
                if pair in self._pairs:
                    self._pairs.remove(pair)
            end.close()
            other.close()
