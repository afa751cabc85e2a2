"""What a site sends arrives, whatever happens on the way, and nothing else does."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from chevet.exchange.events import Completed, Rejected, Reply
from chevet.exchange.keys import new_signing_key
from chevet.exchange.messages import Complete, Nack, read, verified
from chevet.relay.archive.dead_letters import MAX_LETTERS, letters
from chevet.relay.archive.objects import ObjectFolder
from chevet.relay.archive.schema import answers, chunks, dead_letters, objects
from chevet.relay.errors import DiskFullError, RefusedError
from chevet.study.bundle import content_hash, pack
from chevet.study.case import Author, Message, pack_message
from chevet.study.recording import QualityMark

from .conftest import NOON, deliver, ecg, messages


def receipts(answers):
    return [read(answer.payload) for answer in answers if isinstance(answer, Reply)]


def buried(world):
    with world.relay.database.read() as connection:
        return letters(connection)


def count(world, table):
    with world.relay.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_whole_study_gets_a_signed_receipt_and_opens_a_case(world, make_study):
    study = make_study()
    sealed = world.site.seal(pack(study))
    answers = deliver(world.receiver(), messages(sealed))
    complete = [receipt for receipt in receipts(answers) if isinstance(receipt, Complete)]
    assert len(complete) == 1
    assert verified(complete[0], world.relay.keys.relay.public_key())
    assert complete[0].id == study.id
    case = world.relay.cases.open(study.id, world.user())
    assert case.state == "waiting"
    assert case.study.question == study.question
    assert count(world, chunks) == 0


def test_both_ends_agree_on_the_hash_of_the_content(world, sent, client, make_study):
    study = sent()
    with world.relay.database.read() as connection:
        from chevet.relay.archive.delivery import delivery

        case = world.relay.cases.get(connection, study.id)
        assert delivery(connection, case).sha256 == content_hash(pack(study))


def test_the_summary_shows_the_case_before_the_rest_is_here(world, make_study):
    study = make_study()
    everything = messages(world.site.seal(pack(study)))
    deliver(world.receiver(), everything[:2])
    case = world.relay.cases.open(study.id, world.user())
    assert case.state == "arriving"
    assert case.layers[0].have == case.layers[0].total == 1
    assert case.layers[3].have == 0 < case.layers[3].total


def test_duplicates_and_disorder_change_nothing(world, make_study):
    study = make_study()
    first, *rest = messages(world.site.seal(pack(study)))
    receiver = world.receiver()
    answers = deliver(receiver, [first, *reversed(rest), *rest, first], now=0.0)
    assert sum(isinstance(answer, Completed) for answer in answers) == 1
    assert world.relay.cases.open(study.id, world.user()).complete_ms == NOON


def test_a_restart_in_the_middle_loses_nothing(world, make_study):
    study = make_study()
    everything = messages(world.site.seal(pack(study)))
    half = len(everything) // 2
    deliver(world.receiver(), everything[:half])
    reopened = world.again()
    answers = deliver(world.receiver(reopened), everything[half:])
    assert any(isinstance(answer, Completed) for answer in answers)
    assert reopened.cases.open(study.id, world.user()).complete_ms is not None


def test_two_workers_share_one_archive(world, make_study):
    study = make_study()
    first, *rest = messages(world.site.seal(pack(study)))
    one, two = world.receiver(), world.receiver(world.again())
    answers = deliver(one, [first])
    for at, payload in enumerate(rest):
        answers += deliver((one, two)[at % 2], [payload])
    assert sum(isinstance(answer, Completed) for answer in answers) == 1


def test_chunks_before_their_manifest_are_asked_for_again(world, make_study):
    rest = messages(world.site.seal(pack(make_study())))[1:]
    answers = deliver(world.receiver(), rest[:1])
    assert [receipt.known for receipt in receipts(answers)] == [False]
    assert count(world, chunks) == 0


def test_a_flipped_bit_never_gets_a_receipt(world, make_study):
    study = make_study()
    everything = messages(world.site.seal(pack(study)))
    broken = bytearray(everything[-1])
    broken[-1] ^= 1
    receiver = world.receiver()
    answers = deliver(receiver, [*everything[:-1], bytes(broken)])
    assert not any(isinstance(receipt, Complete) for receipt in receipts(answers))
    answers = deliver(receiver, everything[1:])
    assert any(isinstance(receipt, Complete) for receipt in receipts(answers))


def test_content_that_keeps_failing_is_refused_with_its_reason(world, make_study):
    everything = messages(world.site.seal(pack(make_study(recordings=()))))
    broken = everything[1][:-1] + bytes([everything[1][-1] ^ 1])
    receiver = world.receiver()
    answers = deliver(receiver, [everything[0], *[broken] * 5])
    nacks = [receipt for receipt in receipts(answers) if isinstance(receipt, Nack)]
    assert [nack.reason for nack in nacks] == ["bad_hash"]
    assert [letter.reason for letter in buried(world)] == ["bad_hash"]
    tid = world.site.seal(pack(make_study())).tid
    assert world.relay.inbox.state(tid) == "unknown"


def test_a_wrong_signature_is_a_dead_letter_and_a_refusal(world, make_study):
    sealed = world.site.seal(pack(make_study()), signer=new_signing_key())
    answers = deliver(world.receiver(), messages(sealed)[:1])
    assert [receipt.reason for receipt in receipts(answers)] == ["bad_signature"]
    assert [(letter.site, letter.reason) for letter in buried(world)] == [("abc", "bad_signature")]


def test_an_unknown_or_revoked_site_is_refused(world, make_study):
    payload = messages(world.site.seal(pack(make_study())))[0]
    deliver(world.receiver(), [payload], site="zzz")
    world.relay.sites.revoke("abc")
    deliver(world.receiver(), [payload], site="abc")
    assert {letter.site: letter.reason for letter in buried(world)} == {
        "zzz": "unknown_origin",
        "abc": "unknown_origin",
    }


def test_garbage_and_truncated_messages_are_kept_as_dead_letters_and_counted(world, make_study):
    good = messages(world.site.seal(pack(make_study())))[0]
    for payload in (b"", b"\xff\x00garbage", good[: len(good) // 2], b"\x01short", b"\xff\x00garbage"):
        answers = deliver(world.receiver(), [payload])
        assert [type(answer) for answer in answers] == [Rejected]
    assert {letter.reason for letter in buried(world)} == {"malformed"}
    assert sum(letter.times for letter in buried(world)) == 5


def test_dead_letters_cannot_fill_the_disk(world):
    with world.relay.database.write() as connection:
        from chevet.relay.archive.dead_letters import bury

        for number in range(MAX_LETTERS + 3):
            bury(connection, NOON + number, "abc", str(number).encode(), "malformed")
    assert count(world, dead_letters) == MAX_LETTERS


def test_a_study_of_another_site_or_another_key_is_refused_when_whole(world, make_study):
    study = make_study(site="other")
    answers = deliver(world.receiver(), messages(world.site.seal(pack(study))))
    assert [receipt.reason for receipt in receipts(answers) if isinstance(receipt, Nack)] == ["contradiction"]
    sealed = replace(world.site, recipients=[]).seal(pack(make_study()))
    answers = deliver(world.receiver(), messages(sealed))
    assert [receipt.reason for receipt in receipts(answers) if isinstance(receipt, Nack)]
    with pytest.raises(RefusedError):
        world.relay.cases.open(study.id, world.user())
    assert len(buried(world)) == 2


def test_a_second_study_under_the_same_id_cannot_replace_the_first(world, sent, make_study):
    first = sent()
    answers = deliver(world.receiver(), messages(world.site.seal(pack(replace(first, question="other")))))
    assert [receipt.reason for receipt in receipts(answers) if isinstance(receipt, Nack)] == ["contradiction"]
    assert world.relay.cases.open(first.id, world.user()).study.question == first.question


def test_simulated_studies_never_reach_a_clinical_inbox(world, sent):
    by_label = sent(label="HTEST")
    by_study = sent(label="", recordings=(ecg(simulated=True),))
    real = sent()
    user = world.user()
    assert [case.id for case in world.relay.cases.inbox(user)] == [real.id]
    for hidden in (by_label, by_study):
        with pytest.raises(RefusedError) as refused:
            world.relay.cases.open(hidden.id, user)
        assert refused.value.code == "not_found"
    demo = world.again(label="HTEST")
    assert {case.id: case.simulated for case in demo.cases.inbox(user)} == {
        by_label.id: True,
        by_study.id: True,
        real.id: False,
    }


def test_a_full_disk_acknowledges_nothing_and_goes_on_later(world, make_study, monkeypatch):
    study = make_study()
    everything = messages(world.site.seal(pack(study)))
    receiver = world.receiver()
    deliver(receiver, everything[:1])

    def no_room(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(ObjectFolder, "_write", no_room)
        with pytest.raises(DiskFullError, match="free space"):
            deliver(receiver, everything[1:2])
    assert world.relay.inbox.have(world.site.seal(pack(study)).tid, 0) == set()
    answers = deliver(receiver, everything[1:])
    assert any(isinstance(receipt, Complete) for receipt in receipts(answers))


def test_a_message_of_the_worker_joins_its_case(world, sent):
    study = sent()
    message = Message(
        "018f0000-0000-7000-8000-000000000001",
        study.id,
        "note",
        "he feels better",
        Author("amina", "Amina"),
        NOON,
    )
    deliver(world.receiver(), messages(world.site.seal(pack_message(message))))
    ((found, holds),) = world.relay.answers.conversation(study.id).messages
    assert (found.text, holds) == ("he feels better", True)
    assert count(world, answers) == 1


def test_a_damaged_object_file_is_noticed_when_it_is_read(world, sent):
    study = sent()
    with world.relay.database.write() as connection:
        name = connection.execute(select(objects.c.name).where(objects.c.oid == 0)).scalar_one()
        connection.execute(update(objects).where(objects.c.oid == 0).values(name=name))
    path = world.relay.objects.folder / name[:2] / name
    path.write_bytes(path.read_bytes()[:-1])
    from chevet.relay.errors import ArchiveError

    with pytest.raises(ArchiveError, match="damaged"):
        world.again().cases.open(study.id, world.user())


def test_the_lowest_quality_decides_the_badge(world, sent, client):
    sent(recordings=(ecg(), ecg(quality=QualityMark(0.9, True))))
    (case,) = world.relay.cases.inbox(world.user())
    assert min(recording.quality.score for recording in case.study.recordings) == 0.4
