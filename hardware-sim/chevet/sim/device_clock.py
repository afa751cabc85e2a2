"""A device's own clock, which may run fast or slow against the host's."""

import time
from collections.abc import Callable


class DeviceClock:
    """Seconds as a device counts them; they pass at `speed` host seconds' worth a second.

    Args:
        host: the host's monotonic clock.
    """

    def __init__(self, host: Callable[[], float] = time.monotonic) -> None:
        self._host = host
        self._speed = 1.0
        self._device_s = self._host_s = host()

    def __call__(self) -> float:
        """Return the device's time now."""
        return self._device_s + (self._host() - self._host_s) * self._speed

    @property
    def speed(self) -> float:
        """How many of its seconds pass in one of the host's."""
        return self._speed

    def run_at(self, speed: float) -> None:
        """Run at another speed from now on; time does not jump.

        Raises:
            ValueError: a speed that is not positive.
        """
        if speed <= 0:
            raise ValueError("a clock runs forwards: the speed is above 0")
        self._device_s, self._host_s = self(), self._host()
        self._speed = speed

    def at(self, host_s: float) -> float:
        """Return what this clock shows at the host's time `host_s`, at its present speed."""
        return self._device_s + (host_s - self._host_s) * self._speed

    def host_of(self, device_s: float) -> float:
        """Return the host's time at which this clock shows `device_s`, at its present speed."""
        return self._host_s + (device_s - self._device_s) / self._speed
