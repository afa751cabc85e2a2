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

from chevet.edge.at_rest import DataKey
from chevet.edge.errors import SettingsError
from chevet.edge.journal import sync_folder
from chevet.exchange.enrolment import ProgrammeFile
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

CARRY = "bring the programme.json of `chevet-relay init`"
REMEDY = "make it with `chevet-edge enrol` or `chevet-edge init`"
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
class Keys:
    """The box's own keys: `signer` signs manifests and receipts, `opener` opens what is sealed to it."""

    signer: Ed25519PrivateKey
    opener: X25519PrivateKey


@dataclass(slots=True)
class Programme:
    """The organisation behind the relay: `relay_key` vouches for receipts, answers and specialists.

    Whom studies are sealed to is replaced in place by `renew`: the next study is for them.

    Attributes:
        recipients: of every study.
        sealed: the relay cannot open studies; `specialists` can.
        specialists: their specialties and keys; none in processing mode.
    """

    name: str
    relay_key: Ed25519PublicKey
    recipients: tuple[Recipient, ...]
    sealed: bool = False
    specialists: tuple[tuple[str, Recipient], ...] = ()

    def recipients_for(self, specialty: str) -> tuple[Recipient, ...]:
        """Return whom a study is sealed to besides the site itself.

        In a sealed programme the specialists of the specialty asked; all of them where it has none, so that
        somebody can read and pass it on.
        """
        asked = tuple(one for of, one in self.specialists if of == specialty)
        return (*self.recipients, *(asked or tuple(one for _, one in self.specialists)))

    def renew(self, fresh: "Programme") -> None:
        """Seal to whom `fresh` names from now on."""
        self.recipients, self.sealed = fresh.recipients, fresh.sealed
        self.specialists = fresh.specialists


def make_site(data_dir: Path, code: str, name: str, phone: str = "") -> Path:
    """Make the box's keys (0600) and the public site.json; return the latter's path.

    Raises:
        SettingsError: the box has keys already, or the code, name or phone will not do.
    """
    if (data_dir / SIGN_KEY).exists() or (data_dir / SEAL_KEY).exists():
        raise SettingsError(
            f"{data_dir} already holds keys; they are never replaced, choose another data_dir."
        )
    _checked_words(code, name, phone, "", "")
    return keep_site(data_dir, keep_keys(data_dir), code, name, phone)


def keep_keys(data_dir: Path, key: DataKey | None = None) -> Keys:
    """Return the box's keys, made (0600) where there are none; they are never replaced.

    Args:
        data_dir: the box's folder.
        key: of its disk, whose password the private keys have then.

    Raises:
        SettingsError: one is damaged, readable by others, or not of this key.
    """
    (data_dir / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
    data_dir.chmod(0o700)
    for path, fresh in ((SIGN_KEY, new_signing_key), (SEAL_KEY, new_sealing_key)):
        if not (data_dir / path).exists():
            replace_private(data_dir / path, private_pem(fresh(), key.password if key else None))
    return read_keys(data_dir, key)


def read_keys(data_dir: Path, key: DataKey | None = None) -> Keys:
    """Read the box's keys.

    Raises:
        SettingsError: missing, damaged, readable by others, or not of this key.
    """
    signer, opener = _private(data_dir / SIGN_KEY), _private(data_dir / SEAL_KEY)
    password = key.password if key else None
    try:
        return Keys(signing_key(signer, password), sealing_key(opener, password))
    except BadKey as error:
        raise SettingsError(f"The keys in {data_dir / 'keys'} cannot be used: {error.reason}.") from None


def keep_site(data_dir: Path, keys: Keys, code: str, name: str, phone: str) -> Path:
    """Write the public site.json that belongs to the keys; return its path.

    Raises:
        SettingsError: the code, name or phone will not do.
    """
    verify, seal = public_text(keys.signer.public_key()), public_text(keys.opener.public_key())
    words = _checked_words(code, name, phone, verify, seal)
    replace_private(data_dir / SITE_FILE, (json.dumps(words, indent=2, ensure_ascii=False) + "\n").encode())
    return data_dir / SITE_FILE


def known_site(data_dir: Path) -> str:
    """Return the code of the site this box is, "" when it is none yet.

    Raises:
        SettingsError: site.json is damaged.
    """
    if not (data_dir / SITE_FILE).exists():
        return ""
    return _parsed(data_dir / SITE_FILE, _SiteFile, REMEDY).site


def known_name(data_dir: Path) -> str:
    """Return the health centre's name for a screen, "" when it is not known."""
    try:
        return _parsed(data_dir / SITE_FILE, _SiteFile, REMEDY).name
    except SettingsError:
        return ""


def keep_programme(path: Path, words: ProgrammeFile) -> None:
    """Write programme.json where it is missing or has changed.

    Raises:
        SettingsError: the one there is of another programme, or it cannot be written.
    """
    text = json.dumps(words.model_dump(), indent=2, ensure_ascii=False) + "\n"
    _usable(words, "what the relay gave")  # or the box could not start again
    try:
        _same_relay(path, words)
        _never_back(path, words)
        if not path.exists() or json.loads(path.read_bytes()) != words.model_dump():
            replace_private(path, text.encode())
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written ({error.strerror}); give this user its folder, or change `programme`."
        ) from None


def _same_relay(path: Path, words: ProgrammeFile) -> None:
    if path.exists() and public_text(read_programme(path).relay_key) != words.relay_key:
        raise SettingsError(
            f"{path} is of another programme, whose studies may still be on this box; choose another data_dir"
            " and another `programme` for the new one."
        )


def _never_back(path: Path, words: ProgrammeFile) -> None:
    """Refuse what would let more people open studies than this box was told last."""
    if not path.exists():
        return
    held = _parsed(path, ProgrammeFile, CARRY)
    if held.mode == "sealed" and words.mode != "sealed":
        raise SettingsError(
            f"{path} says that the relay must not open studies, and now the relay asks for it; if the"
            " programme has decided that, remove the file and enrol this box again."
        )
    if held.mode == words.mode == "sealed" and words.roster < held.roster:
        raise SettingsError(
            f"the relay gave roster {words.roster} of specialists, older than {held.roster} in {path}; ask"
            " the programme whether its archive was set back."
        )


def _checked_words(code: str, name: str, phone: str, verify: str, seal: str) -> dict[str, object]:
    words: dict[str, object] = {
        "v": 1,
        "site": code,
        "name": name,
        "phone": phone,
        "verify_key": verify,
        "seal_key": seal,
    }
    try:
        _SiteFile.model_validate(words)
    except ValidationError as error:
        raise SettingsError(_complaint("site", error)) from None
    return words


def read_site(data_dir: Path, key: DataKey | None = None) -> Site:
    """Read the box's identity and keys.

    Raises:
        SettingsError: missing, damaged, readable by others, or not of this key.
    """
    words = _parsed(data_dir / SITE_FILE, _SiteFile, REMEDY)
    keys = read_keys(data_dir, key)
    site = Site(words.site, words.name, words.phone, keys.signer, keys.opener)
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
    return _usable(_parsed(path, ProgrammeFile, CARRY), str(path))


def _usable(words: ProgrammeFile, source: str) -> Programme:
    sealed = words.mode == "sealed"
    if "recovery" not in words.recipients or (len(words.recipients) == 1 and not sealed):
        raise SettingsError(
            f"{source}: the recovery key or the programme's own is missing; bring the file from the relay."
        )
    try:
        recipients = tuple(Recipient(name, sealing_public(key)) for name, key in words.recipients.items())
        specialists = tuple(
            (one.specialty, Recipient(one.id, sealing_public(one.seal_key))) for one in words.specialists
        )
        relay_key = signing_public(words.relay_key)
        return Programme(words.programme, relay_key, recipients, sealed, specialists)
    except BadKey as error:
        raise SettingsError(f"{source}: {error.reason}; bring the file again from the relay.") from None


def vouched(author: Author, signature: Signature, signed: bytes, relay_key: Ed25519PublicKey) -> bool:
    """Tell whether `author` signed these bytes, and the programme certifies that this key is the author's."""
    try:
        relay_key.verify(signature.certificate, author_bytes(author, signature.public_key))
        Ed25519PublicKey.from_public_bytes(signature.public_key).verify(signature.value, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def replace_private(path: Path, data: bytes) -> None:
    """Write `path` durably in one step, for its owner alone: a power cut leaves the old or the new."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    write_private(fresh, data)
    fresh.replace(path)
    sync_folder(path.parent)


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
            f"{path} cannot be read ({error.strerror}); "
            "make it with `chevet-edge init` or `enrol`, or restore it."
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
