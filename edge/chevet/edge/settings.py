"""The agent's configuration: one TOML file, overridden by CHEVET_EDGE_ environment variables."""

import importlib
import json
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from chevet.edge.discovery_settings import DiscoverySettings as DiscoverySettings
from chevet.edge.errors import SettingsError
from chevet.edge.kept import ElectrodeCode
from chevet.edge.update_settings import SticksSettings, UpdateSettings
from chevet.study.specialties import SPECIALTIES

PREFIX = "CHEVET_EDGE_"
FOR_LESSONS = "training-"
"""Before the ids of instruments that the settings keep for lessons."""
PLACES = (Path("edge.toml"), Path("/etc/chevet/edge.toml"))
"""Where `chevet-edge run` looks when no --config is given."""

InstrumentKind = Literal[
    "",
    "oximeter",
    "ecg",
    "stethoscope",
    "otoscope",
    "blood_pressure",
    "thermometer",
    "glucose",
    "scale",
    "heart_rate",
    "battery",
]
_Port = Annotated[int, Field(ge=1, le=65535)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KioskSettings(_Section):
    """Where the screens are served; loopback unless a screen on another machine is wanted."""

    host: str = "127.0.0.1"
    port: _Port = 8421


class BrokerSettings(_Section):
    """The MQTT broker that carries sealed studies. `password_file` holds the password alone.

    Attributes:
        host, port: "" and 0 are what enrolment said, or this machine's 1883.
        tls: mutual TLS 1.3 with the box's certificate; None is what enrolment said.
        open_network: allow a broker on another machine without TLS, where a VPN protects the road.
    """

    host: str = ""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    tls: bool | None = None
    open_network: bool = False
    username: str = ""
    password_file: Path | None = None

    def password(self) -> str:
        """Return the password, "" when none is set.

        Raises:
            SettingsError: the file cannot be read.
        """
        return read_secret(self.password_file, "broker.password_file") if self.password_file else ""


class UplinkSettings(_Section):
    """One way to the network, where the box has several; they are preferred in the order of the file.

    Attributes:
        name: shown on screens, such as "VSAT" or "4G".
        interface: the network interface it leaves by, such as "eth0" or "wwan0"; "" leaves it to the system.
        source: an own address it leaves from, for machines whose routing goes by source.
        host, port: of the broker as this way reaches it; "" and 0 are those of every other.
        bulk: false lets only questions, summaries and previews through, because bytes cost money.
    """

    name: str = Field(min_length=1, max_length=24, pattern=r"^[^\x00-\x1f]+$")
    interface: str = Field(default="", max_length=15, pattern=r"^[A-Za-z0-9_.:@-]*$")
    source: IPvAnyAddress | Literal[""] = ""
    host: str = ""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    bulk: bool = True


def _known_specialties(specialties: tuple[str, ...]) -> tuple[str, ...]:
    strange = [one for one in specialties if one not in SPECIALTIES]
    if strange or not specialties:
        raise ValueError(f"name at least one of {', '.join(SPECIALTIES)}")
    if len(set(specialties)) < len(specialties):
        raise ValueError("a specialty is named twice; name each once")
    return specialties


def _names_differ(uplinks: tuple[UplinkSettings, ...]) -> tuple[UplinkSettings, ...]:
    names = [uplink.name for uplink in uplinks]
    if len(set(names)) < len(names):
        raise ValueError("two uplinks have the same name; give each its own")
    return uplinks


class DeviceSettings(_Section):
    """One instrument of this site: a driver's name and the link's URL; `training` keeps it for lessons."""

    id: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")
    driver: str
    link: str
    instrument: InstrumentKind = ""
    simulated: bool = False
    training: bool = False

    @model_validator(mode="after")
    def _training_is_simulated(self) -> Self:
        if self.training and not self.simulated:
            raise ValueError("what is for training must be simulated too; add simulated = true")
        return self


class TrainingSettings(_Section):
    """Instruments for training alone, never offered in a visit of a real patient.

    Attributes:
        devices_file: a devices.json as `chevet-sim serve` writes it; None when the site has none. A file that
            is not there leaves the box without them, and without any harm.
    """

    devices_file: Path | None = None


class CartSettings(_Section):
    """An ECG cart that drops files into a folder.

    Attributes:
        folder: where the files come; None watches nothing.
        after: "move" puts a file into `imported/` once the box has it, "keep" leaves it where it is.
        settle_s: a file is read when it has not changed for this long.
        look_s: seconds between two looks into the folder.
        largest_mb: a larger file is refused.
        simulated: what comes is not of patients.
    """

    folder: Path | None = None
    after: Literal["move", "keep"] = "move"
    settle_s: float = Field(default=3.0, ge=0.1, le=300)
    look_s: float = Field(default=2.0, ge=0.05, le=60)
    largest_mb: int = Field(default=16, ge=1, le=24)  # a journal's record holds 32 MB
    simulated: bool = False


class LockSettings(_Section):
    """How the key of the disk comes to the box, where `chevet-edge lock` was used.

    Attributes:
        key_file: written by `chevet-edge lock add-key`, best on a stick that is pulled out after the start.
    """

    key_file: Path | None = None


class WorkerSettings(_Section):
    """A worker made at start when missing; `pin_file` holds the PIN alone."""

    id: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")
    name: str = Field(min_length=1, max_length=120)
    pin_file: Path


class EdgeSettings(BaseSettings):
    """Everything `chevet-edge run` can be told.

    Attributes:
        data_dir: keys, databases and journals of the box; only its user may read it.
        programme: programme.json as given out by the relay.
        site: the site's code, checked against the one `chevet-edge init` made; "" to skip the check.
        languages: offered on the screens, first is the default.
        specialties: whom a case may be asked of, in the order shown.
        electrodes: names and colours of the ECG's cable, until somebody chooses others at the kiosk.
        uplinks: the ways to the network, preferred first; none is the system's own choice.
        devices: instruments of the site.
        devices_file: a devices.json as `chevet-sim serve` writes it; its instruments are added.
        discovery: how other instruments are found.
        cart: an ECG cart's folder.
        training: simulated instruments for lessons.
        lock: how the key of the disk is found.
        sticks: where USB sticks come up.
        update: how new versions come to the box.
        bluetooth_backend: "module:function" giving a bleak backend for benches without a radio; "" for the
            platform's own.
        bluetooth_spec: what that function is called with.
        label: "HTEST" marks everything of this box as simulated or for training.
        calls: a specialist may call the kiosk beside a study; false answers every call with "off".
        workers: made at start when missing.
        disk_low_mb: below this much free space the screens warn.
        disk_full_mb: below this much free space new captures are refused.
        reserve_mb: size of the file given up so that databases can write on a full disk.
        retention_days: how long a delivered study stays on the box.
        history_days: how long cases that were answered and read, and people not seen since, stay listed.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    data_dir: Path
    programme: Path
    site: str = ""
    languages: tuple[str, ...] = ("fr", "ar", "zgh", "en")
    specialties: Annotated[tuple[str, ...], AfterValidator(_known_specialties)] = SPECIALTIES
    electrodes: ElectrodeCode = "iec"
    kiosk: KioskSettings = KioskSettings()
    broker: BrokerSettings = BrokerSettings()
    uplinks: Annotated[tuple[UplinkSettings, ...], AfterValidator(_names_differ)] = ()
    devices: tuple[DeviceSettings, ...] = ()
    devices_file: Path | None = None
    discovery: DiscoverySettings = DiscoverySettings()
    cart: CartSettings = CartSettings()
    training: TrainingSettings = TrainingSettings()
    lock: LockSettings = LockSettings()
    sticks: SticksSettings = SticksSettings()
    update: UpdateSettings = UpdateSettings()
    bluetooth_backend: str = ""
    bluetooth_spec: str = ""
    label: Literal["", "HTEST"] = ""
    calls: bool = True
    workers: tuple[WorkerSettings, ...] = ()
    disk_low_mb: int = Field(default=1024, ge=0)
    disk_full_mb: int = Field(default=256, ge=0)
    reserve_mb: int = Field(default=64, ge=0)  # room for weeks of receipts and visits
    retention_days: float = Field(default=7.0, ge=0)  # long enough to answer "did it arrive?"
    history_days: float = Field(default=730.0, ge=30)  # the next visit of a chronic patient finds the last

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrides the file (which arrives as arguments)."""
        return env_settings, init_settings


def load_settings(path: Path | None, places: tuple[Path, ...] = PLACES) -> EdgeSettings:
    """Read the configuration file (or the first of `places`) and the environment.

    Raises:
        SettingsError: missing, unreadable or wrong, with a sentence that names the remedy.
    """
    source = path or next((place for place in places if place.exists()), None)
    if source is None:
        looked = " and ".join(str(place) for place in places)
        raise SettingsError(
            f"No configuration found ({looked}); make one with `chevet-edge init` or pass --config FILE."
        )
    table = _read_toml(source)
    _refuse_unknown_environment()
    try:
        settings = EdgeSettings(**table)
    except ValidationError as error:
        raise SettingsError(f"{source}: {_first_complaint(error)}") from None
    return _anchored(settings, source.resolve().parent)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path} does not exist; make one with `chevet-edge init` or pass another --config."
        ) from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}); check its owner and mode.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML ({error}); correct that line.") from None


def _refuse_unknown_environment() -> None:
    for name in os.environ:
        word = name.removeprefix(PREFIX).lower().split("__")[0]
        if name.startswith(PREFIX) and word not in EdgeSettings.model_fields:
            known = ", ".join(sorted(EdgeSettings.model_fields))
            raise SettingsError(f"The environment variable {name} is not a setting; known are: {known}.")


def _first_complaint(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"the key '{where}' is not a setting; remove it or correct its spelling."
    if first["type"] == "missing":
        return f"the setting '{where}' is missing; add it."
    return f"the setting '{where}' is wrong: {first['msg']}."


def _anchored(settings: EdgeSettings, folder: Path) -> EdgeSettings:
    """Read relative paths from the configuration file's folder, wherever the command was started."""
    changed: dict[str, Any] = {}
    for name in ("data_dir", "programme", "devices_file"):
        value = getattr(settings, name)
        if isinstance(value, Path):
            changed[name] = folder / value
    if settings.cart.folder:
        changed["cart"] = settings.cart.model_copy(update={"folder": folder / settings.cart.folder})
    if settings.training.devices_file:
        changed["training"] = TrainingSettings(devices_file=folder / settings.training.devices_file)
    if settings.lock.key_file:
        changed["lock"] = LockSettings(key_file=folder / settings.lock.key_file)
    if settings.broker.password_file:
        changed["broker"] = settings.broker.model_copy(
            update={"password_file": folder / settings.broker.password_file}
        )
    changed["discovery"] = settings.discovery.model_copy(
        update={"ports": tuple(folder / port for port in settings.discovery.ports)}
    )
    changed["sticks"] = SticksSettings(
        places=tuple(folder / place for place in settings.sticks.places),
        folders=tuple(folder / one for one in settings.sticks.folders),
    )
    update = {name: getattr(settings.update, name) for name in ("root", "key_file", "folder")}
    changed["update"] = settings.update.model_copy(
        update={name: folder / path for name, path in update.items() if path}
    )
    changed["workers"] = tuple(
        worker.model_copy(update={"pin_file": folder / worker.pin_file}) for worker in settings.workers
    )
    return settings.model_copy(update=changed)


def read_secret(path: Path, setting: str) -> str:
    """Return the first line of a secret's file.

    Raises:
        SettingsError: it cannot be read or is empty.
    """
    try:
        secret = path.read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{setting}: {path} cannot be read ({error.strerror}).") from None
    if not secret:
        raise SettingsError(f"{setting}: {path} is empty; write the secret into it.")
    return secret


def all_devices(settings: EdgeSettings) -> tuple[DeviceSettings, ...]:
    """Return the configured instruments and those of `devices_file`.

    Raises:
        SettingsError: the file cannot be read or names an id twice.
    """
    devices = settings.devices + (_devices_of(settings.devices_file) if settings.devices_file else ())
    devices += _for_training(settings)
    seen: set[str] = set()
    for device in devices:
        if device.id in seen:
            raise SettingsError(f"The device id '{device.id}' is used twice; give each instrument its own.")
        seen.add(device.id)
    return devices


def _for_training(settings: EdgeSettings) -> tuple[DeviceSettings, ...]:
    """Return the instruments of lessons, by ids of their own; a real box starts without its simulator too."""
    path = settings.training.devices_file
    if path is None or not path.exists():
        return ()
    marked = {"simulated": True, "training": True}
    found = [one.model_dump() | marked | {"id": f"{FOR_LESSONS}{one.id}"[:64]} for one in _devices_of(path)]
    return tuple(DeviceSettings(**one) for one in found)


def _devices_of(path: Path) -> tuple[DeviceSettings, ...]:
    try:
        words = json.loads(path.read_text("utf-8"))
        rows = words["devices"] if isinstance(words, dict) else words
        wanted = set(DeviceSettings.model_fields)
        return tuple(
            DeviceSettings(**({"simulated": True} | {key: row[key] for key in wanted & row.keys()}))
            for row in rows
        )
    except OSError as error:
        raise SettingsError(
            f"devices_file: {path} cannot be read ({error.strerror}); run `chevet-sim serve`."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SettingsError(
            f"devices_file: {path} is not a list of devices; write it with `chevet-sim serve`."
        ) from None


def load_bluetooth(settings: EdgeSettings) -> Any:
    """Call the configured "module:function" with the spec; None means the platform's own radio.

    Raises:
        SettingsError: there is no such function.
    """
    if not settings.bluetooth_backend:
        return None
    module, _, function = settings.bluetooth_backend.partition(":")
    try:
        make = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError):
        raise SettingsError(
            f"bluetooth_backend: '{settings.bluetooth_backend}' cannot be loaded; write module:function."
        ) from None
    return make(settings.bluetooth_spec) if settings.bluetooth_spec else make()
