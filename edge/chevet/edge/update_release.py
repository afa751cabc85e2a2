"""A signed release of the box's software: wheels in a folder, and what they are.

    chevet-update-0.2.0/
        update.json     version, machine, Python, and each wheel's name, size and SHA-256
        update.sig      Ed25519 over CONTEXT and the bytes of update.json, base64
        *.whl           everything the version needs, nothing is downloaded on the box

Whoever carries the folder is believed in nothing: the signature covers update.json, and each wheel is hashed
while it is copied off the stick, so that what is installed is what was checked.
"""

import base64
import binascii
import hashlib
import os
import platform
import re
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chevet.edge.errors import EdgeError, SettingsError

WORDS, SIGNATURE = "update.json", "update.sig"
FOLDER: Final = re.compile(r"chevet-update[A-Za-z0-9_.+-]{0,40}")
CONTEXT: Final = b"chevet update 1\n"
LARGEST_WORDS: Final = 256 << 10
LARGEST_WHEEL: Final = 256 << 20
WHEELS_AT_MOST: Final = 400
PIECE: Final = 1 << 20
VERSION: Final = r"^[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}$"

_Version = Annotated[str, Field(pattern=VERSION)]


class Unfit(EdgeError):  # noqa: N818 - named for what it is
    """A release that this box does not take.

    Attributes:
        reason: coded word that screens translate; a key of SENTENCES.
        version: which one, "" where even that is not known.
    """

    def __init__(self, reason: str, version: str = "") -> None:
        super().__init__(SENTENCES[reason])
        self.reason = reason
        self.version = version


SENTENCES: Final = {
    "malformed": "update.json is not one of ours: copy the folder anew.",
    "bad_signature": "It is not signed with the key of this box: do not use it, and tell who gave it to you.",
    "other_machine": "It is made for another kind of machine.",
    "other_python": "It is made for another Python than this box has.",
    "not_newer": "This box has that version or a newer one.",
    "missing": "A wheel is missing on it: copy the folder anew.",
    "altered": "A wheel was changed or damaged on the way: copy the folder anew.",
    "no_room": "The box has no room for a second version beside the running one.",
    "not_installed": "It could not be installed; the running version was not touched.",
    "interrupted": "The power went before it was whole; the running version was not touched.",
    "did_not_start": "It did not start on this box; the version before runs again.",
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Wheel(_Part):
    """One file of a release."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+!-]{0,180}\.whl$")
    size: int = Field(ge=1, le=LARGEST_WHEEL)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class ReleaseWords(_Part):
    """What update.json says."""

    v: Literal[1]
    name: Literal["chevet"]
    version: _Version
    made: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    python: str = Field(pattern=r"^3\.\d{1,2}$")
    machine: str = Field(pattern=r"^[a-z0-9_]{1,16}$")
    wheels: list[Wheel] = Field(min_length=1, max_length=WHEELS_AT_MOST)


class UpdateKeyWords(_Part):
    """The public key of updates, and whose it is."""

    v: Literal[1]
    by: str = Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")
    update_key: str


@dataclass(frozen=True, slots=True)
class UpdateKey:
    """Who may change the software of this box."""

    by: str
    public: Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Here:
    """What this machine needs of a release."""

    python: str = f"{sys.version_info.major}.{sys.version_info.minor}"
    machine: str = platform.machine().lower()


@dataclass(frozen=True, slots=True)
class Release:
    """A release whose signature holds and that fits this machine; its wheels are not checked yet."""

    folder: Path
    words: ReleaseWords
    by: str

    @property
    def version(self) -> str:
        """Return its version."""
        return self.words.version

    @property
    def size(self) -> int:
        """Return the bytes of its wheels."""
        return sum(wheel.size for wheel in self.words.wheels)


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers to compare; what is no version comes before all."""
    return tuple(map(int, version.split("."))) if re.fullmatch(VERSION, version) else ()


def read_update_key(path: Path) -> UpdateKey:
    """Return the key that updates must be signed with.

    Raises:
        SettingsError: it is not there, or no such key.
    """
    try:
        words = UpdateKeyWords.model_validate_json(path.read_bytes())
        return UpdateKey(
            words.by, Ed25519PublicKey.from_public_bytes(base64.b64decode(words.update_key, validate=True))
        )
    except OSError as error:
        raise SettingsError(
            f"update.key_file: {path} cannot be read ({error.strerror}); copy the public file of"
            " `chevet-edge update key` there."
        ) from None
    except ValueError:
        raise SettingsError(
            f"update.key_file: {path} is no key of updates; copy the public file of `chevet-edge update key`."
        ) from None


def release_folders(place: Path) -> list[Path]:
    """Return the folders of a stick that hold releases, the place itself first; links are passed over."""
    try:
        with os.scandir(place) as entries:
            names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    found = [place / name for name in sorted(names) if FOLDER.fullmatch(name)][:16]
    return [one for one in (place, *found) if os.path.isfile(one / WORDS)]  # noqa: PTH113 - never raises


def read_release(folder: Path, key: UpdateKey, here: Here) -> Release:
    """Read what a folder holds and check who signed it.

    Raises:
        Unfit: `malformed`, `bad_signature`, `other_machine`, `other_python`.
    """
    said = _small(folder / WORDS)
    try:
        signature = base64.b64decode(_small(folder / SIGNATURE).strip(), validate=True)
        key.public.verify(signature, CONTEXT + said)
    except (InvalidSignature, binascii.Error):
        raise Unfit("bad_signature") from None
    try:
        words = ReleaseWords.model_validate_json(said)
    except ValidationError:
        raise Unfit("malformed") from None
    if words.machine not in (here.machine, "any"):
        raise Unfit("other_machine", words.version)
    if words.python != here.python:
        raise Unfit("other_python", words.version)
    return Release(folder, words, key.by)


def take_wheels(release: Release, into: Path, told: Callable[[int], None]) -> list[Path]:
    """Copy the wheels off the stick and check each while it is copied; return where they are now.

    Args:
        release: of the stick.
        into: an empty folder.
        told: is told the bytes copied so far.

    Raises:
        Unfit: `missing`, `altered`.
        OSError: no room, or the stick went away.
    """
    taken, copied = list[Path](), 0
    for wheel in release.words.wheels:
        target = into / wheel.name
        digest = hashlib.sha256()
        with _opened(release.folder / wheel.name, release.version) as source, target.open("xb") as file:
            for piece in _pieces(source, wheel.size):
                digest.update(piece)
                file.write(piece)
                copied += len(piece)
                told(copied)
            if source.read(1) or file.tell() != wheel.size or digest.hexdigest() != wheel.sha256:
                raise Unfit("altered", release.version)
        taken.append(target)
    return taken


def sign_release(folder: Path, signer: Ed25519PrivateKey, words: ReleaseWords) -> None:
    """Write update.json and update.sig into a folder of wheels."""
    said = words.model_dump_json(indent=1).encode()
    (folder / WORDS).write_bytes(said)
    (folder / SIGNATURE).write_bytes(base64.b64encode(signer.sign(CONTEXT + said)) + b"\n")


def wheel_words(path: Path) -> Wheel:
    """Return what update.json says of a wheel."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return Wheel(name=path.name, size=path.stat().st_size, sha256=digest.hexdigest())


def _pieces(source: BinaryIO, size: int) -> Iterator[bytes]:
    left = size
    while left and (piece := source.read(min(PIECE, left))):
        left -= len(piece)
        yield piece


def _small(path: Path) -> bytes:
    try:
        with _opened(path) as file:
            said = file.read(LARGEST_WORDS + 1)
    except OSError:  # a worn-out stick
        raise Unfit("malformed") from None
    if len(said) > LARGEST_WORDS:
        raise Unfit("malformed")
    return said


def _opened(path: Path, version: str = "") -> BinaryIO:
    """Open a plain file of a stranger's stick: no link, and no pipe that would make us wait."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise Unfit("missing" if version else "malformed", version) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unfit("altered" if version else "malformed", version)
    return os.fdopen(descriptor, "rb")
