"""Messages on the wire, receipts that bear a name, and topics without patients."""

import pytest
from exchange_fakes import OTHER_KEY, RELAY_KEY
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.exchange import topics
from chevet.exchange.errors import Refused
from chevet.exchange.manifest import CHUNK
from chevet.exchange.messages import (
    MAX_MESSAGE,
    MAX_QUERY,
    MAX_RUN,
    Chunk,
    Complete,
    Have,
    ManifestMessage,
    Nack,
    Query,
    Status,
    for_sender,
    read,
    sign_complete,
    sign_nack,
    sign_status,
    verified,
    write,
)

tids = st.binary(min_size=8, max_size=8)
digests = st.binary(min_size=32, max_size=32)
signatures = st.binary(min_size=64, max_size=64)
ids = st.uuids().map(str)
anything = st.one_of(
    st.builds(ManifestMessage, st.binary(max_size=50)),
    st.builds(
        Chunk, tids, st.integers(0, 65535), st.integers(0, 2**32 - 1), st.binary(min_size=1, max_size=50)
    ),
    st.builds(
        Query,
        st.integers(1, 2**32),
        st.lists(tids, max_size=4).map(tuple),
        st.lists(ids, max_size=3).map(tuple),
    ),
    st.builds(
        Have, tids, st.integers(0, 9), st.booleans(), st.lists(st.binary(max_size=4), max_size=3).map(tuple)
    ),
    st.builds(Complete, tids, ids, digests, signatures),
    st.builds(Nack, tids, digests, st.text(max_size=9), signatures),
    st.builds(Status, ids, st.sampled_from(["opened", "answered"]), st.integers(0, 1 << 44), signatures),
)


@settings(max_examples=150)
@given(anything)
def test_every_message_survives(message):
    data = write(message)
    assert read(data) == message
    assert for_sender(data) == isinstance(message, Have | Complete | Nack | Status)


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_message_or_refused(data):
    try:
        message = read(data)
    except Refused as refused:
        assert refused.reason == "malformed"  # noqa: PT017 - either outcome is right
        assert not for_sender(data)
    else:
        assert read(write(message)) == message


@settings(max_examples=100)
@given(anything, st.data())
def test_a_message_cut_anywhere_is_refused_or_a_shorter_chunk(message, data):
    raw = write(message)
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    try:
        assert isinstance(read(cut), Chunk)
    except Refused:
        return


@pytest.mark.parametrize(
    "data",
    [
        write(Query(1, tuple([b"t" * 8] * (MAX_QUERY + 1)))),
        write(Query(1, (), tuple(["x"] * (MAX_QUERY + 1)))),
        write(Chunk(b"t" * 8, 0, 0, b"x" * (CHUNK * MAX_RUN + 1))),
        b"\x01\x01" + write(Chunk(b"t" * 8, 0, 0, b"x"))[2:],  # a flag nobody knows
        write(Status("a", "closed", 1, bytes(64))),
        b"\x82\x18\x63\x00",  # kind 99
        bytes(MAX_MESSAGE + 1),
    ],
)
def test_more_than_the_protocol_allows_is_refused(data):
    with pytest.raises(Refused, match="malformed"):
        read(data)


def test_a_message_of_several_chunks_falls_into_them():
    data = bytes(range(256)) * 16 * 2 + b"end"
    assert Chunk(b"t" * 8, 1, 5, data).pieces() == [(5, data[:4096]), (6, data[4096:8192]), (7, b"end")]


def test_receipts_are_verified_against_the_other_end():
    tid, digest = b"t" * 8, b"d" * 32
    for receipt in (
        sign_complete(tid, "id", digest, RELAY_KEY),
        sign_nack(tid, digest, "bad_hash", RELAY_KEY),
        sign_status("id", "opened", 5, RELAY_KEY),
    ):
        assert verified(read(write(receipt)), RELAY_KEY.public_key())
        assert not verified(receipt, OTHER_KEY.public_key())
    with pytest.raises(ValueError, match="opened"):
        sign_status("id", "closed", 5, RELAY_KEY)


def test_one_receipt_cannot_be_replayed_as_another():
    complete = sign_complete(b"t" * 8, "id", b"d" * 32, RELAY_KEY)
    for other in (
        Complete(b"u" * 8, "id", b"d" * 32, complete.signature),
        Complete(b"t" * 8, "ie", b"d" * 32, complete.signature),
        Nack(b"t" * 8, b"d" * 32, "id", complete.signature),
    ):
        assert not verified(other, RELAY_KEY.public_key())


def test_topics_hold_the_site_and_nothing_else():
    assert topics.up("abc", "b") == "t/1/abc/u/b"
    assert topics.down("abc", "r") == "t/1/abc/d/r"
    assert topics.all_up("a") == "t/1/+/u/a"
    assert topics.all_up("a", "relay") == "$share/relay/t/1/+/u/a"
    assert topics.parse("t/1/abc/u/b") == ("abc", "u", "b")
    assert topics.parse("t/1/abc/d/q") == ("abc", "d", "q")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "t/1/abc/u",
        "t/2/abc/u/a",
        "t/1/ABC/u/a",
        "t/1/abcdefg/u/a",
        "t/1/+/u/a",
        "t/1/abc/u/r",
        "t/1/abc/x/a",
    ],
)
def test_other_topics_are_refused(topic):
    with pytest.raises(Refused, match="unknown_topic"):
        topics.parse(topic)


@pytest.mark.parametrize(
    ("site", "lane"), [("", "a"), ("Fatima", "a"), ("abc", "z"), ("a/b", "a"), ("+", "a")]
)
def test_a_topic_is_never_built_from_anything_else(site, lane):
    with pytest.raises(ValueError, match="site code"):
        topics.up(site, lane)
    with pytest.raises(ValueError, match="site code"):
        topics.down(site, lane)
