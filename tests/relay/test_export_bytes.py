"""Bytes from sites and archives, broken in every way, never break an export or reach a log."""

import io

import numpy as np
import pydicom
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import uid as uids
from pydicom.dataset import Dataset, FileMetaDataset

from chevet.relay.exports.dicom_picture import film_pixels, still_pixels
from chevet.relay.exports.stow import first_part, same
from chevet.study.recording import StoredClip, StoredPicture

from .export_cases import ear, jpeg

PICTURE = jpeg(size=(64, 48))
FILM = ear("left").clip.data


def broken(whole, places, cut):
    data = bytearray(whole)
    for at, value in places:
        data[at % len(data)] = value
    return bytes(data[: cut % (len(data) + 1)])


damage = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=12)


@settings(max_examples=50, deadline=None)
@given(
    st.one_of(st.binary(max_size=300), st.builds(broken, st.just(PICTURE), damage, st.integers(0, 1 << 16)))
)
def test_a_broken_still_is_pixels_or_nothing(data):
    found = still_pixels(StoredPicture(data, "image/jpeg", 0.0))
    if found is not None:
        assert min(found.rows, found.columns) > 0
        assert found.frames[0] == data or len(found.frames[0]) == found.rows * found.columns * 3


@settings(max_examples=10, deadline=None)
@given(st.binary(max_size=300) | st.builds(broken, st.just(FILM), damage, st.integers(0, 1 << 16)))
def test_a_broken_film_is_pictures_or_nothing(data):
    found = film_pixels(StoredClip(data, "image/avif", 0.0, 1.0))
    if found is not None:
        pixels, shown = found
        assert len(pixels.frames) == len(shown) > 0


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.binary(max_size=200), st.binary(max_size=60))
def test_the_first_part_of_an_answer_is_itself_or_nothing(words, body, tail):
    assert first_part(words, body) is None or "boundary" in words
    whole = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + body + b"\r\n--b\r\n" + tail
    found = first_part('multipart/related; type="application/dicom"; boundary="b"', whole)
    assert found is not None
    assert body.startswith(found)


def small():
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = uids.GeneralECGWaveformStorage, "2.25.1"
    ds.PatientID, ds.SeriesNumber = "p", 3
    group = Dataset()
    group.add_new("WaveformData", "OW", np.arange(40, dtype="<i2").tobytes())
    ds.WaveformSequence = [group]
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = uids.ExplicitVRLittleEndian
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


OBJECT = small()
SAMPLES = len(OBJECT) - 80


@settings(max_examples=50, deadline=None)
@given(damage, st.integers(SAMPLES, len(OBJECT) - 1), st.integers(1, 255), st.integers(0, len(OBJECT)))
def test_an_object_that_came_back_changed_is_never_taken_for_the_same(places, at, value, cut):
    assert same(OBJECT, OBJECT)
    other = bytearray(OBJECT)
    other[at] ^= value
    assert not same(bytes(other), OBJECT)
    assert same(OBJECT[:cut], OBJECT) == (cut == len(OBJECT))
    assert same(broken(OBJECT, places, len(OBJECT)), OBJECT) in (True, False)


def test_what_a_library_says_of_an_odd_value_reaches_no_log(caplog):
    ds = Dataset()
    ds.PatientName = "Zahra Seededname" + "x" * 80
    ds.StudyInstanceUID = "Zahra"
    assert ds.PatientName.family_name.startswith("Zahra")
    assert caplog.text == ""
