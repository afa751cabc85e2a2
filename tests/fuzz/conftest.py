"""Lets the fuzz targets and the other rooms' examples be imported by name."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / room) for room in ("study", "devices", "exchange"))]
