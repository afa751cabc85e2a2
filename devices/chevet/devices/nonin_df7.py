"""Nonin OEM III and Xpod in serial data format 7: format 2 with a 16-bit pleth.

75 frames a second of five bytes, `STATUS PLETH_MSB PLETH_LSB DATA CHK`; packets, STATUS and DATA as in
format 2. 9600 baud 8N1, the module starts by itself. Source: Nonin OEM III specification, as used by
OpenICE and diozero's NoninPulseOx.

Doubts: as in `nonin_df2`. There is no start byte, and any byte may look like STATUS: after a break (and at
the beginning) a frame is believed only when two more valid ones follow it, which by chance happens about
once in a thousand million places. In an unbroken stream a damaged frame passes its 8-bit checksum once in
256.
"""

from chevet.devices.nonin_df2 import RATE_HZ, Layout, NoninDf2
from chevet.devices.samples import Channel

OFFSET = 32768
"""Pleth goes from 0 to 65535; less this it fits int16."""
CONFIRM_FRAMES = 2


def _read_df7(frame: bytearray) -> tuple[int, int, int] | None:
    status, high, low, data, check = frame
    if status >= 0x80 and data < 0x80 and sum(frame[:4]) & 0xFF == check:
        return status, high << 8 | low, data
    return None


DF7 = Layout(
    "nonin-df7", "Nonin DF7", (Channel("pleth", "1", RATE_HZ, 1.0, OFFSET),), _read_df7, CONFIRM_FRAMES
)


def nonin_df7() -> NoninDf2:
    """Return the driver of format 7: SampleBlocks of 5, int16, offset 32768."""
    return NoninDf2(DF7)
