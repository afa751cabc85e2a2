"""The air between virtual Bluetooth devices and whoever opens the radio's Unix socket.

Built on Bumble's local link and controller, with what those lack: cancelling a connection attempt,
data from devices with public addresses, going out of range, and hosts that come and go.
"""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

from bumble import core, hci, ll
from bumble.controller import Connection, Controller
from bumble.link import LocalLink
from bumble.transport.common import StreamPacketSink, StreamPacketSource

from chevet.sim.errors import ServeError

log = logging.getLogger(__name__)

SUPERVISION_S = 1.0
"""After this long without packets a real link counts as lost (Core specification, supervision timeout)."""
LONGEST_SOCKET_PATH = 100  # sun_path holds 108 bytes on Linux


class SimLink(LocalLink):  # type: ignore[misc, unused-ignore]
    """The air: devices in `blocked` are out of range."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.blocked: set[Controller] = set()

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        """Carry data under the address the connection was made with, unless it is lost on air."""
        source = next(
            (
                link.self_address
                for link in sender_controller.le_connections.values()
                if link.peer_address == destination_address
            ),
            sender_controller.random_address,
        )
        receiver = self.find_le_controller(destination_address)
        if receiver is None or not self.blocked.isdisjoint((sender_controller, receiver)):
            return
        asyncio.get_running_loop().call_soon(receiver.on_link_acl_data, source, transport, data)

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """Carry advertisements and connection requests between devices in range."""
        if sender_controller in self.blocked:
            return
        loop = asyncio.get_running_loop()
        for controller in self.controllers - self.blocked:
            if controller is not sender_controller:
                loop.call_soon(controller.on_ll_advertising_pdu, packet)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Carry link control, or lose it when the receiver is gone."""
        if self.find_le_controller(receiver_address) is not None:
            super().send_ll_control_pdu(sender_address, receiver_address, packet)

    def cut(self, controller: Controller, reason: int) -> None:
        """End every connection of `controller` on both sides, as each side's supervision timeout does."""
        for connection in list(controller.le_connections.values()):
            peer = self.find_le_controller(connection.peer_address)
            theirs = peer.le_connections.get(connection.self_address) if peer is not None else None
            controller.on_le_disconnected(connection, reason)
            if peer is not None and theirs is not None:
                peer.on_le_disconnected(theirs, reason)


class SimController(Controller):  # type: ignore[misc, unused-ignore]
    """A controller that can give up a connection attempt and carries long packets whole."""

    le_acl_data_packet_length = 251

    def on_hci_le_create_connection_cancel_command(
        self, command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> Any:
        """Answer as a radio does: the pending attempt ends with "unknown connection identifier"."""
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is not None:
            asyncio.get_running_loop().call_soon(self.send_hci_packet, _cancelled(pending))
        return super().on_hci_le_create_connection_cancel_command(command)

    def on_le_disconnected(self, connection: Connection, reason: int) -> None:
        """Ignore the second of two ends of the same connection."""
        if connection.peer_address in self.le_connections:
            super().on_le_disconnected(connection, reason)


def _cancelled(pending: Any) -> hci.HCI_Packet:
    return hci.HCI_LE_Connection_Complete_Event(
        status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
        connection_handle=0,
        role=hci.Role.CENTRAL,
        peer_address_type=pending.peer_address.address_type,
        peer_address=pending.peer_address,
        connection_interval=0,
        peripheral_latency=0,
        supervision_timeout=0,
        central_clock_accuracy=0,
    )


class _Host(StreamPacketSource):  # type: ignore[misc, unused-ignore]
    """One program on the socket: it gets a radio of its own, which vanishes with it."""

    def __init__(self, air: SimLink, present: set["_Host"]) -> None:
        super().__init__()
        self._air = air
        self._present = present

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._present.add(self)
        self._radio = SimController("radio", self, StreamPacketSink(transport), self._air)

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except Exception:  # noqa: BLE001 - whatever a stranger writes must not end the radio
            log.warning("a program sent something that is not HCI to the radio; closing it")
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._present.discard(self)
        self._air.cut(self._radio, int(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR))
        self._radio.host = None
        self._air.remove_controller(self._radio)

    def hang_up(self) -> None:
        """Close the program's connection, as a radio that is pulled out does."""
        self._transport.close()


class RadioSocket:
    """Serves HCI on a Unix socket: Bumble's transport `unix:PATH` opens it."""

    def __init__(self, air: SimLink, path: Path) -> None:
        self._air = air
        self.path = path
        self._server: asyncio.Server | None = None
        self._present: set[_Host] = set()

    @property
    def spec(self) -> str:
        """The transport specification for a client."""
        return f"unix:{self.path}"

    async def start(self) -> None:
        """Listen.

        Raises:
            ServeError: the path is too long or cannot be created.
        """
        check_socket_path(self.path)
        self.path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Host(self._air, self._present), str(self.path))

    def hang_up(self) -> None:
        """Drop every program that uses the radio; it may open it again."""
        for host in list(self._present):
            host.hang_up()

    async def aclose(self) -> None:
        """Stop listening, drop every program and remove the socket."""
        if self._server is not None:
            self._server.close()
            self.hang_up()
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)


def check_socket_path(path: Path) -> None:
    """Refuse a path that the kernel would cut off.

    Raises:
        ServeError: it is too long.
    """
    if len(str(path).encode()) > LONGEST_SOCKET_PATH:
        raise ServeError(
            str(path),
            f"the path of the socket is longer than {LONGEST_SOCKET_PATH} bytes; choose a shorter --dir",
        )
