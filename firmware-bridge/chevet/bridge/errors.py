"""What can go wrong with a link, with a coded reason and the remedy in words."""

REMEDIES = {
    "not_found": "nothing answers there; check that the instrument is plugged in and switched on",
    "busy": "another program uses it; close that program or unplug and replug the instrument",
    "no_permission": "this user may not open it; add it to the group dialout (serial), video or audio",
    "no_adapter": "no usable Bluetooth here; plug in or switch on an adapter and start bluetoothd",
    "unknown_scheme": "links: serial:, socket:, ble:, mjpeg:, v4l2:, picamera:, wificam:, alsa:, tape:",
    "bad_url": "the link is misspelt; see docs/instruments.md for the form of each link",
    "wrong_device": "something answers there, but it is not the instrument expected",
    "wrong_format": "the sound card does not record like that; try another rate=, bits= or channels=",
    "no_library": "software is missing; install alsa-utils (sound card) or python3-picamera2 (Pi camera)",
    "failed": "the system refused; see the log for its reason",
    "unplugged": "the instrument was unplugged or switched off",
    "disconnected": "the radio connection ended; bring the instrument nearer or check its battery",
    "ended": "the other end stopped sending",
    "stalled": "the other end no longer takes what is sent; unplug and replug the instrument",
    "not_writable": "the link names no characteristic to write to; add write=UUID",
    "write_refused": "the instrument does not take what was written; pair it (pair=1) or correct write=UUID",
    "closed": "the link was closed here",
}


class LinkError(Exception):
    """Root of all errors of links.

    Attributes:
        url: the link's URL.
        reason: one of the keys of REMEDIES.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {REMEDIES.get(reason, reason)}")
        self.url = url
        self.reason = reason


class LinkUnavailable(LinkError):  # noqa: N818 (a state of the link, as the other rooms name it)
    """The link could not be opened."""


class LinkLost(LinkError):  # noqa: N818
    """The link was open and has ended; a new one must be opened."""
