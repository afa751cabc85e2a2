"""What the tests of ECG drivers and their twins share: who speaks with whom, and where samples stand."""

import copy
from functools import cache

from driver_bench import STEP_S, TICK_S, feed, talk

from chevet.devices.driver import DRIVERS
from chevet.devices.samples import SampleBlock
from chevet.sim.twins import ecg_openview as boards
from chevet.sim.twins.ecg_ad8232 import Ad8232Sketch
from chevet.sim.twins.ecg_afe import ads1292r_board, ads1298_board
from chevet.sim.twins.ecg_bitalino import BitalinoBoard
from chevet.sim.twins.ecg_body import RecordedChest
from chevet.sim.twins.ecg_chords import ChordsUno
from chevet.sim.twins.ecg_cyton import CytonBoard

SERIAL_TWINS = {
    "healthypi-v3": boards.healthypi_v3,
    "healthypi-v4": boards.healthypi_v4,
    "healthypi-v5": boards.healthypi_v5,
    "healthypi-v5 ov3": boards.healthypi_v5_ov3,
    "ads1292r": boards.ads1292r_breakout,
    "ads1292r raw": ads1292r_board,
    "ads1298": ads1298_board,
    "cyton": CytonBoard,
    "bitalino": BitalinoBoard,
    "chords": ChordsUno,
    "ad8232": Ad8232Sketch,
}
"""By driver name, and the way it speaks where there are several."""
BEGAN = 100.0


def make(name, chest=None):
    """Return a driver and its twin."""
    return DRIVERS[name.partition(" ")[0]](), SERIAL_TWINS[name](chest or RecordedChest(), BEGAN)


def placed(events):
    """Return {index: samples of all channels}, after checking that no place is taken twice."""
    found = {}
    for event in events:
        if isinstance(event, SampleBlock):
            for column, place in enumerate(range(event.first, event.first + event.values.shape[1])):
                assert place not in found, "two samples at one place"
                found[place] = tuple(event.values[:, column].tolist())
    return found


def channels(events):
    (one,) = {event.channels for event in events if isinstance(event, SampleBlock)}
    return one


def as_data(events):
    """Return the events in a form that can be compared."""
    return [
        (event.first, event.at, event.values.tolist(), str(event.values.dtype))
        if isinstance(event, SampleBlock)
        else event
        for event in events
    ]


@cache
def _streaming(name, seconds):
    driver, twin = make(name)
    talk(driver, twin, 4.0, began=BEGAN)
    frames = []
    for step in range(1, round(seconds / STEP_S) + 1):
        frames += twin.advance(BEGAN + 4.0 + step * STEP_S)
    return driver, tuple(frames)


def streaming(name, seconds=1.0):
    """Return a driver that has been streaming for a while, and the frames that come next."""
    driver, frames = _streaming(name, seconds)
    return copy.deepcopy(driver), list(frames)


def talk_on_air(driver, twin, seconds, *, began=BEGAN, started=False, lose=None):
    """Let a driver and a Bluetooth twin talk for some seconds of a clock of their own; return all events.

    Args:
        lose: told each notification's number and (UUID, value); those it returns True for never arrive.
    """
    events, sent, count = [], [], 0
    if not started:
        twin.connected(began)
        sent += _said(twin, driver.start(), began)
    for step in range(1, round(seconds / STEP_S) + 1):
        now = began + step * STEP_S
        if step % round(TICK_S / STEP_S) == 0:
            sent += _said(twin, driver.tick(now), now)
        for uuid, value in sent + twin.advance(now):
            count += 1
            if not (lose and lose(count, (uuid, value))):
                events += feed(driver, value, now, uuid)
        sent = []
    return events


def _said(twin, data, now):
    writes = [one.uuid for service in twin.services for one in service.characteristics if "write" in one.can]
    return twin.written(writes[0], data, now) if data else []
