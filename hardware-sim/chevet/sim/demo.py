"""The demo: virtual instruments, a broker, the relay and the agent as real processes on this machine."""

import argparse
import json
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from chevet.sim.stage import Actor, Stage, StageError, answers, program

SITE, SITE_NAME, PHONE = "anfgou", "Anfgou", "141"
WORKER, WORKER_NAME, PIN = "amina", "Amina", "2580"
SPECIALIST, SPECIALIST_NAME, PASSWORD = "k.amrani", "Dr Karim Amrani", "chevet-demo-2580"
"""Logins of the demo, shown on the terminal; a real box has none of them."""
NEEDED_MB = 600  # the agent refuses captures below 256 MB; a demo's studies take a few MB each
KIOSK_PORT, DESK_PORT = 8421, 8422

RELAY_TOML = """\
host = "127.0.0.1"
port = {desk}
broker_port = {broker}
broker_tls = true
label = "HTEST"
second_factor = "off"
"""
EDGE_TOML = """\
data_dir = "box"
programme = "../relay/programme.json"
site = "{site}"
label = "HTEST"
devices_file = "../sim/devices.json"
bluetooth_backend = "chevet.sim.bumble_backend:bluetooth"
bluetooth_spec = "{radio}"

[kiosk]
port = {kiosk}

[broker]
port = {broker}
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """The local ports of one demo."""

    kiosk: int
    desk: int
    broker: int

    @property
    def kiosk_url(self) -> str:
        """Where the kiosk is served."""
        return f"http://127.0.0.1:{self.kiosk}"

    @property
    def desk_url(self) -> str:
        """Where the specialist's desk is served."""
        return f"http://127.0.0.1:{self.desk}"


def run(options: argparse.Namespace) -> int:
    """Set the stage, then wait for Ctrl-C, or conduct one consultation (`--once`); answer the exit code."""
    for number in (signal.SIGTERM, signal.SIGINT):  # a script in the background leaves SIGINT ignored
        signal.signal(number, _as_interrupt)
    keep = options.dir is not None
    folder = Path(options.dir or tempfile.mkdtemp(prefix="chevet-demo-")).resolve()
    try:
        ports = choose_ports(options)
        _check_disk(folder)
        with Stage(folder / "logs", _say) as stage:
            set_up(stage, folder, ports, options.broker, _serving(options))
            return _conduct(folder, ports, options.json) if options.once else _hold(stage, ports)
    except StageError as error:
        print(f"chevet-sim demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nAll processes stopped.")
        return 0 if not options.once else 130
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _serving(options: argparse.Namespace) -> tuple[str, ...]:
    """Return what the instruments are told beside their folder: a patient, the tester's page."""
    patient = ("--patient", options.patient) if options.patient else ()
    return (*patient, "--web", str(options.web)) if options.web is not None else patient


def set_up(stage: Stage, folder: Path, ports: Ports, broker: str, serving: tuple[str, ...] = ()) -> None:
    """Start broker, instruments, relay and agent in `folder`, each healthy before the next.

    Raises:
        StageError: one of them failed; the text holds what it said.
    """
    _say("Starting Chevet on simulated instruments (nothing here is a real patient):")
    relay, edge, sim = folder / "relay", folder / "edge", folder / "sim"
    sim.mkdir(parents=True, exist_ok=True)
    (sim / "devices.json").unlink(missing_ok=True)
    # What needs nobody else starts first, and gets ready while keys and logins are made.
    instruments = stage.start("instruments", "chevet-sim", "serve", "--dir", str(sim), *serving)
    code = "" if (relay / "programme.json").exists() else _found_programme(stage, relay, ports)
    (relay / "relay.toml").write_text(RELAY_TOML.format(desk=ports.desk, broker=ports.broker))
    edge.mkdir(parents=True, exist_ok=True)
    (edge / "edge.toml").write_text(
        EDGE_TOML.format(site=SITE, radio=_radio_spec(sim), kiosk=ports.kiosk, broker=ports.broker)
    )
    relay_actor, broker_actor = launch_relay(stage, relay), launch_broker(stage, relay, broker)
    if code:
        _let_specialist_in(stage, relay)
    stage.await_ready(relay_actor, lambda: answers(f"{ports.desk_url}/api/status"))
    if code:
        _enrol_box(stage, edge, ports, code)
    stage.await_ready(broker_actor, lambda: _listens(ports.broker))
    stage.await_ready(instruments, (sim / "devices.json").exists)
    agent = launch_agent(stage, edge)
    stage.await_ready(agent, lambda: _uplink(ports.kiosk_url) == "online")


def launch_broker(stage: Stage, relay: Path, engine: str) -> Actor:
    """Start the MQTT broker by mutual TLS for the relay in that folder, `engine` "iotcore" or "mosquitto"."""
    config = ("--config", str(relay / "relay.toml"), "--host", "127.0.0.1")
    return stage.start("broker", "chevet-relay", "broker", *config, "--engine", engine)


def launch_relay(stage: Stage, folder: Path) -> Actor:
    """Start the relay with the desk."""
    return stage.start("relay", "chevet-relay", "run", "--config", str(folder / "relay.toml"))


def launch_agent(stage: Stage, folder: Path) -> Actor:
    """Start the agent with the kiosk."""
    return stage.start("agent", "chevet-edge", "run", "--config", str(folder / "edge.toml"))


def restart(stage: Stage, name: str, folder: Path, ports: Ports) -> None:
    """Start one killed process of the demo again and wait until it serves."""
    if name == "broker":
        stage.await_ready(launch_broker(stage, folder / "relay", "iotcore"), lambda: _listens(ports.broker))
    elif name == "relay":
        relay = launch_relay(stage, folder / "relay")
        stage.await_ready(relay, lambda: answers(f"{ports.desk_url}/api/status"))
    else:
        agent = launch_agent(stage, folder / "edge")
        stage.await_ready(agent, lambda: _uplink(ports.kiosk_url) == "online")


def _found_programme(stage: Stage, relay: Path, ports: Ports) -> str:
    """Make the keys of a programme and invite one site; return the code for its box, as operators get it."""
    stage.do("chevet-relay", "init", str(relay), "--name", "Chevet demo")
    (relay / "relay.toml").write_text(RELAY_TOML.format(desk=ports.desk, broker=ports.broker))
    words = ("--code", SITE, "--phone", PHONE, "--no-qr", "--config", str(relay / "relay.toml"))
    said = stage.do("chevet-relay", "site", "add", SITE_NAME, *words).split()
    return said[said.index("enrol") + 2]  # chevet-edge enrol URL CODE


def _let_specialist_in(stage: Stage, relay: Path) -> None:
    stage.do(
        *("chevet-relay", "user", "add", "--id", SPECIALIST, "--name", SPECIALIST_NAME),
        *("--role", "specialist", "--specialty", "cardiology", "--language", "fr"),
        *("--config", str(relay / "relay.toml")),
        stdin=PASSWORD,
    )


def _enrol_box(stage: Stage, edge: Path, ports: Ports, code: str) -> None:
    """Bring the box in as in the field, by the code; then its first worker."""
    config = ("--config", str(edge / "edge.toml"))
    stage.do("chevet-edge", "enrol", ports.desk_url, code, *config)
    stage.do("chevet-edge", "worker", "add", "--id", WORKER, "--name", WORKER_NAME, *config, stdin=PIN)


def _hold(stage: Stage, ports: Ports) -> int:
    print(
        f"""
Chevet is running. Simulated instruments, not a medical device, no real patient.

  Kiosk (health worker)   {ports.kiosk_url}    {WORKER_NAME}, PIN {PIN}
  Desk (specialist)       {ports.desk_url}    {SPECIALIST}, password {PASSWORD}

What to try
  1. Kiosk: sign in, register a patient, follow the screens, record an ECG, send a question to cardiology.
  2. Desk: open the case, read the ECG, listen, sign an opinion. It appears at the kiosk.
  3. Faults, in another terminal: {program("chevet-sim")} control --dir {stage.folder.parent / "sim"} --help

Ctrl-C stops everything.""",
        flush=True,
    )
    while True:
        fallen = stage.fallen()
        if fallen is not None:
            raise StageError(f"{fallen.name} ended by itself. It said:\n{fallen.tail()}")
        time.sleep(0.5)


def _conduct(folder: Path, ports: Ports, report: str | None) -> int:
    """Let the conductor hold one consultation through the screens' own interfaces."""
    import asyncio

    from chevet.sim import consultation

    plan = consultation.Plan(
        kiosk=ports.kiosk_url,
        desk=ports.desk_url,
        worker=WORKER,
        pin=PIN,
        specialist=SPECIALIST,
        password=PASSWORD,
        control=folder / "sim" / "control.sock",
    )
    return asyncio.run(consultation.run(plan, Path(report) if report else None))


def choose_ports(options: argparse.Namespace) -> Ports:
    """Choose the ports: the given or usual ones for people, free ones for `--once`.

    Raises:
        StageError: one is taken.
    """
    usual = (0, 0) if options.once else (KIOSK_PORT, DESK_PORT)
    kiosk = options.port_kiosk or usual[0] or free_port()
    desk = options.port_desk or usual[1] or free_port()
    for port, choice in ((kiosk, "PORT_KIOSK"), (desk, "PORT_DESK")):
        if _listens(port):
            raise StageError(_taken(port, choice))
    return Ports(kiosk, desk, free_port())


def _taken(port: int, choice: str) -> str:
    if answers(f"http://127.0.0.1:{port}/api/status"):
        return (
            f"A Chevet is already running at http://127.0.0.1:{port}. Use that one, stop it with Ctrl-C "
            "in its terminal, or choose other ports: "
            f"make demo PORT_KIOSK={port + 100} PORT_DESK={port + 101}"
        )
    return (
        f"Port {port} is taken by another program. Stop that one, or choose another: "
        f"make demo {choice}={port + 100}"
    )


def _check_disk(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    if free_mb < NEEDED_MB:
        raise StageError(
            f"Only {free_mb} MB are free at {folder}; the demo needs {NEEDED_MB} MB. Free some, or choose "
            "a folder on another disk: make demo DIR=/path"
        )


def _uplink(kiosk: str) -> str:
    try:
        with urllib.request.urlopen(f"{kiosk}/api/status", timeout=1.0) as answer:  # noqa: S310 - loopback
            return str(json.load(answer)["uplink"]["state"])
    except (OSError, ValueError, KeyError):
        return ""


def _radio_spec(sim: Path) -> str:
    return f"unix:{sim / 'radio.sock'}"


def free_port() -> int:
    """Return a port nobody uses, below those that outgoing connections are given (32768 and up on Linux)."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, flush=True)
