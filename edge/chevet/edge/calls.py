"""The call beside a study, as the box and its screens see it: it rings, a worker takes it or not, it ends.

The box carries words only; the voices go from browser to browser. A case knows nothing of calls: whatever
happens to one, the case stays as it is.
"""

import json
from collections.abc import Callable
from typing import Any

from chevet.edge.errors import Refusal
from chevet.edge.workers import Worker
from chevet.exchange.call_ends import OVER, TALKING, Called
from chevet.exchange.call_wire import CallWord

MOST_SDP = 24 * 1024
"""A browser's description with audio and video is about 8 KB."""


class Calls:
    """The one call that this box may have.

    Attributes:
        called: its state machine; the uplink tells it words and time.
        measured: gives the rate of the uplink in bytes a second, 0 while it is not known.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None], now_ms: Callable[[], int]) -> None:
        self.called = Called(now_ms)
        self.measured: Callable[[], float] = float
        self._tell = tell
        self._about: dict[str, Any] = {}

    def take(self, word: CallWord, now: float, hindrance: str, about: dict[str, Any]) -> None:
        """Take a verified word; `about` is what a screen shows of the case that it is for."""
        if self.called.receive(word, now, hindrance):
            self._about = about if word.kind == "ring" else self._about
            self.show()

    def tick(self, now: float, *, held: bool) -> None:
        """Let time pass; `held`: an urgent study travels, the voices wait."""
        if self.called.tick(now, self._facts(held=held)):
            self.show()

    def accept(self, call: str, sdp: str, worker: Worker, now: float) -> None:
        """A worker takes the call.

        Raises:
            Refusal: `call_over` where it rings no more.
        """
        standing = self.called.standing
        facts = self._facts(held=False) | {"sdp": sdp, "worker": worker.id}
        if standing is None or standing.call.hex() != call or not self.called.accept(facts, now):
            raise Refusal("call_over", "This call rings no more; the specialist may call again.")
        self.show()

    def end(self, call: str, reason: str) -> None:
        """A worker declines or hangs up, or the page lost the voices; no other call than this one."""
        standing = self.called.standing
        if standing is not None and standing.call.hex() == call and self.called.end(reason):
            self.show()

    def show(self) -> None:
        """Tell every screen how the call stands."""
        self._tell({"type": "call", "call": self.shape()})

    def shape(self) -> dict[str, Any] | None:
        """Return Call of docs/api.md, None before the first."""
        standing = self.called.standing
        if standing is None:
            return None
        facts, over = standing.facts, standing.state == OVER
        return self._about | {
            "id": standing.call.hex(),
            "state": standing.state,
            "reason": standing.reason,
            "case": standing.case,
            "caller": {"name": facts.get("name", ""), "specialty": facts.get("specialty", "")},
            "sdp": "" if over else facts.get("sdp", ""),
            "ice": [] if over else _servers(facts.get("ice", "")),
            "held": standing.held,
            "rate": round(self.measured()) or None,
        }

    @property
    def talking(self) -> bool:
        """Whether a worker and a specialist talk now."""
        standing = self.called.standing
        return standing is not None and standing.state == TALKING

    def _facts(self, *, held: bool) -> dict[str, str]:
        rate = round(self.measured())
        return {"held": "yes" if held else ""} | ({"rate": str(rate)} if rate else {})


def _servers(text: str) -> list[dict[str, Any]]:
    """Return the relay's TURN servers as a browser takes them; [] for what is no list of such."""
    try:
        found: Any = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, list):
        return []
    keys = {"urls", "username", "credential"}
    return [one for one in found if isinstance(one, dict) and one.keys() == keys]
