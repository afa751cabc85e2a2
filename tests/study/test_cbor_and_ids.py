"""The strict CBOR reader and the identifiers."""

import uuid

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.study.cbor import MAX_DEPTH, Row, decode, decode_head, encode
from chevet.study.errors import BundleError
from chevet.study.ids import from_wire, to_wire, uuid7

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 64), (1 << 64) - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=20)
    | st.text(max_size=20)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def depth(value) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((depth(item) for item in inner), default=0)


@settings(max_examples=100)
@given(values.filter(lambda value: depth(value) <= MAX_DEPTH), st.binary(max_size=5))
def test_what_is_written_is_read(value, tail):
    assert decode(encode(value)) == value
    assert decode_head(encode(value) + tail) == (value, tail)


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data):
    try:
        value = decode(data)
    except BundleError as error:
        assert error.reason == "malformed"  # noqa: PT017 - either outcome is right
    else:
        assert depth(value) <= MAX_DEPTH


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01\x02",  # a second value
        cbor2.dumps(cbor2.CBORTag(35, "a")),  # a tag
        b"\x9f\x01\xff",  # indefinite length
        b"\x9b" + b"\xff" * 8,  # 2**64 items
        b"\x5b\x00\x00\x01" + b"\x00" * 5,  # a terabyte
        b"\x81" * 10_000,  # nested beyond reason
        b"\xa1" * 10_000,  # a map as the key of a map, without end
        b"\x62\xff\xfe",  # not UTF-8
        b"\xa2\x61a\x01\x61a\x02",  # a key twice
        b"\xa1\x01\x02",  # a key that is no text
        b"\xf7",  # undefined
        b"\x1c",  # reserved
    ],
)
def test_what_we_never_write_is_refused(data):
    with pytest.raises(BundleError, match="malformed"):
        decode(data)


def test_a_row_gives_fields_of_their_type_only():
    row = Row(["a", b"b", 3, 4.5, None, True, [["x"], ["y"]], ["p", "q"], {"k": "v"}, uuid.UUID(int=5).bytes])
    assert (row.text(), row.data(1), row.whole(), row.number(), row.number_or_none(), row.flag()) == (
        *("a", b"b", 3, 4.5, None, True),
    )
    assert [item.text() for item in row.rows()] == ["x", "y"]
    assert row.texts() == ("p", "q")
    assert row.words() == {"k": "v"}
    assert row.ident() == str(uuid.UUID(int=5))
    row.end()
    with pytest.raises(BundleError):
        row.any()


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (Row.text, b"x"),
        (Row.data, "x"),
        (lambda row: row.data(3), b"xx"),
        (Row.ident, b"short"),
        (Row.whole, True),
        (Row.whole, -1),
        (Row.whole, 1.0),
        (Row.number, None),
        (Row.number, float("inf")),
        (Row.number, float("nan")),
        (Row.number, True),
        (Row.flag, 1),
        (Row.items, "x"),
        (Row.rows, ["x"]),
        (Row.texts, [1]),
        (Row.words, {"a": 1}),
        (Row.words, []),
        (Row.end, 1),
    ],
)
def test_a_field_of_another_type_is_refused(read, value):
    with pytest.raises(BundleError, match="wrong_type"):
        read(Row([value]))


def test_a_row_is_an_array():
    with pytest.raises(BundleError, match="wrong_type"):
        Row({"a": 1})


@given(st.integers(0, (1 << 48) - 1), st.binary(min_size=10, max_size=10))
def test_an_id_is_a_uuid_of_version_7_that_holds_its_time(unix_ms, random):
    made = uuid.UUID(uuid7(unix_ms, random))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == unix_ms
    assert from_wire(made.bytes) == str(made)


def test_ids_sort_by_time():
    assert uuid7(1, b"\xff" * 10) < uuid7(2, b"\0" * 10)


@pytest.mark.parametrize(("unix_ms", "random"), [(-1, b"0" * 10), (1 << 48, b"0" * 10), (0, b"0" * 9)])
def test_what_does_not_fit_an_id_is_refused(unix_ms, random):
    with pytest.raises(ValueError, match="must"):
        uuid7(unix_ms, random)


@given(st.uuids().map(str) | st.text(max_size=40))
def test_an_id_comes_back_from_the_wire_as_it_was(text):
    wire = to_wire(text)
    assert (from_wire(wire) if isinstance(wire, bytes) else wire) == text
