"""What every driver of a byte stream must keep to: any cutting gives the same, noise costs what it hit."""

import pytest
from driver_bench import cut, feed, told_by
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.devices import berrymed, pc60fw, viatom_o2ring
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Reading
from chevet.sim.twins.ble_oximeters import BerryMed, Pc60Fw
from chevet.sim.twins.contec import ContecNew, ContecOld
from chevet.sim.twins.finger import RecordedFinger
from chevet.sim.twins.masimo import MasimoRadical7
from chevet.sim.twins.nonin import NoninAscii, NoninDf7, NoninDf8
from chevet.sim.twins.nonin_spot_check import NoninSpotCheck
from chevet.sim.twins.o2ring import reply

CONTEC_STARTS = b"".join(b"\x7d\x81" + bytes((c,)) + b"\x80" * 6 for c in (0xA8, 0xA9, 0xA1))
SERIAL = {
    "nonin-df7": (NoninDf7, b"", 1.4),
    "nonin-df8": (NoninDf8, b"", 12.0),
    "nonin-ascii": (NoninAscii, b"", 8.0),
    "nonin-df13": (NoninSpotCheck, b"\x02\x74\x02\x02\x02\x03\x02\x70\x02\x02\x0d\x03", 16.0),
    "masimo-ascii": (MasimoRadical7, b"", 4.0),
    "contec-cms50-v1": (ContecOld, b"", 1.4),
    "contec-cms50-v2": (ContecNew, CONTEC_STARTS, 1.4),
}
NOISE = bytes.fromhex("15ff0081aa5502060001f2807f557d020d0a55aa00ff1506")


def _serial(make, said, seconds):
    twin = make(RecordedFinger(2), 0.0)
    frames = list(twin.receive(said, 0.0))
    for step in range(1, int(seconds * 20) + 1):
        frames += twin.advance(step / 20)
    return frames


def _ble(make, seconds):
    twin = make(RecordedFinger(2), 0.0)
    return [data for step in range(1, int(seconds * 20) + 1) for _, data in twin.advance(step / 20)]


FRAMES = {name: _serial(*made) for name, made in SERIAL.items()}
FRAMES |= {"berrymed": _ble(BerryMed, 1.2), "pc60fw": _ble(Pc60Fw, 1.5)}
FRAMES["viatom-o2ring"] = [reply(b'{"Model":"1611","SN":"7"}' + b"\x00" * 9)]
SOURCES = {"berrymed": berrymed.NOTIFY, "pc60fw": pc60fw.NOTIFY, "viatom-o2ring": viatom_o2ring.NOTIFY}


def _noisy(name):
    """Return the stream with a hole, some noise between frames and a frame cut short."""
    frames = list(FRAMES[name])
    third = max(1, len(frames) // 3)
    frames[third:third] = [NOISE]
    frames[2 * third : 2 * third + 1] = [frame[:-2] for frame in frames[2 * third : 2 * third + 1]]
    return b"".join(frames)


STREAMS = {name: _noisy(name) for name in FRAMES}


@pytest.mark.parametrize("name", STREAMS)
def test_the_same_bytes_one_by_one_give_the_same_events(name):
    data, source = STREAMS[name], SOURCES.get(name, "")
    whole = told_by(DRIVERS[name](), [data], source=source)
    assert told_by(DRIVERS[name](), [data[at : at + 1] for at in range(len(data))], source=source) == whole
    assert whole[0][1], "it tells something"


@pytest.mark.parametrize("name", STREAMS)
@settings(max_examples=25)
@given(places=st.lists(st.integers(0, 1 << 20), max_size=30))
def test_the_same_bytes_give_the_same_events_however_they_are_cut(name, places):
    data, source = STREAMS[name], SOURCES.get(name, "")
    whole = told_by(DRIVERS[name](), [data], source=source)
    assert told_by(DRIVERS[name](), cut(data, places), source=source) == whole


@pytest.mark.parametrize("name", STREAMS)
@settings(max_examples=50)
@given(parts=st.lists(st.tuples(st.binary(max_size=120), st.floats(0, 1e5)), max_size=8))
def test_nothing_that_arrives_ever_raises_or_gives_an_impossible_number(name, parts):
    driver, source = DRIVERS[name](), SOURCES.get(name, "")
    driver.start()
    for data, at in parts:
        for event in feed(driver, data, at, source) + feed(driver, FRAMES[name][:3], at, source):
            if isinstance(event, Reading) and event.value is not None:
                assert 0 < event.value <= 330
        assert isinstance(driver.tick(at), bytes)
    assert isinstance(driver.stop(), bytes)
    counters = driver.counters
    assert min(counters.frames, counters.bad_frames, counters.lost_samples, counters.resyncs) >= 0


@pytest.mark.parametrize("name", ["contec-cms50-v1", "contec-cms50-v2"])
@settings(max_examples=40)
@given(data=st.binary(max_size=400), at=st.floats(0, 1e5))
def test_no_bytes_break_a_download_of_stored_data(name, data, at):
    driver = DRIVERS[name]()
    driver.start()
    driver.ask_stored()
    preamble = b"\xf2\x80\x00" * 3 + b"\x80\x81\x72"
    for part in (data[:20], preamble, data[20:], b"\x08\x80" + b"\x80" * 6, data):
        feed(driver, part, at)
        driver.tick(at)
    for second in range(1, 12):
        driver.tick(at + second)
    assert feed(driver, b"".join(FRAMES[name]), at + 12), "live data are read again"


@pytest.mark.parametrize("name", STREAMS)
def test_whole_frames_before_noise_are_all_read(name):
    clean, source = b"".join(FRAMES[name]), SOURCES.get(name, "")
    (_, before), counters = told_by(DRIVERS[name](), [clean], source=source)
    (_, after), noisy = told_by(DRIVERS[name](), [clean + NOISE], source=source)
    assert after[: len(before)] == before
    assert noisy.frames >= counters.frames
