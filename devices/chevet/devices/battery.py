"""The Battery Service 0x180F and Device Information 0x180A of any Bluetooth device."""

from chevet.devices.gatt import GattDriver


def battery() -> GattDriver:
    """Return the driver: battery in % when it changes, and who the device says it is."""
    return GattDriver("battery", "battery", {})
