"""The wavelet, the range coder and the coefficients between them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.study.bits import BitReader, BitWriter, new_models
from chevet.study.coefficients import read_bands, write_bands
from chevet.study.errors import BundleError
from chevet.study.wavelet import analyse, band_sizes, synthesise

choices = st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=400)


@given(choices, st.integers(0, (1 << 20) - 1))
def test_bits_come_back_in_order(bits, number):
    out, models = BitWriter(), new_models(3)
    for model, bit in bits:
        if model == 3:
            out.put_even(bit, 1)
        else:
            out.put(int(bit), models[model])
    out.put_even(number, 20)
    source, models = BitReader(out.end()), new_models(3)
    back = [bool(source.take_even(1) if model == 3 else source.take(models[model])) for model, _ in bits]
    assert back == [bit for _, bit in bits]
    assert source.take_even(20) == number


@pytest.mark.parametrize("first", [0, 1])
def test_a_carry_runs_through_many_bytes(first):
    """Bits that keep the lower bound just under a carry, and then make it happen."""
    for length in range(1, 60):
        bits = [first, *([1 - first] * length), first, *([first] * length)]
        out, model = BitWriter(), new_models(1)[0]
        for bit in bits:
            out.put_even(1, 3)
            out.put(bit, model)
        source, model = BitReader(out.end()), new_models(1)[0]
        assert [(source.take_even(3), source.take(model)) for _ in bits] == [(1, bit) for bit in bits]


def test_what_is_expected_costs_next_to_nothing():
    out, model = BitWriter(), new_models(1)[0]
    for _ in range(10_000):
        out.put(0, model)
    assert len(out.end()) < 20


def test_bits_that_were_never_written_are_refused():
    source = BitReader(b"")
    with pytest.raises(BundleError, match="preview_damaged"):
        source.take_even(200)


@given(st.integers(1, 300), st.integers(1, 3), st.integers(0, 1 << 30))
def test_the_wavelet_gives_back_what_it_was_given(count, rows, seed):
    given_ = np.random.default_rng(seed).normal(size=(rows, count))
    bands = analyse(given_, 5)
    assert [band.shape[1] for band in bands] == band_sizes(count, 5)
    assert np.allclose(synthesise(bands, count), given_)


def test_a_step_does_the_same_harm_in_every_band():
    """Near orthogonality: an error of one unit of energy stays about one, whichever band it is in."""
    zero = analyse(np.zeros((1, 512)), 5)
    for place, band in enumerate(zero):
        hit = [one.copy() for one in zero]
        hit[place][0, band.shape[1] // 2] = 1.0
        assert 0.7 < (synthesise(hit, 512) ** 2).sum() < 1.5


@settings(max_examples=60)
@given(st.integers(0, 90), st.integers(1, 4), st.integers(0, 1 << 30), st.sampled_from([0.2, 3.0, 60.0, 9e4]))
def test_coefficients_of_any_size_survive(count, rows, seed, scale):
    rng = np.random.default_rng(seed)
    bands = [np.rint(rng.laplace(0, scale, (rows, n))).astype(np.int64) for n in band_sizes(count, 5)]
    data = write_bands(bands, 1 << 20)
    assert data is not None
    back = read_bands(data, rows, band_sizes(count, 5))
    assert all(np.array_equal(one, two) for one, two in zip(bands, back, strict=True))


def test_writing_ends_where_the_room_does():
    bands = [np.full((2, n), 99, np.int64) for n in band_sizes(600, 5)]
    whole = write_bands(bands, 1 << 20)
    assert whole is not None
    assert write_bands(bands, len(whole)) == whole
    assert write_bands(bands, len(whole) - 1) is None
    assert write_bands(bands, 10) is None


def test_a_number_longer_than_any_is_refused():
    out = BitWriter()
    zero, more = new_models(1)[0], new_models(8)
    out.put(1, zero)
    out.put_even(0, 1)
    for step in range(13):
        out.put(1, more[min(step, 7)])
    out.put_even(0, 40)
    with pytest.raises(BundleError, match="preview_damaged"):
        read_bands(out.end(), 1, [1])
