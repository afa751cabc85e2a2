"""How the box's disk is protected, in words: for `chevet-edge lock status` and the doctor."""

from dataclasses import dataclass
from pathlib import Path

from chevet.edge.covered_files import uncovered
from chevet.edge.errors import SettingsError
from chevet.edge.key_ways import beside
from chevet.edge.lock_file import Lock, read_lock
from chevet.edge.settings import EdgeSettings

TPM = Path("/sys/class/tpm/tpm0")
NONE = "not encrypted: who takes it reads recordings, names and keys"
INIT = "run `chevet-edge lock init`; docs/decisions tells what it protects from, and what it costs."
BESIDE = "covered, but {path} opens it and lies on the same disk: a stolen disk is readable"
AWAY = "put the key on a stick or into a TPM (`chevet-edge lock add-key`), then `lock remove` the old one."
LEFT = "covered, but {count} files still lie in the clear"
START = "start the agent once: it covers them."


@dataclass(frozen=True, slots=True)
class Protection:
    """How it stands; `remedy` is "" where nothing is left to do."""

    told: str
    remedy: str = ""


def protection(settings: EdgeSettings) -> Protection:
    """Look at lock and files.

    Raises:
        SettingsError: the lock file is damaged.
        OSError: a file cannot be read.
    """
    lock = read_lock(settings.data_dir)
    if lock is None:
        return Protection(NONE, "" if settings.label else INIT)
    path = settings.lock.key_file
    if path is not None and path.exists() and lock.has("key") and beside(path, settings.data_dir):
        return Protection(BESIDE.format(path=path), AWAY)
    left = len(list(uncovered(settings.data_dir)))
    if left:
        return Protection(LEFT.format(count=left), START)
    return Protection(f"encrypted (AES-256-GCM); opened by {ways(lock)}")


def ways(lock: Lock) -> str:
    """Return what opens a lock, in one line."""
    words = {"passphrase": "a passphrase", "recovery": "a recovery code", "key": "a key"}
    named = [words[slot.kind] + (f" ({slot.name})" if slot.name else "") for slot in lock.slots]
    return ", ".join(named)


def known(settings: EdgeSettings) -> Protection:
    """Return the protection, or why it cannot be told."""
    try:
        return protection(settings)
    except SettingsError as error:
        return Protection("cannot be told", error.sentence)
    except OSError as error:
        return Protection(
            f"cannot be told ({error.strerror})", "run this as the agent's user; check owner and mode."
        )
