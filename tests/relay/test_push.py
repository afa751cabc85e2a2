"""Alerts to browsers: only the browser reads them, the service knows who sends, nobody learns of a case."""

import json
import stat
import threading
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from chevet.relay.archive import alerts, browsers, duty
from chevet.relay.duty.ladder import EMAIL, PUSH, WEBHOOK, Means, Step, Way, ways_to
from chevet.relay.duty.post import NotSent, Webhook
from chevet.relay.duty.watch import Ways, make_round, ways_of
from chevet.relay.duty.web_push import (
    PLAIN,
    POINT,
    RECORD,
    Gone,
    Push,
    Subscription,
    point_of,
    push_of,
    sealed,
)
from chevet.relay.duty.words import LINES, Told, notice, trial
from chevet.relay.errors import SettingsError
from chevet.relay.settings import Settings

from .conftest import NOON, SECRET_NAME, code
from .push_here import BrowserEnd, claims_of, push_service, raw, text

MINUTE = 60_000
CONTACT = "mailto:ops@programme.example"
NOW_S = NOON // 1000

# RFC 8291, appendix A
VECTOR = {
    "words": b"When I grow up, I want to be a watermelon",
    "sender": raw("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
    "browser": raw("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"),
    "point": raw("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
    "salt": raw("DGv6ra1nlYgDCS1FRnbzlw"),
    "auth": raw("BTBZMqHH6r4Tts7J_aSIgg"),
    "body": raw(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    ),
}


def private(number: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(number, "big"), ec.SECP256R1())


@pytest.fixture
def service():
    with push_service() as found:
        yield found


@pytest.fixture
def push():
    return Push(ec.generate_private_key(ec.SECP256R1()), CONTACT, ("127.0.0.1",))


def test_the_example_of_the_standard_comes_out_byte_by_byte_and_opens():
    to = Subscription("https://push.example/x", VECTOR["point"], VECTOR["auth"])
    words = VECTOR["words"]
    body = sealed(words, to, private(VECTOR["sender"]), VECTOR["salt"], length=len(words) + 1)
    assert body == VECTOR["body"]
    browser = BrowserEnd(private(VECTOR["browser"]), VECTOR["auth"])
    assert browser.point == VECTOR["point"]
    assert browser.open(VECTOR["body"]) == words


@given(st.binary(max_size=PLAIN - 1))
def test_only_the_browser_opens_an_alert_and_all_are_of_one_length(words):
    browser, once = BrowserEnd(), ec.generate_private_key(ec.SECP256R1())
    to = Subscription("https://push.example/x", browser.point, browser.auth)
    body = sealed(words, to, once, bytes(16))
    assert browser.open(body) == words
    assert len(body) == 16 + 4 + 1 + POINT + PLAIN + 16 <= RECORD
    with pytest.raises(InvalidTag):
        BrowserEnd(auth=browser.auth).open(body)


def test_an_alert_that_would_be_longer_than_others_is_refused():
    browser = BrowserEnd()
    to = Subscription("https://push.example/x", browser.point, browser.auth)
    with pytest.raises(ValueError, match="padded"):
        sealed(bytes(PLAIN), to, ec.generate_private_key(ec.SECP256R1()), bytes(16))
    longest = max(
        len(notice(Told("c", rung, rank, 0, simulated=True), language, 2**50))
        for language in LINES
        for rung in ("0", "asked", "late", "invited", "soon")
        for rank in range(3)
    )
    assert max(longest, *(len(trial(language)) for language in LINES)) < PLAIN


def test_a_push_service_sees_who_sends_and_a_body_it_cannot_read(service, push):
    browser = BrowserEnd()
    to = Subscription(f"{service.origin}/one", browser.point, browser.auth)
    push.send(to, b"words", 0, NOW_S)
    ((path, headers, body),) = service.taken
    claims, sender = claims_of(headers["authorization"], service.origin, NOW_S)
    assert (path, claims["sub"], sender) == ("/one", CONTACT, point_of(push.key))
    assert text(sender) == push.public
    assert (headers["content-encoding"], headers["urgency"], headers["ttl"]) == ("aes128gcm", "high", "14400")
    assert browser.open(body) == b"words"
    push.send(to, b"words", 2, NOW_S)
    assert service.taken[1][1]["urgency"] == "normal"
    assert service.taken[1][2] != body, "each under keys of its own"


@pytest.mark.parametrize(("status", "outcome"), [(404, Gone), (410, Gone), (503, NotSent), (307, NotSent)])
def test_what_a_service_refuses_is_an_outcome_and_nothing_is_sent_elsewhere(service, push, status, outcome):
    browser = BrowserEnd()
    service.answers["/one"] = status
    with pytest.raises(outcome) as refused:
        push.send(Subscription(f"{service.origin}/one", browser.point, browser.auth), b"words", 1, NOW_S)
    assert service.taken == []
    assert outcome is Gone or str(refused.value) == f"status_{status}"


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/x",
        "http://fcm.googleapis.com/x",
        "https://user@fcm.googleapis.com/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://127.0.0.1/x",
        "file:///etc/passwd",
        "https://[",
        "",
    ],
)
def test_the_relay_calls_known_push_services_only_and_by_tls(endpoint):
    push = Push(ec.generate_private_key(ec.SECP256R1()), CONTACT, Settings().push_hosts)
    assert not push.takes(endpoint)
    with pytest.raises(Gone):
        push.send(Subscription(endpoint, b"", b""), b"", 0, 0)
    for good in (
        "https://fcm.googleapis.com/fcm/send/a",
        "https://updates.push.services.mozilla.com/wpush/v2/a",
    ):
        assert push.takes(good)


def test_a_service_that_is_away_is_tried_again_later(push):
    nobody = Subscription("http://127.0.0.1:9/x", BrowserEnd().point, bytes(16))
    with pytest.raises(NotSent, match="unreachable"):
        push.send(nobody, b"words", 0, NOW_S)


def test_the_key_is_made_at_the_first_start_for_its_owner_alone_and_stays(tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    assert push_of(Settings(keys=keys)) is None
    settings = Settings(keys=keys, push_contact="ops@programme.example")
    assert settings.push_contact == CONTACT
    first = ways_of(settings).push
    assert stat.S_IMODE((keys / "push.key").stat().st_mode) == 0o600
    assert push_of(settings).public == first.public
    assert len(raw(first.public)) == POINT
    (keys / "push.key").write_text("damaged")
    with pytest.raises(SettingsError, match="no key for push"):
        push_of(settings)
    with pytest.raises(SettingsError, match="Cannot make"):
        push_of(Settings(keys=tmp_path / "nowhere", push_contact=CONTACT))
    with pytest.raises(ValueError, match="e-mail address or an https address"):
        Settings(push_contact="somebody")


STEP = Step("c", "0", 0, ("both", "browser", "mail", "none"), ("last@programme.example",))


def test_a_push_goes_first_and_whoever_has_no_browser_gets_the_mail_at_once():
    means = Means(
        browsers=frozenset({"both", "browser"}),
        addressed=frozenset({"both", "mail"}),
        mail=True,
        webhook=True,
        lead_ms=MINUTE,
    )
    assert ways_to(STEP, means) == [
        Way(PUSH, "both"),
        Way(PUSH, "browser"),
        Way(EMAIL, "both", MINUTE),
        Way(EMAIL, "mail"),
        Way(EMAIL, "last@programme.example"),
        Way(WEBHOOK, "both browser mail none"),
    ]
    assert ways_to(STEP, replace(means, mail=False, webhook=False)) == [
        Way(PUSH, "both"),
        Way(PUSH, "browser"),
    ]
    nobody = replace(means, browsers=frozenset())
    assert [way.after_ms for way in ways_to(STEP, nobody)] == [0, 0, 0, 0]
    assert ways_to(STEP, Means()) == []


class Letters:
    """Takes mails."""

    def __init__(self):
        self.taken = []

    def send(self, to, subject, _text):
        self.taken.append(to)


def listening(world, service, ident, path, browser=None):
    """Let one more browser of somebody take alerts; return its end."""
    browser = browser or BrowserEnd()
    with world.relay.database.write() as connection:
        to = Subscription(service.origin + path, browser.point, browser.auth)
        assert browsers.listen(connection, ident, to, "Firefox", NOON)
        duty.set_address(connection, ident, f"{ident}@programme.example")
    return browser


def states(world):
    with world.relay.database.read() as connection:
        return alerts.by_state(connection)


def test_an_unread_case_reaches_every_browser_of_who_is_asked_and_says_nothing_of_it(
    world, sent, service, push
):
    study, letters = sent(urgency="emergency", recordings=()), Letters()
    world.user()
    one, two = (listening(world, service, "dr", path) for path in ("/one", "/two"))
    ways = Ways(letters, None, push)
    assert make_round(world.relay, ways) == 1
    assert letters.taken == [], "the mail waits for its lead"
    assert [path for path, _, _ in service.taken] == ["/one", "/two"]
    said = [
        json.loads(browser.open(body))
        for browser, (_, _, body) in zip((one, two), service.taken, strict=True)
    ]
    assert said[0] == said[1]
    assert (said[0]["lang"], said[0]["dir"], said[0]["urgent"]) == ("fr", "ltr", True)
    assert said[0]["title"] == "Chevet. Urgence : un cas attend"
    for secret in (study.id, "Seeded", SECRET_NAME, "cardiology", "chest", "abc", "Centre"):
        assert secret not in str(said)
    world.relay.cases.open(study.id, world.user("other"))
    world.clock.ms += 2 * MINUTE
    assert make_round(world.relay, ways) == 0
    assert letters.taken == [], "it was opened: the mail is needless"
    assert states(world) == {"sent": 1, "needless": 1}


def test_a_case_that_stays_unread_after_the_push_is_told_by_mail_too(world, sent, service, push):
    sent(urgency="emergency", recordings=())
    world.user()
    listening(world, service, "dr", "/one")
    letters = Letters()
    assert make_round(world.relay, Ways(letters, None, push)) == 1
    world.clock.ms += MINUTE
    assert make_round(world.relay, Ways(letters, None, push)) == 1
    assert letters.taken == ["dr@programme.example"]


def test_a_browser_that_is_gone_is_forgotten_and_the_mail_goes_at_once(world, sent, service, push):
    sent(urgency="emergency", recordings=())
    world.user()
    listening(world, service, "dr", "/gone")
    service.answers["/gone"] = 410
    letters = Letters()
    ways = Ways(letters, None, push)
    assert make_round(world.relay, ways) == 0
    assert make_round(world.relay, ways) == 1
    assert letters.taken == ["dr@programme.example"]
    with world.relay.database.read() as connection:
        assert browsers.listeners(connection, "dr") == []
        assert alerts.failed(connection) == []


def test_where_nothing_follows_a_lost_browser_the_coordinator_sees_it(world, sent, service, push):
    sent(urgency="emergency", recordings=())
    world.user()
    listening(world, service, "dr", "/gone")
    service.answers["/gone"] = 404
    ways = Ways(None, Webhook(f"{service.origin}/hook", b"x" * 16), push)
    assert make_round(world.relay, ways) == 1
    with world.relay.database.read() as connection:
        (lost,) = alerts.failed(connection)
    assert (lost.to, lost.problem) == ("dr", "no_browser")


def test_a_push_service_that_stays_away_is_given_up_without_alarm_where_the_mail_left(
    world, sent, service, push
):
    sent(urgency="emergency", recordings=())
    world.user()
    listening(world, service, "dr", "/busy")
    service.answers["/busy"] = 503
    letters = Letters()
    for _ in range(alerts.TRIES):
        make_round(world.relay, Ways(letters, None, push))
        world.clock.ms += 31 * MINUTE
    with world.relay.database.read() as connection:
        assert not [one for one in alerts.failed(connection) if one.problem != "nobody"]
        assert len(browsers.listeners(connection, "dr")) == 1, "busy is not gone"
    assert "dr@programme.example" in letters.taken


def test_one_browser_that_takes_it_is_enough(world, sent, service, push):
    sent(urgency="emergency", recordings=())
    world.user()
    listening(world, service, "dr", "/busy")
    listening(world, service, "dr", "/one")
    service.answers["/busy"] = 503
    assert make_round(world.relay, Ways(None, None, push)) == 1
    assert states(world) == {"sent": 1}


class Slow:
    """A way to browsers on which nothing arrives before two alerts are under way."""

    def __init__(self, push):
        self.push, self.both = push, threading.Barrier(2, timeout=60)

    def send(self, *what):
        self.both.wait()
        self.push.send(*what)


def test_a_service_that_takes_its_time_does_not_hold_up_another(world, sent, service, push):
    sent(urgency="emergency", recordings=())
    for who in ("dr", "second"):
        world.user(who)
        listening(world, service, who, f"/{who}")
    assert make_round(world.relay, Ways(None, None, Slow(push))) == 2
    assert states(world) == {"sent": 2}


async def test_a_reader_puts_a_browser_on_the_list_tries_it_and_takes_it_off(
    world, client, service, tmp_path
):
    changes = {"push_contact": CONTACT, "push_hosts": ("127.0.0.1",)}
    relay, browser = world.again(**changes), BrowserEnd()
    async with client(world.user(), relay) as desk:
        key = (await desk.get("/api/push")).json()["key"]
        assert len(raw(key)) == POINT
        said = browser.subscription(f"{service.origin}/one")
        number = (await desk.post("/api/push", json=said)).json()["number"]
        assert (await desk.post(f"/api/push/{number}/trial")).status_code == 204
        _, headers, body = service.taken[0]
        assert text(claims_of(headers["authorization"], service.origin, NOW_S)[1]) == key
        assert json.loads(browser.open(body))["body"] == "Ceci est un essai : les alertes arrivent ici."
        (shown,) = (await desk.get("/api/push")).json()["browsers"]
        assert set(shown) == {"number", "mark", "browser", "created_ms", "taken_ms"}
        service.answers["/one"] = 500
        assert code(await desk.post(f"/api/push/{number}/trial")) == (502, "not_sent")
        service.answers["/one"] = 410
        assert code(await desk.post(f"/api/push/{number}/trial")) == (410, "gone")
        assert (await desk.get("/api/push")).json()["browsers"] == []
        assert code(await desk.post(f"/api/push/{number}/trial")) == (404, "not_found")
        number = (await desk.post("/api/push", json=said)).json()["number"]
        assert (await desk.delete(f"/api/push/{number}")).status_code == 204
        assert code(await desk.delete(f"/api/push/{number}")) == (404, "not_found")


async def test_what_no_browser_gives_is_refused(world, client, service):
    relay, good = world.again(push_contact=CONTACT, push_hosts=("127.0.0.1",)), BrowserEnd()
    said = good.subscription(f"{service.origin}/one")
    wrong = [
        {"p256dh": text(b"\4" + bytes(64)), "auth": text(good.auth)},
        {"p256dh": text(good.point), "auth": text(b"short")},
        {"p256dh": "é", "auth": text(good.auth)},
    ]
    async with client(world.user(), relay) as desk:
        for keys in wrong:
            assert code(await desk.post("/api/push", json=said | {"keys": keys})) == (422, "invalid")
        elsewhere = said | {"endpoint": "https://evil.example/x"}
        assert code(await desk.post("/api/push", json=elsewhere)) == (422, "unknown_service")
    async with client(world.user("other")) as desk:
        assert (await desk.get("/api/push")).json() == {"key": "", "browsers": []}
        assert code(await desk.post("/api/push", json=said)) == (409, "not_set_up")


async def test_a_browser_tells_one_account_and_an_account_has_so_many(world, client, service):
    relay, browser = world.again(push_contact=CONTACT, push_hosts=("127.0.0.1",)), BrowserEnd()
    shared = browser.subscription(f"{service.origin}/shared")
    async with client(world.user(), relay) as first, client(world.user("other"), relay) as second:
        number = (await first.post("/api/push", json=shared)).json()["number"]
        assert (await second.post("/api/push", json=shared)).status_code == 201
        assert (await first.get("/api/push")).json()["browsers"] == []
        assert code(await first.delete(f"/api/push/{number}")) == (404, "not_found")
        for one in range(browsers.MOST - 1):
            said = browser.subscription(f"{service.origin}/{one}")
            assert (await second.post("/api/push", json=said)).status_code == 201
        more = browser.subscription(f"{service.origin}/more")
        assert code(await second.post("/api/push", json=more)) == (409, "too_many_browsers")
        assert (await second.post("/api/push", json=shared)).status_code == 201, "known is not one more"
