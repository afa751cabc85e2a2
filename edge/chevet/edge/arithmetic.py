"""How NumPy works on a box; imported before NumPy is, which then reads it.

The arrays of a box are small. Threads of BLAS that share one out mostly wait for each other, which costs ten
times the work on a machine that is busy with instruments and screens as well.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
