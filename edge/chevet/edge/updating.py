"""One update, step by step: copied, installed beside what runs, switched at a quiet moment, watched.

What runs is touched by one rename alone, and only a version that answers stays: otherwise the link goes back.
After a power cut `resume` goes on from what is on the disk.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from chevet.edge.update_release import Release, Unfit, numbers, take_wheels
from chevet.edge.update_versions import (
    BACK,
    COPYING,
    DONE,
    FAILED,
    INSTALLING,
    RETURNING,
    SWITCHING,
    WAITING,
    Progress,
    Versions,
)

ROOM: Final = 4
"""Wheels, what they unpack to (about three times as much), both at once."""
QUIET_EVERY_S: Final = 5.0
LOOK_EVERY_S: Final = 3.0
STEADY: Final = 4
"""Looks in a row that must find the new version at work: one that falls again and again does not count."""


class Hands(Protocol):
    """What an update does outside its own folders."""

    def install(self, folder: Path, wheels: Sequence[Path], version: str) -> None:
        """Make an environment of the wheels. Raises Unfit("not_installed")."""

    def restart(self) -> None:
        """Start the agent anew."""

    def answering(self) -> str:
        """Return the version of the agent that answers, "" for none."""

    def quiet(self) -> bool:
        """Tell whether no visit is open and nobody calls."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def monotonic(self) -> float:
        """Return seconds."""

    def now_ms(self) -> int:
        """Return the time of day."""


class Updating:
    """Brings one release to one box.

    Attributes:
        within_s: how long a new version has to answer.
    """

    def __init__(self, versions: Versions, hands: Hands, within_s: float) -> None:
        self._versions = versions
        self._hands = hands
        self.within_s = within_s

    def apply(self, release: Release) -> Progress:
        """Bring a release all the way; return what it came to.

        Raises:
            Unfit: it was not taken; what runs was not touched.
        """
        if numbers(release.version) <= numbers(self._versions.current()):
            raise Unfit("not_newer", release.version)
        try:
            self._stage(release)
        except (Unfit, OSError) as error:
            unfit = error if isinstance(error, Unfit) else Unfit("not_installed", release.version)
            self._versions.drop(release.version)
            self._versions.clear_wheels()
            self._tell(FAILED, release.version, reason=unfit.reason)
            raise unfit from None
        return self._turn(release.version)

    def resume(self) -> Progress:
        """Go on after a power cut; return what there is to tell."""
        seen = self._versions.progress()
        self._versions.clear_wheels()
        if seen.state in (COPYING, INSTALLING):
            self._versions.drop(seen.version)
            return self._tell(FAILED, seen.version, reason="interrupted")
        if seen.state == RETURNING:
            return self._go_back(seen)
        if seen.state in (WAITING, SWITCHING) and self._versions.current() != seen.version:
            return self._turn(seen.version)
        if seen.state == SWITCHING:
            return self._watch(seen)  # the start after the power cut was the new version's first
        return seen

    def roll_back(self) -> Progress:
        """Go back to the version before, because a person wants it.

        Raises:
            Unfit: `missing`: there is no older one beside the current one.
        """
        now = numbers(self._versions.current())
        older = [one for one in self._versions.others() if numbers(one) < now]
        if not older:
            raise Unfit("missing")
        return self._turn(older[-1])

    def _stage(self, release: Release) -> None:
        version, versions = release.version, self._versions
        versions.keep_only(*versions.others()[-1:])
        if shutil.disk_usage(versions.root).free < ROOM * release.size:
            raise Unfit("no_room", version)
        self._tell(COPYING, version)
        versions.drop(version)
        told = _Steps(lambda percent: self._tell(COPYING, version, percent=percent), release.size)
        wheels = take_wheels(release, versions.wheels(), told.at)
        self._tell(INSTALLING, version)
        self._hands.install(versions.folder(version), wheels, version)
        versions.seal(version)
        versions.clear_wheels()

    def _turn(self, version: str) -> Progress:
        """Wait for a quiet moment, let the link name `version`, and see whether it works."""
        before = self._versions.current()
        self._tell(WAITING, version, before)
        while not self._hands.quiet():
            self._hands.sleep(QUIET_EVERY_S)
        going = self._tell(SWITCHING, version, before)
        self._versions.switch(version)
        self._hands.restart()
        return self._watch(going)

    def _watch(self, going: Progress) -> Progress:
        until = self._hands.monotonic() + self.within_s
        steady = 0
        while steady < STEADY and self._hands.monotonic() < until:
            self._hands.sleep(LOOK_EVERY_S)
            steady = steady + 1 if self._hands.answering() == going.version else 0
        if steady < STEADY:
            return self._go_back(self._tell(RETURNING, going.version, going.before))
        self._versions.keep_only(going.version, going.before)
        return self._tell(DONE, going.version, going.before, percent=100)

    def _go_back(self, going: Progress) -> Progress:
        self._versions.switch(going.before)
        self._hands.restart()
        told = self._tell(BACK, going.version, going.before, reason="did_not_start")
        self._versions.drop(going.version)  # nobody shall go back to that one
        return told

    def _tell(
        self, state: str, version: str, before: str = "", *, percent: int = 0, reason: str = ""
    ) -> Progress:
        told = Progress(state, version, before, percent, reason, self._hands.now_ms())
        self._versions.tell(told)
        return told


class _Steps:
    """Tells each tenth once: every telling is a write to the disk."""

    def __init__(self, tell: Callable[[int], object], size: int) -> None:
        self._tell = tell
        self._size = max(size, 1)
        self._told = 0

    def at(self, done: int) -> None:
        """Take note of `done` bytes."""
        percent = 10 * (10 * done // self._size)
        if percent > self._told:
            self._told = percent
            self._tell(percent)
