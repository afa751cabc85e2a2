"""What a device says of its own gain and filters goes with every recording."""

from chevet.bridge.errors import LinkUnavailable
from chevet.devices.driver import DRIVERS
from chevet.edge.instruments import Instrument
from chevet.edge.settings import DeviceSettings


def instrument() -> Instrument:
    def connect(url: str) -> object:
        raise LinkUnavailable(url, "not_found")

    settings = DeviceSettings(id="chest", driver="sound-card", link="alsa:Device")
    return Instrument(settings, DRIVERS, connect, lambda: 0.0, lambda _one: None)


def test_a_sound_cards_gain_goes_with_the_recording() -> None:
    one = instrument()
    one._identified("model=USB_Mic;serial=A1;firmware=;agc=on;mic_capture_volume=8dB;usb=0d8c:0014")
    assert one.words() == {
        "model": "USB_Mic",
        "serial": "A1",
        "firmware": "",
        "settings": "agc=on;mic_capture_volume=8dB;usb=0d8c:0014",
    }
    assert one.simulated is False


def test_a_device_without_such_settings_carries_none() -> None:
    one = instrument()
    one._identified("model=E12;serial=1;firmware=2;simulated=1")
    assert one.words() == {"model": "E12", "serial": "1", "firmware": "2"}
    assert one.simulated is True
