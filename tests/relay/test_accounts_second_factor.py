"""The second factor: codes as the standard has them, enrolment, recovery, and signing with it."""

import base64
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from chevet.relay.accounts.totp import STEP_S, code_at, matching_step, step_at, uri
from chevet.relay.archive.schema import audit, recovery_codes, second_factors
from chevet.relay.errors import SettingsError
from chevet.relay.settings import read_settings

from .conftest import OPINION, PASSWORD, code

RFC_SECRET = b"12345678901234567890"
RFC_6238 = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
"""RFC 6238 appendix B, SHA-1: Unix seconds and the code of 8 digits."""
RFC_4226 = (755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489)
"""RFC 4226 appendix D: counters 0 to 9."""


@pytest.mark.parametrize(("at_s", "expected"), RFC_6238.items())
def test_codes_are_those_of_the_standards_table(at_s, expected):
    assert code_at(RFC_SECRET, step_at(at_s * 1000), 8) == expected


def test_counters_give_the_standards_codes():
    assert tuple(int(code_at(RFC_SECRET, counter)) for counter in range(10)) == RFC_4226


@settings(max_examples=50)
@given(st.binary(min_size=10, max_size=40), st.integers(10**6, 2**42), st.integers(-3, 3))
def test_a_code_is_taken_one_step_early_or_late_and_no_more(secret, now_ms, off):
    step = step_at(now_ms) + off
    found = matching_step(secret, code_at(secret, step), now_ms, -10)
    if abs(off) <= 1:
        assert found is not None
        assert code_at(secret, found) == code_at(secret, step)
    else:
        near = {code_at(secret, step_at(now_ms) + d) for d in (-1, 0, 1)}
        assert (found is None) == (code_at(secret, step) not in near)


def test_the_qr_names_programme_and_user_so_that_any_app_reads_it():
    parts = urlsplit(uri(RFC_SECRET, "Programme Été & Co", "k.amrani"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/Programme Été & Co:k.amrani"
    said = parse_qs(parts.query)
    assert base64.b32decode(said["secret"][0]) == RFC_SECRET
    assert said["issuer"] == ["Programme Été & Co"]


class Phone:
    """An authenticator app: it knows the secret and the time, nothing else."""

    def __init__(self, world, secret):
        self.world, self.secret = world, base64.b32decode(secret)

    def code(self):
        return code_at(self.secret, step_at(self.world.clock.ms))

    def next_code(self):
        self.world.clock.ms += STEP_S * 1000
        return self.code()


async def password(desk, user="dr"):
    return await desk.post("/api/session", json={"user": user, "password": PASSWORD})


async def enrolled(world, desk, user="dr"):
    """Sign in for the first time; return the phone and the recovery codes."""
    world.user(user)
    assert (await password(desk, user)).json() == {"user": None, "next": "enrol"}
    begun = (await desk.post("/api/session/factor")).json()
    phone = Phone(world, begun["secret"])
    answer = await desk.post("/api/session/factor/confirm", json={"code": phone.code()})
    assert answer.json()["user"]["id"] == user
    return phone, answer.json()["recovery_codes"]


def told(world, what):
    with world.relay.database.read() as connection:
        return connection.execute(select(audit).where(audit.c.what == what)).all()


async def test_the_first_sign_in_enrols_an_app_and_hands_out_recovery_codes(world, client):
    async with client() as desk:
        world.user()
        first = (await password(desk)).json()
        assert first == {"user": None, "next": "enrol"}
        assert (await desk.get("/api/session")).json() == {"user": None, "next": "enrol"}
        assert code(await desk.get("/api/inbox")) == (401, "not_signed_in")
        begun = (await desk.post("/api/session/factor")).json()
        assert begun["qr"].startswith("data:image/svg+xml")
        assert begun["secret"] not in begun["qr"]
        before = desk.cookies["chevet_desk"]
        phone = Phone(world, begun["secret"])
        wrong = await desk.post("/api/session/factor/confirm", json={"code": "000000"})
        assert code(wrong) == (401, "wrong_code")
        right = await desk.post("/api/session/factor/confirm", json={"code": phone.code()})
        assert right.json()["user"]["id"] == "dr"
        assert len(set(right.json()["recovery_codes"])) == 10
        assert desk.cookies["chevet_desk"] != before
        assert (await desk.get("/api/inbox")).status_code == 200
        desk.cookies.set("chevet_desk", before, domain="desk")
    assert world.relay.sign_in.user(before) is None


async def test_later_sign_ins_ask_for_a_code_and_take_each_once(world, client):
    async with client() as desk:
        phone, _ = await enrolled(world, desk)
        used = phone.code()
        assert (await password(desk)).json() == {"user": None, "next": "code"}
        assert code(await desk.get("/api/inbox")) == (401, "not_signed_in")
        replay = await desk.post("/api/session/code", json={"code": used})
        assert code(replay) == (401, "wrong_code")
        fresh = phone.next_code()
        spaced = f"{fresh[:3]} {fresh[3:]}"
        assert (await desk.post("/api/session/code", json={"code": spaced})).json()["next"] == ""
        await password(desk)
        assert code(await desk.post("/api/session/code", json={"code": fresh})) == (401, "wrong_code")
        assert code(await desk.post("/api/session/factor")) == (401, "not_signed_in")
    assert len(told(world, "session.wrong_code")) == 2


async def test_a_code_cannot_be_given_without_a_password_first(world, client):
    async with client() as desk:
        phone, _ = await enrolled(world, desk)
        desk.cookies.clear()
        assert code(await desk.post("/api/session/code", json={"code": phone.next_code()}))[0] == 401
        assert code(await desk.post("/api/session/factor")) == (401, "not_signed_in")
        assert code(await desk.post("/api/session/factor/confirm", json={"code": "1"}))[0] == 401


async def test_a_half_open_session_is_over_after_ten_minutes(world, client):
    async with client() as desk:
        phone, _ = await enrolled(world, desk)
        await password(desk)
        world.clock.ms += 10 * 60_000
        answer = await desk.post("/api/session/code", json={"code": phone.next_code()})
        assert code(answer) == (401, "not_signed_in")


async def test_a_recovery_code_opens_once_however_it_is_typed_and_is_in_the_audit(world, client):
    async with client() as desk:
        _, codes = await enrolled(world, desk)
        await password(desk)
        typed = codes[3].lower().replace("-", " ")
        assert (await desk.post("/api/session/code", json={"code": typed})).status_code == 200
        await password(desk)
        assert code(await desk.post("/api/session/code", json={"code": codes[3]})) == (401, "wrong_code")
        assert (await desk.post("/api/session/code", json={"code": codes[4]})).status_code == 200
    assert len(told(world, "factor.recovery")) == 2


async def test_digits_of_an_arabic_keyboard_are_digits(world, client):
    async with client() as desk:
        phone, _ = await enrolled(world, desk)
        await password(desk)
        arabic = phone.next_code().translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
        assert (await desk.post("/api/session/code", json={"code": arabic})).status_code == 200


async def test_a_recovery_code_of_one_account_opens_no_other(world, client):
    async with client() as desk, client() as other:
        _, codes = await enrolled(world, desk)
        await enrolled(world, other, "second")
        await password(other, "second")
        assert code(await other.post("/api/session/code", json={"code": codes[0]})) == (401, "wrong_code")


async def test_five_wrong_codes_make_even_the_right_one_wait_and_a_password_does_not_help(world, client):
    async with client() as desk:
        phone, _ = await enrolled(world, desk)
        await password(desk)
        for _ in range(5):
            assert code(await desk.post("/api/session/code", json={"code": "000000"}))[1] == "wrong_code"
        braked = await desk.post("/api/session/code", json={"code": phone.next_code()})
        assert code(braked) == (429, "too_many_attempts")
        assert (await password(desk)).status_code == 200
        braked = await desk.post("/api/session/code", json={"code": phone.code()})
        assert code(braked) == (429, "too_many_attempts")
        world.clock.ms += 61_000
        assert (await desk.post("/api/session/code", json={"code": phone.next_code()})).status_code == 200


async def test_a_stolen_database_makes_no_codes(world, client):
    async with client() as desk:
        phone, codes = await enrolled(world, desk)
    with world.relay.database.read() as connection:
        row = connection.execute(select(second_factors)).one()
        kept = str(connection.execute(select(recovery_codes)).all())
    assert phone.secret not in row.secret
    assert not any(one in kept or one.replace("-", "") in kept for one in codes)


async def test_the_operator_takes_a_lost_app_away_and_the_next_sign_in_enrols(world, client):
    async with client() as desk:
        await enrolled(world, desk)
        world.relay.users.forget_factor("dr")
        assert (await desk.get("/api/inbox")).status_code == 401
        assert (await password(desk)).json()["next"] == "enrol"
    assert told(world, "user.forget_factor")[0].subject == "dr"
    with pytest.raises(SettingsError, match="no user"):
        world.relay.users.forget_factor("nobody")


async def test_signing_asks_for_the_second_factor_again_after_the_grace(world, client, sent):
    study = sent()
    async with client() as desk:
        phone, codes = await enrolled(world, desk)
        await desk.post(f"/api/cases/{study.id}/claim")
        where = f"/api/cases/{study.id}/opinions"
        assert (await desk.post(where, json=OPINION)).status_code == 201
        world.clock.ms += world.relay.sign_in.rules.grace_ms
        answer = await desk.post(where, json=OPINION)
        assert code(answer) == (401, "second_factor_needed")
        assert code(await desk.post(where, json=OPINION | {"code": "123"})) == (401, "wrong_code")
        assert (await desk.get("/api/inbox")).status_code == 200  # a refused code ends no session
        wrong = await desk.post(where, json=OPINION | {"password": "wrong", "code": phone.code()})
        assert code(wrong) == (401, "wrong_password")
        assert (await desk.post(where, json=OPINION | {"code": phone.code()})).status_code == 201
        assert (await desk.post(where, json=OPINION)).status_code == 201
        world.clock.ms += world.relay.sign_in.rules.grace_ms
        assert (await desk.post(where, json=OPINION | {"code": codes[0]})).status_code == 201
        said = (await desk.get(f"/api/cases/{study.id}")).json()["opinions"]
        assert [one["version"] for one in said] == [1, 2, 3, 4]


async def test_a_training_relay_may_go_without_and_says_so(world, client, sent):
    relay = world.again(label="HTEST", second_factor="off")
    study = sent(label="HTEST")
    world.user()
    async with client(relay=relay) as desk:
        status = (await desk.get("/api/status")).json()
        assert (status["label"], status["second_factor"]) == ("HTEST", "off")
        assert (await password(desk)).json()["user"]["id"] == "dr"
        await desk.post(f"/api/cases/{study.id}/claim")
        world.clock.ms += 50 * 60_000
        assert (await desk.post(f"/api/cases/{study.id}/opinions", json=OPINION)).status_code == 201


def test_a_clinical_relay_cannot_switch_the_second_factor_off(tmp_path, monkeypatch):
    config = tmp_path / "relay.toml"
    config.write_text('second_factor = "off"\n')
    with pytest.raises(SettingsError, match="label HTEST"):
        read_settings(config)
    config.write_text('label = "HTEST"\nsecond_factor = "off"\n')
    assert read_settings(config).second_factor == "off"
    monkeypatch.setenv("CHEVET_RELAY_SECOND_FACTOR", "off")
    config.write_text("")
    with pytest.raises(SettingsError, match="second_factor"):
        read_settings(config)
