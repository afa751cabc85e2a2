"""Puts a Bluetooth twin on the virtual air: it advertises, and can be subscribed, read and written."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from bumble import att, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from chevet.sim.air_faults import AirFaults
from chevet.sim.radio import SUPERVISION_S, SimController, SimLink
from chevet.sim.twins import gatt
from chevet.sim.twins.gatt import GattDevice, Sent

STEP_S = 0.02
ADVERTISING_MS = 100
ADVERTISEMENT_BYTES = 31
PROPERTIES = {
    gatt.NOTIFY: Characteristic.Properties.NOTIFY,
    gatt.INDICATE: Characteristic.Properties.INDICATE,
    gatt.READ: Characteristic.Properties.READ,
    gatt.WRITE: Characteristic.Properties.WRITE | Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
}
ENCRYPTED = Characteristic.READ_REQUIRES_ENCRYPTION | Characteristic.WRITE_REQUIRES_ENCRYPTION


class GattPeripheral:
    """One twin on the air.

    Attributes:
        address: its random static address.
        faults: what goes wrong on the air.
    """

    def __init__(
        self,
        air: SimLink,
        twin: GattDevice,
        address: str,
        *,
        mtu: int = 517,
        clock: Callable[[], float] = time.monotonic,
        faults: AirFaults | None = None,
    ) -> None:
        self.address = address
        self.faults = faults or AirFaults()
        self._connected_at = 0.0
        self._air = air
        self._twin = twin
        self._clock = clock
        self._answers: list[Sent] = []
        self._spoke_at: float | None = None
        self._there = False
        self._cutting: asyncio.TimerHandle | None = None
        self._controller = SimController(twin.name, link=air)
        host = Host(self._controller, AsyncPipeSink(self._controller))
        self._device: Any = Device(name=twin.name, address=hci.Address(address), host=host)
        self._device.gatt_server.max_mtu = mtu
        self._characteristics: dict[str, Any] = {}
        self._device.add_services([self._service(one) for one in twin.services])

    def _service(self, service: gatt.Service) -> Any:
        made = []
        for one in service.characteristics:
            properties = Characteristic.Properties(0)
            for ability in one.can - {gatt.PAIRED}:
                properties |= PROPERTIES[ability]
            permissions = Characteristic.READABLE | (Characteristic.WRITEABLE if gatt.WRITE in one.can else 0)
            if gatt.PAIRED in one.can:
                permissions |= ENCRYPTED
            value = CharacteristicValue(read=self._reader(one), write=self._writer(one))
            self._characteristics[one.uuid] = Characteristic(UUID(one.uuid), properties, permissions, value)
            made.append(self._characteristics[one.uuid])
        return Service(UUID(service.uuid), made)

    def _reader(self, one: gatt.Characteristic) -> Callable[[object], bytes]:
        def read(_connection: object) -> bytes:
            if gatt.READ not in one.can:
                raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)
            return one.value

        return read

    def _writer(self, one: gatt.Characteristic) -> Callable[[object, bytes], None]:
        def write(connection: object, value: bytes) -> None:
            if gatt.WRITE not in one.can:
                raise att.ATT_Error(att.ErrorCode.WRITE_NOT_PERMITTED)
            if not all(self._subscribed(connection, uuid) for uuid in one.after):
                raise att.ATT_Error(att.ErrorCode.CCCD_IMPROPERLY_CONFIGURED)
            if self.faults.deaf:
                return
            self._answers += self._twin.written(one.uuid, bytes(value), self._clock())

        return write

    def _subscribed(self, connection: object, uuid: str) -> bool:
        """Return whether a client's configuration of a characteristic has notifications or indications on."""
        there = self._device.gatt_server.read_cccd(connection, self._characteristics[uuid])
        return bool(there != bytes(2))

    def _listened_to(self) -> bool:
        """Return whether somebody subscribed what a device that waits for it has to say."""
        if not isinstance(self._twin, gatt.Pushing):
            return True
        uuid = self._twin.pushes
        return any(self._subscribed(one, uuid) for one in list(self._device.connections.values()))

    @property
    def silence(self) -> bool:
        """Connected but sends nothing."""
        return self.faults.silence

    @silence.setter
    def silence(self, on: bool) -> None:
        self.faults.silence = on

    @property
    def connected(self) -> bool:
        """Whether anybody is connected."""
        return bool(self._device.connections)

    async def start(self) -> None:
        """Power on and advertise. Not to be cancelled: Bumble would lose track of its pending command."""
        await self._device.power_on()
        await self._device.start_advertising(
            auto_restart=True,
            advertising_data=advertisement(self._twin),
            advertising_interval_min=ADVERTISING_MS,
            advertising_interval_max=ADVERTISING_MS,
        )

    def leave(self) -> None:
        """Go out of range: packets are lost at once, the connection after the supervision time."""
        self._air.blocked.add(self._controller)
        self._cutting = asyncio.get_running_loop().call_later(SUPERVISION_S, self._cut)

    def come_back(self) -> None:
        """Come into range again."""
        if self._cutting is not None:
            self._cutting.cancel()
            self._cutting = None
            self._cut()
        self._air.blocked.discard(self._controller)

    def _cut(self) -> None:
        self._air.cut(self._controller, int(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR))

    async def run(self) -> None:
        """Send what is due until cancelled; then power off. Start it first."""
        try:
            while True:
                await self._step(self._clock())
                await asyncio.sleep(STEP_S)
        finally:
            if self._cutting is not None:
                self._cutting.cancel()
            self._cut()
            await self._device.power_off()
            self._air.remove_controller(self._controller)

    async def _step(self, now: float) -> None:
        there = self.connected
        if there and not self._there:
            self._twin.connected(now)
            self._spoke_at = None
            self._connected_at = now
        self._there = there
        answers, self._answers = self._answers, []
        if not there:
            return
        if self.faults.hangs_up_s and now - self._connected_at >= self.faults.hangs_up_s:
            await self.hang_up()
            return
        due = self._twin.advance(now) if self._listened_to() else []
        for uuid, value in self.faults.apply(answers + due, now):
            await self._send(uuid, value)
            self._spoke_at = now
        if self._twin.linger_s and self._spoke_at is not None and now - self._spoke_at > self._twin.linger_s:
            await self.hang_up()

    async def _send(self, uuid: str, value: bytes) -> None:
        one = self._characteristics[uuid]
        if one.properties & Characteristic.Properties.INDICATE:
            await self._device.indicate_subscribers(one, value)
        else:
            await self._device.notify_subscribers(one, value)

    async def hang_up(self) -> None:
        """Disconnect, as devices on a battery do when they have said what they had."""
        self._spoke_at = None
        for connection in list(self._device.connections.values()):
            await connection.disconnect()


def advertisement(twin: GattDevice) -> bytes:
    """Return flags, services and name in the 31 primary bytes; a name too long for them is shortened."""
    parts: list[tuple[Any, bytes]] = [(AdvertisingData.FLAGS, bytes([0x06]))]
    room = ADVERTISEMENT_BYTES - 3
    for service in (one for one in twin.services if one.advertised):
        uuid = UUID(service.uuid)
        short = service.uuid.startswith("0000") and service.uuid.endswith("-0000-1000-8000-00805f9b34fb")
        data = bytes.fromhex(service.uuid[4:8])[::-1] if short else uuid.to_bytes()
        kind = (
            AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS
            if short
            else AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS
        )
        parts.append((kind, data))
        room -= 2 + len(data)
    name = twin.name.encode()
    whole = len(name) + 2 <= room
    kind = AdvertisingData.COMPLETE_LOCAL_NAME if whole else AdvertisingData.SHORTENED_LOCAL_NAME
    parts.append((kind, name[: room - 2]))
    return bytes(AdvertisingData(parts))
