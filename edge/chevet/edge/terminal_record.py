"""`chevet-edge record` and `chevet-edge tape`: an instrument's samples, or its link's bytes, into files."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from chevet.devices.samples import Notice, Picture, Reading
from chevet.edge.errors import Refusal, SettingsError
from chevet.edge.recorded import streams
from chevet.edge.recording_files import Stream, Target, target_for
from chevet.edge.settings import EdgeSettings
from chevet.edge.terminal_attend import Attended, Taken, chosen_device, reason

LONGEST_S = 3600.0
BAR = 30
EVERY_S = 5.0
"""Between two plain lines of progress, where the output is no terminal."""
NOTICES_TOLD = 50


def record(settings: EdgeSettings, device_id: str, seconds: float, out: Path, *, force: bool) -> int:
    """Record an instrument into `out`; return the exit code.

    Raises:
        SettingsError, Refusal: nothing was recorded, with the remedy.
    """
    _require_seconds(seconds)
    attended = Attended(settings, chosen_device(settings, device_id))
    target = target_for(out, attended.instrument.kind)
    target.refuse_existing(force=force)
    with _private_files():
        taken = Taken(seconds)
        if target.kind == "pictures":
            taken.put_picture = _first_clearing(target)
        _run(attended, taken)
        return _kept(attended, taken, target)


def record_tape(settings: EdgeSettings, device_id: str, seconds: float, out: Path, *, force: bool) -> int:
    """Record what passes on an instrument's link into the tape `out`; return the exit code.

    Raises:
        SettingsError, Refusal: nothing was recorded, with the remedy.
    """
    _require_seconds(seconds)
    device = chosen_device(settings, device_id)
    if not out.parent.is_dir():
        raise Refusal("no_folder", f"The folder {out.parent} does not exist; make it first.")
    if out.is_dir() or (out.exists() and not force):
        raise Refusal("exists", f"{out} exists; name another FILE or pass --force.")
    part = out.with_name(out.name + ".part")
    with _private_files():
        part.write_bytes(b"")  # an unwritable folder is told before the instrument starts
        attended, taken = Attended(settings, device, tape=part), Taken(seconds)
        try:
            _run(attended, taken)
            if not part.stat().st_size:
                raise _nothing(device_id, taken)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
    size, link = out.stat().st_size, f'link = "tape:{out.resolve()}"'
    print(f"Wrote {out}: {size} bytes; to replay it as the device, give the device {link}.")
    print("A tape holds what was measured of whoever was connected: keep it as you keep recordings.")
    return _ending(taken)


def _require_seconds(seconds: float) -> None:
    if not 0 < seconds <= LONGEST_S:
        raise SettingsError(f"--seconds must be above 0 and at most {LONGEST_S:g}.")


@contextlib.contextmanager
def _private_files() -> Iterator[None]:
    """Let nobody else read what is written: it was measured of somebody."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _run(attended: Attended, taken: Taken) -> None:
    # The end of the command tells all of this once, and a line between would tear the bar.
    logging.getLogger("chevet.edge.instruments").setLevel(logging.CRITICAL)
    progress = Progress(sys.stderr)

    async def run() -> None:
        # Ctrl-C keeps what is there. In another thread than the first there are no signals.
        with contextlib.suppress(ValueError, RuntimeError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, taken.end, "stopped")
        await attended.take(taken, progress.tell)

    try:
        asyncio.run(run())
    finally:
        progress.close()
        logging.getLogger("chevet.edge.instruments").setLevel(logging.NOTSET)


class Progress:
    """A bar that moves on a terminal; elsewhere a plain line now and then."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._moves = out.isatty()
        self._told_s = -EVERY_S

    def tell(self, taken: Taken) -> None:
        """Show how far it is."""
        if not self._moves and taken.span_s < self._told_s + EVERY_S:
            return
        self._told_s = taken.span_s
        done = min(taken.span_s / taken.seconds, 1.0)
        words = f"{min(taken.span_s, taken.seconds):.1f} of {taken.seconds:g} s"
        words += f", {taken.samples} samples" if taken.samples else ""
        words += f", {taken.pictures} pictures" if taken.pictures else ""
        words = words if taken.begun else "waiting for the instrument"
        if self._moves:
            filled = round(done * BAR)
            self._out.write(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {words}\x1b[K")
        else:
            self._out.write(words + "\n")
        self._out.flush()

    def close(self) -> None:
        """Leave the bar's line."""
        if self._moves:
            self._out.write("\n")


def _first_clearing(target: Target) -> Callable[[int, float, Picture], None]:
    """Write pictures, and remove an earlier recording's when the first one has come."""

    def put(number: int, at_s: float, picture: Picture) -> None:
        if number == 1:
            target.clear()
        target.put_picture(number, at_s, picture)

    return put


def _kept(attended: Attended, taken: Taken, target: Target) -> int:
    """Write what was taken, and tell what is there and what is missing."""
    found = [Stream(*parts) for parts in streams(taken.events, taken.seconds)]
    readings = [event for event in taken.events if isinstance(event, Reading)]
    if not (found or readings or taken.pictures):
        raise _nothing(attended.device.id, taken)
    if target.kind != "pictures":
        target.clear()
    written = target.put_streams(found, taken.started_ms, list(_comments(attended, taken)))
    if readings:
        written.append(target.put_readings(readings, taken.started_at))
    if taken.pictures:
        written.append(target.out)
    for line in _summary(attended, taken, found, len(readings)):
        print(line)
    print(f"Wrote {', '.join(str(path) for path in written)}.")
    return _ending(taken)


def _comments(attended: Attended, taken: Taken) -> Iterator[str]:
    instrument = attended.instrument
    who = ", ".join(f"{key} {value}" for key, value in instrument.identity.items() if value)
    yield f"device {attended.device.id}, driver {attended.device.driver}" + (f", {who}" if who else "")
    if instrument.simulated or attended.settings.label:
        yield "simulated (HTEST)"
    yield "research and training software; not a medical device"
    notices = [one for one in taken.events if isinstance(one, Notice) and one.code != "identified"]
    for one in notices[:NOTICES_TOLD]:
        at_s = max(0.0, one.at - taken.started_at)
        yield f"at {at_s:.3f} s: {one.code}{'' if one.on else ' over'} {one.detail}".rstrip()


def _summary(attended: Attended, taken: Taken, found: list[Stream], readings: int) -> Iterator[str]:
    instrument = attended.instrument
    for one in found:
        names = ", ".join(channel.name for channel in one.channels)
        count, rate_hz = one.values.shape[1], one.channels[0].rate_hz
        yield f"{one.seconds:.3f} s of {names} at {rate_hz:g} Hz: {count} samples, {one.lost} lost."
        yield from (line[0].upper() + line[1:] + "." for line in one.told_gaps())
    if taken.pictures:
        yield f"{taken.pictures} pictures."
    if readings:
        yield f"{readings} readings."
    for count, what in (
        (instrument.lost_samples, "samples lost in all, as the device counts"),
        (instrument.bad_frames, "bad frames"),
        (attended.dropped, "packets came faster than they were taken"),
    ):
        if count:
            yield f"{count} {what}."


def _nothing(device_id: str, taken: Taken) -> Refusal:
    return Refusal("device_absent", f"Nothing was recorded from '{device_id}': {reason(taken.problem)}.")


def _ending(taken: Taken) -> int:
    if not taken.problem:
        return 0
    print(f"chevet-edge: ended after {taken.span_s:.1f} s: {reason(taken.problem)}.", file=sys.stderr)
    return 1
