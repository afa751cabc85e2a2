"""What the agent knows of updates: which one is there, how far one is; and the wish that one be made.

The agent cannot change its own software: it writes down which version a worker wants, and the service
`chevet-update`, which alone may write the versions' folder, does the rest and believes only the signature.
"""

import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from chevet.edge.errors import Refusal, SettingsError
from chevet.edge.settings import EdgeSettings
from chevet.edge.sticks import found_sticks
from chevet.edge.trust import replace_private
from chevet.edge.update_release import (
    VERSION,
    Here,
    Release,
    Unfit,
    UpdateKey,
    numbers,
    read_release,
    read_update_key,
    release_folders,
)
from chevet.edge.update_versions import BACK, RUNNING, Versions

WISH: Final = "update.wanted"
"""In data_dir; it holds the version alone. `edge/systemd/chevet-update.path` waits for it."""
STICK, BOX = "stick", "box"


class Offer:
    """The updates of one box, as its agent sees them."""

    def __init__(self, settings: EdgeSettings, running: str, here: Here | None = None) -> None:
        self._settings = settings
        self._running = running
        self._here = here or Here()

    @property
    def on(self) -> bool:
        """Tell whether this box is laid out for updates."""
        return self._settings.update.root is not None and self._settings.update.key_file is not None

    def shape(self, *, quiet: bool) -> dict[str, Any]:
        """Return Update of docs/api.md; reads the sticks."""
        if not self.on:
            return {"on": False, "quiet": quiet, "version": self._running}
        newest, refused = self.look()
        last = Versions(self._settings.update.root or Path()).progress()
        return {
            "on": True,
            "quiet": quiet,
            "version": self._running,
            "wanted": wish(self._settings.data_dir),
            "available": None if newest is None else self._release_shape(newest),
            "refused": [{"version": one.version, "reason": one.reason} for one in refused],
            "last": asdict(last) if last.version else None,
        }

    def look(self) -> tuple[Release | None, list[Unfit]]:
        """Return the newest release that fits and is newer than what runs, and those that are not taken."""
        try:
            key = read_update_key(self._settings.update.key_file or Path())
        except SettingsError:
            return None, []  # `chevet-edge doctor` says it; a kiosk cannot mend it
        fit, refused = list[Release](), list[Unfit]()
        for folder in self._folders():
            try:
                fit.append(self._fit(folder, key))
            except Unfit as unfit:
                if unfit.reason != "not_newer":  # a stick that has done its work may stay in
                    refused.append(unfit)
        return max(fit, key=lambda one: numbers(one.version), default=None), refused

    def want(self, version: str, *, visit_open: bool, power_low: bool) -> None:
        """Write down that a worker wants this version now.

        Raises:
            Refusal: not_found, visit_open, power_low, update_running.
        """
        if not self.on:
            raise Refusal("not_found", "Updates of this box are the installer's.", status=404)
        if visit_open:
            raise Refusal("visit_open", "A visit is open; finish it before the update.")
        if power_low:
            raise Refusal("power_low", "The battery is low; plug in the charger before the update.")
        running = Versions(self._settings.update.root or Path()).progress().state in RUNNING
        if running or wish(self._settings.data_dir):
            raise Refusal("update_running", "An update is already on its way.")
        newest, _ = self.look()
        if newest is None or newest.version != version:
            raise Refusal("not_found", "That update is not there any more; put its stick in.", status=404)
        replace_private(self._settings.data_dir / WISH, version.encode())

    def _fit(self, folder: Path, key: UpdateKey) -> Release:
        release = read_release(folder, key, self._here)
        if numbers(release.version) <= numbers(self._running):
            raise Unfit("not_newer", release.version)
        last = Versions(self._settings.update.root or Path()).progress()
        if last.state == BACK and last.version == release.version:
            raise Unfit("did_not_start", release.version)
        return release

    def _folders(self) -> list[Path]:
        places = [one.root for one in found_sticks(self._settings.sticks)]
        if self._settings.update.folder:
            places.append(self._settings.update.folder)
        return [folder for place in places for folder in release_folders(place)]

    def _release_shape(self, release: Release) -> dict[str, Any]:
        own = self._settings.update.folder
        return {
            "version": release.version,
            "by": release.by,
            "made": release.words.made,
            "bytes": release.size,
            "place": BOX if own and own in (release.folder, release.folder.parent) else STICK,
        }


def wish(data_dir: Path) -> str:
    """Return the version that somebody wants, "" for none; what is no version is no wish."""
    try:
        descriptor = os.open(data_dir / WISH, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        said = os.read(descriptor, 64).decode("ascii", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    return said if re.fullmatch(VERSION, said) else ""


def forget_wish(data_dir: Path) -> None:
    """Take the wish away: it was fulfilled, or cannot be."""
    (data_dir / WISH).unlink(missing_ok=True)
