"""Several uplinks: how they are configured, examined and told, and what a costly one does not carry."""

import socket
from pathlib import Path

import pytest
from edge_fakes import Box
from test_edge_carry import waiting
from test_edge_uplink import relay_of, uplinked
from test_edge_uplink import until as soon

from chevet.edge import terminal_queue
from chevet.edge.doctor_road import look_at_road
from chevet.edge.errors import Refusal, SettingsError
from chevet.edge.settings import EdgeSettings, load_settings
from chevet.edge.ways import ways
from chevet.exchange.connection import BrokerAddress
from chevet.exchange.dial import Outlet
from chevet.exchange.line import Connected
from chevet.exchange.messages import Chunk, read

BASE = 'data_dir = "box"\nprogramme = "p.json"\n[broker]\nhost = "127.0.0.1"\n'
TWO = """
[[uplinks]]
name = "VSAT"
interface = "eth0"
[[uplinks]]
name = "4G"
source = "127.0.0.2"
port = 8884
bulk = false
"""


def configured(folder: Path, text: str) -> EdgeSettings:
    path = folder / "edge.toml"
    path.write_text(BASE + text)
    (folder / "box").mkdir(exist_ok=True)
    return load_settings(path)


def test_a_box_without_uplinks_leaves_the_way_to_the_system(tmp_path: Path) -> None:
    address = BrokerAddress("127.0.0.1", 1883)
    assert ways(configured(tmp_path, ""), address) is address


def test_uplinks_become_routes_in_the_order_of_the_file(tmp_path: Path) -> None:
    first, second = ways(configured(tmp_path, TWO), BrokerAddress("x", 1, client_id="edge-abc"))
    assert (first.name, first.bulk, first.address.outlet) == ("VSAT", True, Outlet(interface="eth0"))
    assert (first.address.host, first.address.port) == ("127.0.0.1", 1883)
    assert (second.name, second.bulk, second.address.outlet) == ("4G", False, Outlet(source="127.0.0.2"))
    assert second.address.port == 8884
    assert {first.address.client_id, second.address.client_id} == {"edge-abc"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[uplinks]]\nname = "a"\n[[uplinks]]\nname = "a"\n', "two uplinks have the same name"),
        ('[[uplinks]]\nname = "a"\nsource = "here"\n', "'uplinks.0.source"),
        ('[[uplinks]]\nname = "a"\ninterface = "et h0"\n', "'uplinks.0.interface'"),
        ('[[uplinks]]\nname = "a"\nmetered = true\n', "'uplinks.0.metered' is not a setting"),
    ],
)
def test_a_wrong_uplink_is_refused_with_the_place(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        configured(tmp_path, text)
    assert sentence in error.value.sentence


def test_an_uplink_to_another_broker_is_no_open_road_either(tmp_path: Path) -> None:
    settings = configured(tmp_path, '[[uplinks]]\nname = "4G"\nhost = "broker.example"\n')
    with pytest.raises(SettingsError, match="without TLS"):
        ways(settings, BrokerAddress("127.0.0.1"))


def test_the_doctor_looks_at_every_uplink_and_names_what_is_missing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        text = f"""port = {port}
[[uplinks]]
name = "VSAT"
interface = "lo"
[[uplinks]]
name = "4G"
interface = "nosuch0"
[[uplinks]]
name = "other"
source = "203.0.113.9"
"""
        found = {what: (told, remedy) for what, told, remedy in look_at_road(configured(tmp_path, text))}
    assert found["broker over VSAT"] == (f"127.0.0.1:{port} is reached", "")
    assert "there is no interface nosuch0" in found["broker over 4G"][1]
    assert "no address 203.0.113.9" in found["broker over other"][1]


def test_who_may_not_choose_an_interface_is_told_the_way_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("chevet.edge.doctor_road.dial", refuse)
    [(_, told, remedy)] = look_at_road(configured(tmp_path, '[[uplinks]]\nname = "a"\ninterface = "lo"\n'))
    assert "not reached" in told
    assert "`source` instead" in remedy


@pytest.mark.parametrize(
    ("uplink", "line"),
    [
        ({"state": "online", "route": "4G"}, "uplink: online over 4G"),
        ({"state": "online", "route": ""}, "uplink: online"),
        ({"state": "offline", "route": "4G"}, "uplink: offline, trying again"),
    ],
)
def test_the_queue_tells_which_uplink_the_running_agent_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uplink: dict[str, str], line: str
) -> None:
    settings = configured(tmp_path, TWO)
    assert "no agent is running" in terminal_queue.uplink_line(settings)
    monkeypatch.setattr(terminal_queue, "agent_runs", lambda _: True)
    monkeypatch.setattr(terminal_queue, "call_agent", lambda *_: {"uplink": uplink})
    assert terminal_queue.uplink_line(settings) == line


def test_an_agent_that_does_not_answer_is_no_fault_of_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_words: object) -> None:
        raise Refusal("agent_silent", "The agent is running, but does not answer.")

    monkeypatch.setattr(terminal_queue, "agent_runs", lambda _: True)
    monkeypatch.setattr(terminal_queue, "call_agent", silent)
    assert "does not answer" in terminal_queue.uplink_line(configured(tmp_path, ""))


async def test_over_a_costly_uplink_previews_go_and_bulk_waits(box: Box) -> None:
    waiting(box, bulk=50_000)
    async with uplinked(box) as (line, uplink, _):
        line.relay = relay_of(box)
        line.online = True
        line._events.put_nowait(Connected("4G", bulk=False))

        def lanes() -> set[str]:
            return {topic.rpartition("/")[2] for topic, _ in line.published}

        await soon(lambda: "p" in lanes() and not uplink.sender.window.under_way)
        assert box.bedside.status()["uplink"]["route"] == "4G"
        assert box.bedside.spool.pending()
        assert "b" not in lanes()
        line.cut()
        line.online = True
        line._events.put_nowait(Connected("VSAT"))
        await soon(lambda: not box.bedside.spool.pending())
        chunks = [read(payload) for topic, payload in line.published if topic.endswith("/b")]
        assert chunks
        assert all(isinstance(chunk, Chunk) for chunk in chunks)
        assert box.bedside.status()["uplink"]["route"] == "VSAT"
