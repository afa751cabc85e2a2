"""The firmware's core, compiled for this machine, with sanitizers."""

import shutil
import subprocess
import sys

import pytest
from firmware_core import FIRMWARE


def fuzzer_builds(folder):
    """Say whether there is a clang here that brings libFuzzer: Debian packs its runtime apart."""
    source = folder / "empty.c"
    source.write_text(
        "int LLVMFuzzerTestOneInput(const unsigned char *at, unsigned long size);\n"
        "int LLVMFuzzerTestOneInput(const unsigned char *at, unsigned long size)\n"
        "{ return at != 0 && size > 9; }\n"
    )
    if shutil.which("clang") is None or shutil.which("make") is None:
        return False
    words = ["clang", "-fsanitize=fuzzer,address,undefined", source, "-o", folder / "empty"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


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


def test_a_fuzzer_guided_by_coverage_breaks_nothing(build, tmp_path):
    if not fuzzer_builds(tmp_path):
        pytest.skip("clang with libFuzzer is missing: sudo apt install clang libclang-rt-14-dev")
    folder = build("fuzz", "FUZZ_SECONDS=1")
    words = [folder / "host" / "fuzz_libfuzzer", "-max_total_time=8", "-max_len=4096", "-print_final_stats=1"]
    done = subprocess.run([*words, folder / "corpus"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stderr.split("number_of_executed_units:")[1].split()[0]) > 500


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
