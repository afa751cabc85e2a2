"""Streams of one device need not begin together: each waveform tells when it did."""

from dataclasses import replace

import numpy as np
import pytest
from study_examples import visit

from chevet.devices.samples import Channel
from chevet.study.bundle import pack, unpack
from chevet.study.cbor import decode, encode
from chevet.study.codec import encode_waveform
from chevet.study.errors import BundleError
from chevet.study.layers import open_waveforms
from chevet.study.recording import Waveform
from chevet.study.rows import waveform_row

LEAD = Waveform((Channel("II", "mV", 250.0, 0.002),), np.arange(500, dtype=np.int16)[None])


def part(*later_s: float) -> bytes:
    rows = [waveform_row(replace(LEAD, later_s=one)) for one in later_s]
    return encode([[row, encode_waveform(LEAD.values, 250.0)] for row in rows])


def test_a_waveform_comes_back_with_its_beginning() -> None:
    found = open_waveforms(part(0.0, 0.153, -1.5))
    assert [one.later_s for one in found] == [0.0, 0.153, -1.5]


def test_nothing_is_said_of_one_that_begins_with_its_recording() -> None:
    row = waveform_row(LEAD)
    assert row == [[["II", "mV", 250.0, 0.002, 0.0]], 500, []]
    assert waveform_row(replace(LEAD, later_s=0.5))[0] == [["II", "mV", 250.0, 0.002, 0.0, 0.5]]


def test_a_whole_visit_keeps_it() -> None:
    study = visit()
    first = study.recordings[0]
    waves = (*first.waveforms[:1], replace(LEAD, later_s=0.25))
    changed = replace(study, recordings=(replace(first, waveforms=waves), *study.recordings[1:]))
    back = unpack(pack(changed)).recordings[0].waveforms
    assert [one.later_s for one in back] == [0.0, 0.25]


@pytest.mark.parametrize("wrong", ["0.5", None, 1e9, -1e9, float("nan"), [1]])
def test_a_beginning_that_cannot_be_is_refused(wrong: object) -> None:
    rows = decode(part(0.5))
    assert isinstance(rows, list)
    rows[0][0][0][0][5] = wrong
    with pytest.raises(BundleError, match="wrong_type"):
        open_waveforms(encode(rows))
