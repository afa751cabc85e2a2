"""A box that was in the clear until now is brought under its key, file by file.

Every file is replaced in one step by its covered form, and what is covered already is passed over: after a
power cut the next start goes on where it ended. The database does its own part in one transaction
(covered_rows). Bundles in the spool are sealed to the programme since they were made, and stay as they are.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization

from chevet.edge.at_rest import FILE_MARK, DataKey, cover_file
from chevet.edge.journal import sync_folder
from chevet.edge.journal_frames import begin, is_covered, records
from chevet.edge.trust import replace_private

KEY_FILES: Final = ("sign.key", "seal.key", "tls.pem")
_PLAIN_KEY: Final = b"-----BEGIN PRIVATE KEY-----"
_KEY_ENDS: Final = b"-----END PRIVATE KEY-----\n"


def uncovered(data_dir: Path) -> Iterator[Path]:
    """Yield the files that still lie in the clear, besides the database."""
    for name in KEY_FILES:
        path = data_dir / "keys" / name
        if path.exists() and _PLAIN_KEY in path.read_bytes():
            yield path
    for path in sorted((data_dir / "journals").glob("*")):
        if path.suffix == ".journal":
            with path.open("rb") as file:
                plain = not is_covered(file)
        else:
            plain = not _begins_covered(path)
        if plain:
            yield path
    yield from (path for path in sorted((data_dir / "imports").glob("*")) if not _begins_covered(path))


def bring_forward(data_dir: Path, key: DataKey) -> int:
    """Cover every file that lies in the clear; return how many there were.

    Raises:
        OSError: the disk is full or gone; nothing is lost, and the rest is done at the next start.
    """
    for folder in ("keys", "journals", "imports"):
        for left in (data_dir / folder).glob(".*.new"):  # of a power cut while one was replaced
            left.unlink()
    count = 0
    for path in uncovered(data_dir):
        _cover(path, key)
        count += 1
    return count


def _cover(path: Path, key: DataKey) -> None:
    if path.parent.name == "keys":
        replace_private(path, _covered_pem(path.read_bytes(), key))
    elif path.suffix == ".journal":
        _cover_journal(path, key)
    elif path.suffix == ".ecg":
        replace_private(path, cover_file(key, path.read_bytes(), f"{path.parent.name}/{path.name}"))
    else:  # copies to listen to and look at: they are made again
        path.unlink()


def _covered_pem(pem: bytes, key: DataKey) -> bytes:
    begins = pem.index(_PLAIN_KEY)
    ends = pem.index(_KEY_ENDS, begins) + len(_KEY_ENDS)
    private = serialization.load_pem_private_key(pem[begins:ends], None)
    covered = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(key.password),
    )
    return pem[:begins] + covered + pem[ends:]


def _cover_journal(path: Path, key: DataKey) -> None:
    """Write the journal's whole records anew, one at a time; its torn tail tells nothing and is left out."""
    fresh = path.with_name(f".{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out, path.open("rb") as file:
        head, framed = begin(key, secrets.token_bytes)
        out.write(head)
        for kind, body, _ in records(file, None):
            out.write(framed(kind, body))
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def _begins_covered(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(FILE_MARK)) == FILE_MARK
