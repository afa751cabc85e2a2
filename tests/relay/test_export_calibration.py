"""One pulse of 1 mV and 200 ms, the leads' own arithmetic, and the side of an ear, after every export."""

import io
import json
import warnings

import numpy as np
import pydicom
import pyedflib
import pytest

from chevet.devices.samples import Channel
from chevet.relay.exports.fhir_codes import EARS
from chevet.study.recording import Waveform

from .export_cases import TWELVE, ear, exported, height, recording, send_exact

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own use of pandas is behind the times
    import wfdb

GAIN, RATE_HZ = 0.00488, 500.0


def pulses():
    """Twelve leads: 1 mV in I, nothing in II, and the limb leads that follow from them."""
    n = int(3 * RATE_HZ)
    mark = np.zeros(n, np.int64)
    for second in range(3):
        mark[int((second + 0.2) * RATE_HZ) : int((second + 0.4) * RATE_HZ)] = 2 * round(1 / GAIN / 2)
    one, two = mark, np.zeros(n, np.int64)
    limb = [one, two, two - one, -(one + two) // 2, one - two // 2, two - one // 2]
    values = np.stack([*limb, *([mark] * 6)]).astype(np.int16)
    return Waveform(tuple(Channel(name, "mV", RATE_HZ, GAIN) for name in TWELVE), values)


def by_wfdb(files, folder):
    (folder / "ecg_1_1.hea").write_bytes(files["ecg_1_1.hea"])
    (folder / "ecg_1_1.dat").write_bytes(files["ecg_1_1.dat"])
    found = wfdb.rdrecord(str(folder / "ecg_1_1"))
    return found.fs, dict(zip(found.sig_name, found.p_signal.T, strict=True))


def by_edf(files, folder):
    (folder / "ecg.edf").write_bytes(files["ecg-1-1.edf"])
    with pyedflib.EdfReader(str(folder / "ecg.edf")) as found:
        rows = {found.getLabel(n).removeprefix("ECG "): found.readSignal(n) / 1000 for n in range(12)}
        return found.getSampleFrequency(0), rows


def by_dicom(files, _folder):
    ds = pydicom.dcmread(io.BytesIO(files["ecg-1-1.dcm"]))
    group = ds.WaveformSequence[0]
    names = [str(one.ChannelLabel) for one in group.ChannelDefinitionSequence]
    return float(group.SamplingFrequency), dict(zip(names, ds.waveform_array(0).T / 1000, strict=True))


def by_fhir(files, _folder):
    entries = [one["resource"] for one in json.loads(files["bundle.json"])["entry"]]
    (ecg,) = (one for one in entries if one["id"].endswith(".wave-1-1"))
    rows = {}
    for part in ecg["component"]:
        data = part["valueSampledData"]
        numbers = np.array(data["data"].split(), float)
        rows[part["code"]["text"]] = numbers * data["factor"] + data["origin"]["value"]
    return 1000 / ecg["component"][0]["valueSampledData"]["period"], rows


READERS = {"wfdb": by_wfdb, "edf": by_edf, "dicom": by_dicom, "fhir": by_fhir}


@pytest.mark.parametrize("form", READERS)
def test_a_pulse_is_a_millivolt_of_200_ms_and_the_leads_agree(world, make_study, tmp_path, form):
    study = send_exact(world, make_study, recordings=(recording("ecg", waveforms=(pulses(),)),), vitals=())
    rate_hz, leads = READERS[form](exported(world.relay, study, form), tmp_path)
    assert tuple(leads) == TWELVE
    assert rate_hz == RATE_HZ
    for name in ("I", "V1", "V6"):
        assert height(leads[name]) == pytest.approx(1.0, rel=0.005, abs=GAIN)
        above = np.flatnonzero(np.diff((leads[name] > 0.5).astype(int)))
        assert (np.diff(above)[::2] / rate_hz == 0.2).all()
    # catches channels that changed places; exchanged electrodes it cannot
    assert np.abs(leads["I"] + leads["III"] - leads["II"]).max() <= GAIN
    assert np.abs(leads["aVR"] + leads["aVL"] + leads["aVF"]).max() <= 1.5 * GAIN


def test_the_side_of_an_ear_is_the_same_in_the_study_in_dicom_and_in_fhir(world, make_study):
    ears = (ear("left", with_clip=False), ear("right", with_clip=False))
    study = send_exact(world, make_study, recordings=ears, vitals=())
    files = exported(world.relay, study, "dicom")
    entries = json.loads(exported(world.relay, study, "fhir")["bundle.json"])["entry"]
    media = [one["resource"] for one in entries if one["resource"]["resourceType"] == "Media"]
    for number, one in enumerate(study.recordings, 1):
        ds = pydicom.dcmread(io.BytesIO(files[f"otoscopy-{number}-1.dcm"]))
        assert ds.ImageLaterality == one.side[0].upper()
        (site,) = {m["bodySite"]["coding"][0]["code"] for m in media if f".still-{number}-" in m["id"]}
        assert site == EARS[one.side][0]
