"""Sessions that are listed, revoked and end; the brake on guessing; what the operator may do."""

import sqlite3

import httpx
import pytest
from sqlalchemy import func, select

from chevet.relay import cli
from chevet.relay.accounts import brake
from chevet.relay.accounts.rules import MINUTE_MS
from chevet.relay.api.app import create_app
from chevet.relay.archive.schema import failures, sessions
from chevet.relay.errors import RefusedError, SettingsError

from .conftest import PASSWORD, app_code, code, open_session

WRONG = {"user": "dr", "password": "wrong"}
RIGHT = {"user": "dr", "password": PASSWORD}


async def test_an_idle_session_ends_and_a_used_one_does_not_until_its_longest_time(world, client):
    idle, longest = world.relay.sign_in.rules.idle_ms, world.relay.sign_in.rules.longest_ms
    async with client(world.user()) as desk, client(world.user("other")) as left:
        for _ in range(longest // (idle - 1)):
            world.clock.ms += idle - 1
            assert (await desk.get("/api/inbox")).status_code == 200
        assert code(await left.get("/api/inbox")) == (401, "not_signed_in")
        world.clock.ms += idle - 1
        assert code(await desk.get("/api/inbox")) == (401, "not_signed_in")


async def test_an_open_line_alone_keeps_no_session_alive(world):
    token = open_session(world.relay, world.user())
    for _ in range(3):
        world.clock.ms += 25 * MINUTE_MS
        found = world.relay.sign_in.user(token, active=False)
    assert found is None


async def test_settings_say_how_long_sessions_last(world):
    relay = world.again(session_idle_minutes=2, session_hours=1)
    token = open_session(relay, world.user())
    world.clock.ms += 2 * MINUTE_MS
    assert relay.sign_in.user(token) is None
    assert relay.sign_in.rules.longest_ms == 60 * MINUTE_MS


async def test_a_person_sees_where_they_are_signed_in_and_ends_it_there(world, client):
    user, other = world.user(), world.user("other")
    phone = "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0"
    async with client(user) as desk, client() as second, client(other) as stranger:
        world.clock.ms += 30_000
        half = await second.post("/api/session", json=RIGHT, headers={"User-Agent": phone})
        assert half.json()["next"] == "code"
        await second.post("/api/session/code", json={"code": app_code(world.relay, user)})
        mine = (await second.get("/api/sessions")).json()["sessions"]
        assert [one["current"] for one in mine].count(True) == 1
        now = next(one for one in mine if one["current"])
        assert now["browser"] == "Firefox, Android"
        assert now["seen_ms"] == world.clock.ms
        assert now["ends_ms"] <= world.clock.ms + world.relay.sign_in.rules.idle_ms
        assert not any(
            token in str(mine) for token in (desk.cookies["chevet_desk"], second.cookies["chevet_desk"])
        )
        assert code(await stranger.delete(f"/api/sessions/{now['id']}")) == (404, "not_found")
        assert (await desk.delete(f"/api/sessions/{now['id']}")).status_code == 204
        assert code(await second.get("/api/inbox")) == (401, "not_signed_in")
        assert (await stranger.get("/api/inbox")).status_code == 200
        third = open_session(world.relay, user)
        assert (await desk.delete("/api/sessions")).json()["ended"] >= 1
        assert world.relay.sign_in.user(third) is None
        assert [one["current"] for one in (await desk.get("/api/sessions")).json()["sessions"]] == [True]


async def test_each_five_wrong_passwords_make_the_wait_longer(world, client):
    world.user()
    waits = []
    async with client() as desk:
        for _ in range(5):
            for _ in range(5):
                assert code(await desk.post("/api/session", json=WRONG))[1] == "wrong_password"
            at = world.clock.ms
            while (await desk.post("/api/session", json=WRONG)).status_code == 429:
                world.clock.ms += MINUTE_MS
            waits.append((world.clock.ms - at) // MINUTE_MS)
            for _ in range(4):  # the one that ended the wait was wrong too
                await desk.post("/api/session", json=WRONG)
            world.clock.ms += 61 * MINUTE_MS
    assert waits[:1] == [1]
    assert waits == sorted(waits)
    assert waits[-1] == 60


async def test_a_right_password_forgives_the_wrong_ones(world, client):
    world.user()
    async with client() as desk:
        for _ in range(3):
            for _ in range(4):
                await desk.post("/api/session", json=WRONG)
            assert (await desk.post("/api/session", json=RIGHT)).status_code == 200
    with world.relay.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(failures)).scalar_one() <= 12


async def test_one_address_that_tries_many_accounts_is_braked_and_others_are_not(world, monkeypatch):
    monkeypatch.setattr(brake, "ADDRESS_MOST", 6)
    world.user()

    def at(host):
        transport = httpx.ASGITransport(create_app(world.relay), client=(host, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://desk", headers={"X-Chevet": "1"})

    async with at("203.0.113.9") as spray, at("203.0.113.10") as other:
        for number in range(6):
            tried = {"user": f"u{number}", "password": "Summer2026"}
            assert code(await spray.post("/api/session", json=tried)) == (401, "wrong_password")
        assert code(await spray.post("/api/session", json=RIGHT)) == (429, "too_many_attempts")
        assert (await other.post("/api/session", json=RIGHT)).status_code == 200
        world.clock.ms += brake.ADDRESS_MS
        assert (await spray.post("/api/session", json=RIGHT)).status_code == 200


def test_tries_are_kept_as_hashes_and_for_a_day(world):
    with pytest.raises(RefusedError):
        world.relay.sign_in.sign_in("zahra", "wrong", address="203.0.113.9")
    with world.relay.database.read() as connection:
        kept = str(connection.execute(select(failures)).all())
    assert "zahra" not in kept
    assert "203.0.113.9" not in kept
    world.clock.ms += brake.REMEMBERED_MS
    with world.relay.database.write() as connection:
        brake.count_try(connection, "password", "other", "", world.clock.ms)
        assert connection.execute(select(func.count()).select_from(failures)).scalar_one() == 1


def test_the_operator_unlocks_and_signs_out(world):
    user = world.user()
    token = open_session(world.relay, user)
    for _ in range(5):
        with pytest.raises(RefusedError):
            world.relay.sign_in.sign_in("dr", "wrong")
    with pytest.raises(RefusedError, match="wait 1 min"):
        world.relay.sign_in.sign_in("dr", PASSWORD)
    world.relay.users.unlock("dr")
    assert world.relay.sign_in.sign_in("dr", PASSWORD).stage == "code"
    assert world.relay.users.sign_out("dr") == 2
    assert world.relay.sign_in.user(token) is None
    with world.relay.database.read() as connection:
        assert connection.execute(select(sessions)).all() == []
    for action in (world.relay.users.unlock, world.relay.users.sign_out):
        with pytest.raises(SettingsError, match="no user"):
            action("nobody")


def test_the_commands_of_the_operator_say_what_they_did(tmp_path, capsys):
    assert cli.main(["init", str(tmp_path)]) == 0
    (tmp_path / "word").write_text(PASSWORD + "\n")
    where = ["--config", str(tmp_path / "relay.toml")]
    new = ["--id", "dr", "--name", "Dr D", "--role", "auditor", "--password-file", str(tmp_path / "word")]
    assert cli.main(["user", "add", *new, *where]) == 0
    for action, said in (
        ("unlock", "may try again"),
        ("forget-factor", "new authenticator app"),
        ("sign-out", "0 sessions ended"),
    ):
        assert cli.main(["user", action, "dr", *where]) == 0
        assert said in capsys.readouterr().out
        assert cli.main(["user", action, "ghost", *where]) == 1
        assert "no user 'ghost'" in capsys.readouterr().err
    assert cli.main(["audit", "show", "--case", "dr", "--last", "2", *where]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[4] for line in shown] == ["user.forget_factor", "user.sign_out"]
    assert cli.main(["audit", "show", "--user", "ghost", *where]) == 0
    assert capsys.readouterr().out == ""
    with sqlite3.connect(tmp_path / "archive" / "relay.sqlite3") as archive:
        archive.execute("UPDATE audit SET detail = 'specialist' WHERE seq = 1")
    assert cli.main(["audit", "verify", *where]) == 1
    told = capsys.readouterr().out
    assert "record 1 (changed)" in told
    assert "user.add" in told
    assert "specialist" in told
