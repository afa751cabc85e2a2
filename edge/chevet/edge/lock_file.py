"""lock.json: the data key of the box's disk, wrapped once for each way to open it.

A passphrase (argon2id), a recovery code for the safe, key files (a stick, or a credential that a TPM keeps).
The file alone opens nothing; without it nothing opens at all: it lies there twice and belongs into a backup.
"""

import base64
import contextlib
import secrets
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError

from chevet.edge.at_rest import KEY_BYTES, NONCE_BYTES, DataKey, derived
from chevet.edge.errors import SettingsError
from chevet.edge.support_code import ALPHABET
from chevet.edge.trust import replace_private

LOCK_FILE, COPY_FILE = "lock.json", "lock.copy.json"
SHORTEST: Final = 12
"""Characters of a passphrase: who has the disk can try for years, unlike who stands before the screen."""
LONGEST: Final = 256
MEMORY_KIB, PASSES, LANES = 64 * 1024, 3, 4
"""argon2id as RFC 9106, section 4, recommends where memory is scarce: about a second on a small machine."""
CODE_LETTERS, GROUP = 24, 4
"""120 random bits, which need no slow hash."""
KEYS_AT_MOST: Final = 8
_KEY_WORD = "chevet-disk-key-1"
Random = Callable[[int], bytes]


class Slot(BaseModel):
    """One way to open the lock.

    Attributes:
        id: its number, for `lock remove`.
        kind: "passphrase", "recovery" or "key".
        name: what a person called it, such as "tpm" or "stick"; never a secret.
        wrapped: nonce, then the data key under the key of this slot.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: Annotated[int, Field(ge=1, le=999)]
    kind: Literal["passphrase", "recovery", "key"]
    name: Annotated[str, Field(max_length=40)] = ""
    made_ms: int
    salt: Base64Bytes
    memory_kib: Annotated[int, Field(ge=8, le=1024 * 1024)] = MEMORY_KIB
    passes: Annotated[int, Field(ge=1, le=100)] = PASSES
    lanes: Annotated[int, Field(ge=1, le=64)] = LANES
    wrapped: Base64Bytes


class Lock(BaseModel):
    """The lock of one box: its id and its slots."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    v: Literal[1] = 1
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    slots: Annotated[tuple[Slot, ...], Field(min_length=1, max_length=KEYS_AT_MOST + 2)]

    def open(self, said: str) -> DataKey | None:
        """Return the data key for a passphrase, a recovery code or a key file's text; None for a wrong one.

        Takes up to a second where it may be the passphrase.
        """
        for kind, secret in _readings(said):
            for slot in self.slots:
                if slot.kind == kind and (found := _unwrap(self, slot, secret)) is not None:
                    return DataKey(found, self.id)
        return None

    def has(self, kind: str) -> bool:
        """Tell whether there is a slot of a kind."""
        return any(slot.kind == kind for slot in self.slots)


def new_lock(random: Random = secrets.token_bytes) -> tuple[str, bytes]:
    """Return the id of a fresh lock, and a fresh data key."""
    return random(16).hex(), random(KEY_BYTES)


def new_code(random: Random = secrets.token_bytes) -> str:
    """Return a fresh recovery code: six groups of four, in Crockford's base 32."""
    letters = [ALPHABET[byte % len(ALPHABET)] for byte in random(CODE_LETTERS)]
    return "-".join("".join(letters[at : at + GROUP]) for at in range(0, CODE_LETTERS, GROUP))


def new_key_text(random: Random = secrets.token_bytes) -> str:
    """Return the one line of a fresh key file."""
    return f"{_KEY_WORD} {base64.b64encode(random(KEY_BYTES)).decode()}\n"


def require_passphrase(said: str) -> None:
    """See that a passphrase will do.

    Raises:
        SettingsError: it will not, and why.
    """
    length = len(_passphrase(said))
    if length < SHORTEST:
        raise SettingsError(
            f"A passphrase has at least {SHORTEST} characters (five words do well); whoever steals the disk"
            " can try as long as he likes."
        )
    if length > LONGEST or _code(said) is not None or _key(said) is not None:
        raise SettingsError(f"A passphrase has at most {LONGEST} characters and is no recovery code or key.")


def with_slot(
    lock: Lock | None, of: tuple[str, bytes], kind: Literal["passphrase", "recovery", "key"], said: str,
    name: str = "", random: Random = secrets.token_bytes,
) -> Lock:  # fmt: skip
    """Return a lock with one more slot; one for a passphrase or a code takes the place of the one before.

    Args:
        lock: the lock so far, None for the first slot.
        of: its id and data key.
        kind: what opens the slot.
        said: the passphrase, code or text of the key file.
        name: for people.
        random: gives salt and nonce.

    Raises:
        SettingsError: there are too many keys.
    """
    slots = [] if lock is None else [slot for slot in lock.slots if kind == "key" or slot.kind != kind]
    if len([slot for slot in slots if slot.kind == "key"]) >= KEYS_AT_MOST:
        raise SettingsError(
            f"A lock has at most {KEYS_AT_MOST} keys; remove one with `chevet-edge lock remove`."
        )
    number = max((slot.id for slot in (lock.slots if lock else ())), default=0) + 1
    bare = Slot(
        id=number, kind=kind, name=name, made_ms=time.time_ns() // 1_000_000,
        salt=base64.b64encode(random(16)), wrapped=base64.b64encode(b""),
        memory_kib=MEMORY_KIB, passes=PASSES, lanes=LANES,
    )  # fmt: skip
    lock_id, data_key = of
    secret = dict(_readings(said))[kind]
    nonce = random(NONCE_BYTES)
    wrapped = nonce + AESGCM(_slot_key(bare, secret)).encrypt(nonce, data_key, _bound(lock_id, bare))
    return Lock(id=lock_id, slots=(*slots, bare.model_copy(update={"wrapped": wrapped})))


def without_slot(lock: Lock, slot_id: int) -> Lock:
    """Return the lock without one of its keys.

    Raises:
        SettingsError: there is no such slot, or the lock could not be opened by a person any more.
    """
    left = tuple(slot for slot in lock.slots if slot.id != slot_id)
    if len(left) == len(lock.slots):
        raise SettingsError(f"There is no way number {slot_id}; `chevet-edge lock status` lists them.")
    if not left or all(slot.kind == "recovery" for slot in left):
        raise SettingsError("This is the last way to open the box in daily work; add another one first.")
    return lock.model_copy(update={"slots": left})


def read_lock(data_dir: Path) -> Lock | None:
    """Return the box's lock, None where it has none; a damaged file is replaced by its copy.

    Raises:
        SettingsError: both are damaged.
    """
    found = False
    for name in (LOCK_FILE, COPY_FILE):
        with contextlib.suppress(FileNotFoundError, ValidationError):
            data = (data_dir / name).read_bytes()
            found = True
            return Lock.model_validate_json(data)
    if found:
        raise SettingsError(
            f"{data_dir / LOCK_FILE} and its copy are damaged; restore one of them from a backup. Studies"
            " that were sent are safe: they are sealed to the programme."
        )
    return None


def write_lock(data_dir: Path, lock: Lock) -> None:
    """Write the lock and its copy durably; what was removed opens neither."""
    text = lock.model_dump_json(indent=2) + "\n"
    for name in (LOCK_FILE, COPY_FILE):
        replace_private(data_dir / name, text.encode())


def _readings(said: str) -> list[tuple[str, bytes]]:
    """Return what a text may be, the quick ones first: a key file's line, a recovery code, a passphrase."""
    found: list[tuple[str, bytes]] = []
    if (key := _key(said)) is not None:
        return [("key", key)]
    if (code := _code(said)) is not None:
        found.append(("recovery", code))
    return [*found, ("passphrase", _passphrase(said).encode())]


def _passphrase(said: str) -> str:
    """Return a passphrase as every keyboard gives it: composed alike, without blanks around it."""
    return unicodedata.normalize("NFKC", said).strip()


def _code(said: str) -> bytes | None:
    letters = "".join(letter for letter in said.upper() if letter not in "- \t\n")
    letters = letters.translate(str.maketrans("OIL", "011"))
    return letters.encode() if len(letters) == CODE_LETTERS and set(letters) <= set(ALPHABET) else None


def _key(said: str) -> bytes | None:
    word, _, rest = said.strip().partition(" ")
    if word != _KEY_WORD:
        return None
    with contextlib.suppress(ValueError):
        secret = base64.b64decode(rest, validate=True)
        return secret if len(secret) == KEY_BYTES else None
    return None


def _slot_key(slot: Slot, secret: bytes) -> bytes:
    if slot.kind != "passphrase":
        return derived(secret, f"slot {slot.kind}", slot.salt)
    return hash_secret_raw(secret, slot.salt, slot.passes, slot.memory_kib, slot.lanes, KEY_BYTES, Type.ID)


def _unwrap(lock: Lock, slot: Slot, secret: bytes) -> bytes | None:
    nonce, wrapped = slot.wrapped[:NONCE_BYTES], slot.wrapped[NONCE_BYTES:]
    try:
        return AESGCM(_slot_key(slot, secret)).decrypt(nonce, wrapped, _bound(lock.id, slot))
    except (InvalidTag, ValueError):
        return None


def _bound(lock_id: str, slot: Slot) -> bytes:
    """Return what a wrapped key is authenticated with."""
    return f"{lock_id} {slot.kind}".encode()
