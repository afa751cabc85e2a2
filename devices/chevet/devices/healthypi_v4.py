"""ProtoCentral HealthyPi v4: ECG, respiration, pulse oximetry and temperature on one board, over USB.

OpenView frames (type 2, 20 bytes) at 125 Hz from power-on on, 115200 baud. Payload: ECG i16, respiration
i16, infrared i32, red i32, temperature i16 (0.01 degrees), respiration rate, SpO2, heart rate, 80 and 120
(dummies of a blood pressure, never given on), lead status. Source: ProtoCentral's HealthyPi v4 firmware.

Doubts: any bit of the lead status is taken for "lead off". The ECG's scale is that of healthypi_v3. Its
Bluetooth services look standard and are not (0x2A37 carries a lead flag where the flags belong), so the
board is read over USB only. Not tried on a real board.
"""

from chevet.devices.healthypi_v3 import ADS1292R_GAIN_MV, NUMBERS, RATE_HZ
from chevet.devices.openview import Layout, OpenView
from chevet.devices.samples import Channel

LAYOUT = Layout(
    "HealthyPi v4", 20, Channel("ECG", "mV", RATE_HZ, ADS1292R_GAIN_MV), NUMBERS, lead_off=(19, 0xFF)
)


def healthypi_v4() -> OpenView:
    """Return the driver of a HealthyPi v4 on its serial line."""
    return OpenView("healthypi-v4", LAYOUT)
