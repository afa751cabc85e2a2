"""QR codes in a camera's pictures: whatever camera there is reads a card, where no scanner is."""

import cv2
import numpy as np

WIDEST = 1280
"""Pixels: wider pictures are looked at smaller, since a card held before a camera fills it."""


def read_qr(jpeg: bytes) -> str:
    """Return the text of a QR code in an encoded picture, "" where none can be read.

    Bytes that are no picture hold no code.
    """
    if not jpeg:
        return ""
    grey = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        return ""
    if grey.shape[1] > WIDEST:
        scale = WIDEST / grey.shape[1]
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    try:
        text, _, _ = cv2.QRCodeDetector().detectAndDecode(grey)
    except (cv2.error, UnicodeDecodeError):
        return ""  # a code that was found but cannot be read
    return str(text)
