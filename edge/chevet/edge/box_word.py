"""How the box's own user asks the running agent without a worker's PIN: a word in a file of that user.

Only who may read `data_dir` (the user of the agent) can read the file, so the word proves no more than that.
It opens one call, GET /api/devices, which tells nothing of any patient.
"""

import contextlib
import fcntl
import os
import secrets
from pathlib import Path

NAME = "agent.word"
SCHEME = "Box "
"""What stands before the word in the header Authorization."""


def new_word(data_dir: Path) -> str:
    """Make this run's word and write it where its user alone reads it."""
    word = secrets.token_urlsafe(32)
    fresh = data_dir / f"{NAME}.new"
    fresh.unlink(missing_ok=True)
    fresh.touch(0o600, exist_ok=False)
    fresh.write_text(word, "ascii")
    fresh.replace(data_dir / NAME)
    return word


def forget_word(data_dir: Path) -> None:
    """Remove the word at the end of a run; the next run makes another."""
    with contextlib.suppress(OSError):
        (data_dir / NAME).unlink(missing_ok=True)


def is_word(header: str | None, word: str) -> bool:
    """Tell whether a header Authorization carries this run's word; "" as the word opens nothing."""
    given = (header or "").removeprefix(SCHEME)
    return bool(word) and secrets.compare_digest(given.encode(), word.encode()) and header != given


def agent_runs(data_dir: Path) -> bool:
    """Tell whether an agent holds this folder now (its lock, so also one that does not answer)."""
    try:
        descriptor = os.open(data_dir / "agent.lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
