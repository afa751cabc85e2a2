"""Whether bytes are one whole JPEG image."""

SOI = b"\xff\xd8\xff"
"""Start of image and the first byte of the next marker: ITU-T T.81, B.1.1.3."""
EOI = b"\xff\xd9"


def is_whole_jpeg(data: bytes) -> bool:
    """Say whether `data` begins and ends as a JPEG image; zeros that a camera pads with may follow."""
    return data.startswith(SOI) and data.rstrip(b"\0").endswith(EOI)
