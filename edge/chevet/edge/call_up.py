"""The words of a call between the line and the box's screens."""

import asyncio
import logging
import secrets
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from chevet.edge.bedside import Bedside
from chevet.edge.cases import Case
from chevet.edge.errors import Refusal
from chevet.edge.live_up import LiveLine
from chevet.edge.trust import Programme
from chevet.exchange import topics
from chevet.exchange.call_wire import CallWord, read_call, write_call
from chevet.exchange.errors import Refused
from chevet.exchange.sender import Sender

log = logging.getLogger(__name__)

TICK_S: Final = 0.25
EXPIRY_S: Final = 10
"""A word of a call that is older says nothing any more."""


@dataclass(slots=True)
class CallUp:
    """Hands words of the relay to the box's end of the call, and sends what that says."""

    bedside: Bedside
    line: LiveLine
    bundles: Sender
    programme: Programme

    async def command(self, payload: bytes) -> None:
        """Take a word of the relay."""
        try:
            word = read_call(payload, self.programme.relay_key, [self.bedside.site.opener])
        except Refused as refused:
            log.warning("a word of a call was refused (%s)", refused.reason)
            return
        hindrance, about = "", dict[str, Any]()
        if word.kind == "ring":
            hindrance, about = await asyncio.to_thread(self._facts, word)
        self.bedside.calls.take(word, self._now(), hindrance, about)
        self._send()

    async def run(self) -> None:
        """Let time pass until cancelled."""
        self.bedside.calls.measured = lambda: self.bundles.window.rate
        while True:
            await asyncio.sleep(TICK_S)
            calls = self.bedside.calls
            calls.tick(self._now(), held=calls.talking and self.bundles.urgent())
            self._send()

    def _facts(self, word: CallWord) -> tuple[str, dict[str, Any]]:
        """Return why a worker cannot be asked, "" if one can, and what a screen shows of the case."""
        bedside = self.bedside
        if self.programme.sealed or not bedside.settings.calls:
            return "off", {}
        try:
            about = self._about(bedside.cases.get(word.case))
        except Refusal:  # also where housekeeping takes the case away meanwhile
            return "unknown_case", {}
        if not bedside.live.screens:
            return "nobody", {}
        if bedside.captures.running() is not None or bedside.training.attempts.current() is not None:
            return "examining", {}
        return "", about

    def _about(self, case: Case) -> dict[str, Any]:
        consent = self.bedside.visits.get(case.id).words.consent
        shown = self.bedside.case(case)
        return {
            "initials": shown["initials"],
            "simulated": shown["simulated"],
            "consent": list(consent.purposes) if consent is not None else [],
        }

    def _send(self) -> None:
        said, self.bedside.calls.called.said = self.bedside.calls.called.said, []
        for word in said:
            try:
                payload = write_call(
                    word,
                    signer=self.bedside.site.signer,
                    recipients=self._recipients(),
                    random=secrets.token_bytes,
                )
            except ValueError:  # this browser describes itself at too great a length
                log.warning("a word of a call was too large to be sent")
                self.bedside.calls.end(word.call.hex(), "media")
                continue
            topic = topics.up(self.bedside.site.code, "l")
            self.line.publish(topic, payload, 1, expiry_s=EXPIRY_S)

    def _recipients(self) -> list[X25519PublicKey]:
        return [one.key for one in self.programme.recipients if one.name != "recovery"]

    def _now(self) -> float:
        return self.bedside.clock.monotonic()
