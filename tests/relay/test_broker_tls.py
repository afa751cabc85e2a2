"""The real brokers behind mutual TLS: box A is box A and nobody else, and a revoked box is gone.

One suite over the embedded broker, mosquitto and three nodes of RabbitMQ (the last by `make brokers`).
"""

import asyncio
import ssl

import pytest

from chevet.exchange.connection import BrokerAddress
from chevet.exchange.line import Acknowledged, Connected, Disconnected, Line
from chevet.exchange.tls import client_context
from chevet.relay.authority import CA_PUBLIC

from .broker_bench import PATIENCE_S, Client, guarded_by, running, shake, turned_away, when


@pytest.fixture(params=["iotcore", "mosquitto", "rabbitmq"], scope="module")
def guarded(request, tmp_path_factory):
    with guarded_by(request.param, tmp_path_factory.mktemp("guarded")) as found:
        yield found


async def test_each_box_speaks_and_hears_on_its_own_topics(guarded):
    relay, box = guarded.relay("t/1/+/u/a"), guarded.line("a", "t/1/a/d/r")
    async with running(relay, box):
        await relay.until(Connected)
        await box.until(Connected)
        await box.say("t/1/a/u/a", b"up")
        await relay.heard_payload(b"up")
        await relay.say("t/1/a/d/r", b"down")
        await box.heard_payload(b"down")
    assert (relay.payloads, box.payloads) == ([b"up"], [b"down"])


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_box_cannot_publish_as_another_nor_as_the_relay(guarded, protocol):
    if (guarded.engine, protocol) == ("iotcore", "3.1.1"):
        pytest.skip("the embedded broker speaks MQTT 5 alone")
    if (guarded.engine, protocol) == ("rabbitmq", "5"):
        pytest.skip("RabbitMQ 3.10 speaks MQTT 3.1.1 alone")
    relay, thief = guarded.relay("t/1/+/u/a"), guarded.line("a", protocol=protocol)
    victim = guarded.line("b", "t/1/b/d/r")
    async with running(relay, thief, victim):
        for one in (relay, thief, victim):
            await one.until(Connected)
        for topic in ("t/1/b/u/a", "t/1/b/d/r", "t/1/a/d/r", "elsewhere"):
            thief.line.publish(topic, b"forged")
            await thief.say("t/1/a/u/a", topic.encode())
            await relay.heard_payload(topic.encode())
        await relay.say("t/1/b/d/r", b"genuine")
        await victim.heard_payload(b"genuine")
    assert b"forged" not in relay.payloads + victim.payloads


async def test_a_box_cannot_read_what_is_for_another_or_comes_from_one(guarded):
    filters = ("t/1/b/d/r", "t/1/+/d/r", "t/1/b/#", "t/1/+/u/a", "#", "+/+/b/d/r", "$share/x/t/1/b/d/r")
    spies = [guarded.line("a", wanted, client_id=f"edge-a-{n}") for n, wanted in enumerate(filters)]
    relay, box = guarded.relay("t/1/+/u/a"), guarded.line("b", "t/1/b/d/r")
    async with running(relay, box):
        await relay.until(Connected)
        await box.until(Connected)
        for number, spy in enumerate(spies):
            async with running(spy):
                await asyncio.sleep(0.3)  # enough for a subscription that works; longer shows the same
                await relay.say("t/1/b/d/r", b"secret %d" % number)
                await box.heard_payload(b"secret %d" % number)
                await box.say("t/1/b/u/a", b"mine %d" % number)
                await relay.heard_payload(b"mine %d" % number)
    assert [spy.payloads for spy in spies] == [[]] * len(filters)


async def test_a_box_cannot_take_anothers_place(guarded):
    box = guarded.line("b", "t/1/b/d/r")
    thief = guarded.line("a", client_id="edge-b")
    other = guarded.line("a", client_id="chevet-relay-1")
    relay = guarded.relay("t/1/+/u/a")
    async with running(box, relay):
        await box.until(Connected)
        await relay.until(Connected)
        for one in (thief, other):
            async with running(one):
                await one.until(Connected)
                await one.say("t/1/a/u/a", b"here")
        await relay.heard_payload(b"here")
        await box.say("t/1/b/u/a", b"still here")
        await relay.heard_payload(b"still here")
        assert (box.count(Disconnected), relay.count(Disconnected)) == (0, 0)


async def test_a_last_will_may_not_speak_for_another(guarded):
    relay = guarded.relay("t/1/+/u/s")
    address = BrokerAddress("127.0.0.1", guarded.port, client_id="edge-a", tls=guarded.context("a"))
    thief = Client(Line(address, will=("t/1/b/u/s", b"forged"), jitter=lambda: 0.0))
    honest = Client(Line(address, will=("t/1/a/u/s", b"gone"), jitter=lambda: 0.0))
    async with running(relay):
        await relay.until(Connected)
        async with running(thief):
            await asyncio.sleep(0.5)
        async with running(honest):
            await honest.until(Connected)
        await relay.heard_payload(b"gone")
    assert b"forged" not in relay.payloads


def test_nobody_comes_in_without_a_certificate_of_the_programme(guarded):
    bare = ssl.create_default_context(cafile=guarded.folder / "keys" / CA_PUBLIC)
    stranger = client_context(guarded.folder / "keys" / CA_PUBLIC, guarded.folder / "stranger.pem")
    assert turned_away(guarded, bare)
    assert turned_away(guarded, stranger)
    assert not turned_away(guarded, guarded.context("b"))


def test_nothing_older_than_tls_1_3_is_spoken(guarded):
    old = ssl.create_default_context(cafile=guarded.folder / "keys" / CA_PUBLIC)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.load_cert_chain(guarded.folder / "a.pem")
    assert turned_away(guarded, old)


def test_a_box_believes_no_broker_of_another_programme_and_no_box_in_its_place(guarded):
    wrong = client_context(guarded.folder / "stranger" / CA_PUBLIC, guarded.folder / "a.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(guarded.port, wrong)
    posing = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    posing.load_cert_chain(guarded.folder / "b.pem")
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = guarded.context("a").wrap_bio(down, up, server_hostname="127.0.0.1")
    server = posing.wrap_bio(up, down, server_side=True)
    for side in (client, server):
        with pytest.raises(ssl.SSLWantReadError):
            side.do_handshake()
    with pytest.raises(ssl.SSLCertVerificationError, match=r"(?i)purpose"):
        client.do_handshake()


async def test_nothing_the_broker_took_is_lost_when_one_node_of_three_dies(guarded):
    if guarded.cluster is None:
        pytest.skip("one process is no cluster: what it held, the boxes send again")
    async with guarded.cluster.balancer() as port:
        box, worker = guarded.line("b", port=port), guarded.worker("taker", "t/1/+/u/b", port=port)
        async with running(box, worker):
            await worker.until(Connected)
            await box.until(Connected)
            tokens = {}
            for number in range(300):  # chunks of the exchange, more than are acknowledged by then
                payload = b"%d " % number + bytes(4000)
                tokens[box.line.publish("t/1/b/u/b", payload)] = payload
            await when(lambda: box.count(Acknowledged) > 20)
            guarded.cluster.kill("c1")
            for number in range(20):
                await box.say("t/1/b/u/b", b"after %d" % number)
            taken = {tokens[token] for token in box.acknowledged & tokens.keys()}
            taken |= {b"after %d" % number for number in range(20)}
            await when(lambda: taken <= set(worker.payloads))
    guarded.cluster.start("c1")
    await asyncio.to_thread(guarded.cluster.wait, "c1")
    assert len(taken) > 40
    assert worker.count(Disconnected) > 0


async def test_workers_share_the_boxes_and_what_one_leaves_waits_for_it(guarded):
    if guarded.cluster is None:
        pytest.skip("other brokers share by $share: tests/relay/test_two_workers.py")
    everybody = {b"%d" % n for n in range(40)}
    boxes, first, second = guarded.relay(), guarded.worker("relay-1"), guarded.worker("relay-2")

    async def all_say(words: bytes) -> None:
        for name in everybody:
            await boxes.say(f"t/1/{name.decode()}/u/p", words + name)

    def whose(worker: Client, words: bytes) -> set[bytes]:
        return {one.removeprefix(words) for one in worker.payloads if one.startswith(words)}

    async with running(boxes, second):
        await boxes.until(Connected)
        await second.until(Connected)
        async with running(first):
            await first.until(Connected)
            await all_say(b"one ")
            await when(lambda: whose(first, b"one ") | whose(second, b"one ") == everybody)
        await all_say(b"two ")
        mine = everybody - whose(second, b"one ")
        await when(lambda: whose(second, b"two ") == everybody - mine)
        again = guarded.worker("relay-1")
        async with running(again):
            await when(lambda: whose(again, b"two ") == mine)
    assert whose(first, b"one ") == mine
    assert 0 < len(mine) < len(everybody)


async def test_a_revoked_box_is_cut_off_at_once_and_the_others_go_on(guarded):
    box, other, relay = guarded.line("a"), guarded.line("b"), guarded.relay("t/1/+/u/a")
    async with running(box, other, relay):
        for one in (box, other, relay):
            await one.until(Connected)
        await asyncio.to_thread(guarded.revoke, "a")
        await box.until(Disconnected)
        async with asyncio.timeout(PATIENCE_S):
            while b"going on" not in relay.payloads:  # mosquitto began anew: one is back first
                await other.say("t/1/b/u/a", b"going on")
                await asyncio.sleep(0.1)
        assert await asyncio.to_thread(turned_away, guarded, guarded.context("a"))
        assert box.count(Connected) == 1
