"""What an oximeter says of the blood in the finger reaches the coach and the recording's quality."""

import numpy as np
import pytest

from chevet.devices.samples import Channel, Reading
from chevet.edge.judge import NAMED_LOW_PCT, live_quality, perfusion_of

RATE_HZ = 75.0
PLETH = (Channel("pleth", "1", RATE_HZ, 1.0, 0.0),)


def readings(*told: tuple[str, float | None, tuple[str, ...]]) -> list[Reading]:
    return [Reading(kind, value, "%", float(n), status) for n, (kind, value, status) in enumerate(told)]


def good_wave() -> np.ndarray:
    at_s = np.arange(round(10 * RATE_HZ)) / RATE_HZ
    beat = (at_s * 1.2) % 1
    return (100 + 80 * np.exp(-(((beat - 0.25) / 0.12) ** 2)) + 25 * np.exp(-(((beat - 0.6) / 0.1) ** 2)))[
        None
    ]


@pytest.mark.parametrize(
    ("told", "percent"),
    [
        ([], None),
        ([("spo2", 97.0, ())] * 5, None),
        ([("spo2", 97.0, ("low_perfusion",))] * 5, NAMED_LOW_PCT),
        ([("spo2", 97.0, ("poor_signal",))] * 5, NAMED_LOW_PCT),
        ([("spo2", 97.0, ())] * 4 + [("spo2", 97.0, ("low_perfusion",))], None),
        ([("spo2", 97.0, ("low_perfusion",)), ("perfusion_index", 4.0, ())], 4.0),
        ([("perfusion_index", 0.1, ()), ("spo2", 97.0, ())], 0.1),
        ([("perfusion_index", None, ()), ("spo2", 97.0, ())], None),
    ],
)
def test_perfusion_is_the_index_or_what_it_is_called(
    told: list[tuple[str, float | None, tuple[str, ...]]], percent: float | None
) -> None:
    assert perfusion_of(readings(*told)) == percent


def test_a_clip_that_fell_off_is_told_before_what_its_wave_looks_like() -> None:
    wave = good_wave()
    wave[:, 300:] = 255.0
    off = [("spo2", None, ("sensor_disconnected",))]
    on: list[tuple[str, float | None, tuple[str, ...]]] = [("spo2", 97.0, ())]
    fallen = live_quality("oximetry", wave, PLETH, readings(*on * 4, *off * 6))
    assert (fallen.reasons[0], fallen.usable) == ("sensor_off", False)
    assert not {"saturated", "flat", "no_pulse"} & set(fallen.reasons)
    once = live_quality("oximetry", good_wave(), PLETH, readings(*on * 9, *off))
    assert "sensor_off" not in once.reasons


def test_a_good_wave_on_a_cold_finger_is_not_called_clean() -> None:
    wave = good_wave()
    assert live_quality("oximetry", wave, PLETH).reasons == ()
    cold = live_quality("oximetry", wave, PLETH, readings(*[("spo2", 97.0, ("low_perfusion",))] * 5))
    assert cold.reasons == ("low_perfusion",)
    assert cold.score < live_quality("oximetry", wave, PLETH).score
