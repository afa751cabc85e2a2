"""The content checker finds each way in which an object would be refused, or be drawn at a wrong scale."""

import io

import pydicom
import pytest
from pydicom import uid as uids
from pydicom.encaps import encapsulate

from chevet.relay.exports.dicom_check import faults
from chevet.relay.exports.dicom_pdf import encapsulated
from chevet.relay.exports.subject import subject

from .export_cases import ear, exported, pleth, pulse, recording, send_exact, sound


@pytest.fixture
def good(world, make_study):
    """One good object by a short word."""
    study = send_exact(
        world,
        make_study,
        recordings=(
            recording("ecg", waveforms=(pulse(),)),
            recording("heart_sound", site="M", waveforms=(sound(),)),
            recording("oximetry", waveforms=(pleth(),)),
            ear("left"),
        ),
    )
    files = exported(world.relay, study, "dicom")
    names = {
        "ecg": "ecg-1-1.dcm",
        "sound": "heart-sound-2-1.dcm",
        "pulse": "oximetry-3-1.dcm",
        "still": "otoscopy-4-1.dcm",
        "film": "otoscopy-4-3.dcm",
    }

    def make(word):
        if word == "pdf":
            return encapsulated(subject(world.relay, study.id, "dr", "dicom"), b"%PDF-1.7 ", "x")
        return pydicom.dcmread(io.BytesIO(files[names[word]]))

    return make


def group(ds):
    return ds.WaveformSequence[0]


def channel(ds):
    return group(ds).ChannelDefinitionSequence[0]


def source(ds):
    return channel(ds).ChannelSourceSequence[0]


def to(where, keyword, value):
    return lambda ds: setattr(where(ds), keyword, value)


def without(where, keyword):
    return lambda ds: where(ds).__delattr__(keyword)


def whole(ds):
    return ds


def more_samples(ds):
    one = group(ds)
    one.NumberOfWaveformSamples = 20_000
    one.WaveformData = bytes(20_000 * 12 * 2)


def two_groups(ds):
    ds.WaveformSequence = [group(ds), group(ds)]


def renamed(ds):
    ds["QualityControlSubject"].value = "YES"


BREAKS = [
    ("ecg", to(group, "SamplingFrequency", 2000), "rate_out_of_range"),
    ("ecg", to(group, "SamplingFrequency", 100), "rate_out_of_range"),
    ("ecg", more_samples, "sample_count"),
    ("ecg", to(source, "CodeValue", "131329"), "decimal_mdc"),
    ("ecg", to(source, "CodeValue", "2:61000"), "unknown_source"),
    ("ecg", to(source, "CodeMeaning", ""), "missing"),
    ("ecg", to(source, "CodeValue", "12345678901234567"), "too_long"),
    ("ecg", to(channel, "ChannelSourceSequence", []), "missing"),
    ("ecg", without(channel, "ChannelSensitivity"), "missing"),
    ("ecg", to(channel, "ChannelSensitivity", 0), "no_scale"),
    ("ecg", without(channel, "ChannelBaseline"), "missing"),
    (
        "ecg",
        lambda ds: setattr(channel(ds).ChannelSensitivityUnitsSequence[0], "CodeValue", "mm[Hg]"),
        "unknown_unit",
    ),
    (
        "ecg",
        lambda ds: setattr(channel(ds).ChannelSensitivityUnitsSequence[0], "CodingSchemeDesignator", "UCUMM"),
        "unknown_unit",
    ),
    ("ecg", without(channel, "ChannelSampleSkew"), "missing"),
    ("ecg", to(channel, "WaveformBitsStored", 24), "sample_width"),
    ("ecg", lambda ds: channel(ds).add_new("ChannelLabel", "LO", "a label of 17 char"), "too_long"),
    ("ecg", to(group, "WaveformSampleInterpretation", "SL"), "sample_kind"),
    ("ecg", to(group, "WaveformBitsAllocated", 8), "sample_width"),
    ("ecg", to(group, "NumberOfWaveformChannels", 14), "channel_count"),
    ("ecg", to(group, "NumberOfWaveformSamples", 1499), "data_length"),
    ("ecg", lambda ds: group(ds).add_new("WaveformData", "OB", group(ds).WaveformData), "data_form"),
    ("sound", lambda ds: group(ds).add_new("WaveformPaddingValue", "OW", b"\0"), "data_form"),
    ("ecg", to(group, "WaveformOriginality", "FILTERED"), "unknown_word"),
    ("ecg", without(group, "WaveformData"), "missing"),
    ("ecg", to(whole, "WaveformSequence", []), "group_count"),
    ("pulse", two_groups, "group_count"),
    ("pulse", to(group, "SamplingFrequency", 600), "rate_out_of_range"),
    ("pulse", to(source, "CodeValue", "109114"), "unknown_source"),
    ("sound", to(group, "SamplingFrequency", 48_000), "rate_out_of_range"),
    ("sound", to(whole, "SOPClassUID", uids.BasicVoiceAudioWaveformStorage), "sample_kind"),
    ("sound", to(whole, "Modality", "ECG"), "wrong_modality"),
    ("ecg", without(whole, "AcquisitionContextSequence"), "missing"),
    ("ecg", to(whole, "SpecificCharacterSet", "ISO_IR 100"), "not_utf_8"),
    ("ecg", to(whole, "SOPInstanceUID", "1.2.03"), "bad_uid"),
    ("ecg", to(whole, "SOPClassUID", uids.CTImageStorage), "unknown_class"),
    ("ecg", without(whole, "DeidentificationMethod"), "missing"),
    ("ecg", without(whole, "AccessionNumber"), "missing"),
    ("ecg", to(whole, "DeviceSerialNumber", ""), "missing"),
    ("ecg", to(whole, "PatientComments", ""), "no_statement"),
    ("ecg", renamed, "label"),
    ("still", without(whole, "ImageLaterality"), "no_side"),
    ("still", to(whole, "Laterality", "R"), "side_twice"),
    ("still", to(whole, "Modality", "XC"), "wrong_modality"),
    ("still", to(whole, "AnatomicRegionSequence", []), "missing"),
    ("still", without(whole, "LossyImageCompressionRatio"), "missing"),
    ("still", without(whole, "PlanarConfiguration"), "missing"),
    ("still", to(whole, "SamplesPerPixel", 1), "pixel_form"),
    ("still", to(whole, "HighBit", 15), "pixel_width"),
    ("still", to(whole, "NumberOfFrames", 2), "frame_count"),
    ("still", without(whole, "PixelData"), "missing"),
    ("film", to(whole, "NumberOfFrames", 5), "frame_count"),
    ("film", to(whole, "FrameTimeVector", [0, 80]), "frame_count"),
    ("film", without(whole, "FrameIncrementPointer"), "missing"),
    ("pdf", to(whole, "Modality", "OT"), "wrong_modality"),
    ("pdf", to(whole, "EncapsulatedDocument", b"text"), "data_form"),
    ("pdf", to(whole, "EncapsulatedDocumentLength", 99), "data_length"),
    ("pdf", to(whole, "MIMETypeOfEncapsulatedDocument", "text/xml"), "unknown_word"),
]


@pytest.mark.parametrize("word", ["ecg", "sound", "pulse", "still", "film", "pdf"])
def test_what_we_export_breaks_no_rule(good, word):
    assert faults(good(word)) == []


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_each_broken_object_is_refused_with_its_reason(good, subtests):
    for number, (word, spoil, code) in enumerate(BREAKS):
        with subtests.test(number=number, code=code):
            ds = good(word)
            spoil(ds)
            found = faults(ds)
            assert code in {fault.code for fault in found}
            assert str(found[0]) == f"{found[0].code} ({found[0].where})"


def test_an_offset_without_a_common_clock_is_refused(good):
    ds = good("ecg")
    group(ds).MultiplexGroupTimeOffset = 0
    assert faults(ds) == []
    del ds.SynchronizationFrameOfReferenceUID
    assert [fault.code for fault in faults(ds)] == ["offset_without_clock"]


def test_pixels_of_another_size_than_told_are_refused(good):
    ds = good("still")
    ds.PixelData = encapsulate([b"no jpeg at all"])
    assert [fault.code for fault in faults(ds)] == ["frame_count"]
    ds["PixelData"].is_undefined_length = False
    assert [fault.code for fault in faults(ds)] == ["data_length"]
    broken = good("still")
    broken.PixelData = b"\xff\xff"
    assert [fault.code for fault in faults(broken)] == ["frame_count"]


def test_an_object_that_breaks_a_rule_never_leaves(world, make_study, monkeypatch):
    from chevet.relay.exports import dicom_wave

    monkeypatch.setattr(dicom_wave, "MICROVOLT", 0.0)
    study = send_exact(world, make_study, recordings=(recording("ecg", waveforms=(pulse(),)), ear("left")))
    files = exported(world.relay, study, "dicom")
    assert not any(name.startswith("ecg") for name in files)
    assert b"broken:no_scale" in files["contents.json"]
