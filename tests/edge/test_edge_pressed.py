"""The snapshot button of an otoscope: what the worker wanted is kept, and shown first."""

import asyncio
import io

import numpy as np
from PIL import Image

from chevet.devices.samples import Event, Notice, Picture
from chevet.edge.journal import Journal, JournalWriter, Opening, cut_torn_tail
from chevet.edge.judge import judge
from chevet.edge.pressed import pressed_for
from chevet.edge.recorded import choose_stills
from chevet.edge.running import Running
from chevet.edge.visits import CaptureRow

OPENING = Opening(
    "c1", "v1", "otoscopy", "", "left", "otoscope", "camera", "v4l2:otoscope", 60.0, 0, 0.0, True
)


def frame(grain: int, at: float) -> Picture:
    """Return an image of coarse (8) or fine (2) grain: the finer the sharper."""
    rough = np.random.default_rng(3).integers(60, 200, (240 // grain, 320 // grain, 3)).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(rough).resize((320, 240), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    return Picture(out.getvalue(), "image/jpeg", at)


def journal(*events: Event) -> Journal:
    return Journal(OPENING, events, "done", 0)


def press(at: float) -> Notice:
    return Notice("snapshot_button", at)


def clip(seconds: float = 6.0) -> list[Event]:
    return [Picture(b"\xff\xd8", "image/jpeg", at / 10) for at in range(int(seconds * 10))]


def test_a_press_means_the_pictures_of_the_half_second_before_it() -> None:
    (meant,) = pressed_for(journal(*clip(), press(3.05)))
    assert meant == (26, 27, 28, 29, 30)
    assert pressed_for(journal(*clip())) == ()


def test_a_press_before_or_long_after_all_pictures_means_the_nearest() -> None:
    assert pressed_for(journal(press(-1.0), *clip(), press(60.0))) == ((0,), (59,))
    assert pressed_for(journal(press(1.0))) == ()
    assert pressed_for(journal(*clip(), Notice("identified", 3.0))) == ()


def test_what_the_button_asked_for_is_kept_and_shown_first_though_others_are_sharper() -> None:
    pictures = [frame(2, at / 10) for at in range(40)]
    pictures[18], pictures[19] = frame(8, 1.8), frame(4, 1.9)
    meant = tuple(range(18, 20))
    judged = judge(journal(*pictures, press(1.95)))
    assert judged.best is not None
    assert pressed_for(journal(*pictures, press(1.95)))[0][-2:] == meant
    assert 15 <= judged.stills[judged.best] <= 19
    stills, best = choose_stills(pictures, _grain, lambda _images: 0, [meant])
    assert best is not None
    assert stills[best] == 19
    assert len(stills) == 8


def _grain(image: np.ndarray) -> float:
    return float(np.abs(np.diff(image[:, :, 0].astype(float), axis=1)).mean())


def test_many_presses_keep_the_last_eight_and_a_broken_picture_is_passed_over() -> None:
    pictures = [frame(4, at / 10) for at in range(20)]
    broken = Picture(b"\xff\xd8\xff\xd9", "image/jpeg", 0.0)
    presses = [*([place] for place in range(20)), [20], []]
    stills, best = choose_stills([*pictures, broken], _grain, lambda _images: 0, presses)
    assert best is not None
    assert stills[best] == 14
    assert {14, 15, 16, 17, 18, 19} <= set(stills)
    assert len(stills) == 8


async def test_a_press_goes_into_the_journal_but_is_no_signal(tmp_path) -> None:
    path = tmp_path / "c1.journal"
    writer = JournalWriter.create(path, OPENING)
    row = CaptureRow("c1", "v1", "otoscopy", "", "left", "otoscope", 60.0)
    running = Running(row, OPENING, writer, asyncio.Event())
    running.offer("otoscope", press(1.0))
    running.offer("otoscope", Notice("identified", 1.0))
    assert running.events == 0
    running.offer("otoscope", frame(4, 1.1))
    writer.close("done")
    kept = cut_torn_tail(path)
    assert [type(event) for event in kept.events] == [Notice, Picture]
    assert running.events == 1
