"""Packing and unpacking whole studies."""

import tracemalloc
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from study_examples import as_tuple, demonstrated, ear_recording, ecg, ecg_recording, studies, visit

from chevet.devices.samples import Channel
from chevet.study.bundle import (
    Bundle,
    Part,
    content_hash,
    lossless_waveform,
    pack,
    preview_waveform,
    read_part,
    sound_wav,
    unpack,
    write_part,
)
from chevet.study.errors import BundleError
from chevet.study.recording import Waveform, exact_samples
from chevet.study.sound import PREVIEW_BYTES
from chevet.study.summary import read_shapes, read_summary, write_summary

# A whole study is too large to shrink in reasonable time: a failure is shown as it was found.
MODEST = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return pack(visit())


def test_a_full_visit_survives_exactly(bundle):
    assert as_tuple(unpack(bundle)) == as_tuple(visit())


def test_the_same_study_gives_the_same_bytes(bundle):
    again = pack(visit())
    assert again == bundle
    assert content_hash(again) == content_hash(bundle)


@MODEST
@given(studies)
def test_any_study_survives_exactly(study):
    assert as_tuple(unpack(pack(study))) == as_tuple(study)


def test_the_sealed_summary_of_a_full_visit_fits_1000_bytes():
    """The goal is 1.2 KB; a tag of 16 bytes is what sealing adds."""
    for study in (visit(), demonstrated()):
        part = Part(0, 0, "summary", "application/vnd.chevet.summary", "", write_summary(study))
        assert len(write_part(part)) + 16 <= 1000
        assert as_tuple(read_summary(part.data))[1:8] == as_tuple(study)[1:8]


def test_every_recording_has_a_preview_of_one_chunk(bundle):
    previews = [part for part in bundle.parts if part.layer == 1]
    assert {part.recording for part in previews} == {item.id for item in visit().recordings}
    assert max(len(part.data) for part in previews) <= PREVIEW_BYTES
    assert all(len(write_part(part)) <= 4080 for part in previews)


def test_parts_come_in_order_of_layers(bundle):
    layers = [part.layer for part in bundle.parts]
    assert layers == sorted(layers)
    assert [part.oid for part in bundle.parts] == list(range(len(layers)))


def test_the_summary_alone_gives_everything_but_samples(bundle):
    study, shapes = read_shapes(bundle.parts[0].data)
    assert study.question == visit().question
    assert study.vitals == visit().vitals
    first = study.recordings[0]
    assert first.waveforms[0].channels == visit().recordings[0].waveforms[0].channels
    assert first.waveforms[0].gaps == visit().recordings[0].waveforms[0].gaps
    assert first.waveforms[0].values.size == 0
    assert shapes[first.id].samples == (5000,)
    ear = next(item for item in study.recordings if item.step == "otoscopy")
    assert shapes[ear.id].picture_bytes == tuple(len(item.data) for item in ear_recording("left").pictures)
    assert read_summary(bundle.parts[0].data).id == study.id


def test_one_layer_opens_alone(bundle):
    ecg_id = visit().recordings[0].id
    parts = {part.layer: part for part in bundle.parts if part.recording == ecg_id}
    assert np.array_equal(lossless_waveform(parts[3])[0].values, ecg())
    assert preview_waveform(parts[1]).channels[0].rate_hz == 250.0
    sound = next(
        part for part in bundle.parts if part.layer == 3 and part.recording == visit().recordings[1].id
    )
    assert sound_wav(sound)[:4] == b"RIFF"


def test_a_part_of_another_kind_is_refused(bundle):
    for read in (preview_waveform, lossless_waveform, sound_wav):
        with pytest.raises(BundleError, match="another_kind"):
            read(bundle.parts[0])


def test_the_content_hash_tells_any_change(bundle):
    first = bundle.parts[0]
    changed = [
        replace(bundle, id="x"),
        replace(bundle, case="x"),
        replace(bundle, parts=bundle.parts[:-1]),
        replace(bundle, parts=(replace(first, data=first.data + b"\0"), *bundle.parts[1:])),
        replace(bundle, parts=(replace(first, media_type="x"), *bundle.parts[1:])),
    ]
    assert len({content_hash(item) for item in (bundle, *changed)}) == 6


def test_missing_foreign_or_doubled_parts_are_refused(bundle):
    last, other = bundle.parts[-1], replace(bundle.parts[-1], recording="unheard of")
    cases = {
        "missing_part": bundle.parts[:-2] + bundle.parts[-1:],
        "unknown_part": (*bundle.parts, other),
        "duplicate_part": (*bundle.parts, last),
        "no_summary": bundle.parts[1:],
    }
    for reason, parts in cases.items():
        with pytest.raises(BundleError, match=reason):
            unpack(replace(bundle, parts=parts))
    with pytest.raises(BundleError, match="another_study"):
        unpack(replace(bundle, id="x"))
    with pytest.raises(BundleError, match="no_summary"):
        unpack(replace(bundle, kind="opinion"))


def test_parts_that_contradict_the_summary_are_refused(bundle):
    short = ecg_recording()
    waveform = replace(short.waveforms[0], values=ecg()[:, :100], gaps=())
    other = pack(
        replace(visit(), recordings=(replace(short, waveforms=(waveform,)), *visit().recordings[1:]))
    )
    mixed = tuple(
        theirs if ours.layer == 3 and ours.recording == short.id else ours
        for ours, theirs in zip(bundle.parts, other.parts, strict=True)
    )
    with pytest.raises(BundleError, match="contradiction"):
        unpack(replace(bundle, parts=mixed))
    cut = tuple(
        replace(part, data=part.data[:-1]) if part.kind == "picture" else part for part in bundle.parts
    )
    with pytest.raises(BundleError, match="contradiction"):
        unpack(replace(bundle, parts=cut))


def test_a_waveform_without_its_channels_cannot_be_packed():
    bad = Waveform((Channel("I", "mV", 500.0, 0.001),), ecg()[:2])
    with pytest.raises(ValueError, match="one channel for each row"):
        pack(replace(visit(), recordings=(replace(ecg_recording(), waveforms=(bad,)),)))


def test_an_unreadable_picture_travels_all_the_same():
    ear = ear_recording("left")
    broken = replace(ear, pictures=(replace(ear.pictures[0], data=b"\xff\xd8 not a JPEG"),))
    study = replace(visit(), recordings=(broken,))
    bundle = pack(study)
    assert [part.layer for part in bundle.parts] == [0, 3]
    assert as_tuple(unpack(bundle)) == as_tuple(study)


def test_a_preview_that_cannot_be_made_does_not_hold_back_the_recording():
    sound = visit().recordings[1]
    absurd = replace(sound.waveforms[0], channels=(replace(sound.waveforms[0].channels[0], rate_hz=1e12),))
    study = replace(visit(), recordings=(replace(sound, waveforms=(absurd,)),))
    bundle = pack(study)
    assert [part.layer for part in bundle.parts] == [0, 3]
    assert as_tuple(unpack(bundle)) == as_tuple(study)


def test_a_summary_nobody_would_read_is_refused_when_it_is_written():
    with pytest.raises(ValueError, match="1 MiB"):
        pack(replace(visit(), question="a" * (1 << 20), recordings=()))


@MODEST
@given(st.data())
def test_damage_anywhere_is_refused_or_harmless(data):
    """Flipped, cut or grown bytes in any part: one error class, or a study, never anything else."""
    bundle = SMALL
    index = data.draw(st.integers(0, len(bundle.parts) - 1))
    part = bundle.parts[index]
    raw = bytearray(part.data)
    how = data.draw(st.sampled_from(["flip", "cut", "grow", "noise"]))
    at = data.draw(st.integers(0, len(raw) - 1))
    if how == "flip":
        raw[at] ^= 1 << data.draw(st.integers(0, 7))
    elif how == "cut":
        del raw[at:]
    elif how == "grow":
        raw += data.draw(st.binary(min_size=1, max_size=9))
    else:
        raw[at : at + 8] = data.draw(st.binary(min_size=8, max_size=8))
    parts = (*bundle.parts[:index], replace(part, data=bytes(raw)), *bundle.parts[index + 1 :])
    try:
        found = unpack(replace(bundle, parts=parts))
    except BundleError:
        return
    assert found.id == bundle.id


def _small():
    ear = ear_recording("left", stills=1)
    ecg_cut = replace(ecg_recording().waveforms[0], values=ecg()[:, :200], gaps=())
    return replace(
        visit(),
        recordings=(
            replace(ecg_recording(), waveforms=(ecg_cut,)),
            replace(ear, pictures=(replace(ear.pictures[0], data=b"tiny"),)),
            visit().recordings[-1],
        ),
    )


SMALL = pack(_small())


@MODEST
@given(st.binary(max_size=200))
def test_garbage_is_refused(data):
    part = SMALL.parts[-1]
    reasons = []
    for attempt in (
        lambda: read_summary(data),
        lambda: read_part(0, 0, data),
        lambda: lossless_waveform(replace(part, layer=3, kind="waveform", data=data)),
        lambda: preview_waveform(replace(part, layer=1, kind="waveform", data=data)),
    ):
        try:
            attempt()
        except BundleError as refused:
            reasons.append(refused.reason)
    assert all(reasons)


def test_a_summary_that_inflates_without_end_is_refused_in_little_memory():

    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"\x01" + deflate.compress(bytes(200 << 20)) + deflate.flush()
    tracemalloc.start()
    with pytest.raises(BundleError, match="summary"):
        read_summary(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


def test_samples_beyond_32_bits_are_refused_not_clipped():
    for beyond in (1 << 31, -(1 << 31) - 1):
        with pytest.raises(ValueError, match="32 bits"):
            exact_samples(np.array([[beyond]], np.int64))


@given(hnp.arrays(np.int64, (2, 9), elements=st.integers(-(1 << 31), (1 << 31) - 1)))
@example(np.array([[-32768, 32767]]))
@example(np.array([[-32769, 0]]))
@example(np.array([[32768, 0]]))
def test_samples_are_kept_in_the_narrower_width_that_holds_them(values):
    kept = exact_samples(values)
    assert np.array_equal(kept, values)
    assert kept.dtype == (np.int16 if np.abs(values + 0.5).max() < 1 << 15 else np.int32)


@given(st.binary(max_size=50), st.integers(0, 4095))
def test_a_part_survives_its_sealed_form(data, index):
    part = replace(SMALL.parts[-1], data=data, index=index)
    assert read_part(part.oid, part.layer, write_part(part)) == part
