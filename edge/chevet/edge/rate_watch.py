"""A device that lies about its rate, caught by its samples and this box's clock."""

from chevet.bridge.clock import DeviceClock
from chevet.devices.samples import Notice, SampleBlock

SETTLING_S = 2.0
"""What waited in buffers when the link was opened arrives at once and says nothing about a rate."""
SPAN_S = 12.0
TOLERANCE = 0.01
"""A crystal errs by less than 0.01 %; 1 % already moves a QT interval by 4 ms."""
BACK_TO_GOOD = 0.005
SIGMAS = 4.0
"""So many standard errors of the fit must lie between the rate and the tolerance: jitter is no lie."""


class RateWatch:
    """Compares the rate a device claims for its first channel with the one it keeps.

    Attributes:
        measured_hz: the rate by this box's clock, None while too little is known.
        wrong: it is more than 1 % off.
    """

    def __init__(self) -> None:
        self.measured_hz: float | None = None
        self.wrong = False
        self.begin()

    def begin(self) -> None:
        """Begin anew with another connection; what was found out stays until it is known better."""
        self._clock: DeviceClock | None = None
        self._main: tuple[str, ...] = ()
        self._since: float | None = None

    def believe(self, notice: Notice) -> None:
        """Take the driver's own word that the rate is wrong."""
        self.wrong = notice.on

    def take(self, block: SampleBlock) -> Notice | None:
        """Take a block; return the notice `rate_wrong` when the verdict changes."""
        names = tuple(channel.name for channel in block.channels)
        if self._since is None:
            self._since, self._main = block.at, names
        if names != self._main or block.at - self._since < SETTLING_S:
            return None
        rate_hz = block.channels[0].rate_hz
        if self._clock is None or self._clock.nominal_hz != rate_hz:
            self._clock = DeviceClock(rate_hz)
        self._clock.add(block.first + block.values.shape[1], block.at)
        return self._judged(self._clock, block.at)

    def _judged(self, clock: DeviceClock, at: float) -> Notice | None:
        if clock.span_s < SPAN_S:
            return None
        self.measured_hz = clock.rate_hz
        error, doubt = abs(clock.error), SIGMAS * clock.error_doubt
        wrong = error + doubt > BACK_TO_GOOD if self.wrong else error - doubt > TOLERANCE
        if wrong == self.wrong:
            return None
        self.wrong = wrong
        detail = f"nominal={clock.nominal_hz:g};measured={clock.rate_hz:.2f}"
        return Notice("rate_wrong", at, on=wrong, detail=detail)
