"""Loaders of the developer data (../shared/data beside the project) and shared scoring."""

import csv
import lzma
import re
import sys
import wave
from collections import defaultdict
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
BEAT_CODES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 25, 30, 34, 35, 38, 41)
QUICK_STEP = 4  # with --quick one recording in four
LUDB_LEADS = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")


class Taking:
    """Which recordings the loaders give, and whether they say how far they are."""

    step = 1
    telling = False


def taken(items, what):
    """Yield those of a list that are taken, with progress on stderr where it is wanted."""
    some = list(items)[:: Taking.step]
    for count, item in enumerate(some, 1):
        if Taking.telling:
            print(f"\r   {what} {count}/{len(some)}   ", end="", file=sys.stderr, flush=True)
        yield item
    if Taking.telling:
        print("\r" + " " * 40 + "\r", end="", file=sys.stderr, flush=True)


def mitdb(channel=0):
    """Yield (record, mV [n], rate, beats, VF intervals) of every MIT-BIH record."""
    folder = DATA / "ecg" / "mitdb"
    for atr in taken(sorted(folder.glob("*.atr")), "MIT-BIH record"):
        packed = (
            np.frombuffer(lzma.decompress((folder / f"{atr.stem}.dat.xz").read_bytes()), np.uint8)
            .reshape(-1, 3)
            .astype(int)
        )
        both = np.stack([packed[:, 0] | (packed[:, 1] & 15) << 8, packed[:, 2] | (packed[:, 1] & 240) << 4])
        both[both > 2047] -= 4096
        at, code = _annotations(atr)
        starts, ends = at[code == 32], at[code == 33]
        yield (
            atr.stem,
            (both[channel, :650000] - 1024) / 200.0,
            360,
            at[np.isin(code, BEAT_CODES)],
            list(zip(starts, ends, strict=False)),
        )


def beat_codes(record):
    """Return WFDB's code of every beat of a MIT-BIH record: 1 normal, 5 ventricular premature, ..."""
    _, code = _annotations(DATA / "ecg" / "mitdb" / f"{record}.atr")
    return code[np.isin(code, BEAT_CODES)]


def _annotations(path):
    words = np.frombuffer(path.read_bytes(), "<u2").astype(int)
    now, i, at, codes = 0, 0, [], []
    while i < len(words):
        code, value = words[i] >> 10, words[i] & 0x3FF
        i += 1
        if code == value == 0:
            break
        if code == 59:
            skip = (words[i] << 16) | words[i + 1]
            now += skip - (1 << 32) if skip >= 1 << 31 else skip
            i += 2
        elif code == 63:
            i += (value + 1) // 2
        elif code not in (60, 61, 62):
            now += value
            at.append(now)
            codes.append(code)
    return np.array(at), np.array(codes)


def in_vf(at, vf, rate):
    inside = np.zeros(len(at), dtype=bool)
    for start, end in vf:
        inside |= (at >= start - 0.15 * rate) & (at <= end + 0.15 * rate)
    return inside


def with_noise(x, beats, rate, name, snr_db, seed):
    """Add noise of the stress test; SNR as defined there (QRS height squared over 8 against noise power)."""
    noise = np.load(DATA / "ecg" / "noise.npz")[name].astype(float)
    noise = noise[:, 0] if noise.ndim > 1 else noise
    noise = np.concatenate([noise - noise.mean(), (noise - noise.mean())[::-1]])
    w = int(0.05 * rate)
    heights = np.sort([np.ptp(x[max(b - w, 0) : b + w]) for b in beats[:300]])
    power = np.mean(heights[len(heights) // 20 : -max(len(heights) // 20, 1)]) ** 2 / 8
    gain = np.sqrt(power / (np.mean(noise**2) * 10 ** (snr_db / 10)))
    start = np.random.default_rng(seed).integers(len(noise))
    return x + gain * noise[(start + np.arange(len(x))) % len(noise)]


def ludb():
    """Yield (record, leads [12, n] in mV, rate, marks by (lead, "P_on" ...)) of every LUDB record.

    One unit of the files is one microvolt in every lead: the gains in the headers scale each lead to a
    height of 1 and would break the limb leads' sums.
    """
    folder = DATA / "ecg" / "ludb"
    marks = defaultdict(lambda: defaultdict(list))
    with (folder / "annotations.csv").open() as file:
        for row in csv.DictReader(file):
            for column, end in (("onset", "on"), ("peak", "peak"), ("offset", "off")):
                if row[column]:
                    marks[int(row["record"])][row["lead"], f"{row['wave']}_{end}"].append(int(row[column]))
    for record in taken(sorted(marks), "LUDB record"):
        raw = np.fromfile(folder / f"{record}.dat", "<i2").reshape(-1, 12)
        yield record, raw.T / 1000.0, 500, marks[record]


def bidmc():
    """Yield (patient, arrays) of every BIDMC recording; the pleth has 125 Hz."""
    for path in taken(sorted((DATA / "ppg" / "bidmc").glob("*.npz")), "BIDMC patient"):
        yield path.stem, np.load(path)


def oxiwear():
    """Yield (red, infrared, rate, SpO2 by the file's name)."""
    for path in sorted((DATA / "spo2" / "oxiwear").glob("*.csv")):
        rows = [line.split(",") for line in path.read_text().splitlines()]
        good = [[float(v) for v in r[5:7]] for r in rows if len(r) > 8 and re.match(r"^\d{13}\.\d+$", r[0])]
        values = np.array(good)[4:]
        if len(values) > 124:
            yield values[:, 1], values[:, 0], 64, int(path.name.split("-")[1])


def sounds(folder):
    """Yield (path, sound in -1..1, rate) of every wav file of a folder of pcg/."""
    for path in taken(sorted((DATA / "pcg" / folder).glob("*.wav")), f"{Path(folder).name} sound"):
        with wave.open(str(path)) as file:
            raw = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            yield path, raw / 32768.0, file.getframerate()


def matched(reference, found, within):
    """Return (pairs, missed, extra): one-to-one, closest first."""
    pairs, missed, extra, i, j = [], 0, 0, 0, 0
    reference, found = np.asarray(reference, float), np.sort(np.asarray(found, float))
    while i < len(reference) and j < len(found):
        off = found[j] - reference[i]
        if abs(off) > within:
            i, j, missed, extra = (i, j + 1, missed, extra + 1) if off < 0 else (i + 1, j, missed + 1, extra)
            continue
        nearer = j + 1 < len(found) and abs(found[j + 1] - reference[i]) < abs(off)
        if nearer and (
            i + 1 >= len(reference) or abs(found[j + 1] - reference[i + 1]) > abs(found[j + 1] - reference[i])
        ):
            j, extra = j + 1, extra + 1
            continue
        later = i + 1 < len(reference) and abs(found[j] - reference[i + 1]) < abs(off)
        if later and (
            j + 1 >= len(found) or abs(found[j + 1] - reference[i + 1]) > abs(found[j] - reference[i + 1])
        ):
            i, missed = i + 1, missed + 1
            continue
        pairs.append((i, j))
        i, j = i + 1, j + 1
    return pairs, missed + len(reference) - i, extra + len(found) - j


def f1(hits, missed, extra):
    return 2 * hits / max(2 * hits + missed + extra, 1)
