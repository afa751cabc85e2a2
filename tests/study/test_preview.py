"""Previews of waveforms and pictures: small, honest, readable alone."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.signal import resample_poly
from study_examples import eardrum, ecg, ecg_recording, oximetry_recording

from chevet.study.cbor import decode, encode
from chevet.study.errors import BundleError
from chevet.study.picture import GOOD_SSIM, diagnostic_picture, preview_picture, ssim
from chevet.study.preview import MAX_COEFFICIENTS, read_preview, write_preview
from chevet.study.recording import Gap, Waveform
from chevet.study.sound import PREVIEW_BYTES

REAL = Path(__file__).parents[2] / "hardware-sim/chevet/sim/recordings"


def error_of(source: Waveform, seen: Waveform) -> float:
    """PRDN: the root of error energy over energy about the mean, all leads together, as a part of 1."""

    def physical(waveform: Waveform) -> np.ndarray:
        gain, offset = (np.array([[getattr(c, n)] for c in waveform.channels]) for n in ("gain", "offset"))
        return waveform.values * gain + offset

    given_, shown = physical(source), physical(seen)
    times = round(source.channels[0].rate_hz / seen.channels[0].rate_hz)
    shown = resample_poly(shown, times, 1, axis=1, padtype="line")[:, : given_.shape[1]]
    spread = given_ - given_.mean(1, keepdims=True)
    return float(np.sqrt(((given_ - shown) ** 2).sum() / (spread**2).sum()))


def real_leads() -> Waveform:
    """Twelve leads of a person, LUDB record 152 (see the licence beside it)."""
    with np.load(REAL / "ecg-ludb-152.npz") as file:
        values = file["values"]
    return replace(ecg_recording().waveforms[0], values=values, gaps=())


def test_an_ecg_preview_shows_the_beats_within_8_percent():
    source = replace(ecg_recording().waveforms[0], gaps=())
    data = write_preview(source)
    seen = read_preview(data)
    assert len(data) <= PREVIEW_BYTES
    assert error_of(source, seen) < 0.08
    assert [channel.name for channel in seen.channels] == [channel.name for channel in source.channels]
    assert {(channel.unit, channel.rate_hz) for channel in seen.channels} == {("mV", 250.0)}


def test_the_preview_of_a_person_is_within_8_percent_at_any_offset():
    source = real_leads()
    for shift in (0, 9000):
        values = source.values.copy()
        values[6:] += np.int16(shift)
        moved = replace(source, values=values)
        data = write_preview(moved)
        assert len(data) <= PREVIEW_BYTES
        assert error_of(moved, read_preview(data)) < 0.08


def test_leads_of_several_gains_share_the_error():
    source = replace(ecg_recording().waveforms[0], gaps=())
    small = replace(source.channels[6], gain=source.channels[6].gain / 8)
    values = source.values.copy()
    values[6] *= 8
    mixed = replace(source, channels=(*source.channels[:6], small, *source.channels[7:]), values=values)
    assert error_of(mixed, read_preview(write_preview(mixed))) < 0.08


def test_fine_detail_above_125_hz_is_shown_where_it_matters():
    t = np.arange(5000) / 500
    buzz = np.rint(200 * np.sin(2 * np.pi * 180 * t) + 1000 * np.sin(2 * np.pi * 1.2 * t)).astype(np.int16)[
        None
    ]
    source = Waveform(ecg_recording().waveforms[0].channels[:1], buzz)
    seen = read_preview(write_preview(source))
    assert seen.channels[0].rate_hz == 500.0
    assert error_of(source, seen) < 0.08


def test_a_gap_stays_a_gap():
    source = replace(ecg_recording().waveforms[0], gaps=(Gap(998, 4), Gap(1003, 1), Gap(4990, 10)))
    assert read_preview(write_preview(source)).gaps == (Gap(499, 3), Gap(2495, 5))


def test_a_long_recording_is_previewed_from_its_beginning():
    wild = np.random.default_rng(5).integers(-8000, 8000, (12, 60_000)).astype(np.int16)
    source = replace(ecg_recording().waveforms[0], values=wild, gaps=())
    data = write_preview(source)
    seen = read_preview(data)
    assert len(data) <= PREVIEW_BYTES
    assert 0 < seen.values.shape[1] < 15_000


def test_a_pleth_keeps_its_own_rate():
    seen = read_preview(write_preview(oximetry_recording().waveforms[0]))
    assert seen.channels[0].rate_hz == 75.0
    assert seen.values.shape == (1, 2250)


def test_a_flat_line_is_a_flat_line():
    flat = replace(oximetry_recording().waveforms[0], values=np.full((1, 500), 7, np.int16))
    seen = read_preview(write_preview(flat))
    assert seen.values.shape == (1, 500)
    assert np.allclose(seen.values * seen.channels[0].gain + seen.channels[0].offset, 7, atol=0.3)


def test_full_scale_survives_without_wrapping():
    values = np.tile(np.repeat(np.int16([32767, -32768]), 40), (12, 20))
    source = Waveform(ecg_recording().waveforms[0].channels, values)
    seen = read_preview(write_preview(source))
    physical = seen.values[6] * seen.channels[6].gain + seen.channels[6].offset
    assert np.abs(physical).max() < 45
    assert physical.max() > 30
    assert physical.min() < -30


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_damaged_preview_is_refused_or_bounded(data):
    raw = bytearray(write_preview(replace(ecg_recording().waveforms[0], values=ecg()[:, :400], gaps=())))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + 3] = data.draw(st.binary(max_size=6))
    try:
        seen = read_preview(bytes(raw))
    except BundleError:
        return
    assert seen.values.size <= 1 << 17


def test_a_preview_that_promises_too_much_is_refused():
    row = decode(write_preview(oximetry_recording().waveforms[0]))
    row[1][1] = 1 << 31
    with pytest.raises(BundleError, match="too_large"):
        read_preview(encode(row))
    row[1][1] = 48_001
    with pytest.raises(BundleError, match="too_large"):
        read_preview(encode(row))
    row[1][1], row[2] = 2250, [0, 0]
    with pytest.raises(BundleError, match="contradiction"):
        read_preview(encode(row))


def test_a_preview_whose_bits_end_early_is_refused():
    row = decode(write_preview(ecg_recording().waveforms[0]))
    row[3] = row[3][: len(row[3]) // 2]
    with pytest.raises(BundleError, match="preview_damaged"):
        read_preview(encode(row))


def test_an_hour_is_previewed_from_its_beginning_in_bounded_time():
    hour = np.tile(ecg(), (1, 180))
    seen = read_preview(
        write_preview(replace(ecg_recording().waveforms[0], values=hour, gaps=(Gap(1, 2), Gap(899_000, 9))))
    )
    assert seen.gaps[0].first == 0
    assert 8 * seen.values.shape[1] <= MAX_COEFFICIENTS
    assert seen.values.shape[1] / seen.channels[0].rate_hz > 10


def test_derived_leads_must_be_the_limb_leads():
    row = decode(write_preview(ecg_recording().waveforms[0]))
    row[2][0] = 2
    with pytest.raises(BundleError):
        read_preview(encode(row))


def test_a_picture_preview_is_a_small_avif():
    data = preview_picture(eardrum())
    image = Image.open(io.BytesIO(data))
    assert len(data) <= PREVIEW_BYTES
    assert (image.format, image.size) == ("AVIF", (320, 240))


def test_a_restless_picture_shrinks_until_it_fits():
    noise = np.random.default_rng(2).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    data = preview_picture(out.getvalue())
    assert len(data) <= PREVIEW_BYTES


def test_the_diagnostic_still_is_close_and_smaller():
    data = diagnostic_picture(eardrum())
    grey = [
        np.asarray(Image.open(io.BytesIO(item)).convert("L"), dtype=np.float64) for item in (data, eardrum())
    ]
    assert ssim(*grey) >= GOOD_SSIM
    assert len(data) < 0.8 * len(eardrum())


def test_an_original_that_is_small_already_needs_no_copy():
    out = io.BytesIO()
    Image.new("L", (8, 8), 90).save(out, "PNG")
    assert diagnostic_picture(out.getvalue()) is None


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff\xe0junk", eardrum()[:2000], b"\x89PNG\r\n\x1a\n" + b"\0" * 30]
)
def test_an_unreadable_picture_has_no_preview(data):
    assert preview_picture(data) is None
    assert diagnostic_picture(data) is None


def test_a_picture_of_too_many_pixels_is_not_opened():
    out = io.BytesIO()
    Image.new("L", (5000, 4000)).save(out, "PNG")
    assert preview_picture(out.getvalue()) is None


def test_the_same_picture_gives_the_same_bytes():
    assert preview_picture(eardrum()) == preview_picture(eardrum())
    assert diagnostic_picture(eardrum()) == diagnostic_picture(eardrum())


def test_equal_pictures_are_fully_similar_and_noise_is_not():
    rng = np.random.default_rng(1)
    image = rng.uniform(0, 255, (64, 64))
    assert ssim(image, image) == pytest.approx(1.0)
    assert ssim(image, rng.uniform(0, 255, (64, 64))) < 0.2
