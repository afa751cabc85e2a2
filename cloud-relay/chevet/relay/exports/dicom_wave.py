"""Waveforms as DICOM: 12-lead, general, ambulatory and 32-bit ECG, sounds, arterial pulse (PS3.3, A.34)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat

from chevet.devices.samples import Channel
from chevet.relay.exports.dicom_codes import (
    BODY_SOUND,
    LEADS,
    PHONOCARDIOGRAM,
    PULSE,
    SOME_LEAD,
    UNITS,
    Code,
    place,
)
from chevet.relay.exports.dicom_object import Place, coded, new_object, plain, series_number, uid
from chevet.relay.exports.samples import arrived, extremes, frames, marked, unused
from chevet.relay.exports.subject import LeftOut, Subject
from chevet.study.recording import Recording, Waveform
from chevet.study.sound import is_sound

MICROVOLT = 1000.0
MOST_SAMPLES = 16_384
"""Of a channel of a 12-lead ECG (PS3.3, A.34.3.4)."""
ECG_HZ, AMBULATORY_HZ, AUDIO_HZ, PULSE_HZ = (200.0, 1000.0), (50.0, 1000.0), 44_100.0, 600.0
SOUND_STEPS = {"heart_sound": PHONOCARDIOGRAM, "lung_sound": BODY_SOUND}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a waveform becomes: its SOP class, modality and bits, and the source of each channel."""

    sop_class: str
    modality: str
    bits: int
    sources: tuple[Code, ...]


def wave_objects(subject: Subject, recording: Recording) -> Iterator[Dataset | LeftOut]:
    """Yield one object for each waveform of a recording; for a pulse, one for each of its channels."""
    singles = [one for wave in recording.waveforms for one in _singles(recording, wave)]
    for instance, waveform in enumerate(singles, 1):
        kind = kind_of(recording, waveform)
        if isinstance(kind, str):
            yield LeftOut(recording.id, kind)
            continue
        fitted = fitting(waveform, kind.bits)
        padding = unused(fitted, kind.bits) if fitted.gaps else None
        if fitted.gaps and padding is None:
            yield LeftOut(recording.id, "no_number_left_for_gaps")
            continue
        ds = new_object(subject, _place(subject, recording, kind, instance), recording)
        ds.AcquisitionContextSequence = []
        _synchronisation(ds, subject)
        ds.WaveformSequence = [_group(recording, fitted, kind, padding)]
        yield ds


def kind_of(recording: Recording, waveform: Waveform) -> Kind | str:
    """Return what a waveform becomes, or the coded reason why there is no DICOM object for it."""
    if not arrived(waveform).any():
        return "no_samples"
    rate_hz = waveform.channels[0].rate_hz
    if recording.step in SOUND_STEPS and is_sound(waveform):
        source = SOUND_STEPS[recording.step]
        if len(waveform.channels) > 2 or rate_hz > AUDIO_HZ:
            return "rate_out_of_range" if rate_hz > AUDIO_HZ else "too_many_channels"
        return _narrow(waveform, uids.GeneralAudioWaveformStorage, "AU", source)
    if recording.step == "oximetry":
        if rate_hz >= PULSE_HZ:
            return "rate_out_of_range"
        return _narrow(waveform, uids.ArterialPulseWaveformStorage, "HD", PULSE)
    if all(channel.unit == "mV" for channel in waveform.channels):
        return _ecg(waveform, rate_hz)
    return "no_dicom_class"


def fitting(waveform: Waveform, bits: int) -> Waveform:
    """Return the same physical values within `bits`: a whole number may move from samples to baseline."""
    there = arrived(waveform)
    values = waveform.values.astype(np.int64)
    edge = 1 << (bits - 1)
    channels = list(waveform.channels)
    for row, channel in enumerate(waveform.channels):
        low, high = int(values[row, there].min()), int(values[row, there].max())
        if low < -edge or high >= edge:
            shift = (low + high) // 2
            values[row, there] -= shift
            channels[row] = replace(channel, offset=channel.offset + shift * channel.gain)
    return Waveform(tuple(channels), values.astype(np.int32), waveform.gaps)


def _singles(recording: Recording, waveform: Waveform) -> list[Waveform]:
    if recording.step != "oximetry":
        return [waveform]
    return [
        Waveform((channel,), waveform.values[row : row + 1], waveform.gaps)
        for row, channel in enumerate(waveform.channels)
    ]


def _narrow(waveform: Waveform, sop_class: str, modality: str, source: Code) -> Kind | str:
    if not _within_16(waveform):
        return "more_than_16_bits"
    return Kind(sop_class, modality, 16, (source,) * len(waveform.channels))


def _ecg(waveform: Waveform, rate_hz: float) -> Kind | str:
    names = [channel.name for channel in waveform.channels]
    sources = tuple(LEADS.get(name, SOME_LEAD) for name in names)
    low, high = extremes(waveform)
    short = low >= -(1 << 15) and high < 1 << 15
    if ECG_HZ[0] <= rate_hz <= ECG_HZ[1] and len(names) <= 24:
        if not short:
            return Kind(uids.General32bitECGWaveformStorage, "ECG", 32, sources)
        twelve = names == list(LEADS) and waveform.values.shape[1] <= MOST_SAMPLES
        return Kind(
            uids.TwelveLeadECGWaveformStorage if twelve else uids.GeneralECGWaveformStorage,
            "ECG",
            16,
            sources,
        )
    if AMBULATORY_HZ[0] <= rate_hz <= AMBULATORY_HZ[1] and len(names) <= 12:
        if not _within_16(waveform):
            return "more_than_16_bits"
        return Kind(uids.AmbulatoryECGWaveformStorage, "ECG", 16, sources)
    return "rate_out_of_range"


def _within_16(waveform: Waveform) -> bool:
    """Return whether each channel's span fits 16 bits once its middle is taken away."""
    values = waveform.values[:, arrived(waveform)].astype(np.int64)
    return bool((np.ptp(values, axis=1) < (1 << 16) - 1).all())


def _place(subject: Subject, recording: Recording, kind: Kind, instance: int) -> Place:
    words = [
        recording.step.replace("_", " "),
        recording.site,
        "marked poor" if recording.accepted_poor else "",
    ]
    return Place(
        kind.sop_class,
        kind.modality,
        recording.id,
        series_number(subject, recording),
        " ".join(word for word in words if word),
        instance,
        recording.started_ms,
    )


def _synchronisation(ds: Dataset, subject: Subject) -> None:
    """One clock for all recordings of one start of the box; its wall clock is not vouched for."""
    ds.SynchronizationFrameOfReferenceUID = uid(subject, "clock", subject.study.closed.boot_id)
    ds.SynchronizationTrigger = "NO TRIGGER"
    ds.AcquisitionTimeSynchronized = "N"


def _group(recording: Recording, waveform: Waveform, kind: Kind, padding: int | None) -> Dataset:
    group = Dataset()
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = waveform.values.shape
    group.SamplingFrequency = DSfloat(waveform.channels[0].rate_hz, auto_format=True)
    group.MultiplexGroupLabel = recording.step.replace("_", " ").upper()[:16]
    group.ChannelDefinitionSequence = [
        _channel(channel, source, number, kind.bits, recording.site)
        for number, (channel, source) in enumerate(zip(waveform.channels, kind.sources, strict=True), 1)
    ]
    group.WaveformBitsAllocated = kind.bits
    group.WaveformSampleInterpretation = "SS" if kind.bits == 16 else "SL"
    values = waveform.values.astype(np.int32)
    if padding is not None:
        values = marked(values, arrived(waveform), padding)
        group.add_new("WaveformPaddingValue", "OW", padding.to_bytes(kind.bits // 8, "little", signed=True))
    group.add_new("WaveformData", "OW", b"".join(frames(values, kind.bits // 8)))
    return group


def _channel(channel: Channel, source: Code, number: int, bits: int, site: str) -> Dataset:
    one = Dataset()
    one.WaveformChannelNumber = number
    one.ChannelLabel = plain(f"{channel.name} {site}" if site else channel.name, 16)
    one.ChannelSourceSequence = [coded(source)]
    modifiers = place(site)
    if modifiers:
        one.ChannelSourceModifiersSequence = [coded(item) for item in modifiers]
    factor = MICROVOLT if channel.unit == "mV" else 1.0
    unit = UNITS.get(channel.unit)
    if unit is not None:
        one.ChannelSensitivity = DSfloat(channel.gain * factor, auto_format=True)
        one.ChannelSensitivityUnitsSequence = [coded(unit)]
        one.ChannelSensitivityCorrectionFactor = 1
        one.ChannelBaseline = DSfloat(channel.offset * factor, auto_format=True)
    one.ChannelSampleSkew = 0
    one.WaveformBitsStored = bits
    return one
