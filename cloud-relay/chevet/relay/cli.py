"""`chevet-relay`: the command line."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from chevet.exchange import arithmetic  # noqa: F401 - first of all, before anything loads NumPy
from chevet.relay.accounts.roles import LANGUAGES, ROLES
from chevet.relay.cli_backup import add_backup
from chevet.relay.cli_carry import add_carry
from chevet.relay.cli_erase import add_erase
from chevet.relay.cli_export import add_export
from chevet.relay.cli_move import add_move
from chevet.relay.cli_objects import add_objects
from chevet.relay.errors import RelayError
from chevet.relay.settings import CONFIG_VARIABLE
from chevet.study.specialties import SPECIALTIES

DESCRIPTION = """\
The relay stands between the health centres and the specialists: it receives sealed studies from the broker,
keeps them, serves the specialist's desk, and sends signed opinions back.
"""
EPILOG = """\
a first relay, step by step:
  chevet-relay init /srv/chevet --name "Programme Atlas"     keys, programme.json, relay.toml
  chevet-relay broker --config /srv/chevet/relay.toml        only where no broker runs yet
  chevet-relay site add Anfgou --config /srv/chevet/relay.toml    a one-time code for its box
  chevet-relay user add --id k.amrani --name "Dr Amrani" --role specialist \\
               --specialty cardiology --language fr --config /srv/chevet/relay.toml
  chevet-relay run --config /srv/chevet/relay.toml           then open http://127.0.0.1:8422
  chevet-relay doctor --config /srv/chevet/relay.toml        when something does not work

Every setting of relay.toml can be overridden by CHEVET_RELAY_<SETTING>, such as CHEVET_RELAY_PORT=8500.
Not a medical device: research and training software.
"""
Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code: 0 done, 1 a problem told in one sentence, 2 wrong usage."""
    options = parser().parse_args(arguments)
    command: Command = options.command
    try:
        return command(options)
    except RelayError as error:
        print(f"chevet-relay: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _later(module: str, function: str) -> Command:
    """Return a command that is imported when it runs: `--help` and the broker need none of the web stack."""

    def command(options: argparse.Namespace) -> int:
        run: Command = getattr(import_module(f"chevet.relay.commands.{module}"), function)
        return run(options)

    return command


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command, with its help."""
    top = argparse.ArgumentParser(
        "chevet-relay",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"chevet-relay {version('chevet')}")
    kinds = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _init(kinds)
    _run(kinds)
    _broker(kinds)
    _site(kinds)
    _user(kinds)
    _audit(kinds)
    _keys(kinds)
    add_export(kinds, _later, _add_config)
    add_erase(kinds, _later, _add_config)
    add_carry(kinds, _later, _add_config)
    add_backup(kinds, _later, _add_config)
    add_move(kinds, _later, _add_config)
    add_objects(kinds, _later, _add_config)
    checks = kinds.add_parser("doctor", help="check what the relay needs, and name the remedy")
    _add_config(checks)
    checks.set_defaults(command=_later("doctor", "run"))
    return top


Kinds: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - what add_subparsers returns


def _add_config(to: argparse.ArgumentParser) -> None:
    default = Path(os.environ.get(CONFIG_VARIABLE, "relay.toml"))
    to.add_argument(
        "--config",
        type=Path,
        default=default,
        metavar="FILE",
        help=f"configuration file (default: ${CONFIG_VARIABLE}, else ./relay.toml)",
    )


def _init(kinds: Kinds) -> None:
    command = kinds.add_parser(
        "init",
        help="make the programme's keys and a first configuration",
        description="Makes DIR/keys (private, only for this user), DIR/programme.json (public: bring it to "
        "every box) and DIR/relay.toml. Keys are never replaced.",
    )
    command.add_argument("dir", type=Path, metavar="DIR")
    command.add_argument("--name", default="Chevet programme", help="the programme's name, shown on the desk")
    command.set_defaults(command=_later("programme", "run"))


def _run(kinds: Kinds) -> None:
    command = kinds.add_parser(
        "run",
        help="receive studies and serve the desk",
        description="One process: ingest, API and desk. It keeps trying while the broker is away and says "
        "so in GET /api/status. Ends cleanly on SIGTERM and Ctrl-C.",
    )
    _add_config(command)
    command.set_defaults(command=_later("run", "run"))


def _broker(kinds: Kinds) -> None:
    command = kinds.add_parser(
        "broker",
        help="run an MQTT broker here, in the foreground",
        description="With --config of a relay that has broker_tls: mutual TLS 1.3, one certificate a site, "
        "each site confined to its own topics, revoked ones cut off at once. Without: on loopback only, for "
        "one machine and for trying out. Prints READY when it accepts connections. Studies are safe without "
        "it: a box frees nothing before the relay's signed receipt.",
    )
    command.add_argument("--port", type=int, help="TCP port (default: that of the configuration, else 1883)")
    command.add_argument("--host", help="address to listen on (default: 127.0.0.1; with TLS every one)")
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration of the relay whose boxes come in by TLS"
    )
    command.add_argument(
        "--write",
        type=Path,
        metavar="DIR",
        help="write the configuration of mosquitto or RabbitMQ there, and end",
    )
    command.add_argument(
        "--installed",
        type=Path,
        metavar="DIR",
        help="where RabbitMQ's nodes have these files (default: DIR of --write)",
    )
    command.add_argument(
        "--worker",
        action="append",
        metavar="NAME",
        help="once for each worker of the relay that RabbitMQ deals boxes to (default: the one configured)",
    )
    command.add_argument(
        "--open-network", action="store_true", help="allow other addresses than loopback without TLS"
    )
    command.add_argument(
        "--engine",
        choices=("iotcore", "mosquitto", "rabbitmq"),
        default="iotcore",
        help="iotcore is a Python wheel; mosquitto must be installed; for a RabbitMQ cluster that runs "
        "already, --write its files (default: iotcore)",
    )
    command.set_defaults(command=_later("broker", "run"))


def _site(kinds: Kinds) -> None:
    actions = kinds.add_parser("site", help="let health centres in, list and revoke them").add_subparsers(
        metavar="ACTION", required=True
    )
    add = actions.add_parser(
        "add",
        help="invite a health centre by a one-time code",
        description="Prints a code, also as QR, by which one box enrols as this site: `chevet-edge enrol`. "
        "It is good once and for a limited time. A site known already may enrol again with the keys it has. "
        "A path that ends in .json lets in the site of a site.json instead, carried by hand.",
    )
    add.add_argument("name", metavar="NAME", help="the health centre's name, or its site.json")
    add.add_argument("--code", type=site_code, help="1 to 6 characters a-z and 0-9 (default: of its name)")
    add.add_argument("--phone", default="", help="number to call when the line is down")
    add.add_argument(
        "--hours", type=hours, default=72, metavar="N", help="how long the code is good (default: 72)"
    )
    add.add_argument("--no-qr", action="store_true", help="do not draw the code")
    add.set_defaults(command=_later("sites", "add"))
    every = actions.add_parser("list", help="list the sites")
    every.set_defaults(command=_later("sites", "show"))
    stock = actions.add_parser("stock", help="say which medicines a site has, one a line of FILE")
    stock.add_argument("code", metavar="CODE")
    stock.add_argument("file", type=Path, metavar="FILE")
    _add_config(stock)
    stock.set_defaults(command=_later("sites", "stock"))
    revoke = actions.add_parser("revoke", help="refuse everything a site sends from now on")
    revoke.add_argument("code", metavar="CODE")
    revoke.set_defaults(command=_later("sites", "revoke"))
    for action in (add, every, revoke):
        _add_config(action)


def site_code(text: str) -> str:
    """Return a site's code.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not (1 <= len(text) <= 6 and text.isascii() and text.isalnum() and text == text.lower()):
        raise argparse.ArgumentTypeError("a site's code is 1 to 6 characters a-z and 0-9")
    return text


def hours(text: str) -> int:
    """Return a number of hours, 1 to 720.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 720):
        raise argparse.ArgumentTypeError("give whole hours, 1 to 720")
    return int(text)


def _user(kinds: Kinds) -> None:
    actions = kinds.add_parser("user", help="add, list and disable accounts").add_subparsers(
        metavar="ACTION", required=True
    )
    add = actions.add_parser(
        "add",
        help="add an account",
        description="Asks for the password (or reads one line of standard input, or --password-file). "
        "A specialist gets a signing key that only this password unlocks.",
    )
    add.add_argument("--id", required=True, help="what the person types to sign in")
    add.add_argument("--name", required=True, help="as workers see it beside an opinion")
    add.add_argument("--role", required=True, choices=ROLES)
    add.add_argument(
        "--specialty",
        default="",
        choices=("", *SPECIALTIES),
        metavar="SPECIALTY",
        help=f"one of {', '.join(SPECIALTIES)}",
    )
    add.add_argument(
        "--language", action="append", choices=LANGUAGES, help="may be repeated, the preferred first"
    )
    add.add_argument(
        "--password-file", type=Path, metavar="FILE", help="file whose first line is the password"
    )
    add.set_defaults(command=_later("users", "add"))
    every = actions.add_parser("list", help="list the accounts")
    every.set_defaults(command=_later("users", "show"))
    disable = actions.add_parser("disable", help="end all sessions of an account and refuse new ones")
    disable.add_argument("id", metavar="ID")
    disable.set_defaults(command=_later("users", "disable"))
    out = actions.add_parser("sign-out", help="end all sessions of an account; it may sign in again")
    out.set_defaults(command=_later("users", "sign_out"))
    lost = actions.add_parser(
        "forget-factor",
        help="take a lost app and all passkeys away; the next sign-in sets up a new app",
        description="Make sure who asks: whoever knows the password sets up the next app.",
    )
    lost.set_defaults(command=_later("users", "forget_factor"))
    apart = actions.add_parser(
        "forget-provider",
        help="forget who an account is at the identity provider; the next sign-in there links it anew",
    )
    apart.set_defaults(command=_later("users", "forget_provider"))
    unlock = actions.add_parser("unlock", help="end the pause after wrong passwords and codes")
    unlock.set_defaults(command=_later("users", "unlock"))
    for action in (out, lost, apart, unlock):
        action.add_argument("id", metavar="ID")
    for action in (add, every, disable, out, lost, apart, unlock):
        _add_config(action)


def _keys(kinds: Kinds) -> None:
    actions = kinds.add_parser("key", help="change the key that studies are sealed to").add_subparsers(
        metavar="ACTION", required=True
    )
    rotate = actions.add_parser(
        "rotate",
        help="make a new programme key; what was sealed to older ones stays readable",
        description="Makes a new programme key and keeps the old one. Enrolled boxes seal to the new one "
        "within a day of being on line; what they sealed before is opened by the old one.",
    )
    rotate.set_defaults(command=_later("keys", "run_rotate"))
    recover = kinds.add_parser(
        "recover",
        help="open a study of the archive with the recovery key alone",
        description="For the day the programme's keys are lost: needs the archive and the recovery key, no "
        "other key. Writes every part of the study as a file, readable by you alone, and says whether it is "
        "exactly what the box sent. Try it before that day.",
    )
    recover.add_argument("id", metavar="ID", help="id of the study, opinion or message")
    recover.add_argument("--recovery-key", type=Path, required=True, metavar="FILE", help="recovery.key")
    recover.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder to be made")
    recover.set_defaults(command=_later("keys", "run_recover"))
    for action in (rotate, recover):
        _add_config(action)


def _audit(kinds: Kinds) -> None:
    actions = kinds.add_parser("audit", help="verify the record of who did what").add_subparsers(
        metavar="ACTION", required=True
    )
    verify = actions.add_parser("verify", help="walk the chain; name the first record that was tampered with")
    show = actions.add_parser("show", help="list who did what, the newest last; holds no patient data")
    show.add_argument("--case", default="", metavar="ID", help="only what touched this case")
    show.add_argument("--user", default="", metavar="ID", help="only what this user did")
    show.add_argument("--last", type=int, default=100, metavar="N", help="so many records (default: 100)")
    for action in (verify, show):
        _add_config(action)
    verify.set_defaults(command=_later("audit", "verify"))
    show.set_defaults(command=_later("audit", "show"))
