"""`chevet-relay run`: ingest, API and desk as one asyncio process."""

import argparse
import asyncio
import logging
import signal
import socket

import uvicorn

from chevet.relay.api.app import create_app
from chevet.relay.archive.impact import count_older
from chevet.relay.commands.key_watch import watch_keys
from chevet.relay.duty.task import keep_watch
from chevet.relay.duty.watch import ways_of
from chevet.relay.erasure import sweep
from chevet.relay.errors import RelayError, SettingsError, StoreAwayError
from chevet.relay.ingest.worker import Ingest, relay_line
from chevet.relay.live.room import LiveRoom, live_line
from chevet.relay.logs import start_log
from chevet.relay.metrics import serving_metrics
from chevet.relay.relay import Relay, open_relay
from chevet.relay.settings import Settings, read_settings

log = logging.getLogger(__name__)

GRACE_S = 3
BACKLOG = 128
SWEEP_S = 3600


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT.

    Raises:
        RelayError: it cannot start; the sentence names the remedy.
    """
    settings = read_settings(options.config)
    start_log(settings.log_level, settings.log_format)
    listener = _listener(settings)
    with listener:
        ways_of(settings)  # what is wrong with them is said before anything runs
        relay = open_relay(settings)
        try:
            ask_store(relay)
            with serving_metrics(relay):
                asyncio.run(serve(relay, listener))
        finally:
            relay.close()
    return 0


async def serve(relay: Relay, listener: socket.socket) -> None:
    """Run ingest and API until a signal asks for the end; then both end cleanly."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn catches the signal first, ends, and raises it again: then it must not kill us
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    watching = LiveRoom(relay, live_line(relay.settings))
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(relay, watching),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    host, port = listener.getsockname()[:2]
    log.info("desk at http://%s:%s, broker expected at %s:%s", host, port, *_broker(relay.settings))
    async with asyncio.TaskGroup() as group:
        ingest = group.create_task(Ingest(relay, relay_line(relay.settings)).run())
        live = group.create_task(watching.run())
        keys = group.create_task(watch_keys(relay))
        sweeping = group.create_task(_sweep(relay))
        telling = group.create_task(keep_watch(relay))
        await server.serve(sockets=[listener])
        for task in (ingest, sweeping, keys, live, telling):
            task.cancel()
    log.info("ended")


def ask_store(relay: Relay) -> None:
    """Refuse to start on a store that is set wrongly; one that is only away is waited for at work.

    Raises:
        RelayError: the store refuses us, or is not the one meant.
    """
    try:
        relay.objects.ready()
    except StoreAwayError as error:
        log.error("%s", error)


async def _sweep(relay: Relay) -> None:
    """Destroy, now and every hour, what the policy says is due."""
    while True:
        try:
            gone = await asyncio.to_thread(sweep, relay)
            await asyncio.to_thread(count_older, relay)
        except RelayError as error:
            log.error("erasure: %s", error)
        else:
            if gone:
                log.info("destroyed %d cases by policy", len(gone))
        await asyncio.sleep(SWEEP_S)


def _listener(settings: Settings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), backlog=BACKLOG)
    except OSError as error:
        raise SettingsError(
            "port",
            f"Cannot serve the desk on {settings.host}:{settings.port} ({error.strerror}): stop what uses "
            "that port, or change `port` in the configuration.",
        ) from None


def _broker(settings: Settings) -> tuple[str, int]:
    return settings.broker_host, settings.broker_port
