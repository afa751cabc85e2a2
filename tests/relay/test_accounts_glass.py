"""Breaking the glass: one case, some minutes, a reason, a record, a review."""

from sqlalchemy import select

from chevet.relay.archive.schema import audit

from .conftest import OPINION, code

REASON = {"reason": "nobody_reachable"}


async def test_a_coordinator_reads_one_case_with_a_reason_for_some_minutes(world, client, sent):
    study, other = sent(), sent()
    where = f"/api/cases/{study.id}"
    async with client(world.user("co", "coordinator")) as desk:
        assert code(await desk.get(where)) == (403, "not_allowed")
        assert code(await desk.post(f"{where}/glass", json={"reason": "curious"})) == (422, "invalid")
        assert code(await desk.post("/api/cases/none/glass", json=REASON)) == (404, "not_found")
        answer = await desk.post(f"{where}/glass", json=REASON)
        assert answer.json() == {"until_ms": world.clock.ms + 15 * 60_000}
        assert (await desk.get(where)).json()["patient"]["name"] == study.patient.name
        assert (await desk.get(f"{where}/recordings/{study.recordings[0].id}/waveform")).status_code == 200
        assert code(await desk.get(f"/api/cases/{other.id}")) == (403, "not_allowed")
        assert code(await desk.get(f"{where}/export?form=wfdb")) == (403, "not_allowed")
        assert code(await desk.post(f"{where}/claim")) == (403, "not_allowed")
        assert code(await desk.post(f"{where}/opinions", json=OPINION)) == (403, "not_allowed")
        world.clock.ms += 15 * 60_000
        assert code(await desk.get(where)) == (403, "not_allowed")
    with world.relay.database.read() as connection:
        rows = connection.execute(select(audit).where(audit.c.who == "co", audit.c.subject == study.id)).all()
    told = [(row.what, row.detail) for row in rows]
    assert told[0] == ("glass.break", "nobody_reachable")
    assert [what for what, _ in told[1:]] == ["case.read", "recording.read"]


async def test_broken_glass_is_of_who_broke_it_and_an_auditor_reviews_it_once(world, client, sent):
    study = sent()
    async with (
        client(world.user("co", "coordinator")) as desk,
        client(world.user("co2", "coordinator")) as second,
        client(world.user("au", "auditor")) as auditor,
    ):
        await desk.post(f"/api/cases/{study.id}/glass", json=REASON)
        assert code(await second.get(f"/api/cases/{study.id}")) == (403, "not_allowed")
        (one,) = (await second.get("/api/glass")).json()["broken"]
        assert (one["user"], one["case"], one["reason"], one["reviewed_by"]) == (
            "co", study.id, "nobody_reachable", "",
        )  # fmt: skip
        assert (await auditor.post(f"/api/glass/{one['number']}/review")).status_code == 204
        assert code(await auditor.post(f"/api/glass/{one['number']}/review")) == (404, "not_found")
        assert (await auditor.get("/api/glass")).json()["broken"][0]["reviewed_by"] == "au"


async def test_a_withdrawal_at_the_desk_hides_the_case(world, client, sent):
    study = sent()
    async with client(world.user()) as desk:
        where = f"/api/cases/{study.id}"
        kept = await desk.post(f"{where}/withdrawal", json={"purposes": ["research"]})
        assert kept.json() == {"destroyed_at_ms": None}
        hidden = await desk.post(f"{where}/withdrawal", json={"purposes": ["care"]})
        assert hidden.json()["destroyed_at_ms"] > world.clock.ms
        assert code(await desk.get(where)) == (404, "not_found")
