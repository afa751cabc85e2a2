"""Consent that is withdrawn, retention, and the destruction of what a case held."""

import json
import os
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from chevet.exchange.messages import read
from chevet.relay.archive.answers import Draft, Note
from chevet.relay.archive.schema import audit, bundles, chunks, erasures, objects
from chevet.relay.backup import backup
from chevet.relay.commands.erase import state
from chevet.relay.erasure import DAY_MS, receipt_holds, receipt_of, restore, sweep, withdraw
from chevet.relay.errors import RefusedError, SettingsError, StoreAwayError
from chevet.relay.orphans import compare, damaged, delivered, sweep_orphans
from chevet.study.bundle import pack
from chevet.study.case import Author, Message, pack_message
from chevet.study.study import Consent

from .conftest import NOON, PASSWORD, deliver, messages

DRAFT = Draft("Seededimpression", "certain", "Seededadvice", "urgent", True, None)


def files(world):
    return {one.name for one in world.relay.objects.every()}


def destroyed(receipt):
    return {one["sha256"] for one in json.loads(json.loads(receipt)["receipt"])["objects"]}


def answered(world, sent, **changes):
    study, relay = sent(**changes), world.relay
    user = next((line.user for line in relay.users.list()), None) or world.user()
    relay.cases.claim(study.id, user)
    relay.answers.give_opinion(study.id, user, DRAFT, relay.sign_in.signing_key(user, PASSWORD))
    relay.answers.send_message(study.id, user, Note("note", "", "", "", "Seedednote"))
    return study, user


def test_without_consent_for_care_a_case_is_hidden_at_once_and_destroyed_on_its_day(world, sent):
    other, user = answered(world, sent)
    kept = files(world)
    study, _ = answered(world, sent)
    due = withdraw(world.relay, study.id, ("care",), user.id)
    assert due == world.clock.ms + 30 * DAY_MS
    assert [case.id for case in world.relay.cases.inbox(user)] == [other.id]
    with pytest.raises(RefusedError, match="no such case"):
        world.relay.cases.open(study.id, user)
    assert sweep(world.relay) == []
    assert len(files(world)) > len(kept)
    world.clock.ms = due
    assert len(list(delivered(world.relay))) == 2
    assert len(sweep(world.relay)) == 1
    assert files(world) == kept
    found = list(delivered(world.relay))
    assert [ident for ident, sha256 in found if sha256 != "damaged"] == [other.id], (
        "what is destroyed is not damaged"
    )
    assert world.relay.cases.open(other.id, user).study.id == other.id
    assert sweep(world.relay) == []


def test_the_receipt_names_every_destroyed_object_and_is_signed(world, sent):
    study, user = answered(world, sent)
    before = files(world)
    withdraw(world.relay, study.id, ("care", "research"), user.id)
    assert receipt_of(world.relay, study.id) is None
    world.clock.ms += 30 * DAY_MS
    (receipt,) = sweep(world.relay)
    assert receipt == receipt_of(world.relay, study.id)
    told = json.loads(json.loads(receipt)["receipt"])
    assert {one["sha256"] for one in told["objects"]} == before
    assert (told["case"], told["reason"], told["destroyed_ms"]) == (study.id, "consent", world.clock.ms)
    key = world.relay.keys.relay.public_key()
    assert receipt_holds(receipt, key)
    assert not receipt_holds(receipt.replace(b"consent", b"mistake"), key)
    assert not receipt_holds(b"{}", key)
    assert "Seeded" not in receipt.decode()


def test_the_audit_outlives_the_case(world, sent):
    study, user = answered(world, sent)
    withdraw(world.relay, study.id, ("care",), user.id)
    world.clock.ms += 30 * DAY_MS
    sweep(world.relay)
    with world.relay.database.read() as connection:
        rows = connection.execute(
            select(audit).where(audit.c.subject == study.id).order_by(audit.c.seq)
        ).all()
        assert world.relay.audit.verify(connection) is None
    what = [row.what for row in rows]
    assert "opinion.sign" in what
    assert what[-2:] == ["consent.withdraw", "case.destroy"]
    assert rows[-2].who == user.id


def test_what_comes_again_after_destruction_is_not_kept_again(world, make_study):
    study = make_study()
    payloads = messages(world.site.seal(pack(study)))
    deliver(world.receiver(), payloads)
    withdraw(world.relay, study.id, ("care",), "operator")
    world.clock.ms += 30 * DAY_MS
    sweep(world.relay)
    deliver(world.receiver(), payloads)
    with world.relay.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(chunks)).scalar_one() == 0
        assert connection.execute(select(objects.c.name).where(objects.c.name.is_not(None))).all() == []
    assert files(world) == set()


def test_a_case_that_was_still_arriving_and_an_answer_on_its_way_stop(world, sent, make_study):
    half = make_study()
    payloads = messages(world.site.seal(pack(half)))
    deliver(world.receiver(), payloads[:-1])
    study, _ = answered(world, sent)
    for one in (half.id, study.id):
        withdraw(world.relay, one, ("care",), "operator")
    world.clock.ms += 30 * DAY_MS
    assert len(sweep(world.relay)) == 2
    assert list(world.relay.outbox("abc").pending()) == []
    deliver(world.receiver(), payloads)
    with world.relay.database.read() as connection:
        row = connection.execute(select(bundles).where(bundles.c.id == half.id)).one()
    assert (row.refused, row.complete_ms) == ("erased", None)
    assert files(world) == set()


def test_consent_for_another_purpose_withdrawn_shuts_that_export_at_once(world, client, sent):
    from chevet.relay.exports.subject import subject

    study = sent(consent=Consent(("care", "teaching", "research"), NOON, ""))
    subject(world.relay, study.id, "dr", "wav", purpose="teaching")
    assert withdraw(world.relay, study.id, ("teaching",), "dr") is None
    assert withdraw(world.relay, study.id, ("teaching",), "dr") is None
    with pytest.raises(RefusedError, match="did not consent"):
        subject(world.relay, study.id, "dr", "wav", purpose="teaching")
    assert subject(world.relay, study.id, "dr", "wav", purpose="research").study.consent.purposes == (
        "care",
        "research",
    )


def test_a_mistake_is_taken_back_until_it_is_destroyed(world, sent):
    study, user = sent(), world.user()
    withdraw(world.relay, study.id, ("care",), "operator")
    restore(world.relay, study.id)
    shown = world.relay.cases.open(study.id, user).study
    assert (shown.patient, shown.consent) == (study.patient, study.consent)
    with pytest.raises(SettingsError, match="waits"):
        restore(world.relay, study.id)
    withdraw(world.relay, study.id, ("care",), "operator")
    world.clock.ms += 30 * DAY_MS
    sweep(world.relay)
    with pytest.raises(SettingsError, match="waits"):
        restore(world.relay, study.id)


def test_a_case_that_is_taken_back_while_others_are_destroyed_stays_whole(world, sent):
    study, user = answered(world, sent)
    before = files(world)
    withdraw(world.relay, study.id, ("care",), "operator")
    world.clock.ms += 30 * DAY_MS
    world.relay.objects.ready = lambda: restore(world.relay, study.id)  # found due, not yet destroyed
    assert sweep(world.relay) == []
    assert files(world) == before
    assert world.relay.cases.open(study.id, user).study.patient == study.patient


def test_two_workers_that_sweep_at_once_make_one_receipt_with_every_object(world, sent):
    study, _ = answered(world, sent)
    before, second = files(world), world.again()
    withdraw(world.relay, study.id, ("care",), "operator")
    world.clock.ms += 30 * DAY_MS
    receipts = []
    world.relay.objects.ready = lambda: receipts.extend(sweep(second))
    assert sweep(world.relay) == []
    assert receipts == [receipt_of(world.relay, study.id)]
    assert {one["sha256"] for one in json.loads(json.loads(receipts[0])["receipt"])["objects"]} == before


def test_a_store_that_goes_away_in_the_middle_holds_up_nobody_and_the_rest_goes_later(world, sent):
    study, _ = answered(world, sent)
    before = files(world)
    withdraw(world.relay, study.id, ("care",), "operator")
    world.clock.ms += 30 * DAY_MS
    destroy, tries = world.relay.objects.destroy, []

    def away_after_two(name):
        tries.append(name)
        with world.again().database.write() as connection:  # nobody holds the archive meanwhile
            world.relay.audit.add(connection, world.clock.ms, "dr", "test")
        if len(tries) == 3:
            raise StoreAwayError("s3://bucket", "no answer")
        destroy(name)

    world.relay.objects.destroy = away_after_two
    with pytest.raises(StoreAwayError):
        sweep(world.relay)
    assert len(files(world)) == len(before) - 2
    assert receipt_of(world.relay, study.id) is None, "nothing is signed that is not gone"
    with pytest.raises(SettingsError, match="has begun"):
        restore(world.relay, study.id)
    assert (compare(world.relay).missing, compare(world.relay).orphans) == ((), ())
    assert (damaged(world.relay), list(delivered(world.relay))) == ([], [])
    with world.relay.database.read() as connection:
        assert state(connection.execute(select(erasures)).one()).startswith("begun ")
    sheet = backup(world.relay, world.folder / "backup", lambda _: None)
    assert (sheet.objects, sheet.gone) == (len(before) - 2, 2)
    world.relay.objects.destroy = destroy
    (receipt,) = sweep(world.relay)
    assert {one["sha256"] for one in json.loads(json.loads(receipt)["receipt"])["objects"]} == before
    assert files(world) == set()


def test_an_object_that_comes_as_the_others_go_is_not_taken_in(world, sent, make_study):
    half = make_study()
    payloads = messages(world.site.seal(pack(half)))
    deliver(world.receiver(), payloads[:-1])
    withdraw(world.relay, half.id, ("care",), "operator")
    world.clock.ms += 30 * DAY_MS
    before, destroy, last, taken = files(world), world.relay.objects.destroy, read(payloads[-1]), []

    def with_one_more(name):
        taken.append(world.relay.inbox.store(last.tid, last.oid, last.seq, last.data))
        destroy(name)

    world.relay.objects.destroy = with_one_more
    (receipt,) = sweep(world.relay)
    assert set(taken) == {False}
    assert files(world) == set(), "not even without a name"
    assert destroyed(receipt) == before


def test_nothing_more_of_a_destroyed_case_is_taken_in(world, sent):
    study, _ = answered(world, sent)
    withdraw(world.relay, study.id, ("care",), "operator")
    world.clock.ms += 30 * DAY_MS
    sweep(world.relay)
    words = Message(str(UUID(int=7, version=4)), study.id, "note", "Late", Author("w", "Worker"), NOON)
    deliver(world.receiver(), messages(world.site.seal(pack_message(words))))
    with world.relay.database.read() as connection:
        row = connection.execute(select(bundles).where(bundles.c.id == words.id)).one()
    assert (row.refused, row.complete_ms) == ("erased", None)
    assert files(world) == set()


def test_bytes_that_another_case_has_come_to_hold_stay(world, sent):
    study, _ = answered(world, sent)
    other, _ = answered(world, sent)
    withdraw(world.relay, study.id, ("care",), "operator")
    world.clock.ms += 30 * DAY_MS
    destroy, kept = world.relay.objects.destroy, []

    def named_meanwhile(name):
        if not kept:
            with world.relay.database.write() as connection:
                mine = select(bundles.c.tid).where(bundles.c.case_id == study.id)
                held = select(objects.c.name).where(objects.c.tid.in_(mine), objects.c.name > name)
                kept.append(connection.execute(held.order_by(objects.c.name)).scalars().first())
                theirs = select(bundles.c.tid).where(bundles.c.id == other.id).scalar_subquery()
                one = update(objects).where(objects.c.tid == theirs, objects.c.oid == 0)
                connection.execute(one.values(name=kept[0]))
        destroy(name)

    world.relay.objects.destroy = named_meanwhile
    (receipt,) = sweep(world.relay)
    assert kept[0] in files(world)
    assert kept[0] not in destroyed(receipt)


def test_the_sweep_removes_what_no_case_has_named_for_a_day(world, sent):
    sent()
    held, relay = files(world), world.relay
    young, old = relay.objects.put(b"somebody's work under way"), relay.objects.put(b"an answer overtaken")
    path = next(relay.objects.folder.glob(f"??/{old}"))
    day_before = path.stat().st_mtime - 24 * 3600 - 1
    os.utime(path, (day_before, day_before))
    assert sweep(relay) == []
    assert files(world) == held | {young, old}
    assert sweep_orphans(relay) == 1
    assert files(world) == held | {young}
    with relay.database.read() as connection:
        last = connection.execute(select(audit).order_by(audit.c.seq.desc())).first()
    assert (last.who, last.what, last.detail) == ("operator", "objects.sweep", "1 objects")


def test_answered_cases_go_when_they_were_kept_long_enough(world, sent):
    study, user = answered(world, sent)
    waiting = sent()
    relay = world.again(retention_days=90)
    world.clock.ms += 90 * DAY_MS - 1
    assert sweep(relay) == []
    world.clock.ms += 1
    assert sweep(world.relay) == []  # no policy, nothing goes
    (receipt,) = sweep(relay)
    assert json.loads(json.loads(receipt)["receipt"])["reason"] == "retention"
    assert [case.id for case in world.relay.cases.inbox(user)] == [waiting.id]
    assert receipt_of(relay, waiting.id) is None
    assert receipt_of(relay, study.id) == receipt


@pytest.mark.parametrize("purposes", [(), ("marketing",), ("care", "x")])
def test_an_unknown_purpose_withdraws_nothing(world, sent, purposes):
    study = sent()
    with pytest.raises(RefusedError, match="purpose"):
        withdraw(world.relay, study.id, purposes, "operator")
    with pytest.raises(RefusedError, match="no such case"):
        withdraw(world.relay, "unknown", ("care",), "operator")
