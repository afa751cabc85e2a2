"""Files of an export and the ZIP archive that carries them, made while they are read.

Names hold the case's random id, the examination step and a number: nothing of the patient.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from chevet.relay.exports.subject import LeftOut, Subject
from chevet.study.recording import Recording

PIECE = 1 << 16
"""Bytes handed on at a time."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a ZIP can tell: equal exports are equal bytes."""


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file: its neutral name, and its bytes in pieces, made anew at each call."""

    name: str
    media_type: str
    pieces: Callable[[], Iterable[bytes]]


def stem(subject: Subject, recording: Recording) -> str:
    """Return how a recording's files begin: `HTEST-ecg-2`, numbered as in the study."""
    number = [item.id for item in subject.study.recordings].index(recording.id) + 1
    label = f"{subject.label}-" if subject.label else ""
    return f"{label}{recording.step.replace('_', '-')}-{number}"


def folder(subject: Subject) -> str:
    """Return the name of the folder that holds an export's files."""
    return f"{subject.label}-{subject.case.id}" if subject.label else subject.case.id


class _Sink:
    """Where zipfile writes; what came since the last look is handed on."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        """Return what was written since the last call."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def zipped(subject: Subject, form: str, items: Iterable[ExportFile | LeftOut]) -> Iterator[bytes]:
    """Yield a ZIP archive of the files, with `contents.json` last: hashes, and what was left out and why.

    Nothing is held but the piece under way, so a client may take hours.
    """
    sink = _Sink()
    listed: list[dict[str, Any]] = []
    left_out: list[dict[str, str]] = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for item in items:
            if isinstance(item, LeftOut):
                left_out.append({"recording": item.recording, "reason": item.reason})
                continue
            digest, size = hashlib.sha256(), 0
            with archive.open(_entry(subject, item.name), "w", force_zip64=True) as entry:
                for piece in item.pieces():
                    entry.write(piece)
                    digest.update(piece)
                    size += len(piece)
                    yield sink.taken()
            listed.append(
                {"name": item.name, "type": item.media_type, "bytes": size, "sha256": digest.hexdigest()}
            )
        contents = _contents(subject, form) | {"files": listed, "left_out": left_out}
        with archive.open(_entry(subject, "contents.json"), "w") as entry:
            entry.write(json.dumps(contents, ensure_ascii=False, indent=2).encode())
    yield sink.taken()


def _entry(subject: Subject, name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(f"{folder(subject)}/{name}", EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _contents(subject: Subject, form: str) -> dict[str, Any]:
    return {
        "form": form,
        "case": subject.case.id,
        "patient": subject.patient.id,
        "label": subject.label,
        "statement": subject.statement,
    }
