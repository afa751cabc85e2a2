"""Listening to an unknown serial line, and asking one that is silent, without ever starting anything."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace

from chevet.bridge.errors import LinkError
from chevet.bridge.link import Link
from chevet.devices.recognise import narrowed
from chevet.devices.recognise_asking import KIT_QUESTION, Question
from chevet.devices.recognition import NOTHING, Recognition
from chevet.devices.signatures import (
    KIT,
    S9600,
    LineSetting,
    looks_meant,
    recognise_stream,
    settings_for,
)

Connect = Callable[[str], Link]
HEARD_AT_MOST = 16384
SLOW_BYTES_PER_S = 60
"""Fewer come of instruments that speak once a second; those need more patience than a stream."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to listen, in seconds.

    Attributes:
        silent_s: a line that says nothing for so long is silent at every speed.
        each_s: at each speed, and for the two status frames of an idle kit device.
        slow_s: at 9600 baud while few bytes come: format 8 sends four bytes a second.
        look_s: between two looks at what was heard.
    """

    silent_s: float = 3.5
    each_s: float = 4.0
    slow_s: float = 12.0
    look_s: float = 0.5


@dataclass(frozen=True, slots=True)
class Listened:
    """What came of it.

    Attributes:
        recognition: who it is, or NOTHING.
        silent: not a byte came.
        problem: coded reason why the port could not be listened to, "" for none.
    """

    recognition: Recognition = NOTHING
    silent: bool = False
    problem: str = ""


async def listen(path: str, connect: Connect, hints: tuple[str, ...], patience: Patience) -> Listened:
    """Listen at one speed after the other until somebody is recognised; says nothing.

    A kit device that is heard is asked who it is: its frames allow it.

    Args:
        path: of the port.
        connect: opens links.
        hints: drivers that the adapter is known for; their speeds come first, and they settle look-alikes.
        patience: how long.
    """
    try:
        for place, setting in enumerate(settings_for(hints)):
            found, data = await _listen_at(path, connect, setting, patience)
            if found is not None and found.drivers == KIT:
                return Listened(await ask(path, connect, (KIT_QUESTION,)) or found)
            if found is not None:
                return Listened(narrowed(found, hints))
            if not data and not place:
                return Listened(silent=True)
            if looks_meant(data):
                break  # the right speed, and nobody known
    except LinkError as error:
        return Listened(problem=error.reason)
    return Listened()


async def _listen_at(
    path: str, connect: Connect, setting: LineSetting, patience: Patience
) -> tuple[Recognition | None, bytes]:
    heard = bytearray()
    async with _open(connect, f"serial:{path}?{setting.options}") as link:
        began = time.monotonic()
        while True:
            await _collect(link, heard, patience.look_s)
            data = bytes(heard[-HEARD_AT_MOST:])
            found = await asyncio.to_thread(recognise_stream, data, setting) if data else None
            waited_s = time.monotonic() - began
            if found is not None or waited_s >= _patience_s(setting, len(heard), waited_s, patience):
                return found, data


def _patience_s(setting: LineSetting, count: int, waited_s: float, patience: Patience) -> float:
    if not count:
        return patience.silent_s
    slow = setting == S9600 and count < SLOW_BYTES_PER_S * waited_s
    return patience.slow_s if slow else patience.each_s


async def ask(path: str, connect: Connect, questions: Iterable[Question]) -> Recognition | None:
    """Ask one harmless question after the other until one is understood.

    Raises:
        LinkError: the port cannot be opened, or went away.
    """
    for question in questions:
        heard = bytearray()
        async with _open(connect, f"serial:{path}?{question.setting.options}") as link:
            if question.settle_s:
                await _collect(link, bytearray(), question.settle_s)
            await link.send(question.words)
            until = time.monotonic() + question.patience_s
            while time.monotonic() < until:
                await _collect(link, heard, min(0.1, question.patience_s))
                found = question.understand(bytes(heard[-HEARD_AT_MOST:]))
                if found is not None:
                    return replace(found, options=question.setting.options)
    return None


@contextlib.asynccontextmanager
async def _open(connect: Connect, url: str) -> AsyncIterator[Link]:
    link = connect(url)
    try:
        await link.open()
        yield link
    finally:
        with contextlib.suppress(LinkError, OSError):
            await link.aclose()


async def _collect(link: Link, heard: bytearray, seconds: float) -> None:
    """Add what arrives within some seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                heard += (await link.receive()).data
