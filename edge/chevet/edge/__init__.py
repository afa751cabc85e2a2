"""The agent at the bedside: capture, visit, spool, uplink, and the kiosk's API."""

import os

# Read when NumPy is loaded, which is later. The arrays of a box are small: threads that share one out mostly
# wait for each other, ten times the work on a machine that is busy with instruments and screens as well.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
