"""`chevet-relay doctor`: checks what the relay needs and names the remedy."""

import argparse
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from chevet.kiosk.files import SHARED
from chevet.relay.accounts.id_token import ProviderError
from chevet.relay.accounts.place import place_of
from chevet.relay.api.app import DESK
from chevet.relay.commands.broker import SEARCH
from chevet.relay.duty.watch import ways_of
from chevet.relay.errors import RelayError
from chevet.relay.orphans import compare
from chevet.relay.relay import open_relay, provider_of, unix_ms
from chevet.relay.settings import Settings, read_settings

LEAST_FREE = 1 << 30
"""1 GiB: some two thousand studies."""
CONNECT_S = 2.0
Check = Callable[[Settings], str]


class Problem(Exception):  # noqa: N818 - a finding, not a failure of ours
    """What is wrong, with the remedy."""


def run(options: argparse.Namespace) -> int:
    """Print one line a check; 1 where something must be mended."""
    failed = 0
    for good, name, sentence in _findings(options.config):
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'}  {name:<14} {sentence}")
    print("All is well." if not failed else f"{failed} to mend.")
    return 1 if failed else 0


def _findings(config: Path) -> Iterator[tuple[bool, str, str]]:
    yield True, "python", ".".join(str(part) for part in sys.version_info[:3])
    try:
        settings = read_settings(config)
    except RelayError as error:
        yield False, "configuration", str(error)
        return
    yield True, "configuration", str(config)
    for name, check in CHECKS.items():
        try:
            yield True, name, check(settings)
        except (Problem, RelayError) as error:
            yield False, name, str(error)


def _archive(settings: Settings) -> str:
    relay = open_relay(settings)
    try:
        with relay.database.read() as connection:
            broken = relay.audit.verify(connection)
        if broken is not None:
            raise Problem(f"audit record {broken.seq} is {broken.why}: run `chevet-relay audit verify`")
        active = sum(not site.revoked for site in relay.sites.list())
        people = sum(not line.disabled for line in relay.users.list())
    finally:
        relay.close()
    if not active:
        raise Problem("no site may send: run `chevet-relay site add NAME`, and on its box what that prints")
    if not people:
        raise Problem("nobody can sign in: run `chevet-relay user add`")
    return f"{settings.archive}: {active} sites, {people} accounts, audit chain whole"


def _objects(settings: Settings) -> str:
    relay = open_relay(settings)
    try:
        relay.objects.ready()
        found = compare(relay)
        place = relay.objects.place
    finally:
        relay.close()
    if found.missing:
        raise Problem(
            f"{len(found.missing)} of {found.named} objects are missing from {place}: "
            "see `chevet-relay objects check`"
        )
    more = f", {len(found.orphans)} that no case names" if found.orphans else ""
    return f"{place}: all {found.named} there{more}"


def _alerts(settings: Settings) -> str:
    ways = ways_of(settings)
    known = {"mail": ways.mail, "webhook": ways.webhook, "push": ways.push}
    named = [name for name, way in known.items() if way is not None]
    return ", ".join(named) or "none: only who looks at the desk learns that a case waits"


def _disk(settings: Settings) -> str:
    free = shutil.disk_usage(settings.archive if settings.archive.exists() else settings.archive.parent).free
    if free < LEAST_FREE:
        raise Problem(f"only {free >> 20} MiB free at {settings.archive}: free space there")
    return f"{free >> 30} GiB free"


def _recovery(settings: Settings) -> str:
    path = settings.keys / "recovery.key"
    if path.exists() and not settings.label:
        raise Problem(f"{path} still lies here: move it to a safe place off this machine")
    return "off this machine" if not path.exists() else "here, as a demo may"


def _port(settings: Settings) -> str:
    where = (settings.host, settings.port)
    try:
        socket.create_server(where).close()
    except OSError as error:
        return f"{settings.host}:{settings.port} is in use ({error.strerror}); fine if that is this relay"
    return f"{settings.host}:{settings.port} is free"


def _broker(settings: Settings) -> str:
    where = (settings.broker_host, settings.broker_port)
    try:
        socket.create_connection(where, timeout=CONNECT_S).close()
    except OSError as error:
        raise Problem(
            f"nothing answers at {where[0]}:{where[1]} ({error.strerror or error}): start the broker, "
            f"such as `chevet-relay broker --port {where[1]}`"
        ) from None
    return f"{where[0]}:{where[1]} accepts connections"


def _engines(_settings: Settings) -> str:
    found = ["iotcore"] if find_spec("iotcore") else []
    found += ["mosquitto"] if shutil.which("mosquitto", path=SEARCH) else []
    return ", ".join(found) or "none here; one elsewhere will do"


def _screens(_settings: Settings) -> str:
    missing = [str(path) for path in (DESK / "index.html", SHARED) if not path.exists()]
    if missing:
        raise Problem(f"{missing[0]} is missing: install chevet again")
    return "desk and shared files are installed"


def _passkeys(settings: Settings) -> str:
    place = place_of(settings.desk_url, settings.port)
    if not place.passkeys:
        return f"none at {place.origin}: browsers want https and a name; set desk_url where the desk has both"
    return f"work at {place.origin} alone" + ("" if settings.desk_url else ": set desk_url for others")


def _provider(settings: Settings) -> str:
    provider = provider_of(settings, unix_ms)
    if provider is None:
        return "none is set"
    try:
        return f"{settings.oidc_issuer}: description and keys read, codes go to {provider.check()}"
    except ProviderError as error:
        raise Problem(f"{error} Check oidc_issuer and this machine's way to it.") from None
    finally:
        provider.close()


CHECKS: dict[str, Check] = {
    "archive": _archive,
    "objects": _objects,
    "alerts": _alerts,
    "disk": _disk,
    "recovery key": _recovery,
    "port": _port,
    "broker": _broker,
    "broker engines": _engines,
    "screens": _screens,
    "passkeys": _passkeys,
    "sign-in by": _provider,
}
