"""Copies to listen to and look at, made while the worker goes on, so that sending does not wait for them.

They lie beside the journal they were made from, named by its content: what a power cut tore, or what does
not fit the recording any more, is made again. Nothing depends on them but time.
"""

import asyncio
import hashlib
import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from chevet.devices.samples import Picture
from chevet.edge.at_rest import Altered, cover_file, uncover_file
from chevet.edge.capture import Captures
from chevet.edge.errors import DiskFull, Refusal
from chevet.edge.recorded import pictures_of
from chevet.edge.visits import CaptureRow
from chevet.study.cbor import Row, Value, decode, encode
from chevet.study.clip import clip_times, encode_clip
from chevet.study.errors import BundleError
from chevet.study.layers import Piece, lossy_pieces
from chevet.study.recording import Recording, StoredClip

log = logging.getLogger(__name__)

VERSION: Final = 1
"""To be raised when the coders of the study change: copies of before are then made again."""
_DIGEST: Final = 32
_WAITING: Final = 32
"""Captures; no worker is that far ahead, and one that is left out is made when the visit is sent."""


@dataclass(slots=True, eq=False)
class Copies:
    """Makes and keeps the copies of accepted recordings; `recording` and `pieces` run in threads."""

    captures: Captures
    _waiting: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(_WAITING))
    _making: threading.Lock = field(default_factory=threading.Lock)

    def soon(self, capture_id: str) -> None:
        """Have the copies of an accepted recording made when there is time."""
        with suppress(asyncio.QueueFull):
            self._waiting.put_nowait(capture_id)

    async def run(self) -> None:
        """Make what was asked for, one at a time; until cancelled."""
        while True:
            capture_id = await self._waiting.get()
            await asyncio.to_thread(self._prepare, capture_id)

    def recording(self, row: CaptureRow) -> Recording:
        """Return the whole recording of an ended capture as it travels, with its clip.

        Raises:
            Refusal: not_found when nothing usable was recorded.
        """
        recording = self.captures.recording(row)
        if len(recording.pictures) < 2 or recording.step == "photo":  # skin does not move
            return recording
        frames = pictures_of(self.captures.journal(row.id))
        return replace(recording, clip=self._clip(recording, frames))

    def pieces(self, recording: Recording) -> Sequence[Piece]:
        """Return the preview and diagnostic pieces of a recording, made now if they were not before."""
        with self._making:
            kept = self._read(recording.id, "copies", _key_of(recording))
            if kept is not None:
                with suppress(BundleError):
                    return [_read_piece(row) for row in Row([kept]).rows()]
            pieces = list(lossy_pieces(recording))
            rows: list[Value] = [[p.layer, p.kind, p.media_type, p.data, p.index] for p in pieces]
            self._write(recording.id, "copies", _key_of(recording), rows)
            return pieces

    def _prepare(self, capture_id: str) -> None:
        """Make the copies of one capture; it may have been discarded or sent meanwhile."""
        try:
            self.pieces(self.recording(self.captures.get(capture_id)))
        except Refusal:
            return
        except Exception as error:  # noqa: BLE001  # sending makes them again, and says so if it must
            log.warning("capture %s: no copies yet (%s)", capture_id, type(error).__name__)

    def _clip(self, recording: Recording, pictures: Sequence[Picture]) -> StoredClip | None:
        """Return the film about the best still."""
        best = next((item for item in recording.pictures if item.best), recording.pictures[0])
        # The best still is one of the pictures: its place in the journal tells when the recording began.
        began = next((p.at - best.at_s for p in pictures if p.data == best.data), pictures[0].at)
        times = [round(picture.at - began, 3) for picture in pictures]
        frames = [(times[index], pictures[index].data) for index in clip_times(times, best.at_s)]
        key = _digest(str(VERSION).encode(), *(b"%r" % at_s + data for at_s, data in frames))
        with self._making:
            kept = self._read(recording.id, "clip", key)
            if kept is not None:
                with suppress(BundleError):
                    return _read_clip(Row(kept))
            clip = encode_clip(frames)
            if clip is not None:
                self._write(
                    recording.id, "clip", key, [clip.data, clip.media_type, clip.from_s, clip.seconds]
                )
            return clip

    def _path(self, capture_id: str, kind: str) -> Path:
        return self.captures.path(capture_id).with_suffix(f".{kind}")

    def _read(self, capture_id: str, kind: str, key: bytes) -> Value:
        """Return what was kept under this key; None where it was not, or the file is torn."""
        try:
            path = self._path(capture_id, kind)
            data = uncover_file(self.captures.key, path.read_bytes(), f"{path.parent.name}/{path.name}")
            body = data[2 * _DIGEST :]
            whole = data[:_DIGEST] == key and data[_DIGEST : 2 * _DIGEST] == _digest(body)
            return decode(body) if whole else None
        except (OSError, Altered, BundleError):
            return None

    def _write(self, capture_id: str, kind: str, key: bytes, value: Value) -> None:
        """Keep something; not durably, since it can be made again."""
        path = self._path(capture_id, kind)
        body = encode(value)
        try:
            self.captures.require_room()
            part = path.with_suffix(f".{kind}-new")
            whole = key + _digest(body) + body
            part.write_bytes(cover_file(self.captures.key, whole, f"{path.parent.name}/{path.name}"))
            part.replace(path)
        except (OSError, DiskFull) as error:
            log.warning("capture %s: copies are not kept (%s)", capture_id, type(error).__name__)


def _digest(*parts: bytes) -> bytes:
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.digest()


def _key_of(recording: Recording) -> bytes:
    """Return what copies depend on: the samples and how they are told, the pictures and which is best."""
    parts = [str(VERSION).encode()]
    for waveform in recording.waveforms:
        parts += [repr((waveform.channels, waveform.gaps, waveform.values.shape)).encode()]
        parts += [waveform.values.tobytes()]
    for picture in recording.pictures:
        parts += [picture.data, b"best" if picture.best else b""]
    return _digest(*parts)


def _read_piece(row: Row) -> Piece:
    return Piece(row.whole(), row.text(), row.text(), row.data(), row.whole())


def _read_clip(row: Row) -> StoredClip:
    return StoredClip(row.data(), row.text(), row.number(), row.number())
