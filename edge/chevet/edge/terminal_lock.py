"""`chevet-edge lock`: the lock of the disk, made and changed at a terminal."""

import argparse
import contextlib
import getpass
import http.client
import json
import os
import sys
import time
from pathlib import Path

from chevet.edge.at_rest import DataKey
from chevet.edge.box_word import agent_runs
from chevet.edge.covered_files import bring_forward
from chevet.edge.errors import SettingsError
from chevet.edge.key_ways import beside, brought
from chevet.edge.lock_file import (
    Lock,
    new_code,
    new_key_text,
    new_lock,
    read_lock,
    require_passphrase,
    with_slot,
    without_slot,
    write_lock,
)
from chevet.edge.only_one import only_one
from chevet.edge.protection import TPM, known
from chevet.edge.settings import EdgeSettings, load_settings, read_secret
from chevet.edge.store import open_store
from chevet.edge.trust import write_private

NOT_LOCKED = "This box is not under a lock; `chevet-edge lock init` puts it under one."
PASSPHRASE = "Passphrase (or recovery code): "  # noqa: S105
KEEP = """\
Recovery code:

    {code}

Write it down now, on paper, and bring it to the programme's safe: it opens this box when the passphrase is
lost, and is never shown again. If both are lost, what was not sent yet is lost; studies in the queue are
sealed to the programme and stay deliverable (docs/guides/installer.md)."""
OLD_TRACES = """\
What lay in the clear was replaced, but flash memory keeps old copies that no program reaches: for a box that
had patients before, run `sudo fstrim -av`, and destroy the medium instead of giving it away."""


def run_lock(options: argparse.Namespace) -> int:
    """Do what `chevet-edge lock` was asked."""
    settings = load_settings(options.config)
    if not settings.data_dir.is_dir():
        raise SettingsError(f"{settings.data_dir} does not exist; run `chevet-edge enrol` or `init` first.")
    return {
        "init": _init,
        "status": _status,
        "open": _open,
        "change-passphrase": _change,
        "recovery": _recovery,
        "add-key": _add_key,
        "remove": _remove,
    }[options.verb](settings, options)


def key_at_terminal(settings: EdgeSettings, passphrase_file: Path | None = None) -> DataKey | None:
    """Return the key of the box's disk, None where it has no lock: brought, or asked for.

    Raises:
        SettingsError: nothing opens the lock.
    """
    lock = read_lock(settings.data_dir)
    return None if lock is None else _opened(settings, lock, passphrase_file)


def _opened(settings: EdgeSettings, lock: Lock, passphrase_file: Path | None) -> DataKey:
    if passphrase_file is None:
        with contextlib.suppress(SettingsError):  # a key of another box: then a person opens it
            if (key := brought(settings, lock)) is not None:
                return key
    key = lock.open(_asked(PASSPHRASE, passphrase_file))
    if key is None:
        raise SettingsError("This does not open the box; nothing was changed.")
    return key


def _asked(words: str, file: Path | None) -> str:
    if file is not None:
        return read_secret(file, "the passphrase's file")
    if not sys.stdin.isatty():
        raise SettingsError(
            "This box is under a lock: run this at a terminal, or give --passphrase-file, or bring its key."
        )
    return getpass.getpass(words)


def _new_passphrase(file: Path | None) -> str:
    said = _asked("New passphrase: ", file)
    require_passphrase(said)
    if file is None and _asked("The same again: ", None) != said:
        raise SettingsError("The two are not alike; nothing was changed.")
    return said


def _init(settings: EdgeSettings, options: argparse.Namespace) -> int:
    with only_one(settings.data_dir):
        if read_lock(settings.data_dir) is not None:
            raise SettingsError("This box is under a lock already; `chevet-edge lock status` tells about it.")
        of = new_lock()
        if options.key_file:
            said = new_key_text()
            _write_key(options.key_file, said)
            lock = with_slot(None, of, "key", said, options.key_file.name[:40])
        else:
            lock = with_slot(None, of, "passphrase", _new_passphrase(options.passphrase_file))
        code = new_code()
        write_lock(settings.data_dir, with_slot(lock, of, "recovery", code))
        print(KEEP.format(code=code), flush=True)
        key = DataKey(of[1], of[0])
        count = bring_forward(settings.data_dir, key)
        store = settings.data_dir / "edge.db"
        if store.exists():
            open_store(store, key).close()
    print(f"\nThe box is under a lock; {count} files and its database were covered.")
    if count:
        print(OLD_TRACES)
    if options.key_file:
        _told_key(settings, options.key_file)
    return 0


def _told_key(settings: EdgeSettings, path: Path) -> None:
    print(f'Say in edge.toml where the key will be at a start:\n\n[lock]\nkey_file = "{path.resolve()}"\n')
    if beside(path, settings.data_dir):
        print(
            "The key lies on the same disk as what it opens: a stolen disk is readable. Move it to a stick."
        )


def _status(settings: EdgeSettings, _options: argparse.Namespace) -> int:
    found = known(settings)
    print(f"Disk: {found.told}.")
    if found.remedy:
        print(f"      {found.remedy}")
    lock = read_lock(settings.data_dir)
    for slot in lock.slots if lock else ():
        day = time.strftime("%Y-%m-%d", time.localtime(slot.made_ms / 1000))
        print(f"{slot.id:>4}  {slot.kind:<11} {slot.name or '-':<20} made {day}")
    if TPM.exists():
        print("This machine has a TPM that can keep a key: see `chevet-edge lock add-key --help`.")
    return 1 if found.remedy else 0


def _open(settings: EdgeSettings, options: argparse.Namespace) -> int:
    if not agent_runs(settings.data_dir):
        raise SettingsError(
            "No agent waits; start it with `chevet-edge run`, or `systemctl start chevet-edge`."
        )
    if options.passphrase_file is None and not sys.stdin.isatty():
        said = sys.stdin.readline().strip()  # systemd-ask-password ... | chevet-edge lock open
    else:
        said = _asked(PASSPHRASE, options.passphrase_file)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.kiosk.host, settings.kiosk.host)  # noqa: S104
    line = http.client.HTTPConnection(host, settings.kiosk.port, timeout=60)
    try:
        body = json.dumps({"passphrase": said})
        line.request("POST", "/api/lock", body, {"X-Chevet": "1", "Content-Type": "application/json"})
        answer = line.getresponse()
        told = answer.read()
    except (OSError, http.client.HTTPException):
        raise SettingsError(f"The agent does not answer at {host}:{settings.kiosk.port}.") from None
    finally:
        line.close()
    if answer.status in {404, 405}:
        raise SettingsError("The agent works already: there is nothing to open.")
    if answer.status != 204:
        raise SettingsError(str(json.loads(told)["error"]["message"]))
    print("Open; the agent starts its work.")
    return 0


def _change(settings: EdgeSettings, options: argparse.Namespace) -> int:
    lock = _required(settings)
    key = _opened(settings, lock, options.passphrase_file)
    fresh = _new_passphrase(options.new_passphrase_file)
    write_lock(settings.data_dir, with_slot(lock, (lock.id, key.secret), "passphrase", fresh))
    print("The new passphrase opens the box from now on; the old one does not.")
    return 0


def _recovery(settings: EdgeSettings, options: argparse.Namespace) -> int:
    lock = _required(settings)
    key = _opened(settings, lock, options.passphrase_file)
    code = new_code()
    write_lock(settings.data_dir, with_slot(lock, (lock.id, key.secret), "recovery", code))
    print(KEEP.format(code=code))
    return 0


def _add_key(settings: EdgeSettings, options: argparse.Namespace) -> int:
    lock = _required(settings)
    key = _opened(settings, lock, options.passphrase_file)
    said = new_key_text()
    fresh = with_slot(lock, (lock.id, key.secret), "key", said, options.name[:40])
    if options.out:
        _write_key(options.out, said)
    write_lock(settings.data_dir, fresh)
    if options.out:
        print(f"Wrote {options.out}, readable by you alone.")
        _told_key(settings, options.out)
    else:
        sys.stdout.write(said)
    return 0


def _remove(settings: EdgeSettings, options: argparse.Namespace) -> int:
    lock = _required(settings)
    _opened(settings, lock, options.passphrase_file)
    write_lock(settings.data_dir, without_slot(lock, options.number))
    print("It opens the box no more.")
    return 0


def _required(settings: EdgeSettings) -> Lock:
    lock = read_lock(settings.data_dir)
    if lock is None:
        raise SettingsError(NOT_LOCKED)
    return lock


def _write_key(path: Path, said: str) -> None:
    try:
        write_private(path, said.encode())
    except FileExistsError:
        raise SettingsError(f"{path} exists already; choose another name.") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error.strerror}).") from None
    # A stick is pulled out soon.
    os.sync()
