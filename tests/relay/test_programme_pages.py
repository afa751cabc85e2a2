"""Accounts, sites and stock lists at the desk: who may change them, what they become, what the audit says."""

import pytest
from sqlalchemy import select

from chevet.exchange.enrolment import read_code
from chevet.relay.accounts.own_password import FIRST_MS, first_password
from chevet.relay.archive.schema import audit, sessions
from chevet.relay.archive.stock import read_stock
from chevet.relay.errors import RefusedError, SettingsError

from .conftest import PASSWORD, code, open_session

NEW = {
    "id": "benali",
    "name": " Dr S. Benali ",
    "role": "specialist",
    "specialty": "cardiology",
    "languages": ["ar", "fr"],
}
PEOPLE = "/api/programme/people"
OWN = "my very own passphrase"


@pytest.fixture
def admin(world):
    return world.user("tahar", "site-admin")


def told(world, who):
    """What the audit says of one person's acts, the newest last."""
    with world.relay.database.read() as connection:
        rows = connection.execute(select(audit).where(audit.c.who == who).order_by(audit.c.seq))
        return [(row.what, row.subject) for row in rows]


async def person(desk, ident):
    found = (await desk.get(PEOPLE)).json()["people"]
    return next(one for one in found if one["id"] == ident)


async def test_a_new_account_opens_with_its_first_password_once_and_then_with_its_own(world, client, admin):
    async with client(admin) as desk:
        made = await desk.post(PEOPLE, json=NEW)
        assert made.status_code == 201, made.text
        first = made.json()["password"]
        seen = await person(desk, "benali")
        assert (seen["name"], seen["factor"]) == ("Dr S. Benali", False)
        assert seen["first_until_ms"] == world.clock.ms + FIRST_MS
        assert first not in (await desk.get(PEOPLE)).text
        assert code(await desk.post(PEOPLE, json=NEW)) == (409, "id_taken")
    async with client() as theirs:
        answer = await theirs.post("/api/session", json={"user": "benali", "password": first})
        assert answer.json() == {"user": None, "next": "password"}
        assert code(await theirs.get("/api/inbox")) == (401, "not_signed_in")
        for new, why in ((first, "password_same"), ("short", "password_short")):
            refused = await theirs.post("/api/session/password", json={"old": first, "new": new})
            assert code(refused) == (422, why)
        wrong = await theirs.post("/api/session/password", json={"old": OWN, "new": OWN + "!"})
        assert code(wrong) == (401, "wrong_password")
        chosen = await theirs.post("/api/session/password", json={"old": first, "new": OWN})
        assert chosen.json() == {"user": None, "next": "enrol"}
        assert code(await theirs.post("/api/session/password", json={"old": OWN, "new": PASSWORD})) == (
            401,
            "not_signed_in",
        )
        assert "secret" in (await theirs.post("/api/session/factor")).json()
    world.relay.sign_in.sign_in("benali", OWN)
    with pytest.raises(RefusedError, match="wrong"):
        world.relay.sign_in.sign_in("benali", first)
    assert (told(world, "tahar")[-1], told(world, "benali")[1]) == (
        ("user.add", "benali"),
        ("password.change", "benali"),
    )


async def test_a_first_password_is_over_after_a_week(world, client, admin):
    async with client(admin) as desk:
        first = (await desk.post(PEOPLE, json=NEW)).json()["password"]
    world.clock.ms += FIRST_MS
    with pytest.raises(RefusedError, match="first password is over"):
        world.relay.sign_in.sign_in("benali", first)


async def test_a_lost_password_is_given_anew_and_what_was_open_ends(world, client, admin):
    theirs = world.user("benali")
    async with client(theirs) as desk, client(admin) as office:
        given = await office.post(f"{PEOPLE}/benali/acts", json={"what": "give_password"})
        assert code(await desk.get("/api/inbox")) == (401, "not_signed_in")
        assert world.relay.sign_in.sign_in("benali", given.json()["password"]).stage == "password"
        with pytest.raises(RefusedError, match="wrong"):
            world.relay.sign_in.sign_in("benali", PASSWORD)


@pytest.mark.parametrize("way", ["renew", "change"])
def test_a_password_given_while_another_is_chosen_is_the_one_that_opens(world, admin, monkeypatch, way):
    relay, theirs = world.relay, world.user("benali")
    users, given = relay.users, "given-by-the-administration"
    token = open_session(relay, theirs)
    if way == "renew":
        users.give_password("benali", PASSWORD, world.clock.ms + FIRST_MS)
        token = relay.sign_in.sign_in("benali", PASSWORD).token
    slow = relay.own_password._locked

    def locked(key, new):
        users.give_password("benali", given, world.clock.ms + FIRST_MS, by=admin.id)
        return slow(key, new)

    monkeypatch.setattr(relay.own_password, "_locked", locked)
    own = relay.own_password
    first, mine = (token, PASSWORD, OWN), (token, theirs, PASSWORD, OWN, None)
    with pytest.raises(RefusedError, match="wrong") as refused:
        own.renew(*first) if way == "renew" else own.change(*mine)
    assert (refused.value.status, refused.value.code) == (401, "wrong_password")
    key = relay.sign_in.signing_key(theirs, given)
    kept = next(one.user for one in users.list() if one.user.id == "benali")
    assert key.public_key().public_bytes_raw() == kept.public_key
    assert ("password.change", "benali") not in told(world, "benali")


def test_a_session_that_a_new_password_opens_is_in_the_audit_and_names_no_factor(world):
    relay = world.again(label="HTEST", second_factor="off")
    world.user("benali")
    relay.users.give_password("benali", PASSWORD, world.clock.ms + FIRST_MS)
    signed = relay.own_password.renew(relay.sign_in.sign_in("benali", PASSWORD).token, PASSWORD, OWN)
    assert relay.sign_in.user(signed.token).id == "benali"
    assert told(world, "benali")[-2:] == [("password.change", "benali"), ("session.open", "")]
    with relay.database.read() as connection:
        assert connection.execute(select(sessions.c.stage, sessions.c.factor_ms)).all() == [("open", None)]


async def test_an_account_is_shut_out_let_in_and_given_another_specialty(world, client, admin):
    theirs = world.user("benali")
    words = {"name": "Dr Sara Benali", "specialty": "ent", "languages": ["zgh"]}
    async with client(theirs) as desk, client(admin) as office:
        assert (await office.post(f"{PEOPLE}/benali/acts", json={"what": "disable"})).status_code == 200
        assert code(await desk.get("/api/inbox")) == (401, "not_signed_in")
        assert (await person(office, "benali"))["disabled"]
        for what in ("enable", "unlock", "sign_out", "forget_factor"):
            assert (await office.post(f"{PEOPLE}/benali/acts", json={"what": what})).status_code == 200
        assert (await office.put(f"{PEOPLE}/benali", json=words)).status_code == 204
        found = await person(office, "benali")
        assert (found["disabled"], found["factor"]) == (False, False)
        assert {key: found[key] for key in words} == words
        answers = (await office.get(PEOPLE)).json()["specialties"]
        assert {one["code"]: one["people"] for one in answers if one["people"]} == {"ent": ["Dr Sara Benali"]}
        bare = words | {"specialty": ""}
        assert code(await office.put(f"{PEOPLE}/benali", json=bare)) == (422, "specialty_needed")
    assert ("user.disable", "benali") in told(world, "tahar")


async def test_nobody_shuts_out_themselves_or_an_auditor_or_makes_one(world, client, admin):
    world.user("idrissi", "auditor")
    async with client(admin) as desk:
        for ident, why in (("tahar", "own_account"), ("idrissi", "kept_elsewhere")):
            assert code(await desk.post(f"{PEOPLE}/{ident}/acts", json={"what": "disable"})) == (409, why)
        assert code(await desk.post(PEOPLE, json=NEW | {"role": "auditor"})) == (422, "invalid")
        assert code(await desk.post(PEOPLE, json=NEW | {"role": "site-admin"})) == (422, "invalid")
        assert code(await desk.put(f"{PEOPLE}/ghost", json=NEW)) == (422, "invalid")
        assert code(await desk.post(f"{PEOPLE}/ghost/acts", json={"what": "unlock"})) == (404, "not_found")
        assert (await person(desk, "idrissi"))["fixed"]


async def test_no_account_takes_a_name_that_the_audit_gives_to_something_else(world, client, admin):
    async with client(admin) as desk:
        for ident in ("operator", "Relay", "RULES", "unknown", "nobody", "Tahar"):
            assert code(await desk.post(PEOPLE, json=NEW | {"id": ident})) == (409, "id_taken"), ident
        assert [one["id"] for one in (await desk.get(PEOPLE)).json()["people"]] == ["tahar"]
    with pytest.raises(SettingsError, match="something else"):
        world.user("Operator", "auditor")


async def test_what_changes_accounts_and_sites_asks_for_the_second_factor_again(world, client, admin):
    async with client(admin) as desk:
        world.clock.ms += 11 * 60_000
        assert code(await desk.post(PEOPLE, json=NEW)) == (401, "second_factor_needed")
        invite = {"name": "Tilmi"}
        assert code(await desk.post("/api/programme/sites", json=invite)) == (401, "second_factor_needed")
        assert code(await desk.post("/api/programme/sites/abc/revocation", json={})) == (
            401,
            "second_factor_needed",
        )
        assert (
            await desk.put("/api/programme/sites/abc/stock", json={"medicines": ["A"]})
        ).status_code == 200


async def test_a_coordinator_reads_who_there_is_and_keeps_the_stock_list(world, client, sent):
    study = sent()
    specialist = world.user()
    async with client(world.user("amal", "coordinator")) as desk, client(specialist) as reader:
        told_of = (await desk.get(PEOPLE)).json()
        assert told_of["may"] is False
        assert "auditor" not in told_of["roles"]
        assert set(told_of["answering"]) < set(told_of["roles"])
        assert told_of["languages"] == ["fr", "ar", "zgh", "en"]
        listed = [" Furosémide  40 mg", "Paracétamol 500 mg", "Paracétamol 500 mg"]
        kept = await desk.put("/api/programme/sites/abc/stock", json={"medicines": listed})
        assert kept.json() == {"stock": ["Furosémide 40 mg", "Paracétamol 500 mg"]}
        (site,) = (await desk.get("/api/programme/sites")).json()["sites"]
        assert (site["stock"], site["last_case_ms"]) == (kept.json()["stock"], world.clock.ms)
        assert (await reader.get(f"/api/cases/{study.id}")).json()["stock"] == kept.json()["stock"]
    assert ("site.stock", "abc") in told(world, "amal")


async def test_a_medicine_that_begins_with_a_hash_is_no_comment_at_the_desk_and_proofs_are_not_asked(
    world, client
):
    url, names = "/api/programme/sites/abc/stock", ["# 9 pansement", " ", "Paracétamol"]
    async with client(world.user("amal", "coordinator")) as desk:
        kept = await desk.put(url, json={"medicines": names})
        assert kept.json() == {"stock": ["# 9 pansement", "Paracétamol"]}
        assert code(await desk.put(url, json={"medicines": [], "code": "123456"})) == (422, "invalid")
    assert read_stock("# a comment\n Paracétamol  500 mg \n\n") == ("Paracétamol 500 mg",)


async def test_who_has_not_come_with_a_first_password_answers_nothing_yet(world, client, admin, sent):
    study = sent()
    async with client(admin) as desk:
        await desk.post(PEOPLE, json=NEW)
        answers = (await desk.get(PEOPLE)).json()["specialties"]
        assert [one["code"] for one in answers if one["people"]] == []
    assert world.relay.allocation.people() == []
    with pytest.raises(RefusedError, match="no such specialist"):
        world.relay.allocation.allocate(study.id, "benali", admin)


async def test_a_site_is_invited_renamed_and_refused(world, client, admin):
    async with client(admin) as desk:
        asked = {"name": "Aït Bouguemez", "phone": "+212 600", "hours": 24}
        made = (await desk.post("/api/programme/sites", json=asked)).json()
        assert made["site"] == "aitbou"
        assert read_code(made["command"].split()[-1])
        assert made["qr"].startswith("data:image/svg+xml")
        renamed = {"name": "Centre d'Anfgou", "phone": "+212 611"}
        assert (await desk.put("/api/programme/sites/abc", json=renamed)).status_code == 204
        assert (await desk.post("/api/programme/sites/abc/revocation", json={})).status_code == 204
        (site,) = (await desk.get("/api/programme/sites")).json()["sites"]
        assert (site["name"], site["phone"], site["revoked"]) == ("Centre d'Anfgou", "+212 611", True)
        again = asked | {"site": "abc"}
        assert code(await desk.post("/api/programme/sites", json=again)) == (409, "site_refused")
        assert code(await desk.put("/api/programme/sites/ghost", json=renamed)) == (404, "not_found")
        for wrong in ({"name": " "}, {"name": "a\0b"}, {"name": "Tamda", "phone": "1\n2"}):
            assert code(await desk.post("/api/programme/sites", json=wrong)) == (422, "invalid")
    assert [what for what, _ in told(world, "tahar")][-3:] == ["site.invite", "site.rename", "site.revoke"]


async def test_ones_own_password_is_changed_and_other_sessions_end(world, client):
    mine = world.user()
    other = open_session(world.relay, mine)
    async with client(mine) as desk:
        assert (await desk.put("/api/password", json={"old": PASSWORD, "new": OWN})).status_code == 204
        assert (await desk.get("/api/inbox")).status_code == 200
        assert world.relay.sign_in.user(other) is None
        assert world.relay.sign_in.signing_key(mine, OWN)
        assert code(await desk.put("/api/password", json={"old": PASSWORD, "new": OWN})) == (
            401,
            "wrong_password",
        )


def test_a_first_password_is_long_and_easy_to_read_aloud():
    made = {first_password() for _ in range(20)}
    assert len(made) == 20
    assert all(len(one) == 24 and not set(one) & set("ilo01") for one in made)
