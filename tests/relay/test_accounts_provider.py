"""Signing in by an identity provider that really runs: what is taken, and every lie that is refused."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from chevet.relay.accounts.provider import FRESH_MS, KEYS_AGAIN_MS, MAX_ANSWER
from chevet.relay.accounts.provider_sign_in import AWAY_MS
from chevet.relay.archive.schema import audit, users
from chevet.relay.archive.schema_sign_in import provider_links
from chevet.relay.commands import doctor
from chevet.relay.errors import SettingsError
from chevet.relay.settings import read_settings

from .conftest import OPINION, PASSWORD, app_code, code, open_session
from .local_provider import CLIENT, SECRET, LocalProvider, running
from .soft_passkey import SoftPasskey

HOME = "http://desk"
"""Where the test's client opens the desk."""


@pytest.fixture(scope="module")
def served():
    with running(LocalProvider()) as provider:
        yield provider


@pytest.fixture
def provider(served, world):
    """The provider as new, on the world's clock."""
    fresh = LocalProvider(url=served.url, clock=lambda: world.clock.ms / 1000)
    served.__dict__.update(fresh.__dict__)
    return served


@pytest.fixture
def open_relay(world, provider):
    """Open the relay with the provider's settings and more."""

    def opened(**more):
        secret = world.folder / "client"
        secret.write_text(SECRET + "\n")
        own = {"oidc_issuer": provider.url, "oidc_client_id": CLIENT, "oidc_client_secret_file": secret}
        return world.again(**({"desk_url": HOME} | own | more))

    return opened


async def away(desk):
    """Go to the provider, sign in there; return the address the browser is sent back to."""
    begun = await desk.post("/api/oidc")
    assert begun.status_code == 200, begun.text
    async with httpx.AsyncClient(verify=False, timeout=60) as browser:  # loading authorities takes longer
        return (await browser.get(begun.json()["to"])).headers["location"]


async def sign_in(desk):
    """Go and come back; return where the browser ends."""
    answer = await desk.get(await away(desk))
    assert answer.status_code == 303
    return answer.headers["location"]


def told(world, what):
    with world.relay.database.read() as connection:
        return connection.execute(select(audit).where(audit.c.what == what)).all()


async def test_who_the_provider_knows_is_let_in_and_still_gives_our_second_factor(world, client, open_relay):
    relay = open_relay()
    user = world.user()
    open_session(relay, user)
    async with client(relay=relay) as desk:
        assert (await desk.get("/api/status")).json()["provider"] == "127.0.0.1"
        begun = await desk.post("/api/oidc")
        assert "HttpOnly" in begun.headers["set-cookie"]
        assert "SameSite=lax" in begun.headers["set-cookie"]
        asked = parse_qs(urlsplit(begun.json()["to"]).query)
        assert asked["tenant"] == ["1"]
        assert asked["scope"] == ["openid profile email"]
        assert asked["redirect_uri"] == [f"{HOME}/api/oidc/callback"]
        answer = await desk.get(await away(desk))
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert any(
            "chevet_desk=" in one and "SameSite=strict" in one
            for one in answer.headers.get_list("set-cookie")
        )
        assert (await desk.get("/api/session")).json() == {"user": None, "next": "code"}
        assert code(await desk.get("/api/inbox")) == (401, "not_signed_in")
        world.clock.ms += 30_000
        given = await desk.post("/api/session/code", json={"code": app_code(relay, user)})
        assert given.json()["user"]["id"] == "dr"
    assert told(world, "provider.link")[0].who == "dr"
    assert told(world, "session.provider")[0].who == "dr"


async def test_who_has_no_app_yet_sets_one_up_first_whatever_the_provider_asked(
    world, client, open_relay, provider
):
    world.user()
    provider.person["amr"] = ["mfa"]
    async with client(relay=open_relay(oidc_second_factor="provider")) as desk:
        assert await sign_in(desk) == "/"
        assert (await desk.get("/api/session")).json() == {"user": None, "next": "enrol"}
        assert "secret" in (await desk.post("/api/session/factor")).json()


async def test_the_providers_second_factor_signs_in_where_it_may_but_never_an_opinion(
    world, client, open_relay, provider, sent
):
    study = sent()
    relay = open_relay(oidc_second_factor="provider", oidc_acr=("gold",))
    user = world.user()
    open_session(relay, user)
    async with client(relay=relay) as desk:
        for person, stage in (
            ({"amr": ["pwd"]}, "code"),
            ({"amr": "mfa"}, "code"),
            ({"amr": None, "acr": "silver"}, "code"),
            ({"amr": ["pwd", "otp"]}, ""),
            ({"amr": None, "acr": "gold"}, ""),
        ):
            provider.person |= person
            assert await sign_in(desk) == "/"
            assert (await desk.get("/api/session")).json()["next"] == stage, person
        await desk.post(f"/api/cases/{study.id}/claim")
        where = f"/api/cases/{study.id}/opinions"
        assert code(await desk.post(where, json=OPINION)) == (401, "second_factor_needed")
        assert code(await desk.post("/api/passkeys/x/removal", json={})) == (401, "second_factor_needed")
        world.clock.ms += 30_000
        assert (await desk.post(where, json=OPINION | {"code": app_code(relay, user)})).status_code == 201


async def test_a_relay_that_trusts_no_other_factor_asks_for_its_own_after_any(
    world, client, open_relay, provider
):
    relay = open_relay()
    open_session(relay, world.user())
    provider.person["amr"] = ["mfa", "otp", "hwk"]
    async with client(relay=relay) as desk:
        assert await sign_in(desk) == "/"
        assert (await desk.get("/api/session")).json()["next"] == "code"


LIES = {
    "another issuer": {"claims": {"iss": "https://id.example"}},
    "no issuer": {"claims": {"iss": None}},
    "another client": {"claims": {"aud": "somebody else"}},
    "several clients and none that asked": {"claims": {"aud": [CLIENT, "other"]}},
    "another party": {"claims": {"azp": "other"}},
    "another nonce": {"claims": {"nonce": "AAAA"}},
    "no nonce": {"claims": {"nonce": None}},
    "over": {"claims": {"exp": 1_000_000_000}},
    "no end": {"claims": {"exp": None}},
    "an end that is no time": {"claims": {"exp": True}},
    "made long ago": {"claims": {"iat": 1_000_000_000}},
    "made tomorrow": {"claims": {"iat": 4_000_000_000}},
    "nobody": {"claims": {"sub": None}},
    "an endless name": {"claims": {"sub": "x" * 256}},
    "no signature": {"forged": "none"},
    "the public key as a shared secret": {"forged": "hmac"},
    "somebody else's key": {"forged": "key"},
}


async def test_every_token_that_lies_is_refused(world, client, open_relay, provider):
    world.user()
    async with client(relay=open_relay()) as desk:
        for lie, change in LIES.items():
            provider.__dict__.update({"claims": {}, "forged": ""} | change)
            assert await sign_in(desk) == "/#/sign-in/oidc_token", lie
            assert (await desk.get("/api/session")).json() == {"user": None, "next": ""}
        provider.__dict__.update({"claims": {"aud": [CLIENT, "other"], "azp": CLIENT}, "forged": ""})
        assert await sign_in(desk) == "/"
    assert {row.detail for row in told(world, "session.wrong_provider")} == {"oidc_token"}
    assert len(told(world, "session.wrong_provider")) == len(LIES)


async def test_an_answer_without_this_browsers_try_is_refused(world, client, open_relay, provider):
    world.user()
    relay = open_relay()
    async with client(relay=relay) as desk, client(relay=relay) as thief:
        for change in ("no state", "another state", "no cookie", "late", "twice"):
            back = await away(desk)
            if change == "no state":
                back = back.partition("&state=")[0]
            elif change == "another state":
                back += "x"
            elif change == "late":
                world.clock.ms += AWAY_MS
            elif change == "twice":
                tried = dict(desk.cookies)
                assert (await desk.get(back)).headers["location"] == "/"
                desk.cookies.clear()
                desk.cookies.update(tried)
            browser = thief if change == "no cookie" else desk
            answer = await browser.get(back)
            assert answer.headers["location"] == "/#/sign-in/oidc_state", change
        assert (await thief.get("/api/oidc/callback")).headers["location"] == "/#/sign-in/oidc_state"
    assert provider.seen.count("token") == 1  # nothing was asked of the provider for the others


async def test_new_keys_of_the_provider_are_found_but_not_looked_for_without_end(
    world, client, open_relay, provider
):
    world.user()
    async with client(relay=open_relay()) as desk:
        assert await sign_in(desk) == "/"
        assert provider.seen == ["description", "token", "keys"]
        assert await sign_in(desk) == "/"
        assert provider.seen.count("keys") == provider.seen.count("description") == 1
        provider.rotate()
        assert await sign_in(desk) == "/#/sign-in/oidc_token"  # looked a moment ago
        world.clock.ms += KEYS_AGAIN_MS
        assert await sign_in(desk) == "/"
        assert provider.seen.count("keys") == 2
        world.clock.ms += FRESH_MS
        assert await sign_in(desk) == "/"
        assert provider.seen.count("description") == 2


async def test_the_account_is_that_person_from_the_first_time_on(world, client, open_relay, provider):
    world.user(), world.user("other")
    relay = open_relay()
    async with client(relay=relay) as desk:
        assert await sign_in(desk) == "/"
        provider.person["preferred_username"] = "other"  # a new name over there is no other account here
        assert await sign_in(desk) == "/"
        assert [row.who for row in told(world, "session.provider")] == ["dr", "dr"]
        provider.person |= {"sub": "person-2", "preferred_username": "dr"}
        assert await sign_in(desk) == "/#/sign-in/oidc_other"
        relay.users.forget_provider("dr")
        assert await sign_in(desk) == "/"
    with world.relay.database.read() as connection:
        links = connection.execute(select(provider_links)).all()
    assert [(row.issuer, row.subject, row.user_id) for row in links] == [(provider.url, "person-2", "dr")]
    with pytest.raises(SettingsError, match="no user"):
        relay.users.forget_provider("ghost")


async def test_who_has_no_account_here_or_a_disabled_one_is_not_let_in(world, client, open_relay, provider):
    relay = open_relay(oidc_claim="email")
    async with client(relay=relay) as desk:
        assert await sign_in(desk) == "/#/sign-in/oidc_claim"
        provider.person |= {"email": "dr", "email_verified": "yes"}
        assert await sign_in(desk) == "/#/sign-in/oidc_claim"
        provider.person["email_verified"] = True
        assert await sign_in(desk) == "/#/sign-in/oidc_nobody"
        world.user()
        assert await sign_in(desk) == "/"
        relay.users.disable("dr")
        assert await sign_in(desk) == "/#/sign-in/oidc_nobody"
    with world.relay.database.read() as connection:
        assert len(connection.execute(select(users)).all()) == 1  # none was made


async def test_accounts_are_made_only_where_a_setting_says_so_and_with_the_role_it_says(
    world, client, open_relay, provider
):
    relay = open_relay(oidc_new_accounts=True, oidc_roles={"chevet audit": "auditor", "staff": "coordinator"})
    provider.person |= {"preferred_username": "m.idrissi", "name": "M. Idrissi"}
    async with client(relay=relay) as desk:
        for groups in (None, [], ["visitors"], "specialist", [{"chevet audit": 1}]):
            provider.person["groups"] = groups
            assert await sign_in(desk) == "/#/sign-in/oidc_nobody"
        provider.person["groups"] = ["staff", "chevet audit"]
        assert await sign_in(desk) == "/"
        assert (await desk.get("/api/session")).json()["next"] == "enrol"
        provider.person |= {"groups": ["staff"]}
        assert await sign_in(desk) == "/"
        provider.person |= {"sub": "person-9", "preferred_username": "a b/c"}
        assert await sign_in(desk) == "/#/sign-in/oidc_claim"
    made = [(one.user.id, one.user.name, one.user.role) for one in world.relay.users.list()]
    assert made == [("m.idrissi", "M. Idrissi", "auditor")]  # roles of accounts that exist stay
    assert told(world, "user.add")[0].who == "provider"


async def test_what_the_provider_refuses_is_said_plainly(world, client, open_relay, provider):
    world.user()
    async with client(relay=open_relay()) as desk:
        provider.denies = "access_denied"
        assert await sign_in(desk) == "/#/sign-in/oidc_denied"
        provider.denies = "<script>"
        assert await sign_in(desk) == "/#/sign-in/oidc_refused"
        provider.denies, provider.secret = "", "changed over there"
        assert await sign_in(desk) == "/#/sign-in/oidc_refused"
        provider.secret, provider.describes = (
            SECRET,
            {"token_endpoint_auth_methods_supported": ["client_secret_post"]},
        )
        world.clock.ms += FRESH_MS
        assert await sign_in(desk) == "/"
        provider.describes = {"authorization_response_iss_parameter_supported": True}
        world.clock.ms += FRESH_MS
        assert await sign_in(desk) == "/#/sign-in/oidc_token"  # it says that it names itself, and did not
        back = await away(desk)
        assert (await desk.get(f"{back}&iss={provider.url}")).headers["location"] == "/"


async def test_a_client_without_secret_sends_none(world, client, open_relay, provider):
    world.user()
    provider.secret = None
    async with client(relay=open_relay(oidc_client_secret_file=None)) as desk:
        assert await sign_in(desk) == "/"


async def test_a_provider_that_cannot_be_used_is_one_sentence(world, client, open_relay, provider):
    async with client(relay=open_relay()) as desk:
        for wrong in (
            {"issuer": "https://id.example"},
            {"authorization_endpoint": "http://id.example/authorize"},
            {"authorization_endpoint": 7},
            {"padding": "x" * MAX_ANSWER},
        ):
            provider.describes = wrong
            answer = await desk.post("/api/oidc")
            assert code(answer) == (503, "oidc_unreachable"), wrong
            assert answer.json()["error"]["message"].startswith("The identity provider ")
            world.clock.ms += FRESH_MS
    nowhere = open_relay(oidc_issuer="http://127.0.0.1:9")
    async with client(relay=nowhere) as desk:
        assert code(await desk.post("/api/oidc")) == (503, "oidc_unreachable")


def test_the_doctor_says_where_passkeys_work_and_whether_the_provider_answers(world, provider, open_relay):
    passkeys, provided = doctor.CHECKS["passkeys"], doctor.CHECKS["sign-in by"]
    assert "http://localhost:8422 alone: set desk_url" in passkeys(world.settings)
    assert provided(world.settings) == "none is set"
    settings = open_relay().settings
    assert passkeys(settings).startswith(f"none at {HOME}: browsers want https")
    assert f"codes go to {provider.url}/token" in provided(settings)
    provider.keys = []
    with pytest.raises(doctor.Problem, match=r"has no keys that sign\. Check oidc_issuer"):
        provided(settings)


async def test_without_a_provider_or_at_another_address_nobody_is_sent_away(world, client, open_relay):
    async with client() as desk:
        assert (await desk.get("/api/status")).json()["provider"] == ""
        assert code(await desk.post("/api/oidc")) == (404, "not_found")
        assert code(await desk.get("/api/oidc/callback")) == (404, "not_found")
    async with client(relay=open_relay(oidc_name="Ministry")) as desk:
        assert (await desk.get("/api/status")).json()["provider"] == "Ministry"
        answer = await desk.post("/api/oidc", headers={"Origin": "http://127.0.0.1:8422"})
        assert code(answer) == (409, "other_address")


async def test_wrong_answers_from_one_address_are_braked(world, client, open_relay, monkeypatch):
    monkeypatch.setattr("chevet.relay.accounts.brake.ADDRESS_MOST", 3)
    world.user()
    async with client(relay=open_relay()) as desk:
        for _ in range(3):
            await desk.get("/api/oidc/callback")
        assert await sign_in(desk) == "/#/sign-in/too_many_attempts"
        world.clock.ms += 11 * 60_000
        assert await sign_in(desk) == "/"


async def test_a_passkey_may_follow_the_provider(world, client, open_relay):
    relay = open_relay(desk_url="http://localhost:8422")
    phone = SoftPasskey()
    async with client(world.user(), relay) as desk:
        options = (await desk.post("/api/passkeys/options", json={})).json()
        await desk.post("/api/passkeys", json=phone.make(options))
    async with client(relay=relay) as desk:
        back = urlsplit(await away(desk))
        await desk.get(f"{back.path}?{back.query}")
        assert (await desk.get("/api/session")).json() == {"user": None, "next": "code", "passkey": True}
        options = (await desk.post("/api/session/passkey/options", json={"to": "second"})).json()
        body = {"to": "second", "passkey": phone.answer(options)}
        assert (await desk.post("/api/session/passkey", json=body)).json()["user"]["id"] == "dr"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('desk_url = "desk.example"', "https://desk.example"),
        ('oidc_issuer = "https://id.example"', "desk_url"),
        ('desk_url = "https://d.example"\noidc_issuer = "http://id.example"', "https"),
        ('desk_url = "https://d.example"\noidc_issuer = "https://id.example"', "client id"),
        ('oidc_roles = {staff = "specialist"}', "user add"),
        ("oidc_new_accounts = true", "oidc_roles"),
        ('oidc_second_factor = "none"', "oidc_second_factor"),
    ],
)
def test_a_setting_that_cannot_be_used_names_the_remedy(tmp_path, text, says):
    config = tmp_path / "relay.toml"
    config.write_text(text + "\n")
    with pytest.raises(SettingsError, match=says):
        read_settings(config)


def test_the_clients_secret_is_read_from_its_file_beside_the_configuration(tmp_path):
    config = tmp_path / "relay.toml"
    config.write_text(
        'desk_url = "https://d.example"\noidc_issuer = "https://id.example"\noidc_client_id = "c"\n'
        'oidc_client_secret_file = "client"\n'
    )
    (tmp_path / "client").write_text("hidden\n")
    settings = read_settings(config)
    assert settings.secret("oidc_client_secret_file") == "hidden"
    assert PASSWORD not in repr(settings)
