"""Keeps the box's identity fresh while it runs: the certificate, the programme's keys, the clock's bound."""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from chevet.edge.at_rest import DataKey
from chevet.edge.box import BoxClock
from chevet.edge.enrol import renew
from chevet.edge.enrolled import certificate, days_left, read_enrolled
from chevet.edge.errors import SettingsError
from chevet.edge.relay_call import NotReached
from chevet.edge.trust import Programme, read_programme
from chevet.exchange.tls import due

LOOK_S: Final = 300.0
FRESH_S: Final = 24 * 3600.0
"""How often the relay is asked for new keys of the programme; a call takes 2 KiB."""
AGAIN_S: Final = 3600.0

log = logging.getLogger(__name__)


class Keeper:
    """Asks the relay once a day, and hourly while it is away; every study's delivery goes on meanwhile."""

    def __init__(
        self,
        data_dir: Path,
        programme_file: Path,
        programme: Programme,
        clock: BoxClock,
        jitter: Callable[[], float] = random.random,
        key: DataKey | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._programme_file = programme_file
        self._programme = programme
        self._clock = clock
        self._jitter = jitter
        self._key = key

    async def run(self) -> None:
        """Keep at it until cancelled."""
        wait = 0.0
        while True:
            until = self._clock.monotonic() + wait
            self._clock.note()
            while self._clock.monotonic() < until:
                await asyncio.sleep(min(LOOK_S, max(0.0, until - self._clock.monotonic())))
                self._clock.note()
            fresh = await asyncio.to_thread(self.refresh)
            wait = (FRESH_S if fresh else AGAIN_S) * (0.9 + 0.2 * self._jitter())

    def refresh(self) -> bool:
        """Ask the relay what is new, for a certificate where it is due; tell whether that is done; blocks."""
        try:
            if read_enrolled(self._data_dir) is None:
                return True  # trust files were carried by hand: there is nobody to ask
            wanted = self.due()
            grant = renew(
                self._data_dir,
                self._programme_file,
                self._programme.relay_key,
                with_certificate=wanted,
                key=self._key,
            )
            self._programme.renew(read_programme(self._programme_file))
        except NotReached as error:
            log.info("certificate and keys were not refreshed: %s", error)
            return False
        except SettingsError as error:
            log.warning("certificate and keys were not refreshed: %s", error)
            return False
        except OSError as error:
            log.warning("certificate and keys were not kept: %s", error.strerror)
            return False
        self._clock.note(grant.now_ms)
        if wanted:
            log.info("a new certificate, for %d days", days_left(certificate(self._data_dir), grant.now_ms))
        return True

    def due(self) -> bool:
        """Tell whether the certificate is to be renewed; a missing or unreadable one is."""
        try:
            shown = certificate(self._data_dir)
        except SettingsError:
            return True
        return due(shown, datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC))
