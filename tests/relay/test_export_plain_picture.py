"""Pictures that leave: nothing beside their pixels, and every pixel as it was."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from chevet.relay.exports.plain_picture import plain, shown_picture

PIXELS = np.random.default_rng(4).integers(0, 255, (24, 40, 3), np.uint8)


def exif():
    found = Image.Exif()
    found[0x010F] = "Seededmaker"
    found[0x0132] = "2026:03:12 10:00:00"
    found[0xA431] = "SN-Seeded"
    return found


def picture(form, **how):
    held = io.BytesIO()
    Image.fromarray(PIXELS).save(held, form, **how)
    return held.getvalue()


def pixels(data):
    with Image.open(io.BytesIO(data)) as found:
        return np.asarray(found.convert("RGB"))


@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"quality": 30, "subsampling": 2}])
def test_a_jpeg_loses_its_words_and_no_pixel(how):
    loud = picture("JPEG", exif=exif(), comment=b"Seededcomment", icc_profile=b"Seededprofile" * 9, **how)
    assert loud.count(b"Seeded") > 3
    quiet = plain(loud + b"Seeded behind the end", "image/jpeg")
    assert b"Seeded" not in quiet
    assert b"2026" not in quiet
    assert np.array_equal(pixels(quiet), pixels(loud))
    assert plain(quiet, "image/jpeg") == quiet


@pytest.mark.parametrize("marker", [0x02, 0xC8, 0xE0, 0xEE, 0xF3, 0xFD])
def test_words_go_under_whatever_marker_a_camera_writes_them(marker):
    whole = picture("JPEG", subsampling=0)
    said = b"Seededword" * 3
    loud = whole[:2] + struct.pack(">BBH", 0xFF, marker, 2 + len(said)) + said + whole[2:]
    assert plain(loud, "image/jpeg") == plain(whole, "image/jpeg")


def test_how_colours_were_transformed_stays_and_nothing_behind_it():
    held = io.BytesIO()
    Image.fromarray(PIXELS).convert("CMYK").save(held, "JPEG")
    whole = held.getvalue()
    at = whole.index(b"Adobe")
    (size,) = struct.unpack_from(">H", whole, at - 2)
    said = b"Seededword"
    loud = (
        whole[: at - 2] + struct.pack(">H", size + len(said)) + whole[at : at - 2 + size] + said
        + whole[at - 2 + size :]
    )  # fmt: skip
    quiet = plain(loud, "image/jpeg")
    assert b"Seeded" not in quiet
    assert quiet == plain(whole, "image/jpeg")
    assert np.array_equal(pixels(quiet), pixels(whole))


def test_a_png_loses_its_words_and_no_pixel():
    words = PngImagePlugin.PngInfo()
    words.add_text("Author", "Seededauthor")
    words.add_itxt("Place", "Seededplace")
    loud = picture("PNG", pnginfo=words, exif=exif())
    quiet = plain(loud + b"Seeded behind the end", "image/png")
    assert b"Seeded" in loud
    assert b"Seeded" not in quiet
    assert np.array_equal(pixels(quiet), PIXELS)


def test_what_cannot_be_taken_apart_is_not_shown_as_the_camera_gave_it():
    assert plain(picture("WEBP"), "image/webp") is None
    assert shown_picture(b"anything", "image/avif", own=True) is None
    assert shown_picture(b"coded by the box", "image/avif", own=False) == b"coded by the box"
    assert shown_picture(b"no picture", "image/jpeg", own=False) is None


@settings(max_examples=50)
@given(st.binary(max_size=300), st.integers(0, 700), st.sampled_from(["image/jpeg", "image/png"]))
def test_any_bytes_give_a_picture_or_none(noise, at, media_type):
    whole = picture("JPEG" if media_type == "image/jpeg" else "PNG", exif=exif())
    for data in (noise, whole[:at], whole[:at] + noise + whole[at + len(noise) :]):
        found = plain(data, media_type)
        assert found is None or len(found) <= len(data) + 2
