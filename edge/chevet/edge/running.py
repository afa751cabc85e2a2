"""The capture in progress: what it takes from its device and when it ends."""

import asyncio
import logging
from dataclasses import dataclass

from chevet.devices.samples import Event, Picture, SampleBlock
from chevet.edge.journal import JournalWriter, Opening
from chevet.edge.visits import CaptureRow

log = logging.getLogger(__name__)

_KEPT_EVENTS = {
    # An otoscope's readings or a stethoscope's pictures do not exist; everything else a device says is kept.
    "otoscopy": (Picture,),
}


@dataclass(slots=True, eq=False)
class Running:
    """The capture in progress.

    Attributes:
        row: as last stored.
        opening: the journal's first record.
        writer: the journal.
        span_s: seconds covered by the device's samples (or by time, where it gives none).
        problem: coded reason for a bad end, "" while all is well.
        ended: set when it should end, for whatever reason.
    """

    row: CaptureRow
    opening: Opening
    writer: JournalWriter
    ended: asyncio.Event
    span_s: float = 0.0
    problem: str = ""
    events: int = 0
    _first: int | None = None

    def offer(self, device: str, event: Event) -> None:  # noqa: ARG002 - it listens to one device only
        """Take one event of the device into the journal."""
        if self.ended.is_set() or not isinstance(event, _KEPT_EVENTS.get(self.row.step, object)):
            return
        self.writer.append(event)
        self.events += 1
        self._advance(event)
        if self.span_s >= self.row.seconds:
            self.ended.set()

    def lost(self, device: str, problem: str) -> None:  # noqa: ARG002 - it listens to one device only
        """End: the device was pulled out; what was recorded is kept."""
        log.warning("capture %s: device lost (%s)", self.row.id, problem)
        self.fail("device_lost")

    def fail(self, problem: str) -> None:
        """End with a problem; the first one counts."""
        self.problem = self.problem or problem
        self.ended.set()

    def _advance(self, event: Event) -> None:
        if isinstance(event, SampleBlock):
            self._first = event.first if self._first is None else self._first
            end = event.first + event.values.shape[1]
            if event.first < self._first:
                self.fail("device_restarted")
            self.span_s = max(self.span_s, (end - self._first) / event.channels[0].rate_hz)
        elif self._first is None:
            self.span_s = max(self.span_s, event.at - self.opening.started_at)
