"""First inputs for readers of files and messages: worked vectors, and what our own writers write."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import exchange_fakes
import numpy as np
import study_examples
import test_case
import test_ecg_files

from chevet.bridge.tape import MAGIC, TapeRecord, encode_record
from chevet.exchange import messages
from chevet.sim.twins.cart_scp import Record, standard_table, write_scp
from chevet.study import cbor, summary
from chevet.study.bundle import pack, write_part
from chevet.study.case import pack_message, pack_opinion
from chevet.study.codec import encode_flac, encode_waveform
from chevet.study.codec_frame import write_frame
from chevet.study.codec_numbers import write_numbers

VECTORS = Path(__file__).resolve().parents[2] / "firmware-bridge" / "vectors.json"


def written(family: str, reader: str) -> Iterator[bytes]:
    """Yield whole inputs for one reader of a family; none where there is nothing to begin with."""
    yield from _WRITERS.get(family, dict)().get(reader, ())


def _kit() -> dict[str, list[bytes]]:
    vectors = json.loads(VECTORS.read_text())
    frames = [bytes.fromhex(one["frame"]) for one in vectors["frames"]]
    streams = [bytes.fromhex(one["hex"]) for one in vectors["streams"]]
    to_host = [one for one in vectors["frames"] if 0x81 <= one["type"] <= 0x84]
    payloads = [bytes((one["type"] - 0x81,)) + bytes.fromhex(one["payload"]) for one in to_host]
    return {"frames": frames + streams, "payloads": payloads}


def _others() -> dict[str, list[bytes]]:
    roll = [TapeRecord(0.0, False, b"hello"), TapeRecord(0.05, True, b"start", "2a5f")]
    return {"tape": [MAGIC + b"".join(map(encode_record, roll))]}


def _ecg_files() -> dict[str, list[bytes]]:
    rows = [test_ecg_files.flat(2248, 2148, 2000 + number) for number in range(9)]
    forms = [
        test_ecg_files.Dicom(explicit=explicit, undefined=undefined)
        for explicit in (True, False)
        for undefined in (True, False)
    ]
    leads = np.array([[0, 1, -1, 2, 100, -300, 0, 5], [3, 1, 4, 1, 5, 9, 2, 6]])
    scp = [
        write_scp(Record(("I", "V2"), leads, order=order, table=table))
        for order in (0, 2)
        for table in (None, standard_table())
    ]
    return {"file": [test_ecg_files.contec(rows), *map(test_ecg_files.ecg, forms), *scp]}


def _study() -> dict[str, list[bytes]]:
    parts = pack(_short_visit()).parts
    head = parts[0].data
    plain = summary._inflate(head)
    opinion, message = (
        pack_opinion(test_case.OPINION).parts[0].data,
        pack_message(test_case.MESSAGE).parts[0].data,
    )
    waves = [part for part in parts if part.kind == "waveform"]
    return {
        "cbor": [plain, opinion, cbor.encode([1, -2, 2.5, None, True, "a", b"b"])],
        "summary": [head],
        "summary inside": [plain],
        "study": [head],
        "preview": [part.data for part in waves if part.layer == 1],
        "waveforms": [part.data for part in waves if part.layer == 3],
        "waveform": [
            encode_waveform(study_examples.ecg(0.2), 500.0),
            encode_waveform(study_examples.heart_sound(0.1)[:1], 4000.0),
        ],
        "readings": [part.data for part in parts if part.kind == "readings"],
        "part": [write_part(part)[:200] for part in parts],
        "opinion": [opinion],
        "message": [message],
    }


def _short_visit() -> study_examples.Study:
    """Return a visit of one short ECG and the oximeter's readings: the rest is slow to pack and long."""
    recording = study_examples.ecg_recording()
    short = replace(recording.waveforms[0], values=study_examples.ecg()[:, :100], gaps=())
    recordings = (replace(recording, waveforms=(short,)), study_examples.oximetry_recording())
    return replace(study_examples.visit(), recordings=recordings)


def _codec() -> dict[str, list[bytes]]:
    leads, sound = study_examples.ecg(0.2), study_examples.heart_sound(0.1)
    wide = leads.astype(np.int32) * 20_011
    few = np.random.default_rng(1).choice([-900, -30, 0, 7, 2000], (2, 150))
    still = np.array([[5] * 40, [7] * 40])
    frames = [leads[:3, :90], sound[:, :300], wide[6:8], few, still, np.append(few[:, :40], still, axis=0)]
    numbers = np.append(np.arange(-60, 60), [5000, -(1 << 31), 1 << 31])
    return {
        "blob": [
            *(encode_waveform(one, 500.0) for one in (leads, sound, wide, few.astype(np.int16))),
            *(encode_flac(one, 500.0) for one in (leads[:2, :50], wide[:2, :50] << 3)),
        ],
        "frame": [
            bytes((len(one) - 1,))
            + (one.shape[1] - 1).to_bytes(2, "little")
            + write_frame(one.astype(np.int64))
            for one in frames
        ],
        "numbers": [
            len(numbers).to_bytes(2, "little")
            + bytes((shift,))
            + write_numbers(numbers << shift, np.full_like(numbers, shift), shift)
            for shift in range(3)
        ],
    }


def _exchange() -> dict[str, list[bytes]]:
    sealed = exchange_fakes.sealed(exchange_fakes.bundle(1))
    tid, ident, digest, key = bytes(range(8)), sealed.id, bytes(range(32)), exchange_fakes.RELAY_KEY
    said: list[messages.Talk] = [
        messages.ManifestMessage(sealed.manifest[:300]),
        messages.Chunk(tid, 1, 2, b"abcd"),
        messages.Query(3, (tid,), (ident,)),
        messages.Have(tid, 9, True, (b"\xff\x03",)),
        messages.sign_complete(tid, ident, digest, key),
        messages.sign_nack(tid, digest, "malformed", key),
        messages.sign_status(ident, "opened", 1_790_000_000_000, key),
    ]
    return {
        "message": [messages.write(one) for one in said],
        "manifest": [sealed.manifest],
        "signed manifest": [sealed.manifest],
        "topic": [b"t/1/abc/u/a", b"t/1/abc/d/r"],
    }


_WRITERS = {
    "kit": _kit,
    "others": _others,
    "ecg-files": _ecg_files,
    "study": _study,
    "codec": _codec,
    "exchange": _exchange,
}
