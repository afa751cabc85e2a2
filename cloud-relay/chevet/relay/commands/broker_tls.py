"""`chevet-relay broker` with `broker_tls`: mutual TLS 1.3, rights by certificate, revocation at once.

mosquitto and RabbitMQ have all of that of their own and are told by their configuration. The embedded broker
has not: its wheel is built without client certificates and it knows no rights, so our gate stands before it
and it listens on loopback, to nobody who did not come through the gate.
"""

import argparse
import asyncio
import getpass
import secrets
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509

from chevet.exchange.tls import RELAY_LIVE_NAME, RELAY_NAME, server_context
from chevet.exchange.topics import PREFIX
from chevet.relay.authority import BROKER_FILE, CA_PUBLIC, CRL_FILE, Authority, moment, name_at_broker
from chevet.relay.commands import broker_rabbitmq
from chevet.relay.commands.broker import (
    MAX_PAYLOAD,
    Alive,
    check_port,
    iotcore,
    iotcore_words,
    mosquitto,
    serve,
)
from chevet.relay.commands.opened import opened
from chevet.relay.errors import BrokerError, SettingsError
from chevet.relay.gate.gate import Behind, Gate
from chevet.relay.relay import unix_ms
from chevet.relay.settings import Settings, read_settings

EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - boxes come from anywhere; without a certificate nobody comes in
LOOK_S: Final = 1.0
"""How soon a revocation is noticed."""
RENEW_S: Final = 3600.0
MOSQUITTO: Final = """\
# Written by chevet-relay broker: mutual TLS 1.3, one certificate a site, rights by its name.
persistence false
set_tcp_nodelay true
message_size_limit {payload}
allow_anonymous false
acl_file {folder}/acl
log_type error
log_type warning
{user}"""
LISTENER: Final = """
listener {port} {host}
cafile {folder}/ca.crt
certfile {folder}/broker.pem
keyfile {folder}/broker.pem
crlfile {folder}/crl.pem
tls_version tlsv1.3
require_certificate true
use_identity_as_username true
"""
OWN_ID: Final = "use_username_as_clientid true\n"
"""A box's name at the broker is its certificate's: it cannot take another's place and end its connection."""
ACL: Final = f"""\
user {RELAY_NAME}
topic readwrite {PREFIX}/#

user {RELAY_LIVE_NAME}
topic readwrite {PREFIX}/#

pattern write {PREFIX}/%u/u/#
pattern read {PREFIX}/%u/d/#
"""
IOTCORE_LOGIN: Final = """
[v5.1.connections.auth]
gate = "{password}"
"""


def wanted(options: argparse.Namespace) -> bool:
    """Tell whether the configuration that is named asks for TLS."""
    return read_settings(options.config).broker_tls


def run(options: argparse.Namespace) -> int:
    """Serve by TLS until SIGTERM or SIGINT, or write the configuration of a system's broker with `--write`.

    Raises:
        BrokerError: a port is taken, the engine is missing, or it ended by itself.
        RelayError: the keys or the archive cannot be used.
    """
    guarded = _guarded(options)
    if options.engine == "rabbitmq":
        return _write_rabbitmq(guarded, options)
    if options.write is not None:
        return _write(guarded, options.write.resolve())
    for host, port in guarded.places:
        check_port(host, port)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    what = " and ".join(f"{host}:{port}" for host, port in guarded.places)
    engine = _mosquitto if options.engine == "mosquitto" else _gate
    with (
        tempfile.TemporaryDirectory(prefix="chevet-broker-") as folder,
        engine(guarded, Path(folder)) as running,
    ):
        alive, renewed = running
        serve(
            f"{options.engine} {what} by mutual TLS 1.3", guarded.port, alive, _Watch(guarded, renewed).look
        )
    return 0


@dataclass(frozen=True, slots=True)
class Guarded:
    """What a guarded broker is made of: the authority, where boxes come in, and where the relay does.

    Attributes:
        relay_port: a door for the relay alone, on loopback; equal to `port` where there is one for all.
        sites: every site's code, and whether it is revoked.
        workers: names at the broker of the relay's workers.
    """

    authority: Authority
    host: str
    port: int
    relay_port: int
    names: tuple[str, ...]
    sites: tuple[tuple[str, bool], ...]
    workers: tuple[str, ...]

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """Return where to listen."""
        own = (("127.0.0.1", self.relay_port),) if self.relay_port != self.port else ()
        return ((self.host, self.port), *own)

    def keep(self) -> Path:
        """Return the broker's certificate, renewed where that is due."""
        return self.authority.keep_broker(self.names, moment(unix_ms()))


def _guarded(options: argparse.Namespace) -> Guarded:
    settings = read_settings(options.config)
    with opened(options.config) as relay:
        authority = relay.authority()
        relay.write_revoked()
        sites = tuple((site.code, site.revoked) for site in relay.sites.list())
    workers = tuple(name_at_broker(settings, one) for one in options.worker or [settings.worker])
    port = options.port or settings.public_broker_port or settings.broker_port
    if settings.share and port == settings.broker_port and options.engine == "mosquitto":
        raise SettingsError(
            "broker_port",
            "Several workers need a door of their own at mosquitto: set public_broker_port to another port"
            " than broker_port; boxes come in by the first, workers by the second.",
        )
    host, names = options.host or EVERYWHERE, _names(settings)
    return Guarded(authority, host, port, settings.broker_port, names, sites, workers)


def _names(settings: Settings) -> tuple[str, ...]:
    found = (
        settings.public_broker_host,
        settings.broker_host,
        "localhost",
        "127.0.0.1",
        socket.gethostname(),
    )
    return tuple(dict.fromkeys(name for name in found if name))


@dataclass(slots=True)
class _Watch:
    """Notices what has changed on the disk: a revocation at once, a due certificate within the hour."""

    guarded: Guarded
    renewed: Callable[[], None]
    _seen: tuple[int, int] = field(default=(0, 0), init=False)
    _look_at: float = field(default=0.0, init=False)
    _renew_at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._seen, self._renew_at = self._state(), time.monotonic() + RENEW_S

    def look(self) -> None:
        """Look, where it is time to."""
        now = time.monotonic()
        if now >= self._renew_at:
            self._renew_at = now + RENEW_S
            self.guarded.keep()
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            state = self._state()
            if state != self._seen:
                self._seen = state
                self.renewed()

    def _state(self) -> tuple[int, int]:
        folder = self.guarded.authority.folder
        return (folder / CRL_FILE).stat().st_mtime_ns, (folder / BROKER_FILE).stat().st_mtime_ns


@contextmanager
def _gate(guarded: Guarded, folder: Path) -> Iterator[tuple[Alive, Callable[[], None]]]:
    """Run the embedded broker on loopback and the gate before it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        inner = int(probe.getsockname()[1])
    password = secrets.token_hex(24)
    text = iotcore_words("127.0.0.1", inner) + IOTCORE_LOGIN.format(password=password)
    with iotcore("127.0.0.1", inner, folder, text) as alive:
        keeper = _GateThread(guarded, Behind(inner, ("gate", password.encode())))
        keeper.start()
        try:
            yield lambda: alive() and keeper.is_alive(), keeper.renew
        finally:
            keeper.stop()


class _GateThread(threading.Thread):
    """The gate on an event loop of its own."""

    def __init__(self, guarded: Guarded, behind: Behind) -> None:
        super().__init__(name="gate", daemon=True)
        self._guarded = guarded
        folder = guarded.authority.folder
        self._crl = folder / CRL_FILE
        self._revoked = _serials(self._crl)
        self._context = server_context(folder / CA_PUBLIC, guarded.keep())
        self._gate = Gate(behind, lambda: self._revoked)
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._open = threading.Event()
        self._refused: OSError | None = None

    def start(self) -> None:
        """Start and wait until clients are taken.

        Raises:
            BrokerError: a port is taken.
        """
        super().start()
        self._open.wait()
        if self._refused is not None:
            raise BrokerError(self._guarded.port, f"The gate cannot listen: {self._refused.strerror}.")

    def run(self) -> None:
        """Serve until `stop`."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    def renew(self) -> None:
        """Take the newest list and certificate; connections of revoked ones end now."""
        self._revoked = _serials(self._crl)
        self._context.load_cert_chain(self._guarded.keep())
        self._loop.call_soon_threadsafe(self._gate.end_revoked)

    def stop(self) -> None:
        """End every connection and the thread."""
        if self.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self.join()

    async def _serve(self) -> None:
        servers: list[asyncio.Server] = []
        try:
            for host, port in self._guarded.places:
                servers.append(await self._gate.open(host, port, self._context))
            self._open.set()
            await self._ended.wait()
        except OSError as error:
            self._refused = error
        finally:
            self._open.set()
            for server in servers:
                server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)  # each closes both its ends first


@contextmanager
def _mosquitto(guarded: Guarded, folder: Path) -> Iterator[tuple[Alive, Callable[[], None]]]:
    """Run mosquitto; it is started anew when something changed, which ends revoked connections too."""
    text = _words(guarded, folder, f"user {getpass.getuser()}\n")
    running = _Restarting(guarded, folder, text)
    running.again()
    try:
        yield running.alive, running.again
    finally:
        running.end()


class _Restarting:
    """A mosquitto that can be started again: the broker keeps nothing, and boxes are back within seconds."""

    def __init__(self, guarded: Guarded, folder: Path, text: str) -> None:
        self._guarded, self._folder, self._text = guarded, folder, text
        self._child = ExitStack()
        self._lives: Alive = lambda: False

    def alive(self) -> bool:
        """Tell whether it runs."""
        return self._lives()

    def again(self) -> None:
        """End it where it runs, and start it with the files as they are now."""
        self.end()
        _copy(self._guarded, self._folder)
        host = "127.0.0.1" if self._guarded.host == EVERYWHERE else self._guarded.host
        child = mosquitto(host, self._guarded.port, self._folder, self._text)
        self._lives = self._child.enter_context(child)

    def end(self) -> None:
        """End it."""
        self._child.close()


def _words(guarded: Guarded, folder: Path, user: str) -> str:
    text = MOSQUITTO.format(payload=MAX_PAYLOAD, folder=folder, user=user)
    for number, (host, port) in enumerate(guarded.places):
        text += LISTENER.format(port=port, host=host, folder=folder) + (OWN_ID if number == 0 else "")
    return text


def _copy(guarded: Guarded, folder: Path) -> None:
    (folder / "acl").write_text(ACL)
    (folder / "acl").chmod(0o600)
    source = guarded.authority.folder
    for origin, name in (
        (guarded.keep(), "broker.pem"),
        (source / CA_PUBLIC, "ca.crt"),
        (source / CRL_FILE, "crl.pem"),
    ):
        shutil.copy2(origin, folder / name)


def _write(guarded: Guarded, folder: Path) -> int:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _copy(guarded, folder)
        (folder / "mosquitto.conf").write_text(_words(guarded, folder, ""))
    except OSError as error:
        raise SettingsError(str(folder), f"Cannot write in {folder}: {error.strerror}.") from None
    print(f"Wrote mosquitto.conf, acl, ca.crt, broker.pem (private) and crl.pem into {folder}.")
    print(f"Include it: `include_dir {folder}`, or run `mosquitto -c {folder}/mosquitto.conf`.")
    print("Write again and restart mosquitto after `chevet-relay site revoke`, and once in half a year.")
    return 0


def _write_rabbitmq(guarded: Guarded, options: argparse.Namespace) -> int:
    if options.write is None:
        raise SettingsError(
            "--engine rabbitmq",
            "RabbitMQ is a cluster that runs already: say --write DIR, and give its nodes the files written.",
        )
    folder, broker = options.write.resolve(), guarded.keep()
    installed = options.installed or folder
    broker_rabbitmq.write(
        folder, installed, guarded.authority, broker, guarded.port, guarded.sites, guarded.workers
    )
    print("Wrote rabbitmq.conf, advanced.config, enabled_plugins, definitions.json, apply.sh, ca.crt, crl/")
    print(f"and broker.pem (private: for the user rabbitmq alone) into {folder}.")
    print(f"Put them on every node as {installed}; docs/guides/operator-rabbitmq.md tells the rest.")
    print("Write and distribute again, and run apply.sh on one node, after every change of the sites.")
    return 0


def _serials(crl: Path) -> frozenset[int]:
    return frozenset(entry.serial_number for entry in x509.load_pem_x509_crl(crl.read_bytes()))
