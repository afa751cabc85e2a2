"""Who may use the desk's interface, and how it refuses everybody else."""

import pytest
from fastapi.routing import APIRoute

from chevet.relay.accounts.roles import ROLES
from chevet.relay.api.app import create_app

from .conftest import OPINION, PASSWORD, code, open_session

PUBLIC = {
    ("GET", "/health"),
    ("GET", "/api/status"),
    ("GET", "/api/session"),
    ("POST", "/api/session"),
    ("POST", "/api/session/code"),
    ("POST", "/api/session/password"),
    ("POST", "/api/session/factor"),
    ("POST", "/api/session/factor/confirm"),
    ("POST", "/api/session/passkey/options"),
    ("POST", "/api/session/passkey"),
    ("POST", "/api/oidc"),
    ("GET", "/api/oidc/callback"),
    ("POST", "/api/enrol"),
    ("POST", "/api/kept"),
}
"""What needs no open session; the middle three need a half-open one, of which they ask themselves."""
MAY = {
    ("GET", "/api/inbox"): {"specialist", "coordinator"},
    ("GET", "/api/cases/{case_id}"): {"specialist"},
    ("POST", "/api/cases/{case_id}/claim"): {"specialist"},
    ("POST", "/api/cases/{case_id}/release"): {"specialist"},
    ("POST", "/api/cases/{case_id}/want"): {"specialist"},
    ("GET", "/api/cases/{case_id}/delivery"): {"specialist", "coordinator", "auditor"},
    ("GET", "/api/refused"): {"specialist", "coordinator", "auditor"},
    ("GET", "/api/cases/{case_id}/recordings/{recording_id}/waveform"): {"specialist"},
    ("GET", "/api/cases/{case_id}/recordings/{recording_id}/sound"): {"specialist"},
    ("GET", "/api/cases/{case_id}/recordings/{recording_id}/pictures/{number}"): {"specialist"},
    ("GET", "/api/cases/{case_id}/recordings/{recording_id}/clip"): {"specialist"},
    ("GET", "/api/cases/{case_id}/recordings/{recording_id}/source"): {"specialist"},
    ("GET", "/api/cases/{case_id}/export"): {"specialist"},
    ("GET", "/fhir/metadata"): {"specialist", "auditor"},
    ("GET", "/fhir/AuditEvent"): {"auditor"},
    ("GET", "/fhir/{kind}"): {"specialist"},
    ("GET", "/fhir/{kind}/{ident}"): {"specialist"},
    ("GET", "/api/cases/{case_id}/earlier"): {"specialist"},
    ("GET", "/api/cases/{case_id}/recordings/{recording_id}/marks"): {"specialist"},
    ("GET", "/api/cases/{case_id}/recordings/{recording_id}/print"): {"specialist"},
    ("GET", "/api/cases/{case_id}/recordings/{recording_id}/sound/without-heart"): {"specialist"},
    ("GET", "/api/cases/{case_id}/recordings/{recording_id}/pictures/{number}/enhanced"): {"specialist"},
    ("GET", "/api/cases/{case_id}/recordings/{recording_id}/clip/frames"): {"specialist"},
    ("GET", "/api/cases/{case_id}/recordings/{recording_id}/clip/frames/{number}"): {"specialist"},
    ("PUT", "/api/cases/{case_id}/recordings/{recording_id}/drawings/{number}"): {"specialist"},
    ("POST", "/api/cases/{case_id}/opinions"): {"specialist"},
    ("POST", "/api/cases/{case_id}/messages"): {"specialist"},
    ("PUT", "/api/cases/{case_id}/draft"): {"specialist"},
    ("DELETE", "/api/cases/{case_id}/draft"): {"specialist"},
    ("POST", "/api/cases/{case_id}/keep"): {"specialist"},
    ("GET", "/api/kept"): set(ROLES),
    ("DELETE", "/api/kept/{device_id}"): set(ROLES),
    ("POST", "/api/cases/{case_id}/voice"): {"specialist"},
    ("GET", "/api/cases/{case_id}/voices/{voice_id}"): {"specialist"},
    ("POST", "/api/cases/{case_id}/glass"): {"coordinator"},
    ("POST", "/api/cases/{case_id}/withdrawal"): {"specialist", "coordinator"},
    ("GET", "/api/glass"): {"coordinator", "auditor"},
    ("POST", "/api/glass/{number}/review"): {"auditor"},
    ("GET", "/api/cases/{case_id}/teaching"): {"specialist"},
    ("POST", "/api/cases/{case_id}/teaching"): {"specialist"},
    ("GET", "/api/teaching"): {"specialist", "coordinator", "expert"},
    ("GET", "/api/teaching/{teaching_id}"): {"specialist", "coordinator", "expert"},
    ("GET", "/api/teaching/{teaching_id}/answer"): {"specialist", "coordinator", "expert"},
    ("POST", "/api/teaching/{teaching_id}/approve"): {"specialist"},
    ("DELETE", "/api/teaching/{teaching_id}"): {"specialist", "coordinator"},
    ("GET", "/api/teaching/{teaching_id}/export"): {"specialist"},
    **{
        ("GET", f"/api/teaching/{{teaching_id}}/recordings/{{recording_id}}/{what}"): {
            "specialist",
            "coordinator",
            "expert",
        }
        for what in ("waveform", "sound", "pictures/{number}", "clip")
    },
    ("GET", "/api/discussions"): {"specialist", "coordinator", "expert"},
    ("GET", "/api/experts"): {"specialist", "coordinator"},
    ("GET", "/api/cases/{case_id}/discussions"): {"specialist"},
    ("POST", "/api/cases/{case_id}/discussions"): {"specialist", "coordinator"},
    ("PUT", "/api/cases/{case_id}/discussions/{discussion_id}"): {"specialist", "coordinator"},
    ("POST", "/api/cases/{case_id}/discussions/{discussion_id}/members"): {"specialist", "coordinator"},
    ("DELETE", "/api/cases/{case_id}/discussions/{discussion_id}/members/{user_id}"): {
        "specialist",
        "coordinator",
    },
    ("PUT", "/api/cases/{case_id}/discussions/{discussion_id}/draft"): {
        "specialist",
        "coordinator",
        "expert",
    },
    ("POST", "/api/cases/{case_id}/discussions/{discussion_id}/comments"): {
        "specialist",
        "coordinator",
        "expert",
    },
    ("PUT", "/api/cases/{case_id}/discussions/{discussion_id}/comments/{said_id}"): {
        "specialist",
        "coordinator",
        "expert",
    },
    ("DELETE", "/api/cases/{case_id}/discussions/{discussion_id}/comments/{said_id}"): {
        "specialist",
        "coordinator",
        "expert",
    },
    ("POST", "/api/cases/{case_id}/discussions/{discussion_id}/close"): {"specialist", "coordinator"},
    ("GET", "/api/colleagues"): {"specialist", "coordinator"},
    ("GET", "/api/allocation"): {"coordinator"},
    ("POST", "/api/cases/{case_id}/allocation"): {"coordinator"},
    ("POST", "/api/cases/{case_id}/handover"): {"specialist"},
    ("POST", "/api/cases/{case_id}/snooze"): {"specialist"},
    ("GET", "/api/report"): {"coordinator", "auditor"},
    ("GET", "/api/report/file"): {"coordinator", "auditor"},
    ("GET", "/api/programme/people"): {"site-admin", "coordinator"},
    ("POST", "/api/programme/people"): {"site-admin"},
    ("PUT", "/api/programme/people/{user_id}"): {"site-admin"},
    ("POST", "/api/programme/people/{user_id}/acts"): {"site-admin"},
    ("GET", "/api/programme/sites"): {"site-admin", "coordinator"},
    ("POST", "/api/programme/sites"): {"site-admin"},
    ("PUT", "/api/programme/sites/{site_code}"): {"site-admin"},
    ("PUT", "/api/programme/sites/{site_code}/stock"): {"site-admin", "coordinator"},
    ("POST", "/api/programme/sites/{site_code}/revocation"): {"site-admin"},
    ("PUT", "/api/password"): set(ROLES),
    ("GET", "/api/on-call"): {"specialist", "coordinator"},
    ("POST", "/api/on-call"): {"coordinator"},
    ("DELETE", "/api/on-call/{number}"): {"coordinator"},
    ("GET", "/api/contact"): set(ROLES),
    ("PUT", "/api/contact"): set(ROLES),
    ("GET", "/api/push"): set(ROLES),
    ("POST", "/api/push"): set(ROLES),
    ("DELETE", "/api/push/{number}"): set(ROLES),
    ("POST", "/api/push/{number}/trial"): set(ROLES),
    ("GET", "/api/sealed/words"): {"specialist", "coordinator"},
    ("PUT", "/api/sealed/key"): {"specialist"},
    ("GET", "/api/sealed/keys"): {"coordinator"},
    ("GET", "/api/sealed/colleagues"): {"specialist"},
    ("PUT", "/api/sealed/cases/{case_id}/wraps"): {"specialist"},
    ("POST", "/api/sealed/keys/{user_id}/confirm"): {"coordinator"},
    ("POST", "/api/sealed/keys/{user_id}/revoke"): {"coordinator"},
    ("GET", "/api/sealed/cases"): {"specialist", "coordinator"},
    ("GET", "/api/sealed/cases/{case_id}"): {"specialist"},
    ("GET", "/api/sealed/cases/{case_id}/bundles/{bundle_id}/{oid}"): {"specialist"},
    ("POST", "/api/sealed/cases/{case_id}/opened"): {"specialist"},
    ("POST", "/api/sealed/cases/{case_id}/{what}"): {"specialist"},
    ("PUT", "/api/sealed/cases/{case_id}/answers"): {"specialist"},
    ("DELETE", "/api/session"): set(ROLES),
    ("GET", "/api/passkeys"): set(ROLES),
    ("POST", "/api/passkeys"): set(ROLES),
    ("POST", "/api/passkeys/proof"): set(ROLES),
    ("POST", "/api/passkeys/options"): set(ROLES),
    ("POST", "/api/passkeys/{passkey_id}/removal"): set(ROLES),
    ("GET", "/api/sessions"): set(ROLES),
    ("DELETE", "/api/sessions"): set(ROLES),
    ("DELETE", "/api/sessions/{session_id}"): set(ROLES),
}


def every_endpoint(app):
    """(method, path) of every API route, however deep the framework nests its routers."""
    found = set()

    def walk(routes):
        for route in routes:
            inner = getattr(route, "original_router", None) or getattr(route, "router", None)
            if isinstance(route, APIRoute):
                found.update((method, route.path) for method in route.methods)
            elif inner is not None:
                walk(inner.routes)

    walk(app.routes)
    return found


IDS = {
    "case_id": "c",
    "recording_id": "r",
    "session_id": "s",
    "passkey_id": "p",
    "user_id": "u",
    "bundle_id": "b",
    "oid": 0,
    "voice_id": "v",
    "device_id": "d",
    "site_code": "tamda",
}


def filled(path, **ids):
    more = {"number": 0, "what": "claim", "kind": "Patient", "ident": "c.patient"}
    return path.format(**IDS | {"discussion_id": "d", "said_id": "w", "teaching_id": "t"} | more | ids)


def test_every_endpoint_says_who_may_use_it(world):
    assert every_endpoint(create_app(world.relay)) == PUBLIC | MAY.keys()


async def test_without_a_session_every_endpoint_refuses(world, client):
    async with client() as desk:
        for method, path in MAY:
            assert code(await desk.request(method, filled(path), json=OPINION)) == (401, "not_signed_in"), (
                path
            )


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_may_only_what_is_written(world, client, role):
    user = world.user(f"a-{role}", role)
    async with client(user) as desk:
        for (method, path), roles in MAY.items():
            if path.startswith("/api/session"):
                continue
            answer = await desk.request(method, filled(path), json={})
            refused = answer.status_code == 403
            assert refused == (role not in roles), (method, path, answer.text)
            if refused:
                assert code(answer) == (403, "not_allowed")


async def test_sign_in_gives_a_guarded_cookie_and_sign_out_ends_it(world, client):
    world.user()
    async with client() as desk:
        answer = await desk.post("/api/session", json={"user": "dr", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert answer.json() == {"user": None, "next": "enrol"}
        desk.cookies.clear()
        desk.cookies.set("chevet_desk", open_session(world.relay, world.relay.users.list()[0].user))
        assert (await desk.get("/api/session")).json()["user"]["id"] == "dr"
        stolen = dict(desk.cookies)
        assert (await desk.delete("/api/session")).status_code == 204
        desk.cookies.update(stolen)
        assert (await desk.get("/api/session")).json() == {"user": None, "next": ""}
        assert code(await desk.delete("/api/session")) == (401, "not_signed_in")


async def test_five_wrong_passwords_make_even_the_right_one_wait(world, client):
    world.user()
    async with client() as desk:
        for _ in range(5):
            answer = await desk.post("/api/session", json={"user": "dr", "password": "wrong"})
            assert code(answer) == (401, "wrong_password")
        right = {"user": "dr", "password": PASSWORD}
        assert code(await desk.post("/api/session", json=right)) == (429, "too_many_attempts")
        world.clock.ms += 61_000
        assert (await desk.post("/api/session", json=right)).status_code == 200


async def test_an_unknown_user_is_answered_like_a_wrong_password(world, client):
    async with client() as desk:
        answers = [await desk.post("/api/session", json={"user": "ghost", "password": "x"}) for _ in range(6)]
        assert [code(answer)[1] for answer in answers] == ["wrong_password"] * 5 + ["too_many_attempts"]


async def test_a_session_ends_after_twelve_hours_and_with_its_account(world, client):
    user, other = world.user(), world.user("other")
    async with client(user) as desk, client(other) as second:
        world.relay.users.disable("other")
        assert (await second.get("/api/inbox")).status_code == 401
        assert (
            await second.post("/api/session", json={"user": "other", "password": PASSWORD})
        ).status_code == 401
        world.clock.ms += 12 * 3600 * 1000
        assert (await desk.get("/api/inbox")).status_code == 401


async def test_calls_that_change_something_need_our_header(world, client, sent):
    study, user = sent(), world.user()
    async with client(user) as desk:
        del desk.headers["X-Chevet"]
        assert code(await desk.post(f"/api/cases/{study.id}/claim")) == (403, "wrong_origin")
        assert (await desk.get("/api/inbox")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"user": "dr", "password": "x"',
        b'{"user": "dr", "password": "x", "admin": true}',
        b'{"user": 7, "password": "x"}',
        b'{"user": "dr"}',
        b"[]",
        b"\xff\xfe",
        b"null",
    ],
)
async def test_unknown_fields_wrong_types_and_truncated_bodies_are_invalid(world, client, body):
    async with client() as desk:
        answer = await desk.post("/api/session", content=body, headers={"content-type": "application/json"})
        assert code(answer) == (422, "invalid")


async def test_bodies_over_64_kib_are_refused_declared_or_streamed(world, client):
    async def stream():
        for _ in range(70):
            yield b" " * 1024

    async with client() as desk:
        assert code(await desk.post("/api/session", content=b" " * 65537)) == (413, "too_large")
        streamed = await desk.post(
            "/api/session", content=stream(), headers={"content-type": "application/json"}
        )
        assert code(streamed) == (413, "too_large")
        assert code(await desk.post("/api/session", headers={"content-length": "lots"})) == (413, "too_large")


async def test_every_answer_carries_the_security_headers(world, client):
    async with client() as desk:
        for path in ("/api/status", "/api/nothing", "/", "/shared/nothing"):
            headers = (await desk.get(path)).headers
            assert headers["content-security-policy"].startswith(
                "default-src 'self'; img-src 'self' blob: data:"
            )
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
        assert "Not a medical device" in (await desk.get("/api/status")).headers["x-chevet-statement"]
        assert code(await desk.get("/api/nothing")) == (404, "not_found")
        assert code(await desk.put("/api/status")) == (405, "not_allowed")
