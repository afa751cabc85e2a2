"""The same study gives the same bytes: in another process, whatever its hash seed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from study_examples import demonstrated, visit

from chevet.study.bundle import content_hash, pack, unpack

TOLD = """
import sys
sys.path.insert(0, {folder!r})
from study_examples import visit
from chevet.study.bundle import content_hash, pack
print(content_hash(pack(visit())))
"""


@pytest.mark.parametrize("seed", ["0", "4242"])
def test_another_process_packs_the_same_bytes(seed):
    program = TOLD.format(folder=str(Path(__file__).parent))
    told = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed},
        check=True, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert told.stdout.strip() == content_hash(pack(visit()))


def test_packing_what_was_unpacked_changes_nothing():
    bundle = pack(demonstrated())
    assert pack(unpack(bundle)) == bundle
