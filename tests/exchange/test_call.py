"""Calls: words that nobody between can read or make, and two ends that agree on whether somebody talks."""

import os
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.exchange.call_ends import (
    ASKING,
    OLD_MS,
    OVER,
    REACH_S,
    RING_S,
    RINGING,
    SILENT_S,
    TALKING,
    Called,
    Caller,
)
from chevet.exchange.call_wire import (
    KINDS,
    MOST_BYTES,
    REASONS,
    CallWord,
    is_call,
    read_call,
    write_call,
)
from chevet.exchange.errors import Refused
from chevet.exchange.live_watch import Watch, write_watch

RELAY, SITE, OTHER = (Ed25519PrivateKey.generate() for _ in range(3))
BOX, STRANGER = X25519PrivateKey.generate(), X25519PrivateKey.generate()
CASE, CALL = "0192aaaa-0000-7000-8000-000000000001", b"8 bytes!"
SDP = "v=0\r\n" + "a=candidate:1 1 udp 2122260223 192.0.2.7 50000 typ host\r\n" * 12
RING = CallWord(CALL, 1, 5_000, "ring", CASE, {"sdp": SDP, "name": "Dr Amrani"})


def sealed(word, signer=RELAY, to=BOX):
    return write_call(word, signer=signer, recipients=[to.public_key()], random=os.urandom)


words = st.builds(
    CallWord,
    call=st.binary(min_size=8, max_size=8),
    number=st.integers(1, 1 << 40),
    at_ms=st.integers(0, 1 << 45),
    kind=st.sampled_from(KINDS),
    case=st.uuids().map(str),
    facts=st.dictionaries(st.sampled_from(["sdp", "name", "rate"]), st.text(max_size=40)),
)


@settings(max_examples=50, deadline=None)
@given(words)
def test_a_word_comes_as_it_was_said(word):
    data = sealed(word)
    assert is_call(data)
    assert read_call(data, RELAY.public_key(), [STRANGER, BOX]) == word


def test_an_offer_is_small_enough_for_a_poor_link_and_shows_nothing():
    data = sealed(RING)
    assert len(data) < 1000
    assert b"192.0.2.7" not in data
    assert b"Amrani" not in data


def test_a_word_of_somebody_else_or_for_somebody_else_is_refused():
    for data, key, reason in (
        (sealed(RING, OTHER), BOX, "bad_signature"),
        (sealed(RING), STRANGER, "not_a_recipient"),
        (sealed(RING)[:-1], BOX, "malformed"),
        (b"", BOX, "malformed"),
        (bytes(MOST_BYTES + 1), BOX, "malformed"),
        (sealed(replace(RING, kind="sing")), BOX, "malformed"),
        (sealed(replace(RING, facts={"reason": "because"})), BOX, "malformed"),
    ):
        with pytest.raises(Refused, match=reason):
            read_call(data, RELAY.public_key(), [key])


def test_a_word_too_large_is_not_said_and_a_bomb_is_not_inflated():
    with pytest.raises(ValueError, match="12 KiB"):
        sealed(replace(RING, facts={"sdp": "x" * 100_000}))
    with pytest.raises(ValueError, match="12 KiB"):
        sealed(replace(RING, facts={"sdp": os.urandom(15_000).hex()}))


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_damaged_word_is_refused_and_never_half_believed(data):
    raw = bytearray(sealed(RING))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Refused):
        read_call(bytes(raw), RELAY.public_key(), [BOX])


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_are_taken_for_a_word(data):
    with pytest.raises(Refused):
        read_call(bytes([0x87, 17]) + data, RELAY.public_key(), [BOX])


def test_the_word_of_who_watches_is_no_word_of_a_call():
    watch = write_watch(Watch(CALL, 1, 2, 3, CASE), RELAY)
    assert not is_call(watch)


# the two ends


class Clock:
    def __init__(self) -> None:
        self.ms = 1_000_000

    def __call__(self) -> int:
        return self.ms


class Ends:
    """Both ends and the way between them, on which words may wait, be lost, come twice."""

    def __init__(self, call=CALL) -> None:
        self.clock = Clock()
        self.caller = Caller(call, CASE, self.clock)
        self.called = Called(self.clock)
        self.hindrance = ""

    def down(self, now, times=1):
        said, self.caller.said = self.caller.said, []
        for word in said * times:
            self.called.receive(word, now, self.hindrance)
        return said

    def up(self, now, times=1):
        said, self.called.said = self.called.said, []
        for word in said * times:
            self.caller.receive(word, now)
        return said

    def states(self):
        called = self.called.standing
        return self.caller.standing.state, called.state if called else None

    def talking(self, now=0.0):
        self.caller.ring({"sdp": SDP}, now)
        self.down(now)
        self.up(now)
        assert self.called.accept({"sdp": "answer", "rate": "9000"}, now)
        self.up(now)
        return self


def test_a_call_rings_is_taken_and_is_hung_up_by_either_end():
    for who in ("desk", "box"):
        ends = Ends()
        ends.caller.ring({"sdp": SDP}, 0.0)
        assert ends.states() == (ASKING, None)
        ends.down(0.1)
        assert ends.called.standing.facts == {"sdp": SDP}
        ends.up(0.2)
        assert ends.states() == (RINGING, RINGING)
        ends.called.accept({"sdp": "answer"}, 1.0)
        ends.up(1.1)
        assert ends.states() == (TALKING, TALKING)
        assert ends.caller.standing.facts == {"sdp": "answer"}
        if who == "desk":
            ends.caller.hang_up("ended", 2.0)
            ends.down(2.1)
        else:
            ends.called.end("media")
            ends.up(2.1)
        assert ends.states() == (OVER, OVER)
        assert ends.caller.standing.reason == ends.called.standing.reason


def test_words_that_come_twice_change_nothing():
    ends = Ends()
    ends.caller.ring({"sdp": SDP}, 0.0)
    ends.down(0.0, times=3)
    assert len(ends.up(0.0, times=2)) == 1, "one ringing for three copies of one ring"
    ends.called.accept({"sdp": "a"}, 1.0)
    assert not ends.called.accept({"sdp": "b"}, 1.0)
    ends.up(1.0, times=3)
    assert ends.caller.standing.facts == {"sdp": "a"}


@pytest.mark.parametrize("reason", REASONS[:7])
def test_a_box_that_cannot_take_a_call_says_why(reason):
    ends = Ends()
    ends.hindrance = reason
    ends.caller.ring({}, 0.0)
    ends.down(0.0)
    ends.up(0.0)
    assert ends.states() == (OVER, None)
    assert ends.caller.standing.reason == reason


def test_of_two_desks_that_ring_at_once_the_second_hears_busy_and_the_first_is_not_disturbed():
    first = Ends().talking()
    second = Caller(b"8 other!", CASE, first.clock)
    second.ring({"sdp": SDP}, 1.0)
    first.called.receive(second.said[0], 1.0, "")
    for word in first.called.said:
        assert not first.caller.receive(word, 1.0)
        second.receive(word, 1.0)
    assert (second.standing.state, second.standing.reason) == (OVER, "busy")
    assert first.states() == (TALKING, TALKING)


def test_hanging_up_while_the_worker_takes_it_ends_at_both_ends():
    ends = Ends()
    ends.caller.ring({}, 0.0)
    ends.down(0.0)
    ends.caller.hang_up("ended", 1.0)
    ends.called.accept({"sdp": "late"}, 1.0)
    ends.up(1.1)
    ends.down(1.2)
    assert ends.states() == (OVER, OVER)


def test_a_ring_that_comes_behind_its_hanging_up_rings_no_more():
    ends = Ends()
    ends.caller.ring({}, 0.0)
    ends.caller.hang_up("ended", 0.5)
    ring, hangup = ends.caller.said
    assert not ends.called.receive(hangup, 1.0, "")
    assert not ends.called.receive(ring, 1.0, "")
    assert not ends.called.live


def test_a_call_that_was_is_not_played_again():
    ends = Ends()
    ends.caller.ring({}, 0.0)
    ring = ends.down(0.0)[0]
    ends.called.end("declined")
    ends.clock.ms += OLD_MS * 3
    assert not ends.called.receive(ring, 1.0, "")
    later = Caller(b"8 later!", CASE, ends.clock)
    later.ring({}, 2.0)
    assert ends.called.receive(later.said[0], 2.0, "")
    ends.called.end("declined")
    assert not ends.called.receive(replace(ring, call=b"8 forged"), 3.0, ""), "older than the newest"


def test_a_relay_whose_clock_ran_ahead_and_was_set_right_is_heard_again_at_once():
    ends = Ends()
    ends.clock.ms += 3 * 3600 * 1000
    ends.caller.ring({}, 0.0)
    ahead = ends.down(0.0)[0]
    ends.called.end("declined")
    ends.clock.ms -= 3 * 3600 * 1000
    now = Caller(b"8 right!", CASE, ends.clock)
    now.ring({}, 60.0)
    assert ends.called.receive(now.said[0], 60.0, "")
    ends.called.end("declined")
    ends.clock.ms += OLD_MS * 3
    later = Caller(b"8 later!", CASE, ends.clock)
    later.ring({}, 240.0)
    assert ends.called.receive(later.said[0], 240.0, ""), "by the relay's clock as it is now"
    ends.called.end("declined")
    assert not ends.called.receive(replace(now.said[0], call=b"8 forged"), 241.0, ""), "late by both clocks"
    assert not ends.called.receive(ahead, 241.0, ""), "a call that was over is over"


def test_a_late_or_foreign_answer_is_not_taken():
    ends = Ends().talking()
    accept = CallWord(CALL, 99, 0, "accept", CASE, {"sdp": "another"})
    assert not ends.caller.receive(accept, 1.0)
    assert not ends.caller.receive(replace(accept, call=b"8 other!", number=100), 1.0)
    assert not ends.caller.receive(replace(accept, case="x", number=101, kind="hangup"), 1.0)
    assert ends.caller.standing.facts == {"sdp": "answer", "rate": "9000"}


def test_a_box_out_of_reach_and_a_worker_who_does_not_come_end_the_ringing():
    ends = Ends()
    ends.caller.ring({}, 0.0)
    ends.caller.tick(REACH_S)
    assert ends.states() == (ASKING, None)
    ends.caller.tick(REACH_S + 0.1)
    assert ends.caller.standing.reason == "unreachable"
    ends = Ends()
    ends.caller.ring({}, 0.0)
    ends.down(0.0)
    ends.up(0.0)
    ends.caller.tick(RING_S + 0.1)
    assert ends.caller.standing.reason == "no_answer"
    assert ends.called.tick(RING_S + 0.1, {})
    assert ends.states() == (OVER, OVER)


def test_each_end_ends_a_call_by_itself_when_the_other_fell_silent():
    ends = Ends().talking()
    ends.caller.tick(SILENT_S + 0.1)
    assert ends.called.tick(SILENT_S + 0.1, {})
    assert ends.states() == (OVER, OVER)
    assert (ends.caller.standing.reason, ends.called.standing.reason) == ("lost", "lost")


def test_a_call_that_both_ends_keep_up_goes_on():
    ends = Ends().talking()
    for now in range(1, 200):
        ends.caller.tick(now)
        ends.called.tick(now, {"rate": str(now)})
        ends.down(now)
        ends.up(now)
    assert ends.states() == (TALKING, TALKING)
    assert int(ends.caller.standing.facts["rate"]) > 150
    assert ends.caller.standing.facts["sdp"] == "answer"


def test_the_voices_wait_while_an_urgent_study_travels_and_both_ends_know():
    ends = Ends().talking()
    assert ends.called.tick(0.5, {"held": "yes"})
    ends.up(0.6)
    assert (ends.caller.standing.held, ends.called.standing.held) == (True, True)
    assert ends.called.tick(0.7, {"held": ""})
    ends.up(0.8)
    assert (ends.caller.standing.held, ends.called.standing.held) == (False, False)


def test_what_cannot_be_done_is_not_done():
    ends = Ends()
    assert not ends.called.end("ended")
    assert not ends.called.accept({}, 0.0)
    assert not ends.called.tick(0.0, {})
    ends.caller.hang_up("ended", 0.0)
    ends.caller.hang_up("ended", 0.0)
    assert len(ends.caller.said) == 1


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_whatever_is_lost_or_doubled_no_end_talks_for_ever_alone(data):
    ends = Ends()
    ends.caller.ring({}, 0.0)
    cut = data.draw(st.integers(0, 60))
    for now in range(150):
        step = data.draw(st.sampled_from(["", "", "accept", "hangup", "end"])) if now < 60 else ""
        if step == "accept":
            ends.called.accept({}, now)
        elif step == "hangup":
            ends.caller.hang_up("ended", now)
        elif step == "end":
            ends.called.end("ended")
        ends.caller.tick(now)
        ends.called.tick(now, {})
        times = data.draw(st.sampled_from([1, 1, 1, 2])) if now < cut else 0
        ends.down(now, times)
        ends.up(now, times)
    assert ends.caller.standing.state == OVER
    assert not ends.called.live
