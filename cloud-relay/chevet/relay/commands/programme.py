"""`chevet-relay init`: keys, trust file, configuration."""

import argparse

from chevet.relay.errors import SettingsError
from chevet.relay.keys import make_programme, write_public
from chevet.relay.settings import Settings

CONFIG_NAME = "relay.toml"


def run(options: argparse.Namespace) -> int:
    """Make a programme in a folder.

    Raises:
        SettingsError: the folder cannot be written or holds keys already.
    """
    folder = options.dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        make_programme(folder, options.name.strip() or "Chevet programme")
        if not (folder / CONFIG_NAME).exists():
            write_public(folder / CONFIG_NAME, first_config())
    except OSError as error:
        raise SettingsError(str(folder), f"Cannot write in {folder}: {error.strerror}.") from None
    print(f"Made {folder}/keys, {folder}/programme.json and {folder}/{CONFIG_NAME}.")
    print(f"Next: `chevet-relay site add NAME --config {folder}/{CONFIG_NAME}` invites a box by a code.")
    print(f"Move {folder}/keys/recovery.key to a safe place off this machine: it opens every study.")
    return 0


def first_config() -> str:
    """Return a configuration that says what every setting is for, each at its default."""
    lines = ["# chevet-relay: every setting with its default; remove a '#' to change it."]
    for name, field in Settings.model_fields.items():
        lines += ["", f"# {field.description}", f"# {name} = {_toml(field.default)}"]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value if value is not None else ""}"'
