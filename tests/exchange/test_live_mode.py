"""Live mode between two state machines and a link that loses, delays, repeats and reorders."""

import contextlib
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices.samples import Channel
from chevet.exchange.errors import Refused
from chevet.exchange.keys import new_sealing_key, new_signing_key
from chevet.exchange.live_rate import BURST_S, SHARE, UNKNOWN, UNKNOWN_MOST, LiveRate
from chevet.exchange.live_receiver import STALE_S as TOO_LATE_S
from chevet.exchange.live_receiver import LiveReceiver
from chevet.exchange.live_sender import MOST_WATCHERS, OVERHEAD, QUIET_S, STALE_S, LiveSender
from chevet.exchange.live_watch import Report, Watch, read_watch, write_watch
from chevet.exchange.live_wire import (
    DELTA,
    HEAD,
    OPUS,
    Section,
    Stream,
    pack_deltas,
    pack_packets,
    read_head,
    read_sections,
    unpack_deltas,
    unpack_packets,
)

RELAY, BOX, PROGRAMME = new_signing_key(), new_signing_key(), new_sealing_key()
NAME, CASE = b"watching", "018f0000-0000-7000-8000-000000000001"
LEADS = tuple(Channel(name, "mV", 250.0, 0.001) for name in ("I", "II"))
ECG = Stream(7, "ecg", DELTA, 250.0, LEADS)
SIZE = 25
NOTHING_CAME = Report()
FAST = 1e6


def word(number=1, *, watch=NAME, at_ms=1_000_000, for_ms=8000, signer=RELAY, report=NOTHING_CAME):
    return write_watch(Watch(watch, number, at_ms, for_ms, CASE, report), signer)


def box():
    return LiveSender(
        relay_key=RELAY.public_key(),
        signer=BOX,
        recipients=lambda: [PROGRAMME.public_key()],
        random=os.urandom,
    )


def desk(keys=(PROGRAMME,)):
    return LiveReceiver(BOX.public_key(), keys, NAME)


def samples(index):
    return np.random.default_rng(index).integers(-3000, 3000, (2, SIZE)).astype(np.int32)


def frame(sender, index, now, at=None, measured=FAST):
    section = Section(ECG.id, index * SIZE, SIZE, pack_deltas(samples(index)))
    return sender.frame([section], now if at is None else at, now, measured=measured, simulated=True)


def watching(now=100.0, relay_now=5000.0):
    """A box and a desk that have met; the box's clock is 4,900 s behind the relay's."""
    sender, receiver = box(), desk()
    receiver.asked(1, relay_now)
    sender.watch(word(), now)
    (opening,) = sender.openings("live", [ECG], {CASE: "same"}, now, simulated=True)
    assert receiver.receive(opening, relay_now) == []
    return sender, receiver


def test_nobody_watches_and_not_a_byte_is_made():
    sender = box()
    assert not sender.watching(0.0)
    assert sender.openings("live", [ECG], {}, 0.0, simulated=False) == []
    assert frame(sender, 0, 0.0) is None


def test_an_opening_tells_the_desk_what_comes_and_how_far_apart_the_clocks_are():
    sender, receiver = box(), desk()
    receiver.asked(1, 5000.0)
    sender.watch(word(), 100.3)
    (opening,) = sender.openings("poor", [ECG], {CASE: "other"}, 100.5, simulated=True)
    receiver.receive(opening, 5000.8)
    assert (receiver.told.state, receiver.told.patient, receiver.told.streams) == ("poor", "other", (ECG,))
    assert receiver.round_trip_s == pytest.approx(0.6)
    receiver.receive(frame(sender, 0, 101.0, at=100.9), 5001.3)
    assert receiver.latency_s == pytest.approx(0.4)  # 0.1 s at the box and half of the round trip
    assert receiver.simulated
    assert sender.openings("poor", [ECG], {CASE: "other"}, 101.0, simulated=True) == []
    assert len(sender.openings("idle", [], {CASE: "other"}, 101.1, simulated=True)) == 1


def test_watching_ends_by_its_expiry_by_a_last_word_and_never_by_a_lost_one():
    sender, _ = watching()
    assert sender.watching(107.9)
    assert not sender.watching(108.1)
    sender.watch(word(2), 110.0)
    sender.watch(word(3, for_ms=0), 111.0)
    assert not sender.watching(111.0)
    assert frame(sender, 0, 111.0) is None


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (word(signer=BOX), "bad_signature"),
        (word(1), "old"),
        (word(9, at_ms=900_000), "old"),
        (b"", "malformed"),
        (b"\x81\x10", "malformed"),
        (word()[:-1], "malformed"),
    ],
)
def test_words_that_are_not_the_relays_or_are_played_again_start_nothing(payload, reason):
    sender, _ = watching()
    with pytest.raises(Refused) as refused:
        sender.watch(payload, 101.0)
    assert refused.value.reason == reason


def test_no_more_desks_than_a_box_can_answer():
    sender = box()
    for number in range(MOST_WATCHERS):
        sender.watch(word(watch=bytes([number]) * 8), 0.0)
    with pytest.raises(Refused, match="too_many"):
        sender.watch(word(watch=b"too many"), 0.0)
    assert sender.cases() == {CASE}


def test_old_frames_and_frames_on_a_silent_link_are_dropped_at_the_box():
    sender, _ = watching()
    assert frame(sender, 0, 101.0, at=101.0 - STALE_S - 0.1) is None
    assert frame(sender, 1, 100.0 + QUIET_S + 0.1) is None
    assert sender.dropped == 2
    sender.watch(word(2), 106.0)
    assert frame(sender, 2, 106.1) is not None


def test_stale_frames_are_dropped_where_the_broker_knows_no_expiry():
    sender, receiver = watching()
    data = frame(sender, 0, 100.1)
    assert receiver.receive(data, 5000.1 + TOO_LATE_S + 1.0) == []
    assert receiver.counts.stale == 1
    assert receiver.report() == Report(0, 1, -1)


def test_what_may_be_stale_after_a_break_is_not_shown_until_a_quick_answer_tells_the_clocks():
    """The first answer took ten seconds, nearly all upwards; halved, its frames would pass for younger."""
    sender, receiver = box(), desk()
    receiver.asked(1, 5000.0)
    sender.watch(word(), 100.1)
    (opening,) = sender.openings("live", [ECG], {CASE: "same"}, 100.1, simulated=True)
    old = frame(sender, 0, 100.4)
    receiver.receive(opening, 5010.0)
    assert receiver.receive(old, 5010.3) == []
    assert receiver.counts.stale == 1
    receiver.asked(2, 5010.4)
    sender.watch(word(2), 110.5)
    (answer,) = sender.openings("live", [ECG], {CASE: "same"}, 110.5, simulated=True)
    fresh = frame(sender, 1, 110.6)
    receiver.receive(answer, 5010.6)
    assert [piece.first for piece in receiver.receive(fresh, 5010.7)] == [SIZE]
    assert receiver.latency_s == pytest.approx(0.1)


def test_what_was_kept_and_is_played_to_another_desk_opens_nothing():
    sender, _ = watching()
    sender.watch(word(2), 101.0)
    (opening,) = sender.openings("live", [ECG], {}, 101.0, simulated=True)[-1:]
    later = desk()
    later.receive(opening, 9000.0)  # nobody asked this
    later.receive(frame(sender, 0, 101.1), 9000.1)
    assert (later.told, later.counts.refused, later.counts.received) == (None, 2, 0)


def test_a_relay_without_the_programmes_key_sees_nothing():
    sender, receiver = box(), desk(keys=(new_sealing_key(),))
    receiver.asked(1, 0.0)
    sender.watch(word(), 0.0)
    (opening,) = sender.openings("live", [ECG], {}, 0.0, simulated=False)
    receiver.receive(opening, 0.0)
    assert receiver.told is None
    assert receiver.counts.refused == 1


@settings(max_examples=50, deadline=None)
@given(
    order=st.lists(st.integers(0, 11), max_size=30),
    delays=st.lists(st.floats(0, 8), min_size=30, max_size=30),
    broken=st.sets(st.integers(0, 29)),
)
def test_what_comes_out_is_a_part_of_what_went_in_in_order_and_gaps_are_counted(order, delays, broken):
    """Loss, repetition and reorder are any sequence of the frames sent; expiry is any delay."""
    sender, receiver = watching()
    sent = [frame(sender, index, 100.0 + index / 10) for index in range(12)]
    shown = []
    for position, index in enumerate(order):
        data = sent[index]
        if position in broken:
            data = data[:-1] + bytes([data[-1] ^ 1])
        age = delays[position]
        pieces = receiver.receive(data, 5000.0 + index / 10 + age)
        assert not pieces or (age <= TOO_LATE_S + 0.01 and position not in broken)
        for piece in pieces:
            assert piece.missing == (piece.first - (shown[-1] + 1) * SIZE if shown else 0)
            assert (piece.values == samples(index)).all()
            shown.append(index)
    assert shown == sorted(set(shown))
    counts = receiver.counts
    assert counts.received == len(shown)
    assert counts.refused == sum(position < len(order) for position in broken)
    assert counts.received + counts.late + counts.stale + counts.refused == len(order)


@settings(max_examples=50, deadline=None)
@given(
    measured=st.floats(0, 50_000),
    asks=st.lists(st.tuples(st.floats(0, 2), st.integers(1, 4000)), max_size=60),
    reports=st.lists(
        st.builds(Report, st.integers(0, 50), st.integers(0, 50), st.integers(-1, 3000)), max_size=60
    ),
)
def test_never_more_than_its_share_whatever_is_reported(measured, asks, reports):
    rate, now, out = LiveRate(), 0.0, 0
    most = SHARE * measured if measured > 0 else UNKNOWN_MOST
    for number, (pause, size) in enumerate(asks):
        now += pause
        if number < len(reports):
            rate.reported(reports[number])
        assert rate.allowed(measured) <= most
        out += size if rate.fits(size, measured, now) else 0
        assert out <= most * (now + BURST_S) + 1e-6


def test_late_or_lost_frames_make_it_send_less_and_good_ones_more_again():
    rate = LiveRate()
    assert rate.allowed(0) == UNKNOWN
    rate.reported(Report(20, 0, 100))
    assert rate.allowed(0) > UNKNOWN
    whole = rate.allowed(10_000)
    assert whole == SHARE * 10_000
    rate.reported(Report(20, 5, 100))
    rate.reported(Report(20, 0, 900))
    less = rate.allowed(10_000)
    assert less < whole / 2 + 1
    for _ in range(5):
        rate.reported(Report(20, 0, 110))
    assert rate.allowed(10_000) == whole
    rate.reported(Report())  # nothing came and nothing was lost: nothing is learned
    rate.cut()
    assert rate.allowed(0) == UNKNOWN


def test_where_nothing_is_sent_any_more_bad_reports_are_forgotten_and_it_is_tried_again():
    rate = LiveRate()
    for _ in range(20):
        rate.reported(Report(received=5, lost=5, latency_ms=50))
    lowest = rate.allowed(0)
    assert lowest < UNKNOWN / 5
    for _ in range(20):
        rate.reported(Report(received=0, lost=0, latency_ms=-1))
    assert rate.allowed(0) == UNKNOWN


def test_what_went_with_the_last_connection_says_nothing_of_the_next():
    rate = LiveRate()
    rate.cut()
    rate.reported(Report(received=3, lost=15, latency_ms=50))
    assert rate.allowed(0) == UNKNOWN
    rate.reported(Report(received=3, lost=15, latency_ms=50))
    assert rate.allowed(0) < UNKNOWN


def test_a_box_sends_no_faster_than_the_rate_even_when_more_is_measured_by_the_instrument():
    sender, _ = watching()
    out = 0
    for tick in range(400):
        now = 100.0 + tick / 100
        if tick % 200 == 0:
            sender.watch(word(2 + tick), now)
        data = frame(sender, tick, now, measured=1000.0)
        out += len(data) + OVERHEAD if data else 0
    assert 0 < out <= SHARE * 1000.0 * (4.0 + BURST_S)
    assert sender.dropped > 300


WIDE = st.integers(-(2**31), 2**31 - 1)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 3).flatmap(
        lambda c: st.lists(st.lists(WIDE, min_size=c, max_size=c), min_size=1, max_size=40)
    )
)
def test_integers_come_back_exactly(rows):
    values = np.array(rows, dtype=np.int32).T
    assert (unpack_deltas(pack_deltas(values), *values.shape) == values).all()


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 5), st.integers(0, 60))
def test_any_bytes_are_refused_or_read_and_never_crash(data, channels, count):
    receiver = watching()[1]
    assert receiver.receive(data, 5001.0) == []
    for read in (read_head, read_sections, unpack_packets, lambda d: unpack_deltas(d, channels, count)):
        with contextlib.suppress(Refused):
            read(data)
    with pytest.raises(Refused):
        read_watch(data, RELAY.public_key())


def test_packets_of_sound_and_streams_travel_as_they_are():
    sender, receiver = box(), desk()
    sound = Stream(9, "stethoscope", OPUS, 8000.0, (Channel("sound", "1", 8000.0, 2.0**-15),))
    receiver.asked(1, 0.0)
    sender.watch(word(), 0.0)
    for opening in sender.openings("live", [sound], {}, 0.0, simulated=False):
        receiver.receive(opening, 0.0)
    packets = [b"\x08" * 30, b"\x09" * 300]
    sections = [Section(9, 800, 320, pack_packets(packets)), Section(44, 0, 1, b"of no stream that was told")]
    (piece,) = receiver.receive(sender.frame(sections, 0.1, 0.1, measured=FAST, simulated=False), 0.1)
    assert (piece.stream, list(piece.packets), piece.first) == (sound, packets, 800)
    assert receiver.told.patient == "unknown"


def test_a_head_of_another_version_or_kind_is_refused():
    sender, _ = watching()
    data = frame(sender, 0, 100.1)
    for at, value in ((0, 2), (1, 9), (2, 128), (3, 1)):
        with pytest.raises(Refused):
            read_head(data[:at] + bytes([value]) + data[at + 1 :])
    with pytest.raises(Refused):
        read_head(data[: HEAD.size])
