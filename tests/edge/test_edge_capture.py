"""Capturing: exact samples, gaps as data, nothing lost to an unplugged cable or a power cut."""

import asyncio
import errno
import io
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from edge_fakes import Box, ecg_block, flat_block, make_box, open_box, sound_block, spo2, until
from PIL import Image

from chevet.devices.samples import Channel, Picture, SampleBlock
from chevet.edge import capture as capture_module
from chevet.edge.copies import Copies
from chevet.edge.errors import DiskFull, Refusal
from chevet.edge.identity import new_id
from chevet.edge.journal import JournalWriter
from chevet.edge.visits import DONE, FAILED, RECORDING, CaptureRow, Visit, Visits, VisitWords
from chevet.study.study import Patient


@asynccontextmanager
async def working(box: Box) -> AsyncIterator[str]:
    """Run devices and captures; give a visit's id."""
    bedside = box.bedside
    visit = start_visit(box)
    tasks = [asyncio.create_task(one.run()) for one in bedside.instruments.values()]
    tasks.append(asyncio.create_task(bedside.captures.run()))
    for device in box.devices.values():
        device.play(spo2(None, 0.0))
    await until(lambda: all(one.state == "ready" for one in bedside.instruments.values()))
    try:
        yield visit
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def start_visit(box: Box) -> str:
    box.bedside.patients.add(Patient("p1", "Somebody", None, ""))
    visit = Visit(new_id(), "p1", "amina", "draft", 1, VisitWords())
    box.bedside.visits.add(visit)
    return visit.id


async def ended(box: Box, row: CaptureRow) -> CaptureRow:
    await until(lambda: box.bedside.captures.get(row.id).state != RECORDING)
    return box.bedside.captures.get(row.id)


async def test_a_capture_ends_by_itself_with_exactly_the_samples_asked_for(box: Box) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=10)
        assert row.state == RECORDING
        box.devices["ecg"].play(*[ecg_block(1000 + at, 250) for at in range(0, 5500, 250)])
        done = await ended(box, row)
        assert (done.state, done.problem, done.elapsed_s) == (DONE, "", 10.0)
        recording = box.bedside.captures.recording(done)
        assert recording.waveforms[0].values.shape == (12, 5000)
        assert np.array_equal(recording.waveforms[0].values, ecg_block(1000, 5000).values)
        assert recording.quality.usable
        rate = next(m for m in recording.measurements if m.kind == "heart_rate")
        assert rate.value is not None
        assert 40 < rate.value < 120
        assert recording.link == "serial:ecg"
        assert box.told[-1].id == row.id


async def test_a_gap_is_data_zeros_stand_in_and_lost_samples_are_counted(box: Box) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=2)
        box.devices["ecg"].play(ecg_block(0, 400), ecg_block(500, 300), ecg_block(800, 400))
        done = await ended(box, row)
        recording = box.bedside.captures.recording(done)
        wave = recording.waveforms[0]
        assert [(gap.first, gap.count) for gap in wave.gaps] == [(400, 100)]
        assert recording.lost_samples == 100
        assert not wave.values[:, 400:500].any()
        assert np.array_equal(wave.values[:, 500:1000], ecg_block(500, 500).values)
        assert done.summary is not None
        assert done.summary["gaps"] == [[400, 100]]


async def test_a_device_pulled_out_keeps_what_was_recorded(box: Box) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=10)
        box.devices["ecg"].play(ecg_block(0, 2000))
        box.devices["ecg"].pull_out()
        failed = await ended(box, row)
        assert (failed.state, failed.problem) == (FAILED, "device_lost")
        recording = box.bedside.captures.recording(failed)
        assert recording.waveforms[0].values.shape == (12, 2000)
        assert not recording.quality.usable
        assert "cut_short" in recording.quality.reasons


async def test_a_device_that_counts_anew_ends_the_capture(box: Box) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=10)
        box.devices["ecg"].play(ecg_block(9000, 1500), ecg_block(0, 250))
        failed = await ended(box, row)
        assert (failed.state, failed.problem) == (FAILED, "device_restarted")
        assert box.bedside.captures.recording(failed).waveforms[0].values.shape == (12, 1500)


async def test_stop_keeps_what_is_there_and_a_short_one_is_not_called_good(box: Box) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=10)
        box.devices["ecg"].play(ecg_block(0, 2500))
        await until(lambda: (box.bedside.captures.running() or row).elapsed_s >= 5)
        stopped = await box.bedside.captures.stop(row.id)
        assert (stopped.state, stopped.elapsed_s) == (DONE, 5.0)
        assert stopped.judged is not None
        assert "cut_short" in stopped.judged.quality.reasons
        assert await box.bedside.captures.stop(row.id) == stopped, "a second stop changes nothing"


async def test_only_one_capture_runs_and_only_on_a_ready_device(box: Box) -> None:
    async with working(box) as visit:
        await box.bedside.captures.start(visit, "ecg", seconds=10)
        with pytest.raises(Refusal) as error:
            await box.bedside.captures.start(visit, "heart_sound", site="M")
        assert error.value.code == "capture_running"
    box.bedside.instruments["ecg"].state = "absent"
    box.bedside.captures._running = None
    with pytest.raises(Refusal) as error:
        await box.bedside.captures.start(visit, "ecg")
    assert (error.value.code, error.value.status) == ("device_absent", 503)


async def test_a_device_that_brings_too_little_ends_in_time(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_module, "GRACE_S", 0.1)
    monkeypatch.setattr(capture_module, "SYNC_EVERY_S", 0.05)
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=0.2)
        failed = await ended(box, row)
        assert (failed.state, failed.problem) == (FAILED, "no_signal")


async def test_a_full_disk_ends_the_capture_and_keeps_what_was_written(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_module, "SYNC_EVERY_S", 0.02)
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=10)
        box.devices["ecg"].play(ecg_block(0, 2000))
        await until(lambda: box.bedside.captures.path(row.id).stat().st_size > 40_000)

        def no_room(_: JournalWriter) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(JournalWriter, "sync", no_room)
        box.devices["ecg"].play(ecg_block(2000, 100))
        failed = await ended(box, row)
        assert (failed.state, failed.problem) == (FAILED, "disk_full")
        assert box.bedside.captures.recording(failed).waveforms[0].values.shape == (12, 2000)


async def test_below_the_threshold_no_capture_begins(tmp_path: Path) -> None:
    box = make_box(tmp_path, disk_full_mb=1 << 40)
    async with working(box) as visit:
        with pytest.raises(Refusal) as error:
            await box.bedside.captures.start(visit, "ecg")
        assert (error.value.code, error.value.status) == ("disk_full", 507)
        assert not list((tmp_path / "box" / "journals").iterdir())
    box.close()


async def test_a_journal_that_cannot_be_made_refuses_the_capture(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with working(box) as visit:
        for number, code in ((errno.ENOSPC, "disk_full"), (errno.EIO, "disk_failed")):

            def broken(_: JournalWriter, number: int = number) -> None:
                raise OSError(number, os.strerror(number))

            with monkeypatch.context() as patch:
                patch.setattr(JournalWriter, "sync", broken)
                with pytest.raises(Refusal) as error:
                    await box.bedside.captures.start(visit, "ecg")
            assert error.value.code == code
        assert box.bedside.captures.running() is None
        assert not list((box.bedside.settings.data_dir / "journals").iterdir())


async def test_samples_wider_than_32_bits_are_not_bent(box: Box) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=1)
        wide = SampleBlock((Channel("I", "mV", 500.0, 1e-9),), np.full((1, 500), 1 << 33, np.int64), 0, 0.0)
        box.devices["ecg"].play(wide)
        failed = await ended(box, row)
        assert (failed.state, failed.problem) == (FAILED, "not_storable")
        with pytest.raises(Refusal):
            box.bedside.captures.recording(failed)


async def test_a_fault_of_the_quality_engine_does_not_cost_the_recording(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise IndexError

    monkeypatch.setattr("chevet.edge.judge.ecg_quality", broken)
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=1)
        box.devices["ecg"].play(ecg_block(0, 500))
        done = await ended(box, row)
        assert done.state == DONE
        assert done.judged is not None
        assert done.judged.quality.reasons == ("not_judged",)


async def test_a_fault_of_the_quality_engine_keeps_the_pictures_too(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise IndexError

    monkeypatch.setattr("chevet.edge.judge.choose_stills", broken)
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "otoscopy", side="left", seconds=1)
        frames = [eardrum(8, time.monotonic() + at * 0.12) for at in range(12)]
        box.devices["otoscope"].play(*frames)
        done = await ended(box, row)
        recording = box.bedside.captures.recording(done)
        assert len(recording.pictures) == 8
        assert recording.quality.reasons == ("not_judged",)


async def test_a_row_that_finds_no_room_leaves_no_journal(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise DiskFull

    async with working(box) as visit:
        with monkeypatch.context() as patch:
            patch.setattr(type(box.bedside.visits), "put_capture", full)
            with pytest.raises(DiskFull):
                await box.bedside.captures.start(visit, "ecg")
        assert not list((box.bedside.settings.data_dir / "journals").iterdir())
        assert (await box.bedside.captures.start(visit, "ecg")).state == RECORDING


async def test_a_result_that_finds_no_room_takes_the_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make_box(tmp_path, reserve_mb=1)
    box.bedside.disk.keep_reserve()
    reserve = tmp_path / "box" / "reserve"
    put = type(box.bedside.visits).put_capture

    def tight(self: Visits, row: CaptureRow) -> None:
        if reserve.exists():
            raise DiskFull
        put(self, row)

    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=1)
        monkeypatch.setattr(type(box.bedside.visits), "put_capture", tight)
        box.devices["ecg"].play(ecg_block(0, 500))
        done = await ended(box, row)
        assert (done.state, reserve.exists()) == (DONE, False)
    box.close()


# After a power cut


async def test_an_interrupted_capture_comes_back_into_its_visit(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=10)
        box.devices["ecg"].play(ecg_block(0, 1500))
        await until(lambda: (box.bedside.captures.running() or row).elapsed_s >= 3)
    path = box.bedside.captures.path(row.id)
    box.close()
    with path.open("ab") as torn:
        torn.write(b"\x10\x00\x00\x00half a record")
    again = open_box(tmp_path, tmp_path / "programme.json", box.relay)
    [found] = again.bedside.captures.recover()
    assert (found.id, found.state, found.problem) == (row.id, FAILED, "interrupted")
    assert again.bedside.captures.recording(found).waveforms[0].values.shape == (12, 1500)
    waiting = again.bedside.rules.waiting_capture(visit)
    assert waiting is not None
    assert waiting.id == row.id
    assert again.bedside.captures.recover() == []
    again.close()


def test_a_capture_whose_journal_never_reached_the_disk_fails_quietly(box: Box) -> None:
    visit = start_visit(box)
    box.bedside.visits.put_capture(CaptureRow(new_id(), visit, "ecg", "", "", "ecg", 10.0))
    [found] = box.bedside.captures.recover()
    assert (found.state, found.problem, found.summary) == (FAILED, "interrupted", None)
    with pytest.raises(Refusal) as error:
        box.bedside.captures.journal(found.id)
    assert error.value.status == 404


def test_journals_that_nothing_refers_to_are_swept(box: Box) -> None:
    visit = start_visit(box)
    row = CaptureRow(new_id(), visit, "ecg", "", "", "ecg", 10.0, state=DONE)
    box.bedside.visits.put_capture(row)
    for name in (row.id, "orphan"):
        box.bedside.captures.path(name).write_bytes(b"x")
    assert box.bedside.captures.sweep(box.bedside.visits.journals_to_keep([])) == 1
    assert box.bedside.captures.path(row.id).exists()
    box.bedside.visits.put_capture(replace(row, verdict="discarded"))
    assert box.bedside.captures.sweep(box.bedside.visits.journals_to_keep([])) == 1


# Other instruments


async def test_a_heart_sound_gets_quality_and_a_draft_rate(box: Box) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "heart_sound", site="M", seconds=8)
        box.devices["stethoscope"].play(*[sound_block(at, 4000) for at in range(0, 32000, 4000)])
        done = await ended(box, row)
        recording = box.bedside.captures.recording(done)
        assert recording.site == "M"
        assert recording.waveforms[0].values.shape == (1, 32000)
        assert [m.kind for m in recording.measurements] == ["heart_rate"]


async def test_an_instrument_of_numbers_only_is_judged_by_its_numbers(box: Box) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "oximetry", seconds=5)
        start = time.monotonic()
        good = [spo2(97.0, start + at) for at in range(1, 5)]
        box.devices["oximeter"].play(*good, spo2(None, start + 5.5, ("artifact",)))
        done = await ended(box, row)
        recording = box.bedside.captures.recording(done)
        assert recording.quality.usable
        assert recording.quality.reasons == ("artifact",)
        assert [reading.value for reading in recording.readings] == [97.0] * 4 + [None]
        assert recording.duration_s == pytest.approx(5.5, abs=1.0)


def eardrum(blur: int, at: float) -> Picture:
    rng = np.random.default_rng(3)
    rough = rng.integers(60, 200, (240 // blur, 320 // blur, 3)).astype(np.uint8)
    image = Image.fromarray(rough).resize((320, 240), Image.Resampling.BICUBIC)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return Picture(out.getvalue(), "image/jpeg", at)


async def test_the_sharpest_of_each_part_are_kept_byte_for_byte_and_broken_images_are_passed_over(
    box: Box,
) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "otoscopy", side="left", seconds=4)
        start = time.monotonic()
        blurs = [20, 20, 8, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20]
        frames = [eardrum(blur, start + at * 0.25) for at, blur in enumerate(blurs)]
        broken = Picture(b"\xff\xd8 no image", "image/jpeg", start + 4.2)
        box.devices["otoscope"].play(*frames, spo2(1.0, start), broken)
        done = await ended(box, row)
        recording = box.bedside.captures.recording(done)
        assert len(recording.pictures) == 8
        best = [picture for picture in recording.pictures if picture.best]
        assert [picture.data for picture in best] == [frames[2].data]
        assert recording.readings == (), "an otoscope's recording holds pictures only"
        assert recording.side == "left"


async def test_a_photograph_is_kept_with_its_place_without_a_film_and_no_eardrum_is_missed(box: Box) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "photo", site="hand_r", seconds=1)
        start = time.monotonic()
        frames = [_skin(start + at * 0.25) for at in range(6)]
        box.devices["otoscope"].play(*frames)
        done = await ended(box, row)
        recording = Copies(box.bedside.captures).recording(done)
        assert (recording.step, recording.site, recording.side) == ("photo", "hand_r", "")
        assert {picture.data for picture in recording.pictures} == {frames[0].data}
        assert recording.clip is None
        assert recording.quality.usable
        assert recording.quality.reasons == ()


def _skin(at: float) -> Picture:
    """A bluish bruise in a well lit picture: through an otoscope it would be no eardrum."""
    grain = np.random.default_rng(3).integers(0, 60, (60, 80, 1))
    pixels = np.kron(grain, np.ones((4, 4, 1))) + np.array([90.0, 110.0, 150.0])
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, "JPEG", quality=92)
    return Picture(out.getvalue(), "image/jpeg", at)


async def test_a_clip_without_one_image_has_no_signal(box: Box) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "otoscopy", side="left", seconds=1)
        broken = Picture(b"\xff\xd8 no image", "image/jpeg", time.monotonic() + 2)
        box.devices["otoscope"].play(broken)
        done = await ended(box, row)
        assert done.judged is not None
        assert done.judged.quality.reasons == ("no_signal",)


async def test_a_flat_line_is_kept_and_called_poor(box: Box) -> None:
    async with working(box) as visit:
        row = await box.bedside.captures.start(visit, "ecg", seconds=2)
        box.devices["ecg"].play(flat_block(0, 1000))
        done = await ended(box, row)
        assert done.state == DONE
        assert done.judged is not None
        assert not done.judged.quality.usable
