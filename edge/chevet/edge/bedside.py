"""Everything the agent is made of, in one place: composed by `agent`, used by the API."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from chevet.edge.box import BoxClock, read_power
from chevet.edge.calls import Calls
from chevet.edge.capture import Captures
from chevet.edge.cart import Cart
from chevet.edge.cart_attach import Attaching
from chevet.edge.case_shapes import case_shape
from chevet.edge.cases import Case, Cases
from chevet.edge.device_memory import DeviceMemory
from chevet.edge.discovery import Discovery
from chevet.edge.discovery_memory import Calibrations
from chevet.edge.discovery_use import InUse
from chevet.edge.disk import Disk
from chevet.edge.instruments import Instrument
from chevet.edge.kept import Kept
from chevet.edge.live import Live
from chevet.edge.patients import Patients
from chevet.edge.sessions import Sessions
from chevet.edge.settings import EdgeSettings
from chevet.edge.shapes import capture_shape, device_shape, quality_shape, visit_shape
from chevet.edge.spool import REFUSED, Spool
from chevet.edge.training import Training
from chevet.edge.training_faults import Hands
from chevet.edge.trust import Site
from chevet.edge.visit import VisitRules
from chevet.edge.visits import ACCEPTED, CaptureRow, Visit, Visits
from chevet.edge.workers import Workers
from chevet.study.specialties import SPECIALTIES
from chevet.study.study import HTEST


@dataclass(slots=True)
class UplinkState:
    """What the screens' bar shows of the line: `last_contact_ms` is the relay's last word.

    `route` names the uplink in use, or used last, where the box has several; `watched`: a specialist watches
    what is measured now.
    """

    online: bool = False
    route: str = ""
    watched: bool = False
    last_contact_ms: int | None = None
    carried: Callable[[bytes], Awaitable[list[bytes]]] | None = None
    """Takes a message that a courier's stick brought, and returns what to answer."""


@dataclass(frozen=True, slots=True)
class Bedside:
    """One box at work.

    Attributes:
        discovery: finds instruments, and what the site decided about them.
        in_use: runs those that were found and accepted.
        calibrations: the day of each unit's last one.
        calls: the call beside a study, if one is made.
        kept: what the box remembers of itself.
        spooled: set when a bundle was put into the spool, so that the uplink takes it up at once.
    """

    settings: EdgeSettings
    site: Site
    version: str
    clock: BoxClock
    disk: Disk
    workers: Workers
    patients: Patients
    visits: Visits
    cases: Cases
    spool: Spool
    sessions: Sessions
    instruments: dict[str, Instrument]
    memory: DeviceMemory
    discovery: Discovery
    in_use: InUse
    calibrations: Calibrations
    captures: Captures
    rules: VisitRules
    cart: Cart
    attaching: Attaching
    live: Live
    calls: Calls
    uplink: UplinkState
    kept: Kept
    training: Training
    hands: Hands
    spooled: asyncio.Event

    def device(self, instrument: Instrument) -> dict[str, Any]:
        """Return Device."""
        shape = device_shape(instrument, self.clock.now_ms(), self.clock.monotonic(), self.settings.label)
        mark = self.live.marks.get(instrument.id)
        return shape | {"quality": quality_shape(mark) if mark else None}

    def visit(self, visit: Visit) -> dict[str, Any]:
        """Return Visit."""
        captures = self.visits.captures(visit.id)
        waiting = self.rules.waiting_capture(visit.id)
        simulated = any(
            row.verdict == ACCEPTED and row.summary is not None and row.summary["simulated"]
            for row in captures
        )
        label = HTEST if simulated or visit.words.training else self.settings.label
        return visit_shape(visit, self.rules.patient(visit), captures, waiting, label)

    def case(self, case: Case) -> dict[str, Any]:
        """Return Case."""
        return case_shape(case, self.cases.progress.get(case.id), self.clock.now_ms())

    def status(self) -> dict[str, Any]:
        """Return what GET /api/status answers."""
        pending = self.spool.pending_ids()
        power = read_power()
        lesson = self.training.attempts.current()
        travelling = [case for case in pending if case in self.cases.progress]
        return {
            "site": {"code": self.site.code, "name": self.site.name, "phone": self.site.phone},
            "label": HTEST if lesson else self.settings.label,
            "training": lesson.lesson if lesson else "",
            "version": self.version,
            "languages": list(self.settings.languages),
            "uplink": {
                "state": "online" if self.uplink.online else "offline",
                "route": self.uplink.route,
                "last_contact_ms": self.uplink.last_contact_ms,
                "watched": self.uplink.watched,
            },
            "queue": {
                "waiting": len(pending) - len(travelling),
                "travelling": len(travelling),
                "refused": self.spool.count(REFUSED),
                "unread": self.cases.unread(),
            },
            "power": {"source": power.source, "percent": power.percent},
            "disk": {"free_bytes": self.disk.free(), "level": self.disk.level()},
            "clock": {"now_ms": self.clock.now_ms(), "quality": self.clock.quality()},
            "workers": [{"id": worker.id, "name": worker.name} for worker in self.workers.all()],
            # the lessons' words name a specialty, whomever this site asks of its patients
            "specialties": list(SPECIALTIES if lesson else self.settings.specialties),
            "electrodes": self.kept.electrodes,
        }

    def tell_capture(self, row: CaptureRow) -> None:
        """Tell every screen about a capture."""
        self.live.tell({"type": "capture", "capture": capture_shape(row)})

    def tell_imports(self) -> None:
        """Tell every screen that the files of the cart are others now."""
        self.live.tell({"type": "imports"})

    def tell_case(self, case: Case) -> None:
        """Tell every screen about a case."""
        self.live.tell({"type": "case", "case": self.case(case)})
