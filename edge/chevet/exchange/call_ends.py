"""Both ends of a call as state machines: what to say and show when a word comes, a person acts, time passes.

The relay's end rings for a desk, the box's end is rung at. Words may come twice, late, in another order, or
be played again by somebody: a word whose number is not above the last one of its call changes nothing, a call
that is over never rings again, and a word much older than the newest is not believed, unless it is of now by
the box's own clock. No I/O, no clock.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from chevet.exchange.call_wire import CallWord

ASKING, RINGING, TALKING, OVER = "asking", "ringing", "talking", "over"

REACH_S: Final = 12.0
"""The box answers by itself: later than this it is out of reach."""
RING_S: Final = 45.0
HERE_EVERY_S: Final = 5.0
SILENT_S: Final = 17.0
"""Three words that should have come did not: the other end, or the line, is gone."""
OLD_MS: Final = 60_000
REMEMBERED: Final = 64


@dataclass(frozen=True, slots=True)
class Standing:
    """How a call stands, for a screen.

    Attributes:
        state: ASKING (the box has not answered yet), RINGING, TALKING or OVER.
        reason: why it is over, one of the wire's REASONS.
        facts: what the other end told so far.
        held: an urgent study travels: the voices wait.
    """

    call: bytes
    case: str
    state: str
    reason: str = ""
    facts: dict[str, str] = field(default_factory=dict[str, str])
    held: bool = False


@dataclass(slots=True)
class _Talk:
    """What both ends know of the call in hand."""

    standing: Standing
    since: float
    heard_at: float
    here_at: float
    said: int = 0
    heard: int = 0


class Caller:
    """The relay's end of one call, for one desk.

    Attributes:
        said: words to be sent, oldest first; who hosts this takes them.
    """

    def __init__(self, call: bytes, case: str, now_ms: Callable[[], int]) -> None:
        self.said: list[CallWord] = []
        self._now_ms = now_ms
        self._talk = _Talk(Standing(call, case, ASKING), 0.0, 0.0, 0.0)

    @property
    def standing(self) -> Standing:
        """How the call stands."""
        return self._talk.standing

    def ring(self, facts: dict[str, str], now: float) -> None:
        """Ring at the box."""
        talk = self._talk
        talk.since = talk.heard_at = talk.here_at = now
        _say(talk, self.said, self._now_ms(), "ring", facts)

    def hang_up(self, reason: str, now: float) -> None:
        """End it here, and tell the box."""
        if self.standing.state != OVER:
            _say(self._talk, self.said, self._now_ms(), "hangup", {"reason": reason})
            self._over(reason, now)

    def receive(self, word: CallWord, now: float) -> bool:
        """Take a word of the box; say whether anything changed."""
        talk, before = self._talk, self._talk.standing
        if (word.call, word.case) != (before.call, before.case) or word.number <= talk.heard:
            return False
        talk.heard, talk.heard_at = word.number, now
        if before.state == OVER:
            if word.kind == "accept":  # it crossed our hanging up: nobody is here any more
                _say(talk, self.said, self._now_ms(), "hangup", {"reason": before.reason})
            return False
        self._take(word, now)
        return talk.standing != before

    def tick(self, now: float) -> None:
        """Let time pass: nobody answers, or the box fell silent."""
        talk, state = self._talk, self.standing.state
        if state == ASKING and now - talk.since > REACH_S:
            self.hang_up("unreachable", now)
        elif state == RINGING and now - talk.since > RING_S:
            self.hang_up("no_answer", now)
        elif state == TALKING and now - talk.heard_at > SILENT_S:
            self.hang_up("lost", now)
        elif state == TALKING and now >= talk.here_at:
            talk.here_at = now + HERE_EVERY_S
            _say(talk, self.said, self._now_ms(), "here", {})

    def _take(self, word: CallWord, now: float) -> None:
        talk, state = self._talk, self.standing.state
        if word.kind in ("refuse", "hangup"):
            self._over(word.facts.get("reason", "ended"), now)
        elif word.kind == "ringing" and state == ASKING:
            talk.standing = replace(talk.standing, state=RINGING)
        elif word.kind == "accept" and state in (ASKING, RINGING):
            talk.standing = replace(talk.standing, state=TALKING, facts=word.facts)
            talk.since = now
        elif word.kind in ("hold", "here") and state == TALKING:
            facts = talk.standing.facts | {key: text for key, text in word.facts.items() if key == "rate"}
            talk.standing = replace(talk.standing, held=word.facts.get("held") == "yes", facts=facts)

    def _over(self, reason: str, now: float) -> None:
        self._talk.standing = replace(self.standing, state=OVER, reason=reason, held=False)
        self._talk.since = now


class Called:
    """The box's end: at most one call in hand; every other ring hears that it is busy.

    Attributes:
        said: words to be sent, oldest first; who hosts this takes them.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.said: list[CallWord] = []
        self._now_ms = now_ms
        self._talk: _Talk | None = None
        self._ended: deque[bytes] = deque(maxlen=REMEMBERED)
        self._newest_ms = 0

    @property
    def standing(self) -> Standing | None:
        """How the call in hand stands, or the last one; None before the first."""
        return self._talk.standing if self._talk is not None else None

    @property
    def live(self) -> bool:
        """Whether a call rings or is talked."""
        return self.standing is not None and self.standing.state != OVER

    def receive(self, word: CallWord, now: float, hindrance: str) -> bool:
        """Take a word of the relay; say whether anything changed.

        Args:
            word: verified.
            now: monotonic seconds.
            hindrance: why a ring cannot be put to the worker now (one of the wire's REASONS), "" if it can.
        """
        late = word.at_ms < self._newest_ms - OLD_MS
        if late and abs(word.at_ms - self._now_ms()) > OLD_MS:
            return False
        # late, but of now by our own clock: the relay's ran ahead and was set right, so its lead is forgotten
        self._newest_ms = word.at_ms if late else max(self._newest_ms, word.at_ms)
        if word.kind == "ring":
            return self._rung(word, now, hindrance)
        talk = self._talk
        mine = talk is not None and self.live and word.call == talk.standing.call
        if word.kind == "hangup" and not mine:
            self._ended.append(word.call)  # its ring may still be on the way
        if talk is None or not mine or word.number <= talk.heard:
            return False
        talk.heard, talk.heard_at = word.number, now
        if word.kind == "hangup":
            self._over(word.facts.get("reason", "ended"))
        return word.kind == "hangup"

    def accept(self, facts: dict[str, str], now: float) -> bool:
        """The worker takes the call; False where it rings no more."""
        talk = self._talk
        if talk is None or talk.standing.state != RINGING:
            return False
        talk.standing = replace(talk.standing, state=TALKING)
        talk.since = talk.heard_at = now
        talk.here_at = now + HERE_EVERY_S
        _say(talk, self.said, self._now_ms(), "accept", facts)
        return True

    def end(self, reason: str) -> bool:
        """The worker declines or hangs up, or the box has to; False where nothing is in hand."""
        talk = self._talk
        if talk is None or not self.live:
            return False
        kind = "refuse" if talk.standing.state == RINGING else "hangup"
        _say(talk, self.said, self._now_ms(), kind, {"reason": reason})
        self._over(reason)
        return True

    def tick(self, now: float, facts: dict[str, str]) -> bool:
        """Let time pass, telling `facts` (`rate`, `held`) while it is talked; say whether it changed."""
        talk = self._talk
        if talk is None or not self.live:
            return False
        if talk.standing.state == RINGING and now - talk.since > RING_S:
            return self.end("no_answer")
        if talk.standing.state == TALKING and now - talk.heard_at > SILENT_S:
            return self.end("lost")
        held = facts.get("held") == "yes"
        turned = talk.standing.state == TALKING and held != talk.standing.held
        if talk.standing.state == TALKING and (turned or now >= talk.here_at):
            talk.here_at = now + HERE_EVERY_S
            talk.standing = replace(talk.standing, held=held)
            _say(talk, self.said, self._now_ms(), "hold" if turned else "here", facts)
        return turned

    def _rung(self, word: CallWord, now: float, hindrance: str) -> bool:
        talk = self._talk
        known = talk is not None and word.call == talk.standing.call
        if known or word.call in self._ended:
            return False
        standing = Standing(word.call, word.case, RINGING, facts=word.facts)
        fresh = _Talk(standing, now, now, now, heard=word.number)
        if self.live or hindrance:
            self._ended.append(word.call)
            reason = "busy" if self.live else hindrance
            _say(fresh, self.said, self._now_ms(), "refuse", {"reason": reason})
            return False
        self._talk = fresh
        _say(fresh, self.said, self._now_ms(), "ringing", {})
        return True

    def _over(self, reason: str) -> None:
        assert self._talk is not None, "only a call in hand ends"
        self._ended.append(self._talk.standing.call)
        self._talk.standing = replace(self._talk.standing, state=OVER, reason=reason, held=False)


def _say(talk: _Talk, said: list[CallWord], at_ms: int, kind: str, facts: dict[str, str]) -> None:
    talk.said += 1
    standing = talk.standing
    said.append(CallWord(standing.call, talk.said, at_ms, kind, standing.case, facts))
