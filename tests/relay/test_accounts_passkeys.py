"""Passkeys: made, used for signing in, as second factor and for signing; and every answer that is refused."""

import asyncio
import copy
import os
from dataclasses import replace

import pytest
from sqlalchemy import select

from chevet.relay.accounts.challenges import LIFE_MS
from chevet.relay.accounts.passkeys import MOST
from chevet.relay.archive.schema import audit
from chevet.relay.archive.schema_sign_in import challenges, passkeys

from .conftest import OPINION, PASSWORD, app_code, code, open_session
from .soft_passkey import HOME, SoftPasskey, text

ALONE, SECOND = {"to": "sign_in"}, {"to": "second"}


@pytest.fixture
def here(client):
    return client


async def made(desk, phone=None, name="Phone"):
    """Make a passkey in an open session; return it."""
    phone = phone or SoftPasskey()
    options = (await desk.post("/api/passkeys/options", json={})).json()
    answer = await desk.post("/api/passkeys", json=phone.make(options, name))
    assert answer.status_code == 201, answer.text
    return phone


async def sign_in(desk, phone, **lie):
    options = (await desk.post("/api/session/passkey/options", json=ALONE)).json()
    return await desk.post("/api/session/passkey", json=ALONE | {"passkey": phone.answer(options, **lie)})


async def second(desk, phone):
    options = (await desk.post("/api/session/passkey/options", json=SECOND)).json()
    return await desk.post("/api/session/passkey", json=SECOND | {"passkey": phone.answer(options)})


async def password(desk, user="dr"):
    return await desk.post("/api/session", json={"user": user, "password": PASSWORD})


def told(world, what):
    with world.relay.database.read() as connection:
        return connection.execute(select(audit).where(audit.c.what == what)).all()


async def test_a_passkey_alone_signs_in_and_its_last_use_is_shown(world, here):
    user = world.user()
    async with here(user) as desk, here() as other:
        phone = await made(desk, name="  Phone of Karim ")
        world.clock.ms += 5000
        answer = await sign_in(other, phone)
        assert answer.json() == {
            "user": {
                "id": "dr",
                "name": "Dr dr",
                "role": "specialist",
                "specialty": "cardiology",
                "languages": ["fr"],
            },
            "next": "",
        }
        assert "SameSite=strict" in answer.headers["set-cookie"]
        assert (await other.get("/api/inbox")).status_code == 200
        listed = (await other.get("/api/passkeys")).json()
        assert (listed["origin"], listed["possible"], listed["most"]) == (HOME, True, MOST)
        assert [one["name"] for one in listed["passkeys"]] == ["Phone of Karim"]
        assert listed["passkeys"][0]["used_ms"] == world.clock.ms
    assert told(world, "session.open")[-1].detail == "passkey"
    assert told(world, "passkey.add")[0].subject == listed["passkeys"][0]["id"]


async def test_a_passkey_takes_the_place_of_the_code_after_the_password(world, here):
    async with here(world.user()) as desk:
        phone = await made(desk)
        assert (await password(desk)).json() == {"user": None, "next": "code", "passkey": True}
        assert (await desk.get("/api/session")).json()["passkey"] is True
        answer = await second(desk, phone)
        assert answer.json()["user"]["id"] == "dr"
        assert answer.headers["set-cookie"].startswith("chevet_desk=")  # a new token
    assert [row.subject for row in told(world, "factor.passkey")] != []


async def test_an_account_without_passkey_is_not_asked_for_one_and_codes_go_on_working(world, here):
    user = world.user()
    async with here(user) as desk:
        assert (await password(desk)).json() == {"user": None, "next": "code"}
        world.clock.ms += 30_000
        assert (
            await desk.post("/api/session/code", json={"code": app_code(world.relay, user)})
        ).status_code == 200


async def test_signing_an_opinion_takes_a_passkey_instead_of_the_code(world, here, sent):
    study = sent()
    where = f"/api/cases/{study.id}/opinions"
    async with here(world.user()) as desk:
        phone = await made(desk)
        await desk.post(f"/api/cases/{study.id}/claim")
        world.clock.ms += world.relay.sign_in.rules.grace_ms
        assert code(await desk.post(where, json=OPINION)) == (401, "second_factor_needed")
        options = (await desk.post("/api/passkeys/proof")).json()
        assert [one["id"] for one in options["allowCredentials"]] == [text(phone.credential)]
        proof = phone.answer(options)
        wrong = await desk.post(where, json=OPINION | {"password": "wrong", "passkey": proof})
        assert code(wrong) == (401, "wrong_password")
        assert (await desk.post(where, json=OPINION | {"passkey": proof})).status_code == 201
        assert (await desk.post(where, json=OPINION)).status_code == 201  # within the grace
        world.clock.ms += world.relay.sign_in.rules.grace_ms
        replay = await desk.post(where, json=OPINION | {"passkey": proof})
        assert code(replay) == (401, "wrong_passkey")


LIES = {
    "origin": "origin",
    "home": "answer",
    "challenge": "challenge",
    "verified": "answer",
    "signature": "answer",
    "handle": "unknown",
    "type": "answer",
}
"""What an answer can lie about, and what the audit says of it."""


def lying(phone, lie):
    """The same passkey in a browser that lies about one thing."""
    liar = replace(
        phone, **{"verified": {"verifies": False}, "origin": {"origin": f"{HOME}.evil"}}.get(lie, {})
    )
    if lie == "home":
        liar.rp = "example"
    elif lie == "handle":
        liar.handle = os.urandom(32)
    elif lie == "signature":
        liar.key = SoftPasskey().key
    elif lie == "type":
        liar._words = lambda kind, challenge, plain=liar._words: plain("webauthn.create", challenge)
    return liar


async def test_an_answer_that_lies_is_refused_and_told(world, here):
    async with here(world.user()) as desk:
        phone = await made(desk)
        desk.cookies.clear()
        for lie, why in LIES.items():
            challenge = {"challenge": text(bytes(32))} if lie == "challenge" else {}
            answer = await sign_in(desk, lying(phone, lie), **challenge)
            if lie == "origin":
                assert code(answer) == (409, "other_address")
                assert "desk_url" in answer.json()["error"]["message"]
            else:
                assert code(answer) == (401, "wrong_passkey"), lie
            assert (await desk.get("/api/session")).json()["user"] is None
            assert told(world, "session.wrong_passkey")[-1].detail == why, lie
            world.relay.users.unlock("dr")
        assert (await sign_in(desk, phone)).status_code == 200


async def test_an_answer_counts_once_and_only_in_its_time(world, here):
    async with here(world.user()) as desk:
        phone = await made(desk, SoftPasskey(counts=False))
        options = (await desk.post("/api/session/passkey/options", json=ALONE)).json()
        body = ALONE | {"passkey": phone.answer(options)}
        tried = dict(desk.cookies)
        assert (await desk.post("/api/session/passkey", json=body)).status_code == 200
        desk.cookies.clear()
        desk.cookies.update(tried)
        assert code(await desk.post("/api/session/passkey", json=body)) == (401, "wrong_passkey")
        desk.cookies.clear()
        options = (await desk.post("/api/session/passkey/options", json=ALONE)).json()
        late = phone.answer(options)
        world.clock.ms += LIFE_MS
        answer = await desk.post("/api/session/passkey", json=ALONE | {"passkey": late})
        assert code(answer) == (401, "wrong_passkey")
    with world.relay.database.read() as connection:
        assert connection.execute(select(challenges)).all() == []


async def test_a_challenge_belongs_to_the_browser_that_asked_and_to_its_purpose(world, here):
    async with here(world.user()) as desk, here() as thief:
        phone = await made(desk)
        asked_for = (await desk.post("/api/session/passkey/options", json=ALONE)).json()
        stolen = ALONE | {"passkey": phone.answer(asked_for)}
        assert code(await thief.post("/api/session/passkey", json=stolen)) == (401, "wrong_passkey")
        await thief.post("/api/session/passkey/options", json=ALONE)
        assert code(await thief.post("/api/session/passkey", json=stolen)) == (401, "wrong_passkey")
        again = (await desk.post("/api/passkeys/proof")).json()
        await password(desk)
        mixed = SECOND | {"passkey": phone.answer(again)}
        assert code(await desk.post("/api/session/passkey", json=mixed)) == (401, "wrong_passkey")


async def test_a_counter_that_goes_back_is_a_copy_and_is_refused(world, here):
    async with here(world.user()) as desk:
        phone = await made(desk)
        assert (await sign_in(desk, phone)).status_code == 200
        copied = replace(phone, counter=phone.counter - 1)
        assert code(await sign_in(desk, copied)) == (401, "wrong_passkey")
        assert (await sign_in(desk, phone)).status_code == 200
        phone.counts, phone.counter = False, 0
        assert code(await sign_in(desk, phone)) == (401, "wrong_passkey")
        ident = (await desk.get("/api/passkeys")).json()["passkeys"][0]["id"]
    assert [row.detail for row in told(world, "session.wrong_passkey")] == ["counter", "counter"]
    assert ident


async def test_a_colleagues_passkey_is_no_second_factor_of_mine(world, here):
    async with here(world.user()) as desk, here(world.user("other")) as colleague:
        await made(desk)
        theirs = await made(colleague)
        await password(desk)
        assert code(await second(desk, theirs)) == (401, "wrong_passkey")
        theirs.handle = b""  # some authenticators say none where they were asked by name
        assert code(await second(desk, theirs)) == (401, "wrong_passkey")
        assert (await desk.get("/api/session")).json()["user"] is None
        assert (await sign_in(desk, theirs)).json()["user"]["id"] == "other"


async def test_an_unknown_passkey_is_refused_like_a_wrong_one(world, here):
    async with here() as desk:
        assert code(await sign_in(desk, SoftPasskey())) == (401, "wrong_passkey")
    assert told(world, "session.wrong_passkey")[0].detail == "unknown"


async def test_five_wrong_passkeys_make_even_the_right_one_wait(world, here):
    async with here(world.user()) as desk:
        phone = await made(desk)
        desk.cookies.clear()
        wrong = copy.copy(phone)
        wrong.key = SoftPasskey().key
        for _ in range(5):
            assert code(await sign_in(desk, wrong)) == (401, "wrong_passkey")
        assert code(await sign_in(desk, phone)) == (429, "too_many_attempts")
        world.clock.ms += 61_000
        assert (await sign_in(desk, phone)).status_code == 200


async def test_wrong_passkeys_after_the_password_count_like_wrong_codes_and_the_operator_unlocks(world, here):
    async with here(world.user()) as desk:
        phone = await made(desk)
        await password(desk)
        wrong = replace(phone, key=SoftPasskey().key)
        for _ in range(5):
            assert code(await second(desk, wrong)) == (401, "wrong_passkey")
        assert code(await second(desk, phone)) == (429, "too_many_attempts")
        world.relay.users.unlock("dr")
        assert (await second(desk, phone)).status_code == 200


async def test_making_and_removing_ask_for_the_second_factor_again(world, here):
    user = world.user()
    async with here(user) as desk:
        phone = await made(desk)
        world.clock.ms += world.relay.sign_in.rules.grace_ms
        assert code(await desk.post("/api/passkeys/options", json={})) == (401, "second_factor_needed")
        ident = (await desk.get("/api/passkeys")).json()["passkeys"][0]["id"]
        gone = f"/api/passkeys/{ident}/removal"
        assert code(await desk.post(gone, json={})) == (401, "second_factor_needed")
        assert code(await desk.post(gone, json={"code": "000000"})) == (401, "wrong_code")
        options = (
            await desk.post("/api/passkeys/options", json={"code": app_code(world.relay, user)})
        ).json()
        assert [one["id"] for one in options["excludeCredentials"]] == [text(phone.credential)]
        world.clock.ms += world.relay.sign_in.rules.grace_ms
        proof = phone.answer((await desk.post("/api/passkeys/proof")).json())
        assert (await desk.post(gone, json={"passkey": proof})).status_code == 204
        assert code(await desk.post(gone, json={})) == (404, "not_found")
        assert code(await sign_in(desk, phone)) == (401, "wrong_passkey")
        assert (await password(desk)).json() == {"user": None, "next": "code"}  # the app stays
    assert told(world, "passkey.remove")[0].subject == ident


async def test_nobody_removes_a_colleagues_passkey(world, here):
    async with here(world.user()) as desk, here(world.user("other")) as colleague:
        await made(desk)
        ident = (await desk.get("/api/passkeys")).json()["passkeys"][0]["id"]
        assert (await colleague.get("/api/passkeys")).json()["passkeys"] == []
        assert code(await colleague.post(f"/api/passkeys/{ident}/removal", json={})) == (404, "not_found")
        assert len((await desk.get("/api/passkeys")).json()["passkeys"]) == 1


async def test_a_new_passkey_that_does_not_hold_is_not_kept(world, here):
    phone = SoftPasskey()
    async with here(world.user()) as desk:
        await made(desk, phone)
        for lie in ("origin", "home", "challenge", "verified", "credential", "garbage", "twice"):
            options = (await desk.post("/api/passkeys/options", json={})).json()
            if lie == "home":
                options["rp"]["id"] = "example"
            if lie == "challenge":
                options["challenge"] = text(bytes(32))
            body = (phone if lie == "twice" else lying(SoftPasskey(), lie)).make(options)
            if lie == "credential":
                body["id"] = text(os.urandom(32))
            if lie == "garbage":
                body["attestation"] = text(b"\xa3cfmt")
            answer = await desk.post("/api/passkeys", json=body)
            refused = (409, "other_address") if lie == "origin" else (422, "bad_passkey")
            assert code(answer) == refused, lie
            assert code(await desk.post("/api/passkeys", json=body)) == (422, "bad_passkey")  # asked once
        assert len((await desk.get("/api/passkeys")).json()["passkeys"]) == 1
    assert len(told(world, "passkey.refused")) == 14


async def test_a_page_at_another_address_is_told_which_setting_to_mend(world, here):
    async with here(world.user()) as desk:
        desk.headers["Origin"] = "https://desk.example"
        for path, body in (
            ("/api/session/passkey/options", ALONE),
            ("/api/passkeys/options", {}),
            ("/api/passkeys/proof", {}),
        ):
            answer = await desk.post(path, json=body)
            assert code(answer) == (409, "other_address")
            assert f"only at {HOME}" in answer.json()["error"]["message"]
            assert "desk_url" in answer.json()["error"]["message"]
        desk.headers["Origin"] = HOME
        assert (await desk.post("/api/passkeys/options", json={})).status_code == 200


async def test_where_browsers_give_no_passkeys_the_relay_says_why_and_offers_none(world, client):
    relay = world.again(desk_url="http://192.0.2.7:8422")
    async with client(world.user(), relay) as desk:
        assert (await desk.get("/api/status")).json()["passkeys"] == ""
        assert (await desk.get("/api/passkeys")).json()["possible"] is False
        for path, body in (("/api/session/passkey/options", ALONE), ("/api/passkeys/options", {})):
            answer = await desk.post(path, json=body)
            assert code(answer) == (409, "no_passkeys_here")
            assert "desk_url" in answer.json()["error"]["message"]


async def test_an_account_has_at_most_ten_passkeys(world, here):
    async with here(world.user()) as desk:
        spare = SoftPasskey()
        before = (await desk.post("/api/passkeys/options", json={})).json()
        for number in range(MOST):
            await made(desk, name=f"Key {number}")
        assert code(await desk.post("/api/passkeys/options", json={})) == (409, "too_many_passkeys")
        answer = await desk.post("/api/passkeys", json=spare.make(before))
        assert answer.status_code in (409, 422)
        assert len((await desk.get("/api/passkeys")).json()["passkeys"]) == MOST


async def test_an_account_that_is_shut_out_or_forgotten_has_no_passkey_that_opens(world, here):
    async with here(world.user()) as desk, here(world.user("other")) as second_desk:
        phone, other = await made(desk), await made(second_desk)
        world.relay.users.disable("other")
        assert code(await sign_in(second_desk, other)) == (401, "wrong_passkey")
        world.relay.users.forget_factor("dr")
        assert code(await sign_in(desk, phone)) == (401, "wrong_passkey")
        assert (await password(desk)).json() == {"user": None, "next": "enrol"}
    with world.relay.database.read() as connection:
        assert [row.user_id for row in connection.execute(select(passkeys))] == ["other"]
    assert told(world, "session.wrong_passkey")[0].detail == "disabled"


async def test_a_passkey_from_training_days_still_sets_up_an_app_where_one_is_required(world, client):
    training = world.again(label="HTEST", second_factor="off")
    user = world.user()
    async with client(user, training) as desk:
        phone = await made(desk)
        assert (await sign_in(desk, phone)).json()["next"] == ""
    async with client() as desk:
        assert (await sign_in(desk, phone)).json() == {"user": None, "next": "enrol", "passkey": True}
        assert code(await desk.get("/api/inbox")) == (401, "not_signed_in")
        assert "secret" in (await desk.post("/api/session/factor")).json()


async def test_signing_in_by_passkey_counts_as_second_look_for_a_while(world, here, sent):
    study = sent()
    async with here(world.user()) as desk:
        phone = await made(desk)
        await sign_in(desk, phone)
        await desk.post(f"/api/cases/{study.id}/claim")
        answer = await desk.post(f"/api/cases/{study.id}/opinions", json=OPINION)
        assert answer.status_code == 201


async def test_a_half_open_session_gets_no_passkey_of_its_own(world, here):
    async with here() as desk:
        world.user()
        await password(desk)
        assert code(await desk.post("/api/passkeys/options", json={})) == (401, "not_signed_in")
        answer = await desk.post("/api/session/passkey/options", json=SECOND)
        assert code(answer) == (401, "not_signed_in")  # it lacks an app, not a code


async def test_parts_that_are_no_base64url_are_invalid(client):
    async with client() as desk:
        body = dict.fromkeys(("id", "client_data", "authenticator_data", "signature"), "AAAA")
        for part in body:
            for bad in ("!", "a", "é", ""):
                answer = await desk.post("/api/session/passkey", json=ALONE | {"passkey": body | {part: bad}})
                assert code(answer) == (422, "invalid"), (part, bad)


async def test_a_passkeys_name_is_one_to_three_score_letters_on_one_line(world, here):
    async with here(world.user()) as desk:
        body = SoftPasskey().make((await desk.post("/api/passkeys/options", json={})).json())
        for bad in ("", "  ", "x" * 61, "two\nlines", "nothing\0"):
            assert code(await desk.post("/api/passkeys", json=body | {"name": bad})) == (422, "invalid")
        kept = await desk.post("/api/passkeys", json=body | {"name": "هاتف العمل"})
        assert kept.json()["name"] == "هاتف العمل"


async def test_two_browsers_that_give_the_same_answer_at_once_get_one_session(world, here):
    async with here(world.user()) as desk:
        phone = await made(desk)
        options = (await desk.post("/api/session/passkey/options", json=ALONE)).json()
        body = ALONE | {"passkey": phone.answer(options)}
        answers = await asyncio.gather(*(desk.post("/api/session/passkey", json=body) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [200, 401, 401, 401]


async def test_passkeys_keep_no_private_half_and_name_nobody(world, here):
    async with here(world.user()) as desk:
        phone = await made(desk)
    secret = phone.key.private_numbers().private_value.to_bytes(32, "big")
    with world.relay.database.read() as connection:
        row = connection.execute(select(passkeys)).one()
    assert secret not in row.public_key
    assert b"dr" not in phone.handle
    assert open_session(world.relay, world.user("later"))
