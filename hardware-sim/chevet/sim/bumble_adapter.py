"""The computer's side of the virtual radio: one Bumble central for everything in an event loop."""

import asyncio
import logging
import weakref
from typing import Any, ClassVar

from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason
from bumble import hci
from bumble.core import BaseBumbleError
from bumble.device import Device
from bumble.transport import open_transport

log = logging.getLogger(__name__)

OPEN_WITHIN_S = 5.0


class Adapter:
    """A shared central, open while anybody uses it.

    Transports belong to one event loop, so there is one adapter for each loop and transport specification.

    Attributes:
        connecting: held while a connection is made; a controller makes one at a time.
    """

    _of_loop: ClassVar[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, "Adapter"]]] = (
        weakref.WeakKeyDictionary()
    )

    def __init__(self, spec: str) -> None:
        self.spec = spec
        self._users = 0
        self._lock = asyncio.Lock()
        self.connecting = asyncio.Lock()
        self._scanning = asyncio.Lock()
        self._scanners = 0
        self._transport: Any = None
        self._device: Any = None
        # Programs that use the virtual radio at the same time are different computers to the devices.
        self._address = hci.Address.generate_static_address()

    @classmethod
    def of_this_loop(cls, spec: str) -> "Adapter":
        """Return the running loop's adapter for `spec`, such as "unix:/path/radio.sock"."""
        adapters = cls._of_loop.setdefault(asyncio.get_running_loop(), {})
        return adapters.setdefault(spec, cls(spec))

    async def acquire(self) -> Any:
        """Return the powered central, opening the radio for its first user or after the radio was lost.

        Raises:
            BleakBluetoothNotAvailableError: no radio answers at `spec`.
        """
        async with self._lock:
            if self._device is not None and self._lost():
                await self._close()
            if self._device is None:
                await self._open()
            self._users += 1
            return self._device

    async def release(self) -> None:
        """Give the central back; the last user closes the radio."""
        async with self._lock:
            self._users -= 1
            if self._users <= 0 and self._device is not None:
                await self._close()

    async def listen(self, device: Any, *, active: bool) -> None:
        """Let the central scan; it has one scan, which lasts as long as anybody listens."""
        async with self._scanning:
            if self._scanners == 0 or not device.scanning:
                await device.start_scanning(active=active, filter_duplicates=False)
            self._scanners += 1

    async def stop_listening(self, device: Any) -> None:
        """End one's part of the scan."""
        async with self._scanning:
            self._scanners -= 1
            if self._scanners <= 0 and device.scanning:
                await device.stop_scanning()

    def _lost(self) -> bool:
        return bool(self._transport.source.terminated.done())

    async def _open(self) -> None:
        try:
            async with asyncio.timeout(OPEN_WITHIN_S):
                self._transport = await open_transport(self.spec)
                device = Device.with_hci(
                    "central", self._address, self._transport.source, self._transport.sink
                )
                await device.power_on()
        except (OSError, TimeoutError, BaseBumbleError) as error:
            if self._transport is not None:
                await self._close()
            raise BleakBluetoothNotAvailableError(
                f"no virtual Bluetooth radio at {self.spec}: is `chevet-sim serve` running?",
                BleakBluetoothNotAvailableReason.NO_BLUETOOTH,
            ) from error
        self._device = device

    async def _close(self) -> None:
        transport, self._transport, self._device, self._users = self._transport, None, None, 0
        self._scanners = 0
        await transport.close()
