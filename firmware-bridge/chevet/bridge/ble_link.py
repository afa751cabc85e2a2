"""Bluetooth Low Energy devices by address, through bleak."""

import asyncio
import logging

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_str

from chevet.bridge.base import Clock, QueuedLink
from chevet.bridge.errors import LinkError, LinkLost, LinkUnavailable
from chevet.bridge.finding_air import Air, radio_reason
from chevet.bridge.url import LinkUrl, split_url

log = logging.getLogger(__name__)

SCAN_S = 10.0
CONNECT_S = 15.0
OPTIONS = frozenset({"notify", "read", "write", "pair", "scan"})


class BleLink(QueuedLink):
    """`ble:C0:FF:EE:00:00:01?notify=2a5f,2a5e&write=...`; each notification or indication is one packet.

    Options: `notify` (characteristics to subscribe, at least one of which must be there), `read` (those to
    read once, where they are there, each giving one packet), `write` (those that may be written; `send` goes
    to the first, `write` to any of them), `pair=1` (pair first), `scan` (seconds to look for it).
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        scanner: type[BaseBleakScanner] | None = None,
        client: type[BaseBleakClient] | None = None,
    ) -> None:
        super().__init__(url, clock)
        self._parts = split_url(url, options=OPTIONS)
        self._notify = _uuids(self._parts, "notify")
        self._read = _uuids(self._parts, "read")
        self._write = _uuids(self._parts, "write")
        self._scan_s = self._parts.number("scan", SCAN_S)
        self._scanner = scanner
        self._backend = client
        self._client: BleakClient | None = None

    async def _connect(self) -> None:
        try:
            client = await self._find()
            await client.connect()
        except (BleakError, OSError, EOFError) as error:  # TimeoutError is an OSError
            log.info("cannot open %s: %s", self.url, error)
            raise LinkUnavailable(self.url, radio_reason(error)) from error
        self._client = client
        try:
            await self._subscribe(client)
        except (BleakError, OSError) as error:
            await self._disconnect()
            log.info("cannot subscribe %s: %s", self.url, error)
            raise LinkUnavailable(self.url, radio_reason(error)) from error
        except BaseException:  # the wrong device, or cancelled: either way it must be let go
            await self._disconnect()
            raise

    async def _find(self) -> BleakClient:
        device = await Air.of(self._scanner).find(self._parts.target, self._scan_s)
        if device is None:
            raise BleakDeviceNotFoundError(self._parts.target, "does not advertise")
        return BleakClient(
            device,
            disconnected_callback=lambda _: self._lose("disconnected"),
            timeout=CONNECT_S,
            pair=self._parts.options.get("pair") == "1",
            backend=self._backend,
        )

    async def _subscribe(self, client: BleakClient) -> None:
        present = [uuid for uuid in self._notify if client.services.get_characteristic(uuid) is not None]
        if self._notify and not present:
            raise LinkUnavailable(self.url, "wrong_device")
        for uuid in present:
            await client.start_notify(uuid, self._notified)
        for uuid in self._read:
            await self._read_once(client, uuid)

    async def _read_once(self, client: BleakClient, uuid: str) -> None:
        if client.services.get_characteristic(uuid) is None:
            return
        try:
            self._put(bytes(await client.read_gatt_char(uuid)), uuid)
        except BleakGATTProtocolError as error:  # it may be shown but not given to us; all else goes on
            log.info("%s does not let %s be read: %s", self.url, uuid, error)

    def _notified(self, characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
        self._put(bytes(data), characteristic.uuid.lower())

    async def send(self, data: bytes) -> None:
        """Write `data` to the first `write` characteristic, cut to what one write may hold.

        Raises:
            LinkError: the URL names no characteristic to write to, or the device does not take it.
            LinkLost: the device went away.
        """
        client = await self._open_client()
        if not self._write:
            raise LinkError(self.url, "not_writable")
        target = client.services.get_characteristic(self._write[0])
        if target is None:
            raise LinkLost(self.url, "disconnected")
        size = target.max_write_without_response_size
        for at in range(0, len(data), size):
            await self._put_value(client, target, data[at : at + size])

    async def write(self, target: str, data: bytes) -> None:
        """Write one value, whole, to one of the `write` characteristics.

        Raises:
            LinkError: the URL does not name it or the device does not have it ("not_writable"), or the device
                does not take the value ("write_refused"); the link goes on.
            LinkLost: the device went away.
        """
        client = await self._open_client()
        uuid = normalize_uuid_str(target)
        place = client.services.get_characteristic(uuid) if uuid in self._write else None
        if place is None:
            raise LinkError(self.url, "not_writable")
        await self._put_value(client, place, data)

    async def _open_client(self) -> BleakClient:
        await self.open()
        if self._client is None:
            raise LinkLost(self.url, "disconnected")
        return self._client

    async def _put_value(self, client: BleakClient, place: BleakGATTCharacteristic, data: bytes) -> None:
        try:
            await client.write_gatt_char(place, data)
        except BleakGATTProtocolError as error:
            log.info("%s does not take what was written to %s: %s", self.url, place.uuid, error)
            raise LinkError(self.url, "write_refused") from error
        except (BleakError, OSError) as error:
            self._lose("disconnected")
            raise LinkLost(self.url, "disconnected") from error

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            async with asyncio.timeout(CONNECT_S):
                await client.disconnect()
        except (BleakError, OSError, EOFError) as error:  # it is gone either way
            log.info("closing %s: %s", self.url, error)


def _uuids(parts: LinkUrl, option: str) -> tuple[str, ...]:
    """Return the 128-bit lower-case UUIDs that an option lists."""
    try:
        return tuple(normalize_uuid_str(text) for text in parts.options.get(option, "").split(",") if text)
    except ValueError:
        raise LinkUnavailable(parts.text, "bad_url") from None
