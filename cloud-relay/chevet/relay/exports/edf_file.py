"""A waveform as EDF+ (16-bit samples) or BDF+ (24-bit), gaps as a discontinuous file with annotations.

After Kemp and Olivan, "European data format 'plus'", Clin Neurophysiol 114 (2003), and the specification at
EDF's own site; BDF+ is the same with three bytes a sample. Integers are stored as they are; the scale is
in the header.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from chevet.relay.exports.edf_plan import Plan, plan
from chevet.relay.exports.edf_scale import limits
from chevet.relay.exports.files import ExportFile, stem
from chevet.relay.exports.samples import arrived, extremes, frames, marked
from chevet.relay.exports.subject import LeftOut, Subject, moment
from chevet.relay.exports.wfdb_record import ascii_line
from chevet.study.recording import Recording, Waveform

EDF, BDF = "application/x-edf", "application/x-bdf"
WARNING = "not a certified medical device; measurements are drafts"
GAP, END = "gap: nothing arrived", "end of samples"
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
SCALE = {"mV": ("uV", 1000.0)}
"""Units as EDF readers know them; EDF+ writes ECG in microvolt."""
STEPS = {"ecg": "ECG"}
NAMED = {"F": "F", "M": "M"}


def edf_files(subject: Subject) -> Iterator[ExportFile | LeftOut]:
    """Yield every waveform of a case."""
    for recording in subject.recordings():
        if isinstance(recording, LeftOut):
            yield recording
            continue
        for number, waveform in enumerate(recording.waveforms, 1):
            yield edf_file(f"{stem(subject, recording)}-{number}", subject, recording, waveform)
        if not recording.waveforms:
            yield LeftOut(recording.id, "no_waveform")


def edf_file(name: str, subject: Subject, recording: Recording, waveform: Waveform) -> ExportFile | LeftOut:
    """Return one waveform as EDF+ where 16 bits hold its samples, as BDF+ where 24 do.

    Args:
        name: of the file, without its ending.
        subject: the case, for the header.
        recording: the waveform's, for the header.
        waveform: its channels share a rate.
    """
    there = arrived(waveform)
    if not there.any():
        return LeftOut(recording.id, "no_samples")
    low, high = extremes(waveform)
    width = next((w for w in (2, 3) if -(1 << (8 * w - 1)) <= low and high < 1 << (8 * w - 1)), None)
    if width is None:
        return LeftOut(recording.id, "more_than_24_bits")
    try:
        written = _File(subject, recording, waveform, width)
    except ValueError:
        return LeftOut(recording.id, "scale_does_not_fit")
    ending, media_type = ("edf", EDF) if width == 2 else ("bdf", BDF)
    return ExportFile(f"{name}.{ending}", media_type, written.pieces)


class _File:
    """One waveform with everything its header needs."""

    def __init__(self, subject: Subject, recording: Recording, waveform: Waveform, width: int) -> None:
        self._subject, self._recording, self._waveform, self._width = subject, recording, waveform, width
        channels, samples = waveform.values.shape
        self._rate_hz = waveform.channels[0].rate_hz
        self._plan: Plan = plan(samples, waveform.gaps, self._rate_hz, (channels + 1) * width)
        began = moment(recording.started_ms) + timedelta(seconds=self._plan.starts[0] / self._rate_hz)
        self._began = began.replace(microsecond=0)
        # the first record begins within the header's second: its time stamp has the rest
        self._shift_s = began.microsecond / 1e6 - self._plan.starts[0] / self._rate_hz
        low, high = extremes(waveform)
        units = [SCALE.get(item.unit, (item.unit, 1.0)) for item in waveform.channels]
        self._units = [name for name, _ in units]
        self._limits = [
            limits(item.gain * factor, item.offset * factor, min(low, 0), max(high, 0), 8 * width)
            for item, (_, factor) in zip(waveform.channels, units, strict=True)
        ]
        notes = self._notes()
        self._marks = [self._lists(index, notes) for index in range(len(self._plan.starts))]
        longest = max(len(mark) for mark in self._marks)
        self._mark_samples = -(-longest // width)

    def pieces(self) -> Iterator[bytes]:
        """Yield the header, then record after record."""
        yield self._header()
        values = marked(self._waveform.values, arrived(self._waveform), 0)
        room = self._mark_samples * self._width
        for start, mark in zip(self._plan.starts, self._marks, strict=True):
            block = values[:, start : start + self._plan.length]
            lack = self._plan.length - block.shape[1]
            if lack:
                block = np.pad(block, ((0, 0), (0, lack)))
            rows = (piece for row in block for piece in frames(row[None], self._width))
            yield b"".join([*rows, mark.ljust(room, b"\0")])

    def _notes(self) -> list[bytes]:
        """Return all annotations but time stamps, each as its onset, duration and text."""
        label = f"{self._subject.label} " if self._subject.label else ""
        stretches = [(gap.first, gap.count, GAP) for gap in self._waveform.gaps]
        if self._plan.beyond:
            stretches.append((self._plan.samples, self._plan.beyond, END))
        return [
            _annotation(self._at_s(self._plan.starts[0]), 0.0, f"{label}{WARNING}"),
            *(_annotation(self._at_s(at), count / self._rate_hz, text) for at, count, text in stretches),
        ]

    def _at_s(self, sample: int) -> float:
        """Return when a sample was taken, in seconds from the header's start."""
        return self._shift_s + sample / self._rate_hz

    def _lists(self, index: int, notes: list[bytes]) -> bytes:
        """Return a record's annotation lists: its own time, then its share of the notes."""
        shares = -(-len(notes) // len(self._plan.starts))
        mine = notes[index * shares : (index + 1) * shares]
        stamp = f"+{self._at_s(self._plan.starts[index]):.7f}".rstrip("0").rstrip(".")
        return stamp.encode() + b"\x14\x14\0" + b"".join(mine)

    def _header(self) -> bytes:
        channels, family = self._waveform.channels, "EDF" if self._width == 2 else "BDF"
        kind = f"{family}+{'C' if self._plan.continuous else 'D'}"
        version = "0".ljust(8).encode() if self._width == 2 else b"\xffBIOSEMI"
        prefix = STEPS.get(self._recording.step, "")
        edge = 1 << (8 * self._width - 1)
        columns = [
            (16, [_short(f"{prefix} {item.name}".strip(), 16) for item in channels], f"{family} Annotations"),
            (80, [self._recording.driver] * len(channels), ""),
            (8, self._units, ""),
            (8, [one.physical_low for one in self._limits], "-1"),
            (8, [one.physical_high for one in self._limits], "1"),
            (8, [str(one.low) for one in self._limits], str(-edge)),
            (8, [str(one.high) for one in self._limits], str(edge - 1)),
            (80, [""] * len(channels), ""),  # filters: none is known to have touched the samples
            (8, [str(self._plan.length)] * len(channels), str(self._mark_samples)),
            (32, [""] * len(channels), ""),
        ]
        signals = len(channels) + 1
        first = [
            (80, self._patient()),
            (80, self._origin()),
            (8, f"{self._began:%d.%m.%y}"),
            (8, f"{self._began:%H.%M.%S}"),
            (8, str(256 * (signals + 1))),
            (44, kind),
            (8, str(len(self._plan.starts))),
            (8, self._plan.duration),
            (4, str(signals)),
        ]
        text = "".join(_short(word, size) for size, word in first)
        text += "".join(_short(word, size) for size, words, last in columns for word in (*words, last))
        return version + text.encode("ascii")

    def _patient(self) -> str:
        """Return code, sex, birth date (only a year is known: none) and name."""
        who = self._subject.patient
        name = ascii_line(who.name).strip().replace(" ", "_") or "X"
        return f"{who.id} {NAMED.get(who.sex, 'X')} X {name}"

    def _origin(self) -> str:
        label = f" {self._subject.label}" if self._subject.label else ""
        device = f"Chevet_{self._recording.driver}{label}"
        return f"Startdate {_day(self._began)} X {self._subject.study.site} {device}"


def _day(at: datetime) -> str:
    return f"{at.day:02d}-{MONTHS[at.month - 1]}-{at.year}"


def _short(text: str, size: int) -> str:
    return ascii_line(text)[:size].ljust(size)


def _annotation(onset_s: float, seconds: float, text: str) -> bytes:
    onset = f"{onset_s:+.7f}".rstrip("0").rstrip(".")
    length = f"\x15{seconds:.7f}".rstrip("0").rstrip(".") if seconds else ""
    return f"{onset}{length}\x14{text}\x14".encode() + b"\0"
