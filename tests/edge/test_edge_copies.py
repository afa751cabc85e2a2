"""Copies made while the worker goes on: the same bundle sooner, whatever becomes of the files."""

import asyncio
import io
from functools import cache
from pathlib import Path

import pytest
from edge_fakes import Box, sound_block, until
from PIL import Image
from test_edge_visit import complete, open_visit, recorded

from chevet.devices.samples import Picture
from chevet.edge import copies as copies_module
from chevet.edge.copies import Copies
from chevet.edge.errors import Refusal
from chevet.edge.visits import CaptureRow
from chevet.sim.otoscope_video import OtoscopeVideo
from chevet.study.bundle import content_hash, pack
from chevet.study.layers import lossy_pieces
from chevet.study.recording import Recording


@cache
def film() -> tuple[Picture, ...]:
    video = OtoscopeVideo("normal", "left", 2)
    return tuple(Picture(video.jpeg(n), "image/jpeg", 0.2 + n / 12.5) for n in range(10))


def ear(box: Box, visit: str) -> CaptureRow:
    return recorded(box, visit, "otoscopy", *film(), side="left")


@pytest.fixture
def visit(box: Box) -> str:
    return open_visit(box)


@pytest.fixture
def copies(box: Box) -> Copies:
    return box.bedside.rules.closing.copies


def path(box: Box, row: CaptureRow, kind: str) -> Path:
    return box.bedside.captures.path(row.id).with_suffix(f".{kind}")


def never(recording: Recording) -> list:
    raise AssertionError("these copies were made before")


def test_copies_are_made_once_and_are_those_that_packing_makes(box, visit, copies, monkeypatch) -> None:
    row = recorded(box, visit, "heart_sound", sound_block(0, 8000), site="M")
    recording = copies.recording(row)
    made = list(copies.pieces(recording))
    assert made == list(lossy_pieces(recording))
    monkeypatch.setattr(copies_module, "lossy_pieces", never)
    assert list(copies.pieces(recording)) == made
    assert list(Copies(box.bedside.captures).pieces(recording)) == made, "after a restart too"


def test_an_ear_gets_a_clip_of_the_frames_about_its_best_still(box, visit, copies, monkeypatch) -> None:
    row = ear(box, visit)
    recording = copies.recording(row)
    assert recording.clip is not None
    clip = Image.open(io.BytesIO(recording.clip.data))
    assert (clip.size, clip.n_frames) == ((640, 480), 10)
    assert recording.clip.from_s == pytest.approx(0.2)
    assert recording.clip.seconds == pytest.approx(0.8, abs=0.01)
    monkeypatch.setattr(copies_module, "encode_clip", never)
    assert copies.recording(row).clip == recording.clip


@pytest.mark.parametrize("harm", [b"", b"\0" * 40, b"torn"])
def test_torn_or_foreign_files_are_made_again(box, visit, copies, harm) -> None:
    row = ear(box, visit)
    recording = copies.recording(row)
    made = list(copies.pieces(recording))
    for kind in ("clip", "copies"):
        file = path(box, row, kind)
        file.write_bytes(file.read_bytes()[:-7] if harm == b"torn" else harm)
    again = copies.recording(row)
    assert again.clip == recording.clip
    assert list(copies.pieces(again)) == made
    assert path(box, row, "copies").stat().st_size > 1000, "and kept again"


def test_another_best_still_is_another_copy(box, visit, copies) -> None:
    row = ear(box, visit)
    first = copies.pieces(copies.recording(row))
    assert row.judged is not None
    other = next(n for n in range(len(row.judged.stills)) if n != row.judged.best)
    box.bedside.rules.accept(row.id, poor=not row.judged.quality.usable, best=other)
    changed = copies.recording(box.bedside.visits.capture(row.id))
    assert [item.best for item in changed.pictures].index(True) == other
    assert [p.index for p in copies.pieces(changed) if p.layer == 1] == [other]
    assert [p.index for p in first if p.layer == 1] == [row.judged.best]


def test_a_full_disk_costs_time_and_nothing_else(box, visit, copies, monkeypatch) -> None:
    row = recorded(box, visit, "heart_sound", sound_block(0, 8000), site="M")

    def full() -> None:
        raise copies_module.DiskFull

    monkeypatch.setattr(box.bedside.captures, "require_room", full)
    recording = copies.recording(row)
    assert list(copies.pieces(recording)) == list(lossy_pieces(recording))
    assert not path(box, row, "copies").exists()


def test_what_is_sent_is_the_same_with_and_without_copies(box, visit, copies) -> None:
    row = ear(box, visit)
    assert row.judged is not None
    box.bedside.rules.accept(row.id, poor=not row.judged.quality.usable, best=None)
    complete(box, visit)
    copies._prepare(row.id)
    case = box.bedside.rules.send(visit)
    study = box.bedside.rules.closing._study(box.bedside.visits.get(visit))
    assert study.recordings[0].clip is not None
    assert case.words.sha256 == content_hash(pack(study))


def test_deleting_a_recording_deletes_its_copies_and_sweeping_those_left_alone(box, visit, copies) -> None:
    row, other = ear(box, visit), ear(box, visit)
    for one in (row, other):
        copies._prepare(one.id)
        assert path(box, one, "clip").exists()
    box.bedside.rules.discard(row.id)
    assert not list(box.bedside.captures.path(row.id).parent.glob(f"{row.id}.*"))
    box.bedside.captures.path(other.id).unlink()
    assert box.bedside.captures.sweep(set()) == 0
    assert not list(box.bedside.captures.path(other.id).parent.glob("*.*"))


async def test_copies_are_made_in_the_background_and_a_lost_recording_stops_nothing(
    box, visit, copies
) -> None:
    row = recorded(box, visit, "heart_sound", sound_block(0, 8000), site="M")
    running = asyncio.create_task(copies.run())
    copies.soon("unheard-of")
    copies.soon(row.id)
    await until(path(box, row, "copies").exists)
    running.cancel()
    for _ in range(100):
        copies.soon(row.id)  # more than can wait: the rest is made when it is sent
    assert path(box, row, "copies").stat().st_size > 0


def test_a_coder_that_fails_is_left_to_sending(box, visit, copies, monkeypatch, caplog) -> None:
    row = recorded(box, visit, "heart_sound", sound_block(0, 8000), site="M")
    monkeypatch.setattr(copies_module, "lossy_pieces", lambda recording: 1 / 0)
    copies._prepare(row.id)
    assert "ZeroDivisionError" in caplog.text
    with pytest.raises(ZeroDivisionError):
        copies.pieces(copies.recording(row))


def test_a_capture_of_nothing_has_no_copies(box, visit, copies) -> None:
    with pytest.raises(Refusal):
        copies.recording(CaptureRow("none", visit, "ecg", "", "", "ecg", 1.0))
    copies._prepare("none")
