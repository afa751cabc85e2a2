"""One run of `arecord`, which writes a sound card's raw samples, and one of `amixer`, which tells its mixer.

Why children: `arecord` is on every Debian and Raspberry Pi OS, is kept with ALSA itself, and a card whose
driver hangs then hangs a child that can be killed, not a thread of the agent. It runs with `--fatal-errors`:
by itself it would go on after an overrun and join what came before to what came after, in the middle of a
block. So an overrun ends it, and all that it had written is whole.
"""

import array
import fcntl
import logging
import os
import select
import shutil
import subprocess
import termios
import threading
import time
from dataclasses import dataclass

from chevet.bridge.alsa_cards import SoundFolders, pcm_name
from chevet.bridge.alsa_mixer import capture_words, parse_contents
from chevet.bridge.alsa_report import Setup, open_reason, parse_setup
from chevet.bridge.errors import LinkUnavailable
from chevet.bridge.url import LinkUrl, split_url

log = logging.getLogger(__name__)

FORMATS = {16: ("S16_LE", 2), 24: ("S24_3LE", 3), 32: ("S32_LE", 4)}
"""ALSA's name and bytes a sample, by bits."""
OPTIONS = frozenset({"rate", "channels", "channel", "bits", "config"})
RATE_HZ = (4000, 384_000)
MOST_CHANNELS = 32
PERIOD_US = 10_000
"""A hundred packets a second: each adds at most 10 ms on the way to the screen."""
BUFFER_US = 2_000_000
"""The card may keep so much (most keep less) while this computer is busy, before sound is lost."""
READ_BYTES = 65536
OPEN_TIMEOUT_S = 5.0
KILL_AFTER_S = 1.0
MIXER_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class WantedSound:
    """What to ask of a sound card: `take` is the channel that is wanted, counted from 0."""

    target: str
    rate_hz: int
    channels: int
    take: int
    bits: int
    config: str

    @property
    def bytes_a_second(self) -> int:
        """Bytes that the card gives in a second."""
        return self.rate_hz * self.channels * FORMATS[self.bits][1]


def parse_alsa(url: str) -> WantedSound:
    """Return what an `alsa:hw:CARD=Device,DEV=0?rate=48000&channels=1` URL asks for.

    Raises:
        LinkUnavailable: it is misspelt.
    """
    parts = split_url(url, options=OPTIONS)
    rate, bits = _whole(parts, "rate", 48000), _whole(parts, "bits", 16)
    channels, take = _whole(parts, "channels", 1), _whole(parts, "channel", 1) - 1
    known = bits in FORMATS and RATE_HZ[0] <= rate <= RATE_HZ[1]
    if not known or not 0 <= take < channels <= MOST_CHANNELS:
        raise LinkUnavailable(url, "bad_url")
    return WantedSound(parts.target, rate, channels, take, bits, parts.options.get("config", ""))


def _whole(parts: LinkUrl, name: str, default: int) -> int:
    number = parts.number(name, default)
    if number != int(number):
        raise LinkUnavailable(parts.text, "bad_url")
    return int(number)


class Recorder:
    """A running `arecord`.

    Attributes:
        setup: how the card was set up.
        descriptor: gives its samples; ready at its end, too.
    """

    def __init__(self, child: subprocess.Popen[bytes], setup: Setup, said: str) -> None:
        assert child.stdout is not None
        self._said = said
        self.setup = setup
        self.descriptor = child.stdout.fileno()
        os.set_blocking(self.descriptor, False)
        self._child = child

    def read(self) -> bytes | None:
        """Return the samples that can be read now, None where there are none yet, b"" at the end."""
        return _read_now(self.descriptor)

    def said(self) -> str:
        """Return what it has printed since this was last asked, at first all since its start."""
        said, self._said = self._said, ""
        return said + _drain(self._child)

    def end(self) -> None:
        """End it; may wait for a second."""
        _end(self._child)


def start(url: str, wanted: WantedSound, folders: SoundFolders, stopping: threading.Event) -> Recorder:
    """Start `arecord` and wait until sound comes; to be called in a thread.

    Raises:
        LinkUnavailable: there is no arecord, no such card, it does not record like that, or `stopping` was
            set meanwhile.
    """
    program = shutil.which("arecord")
    if program is None:
        raise LinkUnavailable(url, "no_library")
    child = subprocess.Popen(
        [program, "-D", pcm_name(url, wanted.target, folders), *_arguments(wanted)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(wanted),
    )
    text, flows = _first_words(child, stopping)
    setup = parse_setup(text)
    if flows and setup is not None and _as_wanted(setup, wanted):
        return Recorder(child, setup, text)
    _end(child)
    reason = "wrong_format" if setup is not None and not _as_wanted(setup, wanted) else open_reason(text)
    log.info("cannot record from %s (%s): %s", url, reason, text.strip()[-500:])
    raise LinkUnavailable(url, reason)


def _arguments(wanted: WantedSound) -> list[str]:
    layout = ["-f", FORMATS[wanted.bits][0], "-r", str(wanted.rate_hz), "-c", str(wanted.channels)]
    times = [f"--period-time={PERIOD_US}", f"--buffer-time={BUFFER_US}"]
    return ["-t", "raw", *layout, *times, "--fatal-errors", "-v", "-"]


def _environment(wanted: WantedSound) -> dict[str, str]:
    """Return the environment of ALSA's programs: texts in English, and the URL's own configuration."""
    own = {"ALSA_CONFIG_PATH": wanted.config} if wanted.config else {}
    return {**os.environ, "LC_ALL": "C", **own}


def _as_wanted(setup: Setup, wanted: WantedSound) -> bool:
    """Say whether the card does as asked; arecord goes on with another rate when it must."""
    asked = (wanted.rate_hz, FORMATS[wanted.bits][0], wanted.channels)
    return (setup.rate_hz, setup.sample_format, setup.channels) == asked


def _first_words(child: subprocess.Popen[bytes], stopping: threading.Event) -> tuple[str, bool]:
    """Wait until sound comes, `child` ends, or patience does.

    Returns:
        What it said until then, and whether there is sound: its setup is printed before the first.
    """
    assert child.stdout is not None
    assert child.stderr is not None
    os.set_blocking(child.stderr.fileno(), False)
    until, text = time.monotonic() + OPEN_TIMEOUT_S, ""
    while time.monotonic() < until and not stopping.is_set():
        ready = select.select([child.stdout], [], [], 0.02)[0]
        text += _drain(child)
        if ready or child.poll() is not None:
            break
    return text + _drain(child), _waiting(child.stdout.fileno()) > 0


def _waiting(descriptor: int) -> int:
    """Return how many bytes can be read."""
    count = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, count)
    return count[0]


def _read_now(descriptor: int) -> bytes | None:
    try:
        return os.read(descriptor, READ_BYTES)
    except BlockingIOError:
        return None


def _drain(child: subprocess.Popen[bytes]) -> str:
    assert child.stderr is not None
    text = b""
    while len(text) < READ_BYTES and (more := _read_now(child.stderr.fileno())):
        text += more
    return text.decode("utf-8", "replace")


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(KILL_AFTER_S)
    except subprocess.TimeoutExpired:  # a driver that hangs
        child.kill()
        child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()


def mixer_words(card: int | None, wanted: WantedSound) -> tuple[tuple[str, str], ...]:
    """Return a card's own gain and filters as `capture_words` has them; nothing where it has no mixer."""
    program = shutil.which("amixer")
    if card is None or program is None:
        return ()
    try:
        done = subprocess.run(
            [program, "-c", str(card), "contents"],
            capture_output=True,
            timeout=MIXER_TIMEOUT_S,
            env=_environment(wanted),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return capture_words(parse_contents(done.stdout.decode("utf-8", "replace")))
