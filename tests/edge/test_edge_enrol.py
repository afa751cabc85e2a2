"""Enrolment from the box: keys made here, a relay proved by the code, and no harm by a second time."""

import json
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509

from chevet.edge.at_rest import DataKey
from chevet.edge.box import BoxClock
from chevet.edge.cli import main
from chevet.edge.covered_files import bring_forward, uncovered
from chevet.edge.enrol import enrol, renew, split_code
from chevet.edge.enrolled import certificate, days_left, read_enrolled, road, tls_of
from chevet.edge.errors import SettingsError
from chevet.edge.keeper import Keeper
from chevet.edge.relay_call import NotReached, TurnedAway, ask_relay
from chevet.edge.settings import EdgeSettings
from chevet.edge.trust import read_programme, read_site
from chevet.exchange.enrolment import make_code
from chevet.exchange.keys import public_text
from chevet.exchange.tls import common_name
from chevet.relay.accounts.passwords import Cost
from chevet.relay.errors import RefusedError
from chevet.relay.keys import make_programme
from chevet.relay.relay import Relay, open_relay
from chevet.relay.settings import Settings

Answer = Callable[[bytes], bytes]
DAY = 24 * 3_600_000


class Road:
    """The relay behind real HTTP, with what may happen on the way; `answer` is changed by the test."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.answer: Answer = lambda data: relay.enrolment().answer(data)
        self.asked: list[bytes] = []
        road = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                road.asked.append(data)
                try:
                    status, body = 200, road.answer(data)
                except RefusedError as error:
                    words = {"error": {"code": error.code, "message": str(error), "field": None}}
                    status, body = error.status, json.dumps(words).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def code(self, name: str = "Anfgou", **more: object) -> str:
        made = make_code(self.relay.keys.relay.public_key(), os.urandom)
        self.relay.invites.add(made, name, hours=1, **more)  # type: ignore[arg-type]
        return str(made)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        self.relay.close()


def new_relay(folder: Path, **settings: object) -> Relay:
    make_programme(folder, "Programme Atlas")
    where = Settings(keys=folder / "keys", archive=folder / "archive", **settings)  # type: ignore[arg-type]
    return open_relay(where, cost=Cost(1, 8, 1))


@pytest.fixture
def relay_road(tmp_path: Path) -> Iterator[Road]:
    made = Road(new_relay(tmp_path / "relay", broker_tls=True, public_broker_host="mqtt.example"))
    yield made
    made.close()


@pytest.fixture
def box(tmp_path: Path) -> tuple[Path, Path]:
    """The box's data_dir and where its programme.json is kept."""
    (tmp_path / "box").mkdir()
    return tmp_path / "box" / "data", tmp_path / "box" / "programme.json"


def come_in(road: Road, box: tuple[Path, Path], text: str | None = None) -> None:
    url, code = split_code(road.url, text or road.code())
    enrol(*box, url, code)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_box_comes_in_with_keys_of_its_own_that_nobody_else_can_read(
    relay_road: Road, box: tuple[Path, Path]
) -> None:
    come_in(relay_road, box)
    data, programme = box
    site, trusted = read_site(data), read_programme(programme)
    known = relay_road.relay.sites.get("anfgou")
    assert known is not None
    assert known.verify_key == site.signer.public_key().public_bytes_raw()
    assert public_text(trusted.relay_key) == public_text(relay_road.relay.keys.relay.public_key())
    assert {one.name for one in trusted.recipients} == {"programme", "recovery"}
    assert common_name(certificate(data)) == "anfgou"
    for path in ("keys/sign.key", "keys/seal.key", "keys/tls.pem"):
        assert (data / path).stat().st_mode & 0o777 == 0o600
        assert b"PRIVATE KEY" in (data / path).read_bytes()
        assert (data / path).read_bytes()[30:80] not in b"".join(relay_road.asked)
    assert data.stat().st_mode & 0o777 == 0o700
    enrolled = read_enrolled(data)
    assert enrolled is not None
    assert (enrolled.url, enrolled.broker.host, enrolled.broker.tls) == (relay_road.url, "mqtt.example", True)


def test_running_it_again_changes_no_key_and_takes_the_newer_certificate(
    relay_road: Road, box: tuple[Path, Path]
) -> None:
    text = relay_road.code()
    come_in(relay_road, box, text)
    before = files(box[0])
    come_in(relay_road, box, text)
    after = files(box[0])
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"keys/tls.pem", "clock.floor"}
    assert "keys/tls.pem" in changed
    assert set(before) == set(after)


def test_an_answer_lost_on_the_way_is_made_good_by_the_second_try(
    relay_road: Road, box: tuple[Path, Path]
) -> None:
    text, honest = relay_road.code(), relay_road.answer

    def lost(data: bytes) -> bytes:
        honest(data)
        return b""

    relay_road.answer = lost
    with pytest.raises(SettingsError, match="not genuine"):
        come_in(relay_road, box, text)
    relay_road.answer = honest
    come_in(relay_road, box, text)
    assert read_site(box[0]).code == "anfgou"


def test_another_relay_in_between_is_refused_and_nothing_is_changed(
    relay_road: Road, box: tuple[Path, Path], tmp_path: Path
) -> None:
    text, url = relay_road.code(), relay_road.url
    evil = Road(new_relay(tmp_path / "evil"))
    try:
        # the thief opens its door to whatever is proved or not
        evil.relay.invites.find = lambda _: None  # type: ignore[assignment, method-assign]

        def posing(data: bytes) -> bytes:
            ask = json.loads(json.loads(data)["body"])
            enrolment = evil.relay.enrolment()
            enrolment._by_code = lambda *_: evil.relay.sites.add(site_file(ask))  # type: ignore[method-assign]
            return enrolment.answer(data)

        relay_road.answer = posing
        with pytest.raises(SettingsError, match="not the relay that gave this code out"):
            enrol(*box, *split_code(url, text))
    finally:
        evil.close()
    assert set(files(box[0])) == {"keys/sign.key", "keys/seal.key"}
    assert not box[1].exists()


def site_file(ask: dict[str, str]) -> object:
    from chevet.relay.keys import SiteFile

    keys = {"verify_key": ask["verify_key"], "seal_key": ask["seal_key"]}
    return SiteFile(v=1, site="anfgou", name="Anfgou", phone="", **keys)


def test_a_changed_answer_is_refused(relay_road: Road, box: tuple[Path, Path]) -> None:
    honest = relay_road.answer
    relay_road.answer = lambda data: honest(data).replace(b"mqtt.example", b"evil.example")
    with pytest.raises(SettingsError, match="not genuine"):
        come_in(relay_road, box)
    assert not (box[0] / "site.json").exists()


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("http://relay.example", "", "mistyped"),
        ("http://relay.example", "NCTQ-2CHW", "mistyped"),
        ("http://relay.example#NCTQ", "", "mistyped"),
    ],
)
def test_a_mistyped_code_is_told_before_anything_is_asked(url: str, code: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        split_code(url, code)


@pytest.mark.parametrize(
    "url", ["relay.example", "ftp://relay.example", "file:///etc/passwd", "http://", "http://a:b"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="no address of a relay"):
        ask_relay(url, b"")


def test_the_qr_codes_text_alone_is_enough(relay_road: Road) -> None:
    text = relay_road.code()
    assert split_code(f"{relay_road.url}/#{text}", "") == split_code(relay_road.url, text)


def test_a_relay_that_is_away_or_refuses_is_told_with_the_remedy(
    relay_road: Road, box: tuple[Path, Path]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotReached, match="check the address"):
        ask_relay(f"http://127.0.0.1:{port}", b"{}")
    text = relay_road.code()
    come_in(relay_road, box, text)
    other = (box[0].parent / "second", box[0].parent / "second.json")
    with pytest.raises(TurnedAway, match=r"used by another box; `chevet-relay site add` makes a new one"):
        come_in(relay_road, other, text)
    relay_road.answer = lambda _: b"<html>"
    with pytest.raises(SettingsError, match="not genuine"):
        come_in(relay_road, box, text)


def test_something_that_is_no_relay_is_told_as_such(relay_road: Road) -> None:
    def refuse(_: bytes) -> bytes:
        raise RefusedError(404, "x", "\x1b[2J")

    relay_road.answer = refuse
    with pytest.raises(TurnedAway, match=r"\[2J") as told:
        ask_relay(relay_road.url, b"{}")
    assert "\x1b" not in told.value.sentence


def test_a_box_stays_the_site_it_is(relay_road: Road, box: tuple[Path, Path], tmp_path: Path) -> None:
    come_in(relay_road, box)
    with pytest.raises(SettingsError, match=r"This box is site 'anfgou'.*--code anfgou"):
        come_in(relay_road, box, relay_road.code("Ifri"))
    other = Road(new_relay(tmp_path / "other"))
    try:
        with pytest.raises(SettingsError, match="of another programme"):
            come_in(other, box, other.code())
    finally:
        other.close()
    assert read_site(box[0]).code == "anfgou"


def test_a_box_of_the_trust_files_keeps_its_keys_when_it_enrols(
    relay_road: Road, box: tuple[Path, Path]
) -> None:
    shutil.copy(relay_road.relay.settings.keys.parent / "programme.json", box[1])
    config = box[0].parent / "edge.toml"
    config.write_text(f'data_dir = "{box[0]}"\nprogramme = "{box[1]}"\n')
    words = [
        "init",
        "--site",
        "anfgou",
        "--name",
        "Anfgou",
        "--programme",
        str(box[1]),
        "--config",
        str(config),
    ]
    assert main(words) == 0
    before = files(box[0])
    assert main(["enrol", relay_road.url, relay_road.code(site="anfgou"), "--config", str(config)]) == 0
    after = files(box[0])
    assert {name: after[name] for name in before} == before
    assert common_name(certificate(box[0])) == "anfgou"


def test_the_command_writes_a_first_configuration_and_names_what_comes_next(
    relay_road: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["enrol", relay_road.url, relay_road.code()]) == 0
    told = capsys.readouterr().out
    assert "site anfgou (Anfgou) of Programme Atlas" in told
    assert "mqtt.example:1883, mutual TLS 1.3" in told
    assert 'site = "anfgou"' in (tmp_path / "edge.toml").read_text()
    assert main(["enrol", relay_road.url, "oops"]) == 1
    assert "mistyped" in capsys.readouterr().err


class TurnedClock(BoxClock):
    """A clock that only the test moves."""

    ms = 0

    def now_ms(self) -> int:
        return self.ms

    def quality(self) -> str:
        return "synchronised"


def keeper(box: tuple[Path, Path]) -> tuple[Keeper, TurnedClock]:
    clock = TurnedClock()
    clock.ms = int(certificate(box[0]).not_valid_before_utc.timestamp() * 1000) + 2 * DAY
    return Keeper(*box, read_programme(box[1]), clock), clock


def test_the_keeper_renews_in_good_time_and_not_before(relay_road: Road, box: tuple[Path, Path]) -> None:
    come_in(relay_road, box)
    kept, clock = keeper(box)
    first = certificate(box[0])
    assert kept.refresh()
    assert certificate(box[0]) == first
    clock.ms += 260 * DAY
    assert kept.refresh()
    second = certificate(box[0])
    assert second.serial_number != first.serial_number
    assert second.public_key() != first.public_key()
    assert days_left(second, clock.ms) < 366


def test_a_box_under_a_lock_renews_and_its_new_key_never_lies_in_the_clear(
    relay_road: Road, box: tuple[Path, Path]
) -> None:
    come_in(relay_road, box)
    key = DataKey(bytes(range(32)), "ab" * 16)
    bring_forward(box[0], key)
    _, clock = keeper(box)
    clock.ms += 260 * DAY
    first = certificate(box[0])
    assert not Keeper(*box, read_programme(box[1]), clock).refresh(), "without the key it cannot even sign"
    assert Keeper(*box, read_programme(box[1]), clock, key=key).refresh()
    assert certificate(box[0]).serial_number != first.serial_number
    assert list(uncovered(box[0])) == []
    assert b"ENCRYPTED PRIVATE KEY" in (box[0] / "keys/tls.pem").read_bytes()
    shown = tls_of(box[0], BoxClock(), key)()
    assert shown.verify_mode == ssl.CERT_REQUIRED


def test_the_keeper_bears_with_a_relay_that_is_away_or_refuses(
    relay_road: Road, box: tuple[Path, Path]
) -> None:
    come_in(relay_road, box)
    kept, _ = keeper(box)
    before = files(box[0])
    relay_road.relay.sites.revoke("anfgou")
    assert not kept.refresh()
    relay_road.answer = lambda _: b""
    assert not kept.refresh()
    relay_road.server.server_close()
    assert not kept.refresh()
    assert files(box[0]) == before


def test_the_keeper_has_nothing_to_do_for_a_box_of_the_trust_files(
    relay_road: Road, box: tuple[Path, Path]
) -> None:
    come_in(relay_road, box)
    kept, _ = keeper(box)
    (box[0] / "enrolled.json").unlink()
    assert kept.refresh()
    assert len(relay_road.asked) == 1
    with pytest.raises(SettingsError, match="not enrolled"):
        renew(*box, read_programme(box[1]).relay_key)


def test_a_missing_certificate_is_fetched_anew(relay_road: Road, box: tuple[Path, Path]) -> None:
    come_in(relay_road, box)
    kept, _ = keeper(box)
    (box[0] / "keys/tls.pem").unlink()
    assert kept.refresh()
    assert isinstance(certificate(box[0]), x509.Certificate)


def settings_of(box: tuple[Path, Path], **broker: object) -> EdgeSettings:
    return EdgeSettings(data_dir=box[0], programme=box[1], broker=broker)  # type: ignore[arg-type]


def test_the_broker_is_where_the_settings_say_else_where_enrolment_said(
    relay_road: Road, box: tuple[Path, Path]
) -> None:
    assert (road(settings_of(box)).host, road(settings_of(box)).port) == ("127.0.0.1", 1883)
    come_in(relay_road, box)
    assert road(settings_of(box)).host == "mqtt.example"
    assert road(settings_of(box)).tls
    own = road(settings_of(box, host="127.0.0.1", port=7, tls=False))
    assert (own.host, own.port, own.tls) == ("127.0.0.1", 7, False)
    (box[0] / "enrolled.json").write_text("{}")
    with pytest.raises(SettingsError, match="run `chevet-edge enrol` again"):
        road(settings_of(box))


def test_no_open_road_leads_through_a_network_unless_it_is_said(box: tuple[Path, Path]) -> None:
    with pytest.raises(SettingsError, match=r"without TLS.*broker\.open_network"):
        road(settings_of(box, host="mqtt.example"))
    assert not road(settings_of(box, host="mqtt.example", open_network=True)).tls
