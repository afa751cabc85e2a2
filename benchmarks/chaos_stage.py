"""The stage of benchmarks/chaos.py: a box, a relay with its broker, the link between them, as real processes.

Everything is as after enrolment: the box came in by a one-time code, box and relay reach the broker by mutual
TLS 1.3, and studies are sealed. The box's folder and the relay's lie each on a disk whose power can be cut.
"""

import os
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chaos_link import CutLink
from chaos_player import HERE, Cradle, Player, StageFell

from chevet.sim.demo import free_port
from chevet.sim.power import CutDisk, PowerUnavailable
from chevet.sim.stage import answers

SPECIALIST, PASSWORD, SITE = "k.amrani", "chevet-chaos-2580", "chaos"
RELAY_TOML = """\
host = "127.0.0.1"
port = {desk}
broker_port = {broker}
broker_tls = true
public_broker_host = "127.0.0.1"
public_broker_port = {link}
label = "HTEST"
second_factor = "off"
log_level = "warning"
"""
EDGE_TOML = """\
data_dir = "data"
programme = "programme.json"
site = "chaos"
label = "HTEST"
disk_low_mb = 6
disk_full_mb = 4
reserve_mb = 2

[discovery]
on = false
"""


@dataclass(slots=True)
class Machine:
    """A folder that programs work in, on a disk of its own where the power can be cut.

    Attributes:
        lock: held while a fault is under way here.
    """

    name: str
    folder: Path
    disk: CutDisk | None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def seen(self) -> Path:
        """Return the folder as it is seen from outside."""
        return self.disk.seen / self.folder.name if self.disk else self.folder

    def inside(self, *command: str) -> list[str]:
        """Return the command line of a program on this machine."""
        return self.disk.inside(*command) if self.disk else list(command)

    def write(self, name: str, text: str) -> None:
        """Write a file durably: what it holds was not the programs' to save."""
        with (self.seen / name).open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        for folder in (self.seen, self.seen.parent):
            descriptor = os.open(folder, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)


@dataclass(slots=True)
class Stage:
    """Everything that runs."""

    folder: Path
    near: Machine
    far: Machine
    link: CutLink
    cradles: tuple[Cradle, ...]
    desk: int
    box: Player
    relay: Player
    broker: Player
    no_power: str

    @property
    def ledger(self) -> Path:
        """Return where the box's worker writes what was acknowledged: on no disk that is cut."""
        return self.folder / "ledger.jsonl"

    @property
    def desk_url(self) -> str:
        """Return the desk's address."""
        return f"http://127.0.0.1:{self.desk}"

    def box_command(self, *words: str) -> list[str]:
        """Return the command line of the box's program."""
        config = str(self.near.folder / "edge.toml")
        return self.near.inside(sys.executable, str(HERE / "chaos_box.py"), "--config", config, *words)


@contextmanager
def staged(folder: Path, *, engine: str, power: bool, seed: int, disk_mb: int) -> Iterator[Stage]:
    """Found a programme, enrol a box and start all of it; take everything away at the end."""
    with ExitStack() as stack:
        near, no_power = _machine(stack, folder, "box", disk_mb, power)
        far, _ = _machine(stack, folder, "relay", 4 * disk_mb, power and not no_power)
        desk, broker = free_port(), free_port()
        link = stack.enter_context(CutLink(("127.0.0.1", broker)))
        at_box, at_relay = Cradle(near.inside, "box"), Cradle(far.inside, "relay")
        for cradle in (at_box, at_relay):
            stack.callback(cradle.close)
        stage = Stage(
            folder, near, far, link, (at_box, at_relay), desk,
            _box(at_box, near, folder, seed), _relay(at_relay, far, desk, folder / "logs"),
            _broker(at_relay, far, broker, engine, folder / "logs"), no_power,
        )  # fmt: skip
        stack.callback(_end_all, stage)
        _found(stage, broker)
        stage.broker.start()
        stage.relay.start()
        _enrol(stage)
        _cut_at_once(stage)
        stage.box.start()
        yield stage


def _cut_at_once(stage: Stage) -> None:
    """Cut the power of both machines when all has just been set up: keys and accounts must be there."""
    cut_power(stage.near)
    cut_power(stage.far, stage.broker, stage.relay)


def cut_power(machine: Machine, *players: Player) -> float:
    """Cut a machine's power, bring it back and start its programs; return seconds until all of them serve."""
    if machine.disk is None:
        return 0.0
    machine.disk.cut()
    for player in players:
        player.end(within_s=0.0)
    began = time.monotonic()
    machine.disk.restore()
    for player in players:
        player.start()
    return time.monotonic() - began


def _machine(stack: ExitStack, folder: Path, name: str, mb: int, power: bool) -> tuple[Machine, str]:
    """Return a machine, and why its power cannot be cut ("" where it can)."""
    disk, why = None, "" if power else "power cuts were not asked for"
    if power:
        try:
            disk = stack.enter_context(CutDisk(folder / f"{name}-disk", mb))
        except PowerUnavailable as error:
            why = str(error)
    machine = Machine(name, (disk.path if disk else folder) / name, disk)
    machine.seen.mkdir()
    return machine, why


def _box(cradle: Cradle, near: Machine, folder: Path, seed: int) -> Player:
    ledger = folder / "ledger.jsonl"
    argv = ("--config", str(near.folder / "edge.toml"), "--ledger", str(ledger), "--seed", str(seed))
    player = Player("box", cradle, argv, lambda: False, folder / "logs" / "box.log")
    player.ready = lambda: _lives(ledger) >= player.starts
    return player


def _lives(ledger: Path) -> int:
    return ledger.read_bytes().count(b'{"started"') if ledger.exists() else 0


def _relay(cradle: Cradle, far: Machine, desk: int, logs: Path) -> Player:
    argv = ("run", "--config", str(far.folder / "relay.toml"))
    url = f"http://127.0.0.1:{desk}/api/status"
    return Player("relay", cradle, argv, lambda: answers(url), logs / "relay.log")


def _broker(cradle: Cradle, far: Machine, port: int, engine: str, logs: Path) -> Player:
    config = str(far.folder / "relay.toml")
    argv = ("broker", "--config", config, "--engine", engine, "--port", str(port))
    return Player("broker", cradle, argv, lambda: listens(port), logs / "broker.log")


def _found(stage: Stage, broker: int) -> None:
    """Make the programme's keys, its configuration and a specialist."""
    folder, (_, cradle) = stage.far.folder, stage.cradles
    cradle.run(stage.folder, "relay", "init", str(folder), "--name", "Chaos")
    toml = RELAY_TOML.format(desk=stage.desk, broker=broker, link=stage.link.port)
    stage.far.write("relay.toml", toml)
    (stage.folder / "password").write_text(PASSWORD)
    cradle.run(
        *(stage.folder, "relay", "user", "add", "--id", SPECIALIST, "--name", "Dr Amrani"),
        *("--role", "specialist", "--specialty", "cardiology", "--language", "fr"),
        *("--password-file", str(stage.folder / "password"), "--config", str(folder / "relay.toml")),
    )


def _enrol(stage: Stage) -> None:
    """Let the box in by a one-time code, as an installer does."""
    at_box, at_relay = stage.cradles
    config = ("--config", str(stage.far.folder / "relay.toml"))
    said = at_relay.run(stage.folder, "relay", "site", "add", "Chaos", "--code", SITE, "--no-qr", *config)
    found = re.search(r"chevet-edge enrol (\S+) (\S+)", said)
    if found is None:
        raise StageFell(f"no code was printed: {said}")
    stage.near.write("edge.toml", EDGE_TOML)
    toml = str(stage.near.folder / "edge.toml")
    at_box.run(stage.folder, "edge", "enrol", stage.desk_url, found.group(2), "--config", toml)


def _end_all(stage: Stage) -> None:
    for player in (stage.box, stage.relay, stage.broker):
        player.end(within_s=0.0)


def listens(port: int) -> bool:
    """Tell whether somebody takes connections on a local port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
