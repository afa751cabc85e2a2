"""The waveform codec read slowly, one sample after the other, by section 3 of docs/formats.md alone.

A second reader that shares no line with the first: what both read alike is what the page says.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

Numbers = list[int]


def read_waveform(blob: bytes) -> list[Numbers]:
    """Return the channels of a blob of version 3 or 4."""
    magic, flags, channels, count = struct.unpack_from("<4sBBI", blob)
    bits = {b"CVW\x03": 16, b"CVW\x04": 32}[magic]
    rows: list[Numbers] = [[] for _ in range(channels)]
    at = 10
    frames = -(-channels * count // (1 << 19))
    while frames and len(rows[0]) < count:
        (size,) = struct.unpack_from("<I", blob, at)
        length = min(-(-count // frames), count - len(rows[0]))
        for row, more in zip(rows, Frame(blob[at + 4 : at + 4 + size], channels, length).rows(), strict=True):
            row += more
        at += 4 + size
    if flags & 1:
        add_limb_leads(rows, flags >> 1, bits)
    return rows


def add_limb_leads(rows: list[Numbers], rounding: int, bits: int) -> None:
    """Add what I and II say to III, aVR, aVL and aVF."""

    def half(x: int) -> int:
        return [x // 2, int(x / 2), round(x / 2)][rounding]  # down, toward zero, half to even

    def wrapped(x: int) -> int:
        return (x + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)

    for place, (one, two) in enumerate(zip(rows[0], rows[1], strict=True)):
        limb = two - one, half(-one - two), half(2 * one - two), half(2 * two - one)
        for row, value in zip(rows[2:6], limb, strict=True):
            row[place] = wrapped(row[place] + wrapped(value))


class Frame:
    """One frame: its head, the list beside the samples, and what prediction left."""

    def __init__(self, data: bytes, channels: int, count: int) -> None:
        self.channels, self.count = channels, count
        *self.reach, self.places, numbers, size = struct.unpack_from("<BBBBBBHII", data)
        self.side = iter(read_numbers(data[16 : 16 + size], [0] * numbers))
        self.data = data[16 + size :]

    def take(self, count: int) -> Numbers:
        return [next(self.side) for _ in range(count)]

    def rows(self) -> list[Numbers]:
        """Return the rows of the frame."""
        levels = []
        for _ in range(self.channels):
            lowest, step, gaps = self.take(3)
            levels.append((lowest, step, self.take(gaps)))
        moving, places = self.reach[0], self.places
        ranks = iter(self.ranks(moving, places) if moving else [])
        return [self.values(*level, ranks) for level in levels]

    def values(self, lowest: int, step: int, gaps: Numbers, ranks: Iterator[Numbers]) -> Numbers:
        if not step:
            return [lowest] * self.count
        used = [0, *accumulate(gaps)]
        return [lowest + step * (used[rank] if gaps else rank) for rank in next(ranks)]

    def ranks(self, moving: int, places: int) -> list[Numbers]:
        _, own, above, back, ahead, scale = self.reach
        taps = own + above * (back + ahead)
        steps, shifts = self.take(moving * places), self.take(moving * places)
        every = [self.take(moving * places) for _ in range(taps)]
        length = -(-self.count // places)
        rest = read_numbers(self.data, [shift for shift in shifts for _ in range(length)])
        rows: list[Numbers] = [[] for _ in range(moving)]
        for place in range(places):
            laid: list[Numbers] = []
            for row in range(moving):
                weights = [tap[place * moving + row] for tap in every]
                lines = [laid[row - up] if row >= up else [] for up in range(1, above + 1)]
                first = (row * places + place) * length
                laid.append(
                    predicted(rest[first : first + length], weights, lines, (own, back, ahead, scale))
                )
                start = sum(steps[row * places : row * places + place + 1])
                rows[row] += [value + start for value in laid[-1]]
        return [row[: self.count] for row in rows]


def predicted(rest: Numbers, weights: Numbers, lines: list[Numbers], reach: tuple[int, ...]) -> Numbers:
    """Return the samples of one segment of one row from what was left of them."""
    own, back, ahead, scale = reach
    line: Numbers = []
    for at, left in enumerate(rest):
        around = [line[t] if t >= 0 else 0 for t in range(at - own, at)]
        for above in lines:
            times = range(at - back + 1, at + ahead + 1)
            around += [above[t] if 0 <= t < len(above) else 0 for t in times]
        total = sum(weight * value for weight, value in zip(weights, around, strict=True))
        line.append(((total + (1 << scale) // 2) >> scale) + left)
    return line


def read_numbers(data: bytes, shifts: Numbers) -> Numbers:
    """Return as many numbers as there are shifts."""
    size, pace, before, length = struct.unpack_from("<HBII", data)
    tokens = read_tokens(data[11 : 11 + length], len(shifts), size, before, pace)
    bits = int.from_bytes(data[11 + length :], "big")
    left = 8 * len(data[11 + length :])
    numbers = []
    for token, shift in zip(tokens, shifts, strict=True):
        lowest, extra = magnitude(token)
        left -= extra + shift
        low = bits >> left & ((1 << extra + shift) - 1)
        upper = lowest + (low >> shift)
        numbers.append(((-upper if token & 1 else upper) << shift) + (low & ((1 << shift) - 1)))
    return numbers


def magnitude(token: int) -> tuple[int, int]:
    """Return the least magnitude of a token and how many bits follow it."""
    half = (token + 1) // 2
    if half < 32:
        return half, 0
    octave, eighth = divmod(half - 32, 8)
    return (8 + eighth) << (octave + 2), octave + 2


def read_tokens(data: bytes, count: int, size: int, before: int, pace: int) -> Numbers:
    lanes = max(1, min(count // 512, 8), min(count // 2048, 256))
    steps = -(-count // lanes)
    states = list(struct.unpack_from(f"<{lanes}I", data))
    words = iter(struct.unpack_from(f"<{(len(data) - 4 * lanes) // 2}H", data, 4 * lanes))
    seen = [[before] * (16 << pace) for _ in range(lanes)]
    told: list[Numbers] = [[] for _ in range(lanes)]
    counts = [first_counts(table)[:size] for table in range(44)]
    learnt, met = 0, []
    for step in range(steps):
        if step == learnt:  # 0, 1, 2, 4, 8, 16, 32, and every 32 steps
            for table, token in met:
                counts[table][token] += 32
            starts = [frequencies(row) for row in counts]
            learnt, met = step + min(max(step, 1), 32), []
        for lane in range(lanes):
            table = table_after(seen[lane], pace)
            slot = states[lane] % 32768
            token = bisect_right(starts[table], slot) - 1
            first, after = starts[table][token : token + 2]
            states[lane] = (after - first) * (states[lane] // 32768) + slot - first
            met.append((table, token))
            told[lane].append(token)
            lowest, extra = magnitude(token)
            seen[lane].append(lowest + (1 << extra) // 2)
        for lane in range(lanes):
            if states[lane] < 65536:
                states[lane] = states[lane] * 65536 + next(words)
    return [token for lane in told for token in lane][:count]


def table_after(seen: Numbers, pace: int) -> int:
    short, middle, long = (sum(seen[-(many << pace) :]) for many in (1, 4, 16))
    total = ((8 * short + 2 * middle + long) >> pace) + 8
    return min(4 * (total.bit_length() - 4) + (total >> total.bit_length() - 3) - 4, 43)


def first_counts(table: int) -> Numbers:
    spread = max(((4 + table % 4) << (table // 4 + 1)) * 9 // 8 - 6, 3)
    weights = []
    for token in range(495):
        lowest, extra = magnitude(token)
        middle = 32 * (2 * lowest + (1 << extra) - 1) // 2
        weights.append((10 * spread**2) ** 4 * 2 ** (extra + 24) // (10 * spread**2 + middle**2) ** 4)
    whole = sum(weights)
    return [8192 * weight // whole + 1 for weight in weights]


def frequencies(counts: Numbers) -> Numbers:
    """Return where the frequencies of each token begin, and where the last ends."""
    whole = sum(counts)
    shares = [count * (32768 - len(counts)) // whole + 1 for count in counts]
    shares[counts.index(max(counts))] += 32768 - sum(shares)
    return [0, *accumulate(shares)]
