"""One Bluetooth scan for all who listen: BlueZ refuses a second one of the same program ("InProgress").

Links that look for their device and the search for new ones share it.
"""

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)

from chevet.bridge.errors import LinkUnavailable

Backend = type[BaseBleakScanner] | None
STOP_S = 5.0
DBUS_REASONS = {
    "org.freedesktop.DBus.Error.ServiceUnknown": "no_adapter",  # no bluetoothd
    "org.bluez.Error.NotReady": "no_adapter",  # adapter switched off
    "org.freedesktop.DBus.Error.AccessDenied": "no_permission",
    "org.bluez.Error.NotPermitted": "no_permission",
    "org.bluez.Error.InProgress": "busy",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """One advertisement.

    Attributes:
        address: as the radio gives it, upper case.
        name: advertised, "" where there is none.
        services: 128-bit UUIDs, lower case.
        rssi: received strength in dBm.
    """

    address: str
    name: str
    services: tuple[str, ...]
    rssi: int


Ear = Callable[[Heard, BLEDevice], None]


class Air:
    """What is advertised around this box, through one scanner for each backend and event loop."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._ears: list[Ear] = []
        self._scanner: BleakScanner | None = None
        self._changing = asyncio.Lock()

    @classmethod
    def of(cls, backend: Backend) -> "Air":
        """Return the air of the running loop; None is the platform's own radio."""
        airs = _airs.setdefault(asyncio.get_running_loop(), {})
        if backend not in airs:
            airs[backend] = cls(backend)
        return airs[backend]

    @asynccontextmanager
    async def listening(self, ear: Ear) -> AsyncIterator[None]:
        """Scan while the block runs, telling `ear` of everything heard.

        Raises:
            BleakError, OSError, EOFError: the radio cannot scan.
        """
        self._ears.append(ear)
        try:
            async with self._changing:
                if self._scanner is None:
                    await _finished(self._start())
            yield
        finally:
            self._ears.remove(ear)
            async with self._changing:
                if not self._ears:
                    await _finished(self._stop())

    async def find(self, address: str, within_s: float) -> BLEDevice | None:
        """Return the device of this address, None when it was not heard in time.

        Raises:
            BleakError, OSError, EOFError: the radio cannot scan.
        """
        found: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()

        def hear(heard: Heard, device: BLEDevice) -> None:
            if heard.address == address.upper() and not found.done():
                found.set_result(device)

        async with self.listening(hear):
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    return await found
        return None

    async def _start(self) -> None:
        if self._backend is None:
            scanner = BleakScanner(self._hear)
        else:
            scanner = BleakScanner(self._hear, backend=self._backend)
        await scanner.start()
        self._scanner = scanner

    async def _stop(self) -> None:
        scanner, self._scanner = self._scanner, None
        if scanner is not None:
            # A radio that is gone does not scan either.
            with suppress(BleakError, OSError, EOFError, TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await scanner.stop()

    def _hear(self, device: BLEDevice, advertised: AdvertisementData) -> None:
        heard = Heard(
            device.address.upper(),
            advertised.local_name or "",
            tuple(uuid.lower() for uuid in advertised.service_uuids),
            advertised.rssi,
        )
        for ear in tuple(self._ears):
            ear(heard, device)


async def _finished(work: Coroutine[Any, Any, None]) -> None:
    """Await `work` to its end, also when cancelled meanwhile: a radio must not be left between two states."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # it is told to nobody: who asked has gone
        raise


async def overhear(ear: Callable[[Heard], None], seconds: float, backend: Backend = None) -> None:
    """Tell `ear` of everything that is advertised within `seconds`; None is the platform's own radio.

    Raises:
        LinkUnavailable: there is no radio, or it cannot scan.
    """
    try:
        async with Air.of(backend).listening(lambda heard, _device: ear(heard)):
            await asyncio.sleep(seconds)
    except (BleakError, OSError, EOFError) as error:
        raise LinkUnavailable("ble:", radio_reason(error)) from error


def radio_reason(error: Exception) -> str:
    """Return the coded reason of an error of the radio."""
    match error:
        case BleakDeviceNotFoundError() | TimeoutError():
            return "not_found"
        case BleakBluetoothNotAvailableError() | FileNotFoundError() | EOFError():
            return "no_adapter"  # FileNotFoundError and EOFError: no system D-Bus
        case BleakDBusError():
            return DBUS_REASONS.get(error.dbus_error, "failed")
        case BleakGATTProtocolError():
            return "no_permission"  # the device wants to be paired first
    return "failed"


_airs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Backend, Air]] = weakref.WeakKeyDictionary()
