"""What is written for a RabbitMQ cluster: whom it lets in, and to what. It is run by `make brokers`."""

import json
import re
import stat
from contextlib import closing
from datetime import UTC, datetime

import pytest

from chevet.exchange.tls import new_tls_key, request
from chevet.relay import cli
from chevet.relay.accounts.passwords import Cost
from chevet.relay.authority import moment, name_at_broker, open_authority
from chevet.relay.commands.broker_rabbitmq import definitions, issuer_hash
from chevet.relay.ingest.worker import relay_line
from chevet.relay.keys import make_programme
from chevet.relay.relay import open_relay, unix_ms
from chevet.relay.settings import Settings, read_settings

from .conftest import Site


@pytest.fixture
def programme(tmp_path):
    """Two sites, of which b is revoked."""
    make_programme(tmp_path, "Programme Test")
    (tmp_path / "relay.toml").write_text("broker_tls = true\nbroker_port = 8883\n")
    relay = open_relay(read_settings(tmp_path / "relay.toml"), cost=Cost(1, 8, 1))
    with closing(relay):
        for code in ("a", "b"):
            relay.sites.add(Site(code, []).file())
            shown = relay.authority().certify_box(request(new_tls_key()), code, moment(unix_ms()))
            relay.certificates.add(code, shown)
        relay.sites.revoke("b")
        relay.write_revoked()
    return tmp_path


def written(programme, *more):
    words = ["broker", "--config", str(programme / "relay.toml"), "--engine", "rabbitmq"]
    return cli.main([*words, "--write", str(programme / "out"), *more]), programme / "out"


def test_the_files_let_active_sites_in_by_certificate_alone(programme):
    code, out = written(programme, "--installed", "/etc/rabbitmq/chevet")
    assert code == 0
    told = json.loads((out / "definitions.json").read_text())
    assert [user["name"] for user in told["users"]] == ["chevet-relay", "chevet-relay-live", "a"]
    assert {user["password_hash"] for user in told["users"]} == {""}
    assert not {"queues", "exchanges", "bindings"} & told.keys()
    conf, advanced = (out / "rabbitmq.conf").read_text(), (out / "advanced.config").read_text()
    assert "mqtt.listeners.ssl.default = 8883\n" in conf
    assert "mqtt.listeners.tcp = none\n" in conf
    assert '{certfile, "/etc/rabbitmq/chevet/broker.pem"}' in advanced
    assert "{versions, ['tlsv1.3']}" in advanced
    assert "{crl_check, peer}" in advanced
    assert stat.S_IMODE((out / "broker.pem").stat().st_mode) == 0o600


def test_a_revoked_site_is_on_the_list_the_nodes_look_for_and_ended_by_what_is_run(programme):
    _, out = written(programme)
    authority = open_authority(programme / "keys", "Programme Test", datetime.now(UTC))
    listed = out / "crl" / f"{issuer_hash(authority.certificate)}.r0"
    assert listed.read_bytes() == (programme / "keys" / "crl.pem").read_bytes()
    script = (out / "apply.sh").read_text()
    assert f'import_definitions "{out}/definitions.json"' in script
    assert "delete_user b" in script
    assert "delete_user a" not in script
    assert (out / "apply.sh").stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize(
    ("programme_name", "openssl"),
    [("Programme Test", "ea7c4897"), ("Programme Santé ÉTÉ", "38fcb4a3"), ("برنامج  القلب", "3c313eaf")],
)
def test_the_lists_name_is_what_openssl_makes_of_the_issuer(tmp_path, programme_name, openssl):
    """`openssl crl -hash -noout -in crl.pem`, and Erlang's public_key:short_name_hash, on these names."""
    authority = open_authority(tmp_path, programme_name, datetime.now(UTC))
    assert issuer_hash(authority.certificate) == openssl


def rights(user):
    told = definitions(["a", "ab"], ["chevet-relay-1"])
    topics = next(one for one in told["topic_permissions"] if one["user"] == user)
    queues = next(one for one in told["permissions"] if one["user"] == user)
    return topics, queues


@pytest.mark.parametrize(
    ("topic", "writes", "reads"),
    [
        ("t.1.a.u.b", True, False),
        ("t.1.a.d.r", False, True),
        ("t.1.ab.u.b", False, False),
        ("t.1.ab.d.r", False, False),
        ("t.1.*.d.r", False, False),
        ("t.1.a.#", False, False),
        ("#", False, False),
        ("x.t.1.a.d.r", False, False),
        ("$share.x.t.1.a.d.r", False, False),
    ],
)
def test_a_box_writes_up_and_reads_down_on_its_own_topics_alone(topic, writes, reads):
    told, _ = rights("a")
    relays, _ = rights("chevet-relay")
    assert bool(re.search(told["write"], topic)) == writes
    assert bool(re.search(told["read"], topic)) == reads
    assert bool(re.search(relays["read"], topic)) == topic.startswith("t.1.")


def test_a_box_has_its_own_queues_and_no_other():
    _, told = rights("a")
    _, relays = rights("chevet-relay")
    box, other, relay = (
        f"mqtt-subscription-{who}qos1" for who in ("edge-a-0f3d", "edge-ab-0f3d", "chevet-x")
    )
    for right in ("configure", "write", "read"):
        assert re.search(told[right], box)
        assert not re.search(told[right], other)
        assert not re.search(told[right], relay)
        assert re.search(relays[right], relay)
        assert not re.search(relays[right], box)
    assert re.search(told["read"], "amq.topic")
    assert not re.search(told["configure"], "amq.topic")
    assert not re.search(told["write"], "amq.fanout")


def test_several_workers_each_have_a_queue_that_the_cluster_deals_to(programme):
    _, out = written(programme, "--worker", "one", "--worker", "two")
    told = json.loads((out / "definitions.json").read_text())
    settings = read_settings(programme / "relay.toml")
    names = {f"mqtt-subscription-{name_at_broker(settings, worker)}qos1" for worker in ("one", "two")}
    assert {queue["name"] for queue in told["queues"]} == names
    assert {queue["arguments"]["x-queue-type"] for queue in told["queues"]} == {"quorum"}
    dealt = [one for one in told["bindings"] if one["destination_type"] == "queue"]
    lanes = [one["routing_key"] for one in told["bindings"] if one["destination_type"] == "exchange"]
    assert {one["destination"] for one in dealt} == names
    assert lanes == ["t.1.*.u.a", "t.1.*.u.p", "t.1.*.u.b"]
    assert "rabbitmq_consistent_hash_exchange" in (out / "enabled_plugins").read_text()


def test_a_worker_that_is_dealt_to_asks_for_no_topic(programme):
    with (programme / "relay.toml").open("a") as file:
        file.write("broker_deals = true\n")
    dealt = relay_line(read_settings(programme / "relay.toml"))
    usual = relay_line(Settings(keys=programme / "keys"))
    assert dealt._subscriptions == ()
    assert len(usual._subscriptions) == 3


def test_a_workers_name_is_the_same_every_time_and_not_to_be_guessed(programme):
    settings = read_settings(programme / "relay.toml")
    name = name_at_broker(settings, "relay-1")
    assert name == name_at_broker(settings, "relay-1")
    assert re.fullmatch(r"chevet-relay-1-[0-9a-f]{12}", name)
    assert name_at_broker(settings, "relay-2").removeprefix("chevet-relay-2") not in name
    assert name_at_broker(Settings(keys=programme / "keys"), "relay-1") == "chevet-relay-1"


def test_what_is_missing_is_said_with_its_remedy(programme, capsys):
    config = ["--config", str(programme / "relay.toml")]
    assert cli.main(["broker", *config, "--engine", "rabbitmq"]) != 0
    assert "say --write DIR" in capsys.readouterr().err
    assert cli.main(["broker", "--engine", "rabbitmq"]) != 0
    assert "broker_tls = true" in capsys.readouterr().err
    (programme / "file").write_text("")
    out = str(programme / "file")
    assert cli.main(["broker", *config, "--engine", "rabbitmq", "--write", out]) != 0
    assert "Cannot write in" in capsys.readouterr().err
