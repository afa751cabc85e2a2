"""Takes up the programme's new key while the relay runs: `key rotate` needs no restart."""

import asyncio
import logging

from chevet.relay.errors import SettingsError
from chevet.relay.relay import Relay

LOOK_S = 5.0

log = logging.getLogger(__name__)


async def watch_keys(relay: Relay, every_s: float = LOOK_S) -> None:
    """Look until cancelled; where the folder cannot be read the keys held stay in use, said once."""
    told = False
    while True:
        try:
            if await asyncio.to_thread(relay.refresh_keys):
                log.info("studies are sealed to a new key from now on")
            told = False
        except SettingsError as error:
            if not told:
                log.error("the keys were changed and cannot be taken up: %s", error)
            told = True
        await asyncio.sleep(every_s)
