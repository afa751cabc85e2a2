"""All desks that watch or call now, on a line of their own: it never delays the storing, nor that it."""

import asyncio
import logging
import time
from typing import Final

from chevet.exchange.call_wire import is_call
from chevet.exchange.connection import BrokerAddress
from chevet.exchange.errors import Refused
from chevet.exchange.line import Line, Message
from chevet.exchange.topics import all_up, down, parse
from chevet.relay.accounts.users import User
from chevet.relay.archive.sites import Site
from chevet.relay.authority import name_at_broker, tls_to_broker
from chevet.relay.errors import RefusedError
from chevet.relay.live.desk_call import DeskCall, Json
from chevet.relay.live.viewer import Viewer
from chevet.relay.relay import Relay
from chevet.relay.settings import Settings

log = logging.getLogger(__name__)

TICK_S: Final = 0.25
WORD_EXPIRY_S: Final = 4
CALL_EXPIRY_S: Final = 10
MOST_VIEWERS: Final = 64
MOST_CALLS: Final = 32
MOST_OF_ONE: Final = 2
"""Calls that one person may have open: nobody takes all places with forgotten windows."""
WINDOWS: Final = "busy_windows"


def live_line(settings: Settings) -> Line:
    """Return the line for live mode: each process hears all of it, and keeps no session at the broker."""
    address = BrokerAddress(
        settings.broker_host,
        settings.broker_port,
        client_id=name_at_broker(settings, f"{settings.worker}-live"),
        username=settings.broker_user,
        password=settings.broker_password() or "",
        tls=tls_to_broker(settings, live=True) if settings.broker_tls else None,
    )
    return Line(address, subscriptions=[(all_up("l"), 0)])


class LiveRoom:
    """Hands frames and words of calls to the desks they are for, and tells the boxes what the desks say."""

    def __init__(self, relay: Relay, line: Line) -> None:
        self._relay, self._line = relay, line
        self._viewers: set[Viewer] = set()
        self._calls: set[DeskCall] = set()

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._line.run())
            group.create_task(self._listen())
            group.create_task(self._ask())

    def join(self, site: str, case: str) -> Viewer:
        """Begin to watch a site.

        Raises:
            RefusedError: 404 `not_found` for a site that is not let in, 503 `busy`.
        """
        known = self._known(site)
        if len(self._viewers) >= MOST_VIEWERS:
            raise RefusedError(503, "busy", "Too many desks watch at once: try again in a while.")
        viewer = Viewer(self._relay, site, known.verify_key, case, time.monotonic())
        self._viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Stop watching: the box hears it at once, or falls silent by itself some seconds later."""
        self._viewers.discard(viewer)
        self._line.publish(down(viewer.site, "k"), viewer.goodbye(), expiry_s=WORD_EXPIRY_S)

    def call(self, site: str, case: str, user: User, ice: list[Json]) -> DeskCall:
        """Make a call possible; it rings when the desk says so.

        Raises:
            RefusedError: 404 `not_found` for a site that is not let in, 503 `busy`, `busy_windows`.
        """
        known = self._known(site)
        if len(self._calls) >= MOST_CALLS:
            raise RefusedError(503, "busy", "Too many desks call at once: try again in a while.")
        if sum(one.user.id == user.id for one in self._calls) >= MOST_OF_ONE:
            raise RefusedError(503, WINDOWS, "You have calls open in other windows: close one of them.")
        made = DeskCall(self._relay, known, case, user, ice)
        self._calls.add(made)
        return made

    def end_call(self, made: DeskCall) -> None:
        """Forget a call once its last word is sent."""
        self._calls.discard(made)
        self._send_words(made)

    def _send_words(self, made: DeskCall) -> None:
        for word in made.words():
            self._line.publish(down(made.site, "k"), word, expiry_s=CALL_EXPIRY_S)

    def _known(self, site: str) -> Site:
        known = self._relay.sites.get(site)
        if known is None or known.revoked:
            raise RefusedError(404, "not_found", "This site does not send any more.")
        return known

    async def _listen(self) -> None:
        async for event in self._line.events():
            if isinstance(event, Message):
                self._hand_on(event)

    def _hand_on(self, message: Message) -> None:
        try:
            site, way, lane = parse(message.topic)
        except Refused:
            return
        if (way, lane) != ("u", "l"):
            return
        ends = self._calls if is_call(message.payload) else self._viewers
        for end in ends:
            if end.site == site:
                try:
                    end.take(message.payload, time.monotonic())
                except Exception:  # noqa: BLE001 - no frame, whatever it holds, ends live mode for all
                    log.error("a live frame was dropped by a fault of ours")

    async def _ask(self) -> None:
        while True:
            now = time.monotonic()
            for viewer in self._viewers:
                if self._line.online and viewer.due(now):
                    self._line.publish(down(viewer.site, "k"), viewer.word(now), expiry_s=WORD_EXPIRY_S)
            for made in self._calls:
                made.tick(now)
                self._send_words(made)
            await asyncio.sleep(TICK_S)
