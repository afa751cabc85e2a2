"""One desk that watches one site: what it says to the box, and what it is shown."""

import secrets
from collections import deque
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chevet.exchange.keys import signing_public
from chevet.exchange.live_receiver import LiveReceiver, Piece
from chevet.exchange.live_watch import EVERY_S, GOOD_FOR_S, WATCH_BYTES, Watch, write_watch
from chevet.relay.api.wave import samples_frame
from chevet.relay.relay import Relay
from chevet.study.errors import BundleError
from chevet.study.sound_stream import PREROLL, decode_packets
from chevet.study.study import HTEST

FRAMES_AT_MOST: Final = 64
"""Frames that wait for a slow desk; then the oldest is dropped, and its place stays a gap."""
SILENT_S: Final = 6.0
"""Without an answer for so long the box is called out of reach."""
Json = dict[str, Any]


class Viewer:
    """A desk, the case that is open on it, and the site that it watches.

    Attributes:
        site: code.
        frames: wave frames for the desk, oldest first.
        gaps: how often samples were missing between two pieces of a stream.
        dropped: frames dropped because the desk reads too slowly.
    """

    def __init__(self, relay: Relay, site: str, verify_key: bytes, case: str, now: float) -> None:
        self.site = site
        self.frames: deque[bytes] = deque()
        self.gaps = self.dropped = 0
        self._relay, self._case = relay, case
        self._watch = secrets.token_bytes(WATCH_BYTES)
        keys = relay.keys
        self._receiver = LiveReceiver(signing_public(verify_key), (keys.programme, *keys.older), self._watch)
        self._number = 0
        self._ask_at = self._answered_at = now
        self._told_by: object = None
        self._sounds: dict[int, list[bytes]] = {}

    def due(self, now: float) -> bool:
        """Return whether the box should hear again that somebody watches."""
        return now >= self._ask_at

    def word(self, now: float) -> bytes:
        """Return the word for the box."""
        self._ask_at = now + EVERY_S
        self._receiver.asked(self._number + 1, now)
        return self._word(round(1000 * GOOD_FOR_S))

    def goodbye(self) -> bytes:
        """Return the last word: nobody watches here any more."""
        return self._word(0)

    def _word(self, for_ms: int) -> bytes:
        self._number += 1
        word = Watch(
            self._watch, self._number, self._relay.now_ms(), for_ms, self._case, self._receiver.report()
        )
        return write_watch(word, self._relay.keys.relay)

    def take(self, payload: bytes, now: float) -> None:
        """Take a message of the box."""
        pieces = self._receiver.receive(payload, now)
        if self._receiver.told is not self._told_by:
            self._told_by, self._answered_at = self._receiver.told, now
        for piece in pieces:
            self.gaps += piece.missing > 0
            if not self._forbidden():
                self._show(piece)

    def state(self, now: float) -> Json:
        """Return what the desk says of it: coded state, latency, gaps."""
        receiver, counts = self._receiver, self._receiver.counts
        told = receiver.told
        state = told.state if told else "asking"
        if now - self._answered_at > SILENT_S:
            state = "unreachable"
        elif self._forbidden():
            state = "simulated"
        latency, round_trip = receiver.latency_s, receiver.round_trip_s
        return {
            "type": "live",
            "state": state,
            "patient": told.patient if told else "unknown",
            "label": HTEST if receiver.simulated else "",
            "latency_ms": None if latency is None else round(1000 * latency),
            "round_trip_ms": None if round_trip is None else round(1000 * round_trip),
            "frames": counts.received,
            "lost": counts.lost + counts.stale + self.dropped,
            "gaps": self.gaps,
            "streams": [
                {"device": one.device, "rate_hz": one.rate_hz, "channels": [c.name for c in one.channels]}
                for one in (told.streams if told else ())
            ],
        }

    def _forbidden(self) -> bool:
        """Simulated signals never reach a clinical desk."""
        return self._receiver.simulated and self._relay.settings.label != HTEST

    def _show(self, piece: Piece) -> None:
        values = piece.values if piece.values is not None else self._sound(piece)
        if values is None:
            return
        if len(self.frames) >= FRAMES_AT_MOST:
            self.frames.popleft()
            self.dropped += 1
        at_ms = self._relay.now_ms() - round(1000 * piece.latency_s)
        device = piece.stream.device
        self.frames.append(samples_frame(piece.stream.channels, values, device, piece.first, at_ms))

    def _sound(self, piece: Piece) -> NDArray[np.int16] | None:
        """Decode the packets behind those before them, where nothing is missing between."""
        before = [] if piece.missing else self._sounds.get(piece.stream.id, [])
        try:
            sound = decode_packets(before, piece.packets, round(piece.stream.rate_hz))
        except BundleError:
            return None
        self._sounds = {piece.stream.id: [*before, *piece.packets][-PREROLL:]}
        return sound.reshape(1, -1) if len(sound) == piece.count else None
