"""How NumPy works at a relay; imported before NumPy is, which then reads it.

A relay opens many small arrays at once. Threads of BLAS that share one out mostly wait for each other.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
