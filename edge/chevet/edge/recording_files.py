"""Where a recording made from the terminal goes: WFDB, WAV or a folder of pictures, and readings."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from chevet.devices.samples import Channel, Picture, Reading, Samples
from chevet.edge.errors import Refusal
from chevet.edge.wav_sound import wav_sound
from chevet.edge.wfdb_record import wfdb_record
from chevet.study.recording import Gap
from chevet.study.sound import told_bits

GAPS_TOLD = 100
"""A header with more lines than this is read by nobody; the count is told all the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Channels that share a clock: their integers [channels, samples] and the gaps in them."""

    channels: tuple[Channel, ...]
    values: Samples
    gaps: tuple[Gap, ...]

    @property
    def seconds(self) -> float:
        """Length by the device's clock."""
        return float(self.values.shape[1] / self.channels[0].rate_hz)

    @property
    def lost(self) -> int:
        """Samples that never arrived."""
        return sum(gap.count for gap in self.gaps)

    def told_gaps(self) -> Iterator[str]:
        """Yield a sentence for each gap."""
        for gap in self.gaps[:GAPS_TOLD]:
            at_s = gap.first / self.channels[0].rate_hz
            yield (
                f"gap: {gap.count} samples from sample {gap.first} ({at_s:.3f} s) on never arrived;"
                " zeros stand there"
            )
        if len(self.gaps) > GAPS_TOLD:
            yield f"gap: {len(self.gaps) - GAPS_TOLD} more gaps"


@dataclass(frozen=True, slots=True)
class Target:
    """The files of one recording; `kind` is "wfdb", "wav" or "pictures"."""

    kind: str
    out: Path

    def refuse_existing(self, *, force: bool) -> None:
        """Stop before anything is overwritten.

        Raises:
            Refusal: `exists` without `force`; `no_folder` when there is nowhere to write.
        """
        if not self.out.parent.is_dir():
            raise Refusal("no_folder", f"The folder {self.out.parent} does not exist; make it first.")
        there = self._existing()
        if there and not force:
            raise Refusal("exists", f"{there[0]} exists; name another FILE or pass --force.")
        if self.kind == "pictures" and self.out.exists() and not self.out.is_dir():
            raise Refusal("exists", f"{self.out} is a file; pictures need a folder.")
        for path in there:
            if path.is_dir():
                raise Refusal("exists", f"{path} is a folder; name another FILE.")

    def clear(self) -> None:
        """Remove what an earlier recording left, so that none of it seems to belong to this one."""
        for path in self._existing():
            path.unlink()

    def put_picture(self, number: int, at_s: float, picture: Picture) -> Path:
        """Write the camera's own bytes into the folder."""
        self.out.mkdir(mode=0o700, exist_ok=True)
        ending = {"image/jpeg": "jpg", "image/png": "png"}.get(picture.media_type, "bin")
        return _put(self.out / f"picture-{number:04d}-{at_s:.3f}s.{ending}", picture.data)

    def put_streams(self, streams: Sequence[Stream], started_ms: int, comments: Sequence[str]) -> list[Path]:
        """Write every stream; the second and later get a number of their own.

        Raises:
            Refusal: `not_storable`, the samples do not fit into the format.
        """
        written: list[Path] = []
        for place, stream in enumerate(streams, 1):
            name = self._stem if place == 1 else f"{self._stem}_stream{place}"
            told = [*comments, *stream.told_gaps()]
            try:
                if self.kind == "wav":
                    one = stream.channels[0]
                    least = told_bits(one.gain)
                    sound = wav_sound(stream.values, one.rate_hz, told, least_bits=least)
                    written.append(_put(self.out.with_name(f"{name}.wav"), sound))
                    continue
                header, samples = wfdb_record(name, stream.channels, stream.values, started_ms, told)
            except ValueError as error:
                raise Refusal("not_storable", f"The samples cannot be written: {error}.") from None
            written.append(_put(self.out.with_name(f"{name}.dat"), samples))
            written.append(_put(self.out.with_name(f"{name}.hea"), header))
        return written

    def put_readings(self, readings: Sequence[Reading], started_at: float) -> Path:
        """Write what the device reported as numbers; "no value" is an empty cell."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(("seconds", "kind", "value", "unit", "status"))
        for one in readings:
            value = "" if one.value is None else f"{one.value:.15g}"
            table.writerow((f"{one.at - started_at:.3f}", one.kind, value, one.unit, " ".join(one.status)))
        return _put(self._readings, text.getvalue().encode())

    @property
    def _stem(self) -> str:
        return self.out.name if self.kind == "pictures" else self.out.stem

    @property
    def _readings(self) -> Path:
        return self.out.with_name(f"{self._stem}_readings.csv")

    def _existing(self) -> list[Path]:
        folder, stem = self.out.parent, re.escape(self._stem)
        endings = "wav" if self.kind == "wav" else "hea|dat"
        pattern = re.compile(rf"{stem}(_stream\d+)?\.({endings})|{stem}_readings\.csv")
        if self.kind == "pictures":
            folder, pattern = self.out, re.compile(r"picture-\d+-[\d.]+s\.(jpg|png|bin)")
        found = (
            sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name))
            if folder.is_dir()
            else []
        )
        return found + ([self._readings] if self.kind == "pictures" and self._readings.exists() else [])


def target_for(out: Path, instrument: str) -> Target:
    """Return what `out` means for this kind of instrument.

    Raises:
        Refusal: `wrong_name`, with the name to choose instead.
    """
    if out.suffix == ".wav":
        if instrument != "stethoscope":
            raise Refusal("wrong_name", "Only a stethoscope records WAV; let FILE end in .hea.")
        return Target("wav", out)
    if instrument == "otoscope":
        if out.suffix:
            raise Refusal("wrong_name", "A camera records into a folder; name it without an ending.")
        return Target("pictures", out)
    if out.suffix not in {"", ".hea", ".dat"}:
        raise Refusal("wrong_name", "FILE must end in .hea (WFDB), or in .wav for a stethoscope.")
    if not re.fullmatch(r"[A-Za-z0-9_]+", out.stem):
        raise Refusal("wrong_name", "A WFDB record's name has letters, digits and underscores only.")
    return Target("wfdb", out)


def _put(path: Path, data: bytes) -> Path:
    """Write whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    return part.replace(path)
