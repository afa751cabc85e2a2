"""ProtoCentral HealthyPi v3: ECG, respiration, pulse oximetry and temperature on one board.

OpenView frames (type 2, 20 bytes) at 125 Hz from power-on on, USB at 115200 baud, the Raspberry Pi's own
UART at 57600. Payload: ECG i16, respiration i16, infrared i32, red i32, temperature i16 (0.01 degrees),
respiration rate, SpO2, heart rate, a constant 80, blood pressure's heart rate (a dummy), status (bit 0 lead
off, bit 1 probe open). Source: ProtoCentral's HealthyPi v3 firmware.

Doubts: the ECG's scale is that of an ADS1292R at gain 12 whose lowest byte is dropped, as in ProtoCentral's
ADS1292R code (register CH2SET = 0x60); the board also filters it (161 taps, 40 Hz), so ST segments are
approximate. SpO2 is -999 while there is none, of which the one byte sent shows 0x19; 25 % is never believed.
With the lead off the ECG is 0. Not tried on a real board.
"""

from chevet.devices.openview import Layout, Number, OpenView
from chevet.devices.samples import Channel

ADS1292R_GAIN_MV = 2420 / 12 / (2**23 - 1) * 256
"""mV a step: VREF 2.42 V, gain 12, 24 bits of which the upper 16 are sent."""
NO_SPO2 = 0x19
"""-999 in the one byte that is sent."""
RATE_HZ = 125.0
NUMBERS = (
    Number("temperature", 12, "<i2", "Cel", 50.0, 0.01),
    Number("respiration_rate", 14, "u1", "/min", 100.0),
    Number("spo2", 15, "u1", "%", 100.0, none=(NO_SPO2,)),
    Number("heart_rate", 16, "u1", "/min", 300.0),
)

LAYOUT = Layout(
    "HealthyPi v3",
    20,
    Channel("ECG", "mV", RATE_HZ, ADS1292R_GAIN_MV),
    NUMBERS,
    lead_off=(19, 0x01),
    probe_off=(19, 0x02),
)


def healthypi_v3() -> OpenView:
    """Return the driver of a HealthyPi v3 on its serial line."""
    return OpenView("healthypi-v3", LAYOUT)
