"""The settings of sticks and updates: `[sticks]` and `[update]` in edge.toml."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_Word = Annotated[str, Field(min_length=1, max_length=256)]


class SticksSettings(BaseModel):
    """Where USB sticks come up.

    Attributes:
        places: below them, at most two folders deep, whatever is a mount of its own is a stick.
        folders: taken for a stick whenever they are there, mounted or not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    places: tuple[Path, ...] = (Path("/media"), Path("/run/media"))
    folders: tuple[Path, ...] = ()


class UpdateSettings(BaseModel):
    """How this box gets new versions.

    Attributes:
        root: holds `versions/` and the link `current` that the service starts; None: updates are the
            installer's alone.
        key_file: the public key that updates must be signed with, from `chevet-edge update key`.
        folder: looked into for updates beside the sticks; whoever looks after the box puts them there.
        restart: the command that starts the agent anew.
        within_s: a new version that does not answer within these seconds is left again for the one before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    root: Path | None = None
    key_file: Path | None = None
    folder: Path | None = None
    restart: tuple[_Word, ...] = ("systemctl", "restart", "chevet-edge.service")
    within_s: float = Field(default=180.0, ge=1, le=3600)
