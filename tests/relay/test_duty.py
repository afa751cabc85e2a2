"""Who is asked to answer, who is told when nobody does, and what they are told: never of the patient."""

import email
import hmac
import json
import socket
import threading
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from chevet.relay.accounts.users import User
from chevet.relay.archive import alerts, duty
from chevet.relay.archive.schema import cases
from chevet.relay.duty.ladder import Reach, Waiting, due_steps
from chevet.relay.duty.post import SIGNATURE, Mail, NotSent, Webhook, mail_of, webhook_of
from chevet.relay.duty.rules import Need, Person, chosen, ranked
from chevet.relay.duty.watch import Ways, allocate_new, make_round
from chevet.relay.duty.words import LINES, Told, call, mail
from chevet.relay.errors import SettingsError
from chevet.relay.settings import Settings

from .conftest import NOON, OPINION, PASSWORD, SECRET_NAME, code

MINUTE = 60_000


def person(ident, specialty="cardiology", languages=("fr",), on_call=False, load=0):
    return Person(ident, f"Dr {ident}", specialty, languages, on_call, load)


@pytest.fixture
def mails():
    """A real SMTP server on this machine, and what it took."""

    class Box:
        def __init__(self):
            self.taken, self.refuses = [], False

        async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - its name
            if self.refuses:
                return "550 nobody here"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):  # noqa: N802 - its name
            self.taken.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=default)))
            return "250 OK"

    box = Box()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        box.port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port, ready_timeout=60)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def hook():
    """A real HTTP server on this machine, and the calls it took."""

    class Calls(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.calls.append((self.path, dict(self.headers), body))
            self.send_response(server.answer)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Calls)
    server.calls, server.answer = [], 204
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def post_office(mails):
    return Mail("127.0.0.1", mails.port, "none", "", "", "chevet@programme.example")


def reachable(world, *names):
    with world.relay.database.write() as connection:
        for name in names:
            duty.set_address(connection, name, f"{name}@programme.example")


def test_the_rules_put_duty_before_language_before_load():
    people = [
        person("idle"),
        person("speaks", languages=("ar", "fr"), load=3),
        person("ready", on_call=True, load=9),
        person("skin", "dermatology", on_call=True),
    ]
    order = ranked(Need("cardiology", "ar"), people)
    assert [choice.person.id for choice in order] == ["ready", "speaks", "idle"]
    assert order[1].why == ("specialty", "language")


def test_a_generalist_is_asked_where_nobody_has_the_specialty():
    people = [person("skin", "dermatology"), person("all", "general")]
    assert chosen(Need("nephrology", "fr"), people).id == "all"
    assert chosen(Need("nephrology", "fr"), people[:1]) is None
    assert [choice.person.id for choice in ranked(Need("", ""), people)] == ["all", "skin"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 5)), max_size=8))
def test_whoever_is_chosen_is_on_call_if_anybody_able_is(drawn):
    people = [person(f"p{n}", spec, ("fr",), ready, load) for n, (spec, ready, load) in enumerate(drawn)]
    found = chosen(Need("a", "fr"), people)
    able = [one for one in people if one.specialty == "a"]
    assert (found is None) == (not able)
    if found is not None and any(one.on_call for one in able):
        assert found.on_call


def waiting(**changes):
    blank = {
        "id": "c", "rank": 0, "specialty": "cardiology", "received_ms": NOON, "due_ms": NOON + 30 * MINUTE,
        "seen": False, "allocated_to": "", "allocated_ms": 0,
    }  # fmt: skip
    return Waiting(**blank | changes)


REACH = Reach((person("on", on_call=True), person("off")), ("coordinator",), ("last@programme.example",))


def test_the_ladder_rises_while_nobody_reads_and_stops_when_somebody_does():
    def rungs(minutes, **changes):
        return {
            step.rung: (step.users, step.addresses)
            for step in due_steps(waiting(**changes), (0, 2, 5), REACH, NOON + minutes * MINUTE)
        }

    assert rungs(1) == {"0": (("on",), ())}
    assert rungs(2)["1"] == (("off", "on", "coordinator"), ())
    assert rungs(5)["2"] == (("coordinator",), ("last@programme.example",))
    assert rungs(5, seen=True) == {}
    assert rungs(30, seen=True) == {"late": (("coordinator",), ())}
    assert rungs(0, allocated_to="off", allocated_ms=NOON) == {"asked": (("off",), ()), "0": ((), ())}


def test_alerts_say_how_long_and_where_and_nothing_else():
    told = Told("0198-case", "1", 0, NOON, simulated=False)
    for language in LINES:
        subject, text = mail(told, language, "https://desk.example/", NOON + 7 * MINUTE)
        assert "https://desk.example/#/case/0198-case" in text
        assert "7" in text
        assert subject.startswith("Chevet. ")
    assert "https" not in mail(told, "xx", "", NOON)[1]
    assert mail(Told("c", "late", 2, NOON, simulated=True), "en", "", NOON)[0].startswith("[HTEST]")
    assert json.loads(call(told, ["dr"], "", NOON))["event"] == "case.unread"


def test_an_unread_case_is_told_once_to_each_by_mail(world, sent, mails):
    study = sent(urgency="emergency")
    world.user()
    world.user("boss", "coordinator")
    reachable(world, "dr", "boss")
    ways = Ways(post_office(mails), None)
    assert make_round(world.relay, ways) == 1
    assert make_round(world.again(), ways) == 0, "told once, whichever process looks"
    world.clock.ms += 2 * MINUTE
    assert make_round(world.relay, ways) == 2
    (to, message), *_ = mails.taken
    assert to == ["dr@programme.example"]
    whole = "".join(str(one) for _, one in mails.taken)
    assert study.id not in message["Subject"]
    for secret in ("Seeded", SECRET_NAME, "cardiology", "chest", "abc", "Centre"):
        assert secret not in whole
    assert message["Auto-Submitted"] == "auto-generated"


def test_whoever_opens_a_case_ends_the_ladder_and_the_late_answer_is_told(world, sent, mails):
    study, doctor = sent(urgency="urgent"), world.user()
    world.user("boss", "coordinator")
    reachable(world, "dr", "boss")
    ways = Ways(post_office(mails), None)
    world.clock.ms += 6 * MINUTE
    mails.refuses = True
    assert make_round(world.relay, ways) == 0
    world.relay.cases.open(study.id, doctor)
    mails.refuses = False
    world.clock.ms += 10 * MINUTE
    assert make_round(world.relay, ways) == 0, "what waited is needless now"
    world.clock.ms += 120 * MINUTE
    assert make_round(world.relay, ways) == 1
    assert mails.taken[0][0] == ["boss@programme.example"]
    with world.relay.database.read() as connection:
        assert alerts.by_state(connection) == {"needless": 1, "sent": 1}


def test_a_server_that_is_away_is_tried_again_and_given_up_in_sight_of_the_coordinator(world, sent, mails):
    sent(urgency="emergency")
    world.user()
    reachable(world, "dr")
    ways = Ways(Mail("127.0.0.1", mails.port, "starttls", "", "", "a@b.example"), None)
    for _ in range(alerts.TRIES):
        assert make_round(world.relay, ways) == 0
        world.clock.ms += 31 * MINUTE
    with world.relay.database.read() as connection:
        lost = alerts.failed(connection)
    assert ("0", "dr", "unreachable") in [(one.rung, one.to, one.problem) for one in lost]
    assert ("late", "", "nobody") in [(one.rung, one.to, one.problem) for one in lost]


def test_the_webhook_is_signed_and_names_nobody_of_the_patients(world, sent, hook):
    study = sent(urgency="emergency")
    world.user()
    secret = b"sixteen characters or more"
    ways = Ways(None, Webhook(f"http://127.0.0.1:{hook.server_port}/alerts", secret))
    assert make_round(world.relay, ways) == 1
    path, headers, body = hook.calls[0]
    at, mac = (part.partition("=")[2] for part in headers[SIGNATURE].split(","))
    assert mac == hmac.new(secret, f"{at}.".encode() + body, "sha256").hexdigest()
    said = json.loads(body)
    assert (said["case"], said["users"], said["urgency"]) == (study.id, ["dr"], "emergency")
    assert b"Seeded" not in body
    assert path == "/alerts"
    hook.answer = 500
    with pytest.raises(NotSent, match="status_500"):
        ways.webhook.call(b"{}", NOON)


def test_a_simulated_case_alarms_nobody_of_a_clinic(world, sent, mails):
    sent(label="HTEST", urgency="emergency")
    world.user()
    reachable(world, "dr")
    assert make_round(world.relay, Ways(post_office(mails), None)) == 0
    assert mails.taken == []


def test_ways_that_would_not_hold_are_refused_at_the_start(tmp_path):
    assert mail_of(Settings()) is None
    assert webhook_of(Settings()) is None
    with pytest.raises(SettingsError, match="TLS"):
        mail_of(Settings(smtp_host="mail.example", smtp_security="none", smtp_from="a@b.c"))
    with pytest.raises(SettingsError, match="sender"):
        mail_of(Settings(smtp_host="mail.example"))
    with pytest.raises(SettingsError, match="https"):
        webhook_of(Settings(webhook_url="http://hook.example"))
    with pytest.raises(SettingsError, match="secret"):
        webhook_of(Settings(webhook_url="https://hook.example"))
    (tmp_path / "secret").write_text("x" * 16)
    found = webhook_of(Settings(webhook_url="https://h.example", webhook_secret_file=tmp_path / "secret"))
    assert found.secret == b"x" * 16


async def test_a_coordinator_asks_by_the_rules_and_the_asked_one_is_told(world, sent, client, mails):
    study, boss = sent(), world.user("boss", "coordinator")
    world.user()
    world.relay.users.add(User("arabic", "Dr A", "specialist", "cardiology", ("ar", "fr"), b""), PASSWORD)
    reachable(world, "dr")
    async with client(boss) as desk:
        times = {"user": "dr", "from_ms": NOON - 1, "until_ms": NOON + 3_600_000}
        number = (await desk.post("/api/on-call", json=times)).json()["number"]
        shown = (await desk.get("/api/allocation")).json()
        assert [one["id"] for one in shown["proposals"][study.id]] == ["dr", "arabic"]
        assert shown["proposals"][study.id][0]["why"] == ["specialty", "on_call", "language"]
        asked = await desk.post(f"/api/cases/{study.id}/allocation", json={"to": "dr"})
        assert asked.json()["allocated_to"] == {"id": "dr", "name": "Dr dr"}
        assert (await desk.get("/api/colleagues")).json()["people"][1]["load"] == 1
        refused = await desk.post(f"/api/cases/{study.id}/allocation", json={"to": "boss"})
        assert code(refused) == (422, "no_specialist")
        assert (await desk.delete(f"/api/on-call/{number}")).status_code == 204
        assert code(await desk.delete(f"/api/on-call/{number}")) == (404, "not_found")
        assert (await desk.get("/api/on-call")).json() == {"times": []}
        late = {"user": "dr", "from_ms": NOON, "until_ms": NOON}
        assert code(await desk.post("/api/on-call", json=late)) == (422, "invalid")
        assert code(await desk.post("/api/on-call", json=times | {"user": "boss"})) == (422, "no_specialist")
    assert make_round(world.relay, Ways(post_office(mails), None)) == 1
    assert mails.taken[0][0] == ["dr@programme.example"]


async def test_handing_over_frees_the_case_for_who_is_asked(world, sent, client):
    study, mine, other = sent(), world.user(), world.user("other")
    async with client(mine) as desk, client(other) as second:
        to = {"to": "other"}
        assert code(await desk.post(f"/api/cases/{study.id}/handover", json=to)) == (409, "not_claimed")
        await desk.post(f"/api/cases/{study.id}/claim")
        mine_again = await desk.post(f"/api/cases/{study.id}/handover", json={"to": "dr"})
        assert code(mine_again) == (422, "no_specialist")
        given = (await desk.post(f"/api/cases/{study.id}/handover", json=to)).json()
        assert (given["claimed_by"], given["allocated_to"]["id"]) == (None, "other")
        assert (await second.post(f"/api/cases/{study.id}/claim")).json()["state"] == "claimed"
        assert (await second.post(f"/api/cases/{study.id}/opinions", json=OPINION)).status_code == 201
        assert code(await second.post(f"/api/cases/{study.id}/handover", json={"to": "dr"}))[1] == "answered"


async def test_a_case_put_off_sinks_says_why_and_comes_back(world, sent, client):
    early, late = sent(urgency="routine"), sent(urgency="routine")
    emergency = sent(urgency="emergency")
    off = {"minutes": 30, "why": "waiting_for_site"}
    async with client(world.user()) as desk:
        found = (await desk.post(f"/api/cases/{early.id}/snooze", json=off)).json()
        assert found["snoozed"] == {"until_ms": NOON + 30 * MINUTE, "why": "waiting_for_site"}
        listed = (await desk.get("/api/inbox")).json()
        assert [one["id"] for one in listed["cases"]] == [emergency.id, late.id, early.id]
        assert listed["waiting"] == 3
        assert listed["cases"][2]["due_ms"] == NOON + 1440 * MINUTE, "put off, yet as due as before"
        refused = await desk.post(f"/api/cases/{emergency.id}/snooze", json=off)
        assert code(refused) == (409, "emergency")
        bad = await desk.post(f"/api/cases/{early.id}/snooze", json=off | {"why": "the patient's name"})
        assert code(bad) == (422, "invalid")
        world.clock.ms += 31 * MINUTE
        listed = (await desk.get("/api/inbox")).json()
        assert [one["id"] for one in listed["cases"]] == [emergency.id, early.id, late.id]
        await desk.post(f"/api/cases/{late.id}/snooze", json=off | {"minutes": 0})
    async with client(world.user("other")) as second:
        await second.post(f"/api/cases/{late.id}/claim")
    async with client(world.user("third")) as third:
        assert code(await third.post(f"/api/cases/{late.id}/snooze", json=off)) == (409, "claimed")


def test_automatic_allocation_asks_once_and_shares_the_load(world, sent):
    world.user("one")
    world.user("two")
    for _ in range(4):
        sent()
    assert allocate_new(world.relay) == 4
    assert allocate_new(world.relay) == 0
    assert {one.id: one.load for one in world.relay.allocation.people()} == {"one": 2, "two": 2}


async def test_everybody_says_for_themselves_where_alerts_go(world, client):
    async with client(world.user()) as desk:
        for wrong in ("nobody", "a b@c.d", "a@b", 'x"@c.d', "é@c.d", "@c.d"):
            assert code(await desk.put("/api/contact", json={"email": wrong})) == (422, "invalid"), wrong
        await desk.put("/api/contact", json={"email": "dr@a.example"})
        await desk.put("/api/contact", json={"email": "dr@programme.example"})
        assert (await desk.get("/api/contact")).json() == {"email": "dr@programme.example", "mail": False}
        await desk.put("/api/contact", json={"email": ""})
        assert (await desk.get("/api/contact")).json()["email"] == ""


def test_whoever_is_invited_to_a_discussion_is_told_once_and_again_before_it_begins(world, sent, mails):
    ways, relay = Ways(post_office(mails), None), world.relay
    study, holder = sent(), world.user("dr")
    for who, role in (("second", "specialist"), ("outside", "expert"), ("late", "expert")):
        world.user(who, role)
    reachable(world, "dr", "second", "outside", "late")
    relay.cases.claim(study.id, holder)
    starts = NOON + 5 * 60 * MINUTE
    ident = relay.discussions.open(study.id, holder, starts, "Seededquestion?", ["second", "outside"])
    assert make_round(relay, ways) == 2
    assert make_round(relay, ways) == 0
    told = [(rcpt[0].partition("@")[0], message["Subject"]) for rcpt, message in mails.taken]
    assert told == [("second", "Chevet. Discussion d'un cas"), ("outside", "Chevet. Discussion d'un cas")]
    assert not any(
        "Seeded" in message.as_string() or "abc" in message.get_content() for _, message in mails.taken
    )
    relay.discussions.uninvite(study.id, ident, holder, "second")
    world.clock.ms += MINUTE
    relay.discussions.invite(study.id, ident, holder, "late")
    assert make_round(relay, ways) == 1
    world.clock.ms = starts - 30 * MINUTE
    assert make_round(relay, ways) == 3
    soon = {rcpt[0].partition("@")[0] for rcpt, _ in mails.taken[3:]}
    assert soon == {"dr", "outside", "late"}
    assert "commence dans l'heure" in mails.taken[-1][1].get_content()
    world.clock.ms = starts
    assert make_round(relay, ways) == 0


def test_an_invitation_to_an_answered_case_is_told_and_one_to_a_closed_discussion_is_not(world, sent, hook):
    relay = world.relay
    ways = Ways(None, Webhook(f"http://127.0.0.1:{hook.server_port}/in", b"a secret of the two"))
    study, holder = sent(), world.user("dr")
    world.user("outside", "expert")
    relay.cases.claim(study.id, holder)
    with relay.database.write() as connection:
        connection.execute(update(cases).values(answered_ms=NOON))
    closed = relay.discussions.open(study.id, holder, NOON, "", ["outside"])
    relay.discussions.close(study.id, closed, holder, "", [])
    assert make_round(relay, ways) == 0
    world.clock.ms += MINUTE
    relay.discussions.open(study.id, holder, NOON + MINUTE, "", ["outside"])
    assert make_round(relay, ways) == 1
    said = json.loads(hook.calls[0][2])
    assert (said["event"], said["users"]) == ("discussion.invited", ["outside"])
