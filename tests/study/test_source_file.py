"""The file that a recording was read from travels with it, byte for byte."""

import functools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_examples import visit as example

from chevet.study.bundle import Part, pack, read_part, unpack, write_part
from chevet.study.errors import BundleError
from chevet.study.recording import StoredFile
from chevet.study.summary import read_shapes, read_summary

FILE = StoredFile(bytes(range(256)) * 300, "application/dicom")


@functools.cache
def visit():
    """A visit with two recordings that have no samples, so that nothing else takes time."""
    whole = example()
    bare = tuple(
        replace(one, waveforms=(), pictures=(), lost_samples=0)
        for one in (whole.recordings[0], whole.recordings[1])
    )
    return replace(whole, recordings=bare)


def with_source(source=FILE):
    study = visit()
    first, *rest = study.recordings
    return replace(study, recordings=(replace(first, source=source), *rest))


def changed(bundle, **fields):
    """Return the bundle with its source part changed, or left out."""
    parts = []
    for part in bundle.parts:
        if part.kind != "source":
            parts.append(part)
        elif fields:
            parts.append(replace(part, **fields))
    return replace(bundle, parts=tuple(parts))


def test_the_source_comes_back_and_travels_in_the_lossless_layer_alone():
    bundle = pack(with_source())
    (part,) = [part for part in bundle.parts if part.kind == "source"]
    assert (part.layer, part.media_type, part.data) == (3, "application/dicom", FILE.data)
    again = unpack(bundle)
    assert again.recordings[0].source == FILE
    assert [recording.source for recording in again.recordings[1:]] == [None] * (len(again.recordings) - 1)
    assert read_part(part.oid, part.layer, write_part(part)) == part


def test_the_summary_says_that_there_is_a_file_and_how_large():
    summary = pack(with_source()).parts[0].data
    study = read_summary(summary)
    assert study.recordings[0].source == StoredFile(b"", "application/dicom")
    assert read_shapes(summary)[1][study.recordings[0].id].source_bytes == len(FILE.data)


def test_a_study_without_a_file_is_packed_as_before():
    assert not any(part.kind == "source" for part in pack(visit()).parts)
    assert len(pack(with_source()).parts[0].data) > len(pack(visit()).parts[0].data)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "missing_part"),
        ({"data": FILE.data[:-1]}, "contradiction"),
        ({"media_type": "text/html"}, "contradiction"),
    ],
)
def test_a_source_that_is_missing_or_another_is_noticed(fields, reason):
    with pytest.raises(BundleError) as broken:
        unpack(changed(pack(with_source()), **fields))
    assert broken.value.reason == reason


def test_a_file_that_the_summary_does_not_name_is_refused():
    bundle = pack(visit())
    stray = Part(99, 3, "source", "application/dicom", bundle.parts[-1].recording, b"x")
    with pytest.raises(BundleError) as broken:
        unpack(replace(bundle, parts=(*bundle.parts, stray)))
    assert broken.value.reason == "unknown_part"


def test_the_file_does_not_show_in_logs():
    assert "x00" not in repr(FILE)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200), st.text(st.characters(codec="ascii", categories=("L", "N")), max_size=20))
def test_any_file_comes_back(data, media_type):
    assert unpack(pack(with_source(StoredFile(data, media_type)))).recordings[0].source == StoredFile(
        data, media_type
    )
