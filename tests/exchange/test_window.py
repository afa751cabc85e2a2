"""The window learns what a link holds from nothing but acknowledgements."""

import pytest

from chevet.exchange.manifest import CHUNK
from chevet.exchange.window import CAP, FLOOR, START, Mark, Window


class Link:
    """A link of `rate` bytes/s that takes `delay_s` both ways together, with a queue that never overflows."""

    def __init__(self, rate: float, delay_s: float) -> None:
        self.window, self.rate, self.delay_s = Window(), rate, delay_s
        self.now = self.free_at = 0.0
        self.flying: list[tuple[float, Mark]] = []
        self.waits: list[float] = []

    def run(self, seconds: float, size: int = CHUNK) -> float:
        """Send all the time; return the share of the link that was used."""
        until, carried = self.now + seconds, 0
        while self.now < until:
            while self.window.room():
                self.free_at = max(self.free_at, self.now) + size / self.rate
                self.flying.append((self.free_at + self.delay_s, self.window.sent(size, self.now)))
            self.now, mark = self.flying.pop(0)
            self.waits.append(self.now - mark.at)
            self.window.acknowledged(mark, self.now)
            carried += size
        return carried / self.rate / seconds


@pytest.mark.parametrize(
    ("rate", "delay_s"), [(2000, 0.9), (4000, 0.8), (8000, 0.6), (32_000, 0.3), (64_000, 0.7)]
)
def test_the_window_fills_each_kind_of_link_and_hardly_queues(rate, delay_s):
    link = Link(rate, delay_s)
    link.run(30)
    link.waits.clear()
    assert link.run(60) > 0.97
    alone = delay_s + CHUNK / rate
    assert sorted(link.waits)[len(link.waits) // 2] < 2.0 * alone
    assert FLOOR <= link.window.size < 2.2 * rate * alone + FLOOR
    assert link.window.rate == pytest.approx(rate, rel=0.1)


def test_the_window_grows_on_a_quick_link_up_to_its_cap():
    link = Link(10_000_000, 0.5)
    link.run(60)
    assert link.window.size == CAP


def test_the_window_follows_a_link_that_becomes_another():
    link = Link(60_000, 0.2)
    link.run(30)
    wide = link.window.size
    link.rate, link.delay_s = 4000, 0.9
    link.run(300)
    assert link.window.size < wide
    assert link.run(100) > 0.8
    link.rate, link.delay_s = 60_000, 0.2
    link.run(200)
    assert link.run(60) > 0.9


def test_a_stall_behind_a_lost_packet_is_not_taken_for_a_slower_link():
    link = Link(8000, 0.6)
    link.run(60)
    before = link.window.size
    link.flying = [(at + 2.0, mark) for at, mark in link.flying]
    link.free_at += 2.0
    link.run(4)
    assert link.window.size >= 0.8 * before


def test_less_lies_on_a_line_that_loses_packets_until_it_loses_none():
    link = Link(32_000, 0.6)
    link.run(60)
    calm = link.window.size
    for _ in range(8):
        link.run(8)
        link.flying = [(at + 0.8, mark) for at, mark in link.flying]
        link.free_at += 0.8
    link.run(2)
    assert 0.8 * calm < link.window.size < 0.9 * calm
    link.run(120)
    assert link.window.size > 0.97 * calm


def test_a_cut_starts_the_window_anew():
    link = Link(64_000, 0.7)
    link.run(30)
    assert link.window.size > START
    link.window.cut()
    assert (link.window.size, link.window.under_way, link.window.rate) == (START, 0, 0.0)
    assert link.window.base_s is None


def test_small_messages_teach_the_window_nothing():
    window = Window()
    window.acknowledged(window.sent(100, 0.0), 0.01)
    assert (window.size, window.rate, window.base_s) == (START, 0.0, None)


def test_a_sender_with_little_to_send_does_not_take_the_link_for_slow():
    link = Link(32_000, 0.3)
    link.run(20)
    rate = link.window.rate
    while link.flying:
        link.now, mark = link.flying.pop(0)
        link.window.acknowledged(mark, link.now)
    for _ in range(30):  # one chunk now and then
        link.window.starved()
        mark = link.window.sent(CHUNK, link.now)
        link.now += 0.5
        link.window.acknowledged(mark, link.now)
        link.now += 5.0
    assert link.window.rate >= 0.9 * rate
