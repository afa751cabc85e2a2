"""The box's keys, and whom it trusts: site.json, programme.json (docs/seams.md, "Trust files")."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chevet.edge.errors import SettingsError
from chevet.edge.journal import sync_folder
from chevet.exchange.errors import BadKey
from chevet.exchange.keys import (
    new_sealing_key,
    new_signing_key,
    private_pem,
    public_text,
    sealing_key,
    sealing_public,
    signing_key,
    signing_public,
)
from chevet.exchange.sealing import Recipient
from chevet.study.case import Author, Signature, author_bytes

SIGN_KEY, SEAL_KEY, SITE_FILE = "keys/sign.key", "keys/seal.key", "site.json"
T = TypeVar("T", bound=BaseModel)


class _SiteFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    v: Literal[1]
    site: Annotated[str, Field(pattern=r"^[a-z0-9]{1,6}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    phone: Annotated[str, Field(max_length=40)] = ""
    verify_key: str
    seal_key: str


class _Recipients(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    programme: str
    recovery: str


class _ProgrammeFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    v: Literal[1]
    programme: str
    relay_key: str
    recipients: _Recipients


@dataclass(frozen=True, slots=True)
class Site:
    """This health centre and the keys of its box.

    Attributes:
        code: at most 6 characters a-z and 0-9.
        signer: signs manifests and receipts.
        opener: opens what is sealed to this site.
    """

    code: str
    name: str
    phone: str
    signer: Ed25519PrivateKey
    opener: X25519PrivateKey


@dataclass(frozen=True, slots=True)
class Programme:
    """The organisation behind the relay: `relay_key` vouches for receipts, answers and specialists."""

    name: str
    relay_key: Ed25519PublicKey
    recipients: tuple[Recipient, ...]


def make_site(data_dir: Path, code: str, name: str, phone: str = "") -> Path:
    """Make the box's keys (0600) and the public site.json; return the latter's path.

    Raises:
        SettingsError: the box has keys already, or the code, name or phone will not do.
    """
    if (data_dir / SIGN_KEY).exists() or (data_dir / SEAL_KEY).exists():
        raise SettingsError(
            f"{data_dir} already holds keys; they are never replaced, choose another data_dir."
        )
    signer, opener = new_signing_key(), new_sealing_key()
    words = {
        "v": 1,
        "site": code,
        "name": name,
        "phone": phone,
        "verify_key": public_text(signer.public_key()),
        "seal_key": public_text(opener.public_key()),
    }
    try:
        _SiteFile.model_validate(words)
    except ValidationError as error:
        raise SettingsError(_complaint("site", error)) from None
    (data_dir / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
    data_dir.chmod(0o700)
    write_private(data_dir / SIGN_KEY, private_pem(signer))
    write_private(data_dir / SEAL_KEY, private_pem(opener))
    public = data_dir / SITE_FILE
    write_private(public, (json.dumps(words, indent=2, ensure_ascii=False) + "\n").encode())
    return public


def read_site(data_dir: Path) -> Site:
    """Read the box's identity and keys.

    Raises:
        SettingsError: missing, damaged, or readable by others.
    """
    words = _parsed(data_dir / SITE_FILE, _SiteFile, "make it with `chevet-edge init`")
    signer = _private(data_dir / SIGN_KEY)
    opener = _private(data_dir / SEAL_KEY)
    try:
        site = Site(words.site, words.name, words.phone, signing_key(signer), sealing_key(opener))
    except BadKey as error:
        raise SettingsError(f"The keys in {data_dir / 'keys'} cannot be used: {error.reason}.") from None
    if public_text(site.signer.public_key()) != words.verify_key:
        raise SettingsError(
            f"{data_dir / SITE_FILE} does not belong to the keys beside it; restore both together."
        )
    return site


def read_programme(path: Path) -> Programme:
    """Read whom this box trusts and seals to.

    Raises:
        SettingsError: missing or damaged.
    """
    words = _parsed(path, _ProgrammeFile, "bring the programme.json of `chevet-relay init`")
    try:
        recipients = (
            Recipient("programme", sealing_public(words.recipients.programme)),
            Recipient("recovery", sealing_public(words.recipients.recovery)),
        )
        return Programme(words.programme, signing_public(words.relay_key), recipients)
    except BadKey as error:
        raise SettingsError(f"{path}: {error.reason}; bring the file again from the relay.") from None


def vouched(author: Author, signature: Signature, signed: bytes, relay_key: Ed25519PublicKey) -> bool:
    """Tell whether `author` signed these bytes, and the programme certifies that this key is the author's."""
    try:
        relay_key.verify(signature.certificate, author_bytes(author, signature.public_key))
        Ed25519PublicKey.from_public_bytes(signature.public_key).verify(signature.value, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def write_private(path: Path, data: bytes) -> None:
    """Create `path` durably, readable by its owner alone from the first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _private(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read ({error.strerror}); make it with `chevet-edge init` or restore it."
        ) from None
    if mode & 0o077:
        raise SettingsError(f"{path} can be read by other users; run `chmod 600 {path}`.")
    return data


def _parsed(path: Path, shape: type[T], remedy: str) -> T:
    try:
        return shape.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); {remedy}.") from None
    except ValidationError as error:
        raise SettingsError(f"{_complaint(str(path), error)}; {remedy}.") from None


def _complaint(what: str, error: ValidationError) -> str:
    first: Any = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    return f"{what}: '{where}' is wrong ({first['msg']})"
