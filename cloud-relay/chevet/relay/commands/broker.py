"""`chevet-relay broker`: an MQTT broker for a fresh machine, in the foreground.

The broker is transport, never the store: a study leaves the box only on the relay's signed receipt, so
neither engine needs to keep anything. iotcore is a wheel and needs no installation; mosquitto is used where
it is installed and asked for.
"""

import argparse
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType

from chevet.relay.errors import BrokerError

START_S = 30.0
STOP_S = 5.0
POLL_S = 0.1
MAX_PAYLOAD = 256 * 1024
"""Four times the largest chunk of the exchange; iotcore's own default of 20 KiB would refuse fast links."""
SEGMENT_BYTES, SEGMENTS = 4 * 1024 * 1024, 4
"""Memory of iotcore's log, for a machine with 1 GB; its default takes up to 1.3 GB."""
SEARCH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
"""Debian puts mosquitto where an ordinary user's PATH does not look."""
LEASH = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
"""Ends mosquitto with us even after kill -9 (util-linux, on every Debian)."""

IOTCORE = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = {segment}
max_segment_count = {segments}

[v5.1]
name = "chevet"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 10000
max_payload_size = {payload}
max_inflight_count = 200
dynamic_filters = true
"""

MOSQUITTO = """\
listener {port} {host}
allow_anonymous true
persistence false
set_tcp_nodelay true
message_size_limit {payload}
log_type error
log_type warning
user {user}
"""

PLAIN_PORT = 1883
LOOPBACK = ("127.", "localhost", "::1")
Alive = Callable[[], bool]


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; print READY once connections are accepted.

    Raises:
        BrokerError: the port is taken, the engine is missing, or it ended by itself.
        RelayError: the configuration or its keys cannot be used.
    """
    if options.config is not None:
        from chevet.relay.commands import broker_tls

        if broker_tls.wanted(options):
            return broker_tls.run(options)
    host, port = options.host or "127.0.0.1", options.port or PLAIN_PORT
    if options.engine == "rabbitmq":
        raise BrokerError(
            port,
            "RabbitMQ is configured for mutual TLS alone: name a configuration (--config relay.toml) that has"
            " broker_tls = true, and say --write DIR.",
        )
    if not (options.open_network or host.startswith(LOOPBACK)):
        raise BrokerError(
            port,
            f"{host} is open to a network, and this broker would let everybody in: set broker_tls = true and"
            " name the configuration (--config relay.toml), or say --open-network where a VPN protects it.",
        )
    check_port(host, port)
    engine = mosquitto if options.engine == "mosquitto" else iotcore
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child inherits it: only we decide when it ends
    with tempfile.TemporaryDirectory(prefix="chevet-broker-") as folder:
        text = MOSQUITTO.format(host=host, port=port, payload=MAX_PAYLOAD, user=getpass.getuser())
        if options.engine != "mosquitto":
            text = iotcore_words(host, port)
        with engine(host, port, Path(folder), text) as alive:
            serve(f"{options.engine} {host}:{port}", port, alive, lambda: None)
    return 0


def serve(what: str, port: int, alive: Alive, each: Callable[[], None]) -> None:
    """Say READY, then wait for a signal, calling `each` ten times a second.

    Raises:
        BrokerError: the broker ended by itself.
    """
    stop = _stop_on_signals()
    print(f"READY {what}", flush=True)
    while not stop.wait(POLL_S):
        if not alive():
            raise BrokerError(port, f"The broker on port {port} ended by itself: its own words are above.")
        each()


def iotcore_words(host: str, port: int) -> str:
    """Return the configuration of the embedded broker."""
    return IOTCORE.format(host=host, port=port, segment=SEGMENT_BYTES, segments=SEGMENTS, payload=MAX_PAYLOAD)


def _stop_on_signals() -> Event:
    stop = Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    return stop


@contextmanager
def iotcore(host: str, port: int, folder: Path, text: str) -> Iterator[Alive]:
    """Run the embedded broker with this configuration.

    Raises:
        BrokerError: the wheel is missing, or it did not start.
    """
    try:
        from iotcore import Broker
    except ImportError:
        raise BrokerError(
            port, "The wheel iotcore is missing: run `pip install 'chevet[sim]'`, or use --engine mosquitto."
        ) from None
    config = folder / "broker.toml"
    config.write_text(text)
    # its child ends when our end of a pipe closes, so that even kill -9 leaves no process
    broker = Broker(config_path=str(config))
    try:
        broker.start(timeout=START_S)
    except (RuntimeError, OSError) as error:
        raise _not_started(host, port) from error
    try:
        yield lambda: bool(broker.is_running)
    finally:
        broker.stop(timeout=STOP_S)


@contextmanager
def mosquitto(host: str, port: int, folder: Path, text: str) -> Iterator[Alive]:
    """Run mosquitto with this configuration.

    Raises:
        BrokerError: it is not installed, or it did not start.
    """
    program = shutil.which("mosquitto", path=SEARCH)
    if program is None:
        raise BrokerError(
            port, "mosquitto is not installed: run `apt install mosquitto`, or use --engine iotcore."
        )
    config = folder / "mosquitto.conf"
    config.write_text(text)
    child = subprocess.Popen([*LEASH, program, "-c", str(config)])
    try:
        _wait_until_open(child, host, port)
        yield lambda: child.poll() is None
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def check_port(host: str, port: int) -> None:
    """Look whether the port is free.

    Raises:
        BrokerError: it is not.
    """
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise BrokerError(
            port,
            f"Cannot serve a broker on {host}:{port} ({error.strerror}): stop what uses it or choose --port.",
        ) from None


def _wait_until_open(child: subprocess.Popen[bytes], host: str, port: int) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and child.poll() is None:
        try:
            socket.create_connection((host, port), timeout=POLL_S).close()
        except OSError:
            time.sleep(POLL_S)
        else:
            return
    raise _not_started(host, port)


def _not_started(host: str, port: int) -> BrokerError:
    return BrokerError(
        port,
        f"The broker did not start on {host}:{port}: its own words are above.",
    )
