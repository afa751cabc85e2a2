"""`chevet-relay user`: accounts."""

import argparse
import getpass
import sys
from pathlib import Path

from chevet.relay.accounts.users import User
from chevet.relay.commands.opened import opened
from chevet.relay.errors import SettingsError


def add(options: argparse.Namespace) -> int:
    """Add an account."""
    languages = tuple(options.language or ("fr",))
    user = User(options.id, options.name, options.role, options.specialty, languages, b"")
    with opened(options.config) as relay:
        relay.users.add(user, _password(options.password_file))
    print(f"{options.role} {options.id} ({options.name}) can sign in now.")
    return 0


def show(options: argparse.Namespace) -> int:
    """List the accounts."""
    with opened(options.config) as relay:
        for line in relay.users.list():
            user, state = line.user, "disabled" if line.disabled else "active"
            print(f"{user.id:<20} {state:<9} {user.role:<12} {user.specialty or '-':<22} {user.name}")
    return 0


def disable(options: argparse.Namespace) -> int:
    """Shut an account out."""
    with opened(options.config) as relay:
        relay.users.disable(options.id)
    print(f"{options.id} is signed out and cannot sign in; signatures stay valid.")
    return 0


def sign_out(options: argparse.Namespace) -> int:
    """End an account's sessions."""
    with opened(options.config) as relay:
        ended = relay.users.sign_out(options.id)
    print(f"{options.id}: {ended} sessions ended.")
    return 0


def forget_factor(options: argparse.Namespace) -> int:
    """Take a lost authenticator app and all passkeys away."""
    with opened(options.config) as relay:
        relay.users.forget_factor(options.id)
    print(f"{options.id} is signed out; the next sign-in sets up a new authenticator app.")
    return 0


def forget_provider(options: argparse.Namespace) -> int:
    """Forget who an account is at the identity provider."""
    with opened(options.config) as relay:
        relay.users.forget_provider(options.id)
    print(f"{options.id} is signed out; the next sign-in by the provider links the account anew.")
    return 0


def unlock(options: argparse.Namespace) -> int:
    """End the pause after wrong tries."""
    with opened(options.config) as relay:
        relay.users.unlock(options.id)
    print(f"{options.id} may try again now.")
    return 0


def _password(file: Path | None) -> str:
    if file is not None:
        return _first_line(file)
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password (at least 12 characters): ")
    if getpass.getpass("Again: ") != password:
        raise SettingsError("password", "The two passwords differ: run the command again.")
    return password


def _first_line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        raise SettingsError("password", f"Cannot read a password from {file}: check the file.") from None
