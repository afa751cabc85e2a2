"""Sealed programmes: the relay keeps and passes on what it cannot open; the roster says who can."""

import asyncio
import base64
import os
import shutil
from dataclasses import replace

import pytest
from sqlalchemy import insert, select

from chevet.edge.errors import SettingsError as SettingsErrorOfBox
from chevet.edge.trust import keep_programme, read_programme
from chevet.exchange.errors import Refused
from chevet.exchange.keys import kid, new_sealing_key, new_signing_key, public_text
from chevet.exchange.manifest import Wrap, read_manifest
from chevet.exchange.sealing import Recipient, _unwrap, _wrap, open_manifest, open_object, open_sealed, seal
from chevet.relay.accounts.users import User
from chevet.relay.archive.looks import LOOK_MS
from chevet.relay.archive.schema import answers, audit, bundles, cases, erasures, objects, receipts
from chevet.relay.archive.sealed import SealedWords
from chevet.relay.archive.shared_keys import shared_wraps
from chevet.relay.commands.key_watch import watch_keys
from chevet.relay.enrolment import programme_words
from chevet.relay.erasure import sweep
from chevet.relay.errors import RefusedError, SettingsError
from chevet.relay.rotation import rotate
from chevet.study.bundle import Bundle, Part, content_hash, pack
from chevet.study.case import Author, author_bytes
from chevet.study.ids import uuid7
from chevet.study.study import EdgeClock
from chevet.study.summary import read_summary

from .conftest import NOON, SECRET_NAME, SECRET_QUESTION, app_code, messages
from .conftest import code as refusal
from .conftest import deliver as take


def code(answer):
    return refusal(answer)[1]


def deliver(receiver, item, only=None):
    """Bring all messages of a sealed bundle, or those of one object; return what became of it."""
    told = take(receiver, messages(item) if only is None else messages_of(item, only))
    assert told
    return receiver._inbox.state(item.tid)


def messages_of(item, oid):
    manifest, *chunks = messages(item)
    return [manifest, *(one for one in chunks if int.from_bytes(one[10:12], "big") == oid)]


def _user(ident, specialty):
    return User(ident, f"Dr {ident}", "specialist", specialty, ("fr",), b"")


class Browser:
    """What a specialist's browser holds."""

    def __init__(self):
        self.opener, self.signer = new_sealing_key(), new_signing_key()

    def register(self, relay, user):
        return relay.roster.register(
            user,
            self.opener.public_key().public_bytes_raw(),
            self.signer.public_key().public_bytes_raw(),
            b"wrapped",
        )

    def join(self, relay, user):
        kept = self.register(relay, user)
        return relay.roster.confirm(user.id, kept.fingerprint, "coordinator")


@pytest.fixture
def relay(world):
    return world.again(sealing="sealed")


def words(relay):
    return programme_words(relay.keys, "sealed", relay.roster)


def box_of(world, relay, tmp_path):
    """Return what the box's own reading of the programme's file gives."""
    file = tmp_path / "programme.json"
    keep_programme(file, words(relay))
    return read_programme(file)


def site_of(world):
    return Recipient("site", world.site.sealing.public_key())


def sealed_study(world, programme, study, label=""):
    return seal(
        pack(study), origin="abc", seq=1, priority=0, created=EdgeClock(NOON, "boot", 1.0),
        recipients=[*programme.recipients_for(study.specialty), site_of(world)],
        signer=world.site.signer, random=os.urandom, label=label,
    )  # fmt: skip


def test_the_relay_keeps_and_acknowledges_what_none_of_its_keys_opens(world, relay, make_study, tmp_path):
    user, browser = world.user(), Browser()
    browser.join(relay, user)
    study = make_study()
    item = sealed_study(world, box_of(world, relay, tmp_path), study)
    assert deliver(world.receiver(relay), item) == "complete"
    said = read_manifest(item.manifest)
    for key in (relay.keys.programme, *relay.keys.older):
        with pytest.raises(Refused, match="not_a_recipient"):
            open_object(said, 0, item.objects[0].data, key)
    assert not relay.vault.opens(said)
    with relay.database.read() as connection:
        assert connection.execute(select(bundles.c.content_sha256)).scalar() is None
        assert set(connection.execute(select(objects.c.kind)).scalars()) == {None}
    for path in tmp_path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert SECRET_NAME.encode() not in data
            assert SECRET_QUESTION.encode() not in data
    (listed,) = relay.sealed.inbox(user)
    assert (listed.urgent, listed.simulated, listed.for_key(kid(browser.opener.public_key()))) == (
        True,
        False,
        True,
    )
    case = relay.sealed.open(study.id, user)
    manifest = open_manifest(case.manifest, world.site.signer.public_key())
    data = relay.sealed.object(study.id, study.id, 0, user)
    assert read_summary(open_object(manifest, 0, data, browser.opener).data).question == SECRET_QUESTION


def test_a_sealed_page_left_open_is_one_look_in_the_audit(world, relay, make_study, tmp_path):
    user = world.user()
    Browser().join(relay, user)
    study = make_study()
    deliver(world.receiver(relay), sealed_study(world, box_of(world, relay, tmp_path), study))
    for later in (0, 20_000, 20_000, LOOK_MS):
        world.clock.ms += later
        assert len(relay.sealed.inbox(user)) == 1
        assert relay.sealed.open(study.id, user).id == study.id
    with relay.database.read() as connection:
        acts = list(connection.execute(select(audit.c.what).where(audit.c.who == user.id)).scalars())
    assert (acts.count("inbox.read"), acts.count("case.read")) == (2, 2)


def test_a_sealed_case_shows_as_soon_as_its_summary_is_here(world, relay, make_study, tmp_path):
    user = world.user()
    Browser().join(relay, user)
    item = sealed_study(world, box_of(world, relay, tmp_path), make_study())
    deliver(world.receiver(relay), item, only=0)
    (listed,) = relay.sealed.inbox(user)
    assert listed.complete_ms is None
    assert [part.whole for part in listed.objects].count(True) == 1
    with pytest.raises(RefusedError, match="not arrived"):
        relay.sealed.object(listed.id, listed.id, len(item.objects) - 1, user)


def test_the_two_lists_of_cases_do_not_mix(world, relay, make_study, tmp_path):
    user = world.user()
    Browser().join(relay, user)
    programme = box_of(world, relay, tmp_path)
    deliver(world.receiver(relay), sealed_study(world, programme, hidden := make_study()))
    deliver(world.receiver(relay), world.site.seal(pack(plain := make_study())))
    assert [one.id for one in relay.cases.inbox(user)] == [plain.id]
    assert [one.id for one in relay.sealed.inbox(user)] == [hidden.id]
    for refused in (lambda: relay.cases.open(hidden.id, user), lambda: relay.sealed.open(plain.id, user)):
        with pytest.raises(RefusedError, match="no such case"):
            refused()


def test_a_processing_relay_refuses_what_it_cannot_open(world, make_study):
    world.site.recipients = []
    item = world.site.seal(pack(make_study()))
    assert deliver(world.receiver(), item) == "refused:not_a_recipient"


def test_simulated_sealed_cases_never_show_in_a_clinical_inbox(world, relay, make_study, tmp_path):
    user = world.user()
    Browser().join(relay, user)
    study = make_study(label="HTEST")
    deliver(world.receiver(relay), sealed_study(world, box_of(world, relay, tmp_path), study, "HTEST"))
    assert relay.sealed.inbox(user) == []
    assert len(world.again(sealing="sealed", label="HTEST").sealed.inbox(user)) == 1


def test_a_key_joins_by_its_fingerprint_alone_and_nobody_confirms_their_own(world, relay):
    user, browser = world.user(), Browser()
    kept = browser.register(relay, user)
    assert (kept.state, relay.roster.current()) == ("waiting", ([], 0))
    with pytest.raises(RefusedError) as error:
        relay.roster.confirm("dr", "0000 " * 6, "boss")
    assert error.value.code == "other_fingerprint"
    with pytest.raises(RefusedError) as error:
        relay.roster.confirm("dr", kept.fingerprint, "dr")
    assert error.value.code == "own_key"
    joined = relay.roster.confirm("dr", kept.fingerprint.upper().replace(" ", ""), "boss")
    relay.keys.relay.public_key().verify(
        joined.certificate, author_bytes(Author("dr", "Dr dr", "cardiology"), joined.sign_key)
    )
    with pytest.raises(RefusedError) as error:
        browser.register(relay, user)
    assert error.value.code == "key_confirmed"
    assert relay.roster.current()[1] == 1


def test_a_waiting_key_gives_way_to_a_newer_one(world, relay):
    user = world.user()
    first, second = Browser().register(relay, user), Browser().register(relay, user)
    with pytest.raises(RefusedError, match="fingerprint"):
        relay.roster.confirm("dr", first.fingerprint, "boss")
    assert relay.roster.confirm("dr", second.fingerprint, "boss").state == "confirmed"
    assert relay.roster.current()[1] == 1


def test_a_revoked_key_is_left_out_of_what_is_sealed_later(world, relay, make_study, tmp_path):
    one, other = world.user("dr"), world.user("dr2")
    gone, stays = Browser(), Browser()
    gone.join(relay, one)
    stays.join(relay, other)
    programme = box_of(world, relay, tmp_path)
    before = sealed_study(world, programme, make_study())
    relay.roster.revoke("dr", "boss")
    programme.renew(box_of(world, relay, tmp_path))
    after = sealed_study(world, programme, make_study())
    for item, who in ((before, {gone, stays}), (after, {stays})):
        kids = {wrap.kid for wrap in read_manifest(item.manifest).wraps}
        assert {one for one in (gone, stays) if kid(one.opener.public_key()) in kids} == who
        assert kid(relay.keys.programme.public_key()) not in kids
        assert kid(world.site.sealing.public_key()) in kids
        assert len(kids) == len(who) + 2  # the site and the recovery key
    assert words(relay).roster == 3
    world.relay.users.disable("dr2")
    assert (words(relay).roster, words(relay).specialists) == (4, [])


def test_a_study_goes_to_the_specialty_asked_and_to_all_where_it_has_none(world, relay, tmp_path):
    Browser().join(relay, world.user())
    programme = box_of(world, relay, tmp_path)
    assert [one.name for one in programme.recipients_for("cardiology")] == ["recovery", "dr"]
    assert [one.name for one in programme.recipients_for("ent")] == ["recovery", "dr"]
    derm = Browser()
    relay.users.add(_user("skin", "dermatology"), "a long enough passphrase")
    derm.join(relay, _user("skin", "dermatology"))
    programme = box_of(world, relay, tmp_path)
    assert [one.name for one in programme.recipients_for("dermatology")] == ["recovery", "skin"]
    assert [one.name for one in programme.recipients_for("ent")] == ["recovery", "dr", "skin"]


def test_a_box_never_goes_back_to_an_older_roster_nor_to_processing(world, relay, tmp_path):
    file = tmp_path / "programme.json"
    early = words(relay)
    Browser().join(relay, world.user())
    keep_programme(file, words(relay))
    kept = file.read_bytes()
    with pytest.raises(SettingsErrorOfBox, match="older than 1"):
        keep_programme(file, early)
    with pytest.raises(SettingsErrorOfBox, match="must not open studies"):
        keep_programme(file, programme_words(relay.keys, "processing", relay.roster))
    assert file.read_bytes() == kept


def test_a_processing_programme_says_what_older_boxes_understand(relay):
    said = programme_words(relay.keys, "processing", relay.roster).model_dump()
    assert set(said) == {"v", "programme", "relay_key", "recipients"}
    assert set(words(relay).model_dump()["recipients"]) == {"recovery"}


def answer_of(world, relay, case, browser, version=1, kind="opinion", reader=None):
    """Seal an answer as the browser does; the words inside do not matter to the relay."""
    ident = uuid7(NOON, os.urandom(10))
    recipient = reader or world.site.sealing.public_key()
    item = seal(
        Bundle(ident, kind, case, (Part(0, 0, kind, f"application/vnd.chevet.{kind}", "", b"words"),)),
        origin="browser", seq=1, priority=0, created=EdgeClock(NOON, "b", 0.0),
        recipients=[Recipient("site", recipient)], signer=browser.signer, random=os.urandom,
    )  # fmt: skip
    said = read_manifest(item.manifest)
    return SealedWords(ident, kind, version, item.objects[0].data, said.wraps)


def test_an_answer_sealed_by_a_browser_reaches_the_site_signed_by_the_relay(
    world, relay, make_study, tmp_path
):
    user, browser = world.user(), Browser()
    browser.join(relay, user)
    study = make_study()
    deliver(world.receiver(relay), sealed_study(world, box_of(world, relay, tmp_path), study))
    item = answer_of(world, relay, study.id, browser)
    with pytest.raises(RefusedError, match="Claim"):
        relay.sealed.answer(study.id, user, item)
    relay.sealed.claim(study.id, user, take=True)
    with pytest.raises(RefusedError, match="answered meanwhile"):
        relay.sealed.answer(study.id, user, answer_of(world, relay, study.id, browser, version=2))
    strange = answer_of(world, relay, study.id, browser, reader=new_sealing_key().public_key())
    with pytest.raises(RefusedError, match="site could not open"):
        relay.sealed.answer(study.id, user, strange)
    relay.sealed.answer(study.id, user, item)
    with pytest.raises(RefusedError, match="sent before"):
        relay.sealed.answer(study.id, user, item)
    (manifest,) = relay.outbox("abc").pending()
    said = open_manifest(manifest, relay.keys.relay.public_key())
    data = relay.outbox("abc").read(said.tid, 0, 0, 1 << 20)
    assert open_sealed(said, {0: data}, world.site.sealing).parts[0].data == b"words"
    assert (said.origin, said.kind, said.case) == ("relay", "opinion", study.id)
    with relay.database.read() as connection:
        assert connection.execute(select(cases.c.answered_ms)).scalar() is not None
        assert "answered" in set(connection.execute(select(receipts.c.kind)).scalars())
        assert connection.execute(select(answers.c.version)).scalars().all() == [1]
    assert relay.sealed.next_version(study.id) == 2


def test_the_site_hears_once_that_a_browser_opened_its_case(world, relay, make_study, tmp_path):
    user = world.user()
    Browser().join(relay, user)
    study = make_study()
    deliver(world.receiver(relay), sealed_study(world, box_of(world, relay, tmp_path), study))
    relay.sealed.open(study.id, user)
    with relay.database.read() as connection:
        assert connection.execute(select(cases.c.opened_ms)).scalar() is None  # handed out is not yet opened
    relay.sealed.opened(study.id, user)
    relay.sealed.opened(study.id, user)
    with relay.database.read() as connection:
        assert list(connection.execute(select(receipts.c.kind)).scalars()).count("opened") == 1


async def test_the_api_hands_out_ciphertext_and_takes_keys(world, relay, client, make_study, tmp_path):
    user, boss = world.user(), world.user("boss", "coordinator")
    browser = Browser()
    async with client(user, relay) as desk, client(boss, relay) as office:
        body = {
            "seal_key": public_text(browser.opener.public_key()),
            "sign_key": public_text(browser.signer.public_key()),
            "wrapped": base64.b64encode(b"wrapped").decode(),
        }
        kept = (await desk.put("/api/sealed/key", json=body)).json()
        assert (await office.get("/api/sealed/keys")).json()["keys"][0]["state"] == "waiting"
        assert (await desk.get("/api/sealed/keys")).status_code == 403
        wrong = await office.post("/api/sealed/keys/dr/confirm", json={"fingerprint": "0" * 24})
        assert code(wrong) == "other_fingerprint"
        done = await office.post("/api/sealed/keys/dr/confirm", json={"fingerprint": kept["fingerprint"]})
        assert done.json()["state"] == "confirmed"
        study = make_study()
        item = sealed_study(world, box_of(world, relay, tmp_path), study)
        deliver(world.receiver(relay), item)
        (listed,) = (await desk.get("/api/sealed/cases")).json()["cases"]
        assert (listed["id"], listed["yours"]) == (study.id, True)
        assert SECRET_QUESTION not in (await desk.get(f"/api/sealed/cases/{study.id}")).text
        got = await desk.get(f"/api/sealed/cases/{study.id}/bundles/{study.id}/0")
        assert got.content == item.objects[0].data
        assert (await desk.post(f"/api/sealed/cases/{study.id}/claim")).json()["claimed_by"]["id"] == "dr"
        made = answer_of(world, relay, study.id, browser)
        sent = {
            "id": made.id,
            "kind": "opinion",
            "version": 1,
            "ciphertext": base64.b64encode(made.ciphertext).decode(),
            "wraps": [
                {"kid": base64.b64encode(one.kid).decode(), "wrap": base64.b64encode(one.sealed_key).decode()}
                for one in made.wraps
            ],
        }
        short = sent | {"ciphertext": "AAAA"}
        assert code(await desk.put(f"/api/sealed/cases/{study.id}/answers", json=short)) == "malformed"
        assert (await desk.put(f"/api/sealed/cases/{study.id}/answers", json=sent)).status_code == 201
        assert (await office.post("/api/sealed/keys/dr/revoke")).json()["state"] == "revoked"
        again = await desk.put(f"/api/sealed/cases/{study.id}/answers", json=sent)
        assert code(again) == "key_not_confirmed"


async def test_a_running_relay_takes_up_a_rotated_key_without_a_restart(world, make_study, tmp_path):
    shutil.copytree(world.settings.keys, tmp_path / "keys")
    shutil.copy(world.settings.keys.parent / "programme.json", tmp_path / "programme.json")
    relay = world.again(keys=tmp_path / "keys")
    before = world.site.seal(pack(early := make_study()))
    watching = asyncio.create_task(watch_keys(relay, 0.01))
    fresh = rotate(tmp_path / "keys", tmp_path / "programme.json")
    async with asyncio.timeout(60):
        while kid(relay.keys.programme.public_key()) != kid(fresh.public_key()):  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
    watching.cancel()
    world.site.recipients = [Recipient("programme", fresh.public_key())]
    after = world.site.seal(pack(late := make_study()))
    for item in (before, after):
        assert deliver(world.receiver(relay), item) == "complete"
    found = {one.id: one.study.question for one in relay.cases.inbox(world.user())}
    assert found == {early.id: SECRET_QUESTION, late.id: SECRET_QUESTION}
    with relay.database.read() as connection:
        kept = set(connection.execute(select(bundles.c.content_sha256)).scalars())
    assert kept == {content_hash(pack(early)), content_hash(pack(late))}
    assert relay.keys.recipients["programme"] == public_text(fresh.public_key())


async def test_keys_that_cannot_be_read_leave_those_held_in_use(world, tmp_path, caplog):
    shutil.copytree(world.settings.keys, tmp_path / "keys")
    relay = world.again(keys=tmp_path / "keys")
    held = relay.keys.programme
    (tmp_path / "keys" / "programme.key").unlink()
    watching = asyncio.create_task(watch_keys(relay, 0.01))
    async with asyncio.timeout(60):
        while "cannot be taken up" not in caplog.text:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.01)
    watching.cancel()
    assert relay.keys.programme is held
    with pytest.raises(SettingsError):
        relay.refresh_keys()


def wrapped(item, opener, receiver):
    """Wrap a sealed bundle's key for one more key, as a colleague's browser does."""
    said = read_manifest(item.manifest)
    return _wrap(_unwrap(said, opener), said.id, receiver).sealed_key


async def test_a_case_is_shared_with_a_specialist_who_was_confirmed_later(
    world, relay, client, make_study, tmp_path
):
    first, later = world.user(), world.user("dr2")
    mine, theirs = Browser(), Browser()
    mine.join(relay, first)
    study = make_study()
    item = sealed_study(world, box_of(world, relay, tmp_path), study)
    deliver(world.receiver(relay), item)
    wrap = wrapped(item, mine.opener, theirs.opener.public_key())
    body = {"user": "dr2", "wraps": {study.id: base64.b64encode(wrap).decode()}}
    here = f"/api/sealed/cases/{study.id}"
    async with client(first, relay) as giver, client(later, relay) as taker:
        assert code(await giver.put(f"{here}/wraps", json=body)) == "key_not_confirmed"
        theirs.join(relay, later)
        assert (await taker.get("/api/sealed/cases")).json()["cases"][0]["yours"] is False
        assert code(await taker.put(f"{here}/wraps", json=body)) == "not_yours"
        (known,) = (await giver.get("/api/sealed/colleagues")).json()["colleagues"]
        assert (known["user"], known["seal_key"]) == ("dr2", public_text(theirs.opener.public_key()))
        for wraps in ({uuid7(NOON, os.urandom(10)): "AA=="}, {study.id: "AA=="}):
            assert code(await giver.put(f"{here}/wraps", json=body | {"wraps": wraps})) == "malformed"
        for _ in range(2):  # a second time replaces the first
            assert (await giver.put(f"{here}/wraps", json=body)).status_code == 204
        assert (await taker.get("/api/sealed/cases")).json()["cases"][0]["yours"] is True
        handed = (await taker.get(here)).json()
    assert base64.b64decode(handed["shared"][study.id]) == wrap
    assert public_text(theirs.opener.public_key()) in handed["readers"]
    said = open_manifest(item.manifest, world.site.signer.public_key())
    given = replace(said, wraps=(Wrap(kid(theirs.opener.public_key()), wrap),))
    assert read_summary(open_object(given, 0, item.objects[0].data, theirs.opener).data).id == study.id
    with relay.database.read() as connection:
        told = connection.execute(select(audit.c.detail).where(audit.c.what == "case.share")).scalars().all()
    assert told == [f"to dr2 {relay.roster.of('dr2').fingerprint}"] * 2


def test_what_was_shared_goes_with_the_case(world, relay, make_study, tmp_path):
    first, later, mine, theirs = world.user(), world.user("dr2"), Browser(), Browser()
    mine.join(relay, first)
    study = make_study()
    item = sealed_study(world, box_of(world, relay, tmp_path), study)
    deliver(world.receiver(relay), item)
    theirs.join(relay, later)
    wrap = wrapped(item, mine.opener, theirs.opener.public_key())
    relay.sealed.share(study.id, relay.roster.of("dr"), relay.roster.of("dr2"), {study.id: wrap})
    everything = select(shared_wraps.c.wrap)
    with relay.database.write() as connection:
        assert connection.execute(everything).scalars().all() == [wrap]
        row = {"case_id": study.id, "reason": "order", "asked_ms": NOON, "due_ms": NOON}
        connection.execute(insert(erasures).values(**row))
    assert len(sweep(relay)) == 1
    with relay.database.read() as connection:
        assert connection.execute(everything).all() == []


async def test_a_sealed_opinion_needs_the_second_factor_and_a_message_does_not(
    world, relay, client, make_study, tmp_path
):
    user, browser = world.user(), Browser()
    browser.join(relay, user)
    study = make_study()
    deliver(world.receiver(relay), sealed_study(world, box_of(world, relay, tmp_path), study))

    def body(kind):
        item = answer_of(world, relay, study.id, browser, kind=kind)
        wraps = [
            {"kid": base64.b64encode(w.kid).decode(), "wrap": base64.b64encode(w.sealed_key).decode()}
            for w in item.wraps
        ]
        return {"id": item.id, "kind": kind, "version": 1, "wraps": wraps,
                "ciphertext": base64.b64encode(item.ciphertext).decode()}  # fmt: skip

    here = f"/api/sealed/cases/{study.id}"
    async with client(user, relay) as desk:
        await desk.post(f"{here}/claim")
        world.clock.ms += 11 * 60_000  # the code given at sign-in is older than the grace
        opinion = body("opinion")
        assert code(await desk.put(f"{here}/answers", json=opinion)) == "second_factor_needed"
        assert code(await desk.put(f"{here}/answers", json=opinion | {"code": "000000"})) == "wrong_code"
        assert (await desk.put(f"{here}/answers", json=body("message"))).status_code == 201
        good = opinion | {"code": app_code(relay, user)}
        assert (await desk.put(f"{here}/answers", json=good)).status_code == 201
