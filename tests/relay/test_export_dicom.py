"""DICOM objects: pydicom reads every integer, gap and scale back; other validators find nothing."""

import io
import json
import shutil
import subprocess
from functools import partial

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import uid as uids
from pydicom.encaps import generate_frames
from pydicom.sr.codedict import codes

from chevet.relay.errors import RefusedError
from chevet.relay.exports import dicom_codes
from chevet.relay.exports.dicom_check import faults
from chevet.relay.exports.dicom_object import encoded
from chevet.relay.exports.dicom_pdf import encapsulated
from chevet.relay.exports.dicom_wave import kind_of
from chevet.relay.exports.samples import arrived
from chevet.relay.exports.subject import subject
from chevet.study.recording import Gap, StoredPicture, Waveform
from chevet.study.study import Patient

from .export_cases import (
    TWELVE,
    ear,
    exported,
    height,
    jpeg,
    pleth,
    pulse,
    recording,
    send_exact,
    sound,
    visit,
    with_gaps,
)

PDF = b"%PDF-1.7\n% a report that the desk printed\n%%EOF\n"


@pytest.fixture
def sent(world, make_study):
    return partial(send_exact, world, make_study)


@pytest.fixture
def objects(world, sent):
    """Export recordings and read them back: datasets by file name, and the reasons of what is left out."""

    def make(*recordings, **options):
        study = sent(recordings=recordings)
        files = exported(world.relay, study, "dicom", **options)
        contents = json.loads(files.pop("contents.json"))
        found = {name: pydicom.dcmread(io.BytesIO(data)) for name, data in files.items()}
        return found, [item["reason"] for item in contents["left_out"]]

    return make


def integers(group, dtype="<i2"):
    """Stored numbers, shape [channels, samples], and where they are no padding."""
    values = np.frombuffer(group.WaveformData, dtype).reshape(-1, group.NumberOfWaveformChannels).T
    padding = group.get("WaveformPaddingValue")
    there = values[0] != np.frombuffer(padding, dtype)[0] if padding else np.ones(values.shape[1], bool)
    return values, there


@pytest.mark.parametrize(
    ("wave", "sop_class", "dtype"),
    [
        (pulse(), uids.TwelveLeadECGWaveformStorage, "<i2"),
        (pulse(offset=-12.5, gain=0.0009765625, rate_hz=1000.0), uids.TwelveLeadECGWaveformStorage, "<i2"),
        (pulse(seconds=33, leads=TWELVE[:1]), uids.GeneralECGWaveformStorage, "<i2"),
        (pulse(leads=TWELVE[:2]), uids.GeneralECGWaveformStorage, "<i2"),
        (pulse(rate_hz=130.0, leads=("ECG",)), uids.AmbulatoryECGWaveformStorage, "<i2"),
        (
            pulse(gain=2.4 / 6 / 2**23 * 1000, offset=-343.21, wide=True),
            uids.General32bitECGWaveformStorage,
            "<i4",
        ),
    ],
    ids=["twelve", "twelve-1000", "long", "two", "slow", "wide"],
)
def test_an_ecg_becomes_the_class_that_fits_and_a_millivolt_stays_one(objects, wave, sop_class, dtype):
    wave = with_gaps(wave, Gap(100, 37))
    found, left_out = objects(recording("ecg", waveforms=(wave,)))
    ds = found["ecg-1-1.dcm"]
    assert (ds.SOPClassUID, ds.Modality, left_out) == (sop_class, "ECG", [])
    values, there = integers(ds.WaveformSequence[0], dtype)
    assert np.array_equal(there, arrived(wave))
    assert np.array_equal(values[:, there], wave.values[:, there])
    microvolt = ds.waveform_array(0)[there].T
    gain = wave.channels[0].gain
    for row in microvolt:
        assert height(row) == pytest.approx(1000.0, abs=1000 * gain)
    physical = (wave.values * gain + wave.channels[0].offset)[:, there] * 1000
    assert microvolt == pytest.approx(physical, abs=500 * gain)


def test_twelve_leads_beyond_the_sample_limit_are_a_general_ecg():
    long = Waveform(pulse().channels, np.zeros((12, 16_385), np.int16))
    assert kind_of(recording("ecg"), long).sop_class == uids.GeneralECGWaveformStorage
    fits = Waveform(pulse().channels, np.zeros((12, 16_384), np.int16))
    assert kind_of(recording("ecg"), fits).sop_class == uids.TwelveLeadECGWaveformStorage


def test_leads_carry_the_codes_of_their_context_group(objects):
    found, _ = objects(recording("ecg", waveforms=(pulse(),)))
    channels = found["ecg-1-1.dcm"].WaveformSequence[0].ChannelDefinitionSequence
    sources = [one.ChannelSourceSequence[0] for one in channels]
    known = {c.value: c.meaning for c in (getattr(codes.cid3001, name) for name in codes.cid3001.dir())}
    assert [str(one.ChannelLabel) for one in channels] == list(TWELVE)
    for one in sources:
        assert one.CodingSchemeDesignator == "MDC"
        assert known[one.CodeValue] == one.CodeMeaning
    assert [one.CodeValue for one in sources] == [dicom_codes.LEADS[name].value for name in TWELVE]
    assert {one.ChannelSensitivityUnitsSequence[0].CodeValue for one in channels} == {"uV"}


def test_every_code_written_here_is_known_to_the_published_tables():
    own = [item for item in vars(dicom_codes).values() if isinstance(item, dicom_codes.Code)]
    known = {c for c in own if c.scheme in ("SCT", "DCM")}
    tables = {"SCT": codes.SCT, "DCM": codes.DCM}
    published = {
        (scheme, str(getattr(table, name).value)) for scheme, table in tables.items() for name in table.dir()
    }
    missing = {c for c in known if (c.scheme, c.value) not in published}
    # intercostal spaces and sides of a lung have SNOMED concepts that DICOM itself does not use
    assert {c.meaning.split()[-1] for c in missing} <= {"space", "region", "lung"}


def test_sounds_and_pulses_have_their_classes_places_and_gaps(objects):
    found, left_out = objects(*visit()[1:4])
    heart, lung, finger = (found[name] for name in sorted(found))
    assert left_out == []
    assert (heart.SOPClassUID, heart.Modality) == (uids.GeneralAudioWaveformStorage, "AU")
    channel = heart.WaveformSequence[0].ChannelDefinitionSequence[0]
    assert channel.ChannelSourceSequence[0].CodeMeaning == "Phonocardiogram"
    assert [item.CodeValue for item in channel.ChannelSourceModifiersSequence] == ["117137004", "7771000"]
    values, there = integers(heart.WaveformSequence[0])
    assert np.array_equal(there, arrived(sound()))
    assert np.array_equal(values[:, there], sound().values[:, there])
    assert (
        lung.WaveformSequence[0].ChannelDefinitionSequence[0].ChannelSourceSequence[0].CodeValue == "109115"
    )
    assert (finger.SOPClassUID, finger.Modality) == (uids.ArterialPulseWaveformStorage, "HD")
    assert float(finger.WaveformSequence[0].SamplingFrequency) == 75.0


def test_a_pulse_of_more_than_16_bits_moves_its_middle_to_the_baseline(objects):
    wave = pleth(wide=True)
    found, _ = objects(recording("oximetry", waveforms=(wave,)))
    ds = found["oximetry-1-1.dcm"]
    there = arrived(wave)
    assert ds.WaveformSequence[0].WaveformBitsAllocated == 16
    assert np.array_equal(ds.waveform_array(0)[there].T, wave.values[:, there])


def test_where_every_number_is_a_sample_a_free_one_between_them_stands_for_the_gap(objects):
    wave = pulse(leads=("I", "II"))
    wave.values[0, 0], wave.values[0, 1] = -32768, 32767
    wave = with_gaps(wave, Gap(50, 3))
    found, _ = objects(recording("ecg", waveforms=(wave,)))
    values, there = integers(found["ecg-1-1.dcm"].WaveformSequence[0])
    assert np.array_equal(there, arrived(wave))
    assert np.array_equal(values[:, there], wave.values[:, there])


def test_what_no_class_takes_is_left_out_with_its_reason(objects):
    full = np.arange(-32768, 32768).astype(np.int16)[None]
    taken = with_gaps(pulse(leads=("I",)), Gap(2, 1))
    taken = type(taken)(taken.channels, np.concatenate([full, full[:, :4]], axis=1), (Gap(65537, 2),))
    unscaled = sound()
    items = [
        recording("ecg", waveforms=(pulse(rate_hz=2000.0, seconds=2),)),
        recording("ecg", waveforms=(pulse(rate_hz=40.0),)),
        recording("ecg", waveforms=(unscaled,)),
        recording("heart_sound", site="M", waveforms=(sound(48_000.0),)),
        recording("ecg", waveforms=(taken,)),
        ear(side=""),
        ear(data=b"no picture", with_clip=False),
        recording("ecg"),
        recording("ecg", waveforms=(pulse(),)),
    ]
    found, left_out = objects(*items)
    assert list(found) == ["ecg-9-1.dcm"]
    assert left_out == [
        "rate_out_of_range",
        "rate_out_of_range",
        "no_dicom_class",
        "rate_out_of_range",
        "no_number_left_for_gaps",
        "no_side",
        "not_an_image",
        "not_an_image",
        "nothing_to_show",
    ]


def test_a_still_is_the_cameras_own_bytes_with_its_side(objects):
    found, _ = objects(ear("left", with_clip=False), ear("right", with_clip=False))
    left, right = found["otoscopy-1-2.dcm"], found["otoscopy-2-1.dcm"]
    assert (left.SOPClassUID, left.Modality, left.ImageLaterality) == (
        uids.VLEndoscopicImageStorage,
        "ES",
        "L",
    )
    assert right.ImageLaterality == "R"
    assert left.file_meta.TransferSyntaxUID == uids.JPEGBaseline8Bit
    assert next(generate_frames(left.PixelData, number_of_frames=1)).startswith(jpeg(seed=1))
    assert left.LossyImageCompression == "01"
    assert left.AnatomicRegionSequence[0].CodeMeaning == "External auditory canal"
    assert left.ImageComments.startswith("best still")
    assert (left.Rows, left.Columns, left.PhotometricInterpretation) == (240, 320, "YBR_FULL_422")


def test_a_photograph_of_the_skin_says_its_place_and_a_face_needs_the_name(objects):
    still = StoredPicture(jpeg(), "image/jpeg", 0.5, True)
    taken = [
        recording("photo", site=site, driver="camera", pictures=(still,))
        for site in ("hand_r", "upper_back", "face", "mouth", "head", "anywhere")
    ]
    found, left_out = objects(*taken)
    hand, back = found["photo-1-1.dcm"], found["photo-2-1.dcm"]
    assert (hand.SOPClassUID, hand.Modality) == (uids.VLPhotographicImageStorage, "XC")
    assert [(ds.AnatomicRegionSequence[0].CodeMeaning, ds.ImageLaterality) for ds in (hand, back)] == [
        ("Hand", "R"),
        ("Back", "U"),
    ]
    assert list(found) == ["photo-1-1.dcm", "photo-2-1.dcm"]
    assert left_out == ["recognisable", "recognisable", "recognisable", "no_place"]
    named, _ = objects(taken[2], identity="full")
    assert named["photo-1-1.dcm"].AnatomicRegionSequence[0].CodeMeaning == "Face"


@pytest.mark.parametrize("kind", ["progressive", "grey", "png"])
def test_pictures_that_are_no_baseline_colour_jpeg_come_too(objects, kind):
    out = io.BytesIO(jpeg(progressive=True))
    if kind != "progressive":
        image = Image.open(io.BytesIO(jpeg()))
        out = io.BytesIO()
        (image.convert("L") if kind == "grey" else image).save(out, "JPEG" if kind == "grey" else "PNG")
    still = StoredPicture(out.getvalue(), "image/png" if kind == "png" else "image/jpeg", 0.5, True)
    found, left_out = objects(recording("otoscopy", side="left", pictures=(still,)))
    ds = found["otoscopy-1-1.dcm"]
    assert left_out == []
    shape = (240, 320) if kind == "grey" else (240, 320, 3)
    pixels = np.asarray(Image.open(io.BytesIO(still.data)))
    assert pixels.shape == shape
    if kind == "grey":
        assert ds.PhotometricInterpretation == "MONOCHROME2"
    else:
        assert np.array_equal(np.frombuffer(ds.PixelData, np.uint8).reshape(shape), pixels)
        assert ds.LossyImageCompression == ("00" if kind == "png" else "01")


def test_a_clip_becomes_a_film_with_the_time_of_each_picture(objects):
    found, _ = objects(ear("right"))
    ds = found["otoscopy-1-3.dcm"]
    assert (ds.SOPClassUID, ds.ImageLaterality) == (uids.VideoEndoscopicImageStorage, "R")
    assert (ds.NumberOfFrames, list(ds.ImageType)) == (6, ["DERIVED", "PRIMARY"])
    assert [float(item) for item in ds.FrameTimeVector] == [0, 80, 80, 80, 80, 80]
    frames = list(generate_frames(ds.PixelData, number_of_frames=6))
    first = np.asarray(Image.open(io.BytesIO(frames[0])).convert("RGB"), float)
    was = np.asarray(Image.open(io.BytesIO(jpeg(seed=0))).convert("RGB"), float)
    assert np.abs(first - was).mean() < 12  # coded three times


def test_the_patient_is_a_pseudonym_unless_care_needs_the_name(world, sent, objects):
    found, _ = objects(*visit())
    for ds in found.values():
        assert str(ds.PatientName) == ds.PatientID
        assert (ds.PatientIdentityRemoved, ds.PatientBirthDate, ds.PatientSex) == ("YES", "", "F")
        assert ds.PatientAge == "055Y"
        assert b"Seeded" not in encoded(ds, ds.file_meta.TransferSyntaxUID)
    unruly = Patient("p", "Zahra\\Seeded^name=" + "x" * 80, 1971, "F", "R-77")
    study = sent(recordings=visit()[:1], patient=unruly)
    ds = pydicom.dcmread(io.BytesIO(exported(world.relay, study, "dicom", identity="full")["ecg-1-1.dcm"]))
    assert str(ds.PatientName).startswith("Zahra Seeded name x")
    named, _ = objects(*visit(), identity="full")
    for ds in named.values():
        assert (str(ds.PatientName), ds.PatientID, ds.PatientIdentityRemoved) == (
            "Zahra Seededname",
            "R-77",
            "NO",
        )
        assert ds.SOPInstanceUID not in {one.SOPInstanceUID for one in found.values()}


def test_the_same_case_gives_the_same_objects_and_one_study(world, sent):
    study = sent(recordings=visit())
    first, second = (exported(world.relay, study, "dicom") for _ in range(2))
    assert first == second
    read = [pydicom.dcmread(io.BytesIO(data)) for name, data in first.items() if name.endswith(".dcm")]
    assert len({ds.StudyInstanceUID for ds in read}) == 1
    assert len({ds.SOPInstanceUID for ds in read}) == len(read)
    assert len({(ds.SeriesInstanceUID, ds.SOPClassUID) for ds in read}) == len(
        {d.SeriesInstanceUID for d in read}
    )
    assert len({(ds.SeriesNumber, ds.InstanceNumber) for ds in read}) == len(read)


def test_a_report_is_encapsulated_and_its_bytes_come_back(world, sent):
    study = sent()
    found = encapsulated(subject(world.relay, study.id, "dr", "dicom"), PDF, "Signed opinion")
    assert faults(found) == []
    ds = pydicom.dcmread(io.BytesIO(encoded(found)))
    assert ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength] == PDF
    with pytest.raises(RefusedError, match="no PDF"):
        encapsulated(subject(world.relay, study.id, "dr", "dicom"), b"text", "x")


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="the Debian package dicom3tools is not installed")
def test_the_validator_of_dicom3tools_finds_no_error(world, sent, tmp_path):
    study = sent(recordings=visit())
    found = subject(world.relay, study.id, "dr", "dicom")
    files = exported(world.relay, study, "dicom")
    files["report.dcm"] = encoded(encapsulated(found, PDF, "Signed opinion"))
    errors = {}
    for name, data in files.items():
        if name.endswith(".dcm"):
            (tmp_path / name).write_bytes(data)
            said = subprocess.run(
                ["dciodvfy", str(tmp_path / name)], capture_output=True, text=True, check=False
            ).stderr
            errors[name] = [line for line in said.splitlines() if line.startswith("Error")]
    # it knows neither General Audio nor Arterial Pulse; our own rules do
    unknown = {name for name, lines in errors.items() if lines == ["Error - Information Object Not found"]}
    assert unknown <= {"heart-sound-2-1.dcm", "lung-sound-3-1.dcm", "oximetry-4-1.dcm"}
    assert {name: lines for name, lines in errors.items() if lines and name not in unknown} == {}
    assert len(errors) == 10
