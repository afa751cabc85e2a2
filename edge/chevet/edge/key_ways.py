"""How the box comes by the key of its disk at a start: what systemd or a stick brings, else a person."""

import os
from pathlib import Path
from typing import Final

from chevet.edge.at_rest import DataKey
from chevet.edge.errors import SettingsError
from chevet.edge.lock_file import Lock
from chevet.edge.settings import EdgeSettings

CREDENTIALS: Final = ("chevet-edge.key", "chevet-edge.passphrase")
"""Names of systemd's credentials (LoadCredentialEncrypted=, LoadCredential=); the first a TPM can keep."""
_LARGEST: Final = 4096


def brought(settings: EdgeSettings, lock: Lock) -> DataKey | None:
    """Return the key by what needs no person; None where nothing was brought (yet).

    Raises:
        SettingsError: something was brought and does not fit this box.
    """
    for path in places(settings):
        try:
            with path.open(encoding="utf-8") as file:
                said = file.read(_LARGEST)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{path} cannot be read ({type(error).__name__}); check owner and mode."
            ) from None
        key = lock.open(said)
        if key is None:
            raise SettingsError(
                f"{path} does not open this box: it is of another one, or was removed from its lock;"
                " `chevet-edge lock status` tells what opens it."
            )
        return key
    return None


def places(settings: EdgeSettings) -> list[Path]:
    """Return the files that would open the box, the first that is there counts."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    found = [Path(folder) / name for name in CREDENTIALS] if folder else []
    return [*found, *([settings.lock.key_file] if settings.lock.key_file else [])]


def beside(path: Path, data_dir: Path) -> bool:
    """Tell whether a key file lies on the disk that it opens; then it protects no disk that is stolen."""
    there = next(one for one in (path, *path.parents) if one.exists())
    return there.stat().st_dev == data_dir.stat().st_dev
