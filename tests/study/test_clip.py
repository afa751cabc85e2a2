"""The otoscope's clip: small, playable, true to time, and part of the study."""

import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features
from study_examples import as_tuple, ear_recording, visit

from chevet.sim.otoscope_video import OtoscopeVideo
from chevet.study.bundle import pack, unpack
from chevet.study.clip import MAX_BYTES, RATE_HZ, SECONDS, clip_times, encode_clip
from chevet.study.errors import BundleError
from chevet.study.recording import Recording, StoredClip
from chevet.study.summary import read_shapes


@pytest.fixture(scope="module")
def frames() -> list[tuple[float, bytes]]:
    video = OtoscopeVideo("bulging", "left", 5)
    return [(round(1.5 + n / RATE_HZ, 3), video.jpeg(2 * n)) for n in range(round(SECONDS * RATE_HZ))]


@pytest.fixture(scope="module")
def clip(frames) -> StoredClip:
    made = encode_clip(frames)
    assert made is not None
    return made


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"), dtype=np.float64)


def with_clip(clip: StoredClip) -> Recording:
    return replace(ear_recording("left", stills=1), clip=clip)


def test_five_seconds_of_640_by_480_take_less_than_250_kb(clip, frames):
    film = Image.open(io.BytesIO(clip.data))
    assert len(clip.data) <= MAX_BYTES
    assert (film.format, film.size, film.n_frames) == ("AVIF", (640, 480), len(frames))
    assert clip.data[4:12] == b"ftypavis", "an image sequence, which browsers play"
    assert (clip.from_s, clip.media_type) == (1.5, "image/avif")
    assert clip.seconds == pytest.approx(5.0, abs=0.1)


def test_its_pictures_are_those_of_the_camera(clip, frames):
    film = Image.open(io.BytesIO(clip.data))
    for index in (0, 20, len(frames) - 1):
        film.seek(index)
        error = pixels(film) - pixels(Image.open(io.BytesIO(frames[index][1])))
        assert 10 * np.log10(255**2 / (error**2).mean()) > 33, "dB"


def test_a_pause_of_the_camera_is_a_pause_of_the_clip(frames):
    times = [0.0, 0.08, 1.58, 1.66]
    made = encode_clip([(at, data) for at, (_, data) in zip(times, frames, strict=False)])
    assert made is not None
    film = Image.open(io.BytesIO(made.data))
    shown = []
    for index in range(4):
        film.seek(index)
        film.load()
        shown.append(film.info["duration"])
    assert shown == [80, 1500, 80, 80]
    assert made.seconds == pytest.approx(1.74)


def test_equal_frames_give_equal_bytes_at_any_time(frames):
    few = frames[:4]
    one, two = encode_clip(few), encode_clip(few)
    assert one == two
    assert one is not None
    at = one.data.index(b"mvhd")
    assert not any(one.data[at + 8 : at + 24])


def test_a_large_or_restless_camera_still_fits():
    rng = np.random.default_rng(3)
    large = []
    for n in range(6):
        out = io.BytesIO()
        Image.fromarray(rng.integers(0, 255, (960, 1280, 3)).astype(np.uint8)).save(out, "JPEG", quality=60)
        large.append((n / 12.5, out.getvalue()))
    made = encode_clip(large)
    assert made is not None
    assert len(made.data) <= MAX_BYTES
    assert Image.open(io.BytesIO(made.data)).size == (640, 480)


def test_pictures_that_cannot_be_read_are_left_out_and_too_few_make_no_clip(frames):
    damaged = [(0.0, b"\xff\xd8junk"), *frames[:2]]
    made = encode_clip(damaged)
    assert made is not None
    assert made.from_s == frames[0][0]
    assert encode_clip(frames[:1]) is None
    assert encode_clip([]) is None


def test_without_an_encoder_there_is_no_clip(frames, monkeypatch):
    monkeypatch.setattr(features, "check", lambda feature: False)
    assert encode_clip(frames[:3]) is None


@given(st.lists(st.floats(0.01, 0.5), min_size=1, max_size=200), st.floats(-2, 30))
def test_the_frames_chosen_lie_within_five_seconds_and_not_too_close(steps, middle_s):
    times = np.cumsum(steps).tolist()
    chosen = [times[index] for index in clip_times(times, middle_s)]
    assert chosen
    assert chosen[-1] - chosen[0] < SECONDS
    assert all(b - a >= 0.9 / RATE_HZ - 1e-9 for a, b in pairwise(chosen))
    if times[0] + SECONDS / 2 <= middle_s <= times[-1] - SECONDS / 2:
        assert abs((chosen[0] + chosen[-1]) / 2 - middle_s) < 1.1


def test_no_frames_make_no_choice():
    assert clip_times([], 3.0) == []


def test_a_study_with_a_clip_survives_exactly(clip):
    study = replace(visit(), recordings=(with_clip(clip), *visit().recordings[:1]))
    bundle = pack(study)
    assert as_tuple(unpack(bundle)) == as_tuple(study)
    (part,) = (item for item in bundle.parts if item.kind == "clip")
    assert (part.layer, part.media_type, part.data) == (2, "image/avif", clip.data)
    assert part.oid == max(item.oid for item in bundle.parts if item.layer == 2), "after what is sharper"
    told, shapes = read_shapes(bundle.parts[0].data)
    assert told.recordings[0].clip == replace(clip, data=b"")
    assert shapes[told.recordings[0].id].clip_bytes == len(clip.data)


def test_a_clip_that_is_missing_or_another_is_refused(clip):
    study = replace(visit(), recordings=(with_clip(clip),))
    bundle = pack(study)
    place = next(place for place, item in enumerate(bundle.parts) if item.kind == "clip")
    others = bundle.parts[:place] + bundle.parts[place + 1 :]
    cases = {
        "missing_part": others,
        "contradiction": (*others, replace(bundle.parts[place], data=clip.data[:-1])),
        "duplicate_part": (*bundle.parts, bundle.parts[place]),
    }
    for reason, parts in cases.items():
        with pytest.raises(BundleError, match=reason):
            unpack(replace(bundle, parts=parts))
    plain = pack(replace(study, recordings=(replace(study.recordings[0], clip=None),)))
    with pytest.raises(BundleError, match="unknown_part"):
        unpack(replace(plain, parts=(*plain.parts, bundle.parts[place])))
