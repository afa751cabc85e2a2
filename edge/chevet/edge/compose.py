"""The parts of the agent put together: who gets what, and nothing else."""

import asyncio
import secrets
import time
from collections.abc import Callable
from importlib.metadata import version

from chevet.bridge.link import Link, open_link
from chevet.devices.driver import DRIVERS
from chevet.edge.bedside import Bedside, UplinkState
from chevet.edge.box import BoxClock
from chevet.edge.capture import Captures
from chevet.edge.cases import Cases
from chevet.edge.closing import Closing
from chevet.edge.database import Database
from chevet.edge.disk import MEGABYTE, Disk
from chevet.edge.errors import SettingsError
from chevet.edge.instruments import Instrument
from chevet.edge.live import Live
from chevet.edge.patients import Patients
from chevet.edge.sessions import Sessions
from chevet.edge.settings import EdgeSettings, all_devices, load_bluetooth
from chevet.edge.spool import Spool
from chevet.edge.trust import Programme, Site, read_site
from chevet.edge.visit import VisitRules
from chevet.edge.visits import CaptureRow, Visits
from chevet.edge.workers import Workers


def compose(
    settings: EdgeSettings,
    database: Database,
    programme: Programme,
    device_changed: Callable[[Instrument], None],
    capture_changed: Callable[[CaptureRow], None],
) -> Bedside:
    """Return everything of one box, nothing running yet.

    Raises:
        SettingsError: something is missing or wrong, with the remedy.
        StoreDamaged: the spool fails its check.
    """
    site, clock, disk = _site(settings), BoxClock(), _disk(settings)
    visits, patients = Visits(database), Patients(database, clock.now_ms)
    cases = Cases(database, clock.now_ms)
    instruments = _instruments(settings, clock, device_changed)
    spool = Spool(settings.data_dir / "spool.db", clock.now_ms, settings.retention_days)
    captures = Captures(
        settings.data_dir / "journals", visits, instruments, disk, clock, capture_changed, settings.label
    )
    closing = Closing(
        site=site,
        programme=programme,
        visits=visits,
        patients=patients,
        captures=captures,
        cases=cases,
        spool=spool,
        now_ms=clock.now_ms,
        random=secrets.token_bytes,
        label=settings.label,
    )
    return Bedside(
        settings=settings,
        site=site,
        version=version("chevet"),
        clock=clock,
        disk=disk,
        workers=Workers(database, clock.monotonic),
        patients=patients,
        visits=visits,
        cases=cases,
        spool=spool,
        sessions=Sessions(clock.monotonic),
        instruments=instruments,
        captures=captures,
        rules=VisitRules(visits, patients, captures, closing, clock),
        live=Live(clock.now_ms, clock.monotonic),
        uplink=UplinkState(),
        spooled=asyncio.Event(),
    )


def _site(settings: EdgeSettings) -> Site:
    site = read_site(settings.data_dir)
    if settings.site and settings.site != site.code:
        raise SettingsError(
            f"The configuration is for site '{settings.site}', but {settings.data_dir} belongs to"
            f" '{site.code}'; correct one of them."
        )
    return site


def _disk(settings: EdgeSettings) -> Disk:
    return Disk(
        settings.data_dir,
        settings.disk_low_mb * MEGABYTE,
        settings.disk_full_mb * MEGABYTE,
        settings.reserve_mb * MEGABYTE,
    )


def _instruments(
    settings: EdgeSettings, clock: BoxClock, changed: Callable[[Instrument], None]
) -> dict[str, Instrument]:
    bluetooth = load_bluetooth(settings)

    def connect(url: str) -> Link:
        return open_link(url, clock=time.monotonic, bluetooth=bluetooth)

    return {
        device.id: Instrument(device, DRIVERS, connect, clock.monotonic, changed)
        for device in all_devices(settings)
    }
