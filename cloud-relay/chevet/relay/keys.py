"""The programme's keys and the two trust files (docs/seams.md, "Trust files").

`relay.key` signs receipts, downlink manifests and specialists' certificates; `programme.key` opens what sites
seal; `recovery.key` opens it when the other is lost and belongs off this machine; `audit.key` keys the
audit chain.
"""

import base64
import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chevet.exchange.errors import BadKey
from chevet.exchange.keys import (
    KEY_BYTES,
    kid,
    new_sealing_key,
    new_signing_key,
    private_pem,
    public_text,
    sealing_key,
    sealing_public,
    signing_key,
)
from chevet.relay.errors import SettingsError

PRIVATE_MODE = 0o600
OLDER = "programme-*.key"
RECOVERY_PUBLIC = "recovery.pub"
SiteCode = Annotated[str, Field(pattern=r"^[a-z0-9]{1,6}$")]


@dataclass(slots=True)
class ProgrammeKeys:
    """The private keys a running relay holds; `programme` and `older` are replaced in place by a rotation.

    Attributes:
        name: the programme's name.
        relay: signs receipts, manifests sent down and certificates.
        programme: opens sealed studies.
        audit: 32 bytes that key the audit chain.
        older: programme keys of earlier times, which open what was sealed to them.
        recovery: public key of the recovery key as text, whose private half belongs off this machine.
    """

    name: str
    relay: Ed25519PrivateKey
    programme: X25519PrivateKey
    audit: bytes
    recovery: str
    older: tuple[X25519PrivateKey, ...] = ()

    @property
    def recipients(self) -> dict[str, str]:
        """Return the public keys that boxes seal to, as programme.json names them."""
        return {"programme": public_text(self.programme.public_key()), "recovery": self.recovery}


class SiteFile(BaseModel):
    """The public `site.json` that `chevet-edge init` writes."""

    model_config = ConfigDict(extra="forbid", strict=True)
    v: Annotated[int, Field(ge=1, le=1)]
    site: SiteCode
    name: Annotated[str, Field(min_length=1, max_length=200)]
    phone: Annotated[str, Field(max_length=40)] = ""
    verify_key: str
    seal_key: str

    def keys(self) -> tuple[bytes, bytes]:
        """Return the raw verify and seal keys, 32 bytes each."""
        return _raw(self.verify_key, "verify_key"), _raw(self.seal_key, "seal_key")


def make_programme(folder: Path, name: str) -> None:
    """Make all keys in `folder`/keys and write the public `folder`/programme.json.

    Raises:
        SettingsError: keys exist already; they are never overwritten.
    """
    keys = folder / "keys"
    if keys.exists() and any(keys.iterdir()):
        raise SettingsError(
            str(keys), f"{keys} already holds keys: choose another folder; keys are never replaced."
        )
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    relay, programme, recovery = new_signing_key(), new_sealing_key(), new_sealing_key()
    for file, pem in (
        ("relay", private_pem(relay)),
        ("programme", private_pem(programme)),
        ("recovery", private_pem(recovery)),
    ):
        write_private(keys / f"{file}.key", pem)
    write_private(keys / "audit.key", base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
    public = {
        "v": 1,
        "programme": name,
        "relay_key": public_text(relay.public_key()),
        "recipients": {
            "programme": public_text(programme.public_key()),
            "recovery": public_text(recovery.public_key()),
        },
    }
    text = json.dumps(public, indent=2, ensure_ascii=False) + "\n"
    write_public(folder / "programme.json", text)
    write_public(keys / RECOVERY_PUBLIC, public_text(recovery.public_key()) + "\n")
    write_public(keys / "name.txt", name + "\n")


def read_programme(folder: Path) -> ProgrammeKeys:
    """Read the private keys that a running relay needs from `folder`.

    Raises:
        SettingsError: a key is missing, unreadable or readable by others.
    """
    try:
        relay = signing_key(read_private(folder / "relay.key"))
        programme = sealing_key(read_private(folder / "programme.key"))
        older = tuple(sealing_key(read_private(path)) for path in sorted(folder.glob(OLDER)))
    except BadKey as error:
        raise SettingsError(
            str(folder), f"A key in {folder} is not usable ({error}): restore the folder from its backup."
        ) from None
    audit = _raw(read_private(folder / "audit.key").decode("ascii", "replace").strip(), "audit.key")
    name = read_private(folder / "name.txt", private=False).decode("utf-8", "replace").strip()
    return ProgrammeKeys(name, relay, programme, audit, _recovery_public(folder), older)


def read_site(path: Path) -> SiteFile:
    """Read a site's public file.

    Raises:
        SettingsError: it cannot be read or is not a site file.
    """
    try:
        site = SiteFile.model_validate_json(path.read_bytes())
        site.keys()
    except OSError as error:
        raise SettingsError(str(path), f"Cannot read {path}: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SettingsError(
            str(path),
            f"{path} is no site file ({key}: {first['msg']}): bring the site.json of `chevet-edge init`.",
        ) from None
    return site


def older_name(key: X25519PrivateKey) -> str:
    """Return the file's name under which a programme key is kept when a newer one takes its place."""
    return OLDER.replace("*", kid(key.public_key()).hex())


def _recovery_public(folder: Path) -> str:
    """Return the recovery key's public half; programmes of old have it in programme.json alone."""
    for read in (_of_file, _of_programme):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, BadKey):
            text = read(folder)
            sealing_public(text)  # boxes seal to it: a damaged one must not be handed out
            return text
    raise SettingsError(
        RECOVERY_PUBLIC,
        f"{folder / RECOVERY_PUBLIC} is missing or damaged: write recipients.recovery of programme.json"
        " into it.",
    )


def _of_file(folder: Path) -> str:
    return (folder / RECOVERY_PUBLIC).read_text(encoding="ascii").strip()


def _of_programme(folder: Path) -> str:
    return str(json.loads((folder.parent / "programme.json").read_bytes())["recipients"]["recovery"])


def _raw(text: str, name: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != KEY_BYTES:
        raise SettingsError(
            name, f"{name} is no key (base64 of 32 bytes): bring the file again from where it was made."
        )
    return raw


def write_private(path: Path, data: bytes) -> None:
    """Create `path` durably, readable by its owner alone from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        _write_down(file, data)
    sync_folder(path.parent)


def write_public(path: Path, text: str) -> None:
    """Write `path` durably, for everybody to read: a power cut after it leaves no empty file."""
    with path.open("wb") as file:
        _write_down(file, text.encode())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_down(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def read_private(path: Path, *, private: bool = True) -> bytes:
    """Return a key file's bytes.

    Raises:
        SettingsError: it is missing, unreadable, or readable by others.
    """
    try:
        data = path.read_bytes()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SettingsError(
            str(path),
            f"{path} is missing: run `chevet-relay init`, or restore the folder of keys from its backup.",
        ) from None
    except OSError as error:
        raise SettingsError(str(path), f"Cannot read {path}: {error.strerror}.") from None
    if private and mode & 0o077:
        raise SettingsError(str(path), f"{path} can be read by other users: run `chmod 600 {path}`.")
    return data
