"""The way up and down: one task drives Sender and Receiver over the line, for days without one if need be."""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chevet.edge.arrivals import Arrivals
from chevet.edge.bedside import Bedside
from chevet.edge.call_up import CallUp
from chevet.edge.cases import AT_RELAY, ON_BOX, OPENED, CaseWords, Progress
from chevet.edge.errors import DiskFull, Refusal
from chevet.edge.live_up import LiveUp, make_live
from chevet.edge.spool import REFUSED, SETTLED
from chevet.edge.trust import Programme
from chevet.exchange import topics
from chevet.exchange.call_wire import is_call
from chevet.exchange.events import (
    Completed,
    Ignored,
    Outgoing,
    PeerRefused,
    Progressed,
    Rejected,
    Reply,
    SenderEvent,
    Settled,
    StatusNews,
)
from chevet.exchange.line import Acknowledged, Connected, Disconnected, Line, LineEvent, Message
from chevet.exchange.messages import for_sender
from chevet.exchange.receiver import Receiver
from chevet.exchange.sealing import RELAY
from chevet.exchange.sender import Sender

log = logging.getLogger(__name__)

PRESENCE_EVERY_S = 60.0


def offline_will(site: str) -> tuple[str, bytes]:
    """Return what the broker says for us when we vanish."""
    return topics.up(site, "s"), json.dumps({"v": 1, "online": False}).encode()


def subscriptions(site: str) -> list[tuple[str, int]]:
    """Return what this box listens to."""
    return [(topics.down(site, lane), 1) for lane in topics.DOWN_LANES]


@dataclass(slots=True)
class Uplink:
    """Moves the spool up and the answers down.

    Attributes:
        bedside: the box.
        line: MQTT; its `run` is started here.
        sender: of the spool's bundles.
        receiver: of opinions and messages.
        live: sends what is measured now while a desk watches.
        call: the words of a call beside a study.
    """

    bedside: Bedside
    line: Line
    sender: Sender
    receiver: Receiver
    live: LiveUp
    call: CallUp
    _tokens: dict[int, int] = field(default_factory=dict[int, int])
    _presence_at: float = 0.0

    async def run(self) -> None:
        """Work until cancelled."""
        self.bedside.uplink.carried = self.carried
        async with asyncio.TaskGroup() as group:
            group.create_task(self.line.run(), name="line")
            group.create_task(self._drive(), name="uplink")
            group.create_task(self.live.run(), name="live to the desk")
            group.create_task(self.call.run(), name="call beside a study")

    async def _drive(self) -> None:
        await asyncio.to_thread(self.catch_up)
        events = self.line.events()
        coming = asyncio.ensure_future(anext(events))
        spooled = asyncio.ensure_future(self.bedside.spooled.wait())
        try:
            while True:
                wait_s = max(0.0, min(self._wake(), PRESENCE_EVERY_S))
                await asyncio.wait({coming, spooled}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    await self._happened(coming.result())
                    coming = asyncio.ensure_future(anext(events))
                if spooled.done():
                    self.bedside.spooled.clear()
                    spooled = asyncio.ensure_future(self.bedside.spooled.wait())
                    await self._take_up()
                await self._send()
        finally:
            for waiting in (coming, spooled):
                waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(coming, spooled, return_exceptions=True)

    def _now(self) -> float:
        return self.bedside.clock.monotonic()

    def _wake(self) -> float:
        return self.sender.next_wake(self._now()) - self._now()

    def catch_up(self) -> None:
        """Bring cases up to what the spool knows: the power may have gone between the two."""
        cases = self.bedside.cases
        for ended in self.bedside.spool.ended():
            with contextlib.suppress(Refusal):
                case = cases.get(ended.id)
                if ended.state == SETTLED and case.words.complete_ms is None:
                    self._keep(Settled(ended.id, ended.tid, 0, 0))
                elif ended.state == REFUSED and not case.refused:
                    self._keep(PeerRefused(ended.id, ended.tid, ended.reason))

    async def _send(self) -> None:
        """Give the line what may go out, and say now and then that we are there."""
        now = self._now()
        for message in self.sender.outgoing(now):
            self._publish(message)
        for lost in self.sender.lost():
            log.error("case %s: its bytes cannot be read from the spool any more", lost.id)
            with contextlib.suppress(DiskFull):  # said again after the next start
                await asyncio.to_thread(self._keep, lost)
            self._tell(lost)
        if self.line.online and now >= self._presence_at:
            self._presence_at = now + PRESENCE_EVERY_S
            await self._take_up()  # another process may have let a refused bundle go again
            self._say_presence()

    def _publish(self, message: Outgoing) -> None:
        topic = topics.up(self.bedside.site.code, message.lane)
        token = self.line.publish(topic, message.payload, message.qos)
        if token:
            self._tokens[token] = message.token

    def _say_presence(self) -> None:
        bedside = self.bedside
        words = {
            "v": 1,
            "online": True,
            "waiting": bedside.spool.count(),
            "disk": bedside.disk.level(),
            "at_ms": bedside.clock.now_ms(),
        }
        topic = topics.up(bedside.site.code, "s")
        self.line.publish(topic, json.dumps(words).encode(), 1, retain=True)

    async def _take_up(self) -> None:
        for manifest in await asyncio.to_thread(self.bedside.spool.pending):
            self.sender.add(manifest)

    async def _happened(self, event: LineEvent) -> None:
        match event:
            case Connected(route, bulk):
                self._presence_at = 0.0
                self.bedside.uplink.route = route
                self.sender.bulk = bulk
                self.sender.watch(await asyncio.to_thread(self.bedside.cases.awaiting))
                self.sender.connected(self._now())
                self._tell_line(online=True)
            case Disconnected():
                self._tokens.clear()
                self.live.cut()
                self.sender.disconnected(self._now())
                self._tell_line(online=False)
            case Acknowledged():
                token = self._tokens.pop(event.token, None)
                if token is not None:
                    self.sender.acknowledged(token, self._now())
            case Message():
                await self._message(event)

    def _tell_line(self, *, online: bool) -> None:
        self.bedside.uplink.online = online
        route = self.bedside.uplink.route
        log.info("uplink %s%s", "online" if online else "offline", f" ({route})" if route else "")
        self.bedside.live.tell({"type": "status", "status": self.bedside.status()})

    async def _message(self, message: Message) -> None:
        lane = message.topic.rpartition("/")[2]
        try:
            if lane == "q":
                await self._down(message.payload)
            elif lane == "r":
                await self._receipt(message.payload)
            elif lane == "k" and is_call(message.payload):
                await self.call.command(message.payload)
            elif lane == "k":
                self.live.command(message.payload)
        except DiskFull:
            # Acknowledged all the same, or the broker would soon fall silent: as no receipt of ours follows,
            # the relay says it again when there is room.
            log.warning("no room to keep a message of the relay; giving the reserve up")
            self.bedside.disk.give_reserve_up()
        await self._heard(self.bedside.clock.now_ms())
        self.line.acknowledge(message)

    async def _heard(self, now_ms: int) -> None:
        """Take note of the relay's word; a box that starts without a line still says when it last had one."""
        self.bedside.uplink.last_contact_ms = now_ms
        if self.bedside.kept.contact_due(now_ms):
            await asyncio.to_thread(self.bedside.kept.note_contact, now_ms)

    async def _receipt(self, payload: bytes) -> None:
        for news in await asyncio.to_thread(self.sender.receive, payload, self._now()):
            await asyncio.to_thread(self._keep, news)
            self._tell(news)

    def _keep(self, news: SenderEvent) -> None:
        """Write down what a receipt says; in a thread."""
        cases, now_ms = self.bedside.cases, self.bedside.clock.now_ms()
        try:
            match news:
                case Settled():
                    cases.advance(news.id, AT_RELAY, _settled(news, now_ms))
                    total = cases.progress.get(news.id, Progress()).total
                    cases.progress[news.id] = Progress(total, total)
                    self._free(news.id)
                case PeerRefused():
                    cases.refuse(news.id, news.reason)
                    cases.progress.pop(news.id, None)
                    log.warning("case %s: refused (%s)", news.id, news.reason)
                case Progressed():
                    cases.progress[news.id] = Progress(news.confirmed, news.chunks)
                case StatusNews():
                    cases.advance(news.id, OPENED, _opened(now_ms))
                case Ignored():
                    log.debug("a receipt changes nothing (%s)", news.reason)
        except Refusal as refusal:
            if isinstance(refusal, DiskFull):
                raise
            log.info("news of no case here: a message, or a case forgotten since (%s)", refusal.code)

    def _free(self, case_id: str) -> None:
        """Delete the journals of a delivered case: the spool keeps the sealed bundle for its retention."""
        for row in self.bedside.visits.captures(case_id):
            self.bedside.captures.delete(row.id)
        log.info("case %s: at the relay", case_id)

    def _tell(self, news: SenderEvent) -> None:
        if isinstance(news, Ignored):
            return
        if isinstance(news, Settled | StatusNews):
            self.sender.watch(self.bedside.cases.awaiting())
        with contextlib.suppress(Refusal):
            self.bedside.tell_case(self.bedside.cases.get(news.id))

    async def _down(self, payload: bytes) -> None:
        for answer in await self._arriving(payload):
            self.line.publish(topics.up(self.bedside.site.code, "a"), answer)

    async def carried(self, payload: bytes) -> list[bytes]:
        """Take a message that a stick brought, as if it had come over the line; return what to answer."""
        if for_sender(payload):
            await self._receipt(payload)
            return []
        return await self._arriving(payload)

    async def _arriving(self, payload: bytes) -> list[bytes]:
        answers: list[bytes] = []
        for answer in await asyncio.to_thread(self.receiver.receive, RELAY, payload, self._now()):
            match answer:
                case Reply():
                    answers.append(answer.payload)
                case Completed(manifest=manifest):
                    await asyncio.to_thread(self._arrived, manifest.case, manifest.size)
                case Rejected():
                    log.warning("something from the relay was refused (%s)", answer.reason)
        return answers

    def _arrived(self, case_id: str, size: int) -> None:
        def count(words: CaseWords) -> CaseWords:
            return replace(words, bytes_down=words.bytes_down + size)

        with contextlib.suppress(Refusal):
            self.bedside.cases.advance(case_id, ON_BOX, count)


def make_uplink(bedside: Bedside, line: Line, programme: Programme, arrivals: Arrivals) -> Uplink:
    """Return the uplink of a box, its sender loaded with what the spool holds."""
    sender = Sender(bedside.spool, peer_key=programme.relay_key, number_from=secrets.randbelow(1 << 16))

    def origin_key(origin: str) -> Ed25519PublicKey | None:
        return programme.relay_key if origin == RELAY else None

    receiver = Receiver(arrivals, signer=bedside.site.signer, origin_key=origin_key)
    live, call = make_live(bedside, line, sender, programme), CallUp(bedside, line, sender, programme)
    return Uplink(bedside, line, sender, receiver, live, call)


def _settled(news: Settled, now_ms: int) -> Callable[[CaseWords], CaseWords]:
    def change(words: CaseWords) -> CaseWords:
        return replace(
            words,
            complete_ms=words.complete_ms or now_ms,
            bytes_up=words.bytes_up + news.bytes_up,
            bytes_down=words.bytes_down + news.bytes_down,
        )

    return change


def _opened(now_ms: int) -> Callable[[CaseWords], CaseWords]:
    return lambda words: replace(words, opened_ms=words.opened_ms or now_ms)
