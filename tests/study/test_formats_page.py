"""docs/formats.md, read by a stranger: parts decoded here by the page alone, without the room's code."""

import hashlib
import io
import struct
import uuid
import zlib

import cbor2
import numpy as np
import soundfile as sf
from codec_plain import read_waveform
from study_examples import ecg, visit

from chevet.study.bundle import content_hash, pack, write_part
from chevet.study.codec import decode_waveform, encode_flac, encode_waveform
from chevet.study.codec_limb import without_limb_leads
from chevet.study.preview import read_preview
from chevet.study.words import DICTIONARY_1, DICTIONARY_2

BUNDLE = pack(visit())


def part_of(layer: int, kind: str):
    return next(part for part in BUNDLE.parts if (part.layer, part.kind) == (layer, kind))


def decimal(value):
    return value if isinstance(value, float) else (value >> 2) / 10 ** (value & 3)


def test_the_summary_reads_as_described():
    data = part_of(0, "summary").data
    assert data[0] == 2
    row = cbor2.loads(zlib.decompressobj(-15, DICTIONARY_2).decompress(data[1:]))
    ids, words, closed, patient, consent, recordings, vitals, notes = row
    assert str(uuid.UUID(bytes=ids[0])) == visit().id
    assert (ids[1], patient[1], words[5]) == ("tinm01", "Fatima Exemple", "HTEST")
    assert consent[0] == ["care", "teaching"]
    assert closed[0] - consent[1] == visit().consent.given_ms
    assert (decimal(closed[2]), closed[3]) == (12345.678, "synchronised")
    assert [item[3] for item in recordings] == [item.step for item in visit().recordings]
    first, given = recordings[0], visit().recordings[0]
    assert int.from_bytes(first[0][:6], "big") - first[1] == given.started_ms
    names, unit, rate, gain, offset, count, gaps = first[11][0]
    assert (names[5], unit, decimal(rate), decimal(gain), decimal(offset)) == ("aVF", "mV", 500.0, 0.001, 0.0)
    assert (count, gaps) == (5000, [1000, 25])
    assert [decimal(value) for value in first[14][3][:2]] == [71.0, 412.5]
    assert first[14][1:3] == [["/min", "ms", "ms"], ["median beat", "Fridericia", "median beat"]]
    assert recordings[3][12][1:] == ["image/jpeg", [0, 61], [1]]
    assert [decimal(value) for value in vitals[3]] == [item.value for item in visit().vitals]
    assert vitals[4] == [5, 5, "", "", ""]
    assert closed[0] - vitals[5][2] == visit().vitals[2].at_ms
    assert notes == {"red_flags": "none"}


def test_the_dictionaries_never_change_within_their_versions():
    assert hashlib.sha256(DICTIONARY_1).hexdigest()[:16] == "5390a49daf54a8d1"
    assert hashlib.sha256(DICTIONARY_2).hexdigest()[:16] == "62b1854004062b68"


def test_lossless_leads_read_as_described():
    ((channels, count, gaps), blob) = cbor2.loads(part_of(3, "waveform").data)[0]
    magic, flags, rows, samples = struct.unpack_from("<4sBBI", blob)
    assert (magic, flags, rows, samples) == (b"CVW\x03", 1, 12, count)
    assert gaps == [[1000, 25]]
    assert channels[0] == ["I", "mV", 500.0, 0.001, 0.0]
    (size,) = struct.unpack_from("<I", blob, 10)
    assert len(blob) == 14 + size, "one frame"
    moving, own, above, back, ahead, scale, places, numbers, side = struct.unpack_from("<BBBBBBHII", blob, 14)
    assert (moving, own, above, back, ahead, scale, places) == (8, 16, 7, 2, 1, 12, 1)
    assert numbers >= 12 * 3 + 8 * (2 + own + above * (back + ahead))
    assert side < size
    few = ecg()[:, :300]
    assert read_waveform(encode_waveform(few, 500.0)) == few.tolist()


def test_lossless_leads_in_flac_read_as_described():
    blob = encode_flac(without_limb_leads(ecg())[1], 500.0, 1)
    magic, flags, rows, samples = struct.unpack_from("<4sBBI", blob)
    assert (magic, rows, samples) == (b"CVW\x01", 12, 5000)
    at, streams = 10, []
    while at < len(blob):
        (size,) = struct.unpack_from("<I", blob, at)
        streams.append(sf.read(io.BytesIO(blob[at + 4 : at + 4 + size]), dtype="int16", always_2d=True)[0].T)
        at += 4 + size
    stored = np.concatenate(streams).astype(np.int32)
    assert flags == 1
    assert not stored[2:6].any(), "leads that follow travel as zeros"
    one, two = stored[:2]
    stored[2:6] += [two - one, (-one - two) // 2, (2 * one - two) // 2, (2 * two - one) // 2]
    assert np.array_equal(stored, ecg())
    assert np.array_equal(decode_waveform(blob), ecg())


class Bits:
    """The range coder of section 4, from the page."""

    def __init__(self, data: bytes) -> None:
        self.data = iter(data + bytes(8))
        self.range, self.code = (1 << 32) - 1, int.from_bytes(bytes(next(self.data) for _ in range(4)), "big")
        self.models = {}

    def settled(self, bit: int) -> int:
        while self.range < 1 << 24:
            self.range, self.code = self.range << 8, self.code << 8 | next(self.data)
        return bit

    def modelled(self, *name: object) -> int:
        quick, slow = self.models.get(name, (32768, 32768))
        bound = (self.range >> 16) * ((quick + slow) >> 1)
        bit = int(self.code < bound)
        if bit:
            self.range = bound
            self.models[name] = quick + ((65536 - quick) >> 4), slow + ((65536 - slow) >> 7)
        else:
            self.code, self.range = self.code - bound, self.range - bound
            self.models[name] = quick - (quick >> 4), slow - (slow >> 7)
        return self.settled(bit)

    def plain(self) -> int:
        self.range >>= 1
        bit = int(self.code >= self.range)
        self.code -= bit * self.range
        return self.settled(bit)

    def coefficient(self, kind: int, context: int) -> int:
        if not self.modelled("Z", kind, context):
            return 0
        sign = -1 if self.plain() else 1
        for j in range(13):
            if not self.modelled("M", context, min(j, 7)):
                return sign * (1 + j)
        zeros = 0
        while not self.plain():
            zeros += 1
        number = 1
        for _ in range(zeros):
            number = number << 1 | self.plain()
        return sign * (14 + number - 1)


def joined(even: list, odd: list, count: int) -> list:
    def at(row: list, place: int) -> float:
        return row[min(max(place, 0), len(row) - 1)]

    even, odd = [x / 1.149604398860241 for x in even], [x * 1.149604398860241 for x in odd]
    for down, up in ((0.443506852043971, 0.882911075530934), (-0.052980118572961, -1.586134342059924)):
        even = [x - down * (at(odd, i - 1) + at(odd, i)) for i, x in enumerate(even)]
        odd = [x - up * (at(even, i) + at(even, i + 1)) for i, x in enumerate(odd)]
    return [(odd if i % 2 else even)[i // 2] for i in range(count)]


def test_previews_read_as_described():
    part = part_of(1, "waveform")
    version, (channels, count, _), stored, packed = cbor2.loads(part.data)
    assert (version, len(stored), count, channels[1][2]) == (2, 8, 2500, 250.0)
    sizes = []
    lengths = [count]
    for _ in range(5):
        sizes.insert(0, lengths[-1] // 2)
        lengths.append(lengths[-1] - sizes[0])
    sizes.insert(0, lengths.pop())
    bits, bands = Bits(packed), []
    for place, size in enumerate(sizes):
        rows: list[list[int]] = []
        for row in range(len(stored)):
            values: list[int] = []

            def seen(i: int, up: int, rows=rows, values=values, row=row) -> int:
                line = values if not up else rows[row - up] if row >= up else []
                return abs(line[i]) if 0 <= i < len(line) else 0

            for i in range(size):
                total = 4 * seen(i - 1, 0) + 2 * seen(i - 2, 0) + seen(i, 2)
                total += 2 * seen(i, 1) + seen(i - 1, 1) + seen(i + 1, 1)
                if place > 1:
                    below = bands[-1][row]
                    total += 2 * abs(below[min(i // 2, len(below) - 1)])
                context = sum(total >= edge for edge in (1, 2, 3, 5, 8, 12, 20, 40, 80))
                values.append(bits.coefficient(min(place, 2), context))
            rows.append(values)
        bands.append(rows)
    lead_two = bands[0][1]
    for rows, size in zip(bands[1:], reversed(lengths), strict=True):
        lead_two = joined(lead_two, rows[1], size)
    assert channels[1][0] == "II"
    assert read_preview(part.data).values[1].tolist() == [round(8 * value) for value in lead_two]


def test_the_plain_form_and_the_content_hash_are_as_described():
    part = part_of(2, "picture")
    head = cbor2.dumps([part.kind, part.media_type, uuid.UUID(part.recording).bytes, part.index])
    assert write_part(part) == head + part.data
    ident = uuid.UUID(BUNDLE.id).bytes
    rows = [ident, "study", ident]
    for item in BUNDLE.parts:
        recording = uuid.UUID(item.recording).bytes if item.recording else ""
        digest = hashlib.sha256(item.data).digest()
        rows.append([item.oid, item.layer, item.kind, item.media_type, recording, item.index, digest])
    assert content_hash(BUNDLE) == hashlib.sha256(cbor2.dumps(rows)).hexdigest()
