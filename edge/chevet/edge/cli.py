"""The command chevet-edge: the agent at the bedside and what an installer needs around it."""

import argparse
import asyncio
import getpass
import logging
import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from chevet.exchange import arithmetic  # noqa: F401 - first of all, before anything loads NumPy

# isort: split
from chevet.edge.cli_badge import badge_words
from chevet.edge.cli_carry import carry_words
from chevet.edge.cli_import import import_words
from chevet.edge.cli_lock import lock_words
from chevet.edge.cli_queue import queue_words
from chevet.edge.cli_support import support_words
from chevet.edge.cli_update import update_words
from chevet.edge.database import is_full
from chevet.edge.errors import Covered, Refusal, SettingsError, StoreDamaged
from chevet.edge.settings import EdgeSettings, load_settings, read_secret
from chevet.edge.store import open_store
from chevet.edge.workers import Worker, Workers

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001

WHAT = """\
The agent at the bedside: reads the instruments, records, keeps every study safe on this box until the
programme's relay has confirmed it, and serves the kiosk's screens.

Research and training software. Not a medical device; not for diagnosis or patient monitoring.
"""
FIRST_STEPS = """\
first steps:
  chevet-edge enrol https://relay.example CODE      address and code come from the relay's operator
  chevet-edge lock init                             encrypt what the box keeps
  chevet-edge worker add --id amina --name "Amina"
  chevet-edge doctor
  chevet-edge run

Settings are read from edge.toml (or --config FILE, or /etc/chevet/edge.toml); every one can be overridden
by a variable such as CHEVET_EDGE_KIOSK__PORT=8500. docs/settings.md explains each.
"""
INIT = (
    "Make this box's keys (readable by you alone) and the public site.json, which the relay's operator lets"
    " in with `chevet-relay site add`. Writes a first edge.toml where there is none."
)
ENROL = (
    "Bring this box into a programme by the one-time code of `chevet-relay site add`: makes the box's keys,"
    " gets its certificate, the broker's address and the programme's keys. The code proves both sides to each"
    " other, so the address may be plain http. Running it again is safe: keys stay as they are."
)
WORKER = (
    "Add a worker, or give an existing one a new name and PIN. The PIN (4 to 12 digits) is asked for, or read"
    " from --pin-file or from standard input."
)
RUN = (
    "Run the agent until Ctrl-C or SIGTERM. Recordings in progress and studies on their way survive a power"
    " cut."
)
DEVICES = (
    "List the instruments: state, model, calibration, battery, rates, lost samples, bad frames and quality as"
    " the running agent sees them; without an agent, what is configured. --find lists what is on the buses"
    " instead, what each was taken for and why; the ids for --use, --refuse and --ask stand there."
)
DOCTOR = "Check keys, programme file, disk, clock, port, broker and every instrument's link."
RECORD = (
    "Record one instrument without the agent: signals as WFDB (FILE.hea and FILE.dat, samples exactly as the"
    " device sent them), a stethoscope as WAV where FILE ends in .wav, a camera's pictures into a folder,"
    " readings into FILE_readings.csv beside. Gaps are told and stand in the file's comments."
)
TAPE = (
    "Record what passes on an instrument's link, both ways, with its times. A device whose link is tape:FILE"
    " replays it. For the workbench: a tape holds measurements of whoever was connected."
)
STARTER = """\
# Settings of this box; docs/settings.md explains each.
data_dir = "{data_dir}"
programme = "{programme}"
site = "{site}"

[kiosk]
host = "127.0.0.1"
port = 8421

{broker}

# Instruments that are plugged in or switched on are found and offered on the screen; to name one here
# instead, one block for each, or devices_file = "devices.json":
# [[devices]]
# id = "ecg"
# driver = "kit-ecg"
# link = "serial:/dev/serial/by-id/usb-...?baud=921600"
"""

HERE = '[broker]\nhost = "127.0.0.1"\nport = 1883'
FROM_RELAY = "# The broker's address came with enrolment; [broker] with host and port says otherwise."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = parser().parse_args(argv)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    for noisy in ("uvicorn.error", "chevet.exchange.line"):
        # A connection, or an attempt at the broker every second for days, is no news.
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        return int(options.do(options))
    except ExceptionGroup as group:
        # The text of an unexpected error may hold patient data: only its kind is shown.
        kinds = ", ".join(sorted({type(error).__name__ for error in group.exceptions}))
        return _fail(
            f"A part of the agent failed ({kinds}); start it again, recordings and studies are kept."
        )
    except (SettingsError, StoreDamaged, Covered, Refusal) as error:
        return _fail(str(error))
    except (OSError, sqlite3.Error) as error:
        if is_full(error):
            return _fail("The disk is full; free space (a few hundred MB) and start again.")
        return _fail(f"The system refused ({error}); check the folder's owner and mode.")
    except KeyboardInterrupt:
        return 130


def _fail(sentence: str) -> int:
    print(f"chevet-edge: {sentence}", file=sys.stderr)
    return 1


def parser() -> argparse.ArgumentParser:
    """Return the command line; the documents are checked against it."""
    raw = argparse.RawDescriptionHelpFormatter
    whole = argparse.ArgumentParser("chevet-edge", description=WHAT, epilog=FIRST_STEPS, formatter_class=raw)
    commands = whole.add_subparsers(title="commands", required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", type=Path, metavar="FILE", help="the configuration (default: edge.toml)")
    _enrol_words(commands, shared)
    _init_words(commands, shared)
    _worker_words(commands, shared)
    _devices_words(commands, shared)
    for name, do, short, long in (
        ("run", _run, "run the agent and serve the kiosk", RUN),
        ("doctor", _doctor, "check what the agent needs and name the remedy", DOCTOR),
    ):
        command = commands.add_parser(name, parents=[shared], help=short, description=long)
        command.set_defaults(do=do)
    _record_words(commands, shared)
    import_words(commands)
    support_words(commands)
    queue_words(commands, shared)
    carry_words(commands, shared)
    lock_words(commands, shared)
    update_words(commands, shared)
    return whole


def _devices_words(commands: Commands, shared: argparse.ArgumentParser) -> None:
    command = commands.add_parser(
        "devices", parents=[shared], help="list, find, accept and forget instruments", description=DEVICES
    )
    wishes = command.add_mutually_exclusive_group()
    wishes.add_argument("--watch", action="store_true", help="the list anew each second, until Ctrl-C")
    wishes.add_argument("--find", action="store_true", help="look at the buses and list what is there")
    for option, text in (
        ("--use", "use what was found under this id, now and after every start"),
        ("--refuse", "do not use it and do not offer it again"),
        ("--ask", "ask a silent serial port who is there, by harmless questions"),
    ):
        wishes.add_argument(option, default="", metavar="ID", help=text)
    wishes.add_argument("--forget", default="", metavar="DEVICE", help="forget an instrument that was found")
    wishes.add_argument(
        "--calibrated",
        nargs=2,
        default=("", ""),
        metavar=("DEVICE", "DAY"),
        help="note the day (2026-05-04, or none) of an instrument's last calibration",
    )
    command.add_argument("--driver", default="", metavar="NAME", help="with --use, where several fit")
    command.set_defaults(do=_devices)


def _record_words(commands: Commands, shared: argparse.ArgumentParser) -> None:
    for name, do, short, long, file in (
        ("record", _record, "record an instrument into a file", RECORD, "FILE.hea, FILE.wav or a folder"),
        ("tape", _tape, "record the bytes of an instrument's link", TAPE, "the tape, such as ecg.tape"),
    ):
        command = commands.add_parser(name, parents=[shared], help=short, description=long)
        command.add_argument("--device", required=True, metavar="ID", help="the instrument's id")
        command.add_argument(
            "--seconds", type=float, default=10.0, metavar="N", help="how long (default: 10)"
        )
        command.add_argument("--out", required=True, type=Path, metavar="FILE", help=file)
        command.add_argument("--force", action="store_true", help="replace what is there")
        command.set_defaults(do=do)


def _init_words(commands: Commands, shared: argparse.ArgumentParser) -> None:
    init = commands.add_parser(
        "init", parents=[shared], help="make this box's keys and its site.json", description=INIT
    )
    init.add_argument("--site", required=True, help="short code: 1 to 6 characters a-z and 0-9")
    init.add_argument("--name", required=True, help="the health centre's name")
    init.add_argument("--phone", default="", help="number to call when the line is down")
    init.add_argument(
        "--programme", required=True, type=Path, metavar="FILE", help="the relay's programme.json"
    )
    init.set_defaults(do=_init)


def _enrol_words(commands: Commands, shared: argparse.ArgumentParser) -> None:
    enrol = commands.add_parser(
        "enrol",
        parents=[shared],
        help="bring this box into a programme by a one-time code",
        description=ENROL,
    )
    enrol.add_argument("url", metavar="URL", help="the relay's address; or URL#CODE, as the QR code has it")
    enrol.add_argument(
        "code", metavar="CODE", nargs="?", default="", help="the code, as the operator gave it"
    )
    enrol.set_defaults(do=_enrol)


def _worker_words(commands: Commands, shared: argparse.ArgumentParser) -> None:
    worker = commands.add_parser("worker", help="add a worker", description="Who may use the kiosk.")
    verbs = worker.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add = verbs.add_parser("add", parents=[shared], help="add a worker or give a new PIN", description=WORKER)
    add.add_argument("--id", required=True, help="short id that studies carry")
    add.add_argument("--name", required=True, help="name shown on the kiosk")
    add.add_argument("--pin-file", type=Path, metavar="FILE", help="file that holds the PIN alone")
    add.add_argument("--passphrase-file", type=Path, metavar="FILE", help="opens a box under a lock")
    add.set_defaults(do=_add_worker)
    badge_words(verbs, shared)


def _enrol(options: argparse.Namespace) -> int:
    from chevet.edge.enrol import enrol, split_code
    from chevet.edge.terminal_lock import key_at_terminal

    url, code = split_code(options.url, options.code)
    config: Path = options.config or Path("edge.toml")
    starter = not config.exists()
    folder = config.resolve().parent
    data_dir, programme = folder / "data", folder / "programme.json"
    if not starter:
        settings = load_settings(config)
        data_dir, programme = settings.data_dir, settings.programme
    key = None if starter else key_at_terminal(settings)
    grant = enrol(data_dir, programme, url, code, key)
    if starter:
        _write_config(
            config,
            STARTER.format(data_dir=data_dir, programme=programme, site=grant.site, broker=FROM_RELAY),
        )
        print(f"Wrote {config}: look through it, then add this site's instruments.")
    road = "mutual TLS 1.3" if grant.broker.tls else "no TLS"
    print(f"This box is site {grant.site} ({grant.name}) of {grant.programme.programme}.")
    print(f"Broker: {grant.broker.host}:{grant.broker.port}, {road}. Keys and certificate: {data_dir}/keys.")
    print("Next: `chevet-edge lock init`, `chevet-edge worker add`, `chevet-edge doctor`, `chevet-edge run`.")
    return 0


def _write_config(config: Path, text: str) -> None:
    """Write it durably: the power often goes while a box is being set up."""
    with config.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _init(options: argparse.Namespace) -> int:
    # Imported here, as below: help and the small commands answer at once, without numpy and the drivers.
    from chevet.edge.trust import make_site, read_programme

    read_programme(options.programme)
    config: Path = options.config or Path("edge.toml")
    starter = not config.exists()
    data_dir = (config.parent / "data").resolve() if starter else load_settings(config).data_dir
    public = make_site(data_dir, options.site, options.name, options.phone)
    if starter:
        programme = options.programme.resolve()
        text = STARTER.format(data_dir=data_dir, programme=programme, site=options.site, broker=HERE)
        _write_config(config, text)
        print(f"Wrote {config}: look through it, then add this site's instruments.")
    print(f"Made the keys of site {options.site} in {data_dir}.")
    print(f"Bring {public} to the relay's operator: chevet-relay site add site.json")
    return 0


def _add_worker(options: argparse.Namespace) -> int:
    from chevet.edge.terminal_lock import key_at_terminal

    settings = load_settings(options.config)
    _require_data_dir(settings)
    if options.pin_file:
        pin = read_secret(options.pin_file, "--pin-file")
    elif sys.stdin.isatty():
        pin = getpass.getpass("PIN: ")
    else:
        pin = sys.stdin.readline().strip()
    database = open_store(settings.data_dir / "edge.db", key_at_terminal(settings, options.passphrase_file))
    try:
        Workers(database, lambda: 0.0).add(Worker(options.id, options.name), pin)
    finally:
        database.close()
    print(f"Worker {options.id} may use the kiosk.")
    return 0


def _require_data_dir(settings: EdgeSettings) -> None:
    if not settings.data_dir.is_dir():
        raise SettingsError(f"{settings.data_dir} does not exist; run `chevet-edge init` first.")


def _run(options: argparse.Namespace) -> int:
    from chevet.edge.agent import serve

    settings = load_settings(options.config)
    _require_data_dir(settings)

    def ready(url: str) -> None:
        label = " (simulated, HTEST)" if settings.label else ""
        print(f"Kiosk{label}: {url}", flush=True)

    asyncio.run(serve(settings, ready))
    return 0


def _devices(options: argparse.Namespace) -> int:
    settings = load_settings(options.config)
    device, day = options.calibrated
    wishes = (options.use, options.refuse, options.ask, options.driver, options.forget, device, day)
    if options.find or any(wishes):
        from chevet.edge.terminal_find import Wish, told_found

        _require_data_dir(settings)
        lines = told_found(settings, Wish(*wishes))
    else:
        from chevet.edge.terminal_devices import told_devices, watched_devices

        screen = sys.stdout.isatty()
        lines = watched_devices(settings, screen=screen) if options.watch else told_devices(settings)
    for line in lines:
        print(line, flush=True)
    return 0


def _record(options: argparse.Namespace) -> int:
    from chevet.edge.terminal_record import record

    settings = load_settings(options.config)
    return record(settings, options.device, options.seconds, options.out, force=options.force)


def _tape(options: argparse.Namespace) -> int:
    from chevet.edge.terminal_record import record_tape

    settings = load_settings(options.config)
    return record_tape(settings, options.device, options.seconds, options.out, force=options.force)


def _doctor(options: argparse.Namespace) -> int:
    from chevet.edge.doctor import examine

    ill = 0
    for finding in examine(load_settings(options.config)):
        ill += bool(finding.remedy)
        print(f"{'!!' if finding.remedy else 'ok'}  {finding.what}: {finding.told}")
        if finding.remedy:
            print(f"      {finding.remedy}")
    print("All is well." if not ill else f"{ill} to look at.")
    return 1 if ill else 0


if __name__ == "__main__":
    sys.exit(main())
