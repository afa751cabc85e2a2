"""Real processes: a broker, a relay, and a box that speaks the exchange over the Line."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from websockets.asyncio.client import connect

from chevet.exchange.connection import BrokerAddress
from chevet.exchange.events import Settled
from chevet.exchange.keys import public_text, signing_public
from chevet.exchange.line import Acknowledged, Connected, Line, Message
from chevet.exchange.manifest import read_manifest
from chevet.exchange.sealing import Recipient
from chevet.exchange.sender import Sender
from chevet.exchange.topics import down, up
from chevet.relay.keys import read_programme
from chevet.study.bundle import pack

from .conftest import PASSWORD, SECRET_NAME, SECRET_QUESTION, Site

pytestmark = pytest.mark.timeout(400)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def start(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", "import sys; from chevet.relay.cli import main; sys.exit(main())", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        **options,
    )


def end(process):
    process.send_signal(signal.SIGTERM)
    return process.communicate(timeout=60)


def children_of(pid):
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(line) for line in listed.stdout.split()]


def alive(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


class Spool:
    """An Outbox of one bundle."""

    def __init__(self, sealed):
        self.sealed, self.receipt = sealed, None

    def pending(self):
        return [] if self.receipt else [self.sealed.manifest]

    def read(self, tid, oid, start, size):
        return self.sealed.objects[oid].data[start : start + size]

    def settle(self, tid, receipt):
        self.receipt = receipt

    def refuse(self, tid, reason):
        raise AssertionError(reason)


@pytest.fixture(params=["iotcore", "mosquitto"])
def broker(request):
    if request.param == "mosquitto" and not shutil.which("mosquitto", path="/usr/sbin:/usr/bin"):
        pytest.skip("mosquitto is not installed: apt install mosquitto")
    port = free_port()
    process = start("broker", "--port", str(port), "--engine", request.param)
    assert process.stdout.readline() == f"READY {request.param} 127.0.0.1:{port}\n"
    yield port
    children = children_of(process.pid)
    assert children
    end(process)
    assert process.returncode == 0
    assert not any(alive(child) for child in children)


@pytest.fixture
def programme_folder(tmp_path):
    folder = tmp_path / "programme"
    assert end_of("init", str(folder), "--name", "Programme") == 0
    return folder


def end_of(*arguments, text=""):
    process = start(*arguments, stdin=subprocess.PIPE)
    _, errors = process.communicate(text, timeout=60)
    assert process.returncode == 0, errors
    return process.returncode


async def answers(url):
    async with httpx.AsyncClient(base_url=url) as desk:
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                return (await desk.get("/api/status")).json()
            await asyncio.sleep(0.1)
    raise AssertionError("the relay did not answer")


async def send(port, site, sealed, relay_key):
    """Be a box: send one bundle until its receipt settles it."""
    line = Line(BrokerAddress("127.0.0.1", port, "box"), subscriptions=[(down(site.code, "r"), 1)])
    spool = Spool(sealed)
    sender = Sender(spool, peer_key=relay_key)
    tokens = {}
    running = asyncio.create_task(line.run())
    events = line.events()
    try:
        async with asyncio.timeout(60):
            while spool.receipt is None:
                event = await anext(events)
                now = time.monotonic()
                match event:
                    case Connected():
                        sender.connected(now)
                    case Acknowledged(token):
                        sender.acknowledged(tokens.pop(token), now)
                    case Message():
                        settled = [
                            one for one in sender.receive(event.payload, now) if isinstance(one, Settled)
                        ]
                        assert all(one.id == sealed.id for one in settled)
                for item in sender.outgoing(now):
                    tokens[line.publish(up(site.code, item.lane), item.payload, item.qos)] = item.token
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_sealed_study_sent_over_a_real_broker_is_read_on_the_desk(
    broker, programme_folder, make_study
):
    folder, port = programme_folder, free_port()
    keys = read_programme(folder / "keys")
    programme = json.loads((folder / "programme.json").read_text())
    assert programme["recipients"]["programme"] == public_text(keys.programme.public_key())
    site = Site("abc", [Recipient("programme", keys.programme.public_key())])
    (folder / "site.json").write_text(site.file().model_dump_json())
    config = folder / "relay.toml"
    config.write_text(f'port = {port}\nbroker_port = {broker}\nlabel = "HTEST"\nsecond_factor = "off"\n')
    where = ("--config", str(config))
    assert end_of("site", "add", str(folder / "site.json"), *where) == 0
    new = ("user", "add", "--id", "dr", "--name", "Dr D", "--role", "specialist", "--specialty", "cardiology")
    assert end_of(*new, *where, text=PASSWORD + "\n") == 0
    relay = start("run", *where)
    try:
        url = f"http://127.0.0.1:{port}"
        await answers(url)
        study = make_study()
        sealed = site.seal(pack(study), label="HTEST")
        async with httpx.AsyncClient(base_url=url, headers={"X-Chevet": "1"}, timeout=60) as desk:
            assert (
                await desk.post("/api/session", json={"user": "dr", "password": PASSWORD})
            ).status_code == 200
            cookie = {"Cookie": f"chevet_desk={desk.cookies['chevet_desk']}"}
            async with connect(f"ws://127.0.0.1:{port}/api/live", additional_headers=cookie) as live:
                await send(broker, site, sealed, signing_public(programme["relay_key"]))
                async with asyncio.timeout(60):
                    told = json.loads(await live.recv())
            assert told == {"type": "case", "id": study.id}
            case = (await desk.get(f"/api/cases/{study.id}")).json()
            status = (await desk.get("/api/status")).json()
            page = (await desk.get("/")).text
    finally:
        _, log = end(relay)
    assert relay.returncode == 0, log
    assert (case["patient"]["name"], case["state"], case["simulated"]) == (
        study.patient.name,
        "waiting",
        True,
    )
    assert (status["broker"], status["programme"], status["label"]) == ("online", "Programme", "HTEST")
    assert "<!doctype html>" in page.lower()
    assert read_manifest(sealed.manifest).id in log
    assert not [word for word in (SECRET_NAME, SECRET_QUESTION, "Seeded", "R-77", PASSWORD) if word in log]
    assert "Seeded" not in log
    assert "Traceback" not in log


async def test_without_a_broker_the_desk_answers_and_says_so(programme_folder):
    port = free_port()
    config = programme_folder / "relay.toml"
    config.write_text(f"port = {port}\nbroker_port = {free_port()}\n")
    relay = start("run", "--config", str(config))
    try:
        status = await answers(f"http://127.0.0.1:{port}")
        second = start("run", "--config", str(config))
        _, errors = second.communicate(timeout=60)
    finally:
        _, log = end(relay)
    assert status["broker"] == "offline"
    assert (second.returncode, errors.count("\n")) == (1, 1)
    assert "already in use" in errors.lower()
    assert relay.returncode == 0, log


def test_a_taken_port_is_one_clear_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("broker", "--port", str(port))
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert f"127.0.0.1:{port}" in errors
    assert "--port" in errors


def test_a_killed_broker_command_leaves_no_process(tmp_path):
    port = free_port()
    process = start("broker", "--port", str(port))
    assert process.stdout.readline().startswith("READY")
    children = children_of(process.pid)
    process.kill()
    process.communicate(timeout=60)
    until = time.monotonic() + 30
    while any(alive(child) for child in children) and time.monotonic() < until:
        time.sleep(0.1)
    assert children
    assert not any(alive(child) for child in children)
