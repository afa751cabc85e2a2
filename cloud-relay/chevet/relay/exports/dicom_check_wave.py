"""Rules of waveform objects: groups, channels, rates, samples, sources, scale (PS3.3, A.34 and C.10.9)."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code as Concept

from chevet.relay.exports.dicom_codes import AUDIO_SOURCES, PULSE, Code
from chevet.relay.exports.dicom_fault import Fault, missing, one_item

WIDTHS = {"SB": 8, "UB": 8, "MB": 8, "AB": 8, "SS": 16, "US": 16, "SL": 32, "UL": 32}
SHORT = 16


@dataclass(frozen=True, slots=True)
class WaveRule:
    """What one class allows.

    Attributes:
        modality: its Modality.
        groups: most multiplex groups.
        channels: most channels in each.
        lowest_hz: least sampling frequency.
        highest_hz: greatest, itself allowed.
        kinds: sample interpretations.
        sources: context group of the channel sources, as (value, scheme).
        samples: most samples of a channel, or None.
    """

    modality: str
    groups: int
    channels: int
    lowest_hz: float
    highest_hz: float
    kinds: tuple[str, ...]
    sources: frozenset[tuple[str, str]]
    samples: int | None = None


def _group(name: str) -> frozenset[tuple[str, str]]:
    found = (getattr(getattr(codes, name), word) for word in dir(getattr(codes, name)))
    return frozenset((one.value, one.scheme_designator) for one in found if isinstance(one, Concept))


def _own(*sources: Code) -> frozenset[tuple[str, str]]:
    return frozenset((one.value, one.scheme) for one in sources)


LEAD_SOURCES = _group("cid3001")
BELOW_600 = 600.0 - 1e-9
RULES = {
    uids.TwelveLeadECGWaveformStorage: WaveRule("ECG", 5, 13, 200, 1000, ("SS",), LEAD_SOURCES, 16_384),
    uids.GeneralECGWaveformStorage: WaveRule("ECG", 4, 24, 200, 1000, ("SS",), LEAD_SOURCES),
    uids.AmbulatoryECGWaveformStorage: WaveRule("ECG", 1, 12, 50, 1000, ("SB", "SS"), LEAD_SOURCES),
    uids.General32bitECGWaveformStorage: WaveRule("ECG", 4, 24, 200, 1000, ("SL",), LEAD_SOURCES),
    uids.BasicVoiceAudioWaveformStorage: WaveRule(
        "AU", 1, 2, 8000, 8000, ("UB", "MB", "AB"), _own(*AUDIO_SOURCES)
    ),
    uids.GeneralAudioWaveformStorage: WaveRule("AU", 1, 2, 0, 44_100, ("SB", "SS"), _own(*AUDIO_SOURCES)),
    uids.ArterialPulseWaveformStorage: WaveRule("HD", 1, 1, 0, BELOW_600, ("SB", "SS"), _own(PULSE)),
}


def wave_faults(ds: Dataset, rule: WaveRule) -> Iterator[Fault]:
    """Yield the rules that a waveform object breaks."""
    yield from missing(
        ds, ("ContentDate", "ContentTime", "AcquisitionDateTime"), ("AcquisitionContextSequence",)
    )
    if ds.get("Modality") != rule.modality:
        yield Fault("wrong_modality", "Modality")
    groups = ds.get("WaveformSequence") or []
    if not 1 <= len(groups) <= rule.groups:
        yield Fault("group_count", "WaveformSequence")
    synchronised = "SynchronizationFrameOfReferenceUID" in ds
    for group in groups:
        yield from _group_faults(group, rule)
        if "MultiplexGroupTimeOffset" in group and not synchronised:
            yield Fault("offset_without_clock", "MultiplexGroupTimeOffset")


def _group_faults(group: Dataset, rule: WaveRule) -> Iterator[Fault]:
    needed = (
        "WaveformOriginality",
        "NumberOfWaveformChannels",
        "NumberOfWaveformSamples",
        "SamplingFrequency",
    )
    data = (
        "WaveformBitsAllocated",
        "WaveformSampleInterpretation",
        "WaveformData",
        "ChannelDefinitionSequence",
    )
    lacking = list(missing(group, needed + data))
    yield from lacking
    if lacking:
        return
    if group.WaveformOriginality not in ("ORIGINAL", "DERIVED"):
        yield Fault("unknown_word", "WaveformOriginality")
    if group.NumberOfWaveformChannels > rule.channels:
        yield Fault("channel_count", "NumberOfWaveformChannels")
    if not rule.lowest_hz <= float(group.SamplingFrequency) <= rule.highest_hz:
        yield Fault("rate_out_of_range", "SamplingFrequency")
    if rule.samples is not None and group.NumberOfWaveformSamples > rule.samples:
        yield Fault("sample_count", "NumberOfWaveformSamples")
    yield from _samples(group, rule)
    if len(group.ChannelDefinitionSequence) != group.NumberOfWaveformChannels:
        yield Fault("channel_count", "ChannelDefinitionSequence")
    for channel in group.ChannelDefinitionSequence:
        yield from _channel_faults(channel, group, rule)


def _samples(group: Dataset, rule: WaveRule) -> Iterator[Fault]:
    kind = group.WaveformSampleInterpretation
    if kind not in rule.kinds:
        yield Fault("sample_kind", "WaveformSampleInterpretation")
    width = WIDTHS.get(kind)
    if width != group.WaveformBitsAllocated:
        yield Fault("sample_width", "WaveformBitsAllocated")
    size = group.NumberOfWaveformChannels * group.NumberOfWaveformSamples * group.WaveformBitsAllocated // 8
    if len(group.WaveformData) != size + size % 2:
        yield Fault("data_length", "WaveformData")
    if group["WaveformData"].VR not in ("OW", "OB") or (
        group.WaveformBitsAllocated > 8 and group["WaveformData"].VR != "OW"
    ):
        yield Fault("data_form", "WaveformData")
    padding = group.get("WaveformPaddingValue")
    if padding is not None and len(padding) * 8 < group.WaveformBitsAllocated:
        yield Fault("data_form", "WaveformPaddingValue")


def _channel_faults(channel: Dataset, group: Dataset, rule: WaveRule) -> Iterator[Fault]:
    source = one_item(channel, "ChannelSourceSequence")
    if source is None:
        yield Fault("missing", "ChannelSourceSequence")
    elif (str(source.get("CodeValue")), str(source.get("CodingSchemeDesignator"))) not in rule.sources:
        yield Fault("unknown_source", "ChannelSourceSequence")
    if len(str(channel.get("ChannelLabel", ""))) > SHORT:
        yield Fault("too_long", "ChannelLabel")
    if not 1 <= channel.get("WaveformBitsStored", 0) <= group.WaveformBitsAllocated:
        yield Fault("sample_width", "WaveformBitsStored")
    if "ChannelSampleSkew" not in channel and "ChannelTimeSkew" not in channel:
        yield Fault("missing", "ChannelSampleSkew")
    yield from _scale(channel, needed=rule.modality == "ECG")


def _scale(channel: Dataset, *, needed: bool) -> Iterator[Fault]:
    """An ECG without all of its scale is drawn at some scale or other."""
    scale = (
        "ChannelSensitivity",
        "ChannelSensitivityUnitsSequence",
        "ChannelSensitivityCorrectionFactor",
        "ChannelBaseline",
    )
    if needed or "ChannelSensitivity" in channel:
        yield from missing(channel, scale)
        if channel.get("ChannelSensitivity") == 0:
            yield Fault("no_scale", "ChannelSensitivity")
    unit = one_item(channel, "ChannelSensitivityUnitsSequence")
    if unit is not None and unit.get("CodingSchemeDesignator") != "UCUM":
        yield Fault("unknown_unit", "ChannelSensitivityUnitsSequence")
    if needed and unit is not None and unit.get("CodeValue") not in ("uV", "mV"):
        yield Fault("unknown_unit", "ChannelSensitivityUnitsSequence")
