"""Cases kept on specialists' own devices: who may, until when, what must go, what the audit says of it."""

from sqlalchemy import select

from chevet.relay.archive.kept import DAY_MS, sweep_devices
from chevet.relay.archive.schema import audit
from chevet.relay.archive.schema_kept import kept_cases, kept_devices
from chevet.relay.erasure import sweep, withdraw

from .conftest import OPINION, code


async def kept(desk, study, device=""):
    """Claim a case and keep it; return the device's token."""
    await desk.post(f"/api/cases/{study.id}/claim")
    answer = await desk.post(f"/api/cases/{study.id}/keep", json={"device": device})
    assert answer.status_code == 200, answer.text
    return answer.json()["device"]


async def meet(desk, device, *cases, opened=()):
    body = {"device": device, "cases": [one.id for one in cases], "opened": list(opened)}
    answer = await desk.post("/api/kept", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(world, what):
    with world.relay.database.read() as connection:
        return connection.execute(select(audit).where(audit.c.what == what)).all()


async def test_a_claimed_case_may_be_kept_for_so_many_days_and_is_told_so(world, client, sent):
    study = sent()
    async with client(world.user()) as desk:
        assert code(await desk.post(f"/api/cases/{study.id}/keep", json={"device": ""})) == (
            409,
            "not_claimed",
        )
        await desk.post(f"/api/cases/{study.id}/claim")
        first = (await desk.post(f"/api/cases/{study.id}/keep", json={"device": ""})).json()
        assert first["until_ms"] == world.clock.ms + 7 * DAY_MS
        world.clock.ms += 5000
        again = (await desk.post(f"/api/cases/{study.id}/keep", json={"device": first["device"]})).json()
        assert again["device"] == first["device"]
        assert again["until_ms"] == first["until_ms"] + 5000
        nothing = await desk.post("/api/cases/018f/keep", json={"device": ""})
        assert code(nothing) == (404, "not_found")
        answer = await meet(desk, first["device"], study)
        assert (answer["stands"], answer["stay"], answer["gone"]) == (
            True,
            {study.id: again["until_ms"]},
            {},
        )
    rows = told(world, "case.keep")
    assert [(row.who, row.subject) for row in rows] == [("dr", study.id)] * 2
    assert first["device"] not in str(rows)


async def test_a_programme_may_forbid_it(world, client, sent):
    study, relay = sent(), world.again(keep_days=0)
    async with client(world.user(), relay) as desk:
        await desk.post(f"/api/cases/{study.id}/claim")
        assert code(await desk.post(f"/api/cases/{study.id}/keep", json={"device": ""})) == (
            403,
            "keeping_off",
        )


async def test_what_is_answered_released_withdrawn_or_old_must_go(world, client, sent):
    answered, released, withdrawn, old = sent(), sent(), sent(), sent()
    every = (answered, released, withdrawn, old)
    async with client(world.user()) as desk:
        device = ""
        for study in every:
            device = await kept(desk, study, device)
        await desk.post(f"/api/cases/{answered.id}/opinions", json=OPINION)
        await desk.post(f"/api/cases/{released.id}/release")
        withdraw(world.relay, withdrawn.id, ("care",), "dr")
        first = await meet(desk, device, *every)
        assert first["gone"] == {
            answered.id: "answered",
            released.id: "not_claimed",
            withdrawn.id: "gone",
        }
        assert list(first["stay"]) == [old.id]
        assert code(await desk.post(f"/api/cases/{answered.id}/keep", json={"device": device})) == (
            409,
            "answered",
        )
        world.clock.ms += 8 * DAY_MS
        assert (await meet(desk, device, old))["gone"] == {old.id: "expired"}
        assert (await meet(desk, device, old))["gone"] == {old.id: "gone"}
        assert (await meet(desk, device))["stands"] is True
    world.clock.ms += 60 * DAY_MS
    sweep(world.relay)
    with world.relay.database.write() as connection:
        sweep_devices(connection, world.clock.ms)
        assert not connection.execute(select(kept_devices)).all()
        assert not connection.execute(select(kept_cases)).all()


async def test_a_lost_device_is_ended_from_another_and_learns_it_without_a_session(world, client, sent):
    study, user = sent(), world.user()
    async with client(user) as lost, client(user) as here, client() as nobody:
        device = await kept(lost, study)
        (line,) = (await here.get("/api/kept")).json()["devices"]
        assert (line["cases"], line["current"]) == (1, False)
        assert device not in str(line)
        assert (await here.delete(f"/api/kept/{line['id']}")).status_code == 204
        assert code(await here.delete(f"/api/kept/{line['id']}")) == (404, "not_found")
        assert (await here.get("/api/kept")).json()["devices"] == []
        answer = await meet(nobody, device, study)
        assert (answer["stands"], answer["gone"]) == (False, {study.id: "ended"})
        unknown = await meet(nobody, "no such token", study)
        assert (unknown["stands"], unknown["gone"]) == (False, {study.id: "ended"})
        fresh = await kept(lost, study, device)
        assert fresh != device
    assert [row.who for row in told(world, "kept.end")] == ["dr"]


async def test_signing_out_anywhere_reaches_the_devices_it_is_about(world, client, sent):
    study, user = sent(), world.user()
    async with client(user) as one, client(user) as two:
        first, second = await kept(one, study), await kept(two, study)
        assert (await one.delete("/api/sessions")).json()["ended"] == 1
        assert (await meet(one, first, study))["stands"] is True
        assert (await meet(one, second, study))["stands"] is False
        await one.delete("/api/session")
        assert (await meet(one, first, study))["stands"] is False
    async with client(user) as third:
        device = await kept(third, study)
        mine = (await third.get("/api/sessions")).json()["sessions"]
        await third.delete(f"/api/sessions/{next(line['id'] for line in mine if line['current'])}")
        assert (await meet(third, device, study))["stands"] is False
    async with client(user) as fourth:
        device = await kept(fourth, study)
        world.clock.ms += 2 * DAY_MS  # idle for long: the session is over, what is kept is not
        assert (await meet(fourth, device, study))["stands"] is True
        world.relay.users.sign_out("dr")
        assert (await meet(fourth, device, study))["stands"] is False


async def test_a_device_of_an_account_that_is_shut_out_forgets(world, client, sent):
    study, user = sent(), world.user()
    async with client(user) as desk:
        device = await kept(desk, study)
        world.relay.users.disable("dr")
        assert (await meet(desk, device, study))["gone"] == {study.id: "ended"}


async def test_devices_of_whoever_the_provider_had_named_forget_with_their_sessions(world, client, sent):
    study, user = sent(), world.user()
    async with client(user) as desk:
        device = await kept(desk, study)
        world.relay.users.forget_provider("dr")
        assert (await meet(desk, device, study))["gone"] == {study.id: "ended"}


async def test_readings_without_a_line_are_in_the_audit_for_cases_the_device_was_given(world, client, sent):
    study, foreign = sent(), sent()
    async with client(world.user()) as desk, client() as nobody:
        device = await kept(desk, study)
        at = world.clock.ms + 1000
        world.clock.ms += 9000
        opened = [{"case": study.id, "at_ms": at}, {"case": foreign.id, "at_ms": at}]
        await meet(nobody, device, study, opened=opened)
        (row,) = told(world, "case.read_offline")
        assert (row.who, row.subject) == ("dr", study.id)
        assert row.detail.endswith(f" at {at}")
        await meet(nobody, device)  # no longer held
        await meet(nobody, device, study, opened=opened)
    assert len(told(world, "case.read_offline")) == 1


async def test_another_persons_device_is_not_taken_over(world, client, sent):
    study, theirs = sent(), sent()
    async with client(world.user()) as desk, client(world.user("other")) as other:
        device = await kept(desk, study)
        assert await kept(other, theirs, device) != device
        assert [len((await who.get("/api/kept")).json()["devices"]) for who in (desk, other)] == [1, 1]
