"""Sound cards through ALSA.

Packets by `source`: SETUP first (ASCII words `name=value`, joined by `;`: rate, format, channels, channel,
model, then what the card's mixer does to the sound), then PCM (raw frames, cut anywhere), and GAP where
sound was missed; after a gap PCM begins with a whole frame.
"""

import asyncio
import logging
import threading

from chevet.bridge.alsa_cards import SYSTEM, SoundFolders, sound_cards
from chevet.bridge.alsa_mixer import coded
from chevet.bridge.alsa_recorder import Recorder, mixer_words, parse_alsa, start
from chevet.bridge.alsa_report import Setup, has_overrun, has_slept, was_unplugged
from chevet.bridge.base import Clock, QueuedLink, open_in_thread
from chevet.bridge.errors import LinkError
from chevet.bridge.packet import Packet

log = logging.getLogger(__name__)

SETUP, PCM, GAP = "setup", "pcm", "gap"

SILENT_S = 3.0
"""A card has a clock of its own: when nothing comes for so long it does not run any more."""
AHEAD_S, AHEAD = 0.5, 1.02
"""More sound than time, by so much and with so fast a clock, comes from no card."""
MOST_RESTARTS = 5
"""Restarts in a row that bring no second of sound: this card does not record."""


class AlsaLink(QueuedLink):
    """`alsa:TARGET?rate=48000&channels=1&channel=1&bits=16`; `send` takes nothing.

    When nobody receives for ten seconds the pipe is left to fill; the card then overruns, which is told as a
    gap: packets of sound are never dropped from the queue.

    Attributes:
        gaps: times that sound was missed.
    """

    def __init__(self, url: str, clock: Clock, folders: SoundFolders = SYSTEM) -> None:
        super().__init__(url, clock)
        self.gaps = 0
        self._wanted = parse_alsa(url)
        self._folders = folders
        self._recorder: Recorder | None = None
        self._said = ""
        self._bytes = 0
        self._began = 0.0
        self._fruitless = 0
        self._full = False
        self._stopping = threading.Event()
        self._restarting: asyncio.Task[None] | None = None
        self._silence: asyncio.TimerHandle | None = None

    async def _connect(self) -> None:
        self._began = self._clock()
        try:
            recorder = await open_in_thread(self._start, Recorder.end)
        except asyncio.CancelledError:
            self._stopping.set()  # or the thread would wait for the first sound
            raise
        try:
            words = await asyncio.to_thread(self._words, recorder.setup)
        except BaseException:
            recorder.end()
            raise
        self._put(words.encode("ascii", "replace"), SETUP)
        self._follow(recorder)

    def _start(self) -> Recorder:
        return start(self.url, self._wanted, self._folders, self._stopping)

    def _words(self, setup: Setup) -> str:
        """Return what is known about the card; in a thread, since amixer is asked."""
        words = [("rate", str(setup.rate_hz)), ("format", setup.sample_format)]
        words += [("channels", str(setup.channels)), ("channel", str(self._wanted.take + 1))]
        words.append(("model", coded(setup.card_name or self._wanted.target, keep="-.:")))
        if setup.hardware_rate_hz != setup.rate_hz:
            words.append(("converted_from", str(setup.hardware_rate_hz)))
        card = next((card for card in sound_cards(self._folders) if card.number == setup.card), None)
        if card is not None:
            words += [("usb", card.usb), ("serial", coded(card.serial, keep="-.:"))]
        settings = mixer_words(setup.card, self._wanted)
        if ("agc", "on") in settings:
            remedy = f"switch it off with: alsamixer -V capture -c {setup.card}"
            log.warning("%s: the card's automatic gain falsifies loudness; %s", self.url, remedy)
        return ";".join(f"{name}={value}" for name, value in [*words, *settings] if value)

    def _follow(self, recorder: Recorder) -> None:
        """Read `recorder` from now on."""
        self._recorder, self._said = recorder, ""
        self._bytes = 0
        asyncio.get_running_loop().add_reader(recorder.descriptor, self._read, recorder)
        self._expect_sound()

    def _read(self, recorder: Recorder) -> None:
        """Called by the event loop when `arecord` wrote, or ended."""
        if len(self._packets) >= self._capacity - 1:  # one place is for the mark of a gap
            self._full = True
            self._stop_reading()
            return
        data = recorder.read()
        # Asked after the sound and before it is believed: of a sleep arecord tells before the sound after it.
        self._said += recorder.said()
        if has_slept(self._said):
            self._missed(recorder)
        elif data:
            self._take(data)
        elif data is not None:
            self._ended(recorder)

    def _take(self, data: bytes) -> None:
        self._expect_sound()
        self._bytes += len(data)
        seconds = self._bytes / self._wanted.bytes_a_second
        if seconds > 1.0:
            self._fruitless = 0
        if seconds > (self._clock() - self._began) * AHEAD + AHEAD_S:
            log.warning("lost %s: sound comes faster than time; this is no sound card", self.url)
            self._give_up("wrong_device")
        else:
            self._put(data, PCM)

    def _ended(self, recorder: Recorder) -> None:
        if has_overrun(self._said):
            self._missed(recorder)
            return
        log.info("lost %s: %s", self.url, self._said.strip()[-500:])
        self._give_up("unplugged" if was_unplugged(self._said) else "ended")

    def _missed(self, recorder: Recorder) -> None:
        """Mark a gap and begin again behind it, unless that has not helped before."""
        self._fruitless += 1
        if self._fruitless > MOST_RESTARTS:
            self._give_up("failed")
            return
        self._stop_reading()
        self._recorder = None
        self.gaps += 1
        self._put(b"overrun", GAP)
        self._restarting = asyncio.get_running_loop().create_task(self._restart(recorder))

    async def _restart(self, recorder: Recorder) -> None:
        await asyncio.to_thread(recorder.end)
        self._began = self._clock()
        try:
            self._follow(await asyncio.to_thread(self._start))
        except LinkError as error:
            self._give_up("unplugged" if error.reason == "not_found" else "failed")

    async def receive(self) -> Packet:
        """Return the next packet, opening the link first where it was not.

        Raises:
            LinkUnavailable: it cannot be opened.
            LinkLost: the card went away and all that had arrived was received.
        """
        packet = await super().receive()
        if self._full and len(self._packets) < self._capacity // 2:
            self._full = False
            if self._recorder is not None:
                asyncio.get_running_loop().add_reader(self._recorder.descriptor, self._read, self._recorder)
                self._expect_sound()
        return packet

    async def send(self, data: bytes) -> None:
        """Refuse: a sound card is only read. An empty `data` is taken silently.

        Raises:
            LinkError: there was something to send.
        """
        if data:
            raise LinkError(self.url, "not_writable")

    def _expect_sound(self) -> None:
        self._hush()
        self._silence = asyncio.get_running_loop().call_later(SILENT_S, self._silent)

    def _hush(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _silent(self) -> None:
        log.info("lost %s: nothing came for %g s", self.url, SILENT_S)
        self._give_up("ended")

    def _give_up(self, reason: str) -> None:
        self._stop_reading()
        self._lose(reason)

    def _stop_reading(self) -> None:
        self._hush()
        if self._recorder is not None:
            asyncio.get_running_loop().remove_reader(self._recorder.descriptor)

    async def _disconnect(self) -> None:
        self._stopping.set()
        if self._restarting is not None:
            await self._restarting
        self._stop_reading()
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            await asyncio.to_thread(recorder.end)
