"""`chevet-edge import`: an ECG file of a cart into a WFDB record, from the terminal, without the agent."""

import os
from collections.abc import Iterator
from pathlib import Path

from chevet.devices.ecg_file import EcgFile
from chevet.devices.ecg_files import LARGEST_FILE, REFUSED, read_ecg_file
from chevet.devices.errors import BrokenPayload
from chevet.edge.cart_attach import blocks, started_ms
from chevet.edge.errors import Refusal, SettingsError
from chevet.edge.recorded import streams
from chevet.edge.recording_files import Stream, target_for


def import_file(source: Path, out: Path, now_ms: int, *, force: bool) -> int:
    """Write what an ECG file holds as a WFDB record; return the exit code. Who it names is not written.

    Raises:
        SettingsError, Refusal: it was not read or not written, with the remedy.
    """
    target = target_for(out, "ecg")
    target.refuse_existing(force=force)
    file = _read(source)
    found = list(_streams(file))
    begun_ms = started_ms(file.started, now_ms)
    comments = [f"read from a file of format {file.format}"]
    comments += [f"{name}: {text}" for name, text in file.device.items()]
    comments += [f"worked out from other leads: {' '.join(file.derived)}"] if file.derived else []
    comments += ["simulated (HTEST)"] if file.simulated else []
    comments.append("research and training software; not a medical device")
    before = os.umask(0o077)  # it was measured of somebody
    try:
        target.clear()
        written = target.put_streams(found, begun_ms, comments)
    except OSError as error:
        raise SettingsError(f"{out} cannot be written ({error.strerror}).") from None
    finally:
        os.umask(before)
    leads = ", ".join(channel.name for channel in file.channels)
    print(f"{file.seconds:.3f} s of {leads} at {file.channels[0].rate_hz:g} Hz.")
    print(f"Wrote {', '.join(str(path) for path in written)}.")
    return 0


def _read(source: Path) -> EcgFile:
    try:
        with source.open("rb") as opened:
            data = opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise SettingsError(f"{source} cannot be read ({error.strerror}).") from None
    try:
        return read_ecg_file(data)
    except BrokenPayload as broken:
        raise Refusal(broken.what, f"{source}: {REFUSED[broken.what]}.") from None


def _streams(file: EcgFile) -> Iterator[Stream]:
    for channels, values, gaps in streams(blocks(file), file.seconds, from_zero=True):
        yield Stream(channels, values, gaps)
