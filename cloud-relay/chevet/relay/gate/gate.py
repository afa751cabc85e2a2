"""The gate: mutual TLS 1.3 towards boxes and relay, plain MQTT on loopback towards the embedded broker."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from chevet.exchange.tls import common_name
from chevet.relay.gate.packets import Frames, Malformed
from chevet.relay.gate.rights import NotAllowed, Rights

READ: Final = 64 * 1024
HANDSHAKE_S: Final = 30.0
"""2 s on a good day at 64 kbit/s and 600 ms; a link that loses packets takes several times that."""
MOST: Final = 2000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Behind:
    """The broker behind the gate, on this machine, and what it asks of who comes through."""

    port: int
    credentials: tuple[str, bytes]


class Gate:
    """Accepts clients by certificate; `revoked` tells which serials are valid no longer, as of now."""

    def __init__(self, behind: Behind, revoked: Callable[[], frozenset[int]]) -> None:
        self._behind = behind
        self._revoked = revoked
        self._inside: dict[asyncio.StreamWriter, int] = {}

    async def open(self, host: str, port: int, context: ssl.SSLContext) -> asyncio.Server:
        """Return the listening server.

        Raises:
            OSError: the port is taken.
        """
        return await asyncio.start_server(
            self._client, host, port, ssl=context, ssl_handshake_timeout=HANDSHAKE_S, limit=READ
        )

    def end_revoked(self) -> None:
        """End the connections of certificates that were revoked since they came in."""
        for writer, serial in list(self._inside.items()):
            if serial in self._revoked():
                log.warning("a connection ends: its certificate was revoked")
                writer.transport.abort()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = _certificate(writer)
        if shown is None or shown.serial_number in self._revoked() or len(self._inside) >= MOST:
            log.warning("a client is turned away: revoked, or too many at once")
            writer.transport.abort()
            return
        self._inside[writer] = shown.serial_number
        try:
            await self._serve(reader, writer, common_name(shown))
        except (NotAllowed, Malformed) as error:
            log.warning("%s is cut off: %s", common_name(shown), error)
        except OSError as error:
            log.debug("%s is gone: %s", common_name(shown), error)
        finally:
            del self._inside[writer]
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._behind.port, limit=READ)
        try:
            ways = [
                asyncio.create_task(_judged(reader, forth, Rights(name, self._behind.credentials))),
                asyncio.create_task(_copied(back, writer)),
            ]
            try:
                done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in ways:
                    task.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            forth.close()
            with contextlib.suppress(OSError):
                await forth.wait_closed()


def _certificate(writer: asyncio.StreamWriter) -> x509.Certificate | None:
    held = writer.get_extra_info("ssl_object")
    shown = held.getpeercert(binary_form=True) if held is not None else None
    return x509.load_der_x509_certificate(shown) if shown else None


async def _judged(reader: asyncio.StreamReader, forth: asyncio.StreamWriter, rights: Rights) -> None:
    frames = Frames()
    while data := await reader.read(READ):
        for packet in frames.feed(data):
            forth.write(rights.judge(packet))
        await forth.drain()


async def _copied(back: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await back.read(READ):
        writer.write(data)
        await writer.drain()
