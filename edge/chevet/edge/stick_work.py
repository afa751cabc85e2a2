"""The courier's stick at the kiosk: filled or taken in, one at a time; how far it is is kept to be shown."""

import asyncio
import logging
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from chevet.edge.bedside import Bedside
from chevet.edge.carry import Brought, Exported, bring, export
from chevet.edge.errors import Refusal, not_found
from chevet.edge.sticks import FoundStick, found_sticks
from chevet.exchange.carrier import DOWN, Item, NoStick, Stick

log = logging.getLogger(__name__)

TO, FROM = "to", "from"
RUNNING, DONE, FAILED = "running", "done", "failed"
NOTHING: Final = Brought(0, 0, 0)


@dataclass(slots=True)
class Work:
    """One way of one stick.

    Attributes:
        code: of the refusal it ended with, "" for none.
    """

    name: str
    way: str
    state: str = RUNNING
    code: str = ""
    out: Exported = field(default_factory=Exported)
    back: Brought = NOTHING

    def shape(self) -> dict[str, Any]:
        """Return StickWork of docs/api.md."""
        words = {"name": self.name, "way": self.way, "state": self.state, "code": self.code}
        return words | (asdict(self.out) if self.way == TO else asdict(self.back))


class SticksAtWork:
    """The sticks of one box; call it from the loop."""

    def __init__(self, bedside: Bedside) -> None:
        self._bedside = bedside
        self._task: asyncio.Task[None] | None = None
        self.work: Work | None = None

    async def shape(self) -> dict[str, Any]:
        """Return Sticks of docs/api.md."""
        found = await asyncio.to_thread(found_sticks, self._bedside.settings.sticks)
        code = self._bedside.site.code
        sticks = [
            {
                "name": one.name,
                "free_bytes": one.free_bytes,
                "brings": await asyncio.to_thread(brings, one, code),
            }
            for one in found
        ]
        return {
            "sticks": sticks,
            "waiting": len(await asyncio.to_thread(self._bedside.spool.pending)),
            "work": self.work.shape() if self.work else None,
        }

    async def begin(self, name: str, way: str) -> None:
        """Fill a stick, or take what one brought.

        Raises:
            Refusal: stick_busy; not_found: it was pulled out; not_yet.
        """
        if way == FROM and self._bedside.uplink.carried is None:
            raise Refusal("not_yet", "The agent is still starting; try again in a moment.")
        found = await asyncio.to_thread(found_sticks, self._bedside.settings.sticks)
        stick = next((one for one in found if one.name == name), None)
        if stick is None:
            raise not_found("stick")
        if self._task is not None and not self._task.done():  # asked last: two touches come together
            raise Refusal("stick_busy", "The stick is still at work; wait for its end.")
        self.work = Work(name, way)
        self._task = asyncio.create_task(self._do(stick, self.work), name="courier's stick")

    async def _do(self, stick: FoundStick, work: Work) -> None:
        try:
            if work.way == TO:
                await asyncio.to_thread(self._fill, stick, work)
            else:
                work.back = await self._take(stick)
            work.state = DONE
        except Refusal as refusal:
            work.state, work.code = FAILED, refusal.code
        except Exception as error:  # noqa: BLE001 - a screen waits for its end; its text may name files
            log.error("a stick's work ended by %s", type(error).__name__)
            work.state, work.code = FAILED, "other"

    def _fill(self, stick: FoundStick, work: Work) -> None:
        for _ in export(self._bedside.spool, self._bedside.site.code, stick.root, work.out):
            pass  # each line is a step; what it counted stands in work.out

    async def _take(self, stick: FoundStick) -> Brought:
        take = self._bedside.uplink.carried
        return (
            await bring(self._bedside.spool, self._bedside.site.code, stick.root, take) if take else NOTHING
        )


def brings(stick: FoundStick, code: str) -> bool:
    """Tell whether the relay put something for this site onto a stick."""
    try:
        with Stick(stick.root) as opened:
            return opened.size(Item(f"{code}.{DOWN}", DOWN, code, b"")) > 0
    except (NoStick, OSError):
        return False
