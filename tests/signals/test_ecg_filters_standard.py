"""The display filters of the ECG: the standard's impulse, hum found by itself, delay."""

import numpy as np
import pytest
from real_signals import twelve_leads
from scipy import signal

from chevet.signals import filters

ECG, RATE = twelve_leads()


def impulse(rate):
    """3 mV for 100 ms, at 8 s of 20 s; and where after it the undershoot is judged."""
    signal = np.zeros(int(20 * rate))
    start = int(8 * rate)
    signal[start : start + round(0.1 * rate)] = 3.0
    return signal, start, start + int(0.16 * rate)


@pytest.mark.parametrize("rate", [250, 500, 1000])
@pytest.mark.parametrize(("mains_hz", "lowest"), [(None, -0.1), (50.0, -0.14), (60.0, -0.14)])
def test_the_standards_impulse_leaves_no_undershoot_and_no_slope(rate, mains_hz, lowest):
    """With a notch, which the standard's test leaves out, its ringing adds some hundredths of a millivolt."""
    test, start, after = impulse(rate)
    live = filters.LiveEcgFilter(rate, 1, mains_hz=mains_hz).feed(test[None])[0]
    for shown in (filters.ecg_display(test, rate, mains_hz=mains_hz), live):
        rest = shown[after:]
        assert rest.min() > lowest
        steady = np.convolve(rest, np.full(rate // 10, 10 / rate), "valid")  # over 100 ms: five turns of hum
        assert np.abs(np.gradient(steady) * rate)[rate // 5 :].max() < 0.30  # mV/s
        assert shown[start + rate // 20] == pytest.approx(3.0, abs=0.2)


def test_the_forty_hertz_view_would_fail_it_and_is_labelled():
    test, _, after = impulse(500)
    shown = filters.LiveEcgFilter(500, 1, filters.MONITOR).feed(test[None])[0]
    assert shown[after:].min() < -0.1
    assert filters.label(filters.MONITOR) == "0.5-40 Hz"


@pytest.mark.parametrize(("mains_hz", "band"), [(50.0, filters.DIAGNOSTIC), (60.0, filters.MONITOR)])
def test_hum_that_drifts_by_half_a_hertz_is_found_and_taken_out_live_and_in_batch(mains_hz, band):
    t = np.arange(ECG.shape[1]) / RATE
    hum = ECG + 0.2 * np.sin(2 * np.pi * (mains_hz + 0.3) * t)
    found = filters.find_mains(hum, RATE)
    assert found == mains_hz
    live, still = (filters.LiveEcgFilter(RATE, 12, band, found).feed(x) for x in (hum, ECG))
    for shown, ideal in (
        (filters.ecg_display(hum, RATE, band, found), filters.ecg_display(ECG, RATE, band)),
        (live, still),
    ):
        left = (shown - ideal)[:, 1500:-1500]
        assert np.sqrt(np.mean(left**2)) < 0.35 * 0.2 / np.sqrt(2)


@pytest.mark.parametrize("rate", [125, 250, 1000])
def test_the_stated_delay_holds_at_any_rate(rate):
    live = filters.LiveEcgFilter(rate, 1, filters.MONITOR)
    t = np.arange(10 * rate) / rate
    wave = np.sin(2 * np.pi * 10 * t)
    shown = live.feed(wave[None])[0][5 * rate :]
    turn = np.angle(np.sum(shown * np.exp(-2j * np.pi * 10 * t[5 * rate :])) * 1j)
    phase_delay = -turn / (2 * np.pi * 10)
    assert 0 < live.delay_s < 0.02
    assert phase_delay == pytest.approx(live.delay_s, abs=0.004)


def test_zero_phase_leaves_a_symmetric_wave_symmetric():
    wave = np.zeros(6000)
    wave[2950:3051] = np.hanning(101)
    shown = filters.ecg_display(wave, 500)
    np.testing.assert_allclose(shown[1000:5001], shown[1000:5001][::-1], atol=1e-3)


@pytest.mark.parametrize("rate", [99, 4001])
def test_rates_the_filters_were_not_made_for_are_refused(rate):
    with pytest.raises(ValueError, match="resample"):
        filters.ecg_display(ECG, rate)
    with pytest.raises(ValueError, match="resample"):
        filters.LiveEcgFilter(rate, 12)
    with pytest.raises(ValueError, match="record longer"):
        filters.ecg_display(ECG[:, :50], 500)


@pytest.mark.parametrize(("order", "corners"), [(2, (8.0, 28.0)), (1, (0.5, None)), (2, (None, 40.0))])
@pytest.mark.parametrize("pad", [0, 9, 10_000])
def test_the_remembered_filter_gives_what_scipys_forward_and_backward_filter_gives(order, corners, pad):
    kind = {(True, True): "band", (True, False): "high", (False, True): "low"}[
        corners[0] is not None, corners[1] is not None
    ]
    given = [corner for corner in corners if corner is not None]
    sos = signal.butter(order, given if kind == "band" else given[0], kind, fs=RATE, output="sos")
    for leads in (ECG[:, :600], ECG[1, :600], ECG[1, 600:900]):
        theirs = signal.sosfiltfilt(sos, leads, axis=-1, padlen=min(pad, leads.shape[-1] - 1))
        for _ in range(2):  # the second time the filter is remembered
            np.testing.assert_array_equal(filters.zero_phase(leads, RATE, order, corners, pad), theirs)


def test_a_filter_without_a_corner_is_refused():
    with pytest.raises(ValueError, match="corner"):
        filters.zero_phase(ECG[1], RATE, 2, (None, None), 9)


def test_leads_filtered_together_live_are_those_filtered_one_by_one():
    together = filters.LiveEcgFilter(RATE, 12, mains_hz=50.0)
    alone = [filters.LiveEcgFilter(RATE, 1, mains_hz=50.0) for _ in range(12)]
    for block in np.array_split(ECG[:, :2000], 21, axis=1):
        shown = together.feed(block)
        for lead, one in enumerate(alone):
            np.testing.assert_array_equal(shown[lead], one.feed(block[lead : lead + 1])[0])
