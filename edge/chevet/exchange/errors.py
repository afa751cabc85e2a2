"""What can go wrong while bundles travel."""


class ExchangeError(Exception):
    """Root of this room's errors."""


class Refused(ExchangeError):  # noqa: N818 - the word the design uses
    """Bytes from the other end were not accepted.

    Attributes:
        reason: coded word, safe to log and to send back: it never repeats bytes of the input.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"refused: {reason}")
        self.reason = reason


class BadKey(ExchangeError):  # noqa: N818 - named like Refused
    """A key file or key text cannot be read.

    Attributes:
        reason: what is wrong with it, with the remedy.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LineClosedError(ExchangeError):
    """The line was used before it was opened or after it was closed."""
