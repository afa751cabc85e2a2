"""`chevet-edge update` at the terminal, for whoever looks after a box and for who makes updates."""

import argparse
import base64
import datetime
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import ValidationError

from chevet.edge.errors import SettingsError
from chevet.edge.only_one import held
from chevet.edge.settings import EdgeSettings, load_settings
from chevet.edge.trust import write_private
from chevet.edge.update_hands import BoxHands
from chevet.edge.update_offer import Offer, forget_wish, wish
from chevet.edge.update_release import (
    SENTENCES,
    Here,
    ReleaseWords,
    Unfit,
    UpdateKeyWords,
    sign_release,
    wheel_words,
)
from chevet.edge.update_settings import SticksSettings
from chevet.edge.update_versions import BACK, DONE, FAILED, RUNNING, Progress, Versions
from chevet.edge.updating import Updating

NO_ROOT = (
    "Updates are not set up on this box: name update.root and update.key_file in its configuration;"
    " docs/guides/installer.md, 'New versions', says how."
)
NOTHING_BEFORE = "There is no older version beside the running one: nothing to go back to."
LOCK: Final = "update.lock"


def check(options: argparse.Namespace) -> int:
    """Say what runs and what there is."""
    settings, versions = _laid_out(options)
    current = versions.current()
    print(f"Runs: {current}. Kept to go back to: {', '.join(versions.others()) or 'nothing'}.")
    last = versions.progress()
    if last.version:
        print(f"The last update: {_told(last)}")
    newest, refused = Offer(settings, current).look()
    for one in refused:
        print(f"Not taken: {one.version or 'a folder'}: {one}")
    if newest is None:
        print("No newer version on the sticks, nor in update.folder.")
    else:
        print(f"Version {newest.version}, signed by {newest.by}, made {newest.words.made}: {newest.folder}")
        print("To bring it: chevet-edge update apply, or the update page of the kiosk.")
    return 0


def apply(options: argparse.Namespace) -> int:
    """Bring the newest update."""
    settings, versions = _laid_out(options)
    newest, refused = Offer(settings, versions.current()).look()
    if newest is None:
        why = "; ".join(f"{one.version or 'a folder'}: {one}" for one in refused)
        raise SettingsError(f"There is no update to bring. {why}".strip())
    with _alone(versions):
        print(f"Bringing {newest.version}, signed by {newest.by}. What runs goes on until no visit is open.")
        return _ended(_updating(settings, versions).apply(newest))


def rollback(options: argparse.Namespace) -> int:
    """Go back to the version before."""
    settings, versions = _laid_out(options)
    with _alone(versions):
        try:
            return _ended(_updating(settings, versions).roll_back())
        except Unfit:
            raise SettingsError(NOTHING_BEFORE) from None


def attend(options: argparse.Namespace) -> int:
    """Go on after a power cut, then fulfil a wish."""
    settings, versions = _laid_out(options)
    with _alone(versions):
        try:
            code, settled = 0, ""
            if versions.progress().state in RUNNING:
                last = _updating(settings, versions).resume()
                code, settled = _ended(last), last.version if last.state in (DONE, BACK) else ""
            wanted = wish(settings.data_dir)
            if wanted and wanted != settled:  # a power cut leaves the wish of what is at its end now
                code = _fulfil(settings, versions, wanted)
        finally:
            forget_wish(settings.data_dir)
        return code


def _fulfil(settings: EdgeSettings, versions: Versions, wanted: str) -> int:
    newest, _ = Offer(settings, versions.current()).look()
    if newest is None or newest.version != wanted:
        gone = Progress(FAILED, wanted, reason="missing", at_ms=time.time_ns() // 1_000_000)
        versions.tell(gone)
        return _ended(gone)
    return _ended(_updating(settings, versions).apply(newest))


def key(options: argparse.Namespace) -> int:
    """Make the keys that sign."""
    signer = Ed25519PrivateKey.generate()
    raw = base64.b64encode(signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    try:
        words = UpdateKeyWords(v=1, by=options.by, update_key=raw)
    except ValidationError:
        raise SettingsError("--by is a name of at most 60 characters.") from None
    public = options.out.with_name(f"{options.out.name}.pub.json")
    write_private(options.out, signer.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_text(words.model_dump_json(indent=1) + "\n", "utf-8")
    print(f"Secret: {options.out}. Keep it off every network; who has it can change every box.")
    print(f"Public: {public}. Copy it to each box and name it as update.key_file.")
    return 0


def sign(options: argparse.Namespace) -> int:
    """Sign a folder of wheels."""
    paths = sorted(options.folder.glob("*.whl"))
    ours = [path.name.split("-")[1] for path in paths if path.name.startswith("chevet-")]
    if len(ours) != 1:
        raise SettingsError(f"{options.folder} must hold exactly one wheel of chevet, and all it needs.")
    here = Here()
    try:
        wheels = [wheel_words(path) for path in paths]
        words = ReleaseWords(
            v=1, name="chevet", version=ours[0], made=datetime.datetime.now(datetime.UTC).date().isoformat(),
            python=options.python or here.python, machine=options.machine or here.machine, wheels=wheels,
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise SettingsError(f"{'.'.join(map(str, first['loc']))} is wrong: {first['msg']}.") from None
    sign_release(options.folder, _signer(options.key), words)
    print(f"Version {words.version} for {words.machine}, Python {words.python}: {len(wheels)} wheels signed.")
    if not options.folder.name.startswith("chevet-update"):
        print(f"On a stick, name the folder chevet-update-{words.version}.")
    return 0


def _signer(path: Path) -> Ed25519PrivateKey:
    try:
        found = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(f"{path} is no key of `chevet-edge update key`.") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise SettingsError(f"{path} is no key of `chevet-edge update key`.")
    return found


def _laid_out(options: argparse.Namespace) -> tuple[EdgeSettings, Versions]:
    settings = load_settings(options.config)
    if settings.update.root is None or settings.update.key_file is None:
        raise SettingsError(NO_ROOT)
    folder: Path | None = getattr(options, "folder", None)
    if folder is not None:
        alone = settings.update.model_copy(update={"folder": folder.resolve()})
        settings = settings.model_copy(update={"update": alone, "sticks": SticksSettings(places=())})
    return settings, Versions(settings.update.root or Path())


def _updating(settings: EdgeSettings, versions: Versions) -> Updating:
    return Updating(versions, BoxHands(settings), settings.update.within_s)


@contextmanager
def _alone(versions: Versions) -> Iterator[None]:
    """Hold the folder of versions: two updates at a time would be none."""
    with held(
        versions.root / LOCK,
        taken="An update is already on its way; wait for its end.",
        shut="run this as root, as the service does.",
    ):
        before = os.umask(0o022)  # the agent's user reads what is installed
        try:
            yield
        except Unfit as unfit:
            raise SettingsError(f"Version {unfit.version or 'before'}: {unfit}") from None
        finally:
            os.umask(before)


def _ended(last: Progress) -> int:
    print(_told(last))
    return 0 if last.state == DONE else 1


def _told(last: Progress) -> str:
    when = datetime.datetime.fromtimestamp(last.at_ms / 1000, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    said = {
        DONE: f"version {last.version} runs",
        BACK: f"version {last.version} did not start; {last.before} runs again",
        FAILED: f"version {last.version} was not installed ({SENTENCES.get(last.reason, last.reason)})",
    }
    return f"{said.get(last.state, f'version {last.version}: {last.state}')}, {when}."


VERBS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "check": check,
    "apply": apply,
    "rollback": rollback,
    "attend": attend,
    "key": key,
    "sign": sign,
}
