"""What the gate reads of MQTT: packets cut at any place, rights by name, and no bytes that do harm."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from chevet.exchange.tls import RELAY_LIVE_NAME, RELAY_NAME
from chevet.relay.gate.packets import (
    LARGEST,
    Frames,
    Malformed,
    publish_topic,
    read_connect,
    subscribe_filters,
    write_connect,
)
from chevet.relay.gate.rights import NotAllowed, Rights

V311, V5 = MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5
LOGIN = ("gate", b"secret")


def properties(kind, **values):
    found = Properties(kind)
    for name, value in values.items():
        setattr(found, name, value)
    return found


def packets_of(version, act):
    """What a real client writes: paho's own packets, taken before they reach a socket."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="edge-x", protocol=version)
    sent = []
    client._packet_queue = lambda _command, packet, *_rest: sent.append(bytes(packet)) or 0
    client._sock = object()  # or it would not write a PUBLISH
    act(client)
    client._sock = None
    return sent


def connect(version, will="", username=""):
    def act(client):
        if will:
            client.will_set(will, b"gone", qos=1)
        if username:
            client.username_pw_set(username, "own")
        client._connect_properties = properties(PacketTypes.CONNECT, SessionExpiryInterval=60)
        client._send_connect(15)

    return packets_of(version, act)[0]


def publish(version, topic, qos=1, **more):
    known = properties(PacketTypes.PUBLISH, **more) if version is V5 else None
    name = topic.encode()
    return packets_of(version, lambda c: c._send_publish(7, name, b"payload", qos, properties=known))[0]


def subscribe(version, *topics):
    options = [(topic.encode(), 1) for topic in topics]
    if version is V5:
        from paho.mqtt.subscribeoptions import SubscribeOptions

        options = [(topic.encode(), SubscribeOptions(qos=1)) for topic in topics]
    return packets_of(version, lambda c: c._send_subscribe(False, options))[0]


def let_in(name, version=V5):
    rights = Rights(name, LOGIN)
    rights.judge(connect(version))
    return rights


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=400), max_size=6), st.data())
def test_packets_come_out_whole_wherever_the_stream_is_cut(bodies, data):
    whole = [b"\x30" + _length(len(body)) + body for body in bodies]
    stream, frames, found = b"".join(whole), Frames(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += frames.feed(stream[:size])
        stream = stream[size:]
    assert found == whole


def _length(size):
    low, high = size % 128, size // 128
    return bytes((low | 0x80, high)) if high else bytes((low,))


@pytest.mark.parametrize("bad", [b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\x7f"])
def test_a_length_beyond_all_measure_ends_the_connection(bad):
    with pytest.raises(Malformed):
        Frames().feed(bad)
    assert LARGEST > 4 * 64 * 1024


@pytest.mark.parametrize("version", [V311, V5])
def test_a_connect_goes_on_with_the_gates_login_and_the_boxs_own_name(version):
    packet = connect(version, will="t/1/abc/u/s", username="somebody")
    passed = Rights("abc", LOGIN).judge(packet)
    said, was = read_connect(passed), read_connect(packet)
    assert (said.client_id, said.will, said.head) == ("edge-abc", "t/1/abc/u/s", was.head)
    assert passed.endswith(b"\0\4gate\0\6secret")
    assert b"somebody" not in passed
    assert Frames().feed(passed) == [passed]
    assert write_connect(said, "edge-abc", *LOGIN) == passed


def test_the_relay_keeps_its_workers_names():
    assert read_connect(Rights(RELAY_NAME, LOGIN).judge(connect(V5))).client_id == f"edge-{RELAY_NAME}"
    named = write_connect(read_connect(connect(V5)), "chevet-relay-2", *LOGIN)
    assert read_connect(Rights(RELAY_NAME, LOGIN).judge(named)).client_id == "chevet-relay-2"


@pytest.mark.parametrize("version", [V311, V5])
@pytest.mark.parametrize("qos", [0, 1])
def test_a_box_writes_below_its_own_alone(version, qos):
    rights = let_in("abc", version)
    own = publish(version, "t/1/abc/u/b", qos)
    assert publish_topic(own, version) == "t/1/abc/u/b"
    assert rights.judge(own) == own
    for topic in ("t/1/abd/u/b", "t/1/abc/d/r", "t/1/abcd/u/b", "t/1/abc/u", "", "$SYS/x"):
        with pytest.raises(NotAllowed):
            rights.judge(publish(version, topic, qos))
    other = publish(version, "t/1/abc/d/q", qos)
    assert let_in(RELAY_NAME, version).judge(other) == other
    assert let_in(RELAY_LIVE_NAME, version).judge(other) == other


@pytest.mark.parametrize("version", [V311, V5])
def test_a_box_reads_below_its_own_alone(version):
    own = subscribe(version, "t/1/abc/d/r", "t/1/abc/d/#")
    assert subscribe_filters(own, version) == ["t/1/abc/d/r", "t/1/abc/d/#"]
    assert let_in("abc", version).judge(own) == own
    others = (
        "t/1/+/d/r",
        "#",
        "t/1/abd/d/r",
        "$share/g/t/1/abd/d/r",
        "t/1/abc/u/a",
        "$share/x",
        "+/1/abc/d/r",
    )
    for topic in others:
        with pytest.raises(NotAllowed):
            let_in("abc", version).judge(subscribe(version, "t/1/abc/d/r", topic))
    workers = subscribe(version, "$share/workers/t/1/+/u/a")
    assert let_in(RELAY_NAME, version).judge(workers) == workers


def test_a_topic_alias_hides_nothing_and_other_properties_pass():
    rights = let_in("abc")
    with pytest.raises(Malformed, match="alias"):
        rights.judge(publish(V5, "t/1/abc/u/a", TopicAlias=3))
    rich = publish(
        V5,
        "t/1/abc/u/a",
        MessageExpiryInterval=5,
        PayloadFormatIndicator=0,
        ContentType="x",
        ResponseTopic="r",
        CorrelationData=b"c",
        UserProperty=("a", "b"),
    )
    assert rights.judge(rich) == rich


def test_a_will_for_another_is_refused():
    with pytest.raises(NotAllowed):
        Rights("abc", LOGIN).judge(connect(V5, will="t/1/abd/u/s"))


def test_nothing_comes_before_a_connect_and_no_second_one_after():
    with pytest.raises(Malformed, match="turn"):
        Rights("abc", LOGIN).judge(b"\xc0\x00")
    rights = let_in("abc")
    assert rights.judge(b"\xc0\x00") == b"\xc0\x00"
    for packet in (connect(V5), b"\xf0\x00"):
        with pytest.raises(Malformed, match="turn"):
            rights.judge(packet)


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_end_a_connection(data):
    with contextlib.suppress(Malformed):
        for packet in Frames().feed(data):
            with contextlib.suppress(NotAllowed):
                Rights("abc", LOGIN).judge(packet)
    for head in (b"\x10", b"\x30", b"\x32", b"\x82"):
        packet = head + _length(len(data)) + data
        rights = let_in("abc") if head != b"\x10" else Rights("abc", LOGIN)
        with contextlib.suppress(Malformed, NotAllowed):
            assert rights.judge(packet)


@settings(max_examples=60)
@given(st.integers(0, 200), st.integers(0, 255))
def test_a_damaged_connect_is_passed_on_whole_or_not_at_all(place, value):
    packet = bytearray(connect(V5, will="t/1/abc/u/s"))
    packet[place % len(packet)] = value
    with contextlib.suppress(Malformed, NotAllowed):
        passed = Rights("abc", LOGIN).judge(bytes(packet))
        assert Frames().feed(passed) == [passed]
        assert read_connect(passed).client_id == "edge-abc"
