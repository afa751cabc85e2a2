"""A bleak backend on Bumble: product code uses bleak as it is and reaches virtual sensors.

    bluetooth = chevet.sim.bumble_backend.bluetooth("unix:/path/radio.sock")

The kit loads this by name, and only where its settings say so (`bluetooth_backend`, `bluetooth_spec`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bumble import att, core, hci
from bumble.core import AdvertisingData
from bumble.device import Peer

from chevet.bridge.link import Bluetooth
from chevet.sim.bumble_adapter import Adapter

LARGEST_MTU = 517
"""Bumble never asks for more than 23 by itself; 517 is the largest of the Core specification."""
LOCAL_DISCONNECT_S = 2.0

T = TypeVar("T")


def bluetooth(spec: str) -> Bluetooth:
    """Return scanner and client classes that use the virtual radio at `spec`, such as "unix:/path"."""
    scanner = type("SimScanner", (BumbleScanner,), {"spec": spec})
    client = type("SimClient", (BumbleClient,), {"spec": spec})
    return Bluetooth(scanner=scanner, client=client)


def uuid_text(uuid: Any) -> str:
    """Return a Bumble UUID as bleak writes it: 128 bit, lower case."""
    digits = uuid.to_bytes(force_128=True)[::-1].hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class BumbleScanner(BaseBleakScanner):
    """Listens for advertisements on the virtual radio."""

    spec: ClassVar[str] = ""

    def __init__(
        self,
        detection_callback: Any = None,
        service_uuids: list[str] | None = None,
        scanning_mode: str = "active",
        **_others: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"
        self._device: Any = None

    async def start(self) -> None:
        """Start scanning; seen devices of an earlier scan are forgotten."""
        self.seen_devices = {}
        adapter = Adapter.of_this_loop(self.spec)
        self._device = await adapter.acquire()
        self._device.on("advertisement", self._heard)
        await adapter.listen(self._device, active=self._active)

    async def stop(self) -> None:
        """Stop scanning."""
        if self._device is None:
            return
        device, self._device = self._device, None
        device.remove_listener("advertisement", self._heard)
        adapter = Adapter.of_this_loop(self.spec)
        try:
            await asyncio.wait_for(adapter.stop_listening(device), LOCAL_DISCONNECT_S)
        except (TimeoutError, core.BaseBumbleError):
            pass  # the radio went away: nothing scans any more
        finally:
            await adapter.release()

    def _heard(self, advertisement: Any) -> None:
        seen = _advertised(advertisement)
        if not self.is_allowed_uuid(seen.service_uuids):
            return
        address = advertisement.address.to_string(with_type_qualifier=False)
        device = self.create_or_update_device(address, address, seen.local_name, advertisement.address, seen)
        self.call_detection_callbacks(device, seen)


def _advertised(advertisement: Any) -> AdvertisementData:
    data = advertisement.data
    kinds = (
        AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    )
    lists = [found for kind in kinds for found in data.get_all(kind)]
    name = data.get(AdvertisingData.COMPLETE_LOCAL_NAME) or data.get(AdvertisingData.SHORTENED_LOCAL_NAME)
    return AdvertisementData(
        local_name=name,
        manufacturer_data={},
        service_data={},
        service_uuids=[uuid_text(uuid) for uuids in lists for uuid in uuids],
        tx_power=None,
        rssi=advertisement.rssi,
        platform_data=(advertisement,),
    )


class BumbleClient(BaseBleakClient):
    """A connection to one device on the virtual radio."""

    spec: ClassVar[str] = ""

    def __init__(self, address_or_ble_device: BLEDevice | str, **kwargs: Any) -> None:
        super().__init__(address_or_ble_device, **kwargs)
        self._target: Any = hci.Address(self.address)
        self._name = self.address
        if isinstance(address_or_ble_device, BLEDevice):
            self._target = address_or_ble_device.details  # with the address type that was heard
            self._name = address_or_ble_device.name or self.address
        self._connection: Any = None
        self._peer: Any = None

    @property
    def name(self) -> str:
        """The advertised name, or the address."""
        return self._name

    @property
    def mtu_size(self) -> int:
        """The largest ATT packet agreed on, in bytes."""
        return int(self._connection.att_mtu) if self._connection is not None else 23

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands."""
        return self._connection is not None

    async def connect(self, pair: bool, **_others: Any) -> None:
        """Connect and read the device's services.

        Raises:
            BleakDeviceNotFoundError: it did not answer in time.
            BleakError: there is no radio, or the device went away meanwhile.
        """
        adapter = Adapter.of_this_loop(self.spec)
        device = await adapter.acquire()
        try:
            async with adapter.connecting:
                connection = await device.connect(
                    self._target, transport=core.PhysicalTransport.LE, timeout=self._timeout
                )
        except BaseException as error:
            await adapter.release()
            if isinstance(error, core.BaseBumbleError | TimeoutError):
                raise BleakDeviceNotFoundError(self.address, f"{self.address} did not answer") from error
            raise
        self._connection = connection
        connection.on("disconnection", self._ended)
        try:
            async with asyncio.timeout(self._timeout):
                await self._learn(pair)
        except BaseException as error:
            await self.disconnect()
            if isinstance(error, core.BaseBumbleError | TimeoutError):
                raise BleakError(f"{self.address} went away while connecting") from error
            raise

    async def _learn(self, pair: bool) -> None:
        self._peer = Peer(self._connection)
        await self._peer.request_mtu(LARGEST_MTU)
        if pair:
            await self._connection.pair()
        self.services = await self._discover()

    async def _discover(self) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        for service in await self._peer.discover_services():
            ours = BleakGATTService(service, service.handle, uuid_text(service.uuid))
            found.add_service(ours)
            for characteristic in await service.discover_characteristics():
                known = BleakGATTCharacteristic(
                    characteristic,
                    characteristic.handle,
                    uuid_text(characteristic.uuid),
                    list(gatt_char_props_to_strs(int(characteristic.properties))),
                    lambda: self.mtu_size - 3,
                    ours,
                )
                found.add_characteristic(known)
                for descriptor in await characteristic.discover_descriptors():
                    text = uuid_text(descriptor.type)
                    found.add_descriptor(BleakGATTDescriptor(descriptor, descriptor.handle, text, known))
        return found

    def _ended(self, _reason: int) -> None:
        if self._connection is None:
            return
        self._forget()
        self._release_soon()
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    def _release_soon(self) -> None:
        task = asyncio.get_running_loop().create_task(Adapter.of_this_loop(self.spec).release())
        _releasing.add(task)
        task.add_done_callback(_releasing.discard)

    def _forget(self) -> None:
        self._connection = None
        self._peer = None
        self.services = None

    async def disconnect(self) -> None:
        """End the connection; it is gone afterwards whatever the device does."""
        if self._connection is None:
            return
        connection = self._connection
        self._forget()
        try:
            await asyncio.wait_for(connection.disconnect(), LOCAL_DISCONNECT_S)
        except (TimeoutError, core.BaseBumbleError):
            pass  # it went away by itself in the meantime
        finally:
            await Adapter.of_this_loop(self.spec).release()
            if self._disconnected_callback is not None:
                self._disconnected_callback()

    async def pair(self, *_args: Any, **_kwargs: Any) -> None:
        """Pair without confirmation ("Just Works")."""
        await self._att(lambda: self._connection.pair())  # noqa: PLW0108 - looked up once checked

    async def unpair(self) -> None:
        """Forget nothing: the virtual radio keeps no bonds."""

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_others: Any
    ) -> bytearray:
        """Read a value from the device."""
        del use_cached
        return bytearray(await self._att(characteristic.obj.read_value))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_others: Any
    ) -> bytearray:
        """Read a descriptor from the device."""
        del use_cached
        return bytearray(await self._att(descriptor.obj.read_value))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        """Write a value, waiting for the device's answer where `response` asks for it."""
        await self._att(lambda: characteristic.obj.write_value(bytes(data), with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Write a descriptor."""
        await self._att(lambda: descriptor.obj.write_value(bytes(data), with_response=True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: Callable[[bytearray], None], **_others: Any
    ) -> None:
        """Subscribe; notifications and indications arrive alike."""
        await self._att(lambda: characteristic.obj.subscribe(lambda value: callback(bytearray(value))))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribe."""
        await self._att(characteristic.obj.unsubscribe)

    async def _att(self, ask: Callable[[], Awaitable[T]]) -> T:
        if self._connection is None:
            raise BleakError("Not connected")
        try:
            return await asyncio.wait_for(ask(), self._timeout)
        except att.ATT_Error as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except (core.BaseBumbleError, TimeoutError) as error:
            raise BleakError(f"{self.address} did not answer") from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if self._connection is not None or (task is not None and task.cancelling()):
                raise
            # Bumble cancels the open request when the device goes away; nobody cancelled us.
            raise BleakError(f"{self.address} went away") from error


_releasing: set[asyncio.Task[None]] = set()
"""Keeps references: the loop itself holds tasks only weakly."""
