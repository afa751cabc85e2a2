"""The agent: everything at the bedside composed into one process, one TaskGroup, one web server."""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator

import uvicorn

from chevet.edge.api import make_app
from chevet.edge.arrivals import Arrivals
from chevet.edge.at_rest import DataKey
from chevet.edge.box_word import forget_word, new_word
from chevet.edge.compose import compose
from chevet.edge.discovery_watch import Buses
from chevet.edge.enrolled import broker_address
from chevet.edge.errors import Refusal, SettingsError
from chevet.edge.housekeeping import Housekeeping
from chevet.edge.instruments import Instrument
from chevet.edge.keeper import Keeper
from chevet.edge.only_one import only_one
from chevet.edge.settings import EdgeSettings, read_secret
from chevet.edge.store import open_store
from chevet.edge.trust import read_programme
from chevet.edge.uplink import Uplink, make_uplink, offline_will, subscriptions
from chevet.edge.visits import CaptureRow
from chevet.edge.waiting import key_of_disk
from chevet.edge.ways import ways
from chevet.edge.workers import Worker
from chevet.exchange.line import Line

log = logging.getLogger(__name__)

HOUSEKEEPING_S = 10.0
GOODBYE_S = 3
KEPT_S = 60
"""A browser on a busy board may use a connection again long after the 5 s that uvicorn keeps one."""


class Agent:
    """One box, from its settings to its running tasks."""

    def __init__(
        self, settings: EdgeSettings, buses: Buses | None = None, key: DataKey | None = None
    ) -> None:
        """Read keys, open and check the databases, bring back what a power cut interrupted.

        Raises:
            SettingsError: something is missing or wrong, with the remedy.
            StoreDamaged: a database fails its check.
            DiskFull: no room to open them.
        """
        self._database = open_store(settings.data_dir / "edge.db", key)
        self._programme = read_programme(settings.programme)
        self.bedside = compose(
            settings, self._database, self._programme, self._device_changed, self._capture_changed, buses
        )
        self._stopping = asyncio.Event()
        self._arrived: asyncio.Queue[str] = asyncio.Queue()
        self._seed_workers()
        self._recover()

    def stop(self) -> None:
        """End all tasks in order; what runs is in its journal."""
        self._stopping.set()

    async def run(self, listening: socket.socket) -> None:
        """Work until `stop`, serving the kiosk on a bound socket."""
        bedside = self.bedside
        bedside.live.follow(bedside.instruments)
        server = _server(self)
        loop = asyncio.get_running_loop()
        uplink = self._uplink(loop)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve(sockets=[listening]), name="kiosk")
            tasks = [
                group.create_task(bedside.captures.run(), name="captures"),
                group.create_task(bedside.rules.closing.copies.run(), name="copies"),
                group.create_task(bedside.live.run(), name="live"),
                group.create_task(bedside.memory.run(), name="memory of instruments"),
                group.create_task(bedside.cart.run(), name="cart"),
                group.create_task(uplink.run(), name="uplink"),
                group.create_task(bedside.in_use.run(), name="found instruments"),
                group.create_task(bedside.discovery.run(), name="discovery"),
                group.create_task(self._keeper().run(), name="identity"),
                group.create_task(self._housekeeping(), name="housekeeping"),
                group.create_task(self._tell_arrivals(), name="arrivals"),
            ]
            tasks += [
                group.create_task(instrument.run(), name=f"device {instrument.id}")
                for instrument in bedside.instruments.values()
                if not instrument.found  # those are run by in_use
            ]
            await self._stopping.wait()
            server.should_exit = True
            await serving
            for task in tasks:
                task.cancel()

    def close(self) -> None:
        """Close the databases."""
        self.bedside.spool.close()
        self._database.close()

    def _uplink(self, loop: asyncio.AbstractEventLoop) -> Uplink:
        bedside = self.bedside
        settings, key = bedside.settings, self._database.key
        address = ways(settings, broker_address(settings, bedside.site.code, bedside.clock, key))
        line = Line(
            address,
            subscriptions=subscriptions(bedside.site.code),
            will=offline_will(bedside.site.code),
            manual_ack=True,
            at_once=True,
        )

        def arrived(case_id: str) -> None:
            # The receiver works in a thread; the screens are told on the loop.
            loop.call_soon_threadsafe(self._arrived.put_nowait, case_id)

        arrivals = Arrivals(
            self._database,
            bedside.cases,
            bedside.site.opener,
            self._programme.relay_key,
            bedside.clock.now_ms,
            arrived,
        )
        return make_uplink(bedside, line, self._programme, arrivals)

    def _keeper(self) -> Keeper:
        settings, key = self.bedside.settings, self._database.key
        return Keeper(settings.data_dir, settings.programme, self._programme, self.bedside.clock, key=key)

    async def _tell_arrivals(self) -> None:
        while True:
            case_id = await self._arrived.get()
            with contextlib.suppress(Refusal):
                self.bedside.tell_case(await asyncio.to_thread(self.bedside.cases.get, case_id))

    async def _housekeeping(self) -> None:
        """Keep room, and show the bar's facts when they change."""
        shown: dict[str, object] = {}
        housekeeping = Housekeeping(self.bedside, self._database)
        while True:
            try:
                await asyncio.to_thread(housekeeping.tidy)
            except (OSError, Refusal) as error:
                log.warning("housekeeping must wait (%s)", type(error).__name__)
            status = await asyncio.to_thread(self.bedside.status)
            facts = {key: status[key] for key in ("uplink", "queue", "power")} | {
                "level": status["disk"]["level"]
            }
            if facts != shown:
                shown = facts
                self.bedside.live.tell({"type": "status", "status": status})
            await asyncio.sleep(HOUSEKEEPING_S)

    def _device_changed(self, instrument: Instrument) -> None:
        self.bedside.live.tell({"type": "device", "device": self.bedside.device(instrument)})

    def _capture_changed(self, row: CaptureRow) -> None:
        self.bedside.tell_capture(row)
        self.bedside.hands.capture_changed(row)

    def _seed_workers(self) -> None:
        known = {worker.id for worker in self.bedside.workers.all()}
        for worker in self.bedside.settings.workers:
            if worker.id not in known:
                pin = read_secret(worker.pin_file, "workers.pin_file")
                self.bedside.workers.add(Worker(worker.id, worker.name), pin)

    def _recover(self) -> None:
        bedside = self.bedside
        bedside.disk.keep_reserve()
        for row in bedside.captures.recover():
            log.info("capture %s: recovered after an interruption (%.1f s)", row.id, row.elapsed_s)
        bedside.rules.resume_closing()
        kept = bedside.visits.journals_to_keep(bedside.spool.pending_ids())
        swept = bedside.captures.sweep(kept)
        if swept:
            log.info("%d journals of delivered or discarded recordings deleted", swept)


async def serve(settings: EdgeSettings, ready: Callable[[str], None]) -> None:
    """Run the agent until SIGTERM or SIGINT; `ready` is told the kiosk's URL when it can be opened.

    Raises:
        SettingsError, StoreDamaged, DiskFull: it could not start, each with its remedy.
    """
    with only_one(settings.data_dir), _listening(settings) as listening:
        url = f"http://{settings.kiosk.host}:{listening.getsockname()[1]}/"
        told: list[str] = []

        def tell() -> None:
            if not told:  # a kiosk that was opened while the box waited is still open
                ready(url)
                told.append(url)

        going, key = await key_of_disk(settings, listening, time.monotonic, tell)
        if not going:
            return
        agent = Agent(settings, key=key)
        agent.bedside.sessions.box_word = new_word(settings.data_dir)
        try:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, agent.stop)
            tell()
            await agent.run(listening)
        finally:
            forget_word(settings.data_dir)
            agent.close()


class _Server(uvicorn.Server):
    """A server that leaves signals to the agent."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def _server(agent: Agent) -> _Server:
    config = uvicorn.Config(
        make_app(agent.bedside),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=64 * 1024,
        timeout_keep_alive=KEPT_S,
        timeout_graceful_shutdown=GOODBYE_S,
    )
    return _Server(config)


def _listening(settings: EdgeSettings) -> socket.socket:
    host, port = settings.kiosk.host, settings.kiosk.port
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        raise SettingsError(
            f"The kiosk cannot be served at {host}:{port} ({error.strerror});"
            " stop the program that uses this port, or set another kiosk.port."
        ) from None
