"""The alerting of a running relay, round after round."""

import asyncio
import logging

from chevet.relay.duty.watch import make_round, ways_of
from chevet.relay.errors import RelayError, place_of
from chevet.relay.relay import Relay

log = logging.getLogger(__name__)
EVERY_S = 5.0


async def keep_watch(relay: Relay) -> None:
    """Make rounds until cancelled; a fault ends one round, never the watch."""
    ways = ways_of(relay.settings)
    while True:
        try:
            await asyncio.to_thread(make_round, relay, ways)
        except RelayError as error:
            log.error("alerts: %s", error)
        except Exception as error:  # noqa: BLE001 - nobody would be told of anything any more
            log.error("alerts: a fault of ours: %s", place_of(error))
        await asyncio.sleep(EVERY_S)
