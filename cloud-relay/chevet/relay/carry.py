"""The courier's stick at the relay: bundles in by the checks of the line, receipts and answers out."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from chevet.exchange.carrier import BACK, DOWN, UP, Item, NoStick, Stick, messages_of
from chevet.exchange.errors import Refused
from chevet.exchange.manifest import read_manifest
from chevet.exchange.messages import MAX_QUERY, Complete, Nack, Query, for_sender, read, write
from chevet.exchange.topics import up
from chevet.relay.errors import CarryError
from chevet.relay.ingest.downlink import Downlink
from chevet.relay.ingest.uplink import Uplink
from chevet.relay.relay import Relay

SENTENCES: Final = {
    "not_a_carrier": "not a file of a carrier",
    "other_version": "written by a newer version: bring this relay up to date",
    "other_site": "names another site than its file name",
    "too_large": "larger than anything that is carried",
    "cut_short": "ends too early: have it carried anew",
    "altered": "changed or damaged after it was written: have it carried anew",
    "other_content": "holds something else than its name says",
    "not_a_file": "a link, a folder or a pipe instead of a file",
    "malformed": "holds something that is no message",
    "unknown_site": "of a site that is not known here, or was revoked",
    "not_whole": "not all of it could be taken: have it carried anew",
}


@dataclass(slots=True)
class Imported:
    """What one stick brought and takes back."""

    complete: int = 0
    refused: int = 0
    sites: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])


class Import:
    """One stick at this relay."""

    def __init__(self, relay: Relay, now: Callable[[], float] = time.monotonic) -> None:
        self._relay = relay
        self._now = now
        self._downlink = Downlink(relay)
        self._downlink.outgoing(
            now()
        )  # never connected, so it sends nothing; it knows what waits from here on
        self._uplink = Uplink(relay, self._downlink)
        self.outcome = Imported()

    def run(self, root: Path) -> Iterator[str]:
        """Take everything on the stick and put receipts and answers there; yield a line for each step.

        Raises:
            CarryError: the stick cannot be used.
            DiskFullError, ArchiveError: the archive cannot; run it again, what was taken stays.
        """
        try:
            with Stick(root) as stick:
                items = stick.items()
                for item in [one for one in items if one.kind == BACK]:
                    yield self._told(stick, item, self._take)
                bundles = [one for one in items if one.kind == UP]
                for number, item in enumerate(bundles, 1):
                    yield f"{number} of {len(bundles)}  " + self._told(stick, item, self._bundle)
                for site in self.outcome.sites:
                    yield self._answer(stick, site)
        except NoStick as error:
            raise CarryError(str(error)) from None
        except OSError as error:
            raise CarryError(
                f"The stick could not be used ({error.strerror}): try again; what was taken stays."
            ) from None

    def _told(self, stick: Stick, item: Item, take: Callable[[Stick, Item], str]) -> str:
        try:
            return f"{item.name}: {take(stick, item)}"
        except Refused as refused:
            self.outcome.refused += 1
            return f"{item.name}: REFUSED, {SENTENCES.get(refused.reason, refused.reason)}"

    def _known(self, site: str) -> None:
        known = self._relay.sites.get(site)
        if known is None or known.revoked:
            raise Refused("unknown_site")

    def _bundle(self, stick: Stick, item: Item) -> str:
        """Take one bundle; its receipt is asked for at the end, whatever was here before."""
        self._known(item.site)
        stick.check(item)
        topic, said = up(item.site, "b"), []
        for message in stick.messages(item):
            said += self._uplink.take(topic, message, self._now())
        said += self._uplink.take(up(item.site, "a"), write(Query(1, (item.tid,))), self._now())
        mine = [publish.payload for publish in said if publish.site == item.site]
        ended = [payload for payload in mine if _ends(payload, item.tid)]
        if not ended:
            raise Refused("not_whole")
        self.outcome.sites.setdefault(item.site, []).extend(dict.fromkeys(ended))
        last = read(ended[-1])
        if isinstance(last, Nack):
            raise Refused(last.reason)
        self.outcome.complete += 1
        return "here whole"

    def _take(self, stick: Stick, item: Item) -> str:
        """Take a site's receipts for what an earlier stick took to it."""
        self._known(item.site)
        stick.check(item)
        count = 0
        for message in stick.messages(item):
            if for_sender(message):
                count += 1
                self._uplink.take(up(item.site, "a"), message, self._now())
        self.outcome.sites.setdefault(item.site, [])
        return f"{count} receipts of the site"

    def _answer(self, stick: Stick, site: str) -> str:
        """Put a site's receipts, the news of its cases and what waits for it onto the stick."""
        outbox = self._relay.outbox(site)
        waiting = list(outbox.pending())

        def messages() -> Iterator[bytes]:
            yield from self.outcome.sites[site]
            yield from self._news(site, [read_manifest(manifest).case for manifest in waiting])
            for manifest in waiting:
                yield from messages_of(outbox, manifest)

        size = stick.write(Item(f"{site}.{DOWN}", DOWN, site, b""), messages())
        return (
            f"{site}.{DOWN}: {len(self.outcome.sites[site])} receipts and {len(waiting)} answers"
            f" for the site, {size / 1000:.1f} KB"
        )

    def _news(self, site: str, cases: list[str]) -> Iterator[bytes]:
        """Give what happened to the site's cases: those just brought, and those that are answered."""
        known = [read(payload) for payload in self.outcome.sites[site]]
        ids = list(dict.fromkeys(cases + [one.id for one in known if isinstance(one, Complete)]))
        for start in range(0, len(ids), MAX_QUERY):
            for publish in self._downlink.statuses(site, tuple(ids[start : start + MAX_QUERY])):
                yield publish.payload


def _ends(payload: bytes, tid: bytes) -> bool:
    said = read(payload)
    return isinstance(said, Complete | Nack) and said.tid == tid
