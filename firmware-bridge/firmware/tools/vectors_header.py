"""Writes `vectors.json` as a C header, so that firmware and host run the same examples.

Usage: vectors_header.py ../vectors.json build/host/vectors.h
"""

import json
import sys
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
    texts = ", ".join(f'"{fields[name]}"' for name in ("model", "serial", "firmware"))
    return (
        f"{fields['answers']}, {fields['major']}, {fields['minor']}, "
        f"{{{INSTRUMENTS[fields['instrument']]}, {flag(fields['simulated'])}, {round(fields['rate_hz'] * 1000)}u, "
        f"{fields['bits']}, {len(fields['channels'])}, 1, {texts}, (const struct kit_channel[]){{{channels}}}}}"
    )


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


def table(kind: str, name: str, rows: list[str]) -> str:
    """Return one C array of vectors and its length."""
    body = "".join(f"    {{{row}}},\n" for row in rows)
    return f"static const struct {kind} {name}[] = {{\n{body}}};\nstatic const size_t {name}_COUNT = {len(rows)};\n"


def header(vectors: dict[str, Any]) -> str:
    """Return the whole header."""
    frames = vectors["frames"]

    def of(kind: str) -> list[dict[str, Any]]:
        return [one for one in frames if one["name"].startswith(kind)]

    answers = [
        f"{octets(one['payload'])}, {one['fields']['command']}, {one['fields']['answers']}, {one['fields']['code']}"
        for one in of("answer")
    ]
    return HEAD + "\n".join(
        [
            table(
                "frame_vector",
                "FRAMES",
                [
                    f'"{one["name"]}", {one["type"]}, {one["seq"]}, {octets(one["payload"])}, {octets(one["frame"])}'
                    for one in frames
                ],
            ),
            table(
                "stream_vector",
                "STREAMS",
                [
                    f'"{one["name"]}", {octets(one["hex"])}, {octets("".join(one["frames"]))}, {one["discarded"]}'
                    for one in vectors["streams"]
                ],
            ),
            table(
                "device_vector",
                "TO_DEVICE",
                [
                    f'"{one["name"]}", {octets(one["hex"])}, {octets("".join(one["answers"]))}, {one["bad_commands"]}'
                    for one in vectors["to_device"]
                ],
            ),
            table(
                "identity_vector",
                "IDENTITIES",
                [f"{octets(one['payload'])}, {identity(one['fields'])}" for one in of("identity")],
            ),
            table("answer_vector", "ANSWERS", answers),
            table(
                "samples_vector",
                "SAMPLES",
                [f"{octets(one['payload'])}, {samples(one['fields'])}" for one in of("samples")],
            ),
            table(
                "status_vector",
                "STATUSES",
                [f"{octets(one['payload'])}, {status(one['fields'])}" for one in of("status")],
            ),
            "#endif\n",
        ]
    )


def main() -> None:
    """Read the vectors named first, write the header named second."""
    source, target = map(Path, sys.argv[1:3])
    target.write_text(header(json.loads(source.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
