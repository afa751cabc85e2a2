"""How NumPy works on a box and at a relay; imported before NumPy is, which then reads it.

Both have many small arrays. Threads of BLAS that share one out mostly wait for each other, which costs ten
times the work on a machine that is busy with other things as well.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
