"""Writes `vectors.json` as a C header, so that firmware and host run the same examples.

Usage: vectors_header.py ../vectors.json build/host/vectors.h
"""

import json
import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

INSTRUMENTS = {"ecg": 1, "stethoscope": 2, "oximeter": 3}
HEAD = """/* Made from vectors.json by tools/vectors_header.py. */
#ifndef VECTORS_H
#define VECTORS_H
#include "vector_types.h"
"""


def octets(text: str) -> str:
    """Return hexadecimal digits as members of struct octets: a C string and its size."""
    data = bytes.fromhex(text)
    return '{(const uint8_t *)"' + "".join(f"\\x{byte:02x}" for byte in data) + f'", {len(data)}}}'


def decimal(number: float) -> str:
    """Return the exact decimal that `number` is written as: mantissa and exponent, without trailing zeros."""
    _, digits, exponent = Decimal(str(number)).normalize().as_tuple()
    mantissa = int("".join(map(str, digits))) * (-1 if number < 0 else 1)
    return f"{{{mantissa}, {exponent}}}"


def flag(value: bool) -> str:
    """Return a C boolean."""
    return "true" if value else "false"


def identity(fields: dict[str, Any]) -> str:
    """Return what the identity vector says as struct identity_vector without its payload."""
    channels = ", ".join(
        f'{{"{one["name"]}", "{one["unit"]}", {decimal(one["gain"])}, {decimal(one["offset"])}}}'
        for one in fields["channels"]
    )
    head = f"{INSTRUMENTS[fields['instrument']]}, {flag(fields['simulated'])}"
    counts = f"{round(fields['rate_hz'] * 1000)}u, {fields['bits']}, {len(fields['channels'])}, 1"
    texts = ", ".join(f'"{fields[name]}"' for name in ("model", "serial", "firmware"))
    described = f"{head}, {counts}, {texts}, (const struct kit_channel[]){{{channels}}}"
    return f"{fields['answers']}, {fields['major']}, {fields['minor']}, {{{described}}}"


def samples(fields: dict[str, Any]) -> str:
    """Return a samples vector, its values set after set."""
    values = [value for one_set in zip(*fields["values"], strict=True) for value in one_set]
    return (
        f"{fields['first']}u, {fields['lost']}u, {fields['count']}, {fields['channels']}, "
        f"(const int16_t[]){{{', '.join(map(str, values))}}}"
    )


def status(fields: dict[str, Any]) -> str:
    """Return a status vector as struct kit_status."""
    off = sum(1 << bit for bit in fields["off"])
    battery = 255 if fields["battery_pct"] is None else fields["battery_pct"]
    numbers = ", ".join(
        f"{fields[name]}u" for name in ("uptime_ms", "index", "lost", "dropped_frames", "bad_commands")
    )
    return f"{{{numbers}, {off}u, {battery}, {flag(fields['streaming'])}, {flag(fields['charging'])}}}"


def frame(vector: dict[str, Any]) -> str:
    """Return one vector of a whole frame."""
    head = f'"{vector["name"]}", {vector["type"]}, {vector["seq"]}'
    return f"{head}, {octets(vector['payload'])}, {octets(vector['frame'])}"


def stream(vector: dict[str, Any]) -> str:
    """Return one vector of bytes to search."""
    found = octets("".join(vector["frames"]))
    return f'"{vector["name"]}", {octets(vector["hex"])}, {found}, {vector["discarded"]}'


def to_device(vector: dict[str, Any]) -> str:
    """Return one vector of bytes to answer."""
    answers = octets("".join(vector["answers"]))
    return f'"{vector["name"]}", {octets(vector["hex"])}, {answers}, {vector["bad_commands"]}'


def answer(fields: dict[str, Any]) -> str:
    """Return an answer vector without its payload."""
    return f"{fields['command']}, {fields['answers']}, {fields['code']}"


def table(kind: str, name: str, rows: Iterable[str]) -> str:
    """Return one C array of vectors and its length."""
    body = "".join(f"    {{{row}}},\n" for row in rows)
    count = f"static const size_t {name}_COUNT = sizeof {name} / sizeof *{name};"
    return f"static const struct {kind} {name}[] = {{\n{body}}};\n{count}\n"


MESSAGES: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "identity": ("IDENTITIES", identity),
    "answer": ("ANSWERS", answer),
    "samples": ("SAMPLES", samples),
    "status": ("STATUSES", status),
}


def header(vectors: dict[str, Any]) -> str:
    """Return the whole header."""
    parts = [
        HEAD,
        table("frame_vector", "FRAMES", map(frame, vectors["frames"])),
        table("stream_vector", "STREAMS", map(stream, vectors["streams"])),
        table("device_vector", "TO_DEVICE", map(to_device, vectors["to_device"])),
    ]
    for kind, (name, fields) in MESSAGES.items():
        of_kind = [one for one in vectors["frames"] if one["name"].startswith(kind)]
        rows = [f"{octets(one['payload'])}, {fields(one['fields'])}" for one in of_kind]
        parts.append(table(f"{kind}_vector", name, rows))
    return "\n".join([*parts, "#endif\n"])


def main() -> None:
    """Read the vectors named first, write the header named second."""
    source, target = map(Path, sys.argv[1:3])
    target.write_text(header(json.loads(source.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
