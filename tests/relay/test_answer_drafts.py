"""Drafts of answers at the relay: for their author alone, refused after a change, gone with the answer."""

from sqlalchemy import select

from chevet.relay.archive.answer_drafts import AnswerDrafts
from chevet.relay.archive.schema import audit
from chevet.relay.archive.schema_kept import answer_drafts

from .conftest import OPINION, code

DRAFT = {
    "impression": "Seededwords of a draft",
    "certainty": "",
    "advice": "",
    "urgency": "urgent",
    "transfer": None,
    "follow_up_date": "",
    "medicines": [{"name": "Aspirine 100 mg", "how": ""}],
    "keep_voice": False,
    "opinions": 0,
}


async def test_a_draft_is_kept_for_its_author_and_sealed_in_the_archive(world, client, sent):
    study = sent()
    where = f"/api/cases/{study.id}"
    async with client(world.user()) as desk, client(world.user("other")) as other:
        assert code(await desk.put(f"{where}/draft", json=DRAFT)) == (409, "not_claimed")
        assert (await desk.post(f"{where}/claim")).json()["draft"] is None
        at = (await desk.put(f"{where}/draft", json=DRAFT)).json()["at_ms"]
        found = (await desk.get(where)).json()["draft"]
        assert found == DRAFT | {"at_ms": at}
        assert (await other.get(where)).json()["draft"] is None
        assert code(await other.put(f"{where}/draft", json=DRAFT)) == (409, "not_claimed")
        with world.relay.database.read() as connection:
            (row,) = connection.execute(select(answer_drafts)).all()
            rows = connection.execute(select(audit)).all()
        assert b"Seeded" not in row.sealed
        assert "draft.keep" in [one.what for one in rows]
        assert "Seeded" not in str(rows)
        with world.relay.database.read() as connection:
            assert AnswerDrafts(bytes(32)).of(connection, study.id, "dr") is None
        assert (await desk.delete(f"{where}/draft")).status_code == 204
        assert (await desk.get(where)).json()["draft"] is None


async def test_a_draft_from_an_older_state_is_refused_and_says_why(world, client, sent):
    study = sent()
    where = f"/api/cases/{study.id}"
    async with client(world.user()) as desk, client(world.user("other")) as other:
        await desk.post(f"{where}/claim")
        first = (await desk.put(f"{where}/draft", json=DRAFT | {"replaces_ms": 0})).json()["at_ms"]
        world.clock.ms += 1000
        second = await desk.put(f"{where}/draft", json=DRAFT | {"replaces_ms": first})
        assert second.status_code == 200
        stale = await desk.put(f"{where}/draft", json=DRAFT | {"replaces_ms": first})
        assert code(stale) == (409, "draft_changed")
        assert (await desk.put(f"{where}/draft", json=DRAFT)).status_code == 200
        await desk.post(f"{where}/release")
        await other.post(f"{where}/claim")
        assert code(await desk.put(f"{where}/draft", json=DRAFT)) == (409, "not_claimed")
        await other.post(f"{where}/opinions", json=OPINION)
        await other.post(f"{where}/release")
        await desk.post(f"{where}/claim")
        assert code(await desk.put(f"{where}/draft", json=DRAFT)) == (409, "answered_meanwhile")
        assert (await desk.put(f"{where}/draft", json=DRAFT | {"opinions": 1})).status_code == 200


async def test_a_signed_answer_leaves_no_draft_behind(world, client, sent):
    study = sent()
    where = f"/api/cases/{study.id}"
    async with client(world.user()) as desk:
        await desk.post(f"{where}/claim")
        await desk.put(f"{where}/draft", json=DRAFT)
        assert (await desk.post(f"{where}/opinions", json=OPINION)).status_code == 201
        assert (await desk.get(where)).json()["draft"] is None
    with world.relay.database.read() as connection:
        assert not connection.execute(select(answer_drafts)).all()
