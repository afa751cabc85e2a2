"""What can be wrong with a signal handed to this room: one root, each saying the remedy."""


class SignalsError(ValueError):
    """Root of this room's errors; a `ValueError` so that callers need not know the room."""


class TooShortError(SignalsError):
    """There are fewer samples than the method needs.

    Attributes:
        seconds: how long the signal is.
        needed_s: the shortest length that works.
    """

    def __init__(self, what: str, seconds: float, needed_s: float) -> None:
        self.seconds = seconds
        self.needed_s = needed_s
        super().__init__(
            f"{what} is {seconds:.2f} s long but {needed_s:g} s are needed; record longer and try again"
        )


class NoSamplesError(SignalsError):
    """Every sample is NaN: nothing ever arrived."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} holds no sample that arrived (all NaN); check the sensor and record again")


class WrongShapeError(SignalsError):
    """The array has another shape, type or rate than the method takes.

    Attributes:
        shape: the shape that was given.
    """

    def __init__(self, what: str, shape: tuple[int, ...], remedy: str) -> None:
        self.shape = shape
        super().__init__(f"{what} has shape {shape}; {remedy}")


class WrongRateError(SignalsError):
    """The sampling rate does not allow the method.

    Attributes:
        rate_hz: the rate that was given.
    """

    def __init__(self, what: str, rate_hz: float, low_hz: float, high_hz: float) -> None:
        self.rate_hz = rate_hz
        super().__init__(
            f"{what} at {rate_hz:g} Hz cannot be used; resample it to between {low_hz:g} and {high_hz:g} Hz"
        )
