"""WFDB, EDF+ and WAV: other people's readers find every integer, every gap and the calibration."""

import io
import json
import struct
import warnings
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
import pyedflib
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices.samples import Channel
from chevet.relay.exports.edf_plan import plan
from chevet.relay.exports.edf_scale import limits, number
from chevet.relay.exports.samples import arrived
from chevet.study.recording import Gap, Waveform

from .edf_reader import read_edf
from .export_cases import TWELVE, exported, height, pulse, recording, send_exact, sound, visit, with_gaps


@pytest.fixture
def sent(world, make_study):
    return partial(send_exact, world, make_study)


@pytest.fixture
def saved(world, sent, tmp_path):
    """Export what a site sent, and lay its files out for readers that want paths."""

    def save(form, *recordings, **options):
        study = sent(recordings=recordings)
        files = exported(world.relay, study, form, **options)
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        return files, tmp_path

    return save


def wave(values, gaps=(), gain=0.001, rate_hz=500.0):
    channels = tuple(Channel(f"L{row}", "mV", rate_hz, gain) for row in range(len(values)))
    return with_gaps(Waveform(channels, np.array(values)), *gaps)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own use of pandas is behind the times
    import wfdb


WIDE = [
    np.array([[-32768, 5, 32767, 9]], np.int16),
    np.array([[-32767, 5, 32767, 9]], np.int16),
    np.array([[-8_388_607, 5, 8_388_607, 9], [1, 2, 3, 4]], np.int32),
    np.array([[-8_388_608, 5, 2_147_483_647, 9]], np.int32),
]


@pytest.mark.parametrize("values", WIDE, ids=["all-of-16", "16", "24", "32"])
def test_wfdb_reads_every_integer_and_each_gap_as_no_sample(saved, values):
    one = wave(values, (Gap(1, 1),))
    files, folder = saved("wfdb", recording("ecg", waveforms=(one,)))
    name = next(name for name in files if name.endswith(".hea")).removesuffix(".hea")
    found = wfdb.rdrecord(str(folder / name), physical=False)
    invalid = found.d_signal == -(1 << (int(found.fmt[0]) - 1))
    assert np.array_equal(~invalid.T, np.broadcast_to(arrived(one), values.shape))
    assert np.array_equal(found.d_signal.T[:, arrived(one)], one.values[:, arrived(one)])
    assert np.isnan(wfdb.rdrecord(str(folder / name)).p_signal[1]).all()


def test_wfdb_keeps_names_rate_start_and_scale_and_names_nobody(saved):
    one = pulse(gain=0.0048, offset=-343.21, rate_hz=250.5, wide=True)
    files, folder = saved("wfdb", recording("ecg", waveforms=(one,)))
    assert sorted(files) == ["contents.json", "ecg_1_1.dat", "ecg_1_1.hea"]
    found = wfdb.rdrecord(str(folder / "ecg_1_1"))
    assert (tuple(found.sig_name), found.fs, found.units) == (TWELVE, 250.5, ["mV"] * 12)
    assert found.base_datetime.isoformat() == "2026-09-21T14:13:20.250000"
    for row in found.p_signal.T:
        assert height(row) == pytest.approx(1.0, abs=0.0048)
    assert b"not a certified medical device" in files["ecg_1_1.hea"]
    assert not any(b"Zahra" in data or b"R-77" in data or b"1971" in data for data in files.values())


def test_a_record_without_samples_is_left_out_and_the_reason_is_told(saved):
    files, _ = saved("wfdb", recording("ecg", waveforms=(wave(np.zeros((2, 0), np.int16)),)), *visit()[3:5])
    contents = json.loads(files["contents.json"])
    assert [item["reason"] for item in contents["left_out"]] == ["no_samples", "no_waveform"]
    assert {item["name"] for item in contents["files"]} == set(files) - {"contents.json"}


@pytest.mark.parametrize(
    ("rate_hz", "gain", "offset"),
    [(500.0, 0.00488, 0.0), (130.0, 0.001, 0.0), (250.0, 1 / 333.25, -1650 / 1100), (511.2, 0.0005722, 12.5)],
)
def test_edf_reads_every_integer_and_a_millivolt_is_a_millivolt(saved, rate_hz, gain, offset):
    one = pulse(rate_hz, gain, offset, wide=False)
    _, folder = saved("edf", recording("ecg", waveforms=(one,)))
    with pyedflib.EdfReader(str(folder / "ecg-1-1.edf")) as found:
        assert found.getSignalLabels() == [f"ECG {name}" for name in TWELVE]
        for row, values in enumerate(one.values):
            assert np.array_equal(found.readSignal(row, digital=True)[: values.size], values)
            physical = found.readSignal(row)[: values.size]
            assert height(physical) == pytest.approx(1000.0, abs=1000 * gain)
            assert physical == pytest.approx((values * gain + offset) * 1000, abs=500 * gain)
        assert found.getPhysicalDimension(0) == "uV"
        assert found.getStartdatetime().replace(microsecond=0).isoformat() == "2026-09-21T14:13:20"
        assert found.starttime_subsecond == 2_500_000
        assert any("not a certified medical device" in text for text in found.readAnnotations()[2])
        assert found.getPatientName() == "X"


def test_edf_without_gaps_is_whole_records_where_a_length_divides(saved):
    _, folder = saved("edf", recording("ecg", waveforms=(pulse(seconds=7),)))
    found = read_edf((folder / "ecg-1-1.edf").read_bytes())
    assert (found.kind, found.lengths[0], len(found.starts)) == ("EDF+C", 500, 7)


def test_edf_leaves_gaps_out_and_says_where_they_were(saved):
    one = with_gaps(
        pulse(seconds=10, leads=TWELVE[:3]), Gap(0, 700), Gap(1000, 37), Gap(3001, 1200), Gap(4990, 10)
    )
    files, _ = saved("edf", recording("ecg", waveforms=(one,)))
    found = read_edf(files["ecg-1-1.edf"])
    assert found.kind == "EDF+D"
    values, there = found.placed(500.0, 5000)
    assert np.array_equal(there, arrived(one))
    assert np.array_equal(values[:, there], one.values[:, there])
    assert found.began.isoformat() == "2026-09-21T14:13:21"  # 1.4 s in, 250 ms after the second


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 4000),
    st.lists(st.tuples(st.integers(1, 600), st.integers(1, 600)), max_size=6),
    st.sampled_from([75.0, 125.0, 130.0, 250.5, 500.0, 511.2, 4000.0]),
)
def test_a_plan_holds_each_sample_that_arrived_once_and_starts_none_in_a_gap(samples, cuts, rate_hz):
    gaps, at = [], 0
    for skip, count in cuts:
        if at + skip + count < samples:
            gaps.append(Gap(at + skip, count))
            at += skip + count
    found = plan(samples, tuple(gaps), rate_hz, 26)
    there = np.ones(samples, bool)
    for gap in gaps:
        there[gap.first : gap.first + gap.count] = False
    held = np.zeros(samples + found.length, int)
    for start in found.starts:
        assert there[start]
        held[start : start + found.length] += 1
    assert (held <= 1).all()
    assert (held[:samples][there] == 1).all()
    assert abs(float(found.duration) * rate_hz - found.length) < 1e-3


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-4, 50.0), st.floats(-2000.0, 2000.0), st.integers(-32768, 0), st.integers(0, 32767))
def test_limits_enclose_the_samples_and_keep_the_scale(gain, offset, low, high):
    found = limits(gain, offset, low, high, 16)
    assert -32768 <= found.low <= low <= high <= found.high <= 32767
    assert len(found.physical_low) <= 8
    assert len(found.physical_high) <= 8
    for value in (low, high):
        assert abs(value * found.gain + found.offset - value * gain - offset) <= 0.5 * gain + 0.06


def test_a_limit_that_needs_more_than_eight_characters_is_refused():
    assert number(Fraction(-5, 2)) == "-2.5"
    assert number(Fraction(0)) == "0"
    with pytest.raises(ValueError, match="eight"):
        number(Fraction(1_234_567_890))


def test_samples_of_24_bits_become_bdf(saved):
    one = pulse(gain=2.4 / 6 / 2**23 * 1000, offset=-343.21, wide=True)
    _, folder = saved("edf", recording("ecg", waveforms=(one,)))
    with pyedflib.EdfReader(str(folder / "ecg-1-1.bdf")) as found:
        assert np.array_equal(found.readSignal(3, digital=True), one.values[3])
        assert height(found.readSignal(3)) == pytest.approx(1000.0, abs=0.05)


def test_samples_that_no_edf_holds_are_left_out(saved):
    too_wide = wave(np.array([[-(1 << 30), 5, 1 << 30, 9]], np.int32))
    none = wave(np.zeros((1, 40), np.int16), (Gap(0, 40),))
    steep = wave(np.array([[1, 2]], np.int16), gain=1e9)
    items = [recording("ecg", waveforms=(item,)) for item in (too_wide, none, steep, pulse())]
    files, _ = saved("edf", *items)
    reasons = [item["reason"] for item in json.loads(files["contents.json"])["left_out"]]
    assert reasons == ["more_than_24_bits", "no_samples", "scale_does_not_fit"]
    assert "ecg-4-1.edf" in files


def test_a_sound_becomes_wav_of_the_same_integers_with_its_gap_marked(saved):
    one = sound()
    files, _ = saved("wav", recording("heart_sound", site="M", waveforms=(one,)), visit()[0])
    data = files["heart-sound-1-1.wav"]
    values, rate = sf.read(io.BytesIO(data), dtype="int16")
    assert (rate, sf.info(io.BytesIO(data)).subtype) == (4000, "PCM_16")
    assert np.array_equal(values, one.values[0])
    number_, length, purpose = struct.unpack_from("<II4s", data, data.index(b"ltxt") + 8)
    assert (number_, length, purpose) == (1, 900, b"gap ")
    comment = json.loads(data[data.index(b"ICMT") + 8 :].partition(b"\0")[0])
    assert (comment["gain"], comment["rate_hz"], comment["gaps"]) == (2.0**-15, 4000.0, [[700, 900]])
    assert json.loads(files["contents.json"])["left_out"][0]["reason"] == "no_sound"


@pytest.mark.parametrize(("bits", "subtype"), [(24, "PCM_24"), (32, "PCM_32")])
def test_a_wide_sound_keeps_its_full_scale(saved, bits, subtype):
    rng = np.random.default_rng(4)
    values = rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), (1, 801)).astype(np.int32)
    one = Waveform((Channel("sound", "1", 8000.0, 2.0 ** (1 - bits)),), values)
    files, _ = saved("wav", recording("lung_sound", site="Pr", waveforms=(one,)))
    data = io.BytesIO(files["lung-sound-1-1.wav"])
    assert sf.info(data).subtype == subtype
    data.seek(0)
    assert np.array_equal(sf.read(data, dtype="int32")[0] >> (32 - bits), values[0])


def test_a_calibration_pulse_in_a_wav_is_one_millivolt_by_its_comment(saved):
    one = pulse(rate_hz=4000.0, seconds=2, leads=("I",))
    scaled = replace(one, channels=(replace(one.channels[0], unit="1"),))
    files, _ = saved("wav", recording("heart_sound", site="M", waveforms=(scaled,)))
    data = files["heart-sound-1-1.wav"]
    comment = json.loads(data[data.index(b"ICMT") + 8 :].partition(b"\0")[0])
    values = sf.read(io.BytesIO(data), dtype="int16")[0]
    assert height(values * comment["gain"] + comment["offset"]) == pytest.approx(1.0, abs=0.00488)
