"""The sending end of live mode: who watches, and what may go out. No I/O, no clock.

Nothing is sent that nobody asked for a moment ago, nothing is sent twice, nothing waits: a frame that does
not fit the rate or is old is dropped, and the jump in its samples' index tells the other end.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from chevet.exchange.errors import Refused
from chevet.exchange.live_rate import LiveRate
from chevet.exchange.live_seal import KEY_BYTES, MOST_WRAPS, Told, seal_frame, seal_opening, wrap
from chevet.exchange.live_watch import Watch, read_watch
from chevet.exchange.live_wire import (
    FRAME,
    MOST_FRAME,
    OPENING,
    SESSION_BYTES,
    Head,
    Section,
    Stream,
    write_sections,
)

STALE_S: Final = 2.0
"""Samples older than this are not sent any more: live means now."""
EXPIRY_S: Final = 5
"""For the broker (MQTT 5); the stamp says the same to the other end where the broker speaks 3.1.1."""
QUIET_S: Final = 5.0
"""Without a word of a watcher for so long the link is taken for stalled: frames would only pile up."""
MOST_WATCHERS: Final = 8
CLOCKS_APART_MS: Final = 60_000
"""Relays' clocks may differ that much; a word older than the newest by more was kept back by somebody."""
OVERHEAD: Final = 90
"""Bytes of topic, MQTT, TLS and TCP/IP around each message, counted against the rate."""


@dataclass(slots=True)
class _Watcher:
    number: int
    until: float
    heard_at: float
    case: str
    answered: bool = False


@dataclass(slots=True)
class _Session:
    """One stretch of time in which somebody watches."""

    id: bytes
    key: bytes
    wraps: list[list[bytes]]
    began: float
    frames: int = 0
    openings: int = 0
    told: tuple[object, ...] = field(default_factory=tuple[object, ...])


class LiveSender:
    """What a box sends while a desk watches.

    Attributes:
        rate: how much may go out.
        dropped: frames that were too old or did not fit, since the process began.
    """

    def __init__(
        self,
        *,
        relay_key: Ed25519PublicKey,
        signer: Ed25519PrivateKey,
        recipients: Callable[[], Sequence[X25519PublicKey]],
        random: Callable[[int], bytes],
    ) -> None:
        """Begin with nobody watching.

        Args:
            relay_key: signs words of who watches.
            signer: the box's key.
            recipients: those that may open, the programme's alone; asked when a session begins.
            random: gives that many unpredictable bytes.
        """
        self.rate = LiveRate()
        self.dropped = 0
        self._relay_key = relay_key
        self._signer = signer
        self._recipients = recipients
        self._random = random
        self._watchers: dict[bytes, _Watcher] = {}
        self._session: _Session | None = None
        self._newest_ms = 0

    def watch(self, payload: bytes, now: float) -> Watch:
        """Take a word of somebody who watches.

        Raises:
            Refused: `malformed`, `bad_signature`, `old`, or `too_many` watch already.
        """
        word = read_watch(payload, self._relay_key)
        known = self._watchers.get(word.watch)
        if word.at_ms < self._newest_ms - CLOCKS_APART_MS or (known and word.number <= known.number):
            raise Refused("old")
        self._newest_ms = max(self._newest_ms, word.at_ms)
        self._expire(now)
        if not word.for_ms:
            self._watchers.pop(word.watch, None)
            self._expire(now)
            return word
        if known is None and len(self._watchers) >= MOST_WATCHERS:
            raise Refused("too_many")
        if self._session is None:
            self._session = self._begin(now)
        until = now + word.for_ms / 1000
        self._watchers[word.watch] = _Watcher(word.number, until, now, word.case)
        self.rate.reported(word.report)
        return word

    def watching(self, now: float) -> bool:
        """Return whether anybody watches now."""
        self._expire(now)
        return bool(self._watchers)

    def cases(self) -> set[str]:
        """Return the cases that are open on the desks that watch."""
        return {one.case for one in self._watchers.values()}

    def stalled(self, now: float) -> bool:
        """Return whether the link seems to carry nothing: no watcher was heard for a while."""
        return all(now - one.heard_at > QUIET_S for one in self._watchers.values())

    def openings(
        self,
        state: str,
        streams: Sequence[Stream],
        patients: Mapping[str, str],
        now: float,
        *,
        simulated: bool,
    ) -> list[bytes]:
        """Return what to tell the desks: answers to their words, and all of them whatever changed.

        Args:
            state: coded, as Told has it.
            streams: what frames may hold from now on.
            patients: by case, whether its patient is the one on the bench.
            now: monotonic seconds.
            simulated: HTEST.
        """
        self._expire(now)
        session = self._session
        if session is None:
            return []
        told = (state, tuple(streams), tuple(sorted(patients.items())), simulated)
        changed, session.told = told != session.told, told
        out: list[bytes] = []
        for watch, one in self._watchers.items():
            if one.answered and not changed:
                continue
            number, held = (0, 0.0) if one.answered else (one.number, now - one.heard_at)
            one.answered = True
            words = Told(
                watch,
                number,
                min(round(1000 * held), 60_000),
                state,
                patients.get(one.case, "unknown"),
                tuple(streams),
            )
            head = Head(OPENING, session.id, session.openings, _ms(now - session.began), simulated)
            session.openings += 1
            out.append(seal_opening(head, words, session.key, session.wraps, self._signer))
            self.rate.spent(len(out[-1]) + OVERHEAD)
        return out

    def frame(
        self, sections: Sequence[Section], at: float, now: float, *, measured: float, simulated: bool
    ) -> bytes | None:
        """Return one frame to publish now, or None: nobody watches, it is old, or it does not fit the rate.

        Args:
            sections: at least one.
            at: monotonic time of the newest sample.
            now: monotonic seconds.
            measured: bytes a second that the link takes, 0 while unknown.
            simulated: HTEST.
        """
        self._expire(now)
        session = self._session
        if session is None or not sections:
            return None
        head = Head(FRAME, session.id, session.frames, _ms(at - session.began), simulated)
        plain = write_sections(sections)
        fits = len(plain) + 36 <= MOST_FRAME and not self.stalled(now)
        if now - at > STALE_S or not fits or not self.rate.fits(len(plain) + 36 + OVERHEAD, measured, now):
            self.dropped += 1
            return None  # its number goes to the next: what was never sent is no loss on the way
        session.frames += 1
        return seal_frame(head, plain, session.key)

    def cut(self) -> None:
        """The connection ended: what goes out until the next is lost, and its rate is not known."""
        self.rate.cut()

    def _expire(self, now: float) -> None:
        for watch in [watch for watch, one in self._watchers.items() if one.until <= now]:
            del self._watchers[watch]
        if not self._watchers:
            self._session = None

    def _begin(self, now: float) -> _Session:
        key, ident = self._random(KEY_BYTES), self._random(SESSION_BYTES)
        return _Session(ident, key, wrap(key, ident, self._recipients()[:MOST_WRAPS]), now)


def _ms(seconds: float) -> int:
    return max(0, round(1000 * seconds))
