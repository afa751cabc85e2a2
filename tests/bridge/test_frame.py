import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.frame import MAX_FRAME, Frame, FrameDecoder, crc16, encode

frames = st.builds(Frame, type=st.integers(0, 255), seq=st.integers(0, 255), payload=st.binary(max_size=60))
GOOD = Frame(0x82, 1, b"\x02\x01\x00")


def cuts(data: bytes, seed: int) -> list[bytes]:
    rng = random.Random(seed)
    pieces = []
    while data:
        size = rng.randint(1, 40)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def read_all(pieces: list[bytes]) -> tuple[list[Frame], FrameDecoder]:
    decoder = FrameDecoder()
    return [frame for piece in pieces for frame in decoder.feed(piece)], decoder


def totals(decoder: FrameDecoder) -> tuple[int, ...]:
    return (
        decoder.frames,
        decoder.bad_frames,
        decoder.resyncs,
        decoder.discarded,
        decoder.lost_frames,
        decoder.pending,
    )


def test_the_crc_is_the_one_the_specification_names():
    assert crc16(b"123456789") == 0x29B1


@settings(max_examples=50)
@given(st.lists(frames, max_size=8))
def test_what_is_encoded_is_decoded(sent):
    found, decoder = read_all([b"".join(map(encode, sent))])
    assert found == sent
    assert (decoder.bad_frames, decoder.resyncs, decoder.discarded, decoder.pending) == (0, 0, 0, 0)


@settings(max_examples=50)
@given(st.lists(st.one_of(frames.map(encode), st.binary(max_size=50)), max_size=8), st.integers(0, 9999))
def test_the_same_bytes_give_the_same_frames_however_they_are_cut(parts, seed):
    data = b"".join(parts)
    whole, single, cut = [data], [bytes([byte]) for byte in data], cuts(data, seed)
    found, decoder = read_all(whole)
    for pieces in (single, cut):
        again, other = read_all(pieces)
        assert again == found
        assert totals(other) == totals(decoder)


@settings(max_examples=100)
@given(st.binary(max_size=3000))
def test_garbage_never_raises_and_never_fills_the_buffer(data):
    decoder = FrameDecoder()
    for at in range(0, len(data), 97):
        decoder.feed(data[at : at + 97])
        assert decoder.pending < MAX_FRAME
    decoder.expire()
    assert decoder.pending == 0


@settings(max_examples=50)
@given(st.lists(st.tuples(st.binary(max_size=40), frames), min_size=1, max_size=6))
def test_garbage_between_good_frames_costs_none_of_them(parts):
    data = b"".join(noise + encode(frame) for noise, frame in parts)
    decoder = FrameDecoder()
    found = decoder.feed(data) + decoder.expire()
    # Noise may by chance end in a sync byte, which changes nothing, so every frame must be there in order.
    assert [frame for _, frame in parts] == found


def test_a_flipped_bit_costs_one_frame():
    data = bytearray(encode(GOOD) * 3)
    data[len(encode(GOOD)) + 7] ^= 0x10
    found, decoder = read_all([bytes(data)])
    assert found == [GOOD, GOOD]
    assert (decoder.frames, decoder.bad_frames, decoder.resyncs) == (2, 1, 1)


def test_a_false_head_holds_frames_back_only_until_the_line_is_quiet():
    decoder = FrameDecoder()
    assert decoder.feed(b"\xa5\x5a\x83\x00\x00\x04" + encode(GOOD)) == []
    assert decoder.expire() == [GOOD]
    assert (decoder.pending, decoder.discarded) == (0, 6)


def test_missing_sequence_numbers_are_counted_over_the_wrap():
    _, decoder = read_all([encode(Frame(1, seq)) for seq in (254, 255, 0, 3)])
    assert decoder.lost_frames == 2


def test_a_megabyte_of_false_heads_is_read_in_reasonable_time():
    decoder = FrameDecoder()
    assert decoder.feed(b"\xa5\x5a\x00\x00\xff\xff" * 20_000) == []
    assert decoder.bad_frames == 20_000


@pytest.mark.parametrize("frame", [Frame(1, 0, bytes(1025)), Frame(256, 0), Frame(1, -1)])
def test_what_no_frame_can_hold_is_refused(frame):
    with pytest.raises(ValueError, match=r"payload|bytes"):
        encode(frame)
