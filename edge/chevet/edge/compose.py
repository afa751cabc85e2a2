"""The parts of the agent put together: who gets what, and nothing else."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from chevet.bridge.link import Link
from chevet.devices.driver import DRIVERS
from chevet.edge.at_rest import DataKey
from chevet.edge.bedside import Bedside, UplinkState
from chevet.edge.box import BoxClock
from chevet.edge.calls import Calls
from chevet.edge.capture import Captures
from chevet.edge.cart import Cart
from chevet.edge.cart_attach import Attaching
from chevet.edge.cart_store import Imports
from chevet.edge.cases import Cases
from chevet.edge.clock_floor import ClockFloor
from chevet.edge.closing import Closing
from chevet.edge.copies import Copies
from chevet.edge.database import Database
from chevet.edge.device_memory import DeviceMemory
from chevet.edge.discovery_compose import make_discovery, real_buses
from chevet.edge.discovery_memory import Calibrations, FoundDevices
from chevet.edge.discovery_use import InUse
from chevet.edge.discovery_watch import Buses
from chevet.edge.disk import MEGABYTE, Disk
from chevet.edge.errors import SettingsError
from chevet.edge.instruments import Instrument
from chevet.edge.kept import Kept
from chevet.edge.live import Live
from chevet.edge.patients import Patients
from chevet.edge.sessions import Sessions
from chevet.edge.settings import FOR_LESSONS, DeviceSettings, EdgeSettings, all_devices
from chevet.edge.spool import Spool
from chevet.edge.training import Training
from chevet.edge.training_faults import make_hands
from chevet.edge.training_store import Attempts
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
    buses: Buses | None = None,
) -> Bedside:
    """Return everything of one box, nothing running yet; `buses` stand in for its own where they are given.

    Raises:
        SettingsError: something is missing or wrong, with the remedy.
        StoreDamaged: the spool fails its check.
    """
    parts = _parts(settings, database)
    memory = DeviceMemory(database, parts.clock.now_ms, parts.clock.quality)
    calibrations = Calibrations(database, parts.clock.now_ms)
    make = _maker(parts, memory, calibrations, device_changed)
    buses = buses or real_buses(settings)
    instruments = {device.id: make(device, buses.connect) for device in all_devices(settings)}
    live = Live(parts.clock.now_ms, parts.clock.monotonic)
    in_use = InUse(instruments, make, live, buses.connect)
    found = FoundDevices(database, parts.clock.now_ms)
    captures = _captures(settings, parts, instruments, capture_changed, database)
    imports = Imports(settings.data_dir / "imports", database, parts.disk, parts.clock.now_ms)
    rules = _rules(parts, programme, captures, settings.label)
    kept = Kept(database, settings.electrodes)
    training = Training(Attempts(database), parts.visits, parts.patients, rules, parts.clock)
    return Bedside(
        settings=settings,
        site=parts.site,
        version=version("chevet"),
        clock=parts.clock,
        disk=parts.disk,
        workers=Workers(database, parts.clock.monotonic),
        patients=parts.patients,
        visits=parts.visits,
        cases=parts.cases,
        spool=parts.spool,
        sessions=Sessions(parts.clock.monotonic),
        instruments=instruments,
        memory=memory,
        discovery=make_discovery(settings, buses, found, in_use, parts.clock, live.tell),
        in_use=in_use,
        calibrations=calibrations,
        captures=captures,
        rules=rules,
        cart=Cart(settings.cart, imports, parts.clock.monotonic, lambda: live.tell({"type": "imports"})),
        attaching=_attaching(settings, parts, captures, imports),
        live=live,
        calls=Calls(live.tell, parts.clock.now_ms),
        uplink=UplinkState(last_contact_ms=kept.contact_ms),
        kept=kept,
        training=training,
        hands=make_hands(settings, training, lambda kind: _simulated(instruments, kind)),
        spooled=asyncio.Event(),
    )


def _maker(
    parts: "_Parts",
    memory: DeviceMemory,
    calibrations: Calibrations,
    changed: Callable[[Instrument], None],
) -> Callable[[DeviceSettings, Callable[[str], Link]], Instrument]:
    """Return what makes an instrument of its settings and the links of its bus."""

    def make(device: DeviceSettings, connect: Callable[[str], Link]) -> Instrument:
        instrument = Instrument(device, DRIVERS, connect, parts.clock.monotonic, changed)
        instrument.memory, instrument.calibrations = memory, calibrations
        return instrument

    return make


def _captures(
    settings: EdgeSettings,
    parts: "_Parts",
    instruments: dict[str, Instrument],
    changed: Callable[[CaptureRow], None],
    database: Database,
) -> Captures:
    folder, label = settings.data_dir / "journals", settings.label
    return Captures(folder, parts.visits, instruments, parts.disk, parts.clock, changed, label, database.key)


def _simulated(instruments: dict[str, Instrument], kind: str) -> list[str]:
    """Return the simulator's names of the instruments of a kind."""
    return [
        one.id.removeprefix(FOR_LESSONS)
        for one in instruments.values()
        if one.kind == kind and one.settings.simulated
    ]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What everything else stands on."""

    site: Site
    clock: BoxClock
    disk: Disk
    visits: Visits
    patients: Patients
    cases: Cases
    spool: Spool


def _parts(settings: EdgeSettings, database: Database) -> _Parts:
    clock = BoxClock(floor=ClockFloor(settings.data_dir, time.monotonic))
    return _Parts(
        site=_site(settings, database.key),
        clock=clock,
        disk=_disk(settings),
        visits=Visits(database),
        patients=Patients(database, clock.now_ms),
        cases=Cases(database, clock.now_ms),
        spool=Spool(settings.data_dir / "spool.db", clock.now_ms, settings.retention_days),
    )


def _attaching(settings: EdgeSettings, parts: _Parts, captures: Captures, imports: Imports) -> Attaching:
    simulated = bool(settings.label) or settings.cart.simulated
    return Attaching(imports, parts.visits, parts.patients, captures, parts.clock, simulated=simulated)


def _rules(parts: _Parts, programme: Programme, captures: Captures, label: str) -> VisitRules:
    closing = Closing(
        site=parts.site,
        programme=programme,
        visits=parts.visits,
        patients=parts.patients,
        copies=Copies(captures),
        cases=parts.cases,
        spool=parts.spool,
        now_ms=parts.clock.now_ms,
        random=secrets.token_bytes,
        label=label,
    )
    return VisitRules(parts.visits, parts.patients, captures, closing, parts.clock)


def _site(settings: EdgeSettings, key: DataKey | None) -> Site:
    site = read_site(settings.data_dir, key)
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
