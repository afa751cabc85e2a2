"""A virtual sound card that real ALSA programs record from, without a kernel module.

An ALSA configuration in the simulator's directory defines a PCM of type "file" over "null": what it reads
comes from a named pipe, into which the card writes its sound as time goes by. The link names the
configuration, so that nothing of the machine's own sound is touched.

Limits, all of ALSA's "file" plugin (1.2.8): the pipe must be written in whole periods of the reader, which
has to ask for periods of 10 ms; an overrun is not told to the reader; when the pipe's writer goes, the
reader is given its last period again and again (so a cable that is pulled falls silent here, and the card is
gone when it is opened next). Any rate is accepted, whatever the card has: the link must ask for the card's.
"""

import asyncio
import contextlib
import fcntl
import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from chevet.sim.playback import Int16
from chevet.sim.twins.pace import Pace

PCM = "chevet_sim"
"""The driver knows by this name that the card is not real."""
PERIODS_PER_S = 100
PIPE_BUF = 4096
"""What Linux writes to a pipe in one piece: pipe(7)."""
PIPE_BYTES = 1 << 20
CATCH_UP_S = 2.0
"""A card does not pause when the computer is busy: so much is written at once then."""
ALSA_CONF = "/usr/share/alsa/alsa.conf"
REACH = 16
"""Samples of the slower sound to each side that make one of the card's."""


class Sound(Protocol):
    """What the stethoscope before the card hears."""

    rate_hz: float

    def take(self, first: int, count: int) -> Int16:
        """Return samples `first` on, shape [1, count]."""
        ...


class SoundCard:
    """One card with one stethoscope in it.

    Args:
        folder: where its configuration and its pipe are made.
        sound: what is heard.
        name: of the files.
        rate_hz: of the card, a multiple of 100.
        channels: 1, or 2 with the stethoscope on the left and hiss on the right.
        clock: monotonic seconds.

    Attributes:
        silence: the card's clock stands still: nothing comes, and what was heard meanwhile is lost.
        muted: the microphone's switch is off: digital silence.
        lost: chunks of 10 ms that no reader took in time.
        began_at: when it took its sample 0.
    """

    def __init__(
        self,
        folder: Path,
        sound: Sound,
        name: str = "sound-card",
        rate_hz: int = 48000,
        channels: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.silence = False
        self.muted = False
        self.lost = 0
        self.rate_hz, self.channels = rate_hz, channels
        self._period = rate_hz // PERIODS_PER_S
        if rate_hz % PERIODS_PER_S or not 0 < 2 * channels * self._period <= PIPE_BUF:
            raise ValueError("a card's rate is a multiple of 100 Hz, and 10 ms of it fit into 4096 bytes")
        self._sound = sound
        self._config, self._pipe = folder / f"{name}.conf", folder / f"{name}.pcm"
        if any(sign in str(self._pipe) for sign in '"\\\n'):
            raise ValueError("ALSA cannot read a path with quotes, backslashes or line ends")
        self._clock = clock
        self.began_at = clock()
        self._pace = Pace(PERIODS_PER_S, self.began_at, CATCH_UP_S)
        self._writing: int | None = None
        self._left: list[int] = []
        self._plugged = False

    @property
    def url(self) -> str:
        """Its link."""
        layout = f"rate={self.rate_hz}&channels={self.channels}"
        return f"alsa:{PCM}?{layout}&config={_quoted(self._config)}"

    @property
    def plugged(self) -> bool:
        """Whether it can be opened."""
        return self._plugged

    def plug(self) -> None:
        """Plug it in: the next to open it finds it."""
        if self._plugged:
            return
        self._pipe.unlink(missing_ok=True)
        os.mkfifo(self._pipe, 0o600)
        text = f"<{ALSA_CONF}>\npcm.{PCM} {{\n  type file\n  slave.pcm null\n  file /dev/null\n"
        _write(self._config, f'{text}  infile "{self._pipe}"\n  format raw\n}}\n')
        self._plugged = True

    def unplug(self) -> None:
        """Pull the cable: who reads hears no more, and who opens finds nothing."""
        if not self._plugged:
            return
        self._plugged = False
        _write(self._config, f"<{ALSA_CONF}>\n")
        self._pipe.unlink(missing_ok=True)
        if self._writing is not None:
            self._left.append(self._writing)  # kept until its reader has gone: see the limits above
            self._writing = None

    def step(self) -> None:
        """Write what is due now. The card runs on when nobody listens."""
        self._left = [descriptor for descriptor in self._left if not _abandoned(descriptor)]
        due = self._pace.due(self._clock())
        if not self._plugged:
            return
        if self._writing is None:
            self._writing = _opened(self._pipe)
        if self._writing is None or self.silence:
            return
        for chunk in due:
            self._write(self._chunk(chunk))

    def _write(self, data: bytes) -> None:
        if self._writing is None:
            return
        try:
            os.write(self._writing, data)
        except BlockingIOError:
            self.lost += 1
        except BrokenPipeError:
            os.close(self._writing)
            self._writing = None

    def _chunk(self, number: int) -> bytes:
        first = number * self._period
        left = (
            np.zeros(self._period, np.int16)
            if self.muted
            else at_rate(self._sound, self.rate_hz, first, self._period)
        )
        frames = np.zeros((self._period, self.channels), "<i2")
        frames[:, 0] = left
        if self.channels > 1:
            hiss = np.random.default_rng((number, 5)).normal(0.0, 3.0, (self._period, self.channels - 1))
            frames[:, 1:] = np.rint(hiss)
        return frames.tobytes()

    async def run(self) -> None:
        """Serve until cancelled, then take the files away."""
        self.plug()
        try:
            while True:
                self.step()
                await asyncio.sleep(0.5 / PERIODS_PER_S)
        finally:
            self.close()

    def close(self) -> None:
        """Take everything away."""
        self.unplug()
        for descriptor in self._left:
            os.close(descriptor)
        self._left.clear()
        self._config.unlink(missing_ok=True)


def at_rate(sound: Sound, rate_hz: int, first: int, count: int) -> NDArray[np.int16]:
    """Return samples `first` on of `sound` as a card of `rate_hz` takes them, shape [count].

    A slower sound is interpolated by a windowed sinc over its own samples: what lies on one of them is that
    sample. The card's sample 0 is the sound's sample 16.
    """
    if sound.rate_hz == rate_hz:
        own: NDArray[np.int16] = sound.take(first, count)[0]
        return own
    places = np.arange(first, first + count) * (sound.rate_hz / rate_hz)
    base = np.floor(places).astype(np.int64)
    begin = int(base[0])
    known = sound.take(begin, int(base[-1]) - begin + 2 * REACH + 1)[0].astype(np.float64)
    taps = np.arange(-REACH + 1, REACH + 1)
    away = (places - base)[:, np.newaxis] - taps
    weights = np.sinc(away) * np.cos(np.pi * away / (2 * REACH + 1)) ** 2
    rows = (base - begin)[:, np.newaxis] + taps + REACH
    heard = np.sum(known[rows] * weights / weights.sum(axis=1, keepdims=True), axis=1)
    rounded: NDArray[np.int16] = np.clip(np.rint(heard), -32768, 32767).astype(np.int16)
    return rounded


def _quoted(path: Path) -> str:
    return quote(str(path))


def _write(path: Path, text: str) -> None:
    """Write a file in one go: whoever reads it reads all of it."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def _opened(pipe: Path) -> int | None:
    """Open the pipe for writing, None while nobody reads it."""
    try:
        descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None
    with contextlib.suppress(OSError):  # more than this system allows: then it holds less
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return descriptor


def _abandoned(descriptor: int) -> bool:
    """Close a pipe whose reader has gone, and say so."""
    poll = select.poll()
    poll.register(descriptor, 0)
    if not poll.poll(0):
        return False
    os.close(descriptor)
    return True
