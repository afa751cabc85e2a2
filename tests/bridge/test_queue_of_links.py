import asyncio
import threading

import pytest
from waiting import until

from chevet.bridge.base import QueuedLink, open_in_thread
from chevet.bridge.errors import LinkError, LinkLost, LinkUnavailable


class FakeLink(QueuedLink):
    """A link that tells how often it was opened and closed, and can refuse."""

    def __init__(self, capacity=3, refuse=0):
        super().__init__("fake:1", iter(range(1000)).__next__, capacity)
        self.opened = self.closed = 0
        self.refuse = refuse

    async def _connect(self):
        await asyncio.sleep(0)
        if self.refuse:
            self.refuse -= 1
            raise LinkUnavailable(self.url, "busy")
        self.opened += 1

    async def _disconnect(self):
        self.closed += 1

    async def send(self, data):
        await self.open()


async def test_the_first_receive_or_send_opens_and_only_once():
    link = FakeLink()
    waiting = asyncio.create_task(link.receive())
    await asyncio.gather(link.send(b"x"), link.send(b"y"), link.open())
    link._put(b"hello")
    assert (await waiting).data == b"hello"
    assert link.opened == 1


async def test_a_slow_receiver_loses_the_oldest_and_they_are_counted():
    link = FakeLink(capacity=3)
    await link.open()
    for number in range(10):
        link._put(bytes([number]))
    assert [(await link.receive()).data[0] for _ in range(3)] == [7, 8, 9]
    assert link.dropped == 7


async def test_what_had_arrived_is_received_before_the_loss():
    link = FakeLink()
    await link.open()
    link._put(b"last")
    link._lose("unplugged")
    assert (await link.receive()).data == b"last"
    for _ in range(2):
        with pytest.raises(LinkLost) as lost:
            await link.receive()
        assert (lost.value.reason, lost.value.url) == ("unplugged", "fake:1")


async def test_closing_ends_a_waiting_receive():
    link = FakeLink()
    waiting = asyncio.create_task(link.receive())
    await until(lambda: link.opened)
    await link.aclose()
    with pytest.raises(LinkLost) as lost:
        await waiting
    assert lost.value.reason == "closed"
    await link.aclose()
    assert link.closed == 1
    with pytest.raises(LinkLost):
        await link.open()


async def test_opening_may_be_tried_again():
    link = FakeLink(refuse=1)
    with pytest.raises(LinkUnavailable):
        await link.receive()
    await link.open()
    assert link.opened == 1


async def test_closing_a_link_that_never_opened_touches_nothing():
    link = FakeLink()
    await link.aclose()
    assert link.closed == 0


def test_errors_name_the_remedy():
    assert "group dialout" in str(LinkUnavailable("serial:/dev/x", "no_permission"))
    assert "odd_reason" in str(LinkError("x:", "odd_reason"))


@pytest.mark.parametrize("fails", [False, True])
async def test_what_is_opened_after_a_cancel_is_closed_again(fails):
    may_go_on, began, closed = threading.Event(), threading.Event(), []

    def open_slowly():
        began.set()
        may_go_on.wait(60)
        if fails:
            raise LinkUnavailable("fake:1", "busy")
        return "port"

    opening = asyncio.create_task(open_in_thread(open_slowly, closed.append))
    await until(began.is_set)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    in_the_thread = asyncio.all_tasks() - {asyncio.current_task()}
    may_go_on.set()
    await asyncio.wait(in_the_thread)
    assert closed == ([] if fails else ["port"])
