"""The worked bytes of docs/formats.md are what the code writes."""

import re
from pathlib import Path

import pytest

from chevet.exchange.messages import Chunk, Have, Query, read, write
from chevet.exchange.receiver import bitmap

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
TID = bytes.fromhex("0011223344556677")


@pytest.mark.parametrize(
    "message",
    [
        Chunk(TID, 1, 2, bytes.fromhex("abcd")),
        Query(3, (TID,)),
        Have(TID, 3, True, (bitmap(set(range(10)), 12),)),
    ],
)
def test_the_page_shows_what_is_sent(message):
    worked = {run.replace(" ", "") for run in re.findall(r"`([0-9a-f ]{20,})`", PAGE)}
    data = write(message)
    assert data.hex() in worked
    assert read(data) == message
