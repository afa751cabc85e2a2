"""The summary's own spelling: decimals, columns, and what it refuses."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_examples import demonstrated, visit

from chevet.study.cbor import Row, decode, encode
from chevet.study.decimals import column, decimal, from_decimal, read_column, to_decimal
from chevet.study.errors import BundleError
from chevet.study.summary import read_summary, write_summary
from chevet.study.words import DICTIONARY_2


def inflated() -> list:
    return decode(zlib.decompressobj(-15, DICTIONARY_2).decompress(write_summary(demonstrated())[1:]))


def written(row: list) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, DICTIONARY_2)
    return b"\x02" + deflate.compress(encode(row)) + deflate.flush()


@given(st.floats(allow_nan=False, allow_infinity=False) | st.decimals(-9999, 9999, places=3).map(float))
def test_every_number_survives_to_its_sign_bit(value):
    assert repr(from_decimal(decode(encode(to_decimal(value))))) == repr(value)


@pytest.mark.parametrize(
    ("value", "size"), [(0.695, 3), (10.0, 2), (0.001, 1), (-0.05, 1), (374.0, 3), (1e-7, 9)]
)
def test_numbers_that_were_decimal_are_short(value, size):
    assert len(encode(to_decimal(value))) == size


@pytest.mark.parametrize("value", [True, "1", b"", [], 1 << 54, -(1 << 54), float("inf")])
def test_what_is_no_decimal_is_refused(value):
    with pytest.raises(BundleError, match="wrong_type"):
        from_decimal(value)


def test_nothing_is_no_number_where_one_must_stand():
    assert from_decimal(to_decimal(None)) is None
    with pytest.raises(BundleError, match="wrong_type"):
        decimal(Row([None]))


@given(st.lists(st.integers(0, 2) | st.booleans() | st.text(max_size=1), max_size=5))
def test_columns_survive_with_their_types(values):
    back = read_column(Row([column(values)]), len(values))
    assert [(type(item), item) for item in back] == [(type(item), item) for item in values]


def test_a_column_of_another_length_is_refused():
    with pytest.raises(BundleError, match="wrong_type"):
        read_column(Row([[1, 2, 3]]), 2)


def test_both_spellings_of_a_summary_are_found_again():
    assert (
        read_summary(written(inflated())).recordings[0].measurements
        == demonstrated().recordings[0].measurements
    )


def broken(path: tuple[int, ...], value) -> list:
    row = inflated()
    inner = row
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return row


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ((1, 0), 7, "wrong_type"),  # a reason that is no text
        ((1,), ["a"] * 5, "wrong_type"),
        ((3, 2), 1961.5, "wrong_type"),  # half a year of birth
        ((4, 1), 1 << 60, "wrong_type"),  # before 1970
        ((5, 0, 2), 4, "wrong_type"),  # an unknown flag
        ((5, 0, 11, 0, 6), [4990, 20], "gap_outside"),
        ((5, 0, 11, 0, 6), [-1, 2], "wrong_type"),
        ((5, 3, 12, 3), [8], "wrong_type"),  # the best of eight is the ninth
        ((5, 0, 14, 3), [1], "wrong_type"),  # one value for many drafts
        ((5, 1, 0), b"\0" * 15, "wrong_type"),
        ((6, 4), [9, 5, "", "", ""], "wrong_type"),  # of a recording that is not there
        ((6, 4), [True, 5, "", "", ""], "wrong_type"),
    ],
)
def test_a_summary_that_cannot_be_is_refused(path, value, reason):
    with pytest.raises(BundleError, match=reason):
        read_summary(written(broken(path, value)))


def test_a_field_too_many_is_refused_everywhere():
    paths = [
        (0,),
        (2,),
        (3,),
        (4,),
        (5, 0),
        (5, 0, 8),
        (5, 0, 11, 0),
        (5, 3, 12),
        (5, 5, 13),
        (5, 0, 14),
        (6,),
    ]
    for path in paths:
        row = inflated()
        inner = row
        for step in path:
            inner = inner[step]
        inner += ["more"] * (2 if path == (5, 0) else 1) if path != (5, 0, 11, 0) else [4, "more"]
        with pytest.raises(BundleError, match="wrong_type"):
            read_summary(written(row))


def test_one_recording_cannot_come_twice():
    row = inflated()
    row[5][1] = row[5][0]
    with pytest.raises(BundleError, match="duplicate_recording"):
        read_summary(written(row))


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\x03" + write_summary(visit())[1:], write_summary(visit())[:-9]]
)
def test_other_versions_and_torn_summaries_are_refused(data):
    with pytest.raises(BundleError, match="summary_"):
        read_summary(data)
