"""One quality engine for every modality: a score, usable or not, and coded reasons.

It serves live coaching (windows of 3-5 s, once a second), the accept or retake gate, and the reader's
badge. Nothing is ever thrown away because of it. Input that is merely poor (short, full of gaps, flat) gets
a verdict, not an error; only arrays of the wrong shape, type or rate raise ValueError. This file holds the
names others call.
"""

from chevet.signals.quality_ecg import ecg_quality
from chevet.signals.quality_picture import picture_quality
from chevet.signals.quality_pleth import pleth_quality
from chevet.signals.quality_sound import sound_quality
from chevet.signals.verdict import REASONS, Quality, Reason

__all__ = ["REASONS", "Quality", "Reason", "ecg_quality", "picture_quality", "pleth_quality", "sound_quality"]
