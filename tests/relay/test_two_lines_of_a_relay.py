"""A relay's two lines to one broker, ingest and live, leave each other alone."""

import pytest

from chevet.exchange.line import Connected, Disconnected
from chevet.relay.ingest.worker import relay_line
from chevet.relay.live.room import live_line
from chevet.relay.settings import read_settings

from .broker_bench import Client, guarded_by, running


@pytest.mark.parametrize("engine", ["iotcore", "mosquitto"])
async def test_neither_line_of_a_relay_ends_the_other(engine, tmp_path):
    with guarded_by(engine, tmp_path) as guarded:
        settings = read_settings(guarded.folder / "relay.toml")
        ingest, live = Client(relay_line(settings)), Client(live_line(settings))
        box = guarded.line("a", client_id="edge-a")
        async with running(ingest, live, box):
            for one in (ingest, live, box):
                await one.until(Connected)
            for number in range(3):
                await box.say("t/1/a/u/a", b"study %d" % number)
                await box.say("t/1/a/u/l", b"frame %d" % number)
                await ingest.heard_payload(b"study %d" % number)
                await live.heard_payload(b"frame %d" % number)
                assert (ingest.count(Connected), live.count(Connected)) == (1, 1)
        assert {one.count(Disconnected) for one in (ingest, live)} <= {0, 1}  # at their own end alone
