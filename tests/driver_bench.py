"""What the tests of drivers and twins share: feeding, sorting what comes out, talking without a wire."""

from itertools import pairwise

from chevet.bridge.packet import Packet
from chevet.devices.samples import Notice, Reading, SampleBlock

STEP_S = 0.05
TICK_S = 0.25


def feed(driver, data, at=1.0, source=""):
    whole = data if isinstance(data, bytes) else b"".join(data)
    return driver.feed(Packet(whole, at, source))


def readings(events):
    """Return the last reading of each kind."""
    return {event.kind: event for event in events if isinstance(event, Reading)}


def values(events, kind):
    return [event.value for event in events if isinstance(event, Reading) and event.kind == kind]


def notices(events, code=None):
    return [event for event in events if isinstance(event, Notice) and code in (None, event.code)]


def pleth(events):
    """Return {index: raw value} of all samples, after checking that no place is taken twice."""
    found = {}
    for event in events:
        if not isinstance(event, SampleBlock):
            continue
        (channel,) = event.channels
        assert (channel.name, channel.unit, channel.gain) == ("pleth", "1", 1.0)
        for place, value in enumerate(event.values[0].tolist(), event.first):
            assert place not in found, "two samples at one place"
            found[place] = value + int(channel.offset)
    return found


def as_data(events):
    """Return the events in a form that can be compared; neighbouring samples joined."""
    samples = sorted(pleth(events).items())
    return samples, [event for event in events if not isinstance(event, SampleBlock)]


def told_by(driver, pieces, at=4.0, source=""):
    """Return what a driver makes of pieces that all arrive at the same time."""
    driver.start()
    events = [event for piece in pieces for event in feed(driver, piece, at, source)]
    return as_data(events), driver.counters


def cut(data, places):
    ends = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


def talk(driver, twin, seconds, *, began=100.0, wire=None, started=False):
    """Let a driver and a serial twin talk for some seconds of a clock of their own; return all events.

    Args:
        wire: changes the frames on their way to the driver: list of frames -> bytes.
        started: go on without starting the driver (and the clock) anew.
    """
    events = []
    if not started:
        twin.restart(began)
        said = driver.start()
    else:
        said = b""
    frames = twin.receive(said, began) if said else []
    for step in range(1, round(seconds / STEP_S) + 1):
        now = began + step * STEP_S
        if step % round(TICK_S / STEP_S) == 0:
            frames += twin.receive(driver.tick(now), now)
        frames += twin.advance(now)
        data = wire(frames) if wire else b"".join(frames)
        if data:
            events += feed(driver, data, now)
        frames = []
    return events
