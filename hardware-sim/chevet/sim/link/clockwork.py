"""When the link is away, as told by its profile or by whoever sends a signal."""

from dataclasses import dataclass

from chevet.sim.link.profiles import Profile


@dataclass(slots=True)
class Clockwork:
    """Follows a profile's cuts and a tester's own.

    Attributes:
        profile: the link.
        by_hand: a tester cut it.
        rebinds: how often the near side's address has changed.
    """

    profile: Profile
    by_hand: bool = False
    rebinds: int = 0
    _was_cut: bool = False

    def toggle(self) -> None:
        """Cut by hand, or mend what was cut by hand."""
        self.by_hand = not self.by_hand

    def cut(self, at: float) -> bool:
        """Return whether the link is away at a time since the start."""
        return self.by_hand or self.profile.is_cut(at)

    def tick(self, at: float) -> tuple[bool, bool]:
        """Return whether the link is cut now, and whether a cut has just ended with a new address."""
        cut = self.cut(at)
        ended = self._was_cut and not cut
        self._was_cut = cut
        self.rebinds += ended and self.profile.rebind
        return cut, ended and self.profile.rebind
