"""Previews of waveforms and pictures: small, honest, readable alone."""

import io
from dataclasses import replace

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
from chevet.study.preview import read_preview, write_preview
from chevet.study.recording import Gap, Waveform
from chevet.study.sound import PREVIEW_BYTES


def test_an_ecg_preview_shows_the_beats_within_8_percent():
    source = ecg_recording().waveforms[0]
    data = write_preview(source)
    seen = read_preview(data)
    shown = resample_poly(seen.values * seen.channels[0].gain, 4, 1, axis=1)
    given_mv = source.values * 0.001
    error = np.sqrt(
        ((given_mv - shown) ** 2).sum() / ((given_mv - given_mv.mean(1, keepdims=True)) ** 2).sum()
    )
    assert len(data) <= PREVIEW_BYTES
    assert error < 0.08
    assert [channel.name for channel in seen.channels] == [channel.name for channel in source.channels]
    assert {(channel.unit, channel.rate_hz) for channel in seen.channels} == {("mV", 125.0)}


def test_a_gap_stays_a_gap():
    source = replace(ecg_recording().waveforms[0], gaps=(Gap(998, 4), Gap(1003, 1), Gap(4990, 10)))
    assert read_preview(write_preview(source)).gaps == (Gap(249, 2), Gap(1247, 3))


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
    assert np.array_equal(read_preview(write_preview(flat)).values, flat.values)


def test_full_scale_survives_without_wrapping():
    values = np.tile(np.repeat(np.int16([32767, -32768]), 40), (12, 20))
    source = Waveform(ecg_recording().waveforms[0].channels, values)
    seen = read_preview(write_preview(source))
    physical = seen.values[6] * seen.channels[6].gain
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
    row[1][1] = 2251
    with pytest.raises(BundleError, match="preview_damaged"):
        read_preview(encode(row))


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
