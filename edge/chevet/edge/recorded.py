"""From a journal to the recording that travels: exact samples, gaps as data, the stills worth keeping."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from chevet.devices.samples import Channel, Event, Notice, Picture, Reading, SampleBlock, Samples
from chevet.edge.journal import Journal
from chevet.edge.main_stream import belongs
from chevet.study.recording import (
    Gap,
    Measurement,
    QualityMark,
    Recording,
    StoredPicture,
    Waveform,
    exact_samples,
)

STILLS_AT_MOST = 8
CANDIDATES_A_STILL = 5  # decoding every frame of a long clip would keep a Pi busy for seconds
LONGEST_GAP_S = 600.0
"""A larger jump of the device's counter is a device that restarted, not a gap that could be filled."""

_FIRST_S = 60.0  # later blocks may follow a restart of the counter


@dataclass(frozen=True, slots=True)
class Judged:
    """What was worked out once when a capture ended and is remembered beside its journal.

    Attributes:
        quality: over the whole recording.
        measurements: drafts.
        stills: indices of the kept pictures among the journal's pictures.
        best: index into `stills` of the one to show first, or None.
    """

    quality: QualityMark
    measurements: tuple[Measurement, ...] = ()
    stills: tuple[int, ...] = ()
    best: int | None = None


def waveforms(journal: Journal) -> tuple[Waveform, ...]:
    """Lay the blocks of each stream in place; where samples are missing zeros stand in and a Gap says so.

    The stream that the examination is about comes first, whichever was first to arrive; the others tell how
    much later than it they began.

    Raises:
        ValueError: a sample does not fit into 32 bits.
    """
    found = [
        Waveform(channels, exact_samples(values), gaps)
        for channels, values, gaps in streams(
            journal.events, journal.opening.seconds, from_zero=journal.source is not None
        )
    ]
    step = journal.opening.step
    found.sort(key=lambda one: (belongs(step, one.channels), one.values.size), reverse=True)
    if len(found) < 2 or journal.source is not None:  # in a file all streams share sample 0
        return tuple(found)
    began = [_began(journal, one.channels) for one in found]
    return tuple(replace(one, later_s=round(at - began[0], 4)) for one, at in zip(found, began, strict=True))


def _began(journal: Journal, channels: tuple[Channel, ...]) -> float:
    """Host time of a stream's first sample, by the blocks of its first minute.

    Streams of one device have a counter each, so their clocks are laid together by when their blocks came:
    the block that was least under way tells when its stream began.
    """
    blocks = [
        event
        for event in journal.events
        if isinstance(event, SampleBlock) and event.channels == channels and event.values.shape[1]
    ]
    rate_hz, base = channels[0].rate_hz, blocks[0].first
    return min(
        float(block.at - (block.first - base + block.values.shape[1]) / rate_hz)
        for block in blocks
        if 0 <= block.first - base <= _FIRST_S * rate_hz
    )


def streams(
    events: Iterable[Event], seconds: float, *, from_zero: bool = False
) -> Iterator[tuple[tuple[Channel, ...], Samples, tuple[Gap, ...]]]:
    """Lay the blocks of each stream in place, as wide as the device's samples are.

    Yields:
        Channels, their integers [channels, samples] of at most `seconds` (0: all), and the gaps in them. They
        begin with the first sample that came or, `from_zero`, with the sample 0 that all of a file share.
    """
    found: dict[tuple[Channel, ...], list[SampleBlock]] = {}
    for event in events:
        if isinstance(event, SampleBlock) and event.values.shape[1]:
            found.setdefault(event.channels, []).append(event)
    for channels, blocks in found.items():
        base = 0 if from_zero else blocks[0].first
        yield (channels, *_laid(channels, blocks, seconds, base))


def _laid(
    channels: tuple[Channel, ...], blocks: Sequence[SampleBlock], seconds: float, base: int
) -> tuple[Samples, tuple[Gap, ...]]:
    rate_hz = channels[0].rate_hz
    usable = _before_restart(blocks, rate_hz)
    length = usable[-1].first + usable[-1].values.shape[1] - base
    asked = round(seconds * rate_hz) if seconds else length
    length = min(length, asked)
    width = np.result_type(*{block.values.dtype for block in usable})
    values: Samples = np.zeros((len(channels), length), width)
    arrived = np.zeros(length, np.bool_)
    for block in usable:
        start = block.first - base
        stop = min(start + block.values.shape[1], length)
        if start < stop:
            values[:, start:stop] = block.values[:, : stop - start]
            arrived[start:stop] = True
    return values, _gaps(arrived)


def _before_restart(blocks: Sequence[SampleBlock], rate_hz: float) -> list[SampleBlock]:
    """Drop what follows a restart of the device's counter and samples sent twice."""
    kept = [blocks[0]]
    for block in blocks[1:]:
        expected = kept[-1].first + kept[-1].values.shape[1]
        if not expected <= block.first <= expected + LONGEST_GAP_S * rate_hz:
            break
        kept.append(block)
    return kept


def _gaps(arrived: NDArray[np.bool_]) -> tuple[Gap, ...]:
    edges = np.flatnonzero(np.diff(np.concatenate(([True], arrived, [True])).astype(np.int8)))
    return tuple(Gap(int(first), int(after - first)) for first, after in edges.reshape(-1, 2))


def physical(waveform: Waveform) -> NDArray[np.float64]:
    """Return float64 [channels, samples] in physical units, NaN where nothing arrived."""
    gain = np.array([[channel.gain] for channel in waveform.channels])
    offset = np.array([[channel.offset] for channel in waveform.channels])
    values: NDArray[np.float64] = waveform.values * gain + offset
    for gap in waveform.gaps:
        values[:, gap.first : gap.first + gap.count] = np.nan
    return values


def decode(picture: Picture, *, small: bool = False) -> NDArray[np.uint8] | None:
    """Return uint8 [height, width, 3] RGB, or None where the camera's bytes are no image.

    `small` halves a JPEG's sides while decoding, four times faster: enough to rank frames of one clip.
    """
    try:
        with Image.open(io.BytesIO(picture.data)) as image:
            if small:
                image.draft("RGB", (image.width // 2, image.height // 2))
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def choose_stills(
    pictures: Sequence[Picture],
    sharpness: Callable[[NDArray[np.uint8]], float],
    best_frame: Callable[[Sequence[NDArray[np.uint8]]], int],
    wanted: Sequence[Sequence[int]] = (),
) -> tuple[tuple[int, ...], int | None]:
    """Choose at most 8 stills: those asked for, then the sharpest of each part of the capture; and the best.

    Args:
        pictures: of the capture, in order.
        sharpness: of one image, as the signals have it.
        best_frame: of several images.
        wanted: for each press of the snapshot button the pictures it may have meant. One of each is kept
            (of the last 8), and the best is one of these.

    Returns:
        Indices into `pictures`, ascending, and the index into those of the best, or None without pictures.
    """
    asked = {found for group in wanted[-STILLS_AT_MOST:] for found in _sharpest(pictures, group, sharpness)}
    chosen = set(asked)
    for part in np.array_split(np.arange(len(pictures)), STILLS_AT_MOST):
        if len(chosen) < STILLS_AT_MOST and not chosen & set(part.tolist()):
            chosen |= set(_sharpest(pictures, part.tolist(), sharpness))
    whole = [(index, decode(pictures[index])) for index in sorted(chosen)]
    images = {index: image for index, image in whole if image is not None}
    stills = tuple(images)
    if not stills:
        return (), None
    among = [index for index in stills if index in asked] or list(stills)
    return stills, stills.index(among[best_frame([images[index] for index in among])])


def _sharpest(
    pictures: Sequence[Picture], group: Sequence[int], sharpness: Callable[[NDArray[np.uint8]], float]
) -> tuple[int, ...]:
    """Return the sharpest of some spread over `group`, nothing where none can be decoded."""
    if not group:
        return ()
    spread = np.unique(np.linspace(0, len(group) - 1, CANDIDATES_A_STILL).astype(int))
    small = [(group[place], decode(pictures[group[place]], small=True)) for place in spread]
    scored = [(sharpness(image), index) for index, image in small if image is not None]
    return (max(scored)[1],) if scored else ()


def pictures_of(journal: Journal) -> list[Picture]:
    """Return the journal's pictures in order."""
    return [event for event in journal.events if isinstance(event, Picture)]


def readings_of(journal: Journal) -> tuple[Reading, ...]:
    """Return the journal's readings in order, their times counted from the recording's start."""
    start = journal.opening.started_at
    return tuple(
        Reading(event.kind, event.value, event.unit, round(event.at - start, 3), event.status)
        for event in journal.events
        if isinstance(event, Reading)
    )


def device_words(journal: Journal) -> dict[str, str]:
    """Return what is known of the device, with its true rate as "measured_hz" where it claimed another."""
    words = dict(journal.opening.identity)
    for event in journal.events:
        if isinstance(event, Notice) and event.code == "rate_wrong":
            told = dict(part.split("=", 1) for part in event.detail.split(";") if "=" in part)
            if event.on and "measured" in told:
                words["measured_hz"] = told["measured"]
            elif not event.on:
                words.pop("measured_hz", None)
    return words


def to_recording(journal: Journal, judged: Judged, *, poor: bool) -> Recording:
    """Build the recording that travels.

    Raises:
        ValueError: a sample does not fit into 32 bits.
    """
    opening = journal.opening
    laid = waveforms(journal)
    pictures = pictures_of(journal)
    stills = tuple(
        StoredPicture(
            pictures[index].data,
            pictures[index].media_type,
            round(pictures[index].at - opening.started_at, 3),
            best=place == judged.best,
        )
        for place, index in enumerate(judged.stills)
    )
    return Recording(
        id=opening.capture,
        step=opening.step,
        driver=opening.driver,
        link=opening.link,
        started_ms=opening.started_ms,
        duration_s=_duration(journal, laid),
        quality=judged.quality,
        site=opening.site,
        side=opening.side,
        device=device_words(journal),
        lost_samples=sum(gap.count for waveform in laid for gap in waveform.gaps),
        waveforms=laid,
        pictures=stills,
        readings=readings_of(journal),
        measurements=judged.measurements,
        accepted_poor=poor,
        simulated=opening.simulated,
        source=journal.source,
    )


def _duration(journal: Journal, laid: tuple[Waveform, ...]) -> float:
    if laid:
        return round(max(float(w.values.shape[1] / w.channels[0].rate_hz) for w in laid), 3)
    if not journal.events:
        return 0.0
    return round(max(journal.events[-1].at - journal.opening.started_at, 0.0), 3)
