"""Discussions of a case: who may do what in them, how they go on, and what stays of them."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from chevet.relay.accounts.roles import ROLES
from chevet.relay.archive.schema import audit
from chevet.relay.archive.schema_discussions import discussion_drafts, discussion_words
from chevet.relay.discussions.rules import (
    LAPSES_AFTER_MS,
    LATEST_MS,
    Standing,
    appointment,
    may,
    may_be_invited,
    state_of,
)
from chevet.relay.erasure import sweep, withdraw
from chevet.relay.errors import ArchiveError, RefusedError

from .conftest import NOON, SECRET_NAME, code, open_session
from .test_sealed_cases import Browser, box_of, sealed_study
from .test_sealed_cases import deliver as bring

HOUR = 3_600_000
DAY = 24 * HOUR
STATES = ("planned", "running", "lapsed", "closed")
EVERYBODY = [
    Standing(role, holds, opened, invited, state)
    for role, holds, opened, invited, state in product(ROLES, *[(False, True)] * 3, STATES)
]


def leads(who):
    return who.opened or (who.holds and who.role == "specialist")


MAY = {
    "read": lambda who: who.role == "specialist" or (who.invited and who.state in ("planned", "running")),
    "write": lambda who: who.invited and who.state in ("planned", "running"),
    "lead": lambda who: leads(who) and who.state in ("planned", "running"),
    "close": lambda who: leads(who) and who.state != "closed",
}


@pytest.mark.parametrize("act", MAY)
def test_every_standing_may_only_what_is_written(act):
    assert len(EVERYBODY) == len(ROLES) * 32
    assert [who for who in EVERYBODY if may(act, who) != MAY[act](who)] == []
    assert {may(act, who) for who in EVERYBODY} == {True, False}


def test_nobody_writes_leads_or_closes_once_it_is_closed():
    closed = [who for who in EVERYBODY if who.state == "closed"]
    assert not any(may(act, who) for who in closed for act in ("write", "lead", "close"))
    assert {who.role for who in closed if may("read", who)} == {"specialist"}


@pytest.mark.parametrize("by", ROLES)
@pytest.mark.parametrize("role", [*ROLES, ""])
def test_a_coordinator_is_invited_by_a_specialist_alone_and_who_reads_no_cases_never(by, role):
    assert may_be_invited(by, role) == (
        role in ("specialist", "expert") or (role == "coordinator" and by == "specialist")
    )


@given(st.integers(-DAY, 40 * DAY), st.none() | st.integers(0, DAY))
def test_a_discussion_is_planned_then_runs_then_lapses_and_closed_is_closed(after, closed):
    state = state_of(NOON, NOON + LAPSES_AFTER_MS, closed, NOON + after)
    if closed is not None:
        assert state == "closed"
    else:
        assert state == ("planned" if after < 0 else "running" if after < LAPSES_AFTER_MS else "lapsed")


def test_an_appointment_lies_within_a_year():
    assert [appointment(NOON + one, NOON) for one in (0, -HOUR, LATEST_MS, -HOUR - 1, LATEST_MS + 1)] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.fixture
def people(world):
    """The holder, a colleague of another specialty, an expert from outside, two coordinators."""
    made = [world.user("dr"), world.user("second"), world.user("outside", "expert")]
    return [*made, world.user("co", "coordinator"), world.user("co2", "coordinator")]


@pytest.fixture
def opened(world, sent, people):
    """A case that `dr` holds, in discussion with `outside`; gives case id and discussion id."""
    case = sent().id
    world.relay.cases.claim(case, people[0])
    ident = world.relay.discussions.open(case, people[0], NOON + HOUR, "Seededquestion?", ["outside"])
    return case, ident


def whats(world, who):
    with world.relay.database.read() as view:
        return list(view.execute(select(audit.c.what).where(audit.c.who == who)).scalars())


async def test_an_invited_expert_reads_that_case_alone_until_the_discussion_is_closed(
    world, client, sent, people, opened
):
    case, ident = opened
    other = sent()
    here = f"/api/cases/{case}"
    async with client(people[2]) as desk:
        found = (await desk.get(here)).json()
        assert found["patient"]["name"] == SECRET_NAME
        wave = f"{here}/recordings/{found['recordings'][0]['id']}/waveform"
        assert (await desk.get(wave)).status_code == 200
        shut = ("/api/inbox", f"/api/cases/{other.id}", f"{here}/earlier", f"{here}/export?form=wfdb")
        for path in (*shut, f"/fhir/Observation?encounter={case}", "/api/colleagues"):
            assert code(await desk.get(path)) == (403, "not_allowed"), path
        assert code(await desk.post(f"{here}/claim")) == (403, "not_allowed")
        agenda = (await desk.get("/api/discussions")).json()["discussions"]
        assert [(one["id"], one["about"]["reason"]) for one in agenda] == [(ident, "chest_pain")]
        world.relay.discussions.close(case, ident, people[0], "Agreed.", [])
        for path in (here, wave, f"{here}/discussions"):
            assert code(await desk.get(path)) == (403, "not_allowed"), path
        (after,) = (await desk.get("/api/discussions")).json()["discussions"]
        assert (after["state"], after["about"]) == ("closed", None)
    read = [what for what in whats(world, "outside") if what.endswith(".read")]
    assert read == ["case.read", "recording.read", "agenda.read", "agenda.read"]
    with world.relay.database.read() as view:
        assert world.relay.audit.verify(view) is None


async def test_an_invitation_ends_when_it_is_taken_back_and_two_weeks_after_the_appointment(
    world, client, people, opened
):
    case, ident = opened
    async with client(people[2]) as desk:
        assert (await desk.get(f"/api/cases/{case}")).status_code == 200
        world.relay.discussions.uninvite(case, ident, people[0], "outside")
        assert code(await desk.get(f"/api/cases/{case}")) == (403, "not_allowed")
        world.relay.discussions.invite(case, ident, people[0], "outside")
        world.clock.ms = NOON + HOUR + LAPSES_AFTER_MS - 60_000
        desk.cookies.set("chevet_desk", open_session(world.relay, people[2]))
        assert (await desk.get(f"/api/cases/{case}")).status_code == 200
        world.clock.ms = NOON + HOUR + LAPSES_AFTER_MS
        assert code(await desk.get(f"/api/cases/{case}")) == (403, "not_allowed")
    again = world.relay.discussions.open(case, people[0], world.clock.ms, "", ["outside"])
    assert again != ident


async def test_a_coordinator_opens_no_case_by_a_discussion(world, client, sent, people):
    case = sent().id
    here = f"/api/cases/{case}/discussions"
    async with client(people[3]) as desk:
        asked = {"starts_ms": NOON, "questions": "Who can help?", "invite": ["second"]}
        for whom in ("co", "co2", "nobody"):
            answer = await desk.post(here, json=asked | {"invite": ["second", whom]})
            assert (answer.status_code == 201) == (whom == "co"), whom  # oneself is no invitation
        ident = (await desk.get("/api/discussions")).json()["discussions"][0]["id"]
        for whom in ("co", "co2"):
            body = {"user": whom}
            assert code(await desk.post(f"{here}/{ident}/members", json=body)) == (422, "no_expert")
        assert code(await desk.get(f"/api/cases/{case}")) == (403, "not_allowed")
        assert code(await desk.get(here)) == (403, "not_allowed")
        words = {"text": "I would say"}
        assert code(await desk.post(f"{here}/{ident}/comments", json=words)) == (403, "not_invited")
        assert {one["id"] for one in (await desk.get("/api/experts")).json()["people"]} == {
            "dr",
            "second",
            "outside",
        }
        world.relay.cases.claim(case, people[0])
        world.relay.discussions.invite(case, ident, people[0], "co")  # the holder may
        assert (await desk.get(f"/api/cases/{case}")).status_code == 200
        assert (await desk.post(f"{here}/{ident}/comments", json=words)).status_code == 201


async def test_what_was_changed_or_taken_back_keeps_its_versions(world, client, people, opened):
    case, ident = opened
    here = f"/api/cases/{case}/discussions"
    async with client(people[2]) as desk, client(people[0]) as holder:
        assert (await desk.put(f"{here}/{ident}/draft", json={"text": "I thi"})).status_code == 204
        assert (await desk.get(here)).json()["discussions"][0]["draft"] == "I thi"
        assert (await holder.get(here)).json()["discussions"][0]["draft"] == ""
        said = (await desk.post(f"{here}/{ident}/comments", json={"text": "A murmur."})).json()["id"]
        one = f"{here}/{ident}/comments/{said}"
        assert code(await holder.put(one, json={"text": "No murmur."})) == (403, "not_yours")
        assert code(await holder.delete(one)) == (403, "not_yours")
        assert code(await desk.put(one, json={"text": "  "})) == (422, "invalid")
        assert code(await desk.put(one + "x", json={"text": "x"})) == (404, "not_found")
        assert (await desk.put(one, json={"text": "A diastolic murmur."})).status_code == 204
        assert (await desk.put(one, json={"text": "A diastolic murmur."})).status_code == 204
        assert (await desk.delete(one)).status_code == 204
        (found,) = (await holder.get(here)).json()["discussions"]
        assert found["draft"] == ""
        (comment,) = found["comments"]
        assert comment["text"] is None
        assert [each["text"] for each in comment["versions"]] == ["A murmur.", "A diastolic murmur.", None]
        body = {"starts_ms": NOON + 2 * HOUR, "questions": "Which murmur?"}
        assert (await holder.put(f"{here}/{ident}", json=body)).status_code == 204
        assert code(await desk.put(f"{here}/{ident}", json=body)) == (403, "not_allowed")
        (found,) = (await holder.get(here)).json()["discussions"]
        assert (found["questions"], found["starts_ms"]) == ("Which murmur?", NOON + 2 * HOUR)
    assert {"discussion.draft", "discussion.say", "discussion.amend", "discussion.withdraw"} <= set(
        whats(world, "outside")
    )
    assert {"discussion.open", "discussion.invite", "discussion.plan"} <= set(whats(world, "dr"))


async def test_attendance_says_who_was_invited_came_and_took_part(world, client, people, opened):
    case, ident = opened
    here = f"/api/cases/{case}/discussions"
    relay = world.relay
    relay.discussions.invite(case, ident, people[0], "second")
    async with client(people[2]) as desk, client(people[0]) as holder:
        assert (await desk.get("/api/discussions")).json()["discussions"][0]["new"] == 0
        await holder.post(f"{here}/{ident}/comments", json={"text": "What do you hear?"})
        assert (await desk.get("/api/discussions")).json()["discussions"][0]["new"] == 1
        world.clock.ms += 60_000
        await desk.get(here)
        assert (await desk.get("/api/discussions")).json()["discussions"][0]["new"] == 0
        wrong = {"conclusion": "", "present": ["co"]}
        assert code(await holder.post(f"{here}/{ident}/close", json=wrong)) == (422, "no_expert")
        done = {"conclusion": "Echocardiography first.", "present": ["outside"]}
        assert (await holder.post(f"{here}/{ident}/close", json=done)).status_code == 204
        assert code(await holder.post(f"{here}/{ident}/close", json=done)) == (409, "discussion_over")
        assert code(await desk.post(f"{here}/{ident}/comments", json={"text": "x"})) == (
            409,
            "discussion_over",
        )
        (found,) = (await holder.get(here)).json()["discussions"]
    assert found["conclusion"] == "Echocardiography first."
    assert found["you"] == {"write": False, "lead": False, "close": False}
    there = {one["id"]: (one["came_ms"] is not None, one["took_part"]) for one in found["members"]}
    assert there == {"dr": (False, True), "outside": (True, True), "second": (False, False)}


async def test_only_who_holds_a_case_opens_one_discussion_of_it_at_a_time(world, client, people, opened):
    case, ident = opened
    here = f"/api/cases/{case}/discussions"
    body = {"starts_ms": NOON, "questions": ""}
    async with client(people[1]) as desk, client(people[0]) as holder:
        assert code(await desk.post(here, json=body)) == (409, "not_claimed")
        assert code(await holder.post(here, json=body)) == (409, "discussion_open")
        assert code(await desk.post(f"{here}/{ident}/close", json={})) == (403, "not_yours")
        assert code(await desk.post(f"{here}/{ident}/members", json={"user": "co"})) == (403, "not_yours")
        assert code(await holder.delete(f"{here}/{ident}/members/second")) == (404, "not_found")
        assert code(await holder.post("/api/cases/none/discussions", json=body)) == (404, "not_found")
        assert code(await holder.put(f"{here}/{ident}", json={"starts_ms": 0})) == (422, "invalid")
        crowd = [world.user(f"s{n}").id for n in range(19)]
        for whom in crowd[:-1]:
            world.relay.discussions.invite(case, ident, people[0], whom)
        last = {"user": crowd[-1]}
        assert code(await holder.post(f"{here}/{ident}/members", json=last)) == (422, "too_many")
        assert (await holder.post(f"{here}/{ident}/members", json={"user": "s0"})).status_code == 204


def test_what_is_said_is_sealed_in_its_place_and_destroyed_with_the_case(world, people, opened):
    case, ident = opened
    relay = world.relay
    relay.discussions.say(case, ident, people[2], "Seededwords about the murmur")
    relay.discussions.draft(case, ident, people[2], "Seededdraft")
    file = world.settings.archive / "relay.sqlite3"
    with relay.database.write() as connection:
        connection.execute(text("SELECT 1"))
        words = connection.execute(select(discussion_words.c.words)).scalars().all()
    held = b"".join(one.read_bytes() for one in file.parent.glob("relay.sqlite3*"))
    assert b"Seeded" not in held
    with pytest.raises(ArchiveError, match="Words of elsewhere"):
        relay.vault.opened_words(words[0], "elsewhere")
    with pytest.raises(ArchiveError):
        relay.vault.opened_words(b"no key of ours", "elsewhere")
    withdraw(relay, case, ("care",), "dr")
    assert relay.discussions.agenda(people[2]) == []
    with relay.database.read() as view:
        assert view.execute(select(discussion_words)).all()
    world.clock.ms += (relay.settings.erasure_days + 1) * DAY
    assert len(sweep(relay)) == 1
    with relay.database.read() as view:
        assert view.execute(select(discussion_words)).all() == []
        assert view.execute(select(discussion_drafts)).all() == []


def test_a_specialist_who_takes_the_case_over_leads_its_discussion(world, people, opened):
    case, ident = opened
    relay = world.relay
    relay.allocation.hand_over(case, "second", people[0])
    relay.cases.claim(case, people[1])
    relay.discussions.invite(case, ident, people[1], "co")
    relay.discussions.close(case, ident, people[1], "", [])
    (found,) = relay.discussions.read(case, people[1])
    assert (found.it.state, found.it.closed_by) == ("closed", "second")
    assert replace(found.standing, state="running").holds


def test_of_a_sealed_case_the_relay_keeps_appointment_and_attendance_and_takes_no_words(
    world, make_study, tmp_path
):
    relay = world.again(sealing="sealed")
    holder, guest = world.user("dr"), world.user("outside", "expert")
    Browser().join(relay, holder)
    study = make_study()
    item = sealed_study(world, box_of(world, relay, tmp_path), study)
    assert bring(world.receiver(relay), item) == "complete"
    relay.sealed.claim(study.id, holder, take=True)
    with pytest.raises(RefusedError, match="sealed"):
        relay.discussions.open(study.id, holder, NOON, "What is it?", ["outside"])
    ident = relay.discussions.open(study.id, holder, NOON, "", ["outside"])
    (one,) = relay.discussions.agenda(guest)
    assert (one.place.sealed, one.it.state) == (True, "running")
    for act in (
        lambda: relay.discussions.say(study.id, ident, guest, "A murmur."),
        lambda: relay.discussions.draft(study.id, ident, guest, "A mur"),
        lambda: relay.discussions.close(study.id, ident, holder, "Agreed.", []),
    ):
        with pytest.raises(RefusedError) as refused:
            act()
        assert refused.value.code == "sealed_case"
    relay.discussions.close(study.id, ident, holder, "", ["outside", "dr"])
    (heard,) = relay.discussions.read(study.id, holder)
    assert (heard.sealed, heard.said, heard.it.state) == (True, (), "closed")
    assert [each.part_ms is not None for each in heard.it.members] == [True, True]
