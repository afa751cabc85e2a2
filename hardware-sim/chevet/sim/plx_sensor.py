"""A virtual pulse oximeter with the Bluetooth Pulse Oximeter Service."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from bumble import att, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from chevet.sim import nonin, plx
from chevet.sim.air_faults import AirFaults
from chevet.sim.radio import SUPERVISION_S, SimController, SimLink

ADDRESS = "C0:FF:EE:00:00:01"
NAME = "CHEVET-SIM-PLX"
PULSE_OXIMETER, DEVICE_INFORMATION = 0x1822, 0x180A
CONTINUOUS, SPOT_CHECK, FEATURES = 0x2A5F, 0x2A5E, 0x2A60
MANUFACTURER, MODEL, SERIAL, FIRMWARE = 0x2A29, 0x2A24, 0x2A25, 0x2A26
CONTINUOUS_UUID, SPOT_CHECK_UUID = "2a5f", "2a5e"
EVERY_S = 1.0
"""Continuous measurements usually come once a second (PLXS 1.0.1)."""
SPOT_CHECK_AFTER = 5
"""A spot check is indicated once, when the fifth continuous value has been sent."""
ADVERTISING_MS = 100


class NumberedFinger(Protocol):
    """What the sensor sees: a finger with numbers at 75 Hz samples."""

    def numbers(self, first: int) -> nonin.Numbers:
        """Return the numbers shown at sample `first`."""
        ...


class PlxSensor:
    """The sensor on the air: advertises, and sends to whoever subscribes.

    Attributes:
        faults: what goes wrong on the air.
        address: its random static address.
    """

    def __init__(
        self, air: SimLink, finger: NumberedFinger, serial: str, faults: AirFaults | None = None
    ) -> None:
        self.faults = faults or AirFaults()
        self.address = ADDRESS
        self._air = air
        self._finger = finger
        self._controller = SimController(NAME, link=air)
        self._device: Any = Device(
            name=NAME,
            address=hci.Address(ADDRESS),
            host=Host(self._controller, AsyncPipeSink(self._controller)),
        )
        self._continuous = _measurement(CONTINUOUS, Characteristic.Properties.NOTIFY)
        self._spot_check = _measurement(SPOT_CHECK, Characteristic.Properties.INDICATE)
        features = _constant(FEATURES, plx.FEATURES)
        self._device.add_services(
            [
                Service(UUID.from_16_bits(PULSE_OXIMETER), [self._continuous, self._spot_check, features]),
                Service(UUID.from_16_bits(DEVICE_INFORMATION), _about(serial)),
            ]
        )
        self._cutting: asyncio.TimerHandle | None = None
        self._connected_at: float | None = None

    @property
    def out_of_range(self) -> bool:
        """Whether the sensor cannot be heard."""
        return self._controller in self._air.blocked

    @property
    def silence(self) -> bool:
        """Connected but sends nothing."""
        return self.faults.silence

    @silence.setter
    def silence(self, on: bool) -> None:
        self.faults.silence = on

    async def hang_up(self) -> None:
        """Disconnect whoever is connected."""
        for connection in list(self._device.connections.values()):
            await connection.disconnect()

    async def start(self) -> None:
        """Power on and advertise. Not to be cancelled: Bumble would lose track of its pending command."""
        await self._device.power_on()
        await self._device.start_advertising(
            auto_restart=True,
            advertising_data=_advertisement(),
            advertising_interval_min=ADVERTISING_MS,
            advertising_interval_max=ADVERTISING_MS,
        )

    def leave(self) -> None:
        """Go out of range: packets are lost at once, the connection after the supervision time."""
        self._air.blocked.add(self._controller)
        loop = asyncio.get_running_loop()
        reason = int(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
        self._cutting = loop.call_later(SUPERVISION_S, self._air.cut, self._controller, reason)

    def come_back(self) -> None:
        """Come into range again."""
        if self._cutting is not None:
            self._cutting.cancel()
            self._air.cut(self._controller, int(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR))
            self._cutting = None
        self._air.blocked.discard(self._controller)

    async def run(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Send once a second, by an absolute schedule, until cancelled; then power off. Start it first."""
        began = clock()
        count = 0
        try:
            while True:
                count = max(count + 1, int((clock() - began) / EVERY_S))
                await asyncio.sleep(max(0.0, began + count * EVERY_S - clock()))
                await self._send(count)
                await self._tire(clock())
        finally:
            await self._power_off()

    async def _tire(self, now: float) -> None:
        """Disconnect where the sensor does so a while after every connection."""
        if not self._device.connections:
            self._connected_at = None
        elif self._connected_at is None:
            self._connected_at = now
        elif self.faults.hangs_up_s and now - self._connected_at >= self.faults.hangs_up_s:
            await self.hang_up()

    async def _power_off(self) -> None:
        if self._cutting is not None:
            self._cutting.cancel()
        self._air.cut(self._controller, int(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR))
        await self._device.power_off()
        self._air.remove_controller(self._controller)

    async def _send(self, count: int) -> None:
        if not self._device.connections:
            return
        numbers = _numbers(self._finger, count)
        sent = [(CONTINUOUS_UUID, plx.continuous(numbers))]
        if count % SPOT_CHECK_AFTER == 0 and numbers.spo2 is not None:
            spot = plx.PlxNumbers(numbers.spo2, numbers.pulse_rate, plx.STATUS_FULLY_QUALIFIED)
            sent.append((SPOT_CHECK_UUID, plx.spot_check(spot)))
        for uuid, value in self.faults.apply(sent, time.monotonic()):
            if uuid == CONTINUOUS_UUID:
                await self._device.notify_subscribers(self._continuous, value)
            else:
                await self._device.indicate_subscribers(self._spot_check, value)


def _numbers(finger: NumberedFinger, second: int) -> plx.PlxNumbers:
    shown = finger.numbers(second * nonin.RATE_HZ)
    if shown.spo2 is None or shown.pulse_rate is None:
        return plx.PlxNumbers(None, None, plx.STATUS_UNAVAILABLE, plx.SENSOR_NOT_ON_USER)
    return plx.PlxNumbers(Decimal(shown.spo2), Decimal(shown.pulse_rate), plx.STATUS_ONGOING)


def _measurement(number: int, properties: Any) -> Any:
    """Return a characteristic that only speaks when it has something; reading it is refused at once."""

    def refuse(_connection: object) -> bytes:
        raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)

    value = CharacteristicValue(read=refuse)
    return Characteristic(UUID.from_16_bits(number), properties, Characteristic.READABLE, value)


def _constant(number: int, value: bytes) -> Any:
    """Return a characteristic to read; Bumble would let anybody write it if nobody refused."""

    def refuse(_connection: object, _value: bytes) -> None:
        raise att.ATT_Error(att.ErrorCode.WRITE_NOT_PERMITTED)

    fixed = CharacteristicValue(read=lambda _connection: value, write=refuse)
    return Characteristic(
        UUID.from_16_bits(number), Characteristic.Properties.READ, Characteristic.READABLE, fixed
    )


def _about(serial: str) -> list[Any]:
    texts = {MANUFACTURER: "Chevet", MODEL: NAME, SERIAL: serial, FIRMWARE: "0.1.0-sim"}
    return [_constant(number, text.encode()) for number, text in texts.items()]


def _advertisement() -> bytes:
    """Name and service in the 31 primary bytes: the virtual radio knows no scan response."""
    services = PULSE_OXIMETER.to_bytes(2, "little")
    return bytes(
        AdvertisingData(
            [
                (AdvertisingData.FLAGS, bytes((0x06,))),
                (AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, services),
                (AdvertisingData.COMPLETE_LOCAL_NAME, NAME.encode()),
            ]
        )
    )
