"""`chevet-relay key rotate` and `chevet-relay recover`."""

import argparse
import mimetypes
import os
from pathlib import Path

from chevet.relay.errors import SettingsError
from chevet.relay.rotation import name_of, recover, rotate
from chevet.relay.settings import read_settings


def run_rotate(options: argparse.Namespace) -> int:
    """Make a new programme key."""
    settings = read_settings(options.config)
    fresh = rotate(settings.keys, settings.keys.parent / "programme.json")
    print(f"Studies are sealed to the key {name_of(fresh)} from now on; older ones stay readable.")
    print(
        "A running relay takes it up within seconds; enrolled boxes fetch it within a day of being on line."
    )
    print("Boxes set up by hand need the new programme.json. Back the folder of keys up again.")
    return 0


def run_recover(options: argparse.Namespace) -> int:
    """Open one bundle with the recovery key and write its parts as files."""
    bundle, exact = recover(read_settings(options.config), options.recovery_key, options.id)
    folder: Path = options.out
    try:
        folder.mkdir(mode=0o700, parents=True)
        for part in bundle.parts:
            ending = mimetypes.guess_extension(part.media_type) or ".bin"
            path = folder / f"{part.oid:03d}-layer{part.layer}-{part.kind}{ending}"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(part.data)
    except OSError as error:
        raise SettingsError(
            str(folder), f"Cannot write in {folder} ({error.strerror}): name a folder that is not there yet."
        ) from None
    print(f"Opened {bundle.kind} {bundle.id}: {len(bundle.parts)} parts in {folder}.")
    print(
        "Its content hash is the one the box sent."
        if exact
        else "WARNING: its content hash is not the box's."
    )
    return 0 if exact else 1
