"""A reader of EDF+ and BDF+ by their specification, discontinuous files too, which EDFlib refuses."""

import re
from dataclasses import dataclass
from datetime import datetime

import numpy as np

FIELDS = (("label", 16), ("transducer", 80), ("unit", 8), ("low", 8), ("high", 8), ("digital_low", 8))
FIELDS = (*FIELDS, ("digital_high", 8), ("filters", 80), ("length", 8), ("reserved", 32))
LIST = re.compile(rb"([+-][\d.]+)(?:\x15([\d.]+))?\x14([^\0]*)\x14\0")


@dataclass
class Edf:
    kind: str
    patient: str
    origin: str
    began: datetime
    record_s: float
    signals: list[dict[str, str]]
    lengths: list[int]
    starts: list[float]
    values: np.ndarray  # [channels, records, length]
    notes: list[tuple[float, float, str]]

    def placed(self, rate_hz, samples):
        """Every sample where it was taken, and where anything was, by time stamps and annotations alone."""
        began = min([*self.starts, *(onset for onset, _, text in self.notes if text.startswith("gap"))])
        values = np.zeros((self.values.shape[0], samples), np.int64)
        there = np.zeros(samples, bool)
        for number, start in enumerate(self.starts):
            at = round((start - began) * rate_hz)
            block = self.values[:, number, : samples - at]
            values[:, at : at + block.shape[1]] = block
            there[at : at + block.shape[1]] = True
        for onset, seconds, _ in self.notes:
            if seconds:
                at = round((onset - began) * rate_hz)
                there[at : at + round(seconds * rate_hz)] = False
        return values, there


def read_edf(data):
    width = 3 if data[0] == 0xFF else 2
    text = data[8:256].decode("ascii")
    count = int(text[244:248])
    signals, at = [{} for _ in range(count)], 256
    for name, size in FIELDS:
        for one in signals:
            one[name] = data[at : at + size].decode("ascii").strip()
            at += size
    lengths = [int(one["length"]) for one in signals]
    records = int(text[228:236])
    assert at == int(text[176:184])
    assert len(data) == at + records * sum(lengths) * width
    rows, starts, notes = [], [], []
    for _ in range(records):
        row = []
        for length in lengths[:-1]:
            raw = np.frombuffer(data, np.uint8, length * width, at).reshape(-1, width)
            padded = np.zeros((length, 4), np.uint8)
            padded[:, 4 - width :] = raw
            row.append(padded.view("<i4")[:, 0] >> (32 - 8 * width))
            at += length * width
        lists = LIST.findall(data[at : at + lengths[-1] * width])
        at += lengths[-1] * width
        starts.append(float(lists[0][0]))
        assert lists[0][1:] == (b"", b"")
        notes += [(float(onset), float(span or 0), words.decode()) for onset, span, words in lists[1:]]
        rows.append(row)
    return Edf(
        kind=text[184:228].strip(),
        patient=text[:80].strip(),
        origin=text[80:160].strip(),
        began=datetime.strptime(text[160:176], "%d.%m.%y%H.%M.%S"),
        record_s=float(text[236:244]),
        signals=signals,
        lengths=lengths,
        starts=starts,
        values=np.array(rows).transpose(1, 0, 2),
        notes=notes,
    )
