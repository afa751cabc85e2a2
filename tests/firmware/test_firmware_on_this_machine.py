"""The firmware's core, compiled for this machine, with sanitizers."""

import subprocess
import sys

import pytest
from firmware_core import FIRMWARE


def test_the_core_keeps_the_specification_under_sanitizers(gcc):
    folder = gcc("CC=gcc", "host-test")
    said = subprocess.run([folder / "host" / "tests"], capture_output=True, text=True, check=True).stdout
    assert said.count("as specified") == 9


def test_random_input_breaks_nothing(gcc):
    folder = gcc("CC=gcc", "CLANG=", "fuzz", "FUZZ_SECONDS=0")
    fuzzer = [folder / "host" / "fuzz_random", "1", "20261"]
    said = subprocess.run(fuzzer, capture_output=True, text=True, check=True).stdout
    assert int(said.split()[0]) > 50
    assert "seed 20261" in said


def test_the_vectors_header_holds_every_vector(tmp_path):
    source, target = FIRMWARE.parent / "vectors.json", tmp_path / "vectors.h"
    tool = FIRMWARE / "tools" / "vectors_header.py"
    subprocess.run([sys.executable, tool, source, target], check=True)
    text = target.read_text()
    assert '"identity_gain_and_offset"' in text
    assert "{488, -5}, {-125, -1}" in text
    assert '"false_start_given_up_when_quiet"' in text


@pytest.mark.parametrize("word", ["malloc", "printf", "memcpy(", "float ", "double "])
def test_the_core_allocates_nothing_and_needs_no_library(word):
    sources = [*(FIRMWARE / "core").glob("*.c"), *(FIRMWARE / "fronts").glob("*.c")]
    assert sources
    assert [path.name for path in sources if word in path.read_text()] == []
