from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.bridge.packet import Packet
from chevet.devices.camera import MAX_BYTES, CameraDriver
from chevet.devices.driver import DRIVERS
from chevet.devices.samples import Notice, Picture, Reading

WHOLE = b"\xff\xd8\xff\xdb" + bytes(range(200)) + b"\xff\xd9"


def test_a_whole_image_is_given_on_untouched():
    driver = CameraDriver()
    assert driver.feed(Packet(WHOLE, 4.0)) == [Picture(WHOLE, "image/jpeg", 4.0)]
    assert (driver.counters.frames, driver.counters.bad_frames) == (1, 0)


def test_an_image_cut_short_or_too_large_is_counted_and_left():
    driver = CameraDriver()
    huge = b"\xff\xd8\xff" + bytes(MAX_BYTES) + b"\xff\xd9"
    for data in (WHOLE[:-1], WHOLE[1:], b"", huge):
        assert driver.feed(Packet(data, 4.0)) == []
    assert driver.counters.bad_frames == 4


def test_a_camera_needs_nothing_to_be_sent():
    driver = CameraDriver()
    assert driver.start() == driver.tick(1.0) == driver.stop() == b""


def test_the_cameras_button_is_told():
    assert CameraDriver().feed(Packet(b"", 2.0, "button")) == [Notice("snapshot_button", 2.0)]


def test_what_a_camera_says_of_itself_is_told():
    words = b"model=X6;firmware=2.0;serial=A1;battery=73;charging=1"
    assert CameraDriver().feed(Packet(words, 2.0, "info")) == [
        Notice("identified", 2.0, detail="model=X6;serial=A1;firmware=2.0"),
        Reading("battery", 73.0, "%", 2.0, ("charging",)),
    ]
    assert len(CameraDriver().feed(Packet(b"model=chevet-sim X;battery=400", 2.0, "info"))) == 1


@settings(max_examples=50)
@given(st.binary(max_size=100), st.sampled_from(["", "info", "button"]))
def test_nothing_that_arrives_ever_raises(data, source):
    driver = CameraDriver()
    pictures = [event for event in driver.feed(Packet(data, 0.0, source)) if isinstance(event, Picture)]
    assert len(pictures) == driver.counters.frames


INSTRUMENTS = {"ecg", "stethoscope", "oximeter", "otoscope", "blood_pressure", "thermometer", "glucose"}
INSTRUMENTS |= {"scale", "heart_rate", "battery"}


def test_every_driver_is_listed_under_its_own_name_with_an_instrument():
    for name, make in DRIVERS.items():
        driver = make()
        assert driver.name == name
        assert driver.instrument in INSTRUMENTS
        assert (driver.counters.frames, driver.counters.lost_samples) == (0, 0)
