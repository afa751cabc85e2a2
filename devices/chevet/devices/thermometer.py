"""Thermometers with the Bluetooth SIG's Health Thermometer Service 0x1809.

One indication (0x2A1C) for each finished measurement; 0x2A1E, where subscribed, gives the numbers on the
way there, with the word `intermediate`. Some thermometers also measure rooms and surfaces and say so
nowhere.
"""

from chevet.devices.errors import BrokenPayload
from chevet.devices.gatt import Fields, GattDriver, taken, uuid
from chevet.devices.samples import Event, Reading

MEASUREMENT, INTERMEDIATE, TYPE = uuid(0x2A1C), uuid(0x2A1E), uuid(0x2A1D)
FAHRENHEIT, TIME, SITE = 0x01, 0x02, 0x04
SITES = {
    1: "armpit",
    2: "body",
    3: "ear",
    4: "finger",
    5: "gastrointestinal",
    6: "mouth",
    7: "rectum",
    8: "toe",
    9: "tympanum",
}
LOWEST_CEL, HIGHEST_CEL = 10.0, 50.0
"""The coldest who was revived had 11.8, the hottest who lived 46.5: beyond it the sensor is on no body."""


def thermometer() -> GattDriver:
    """Return the driver: temperature in Cel, with the words for site and time."""
    readers = {
        MEASUREMENT: _measurement,
        INTERMEDIATE: lambda data, at: _measurement(data, at, ("intermediate",)),
        TYPE: _type,
    }
    return GattDriver("thermometer", "thermometer", readers)


def _measurement(data: bytes, at: float, words: tuple[str, ...] = ()) -> list[Event]:
    fields = Fields(data, "temperature")
    flags = fields.u8()
    value = fields.medical_float()
    words += taken(fields.date_time()) if flags & TIME else ()
    if flags & SITE:
        words += (f"site={SITES.get(fields.u8(), 'unknown')}",)
    if value is not None and flags & FAHRENHEIT:
        value = (value - 32) / 1.8
    if value is not None and not LOWEST_CEL <= value <= HIGHEST_CEL:
        value, words = None, (*words, "implausible")
    return [Reading("temperature", value, "Cel", at, words)]


def _type(data: bytes, at: float) -> list[Event]:
    """Read where the thermometer is made for; each measurement says it again where it may differ."""
    del at
    if len(data) != 1:
        raise BrokenPayload("type")
    return []
