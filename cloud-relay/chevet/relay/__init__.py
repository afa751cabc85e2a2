"""The relay: ingest, archive, review API and the specialist's desk."""

import os

# Read when NumPy is loaded, which is later: a relay opens many small arrays at once, and threads that share
# one out mostly wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
