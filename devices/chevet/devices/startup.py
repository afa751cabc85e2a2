"""What has to be said to an instrument before it streams, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One command.

    Attributes:
        command: its bytes.
        wait_s: how long an answer may take before the command is repeated; without an answer to wait for,
            the pause before the next step.
        answered: whether the device answers it.
    """

    command: bytes
    wait_s: float
    answered: bool = True


class Startup:
    """Sends steps one after the other, each repeated until it was answered.

    A step that goes on unanswered after `patience` repeats begins the whole start again: the device may
    have been switched off and on.
    """

    def __init__(self, steps: Sequence[Step], patience: int = 4, silent_s: float = 3.0) -> None:
        """Start with nothing said.

        Args:
            steps: in order, at least one.
            patience: repeats of one step before all begins again.
            silent_s: a device that streamed and then says nothing for so long has to be started again.
        """
        self._steps = tuple(steps)
        self._patience = patience
        self._silent_s = silent_s
        self.restart()

    def restart(self) -> None:
        """Begin again with the first step; `due` will give it."""
        self._place = 0
        self._sent_at: float | None = None
        self._tries = 0
        self._held_until: float | None = None
        self._heard_at = 0.0

    def begin(self) -> bytes:
        """Begin again and return the first command, to be sent at once."""
        self.restart()
        self._tries = 1
        return self._steps[0].command

    @property
    def waiting_for(self) -> bytes:
        """The command that was sent last, or is due next; nothing when all is said."""
        return self._steps[self._place].command if self._place < len(self._steps) else b""

    @property
    def done(self) -> bool:
        """Whether all is said."""
        return self._place >= len(self._steps)

    def answered(self, command: bytes) -> bool:
        """Take the answer to `command`; return whether it was waited for."""
        if self.done or not self._tries or self.waiting_for != command:
            return False
        self._advance()
        return True

    def hear(self, at: float) -> None:
        """Take note that the device streams: nothing more needs to be said."""
        self._place = len(self._steps)
        self._heard_at = at

    def pause(self, at: float, seconds: float) -> None:
        """Begin again, but not before `seconds` have passed: the device has refused."""
        self.restart()
        self._held_until = at + seconds

    def due(self, at: float) -> bytes:
        """Return the command due at host time `at`, mostly nothing."""
        if self._held_until is not None:
            if at < self._held_until:
                return b""
            self._held_until = None
        if self.done:
            if at - self._heard_at < self._silent_s:
                return b""
            self.restart()
        if self._tries and self._sent_at is None:  # begin() has just sent it
            self._sent_at = at
        step = self._steps[self._place]
        if self._sent_at is not None and at - self._sent_at < step.wait_s:
            return b""
        if self._sent_at is not None and not step.answered:
            self._advance()
        elif self._tries >= self._patience:
            self.restart()
        return self._send(at)

    def _advance(self) -> None:
        self._place += 1
        self._sent_at = None
        self._tries = 0

    def _send(self, at: float) -> bytes:
        if self.done:
            return b""
        self._sent_at = at
        self._tries += 1
        return self._steps[self._place].command
