"""What can be wrong with what an instrument says. Drivers catch these and count; nobody outside sees them."""


class DeviceError(Exception):
    """Root of the errors of instruments."""


class BrokenPayload(DeviceError):  # noqa: N818 (a fact about bytes, not about us)
    """Bytes that arrived whole and yet do not say what their format demands.

    Attributes:
        what: the coded name of the message, such as "identity".
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"broken {what}")
        self.what = what
