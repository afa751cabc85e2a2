"""Changing the key that studies are sealed to, and opening them when it is lost.

Rotation overlaps: boxes learn the new key within a day of being on line and seal to it from then on, while
the relay keeps every older key and opens what was sealed to it. The recovery key opens all on its own.
"""

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import select

from chevet.exchange.errors import BadKey, Refused
from chevet.exchange.keys import kid, new_sealing_key, private_pem, public_text, sealing_key
from chevet.relay.archive.schema import bundles, objects
from chevet.relay.archive.vault import Vault
from chevet.relay.authority import replace_file
from chevet.relay.errors import SettingsError
from chevet.relay.keys import PRIVATE_MODE, older_name, read_private, read_programme
from chevet.relay.relay import open_database
from chevet.relay.settings import Settings
from chevet.relay.stores import open_objects
from chevet.study.bundle import Bundle, content_hash


def rotate(keys: Path, programme_file: Path) -> X25519PrivateKey:
    """Make a new programme key, keep the old one to open what was sealed to it; return the new one.

    Each step is durable before the next: stopped anywhere, the command may be given again.

    Raises:
        SettingsError: a key or the programme file cannot be used.
    """
    held = read_programme(keys)
    try:
        replace_file(keys / older_name(held.programme), private_pem(held.programme), PRIVATE_MODE)
        fresh = new_sealing_key()
        replace_file(keys / "programme.key", private_pem(fresh), PRIVATE_MODE)
        words = json.loads(programme_file.read_bytes())
        words["recipients"]["programme"] = public_text(fresh.public_key())
        text = json.dumps(words, indent=2, ensure_ascii=False) + "\n"
        replace_file(programme_file, text.encode(), 0o644)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            str(programme_file),
            f"Cannot finish in {keys} and {programme_file} ({type(error).__name__}): mend it and run again.",
        ) from None
    return fresh


def recover(settings: Settings, key_file: Path, ident: str) -> tuple[Bundle, bool]:
    """Open a study, opinion or message of the archive with the recovery key and nothing else.

    Returns:
        What it holds, and whether that is exactly what the relay once received (by its content hash).

    Raises:
        SettingsError: the key is none, does not open it, or the archive has no such id.
        ArchiveError: an object is missing or damaged.
    """
    try:
        key = sealing_key(read_private(key_file))
    except BadKey as error:
        raise SettingsError(str(key_file), f"{key_file} cannot be used: {error.reason}.") from None
    database = open_database(settings)
    try:
        with database.read() as connection:
            row = connection.execute(select(bundles).where(bundles.c.id == ident)).first()
            found = select(objects.c.oid, objects.c.name).where(objects.c.tid == (row.tid if row else ""))
            names = {item.oid: item.name for item in connection.execute(found)}
    finally:
        database.close()
    if row is None or not names or None in names.values():
        raise SettingsError(
            "id", f"The archive holds nothing whole under '{ident}': see the desk's delivery."
        )
    try:
        bundle = Vault(open_objects(settings), key).bundle(row.manifest, names)
    except Refused as error:
        raise SettingsError(
            str(key_file), f"This key does not open '{ident}' ({error.reason}): bring the recovery key."
        ) from None
    return bundle, content_hash(bundle) == row.content_sha256


def name_of(key: X25519PrivateKey) -> str:
    """Return a key's short name, as manifests call it."""
    return kid(key.public_key()).hex()
