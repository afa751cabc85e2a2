"""Samples wider than 16 bits: every bit kept, small, previews on their line, contradictions refused."""

import io
import struct
from dataclasses import replace

import cbor2
import numpy as np
import pytest
import soundfile as sf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from study_examples import LEADS, ecg, visit

from chevet.devices.samples import Channel
from chevet.study.bundle import lossless_waveform, pack, preview_waveform, sound_wav, unpack
from chevet.study.cbor import encode
from chevet.study.codec import MAX_BYTES, declared, decode_waveform, encode_flac, encode_waveform
from chevet.study.codec_limb import without_limb_leads
from chevet.study.errors import BundleError
from chevet.study.layers import open_waveforms
from chevet.study.preview import read_preview, write_preview
from chevet.study.recording import Gap, Waveform
from chevet.study.rows import waveform_row
from chevet.study.sound import PREVIEW_BYTES, diagnostic_sound, preview_sound, told_bits, wav
from chevet.study.summary import read_summary

GAIN_MV = 2400 / 6 / (1 << 23)
"""Of an ADS1298 after reset: 2.4 V, gain 6, 24 bits."""
HIGHEST, LOWEST = (1 << 23) - 1, -(1 << 23)
HIGHEST_32, LOWEST_32 = (1 << 31) - 1, -(1 << 31)

shapes = st.tuples(st.integers(0, 18), st.integers(0, 30))
ranges = st.sampled_from([(LOWEST, HIGHEST), (LOWEST_32, HIGHEST_32), (-40_000, 40_000), (-3, 3)])
edges = st.sampled_from([LOWEST, HIGHEST, LOWEST - 1, HIGHEST + 1, -1, 0, 255, 256])


@st.composite
def any_int32(draw):
    low, high = draw(ranges)
    elements = st.integers(low, high) | edges.map(lambda value: min(max(value, low), high))
    return draw(hnp.arrays(np.int32, draw(shapes), elements=elements))


def wide_ecg(offsets_mv=300.0, count=5000) -> np.ndarray:
    """Return the twelve leads of the example as 24-bit samples on electrodes with a voltage of their own."""
    eight = np.delete(ecg()[:, :count], [2, 3, 4, 5], axis=0) * 0.001
    offset = offsets_mv * np.cos(np.arange(8))[:, None]
    one, two, *chest = np.rint((eight + offset) / GAIN_MV).astype(np.int64)
    doubled = [-(one + two), 2 * one - two, 2 * two - one]
    halves = [np.sign(row) * (np.abs(row) >> 1) for row in doubled]
    return np.stack([one, two, two - one, *halves, *chest]).astype(np.int32)


def wide_waveform(**changes) -> Waveform:
    channels = tuple(Channel(lead, "mV", 500.0, GAIN_MV) for lead in LEADS)
    return replace(Waveform(channels, wide_ecg()), **changes)


def wide_visit(*waveforms):
    study = visit()
    return replace(study, recordings=(replace(study.recordings[0], waveforms=waveforms),))


@settings(max_examples=60, deadline=None)
@given(any_int32(), st.floats(0.1, 1e6))
@example(np.full((12, 3), LOWEST_32, np.int32), 500.0)
@example(np.tile(np.int32([HIGHEST, LOWEST]), (12, 4)), 500.0)
@example(np.tile(np.int32([HIGHEST_32, LOWEST_32]), (9, 4)), 250.0)
def test_any_wide_samples_survive_exactly(samples, rate_hz):
    data = encode_waveform(samples, rate_hz)
    back = decode_waveform(data)
    assert back.dtype == np.int32
    assert np.array_equal(back, samples)
    assert (declared(data).channels, declared(data).count, declared(data).width) == (*samples.shape, 4)


def test_the_version_says_how_wide_samples_are():
    samples = ecg()
    assert encode_waveform(samples, 500)[:5] == b"CVW\x03\x01"
    assert encode_waveform(samples.astype(np.int32), 500)[:5] == b"CVW\x04\x01"
    assert encode_flac(samples, 500)[:4] == b"CVW\x01"
    assert encode_flac(samples.astype(np.int32), 500)[:4] == b"CVW\x02"


def test_a_wide_ecg_takes_little_more_than_its_noise_and_four_leads_next_to_nothing():
    twelve = wide_ecg()
    data = encode_waveform(twelve, 500)
    eight = encode_waveform(np.delete(twelve, [2, 3, 4, 5], axis=0), 500)
    assert len(data) < len(eight) + 200
    assert len(data) < twelve.size * 3 / 2


def test_a_lead_worked_out_may_need_more_than_24_bits():
    samples = wide_ecg()
    one, two = np.tile(np.int32([[LOWEST, HIGHEST], [HIGHEST, LOWEST]]), (1, 2500))
    samples[:6] = [one, two, two - one, -(one + two) >> 1, (2 * one - two) >> 1, (2 * two - one) >> 1]
    assert samples[2].max() > HIGHEST
    assert np.array_equal(decode_waveform(encode_waveform(samples, 500)), samples)
    halving, stored = without_limb_leads(samples)
    data = encode_flac(stored, 500, 1 | halving << 1)
    assert np.array_equal(decode_waveform(data), samples)
    assert data[4] < 8, "the prediction brings all streams back into 24 bits"


def test_the_stranger_of_the_formats_page_reads_wide_samples():
    samples = np.random.default_rng(1).integers(LOWEST_32, HIGHEST_32, (2, 50)).astype(np.int32)
    blob = encode_flac(samples, 250)
    magic, flags, rows, count = struct.unpack_from("<4sBBI", blob)
    assert (magic, flags, rows, count) == (b"CVW\x02", 8, 2, 50)
    at, streams = 10, []
    while at < len(blob):
        (size,) = struct.unpack_from("<I", blob, at)
        with sf.SoundFile(io.BytesIO(blob[at + 4 : at + 4 + size])) as file:
            streams.append((file.subtype, file.read(dtype="int32", always_2d=True).T))
        at += 4 + size
    (upper, high), (lower, low) = streams
    assert (upper, lower) == ("PCM_24", "PCM_16")
    assert np.array_equal((high >> 8) * 256 + (low >> 16), samples)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_damage_to_wide_samples_is_refused_or_detected(data):
    samples = wide_ecg(count=200) << data.draw(st.sampled_from([0, 7]))
    encode = data.draw(st.sampled_from([encode_waveform, encode_flac]))
    raw = bytearray(encode(samples, 500))
    at = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        raw[at] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del raw[at:]
    try:
        assert decode_waveform(bytes(raw)).shape[0] <= 64
    except BundleError as error:
        reason = error.reason
        assert reason.startswith("waveform_")


@pytest.mark.parametrize(
    "head",
    [
        (b"CVW\x02", 16, 2, 1),
        (b"CVW\x01", 8, 2, 1),
        (b"CVW\x02", 7, 12, 1),
        (b"CVW\x02", 1, 5, 1),
        (b"CVW\x02", 0, 2, MAX_BYTES // 8 + 1),
        (b"CVW\x05", 0, 2, 1),
        (b"CVW\x03", 8, 2, 1),
        (b"CVW\x04", 8, 2, 1),
    ],
)
def test_heads_that_nobody_wrote_are_refused(head):
    with pytest.raises(BundleError, match="waveform_header"):
        decode_waveform(struct.pack("<4sBBI", *head) + bytes(40))


def test_low_bytes_beyond_a_byte_are_refused():
    good = encode_flac(np.full((1, 20), LOWEST_32, np.int32), 500)
    (size,) = struct.unpack_from("<I", good, 10)
    out = io.BytesIO()
    sf.write(out, np.full((20, 1), 256, np.int16), 500, format="FLAC", subtype="PCM_16")
    forged = good[: 14 + size] + struct.pack("<I", len(out.getvalue())) + out.getvalue()
    with pytest.raises(BundleError, match="waveform_stream"):
        decode_waveform(forged)


@pytest.mark.parametrize("shift", [0, 7], ids=["24 bits", "31 bits"])
def test_a_visit_with_a_wide_recording_survives_exactly(shift):
    values = wide_ecg() << shift
    narrow = visit().recordings[0].waveforms[0]
    study = wide_visit(wide_waveform(values=values, gaps=(Gap(1000, 25),)), narrow)
    back = unpack(pack(study))
    wide, other = back.recordings[0].waveforms
    assert (wide.values.dtype, other.values.dtype) == (np.int32, np.int16)
    assert np.array_equal(wide.values, values)
    assert np.array_equal(other.values, narrow.values)
    assert wide.gaps == (Gap(1000, 25),)


def test_the_summary_tells_the_width_before_the_samples_come_and_only_of_wide_ones():
    read = read_summary(pack(wide_visit(wide_waveform())).parts[0].data)
    assert read.recordings[0].waveforms[0].values.dtype == np.int32
    assert waveform_row(wide_waveform())[3:] == [4]
    assert waveform_row(visit().recordings[0].waveforms[0])[3:] == []


def test_a_width_that_contradicts_the_samples_is_refused():
    row, blob = waveform_row(wide_waveform()), encode_waveform(wide_ecg(), 500)
    assert open_waveforms(encode([[row, blob]]))[0].values.dtype == np.int32
    with pytest.raises(BundleError, match="contradiction"):
        open_waveforms(encode([[row[:3], blob]]))
    for width in (2, 3, 8, "4"):
        with pytest.raises(BundleError, match="wrong_type"):
            open_waveforms(encode([[[*row[:3], width], blob]]))
    bundle = pack(wide_visit(wide_waveform()))
    other = pack(wide_visit(wide_waveform(values=ecg())))
    with pytest.raises(BundleError, match="contradiction"):
        unpack(replace(bundle, parts=(other.parts[0], *bundle.parts[1:])))


def test_a_preview_on_electrodes_of_300_mv_shows_the_ecg_where_it_is():
    values = wide_ecg()
    values[:, 1000:1100] = 0
    waveform = wide_waveform(values=values, gaps=(Gap(1000, 100),))
    data = write_preview(waveform)
    preview = read_preview(data)
    assert len(data) <= PREVIEW_BYTES
    assert preview.values.dtype == np.int16
    gain = np.array([[channel.gain] for channel in preview.channels])
    offset = np.array([[channel.offset] for channel in preview.channels])
    shown = preview.values * gain + offset
    there = np.ones(shown.shape[1], bool)
    there[490:560] = False
    exact = values[:, ::2] * GAIN_MV
    assert np.abs(shown - exact)[:, there].max() < 0.12, "picture-grade, in mV"
    assert preview.channels[1].offset == pytest.approx(np.median(exact[1, there]), abs=0.2)


@pytest.mark.parametrize("shift", [0, 8])
def test_a_preview_of_rails_and_of_true_32_bits_neither_wraps_nor_clips(shift):
    rails = np.tile(np.repeat(np.int32([HIGHEST, LOWEST]), 250), (12, 5)) << shift
    waveform = wide_waveform(values=rails)
    preview = read_preview(write_preview(waveform))
    full = float(HIGHEST << shift) * GAIN_MV
    shown = preview.values[1] * preview.channels[1].gain + preview.channels[1].offset
    assert shown.max() == pytest.approx(full, rel=0.2)
    assert shown.min() == pytest.approx(-full, rel=0.2)
    empty = read_preview(write_preview(wide_waveform(values=rails, gaps=(Gap(0, rails.shape[1]),))))
    assert not empty.values.any()


def test_a_preview_that_says_it_is_wide_is_refused():
    fields = cbor2.loads(write_preview(wide_waveform()))
    fields[1].append(4)
    with pytest.raises(BundleError, match="contradiction"):
        read_preview(cbor2.dumps(fields, canonical=True))


@pytest.mark.parametrize(("shift", "subtype"), [(0, "PCM_24"), (5, "PCM_32")])
def test_wide_sound_is_heard_at_its_level_and_kept_exactly(shift, subtype):
    tone = np.rint(0.5 * HIGHEST * np.sin(np.arange(8000) * 2 * np.pi * 200 / 4000)).astype(np.int32)
    sound = Waveform((Channel("sound", "1", 4000.0, 1.0),), (tone << shift)[np.newaxis])
    full = 1 << (23 if shift == 0 else 31)
    for opus in (preview_sound(sound), diagnostic_sound(sound)):
        heard, _ = sf.read(io.BytesIO(opus))
        level = np.abs(tone << shift).max() / full
        assert np.abs(heard[2000:-2000]).max() == pytest.approx(level, rel=0.25)
    bundle = pack(wide_visit(sound))
    part = next(item for item in bundle.parts if (item.layer, item.kind) == (3, "waveform"))
    with sf.SoundFile(io.BytesIO(sound_wav(part))) as file:
        assert file.subtype == subtype
        values = file.read(dtype="int32") >> (8 if subtype == "PCM_24" else 0)
    assert np.array_equal(values, lossless_waveform(part)[0].values[0])


def test_a_faint_sound_of_24_bits_stays_faint_in_16():
    channel = Channel("sound", "1", 4000.0, 2.0**-23)
    tone = np.rint(20_000 * np.sin(np.arange(8000) / 3)).astype(np.int16)
    faint = Waveform((channel,), tone[np.newaxis])
    with sf.SoundFile(io.BytesIO(wav(faint))) as file:
        assert file.subtype == "PCM_24"
        assert np.array_equal(file.read(dtype="int32") >> 8, tone)
    assert np.abs(sf.read(io.BytesIO(diagnostic_sound(faint)))[0]).max() < 0.01
    assert [told_bits(gain) for gain in (1.0, 1 / 32768, 3.0518e-5, 2.0**-23, 2.0**-31)] == [
        16,
        16,
        16,
        24,
        32,
    ]


def test_every_layer_of_a_wide_recording_is_there():
    kinds = {(p.layer, p.kind) for p in pack(wide_visit(wide_waveform())).parts if p.kind == "waveform"}
    assert kinds == {(1, "waveform"), (3, "waveform")}
    part = next(p for p in pack(wide_visit(wide_waveform())).parts if (p.layer, p.kind) == (1, "waveform"))
    assert preview_waveform(part).channels[0].name == "I"
