"""The parser families that are fuzzed, what each is given, and what it may answer.

The first byte of an input chooses the parser within its family. The rest is a script for drivers
(fuzz_contract.py), or bytes for readers, which may refuse them with their documented error and nothing else.
"""

import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_contract import Subject, cutting_changes_nothing, keeps_its_promises

from chevet.bridge.frame import Frame, FrameDecoder, encode
from chevet.bridge.tape import read_tape
from chevet.devices import kit_messages
from chevet.devices.crc8 import crc8, crc8_maxim
from chevet.devices.driver import DRIVERS
from chevet.devices.ecg_files import read_ecg_file
from chevet.devices.errors import BrokenPayload
from chevet.devices.gatt import uuid
from chevet.exchange import manifest, messages, topics
from chevet.exchange.errors import Refused
from chevet.study import case, cbor, codec, codec_frame, codec_numbers, layers, preview, summary
from chevet.study.bundle import Bundle, Part, read_part, unpack
from chevet.study.errors import BundleError

PAGE = (Path(__file__).parents[2] / "docs" / "instruments.md").read_text()
CUTS = 0x80
"""Bit of the first byte: not the whole contract, but that cutting changes nothing."""
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


@dataclass(frozen=True, slots=True)
class Reader:
    """A function on bytes: its name, how it is called, the errors it documents."""

    name: str
    read: Callable[[bytes], Any]
    refuses: tuple[type[Exception], ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """Parsers that are fuzzed together."""

    name: str
    parsers: tuple[Subject | Reader, ...]

    def chosen(self, data: bytes) -> Subject | Reader:
        """Return the parser that an input is for."""
        return self.parsers[(data[0] & ~CUTS) % len(self.parsers)]

    def run(self, data: bytes) -> None:
        """Give one input to the parser that its first byte chooses.

        Raises:
            AssertionError: the parser broke its contract; so does anything else that comes out.
        """
        if not data:
            return
        parser, rest = self.chosen(data), data[1:]
        if isinstance(parser, Subject):
            hold = cutting_changes_nothing if parser.streams and data[0] & CUTS else keeps_its_promises
            hold(parser, rest)
            return
        try:
            parser.read(rest)
        except parser.refuses:
            return


def _sources(name: str) -> tuple[str, ...]:
    """Return where the packets of a driver come from, by the link that docs/instruments.md names."""
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
    found = [
        one
        for row in rows
        for part in re.findall(r"(?:notify|read)=([0-9a-f,-]+)", row)
        for one in part.split(",")
    ]
    return tuple(dict.fromkeys(one if len(one) > 4 else uuid(int(one, 16)) for one in found))[:12] or ("",)


def _kit_frame(data: bytes) -> bytes:
    return encode(Frame(*data[:2].ljust(2, b"\0"), data[2:]))


def _sum_after(data: bytes, size: int) -> bytes:
    head = data[: size - 1].ljust(size - 1, b"\x80")
    return head + bytes((sum(head) & 0xFF,))


def _polled(start: int, head: int, data: bytes) -> bytes:
    """Return a reply as Viatom's devices frame it: `start` command ~command ... length data crc8."""
    code = data[0] if data else 0
    fixed = bytes((start, code, code ^ 0xFF)).ljust(head - 2, b"\0")
    frame = fixed + len(data[1:]).to_bytes(2, "little") + data[1:]
    return frame + bytes((crc8(frame),))


def _pc60(data: bytes) -> bytes:
    body = data[1:60]
    frame = b"\xaa\x55" + bytes((data[0] if data else 0x0F, len(body) + 1)) + body
    return frame + bytes((crc8_maxim(frame),))


SEALS: dict[str, Callable[[bytes], bytes]] = {
    "kit-ecg": _kit_frame,
    "kit-stethoscope": _kit_frame,
    "kit-oximeter": _kit_frame,
    "nonin-df2": partial(_sum_after, size=5),
    "nonin-df7": partial(_sum_after, size=5),
    "viatom-o2ring": partial(_polled, 0x55, 7),
    "er1": partial(_polled, 0xA5, 7),
    "pc60fw": _pc60,
}
STREAMS = {
    "nonin-df2", "nonin-df7", "nonin-df8", "nonin-ascii", "masimo-ascii", "ad8232", "healthypi-v3",
    "healthypi-v4", "ads1298", "berrymed", "pc60fw",
}  # fmt: skip
"""These stream by themselves, so cutting can be compared from the first byte on.

Not those with two ways of speaking: in a mixture of both, which no device sends, a cut decides who is heard.
"""


def _drivers(*names: str) -> tuple[Subject, ...]:
    return tuple(
        Subject(name, DRIVERS[name], _sources(name), SEALS.get(name), name in STREAMS) for name in names
    )


def _downloading(name: str) -> Callable[[], Any]:
    def make() -> Any:
        driver: Any = DRIVERS[name]()
        driver.start()
        driver.ask_stored()
        driver.start = lambda: b""  # the question must survive the contract's own start
        return driver

    return make


# The kit's frames, and what stands in them.


def _frames(data: bytes) -> None:
    whole, cut = FrameDecoder(), FrameDecoder()
    found = whole.feed(data)
    assert [frame for at in range(len(data)) for frame in cut.feed(data[at : at + 1])] == found
    assert whole.pending == cut.pending <= 1031
    found += whole.expire()
    assert whole.pending == 0
    inside = sum(8 + len(frame.payload) for frame in found)
    assert whole.discarded + inside == len(data), "every byte is in a frame or discarded"
    assert all(encode(frame) in data for frame in found)


def _payload(data: bytes) -> None:
    parse = (
        kit_messages.parse_identity,
        kit_messages.parse_answer,
        kit_messages.parse_samples,
        kit_messages.parse_status,
    )
    if data:
        parse[data[0] % 4](data[1:])


# Files.


def _ecg_file(data: bytes) -> None:
    read = read_ecg_file(data)
    assert read.values.shape[0] == len(read.channels)
    assert read.values.shape == read.measured.shape
    assert read.values.size <= 64 * len(data), "more samples than the file can hold"
    assert all(np.isfinite((one.gain, one.offset, one.rate_hz)).all() for one in read.channels)


def _tape(data: bytes) -> None:
    records = list(read_tape(io.BytesIO(data)))
    assert sum(len(one.data) for one in records) <= len(data)


# What travels between box and relay.


def _cbor(data: bytes) -> None:
    again = cbor.encode(cbor.decode(data))
    assert cbor.encode(cbor.decode(again)) == again  # bytes, not values: a NaN inside equals nothing


def _deflated_summary(data: bytes) -> None:
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, summary.DICTIONARY)
    summary.read_shapes(bytes((summary.VERSION,)) + deflate.compress(data) + deflate.flush())


def _waveform(data: bytes) -> None:
    channels, count = codec.declared_shape(data)
    if channels * count <= 1 << 16:  # larger ones take memory by right, and the fuzzer's time
        assert codec.decode_waveform(data).shape == (channels, count)


def _frame(data: bytes) -> None:
    data = data.ljust(3, b"\0")
    rows, count = 1 + data[0] % 16, 1 + int.from_bytes(data[1:3], "little") % 4096
    assert codec_frame.read_frame(data[3:], (rows, count)).shape == (rows, count)


def _numbers(data: bytes) -> None:
    data = data.ljust(3, b"\0")
    shifts = np.full(int.from_bytes(data[:2], "little") % 4096, data[2] % 33)
    assert codec_numbers.read_numbers(data[3:], shifts).shape == shifts.shape


def _parts(kind: str, data: bytes) -> None:
    unpack_one = {"study": unpack, "opinion": case.unpack_opinion, "message": case.unpack_message}[kind]
    unpack_one(Bundle(ID, kind, ID, (Part(0, 0, "summary" if kind == "study" else kind, "", "", data),)))  # type: ignore[operator]


def _message(data: bytes) -> None:
    messages.for_sender(data)
    assert messages.read(messages.write(said := messages.read(data))) == said


def _topic(data: bytes) -> None:
    topics.parse(data.decode("latin-1"))


BROKEN, BUNDLE, REFUSED = (BrokenPayload,), (BundleError,), (Refused,)
STUDY = (
    Reader("cbor", _cbor, BUNDLE),
    Reader("summary", summary.read_shapes, BUNDLE),
    Reader("summary inside", _deflated_summary, BUNDLE),
    Reader("preview", preview.read_preview, BUNDLE),
    Reader("waveform", _waveform, BUNDLE),
    Reader("waveforms", layers.open_waveforms, BUNDLE),
    Reader("readings", layers.open_readings, BUNDLE),
    Reader("part", partial(read_part, 0, 0), BUNDLE),
    Reader("study", partial(_parts, "study"), BUNDLE),
    Reader("opinion", partial(_parts, "opinion"), BUNDLE),
    Reader("message", partial(_parts, "message"), BUNDLE),
)
CODEC = (
    Reader("blob", _waveform, BUNDLE),
    Reader("frame", _frame, BUNDLE),
    Reader("numbers", _numbers, BUNDLE),
)
EXCHANGE = (
    Reader("message", _message, REFUSED),
    Reader("manifest", manifest.read_manifest, REFUSED),
    Reader("signed manifest", manifest.split, REFUSED),
    Reader("topic", _topic, REFUSED),
)
NAMED = {
    "kit": ("kit-ecg", "kit-stethoscope", "kit-oximeter"),
    "nonin": ("nonin-df2", "nonin-df7", "nonin-df8", "nonin-df13"),
    "contec": ("contec-cms50-v1", "contec-cms50-v2"),
    "printed": ("masimo-ascii", "nonin-ascii", "ad8232"),
    "ble-oximeters": ("nonin-ble", "berrymed", "viatom-o2ring", "pc60fw"),
    "services": ("plx", "blood-pressure", "thermometer", "glucose", "weight-scale", "battery"),
    "straps": ("polar-h10", "heart-rate", "movesense", "er1"),
    "openview": ("healthypi-v3", "healthypi-v4", "healthypi-v5"),
    "boards": ("ads1292r", "ads1298", "cyton", "ganglion", "bitalino", "chords"),
}
"""Drivers by family; those not named here are fuzzed as "others"."""
MORE: dict[str, tuple[Subject | Reader, ...]] = {
    "kit": (Reader("frames", _frames), Reader("payloads", _payload, BROKEN)),
    "contec": tuple(Subject(f"{name} stored", _downloading(name)) for name in NAMED["contec"]),
    "others": (Reader("tape", _tape, (ValueError,)),),
}
OTHERS = sorted(set(DRIVERS) - {name for names in NAMED.values() for name in names})
FAMILIES = {
    name: Family(name, _drivers(*names) + MORE.get(name, ()))
    for name, names in {**NAMED, "others": tuple(OTHERS)}.items()
} | {
    "ecg-files": Family("ecg-files", (Reader("file", _ecg_file, BROKEN),)),
    "study": Family("study", STUDY),
    "codec": Family("codec", CODEC),
    "exchange": Family("exchange", EXCHANGE),
}
