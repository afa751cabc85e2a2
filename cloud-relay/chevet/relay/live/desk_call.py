"""One call from one desk: the relay's end of it, its words sealed for the site and opened from it."""

import json
import re
import secrets
from typing import Any, Final

from chevet.exchange.call_ends import ASKING, OVER, TALKING, Caller
from chevet.exchange.call_wire import CALL_BYTES, CallWord, is_call, read_call, write_call
from chevet.exchange.errors import Refused
from chevet.exchange.keys import sealing_public, signing_public
from chevet.relay.accounts.users import User
from chevet.relay.archive.sites import Site
from chevet.relay.relay import Relay

Json = dict[str, Any]

RATE: Final = re.compile(r"[0-9]{1,10}")
WORKER_AT_MOST: Final = 64
"""What of a box's words is shown and kept: they are signed, but a box may be taken over."""


class DeskCall:
    """A call that a desk makes from an open case.

    Attributes:
        site: code.
        changed: something is to be shown that was not yet.
        rang: the desk has rung.
        worker: id of who took it, "" until somebody did.
        noted: the audit says who took it.
    """

    def __init__(self, relay: Relay, site: Site, case: str, user: User, ice: list[Json]) -> None:
        self.site = site.code
        self.changed = True
        self.rang = self.noted = False
        self.worker = ""
        self._since = self._until = self._rang_at = 0.0
        self._relay, self.user, self._ice = relay, user, ice
        self._origin, self._to = signing_public(site.verify_key), sealing_public(site.seal_key)
        self.caller = Caller(secrets.token_bytes(CALL_BYTES), case, relay.now_ms)

    def ring(self, sdp: str, now: float) -> None:
        """Ring with the browser's offer; the box is told who calls and which TURN servers there are."""
        self.rang, self._rang_at = True, now
        facts = {"sdp": sdp, "name": self.user.name, "specialty": self.user.specialty}
        self.caller.ring(facts | ({"ice": json.dumps(self._ice)} if self._ice else {}), now)

    def hang_up(self, reason: str, now: float) -> None:
        """End it."""
        if self.rang:
            self.caller.hang_up(reason, now)
            self._moved(now)

    def take(self, payload: bytes, now: float) -> None:
        """Take a message of the site; what is no word for this call is let pass."""
        if not is_call(payload):
            return
        keys = self._relay.keys
        try:
            word = read_call(payload, self._origin, (keys.programme, *keys.older))
        except Refused:
            return
        if self.caller.receive(word, now):
            self.worker = _identity(self.caller.standing.facts.get("worker", self.worker))
            self._moved(now)

    def tick(self, now: float) -> None:
        """Let time pass."""
        if not self.rang:
            return
        before = self.caller.standing
        self.caller.tick(now)
        if self.caller.standing != before:
            self._moved(now)

    @property
    def talked_s(self) -> int:
        """Whole seconds from taking it to its end."""
        return round(self._until - self._since) if self._since else 0

    def _moved(self, now: float) -> None:
        state = self.caller.standing.state
        if state == TALKING and not self._since:
            self._since = now
        if state == OVER and not self._until:
            self._until = now
        self.changed = True

    def words(self) -> list[bytes]:
        """Return what is to be sent, sealed for the site, and forget it."""
        said, self.caller.said = self.caller.said, []
        return [payload for payload in map(self._sealed, said) if payload]

    def _sealed(self, word: CallWord) -> bytes:
        """Return a word as it travels; b"" where it is too large, which ends the call."""
        signer = self._relay.keys.relay
        try:
            return write_call(word, signer=signer, recipients=[self._to], random=secrets.token_bytes)
        except ValueError:
            self.hang_up("media", self._rang_at)
            return b""

    def shape(self) -> Json:
        """Return what the desk shows."""
        standing = self.caller.standing
        facts, over = standing.facts, standing.state == OVER
        return {
            "type": "call",
            "state": standing.state,
            "reason": standing.reason,
            "sdp": "" if over or standing.state == ASKING else facts.get("sdp", ""),
            "held": standing.held,
            "rate": int(rate) if RATE.fullmatch(rate := facts.get("rate", "")) else None,
        }


def _identity(worker: str) -> str:
    """Return a worker's id for the audit; "?" for what a box may say instead of one."""
    return worker if len(worker) <= WORKER_AT_MOST and worker.isprintable() else "?"
