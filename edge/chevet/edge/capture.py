"""Capturing: from a device's events to a journal on disk, and to a judged recording at its end."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from chevet.devices.samples import Event
from chevet.edge.at_rest import DataKey
from chevet.edge.box import BoxClock
from chevet.edge.database import is_full
from chevet.edge.disk import Disk
from chevet.edge.errors import DiskFull, JournalDamaged, Refusal
from chevet.edge.identity import new_id
from chevet.edge.instruments import READY, Instrument
from chevet.edge.journal import Journal, JournalWriter, Opening, cut_torn_tail
from chevet.edge.judge import judge
from chevet.edge.recorded import to_recording
from chevet.edge.running import Running
from chevet.edge.shapes import recording_shape
from chevet.edge.visits import DONE, FAILED, CaptureRow, Visits
from chevet.study.recording import Recording, StoredFile

log = logging.getLogger(__name__)

SYNC_EVERY_S = 0.5
"""Half of the one second that a power cut may cost."""
GRACE_S = 5.0
"""A device that is this much late with the samples asked for will not bring them."""

KIND_OF_STEP = {
    "oximetry": "oximeter",
    "ecg": "ecg",
    "heart_sound": "stethoscope",
    "lung_sound": "stethoscope",
    "otoscopy": "otoscope",
    "photo": "otoscope",  # any camera of the box
}
USUAL_SECONDS = {
    "oximetry": 20.0,
    "ecg": 10.0,
    "heart_sound": 15.0,
    "lung_sound": 15.0,
    "otoscopy": 10.0,
    "photo": 3.0,
}
"""Ten seconds are the standard resting ECG; 15 s of sound are the kiosk's ring (product requirements, K8)."""


class Captures:
    """Starts, ends and recovers captures; one at a time, since one pair of hands holds one instrument.

    Attributes:
        key: covers the journals and what lies beside them; None writes them in the clear.
    """

    def __init__(
        self,
        folder: Path,
        visits: Visits,
        instruments: Mapping[str, Instrument],
        disk: Disk,
        clock: BoxClock,
        tell: Callable[[CaptureRow], None],
        label: str = "",
        key: DataKey | None = None,
    ) -> None:
        self.key = key
        self._folder = folder
        self._visits = visits
        self._instruments = instruments
        self._disk = disk
        self._clock = clock
        self._tell = tell
        self._label = label
        self._running: Running | None = None
        self._started = asyncio.Event()
        self._changing = asyncio.Lock()
        folder.mkdir(mode=0o700, exist_ok=True)

    def path(self, capture_id: str) -> Path:
        """Return where a capture's journal lies."""
        return self._folder / f"{capture_id}.journal"

    def running(self) -> CaptureRow | None:
        """Return the capture in progress, with its present length."""
        running = self._running
        return replace(running.row, elapsed_s=running.span_s) if running else None

    def get(self, capture_id: str) -> CaptureRow:
        """Return one capture, running or stored.

        Raises:
            Refusal: not_found.
        """
        running = self.running()
        return running if running and running.id == capture_id else self._visits.capture(capture_id)

    async def start(
        self,
        visit: str,
        step: str,
        *,
        site: str = "",
        side: str = "",
        seconds: float = 0.0,
        device: str = "",
        training: bool = False,
    ) -> CaptureRow:
        """Begin to record; in training from simulated instruments alone.

        Raises:
            Refusal: device_absent, capture_running, disk_full.
        """
        async with self._changing:
            if self._running is not None:
                raise Refusal("capture_running", "Another recording is running; stop it first.")
            self._disk.require_room()
            instrument = self._choose(step, device, training=training)
            row = CaptureRow(new_id(), visit, step, site, side, instrument.id, seconds or USUAL_SECONDS[step])
            opening = self._opening(row, instrument)
            writer = await asyncio.to_thread(self._create, row, opening)
            running = Running(row, opening, writer, asyncio.Event())
            instrument.listeners.append(running)
            self._running = running
            self._started.set()
        self._tell(row)
        return row

    async def stop(self, capture_id: str) -> CaptureRow:
        """End the running capture now and keep what was recorded.

        Raises:
            Refusal: not_found.
        """
        running = self._running
        if running is not None and running.row.id == capture_id:
            running.ended.set()
            return await self._finish(running)
        return await asyncio.to_thread(self._visits.capture, capture_id)

    async def run(self) -> None:
        """Bring the running capture to disk twice a second and end it in time; until cancelled."""
        try:
            while True:
                await self._started.wait()
                self._started.clear()
                if self._running is not None:
                    await self._follow(self._running)
        finally:
            if self._running is not None:
                # The agent is stopping: what is in the journal is found again at the next start.
                with contextlib.suppress(OSError):
                    self._running.writer.sync()
                self._running.writer.leave()

    async def _follow(self, running: Running) -> None:
        while not running.ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SYNC_EVERY_S):
                    await running.ended.wait()
            await self._sync(running)
            lasted = self._clock.monotonic() - running.opening.started_at
            if lasted > running.row.seconds + GRACE_S:
                running.ended.set()
            self._tell(replace(running.row, elapsed_s=running.span_s))
        await self._finish(running)

    async def _sync(self, running: Running) -> None:
        try:
            await asyncio.to_thread(running.writer.sync)
        except OSError as error:
            log.warning("capture %s: journal cannot be written (%s)", running.row.id, error.strerror)
            running.fail("disk_full" if is_full(error) else "disk_failed")

    async def _finish(self, running: Running) -> CaptureRow:
        async with self._changing:
            if self._running is not running:
                return await asyncio.to_thread(self._visits.capture, running.row.id)
            instrument = self._instruments[running.row.device]
            instrument.listeners.remove(running)
            row = await asyncio.to_thread(self._close, running)
            self._running = None
        self._tell(row)
        return row

    def take_in(
        self, row: CaptureRow, opening: Opening, events: list[Event], source: StoredFile
    ) -> CaptureRow:
        """Make a capture of what a file holds, to be decided on like any other; runs in a thread.

        Raises:
            DiskFull: no room for it.
            Refusal: disk_failed.
        """
        self._disk.require_room()
        writer = self._create(row, opening)
        try:
            for event in events:
                writer.append(event)
            writer.append_source(source)
            writer.close("done")
        except OSError as error:
            return self._store(row, "disk_full" if is_full(error) else "disk_failed")
        return self._store(row, "")

    def _close(self, running: Running) -> CaptureRow:
        """Close the journal, judge it and store the result; runs in a thread."""
        try:
            running.writer.close(running.problem or "done")
        except OSError as error:
            running.fail("disk_full" if is_full(error) else "disk_failed")
        problem = running.problem or ("" if running.events else "no_signal")
        return self._store(running.row, problem)

    def recover(self) -> list[CaptureRow]:
        """Bring captures that a power cut interrupted back into their visits, as failed but kept."""
        return [self._store(row, "interrupted") for row in self._visits.interrupted()]

    def _store(self, row: CaptureRow, problem: str) -> CaptureRow:
        try:
            journal = cut_torn_tail(self.path(row.id), self.key)
            judged = judge(journal)
            recording = to_recording(journal, judged, poor=False)
        except (JournalDamaged, FileNotFoundError):
            ended = replace(row, state=FAILED, problem=problem or "no_signal")
        except ValueError:
            ended = replace(row, state=FAILED, problem="not_storable")
        else:
            ended = replace(
                row,
                state=FAILED if problem else DONE,
                problem=problem,
                elapsed_s=recording.duration_s,
                judged=judged,
                summary=recording_shape(recording),
            )
        try:
            self._visits.put_capture(ended)
        except DiskFull:
            self._disk.give_reserve_up()
            self._visits.put_capture(ended)
        return ended

    def recording(self, row: CaptureRow) -> Recording:
        """Return the whole recording of an ended capture, from its journal.

        Raises:
            Refusal: not_found when nothing usable was recorded.
        """
        if row.judged is None:
            raise Refusal("not_found", "Nothing was recorded in this capture.", status=404)
        judged = row.judged if row.best is None else replace(row.judged, best=row.best)
        return to_recording(self.journal(row.id), judged, poor=row.poor)

    def journal(self, capture_id: str) -> Journal:
        """Return a capture's journal.

        Raises:
            Refusal: not_found when it is no longer on the box.
        """
        try:
            return cut_torn_tail(self.path(capture_id), self.key)
        except (JournalDamaged, FileNotFoundError):
            raise Refusal("not_found", "This recording is no longer on the box.", status=404) from None

    def require_room(self) -> None:
        """Refuse where the disk is too full for more.

        Raises:
            DiskFull: no room.
        """
        self._disk.require_room()

    def delete(self, capture_id: str) -> None:
        """Delete a journal and the copies beside it; they may be gone already."""
        for path in self._folder.glob(f"{capture_id}.*"):
            path.unlink(missing_ok=True)

    def sweep(self, keep: set[str]) -> int:
        """Delete journals that nothing refers to any more, and their copies; return how many journals."""
        orphans = [path for path in self._folder.iterdir() if path.stem not in keep]
        for path in orphans:
            path.unlink(missing_ok=True)
        return sum(path.suffix == ".journal" for path in orphans)

    def _choose(self, step: str, device: str, *, training: bool) -> Instrument:
        kind = KIND_OF_STEP[step]
        fitting = [
            instrument
            for instrument in self._instruments.values()
            if instrument.kind == kind and instrument.state == READY and device in {"", instrument.id}
            if instrument.serves(training=training, label=self._label)
        ]
        if not fitting:
            raise Refusal(
                "device_absent",
                f"No {kind} is ready; switch it on and wait until it is found.",
                status=503,
                field="device",
            )
        return fitting[0]

    def _opening(self, row: CaptureRow, instrument: Instrument) -> Opening:
        return Opening(
            capture=row.id,
            visit=row.visit,
            step=row.step,
            site=row.site,
            side=row.side,
            device=instrument.id,
            driver=instrument.settings.driver,
            link=instrument.scheme,
            seconds=row.seconds,
            started_ms=self._clock.now_ms(),
            started_at=self._clock.monotonic(),
            simulated=instrument.simulated or bool(self._label),
            identity=instrument.words(),
        )

    def _create(self, row: CaptureRow, opening: Opening) -> JournalWriter:
        """Make the journal and the row durable, or neither; runs in a thread."""
        try:
            writer = JournalWriter.create(self.path(row.id), opening, self.key)
        except OSError as error:
            if is_full(error):
                raise DiskFull from None
            log.warning("journals cannot be written (%s)", error.strerror)
            raise Refusal(
                "disk_failed", "The box cannot write to its disk; restart it or call support.", status=507
            ) from None
        try:
            self._visits.put_capture(row)
        except BaseException:
            writer.leave()
            self.delete(row.id)
            raise
        return writer
