import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.packet import Packet
from chevet.devices.decimator import OUT_HZ, PASS_HZ, SHIFT, STOP_HZ, Decimator
from chevet.devices.samples import Notice, SampleBlock
from chevet.devices.sound_card import SoundCard

RATES = [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000]


def setup(rate=48000, sample_format="S16_LE", channels=1, channel=1, more=";model=USB_Mic"):
    words = f"rate={rate};format={sample_format};channels={channels};channel={channel}{more}"
    return Packet(words.encode(), 0.0, "setup")


def noise(count, bits=16, seed=0):
    half = 2 ** (bits - 1)
    return np.random.default_rng(seed).integers(-half, half, count)


def packets_of(data, rate_bytes, size=960, start_s=0.0):
    """Cut `data` into packets that arrive when their last byte was taken."""
    cuts = range(0, len(data), size)
    return [
        Packet(data[at : at + size], start_s + min(at + size, len(data)) / rate_bytes, "pcm") for at in cuts
    ]


def fed(driver, packets):
    return [event for packet in packets for event in driver.feed(packet)]


def blocks(events):
    return [event for event in events if isinstance(event, SampleBlock)]


def sound(events):
    return np.concatenate([block.values[0] for block in blocks(events)])


def losses(events):
    return [int(e.detail) for e in events if isinstance(e, Notice) and e.code == "lost_samples"]


@pytest.mark.parametrize("rate_hz", RATES)
def test_the_filter_is_as_its_page_says(rate_hz):
    decimator = Decimator(rate_hz, 16)
    rows = np.arange(-decimator.reach, decimator._cell_in + decimator.reach)
    tones = np.linspace(0.0, rate_hz / 2, 1500)
    for column in (0, decimator._cell_out // 2, decimator._cell_out - 1):
        taps = decimator._matrix[:, column] / 2**SHIFT
        gain = 20 * np.log10(np.abs(np.exp(-2j * np.pi * np.outer(tones, rows) / rate_hz) @ taps) + 1e-12)
        assert np.abs(gain[tones <= PASS_HZ]).max() < 0.001
        assert gain[tones >= STOP_HZ].max() < -86.0
        assert decimator._matrix[:, column].sum() == 2**SHIFT


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_tone_keeps_its_height_and_its_place_in_time(rate_hz):
    at_s = np.arange(rate_hz) / rate_hz
    card = np.rint(20000 * np.sin(2 * np.pi * 40 * at_s)).astype(np.int32)
    out = Decimator(rate_hz, 16).add(card, 0)
    for first, values in out:
        expected = 20000 * np.sin(2 * np.pi * 40 * np.arange(first, first + len(values)) / OUT_HZ)
        assert np.abs(values - expected).max() < 1.5


def test_nothing_is_high_passed_and_the_ends_of_the_scale_are_kept():
    for level in (-32768, 0, 123, 32767):
        out = Decimator(44100, 16).add(np.full(44100, level, np.int32), 0)
        assert {value for _, values in out for value in values} == {level}
    edge = np.where(np.arange(48000) // 600 % 2, 32767, -32768).astype(np.int32)
    square = np.concatenate([values for _, values in Decimator(48000, 16).add(edge, 0)])
    assert (square.min(), square.max()) == (-32768, 32767)  # overshoot is cut off, never wrapped around


@pytest.mark.parametrize("rate_hz", [4000, 200_000, 44_101])
def test_a_rate_without_a_filter_is_refused(rate_hz):
    with pytest.raises(ValueError, match="record at 44100"):
        Decimator(rate_hz, 16)


def test_the_sums_are_exact_whatever_adds_them():
    decimator = Decimator(44100, 24)
    card = noise(44100, 24)
    out = decimator.add(card.astype(np.int32), 0)
    whole = decimator._matrix.astype(np.int64)
    first, values = out[7]
    begin = first // decimator.block_out * decimator.block_in - decimator.reach
    cells = range(begin, begin + decimator.block_in, decimator._cell_in)
    sums = np.concatenate([card[at : at + len(whole)] @ whole for at in cells])
    assert list(values) == list(np.clip((sums + (1 << SHIFT - 1)) >> SHIFT, -(2**23), 2**23 - 1))


FORMATS = {"S16_LE": ("<i2", 16), "S32_LE": ("<i4", 32)}


def raw(values, sample_format):
    if sample_format == "S24_3LE":
        return np.ascontiguousarray(values.astype("<i4")).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return values.astype(FORMATS[sample_format][0]).tobytes()


@pytest.mark.parametrize(("sample_format", "width"), [("S16_LE", 2), ("S24_3LE", 3), ("S32_LE", 4)])
def test_every_width_of_samples_is_read_and_the_wanted_channel_taken(sample_format, width):
    bits = 16 if width == 2 else 24
    left, right = noise(48000, bits), noise(48000, bits, seed=1)
    shift = 8 if sample_format == "S32_LE" else 0
    both = np.stack([left << shift, right << shift], axis=1).ravel()
    driver = SoundCard()
    driver.feed(setup(48000, sample_format, 2, 2))
    events = fed(driver, packets_of(raw(both, sample_format), 96000 * width))
    (expected,) = [np.concatenate([v for _, v in Decimator(48000, bits).add(right.astype(np.int32), 0)])]
    assert list(sound(events)) == list(expected)
    channel = blocks(events)[0].channels[0]
    assert (channel.name, channel.unit, channel.rate_hz, channel.gain) == (
        "sound",
        "1",
        4000.0,
        2.0 ** (1 - bits),
    )
    assert blocks(events)[0].values.dtype == (np.int16 if bits == 16 else np.int32)


@settings(max_examples=50)
@given(st.data())
def test_any_cutting_of_the_same_bytes_gives_the_same_samples(data):
    rate = data.draw(st.sampled_from([8000, 44100, 48000]))
    channels = data.draw(st.integers(1, 2))
    values = noise(rate // 5 * channels).astype("<i2").tobytes()
    size = data.draw(st.integers(1, len(values)))
    whole, cut = SoundCard(), SoundCard()
    for driver in (whole, cut):
        driver.feed(setup(rate, channels=channels))
    once = fed(whole, packets_of(values, rate * 2 * channels, len(values)))
    many = fed(cut, packets_of(values, rate * 2 * channels, max(size, 7)))
    assert [block.first for block in blocks(once)] == [block.first for block in blocks(many)]
    assert list(sound(once)) == list(sound(many))
    assert losses(once) == losses(many) == []


def test_times_are_put_back_by_the_wait_for_the_filter():
    driver = SoundCard()
    driver.feed(setup())
    events = blocks(fed(driver, packets_of(noise(48000).astype("<i2").tobytes(), 96000)))
    for block in events[10:]:
        taken_s = (block.first + 80) / OUT_HZ
        assert taken_s - 0.001 <= block.at <= taken_s + 0.021


@pytest.mark.parametrize("missing_s", [0.05, 0.5, 3.0])
def test_an_overrun_is_a_gap_as_long_as_the_hosts_clock_says(missing_s):
    driver = SoundCard()
    driver.feed(setup())
    data = noise(48000).astype("<i2").tobytes()
    before = fed(driver, packets_of(data + b"\x01", 96000))
    driver.feed(Packet(b"overrun", 1.0, "gap"))
    after = fed(driver, packets_of(data, 96000, start_s=1.0 + missing_s))
    (lost,) = losses(after)
    assert missing_s * 4000 <= lost <= (missing_s + 0.055) * 4000
    assert lost == driver.counters.lost_samples
    assert blocks(after)[0].first - blocks(before)[-1].first - 80 == lost
    out = Decimator(48000, 16).add(np.frombuffer(data, "<i2").astype(np.int32), 0)
    assert len(blocks(after)) >= len(out) - 2


def test_a_new_connection_is_a_gap_but_no_loss():
    driver = SoundCard()
    data = noise(24000).astype("<i2").tobytes()
    driver.start()
    driver.feed(setup())
    before = fed(driver, packets_of(data, 96000))
    assert driver.stop() == driver.start() == driver.tick(3.0) == b""
    assert driver.feed(Packet(data, 3.0, "pcm")) == []  # nothing is known of this card yet
    driver.feed(setup())
    after = fed(driver, packets_of(data, 96000, start_s=4.0))
    assert losses(after) == []
    assert 13800 < blocks(after)[0].first - blocks(before)[-1].first < 15000
    assert driver.counters.lost_samples == 0


def test_the_cards_gain_and_filters_travel_with_its_name():
    (event,) = SoundCard().feed(
        setup(more=";model=USB_Mic;serial=A1;usb=0d8c:0014;agc=on;mic_capture_volume=8dB")
    )
    who = "model=USB_Mic;serial=A1;firmware="
    card = ";card_rate=48000;card_format=S16_LE;card_channel=1;usb=0d8c:0014;agc=on;mic_capture_volume=8dB"
    assert (event.code, event.detail) == ("identified", who + card)


def test_a_card_of_the_simulator_says_that_it_is_simulated():
    (event,) = SoundCard().feed(setup(more=";model=chevet_sim"))
    assert event.detail.endswith(";simulated=1")


@pytest.mark.parametrize(
    ("words", "detail"),
    [
        ("rate=44101;format=S16_LE;channels=1;channel=1", "rate=44101"),
        ("rate=48000;format=FLOAT;channels=1;channel=1", "format=FLOAT"),
        ("rate=48000;format=S16_LE;channels=1;channel=2", "format=S16_LE"),
        ("rate=x;format=S16_LE;channels=1;channel=1", "format=S16_LE"),
        ("", "format="),
    ],
)
def test_a_card_that_cannot_be_read_is_refused_in_words(words, detail):
    driver = SoundCard()
    (event,) = driver.feed(Packet(words.encode(), 1.0, "setup"))
    assert (event.code, event.detail) == ("refused", detail)
    assert driver.feed(Packet(b"1234", 1.0, "pcm")) == []
    assert driver.counters.bad_frames == 2


def test_a_card_that_changes_its_rate_is_refused():
    driver = SoundCard()
    driver.feed(setup(48000))
    (event,) = driver.feed(setup(44100))
    assert event.code == "refused"


def test_a_card_that_lies_about_its_rate_is_caught():
    driver = SoundCard()
    driver.feed(setup(8000))
    data = noise(8000 * 25).astype("<i2").tobytes()
    events = fed(driver, packets_of(data, 16000 * 1.05, 320))
    (wrong,) = [e for e in events if isinstance(e, Notice) and e.code == "rate_wrong"]
    assert wrong.detail.startswith("nominal=4000;measured=42")
    honest = SoundCard()
    honest.feed(setup(8000))
    assert not [e for e in fed(honest, packets_of(data, 16000, 320)) if isinstance(e, Notice)]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["setup", "pcm", "gap", ""]), st.binary(max_size=60)), max_size=12))
def test_nothing_that_arrives_ever_raises(arriving):
    driver = SoundCard()
    for place, (source, data) in enumerate(arriving):
        driver.feed(Packet(data, float(place), source))
        if place == 3:
            driver.feed(setup())
    assert driver.counters.frames <= len(arriving) + 1
