"""Accounts, sessions, keys, and the record of who did what."""

import logging

import pytest
from sqlalchemy import delete, select, update

from chevet.relay.accounts.passwords import Cost, Passwords
from chevet.relay.accounts.users import User
from chevet.relay.archive.answers import Draft, Note
from chevet.relay.archive.audit import Broken
from chevet.relay.archive.schema import audit, sessions, users
from chevet.relay.archive.signatures import verified
from chevet.relay.errors import RefusedError, SettingsError
from chevet.study.bundle import pack
from chevet.study.case import Author, Signature, opinion_bytes

from .conftest import PASSWORD, SECRET_NAME, SECRET_QUESTION, deliver, messages

DRAFT = Draft("Seededimpression", "certain", "Seededadvice", "urgent", True, None)


def chain(world):
    with world.relay.database.read() as connection:
        return world.relay.audit.verify(connection)


def answered(world, sent):
    study, user = sent(), world.user()
    relay = world.relay
    relay.cases.open(study.id, user)
    relay.cases.claim(study.id, user)
    opinion = relay.answers.give_opinion(study.id, user, DRAFT, relay.sign_in.signing_key(user, PASSWORD))
    return study, user, opinion


def test_every_look_and_every_change_is_in_the_audit(world, sent):
    study, _, _ = answered(world, sent)
    with world.relay.database.read() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.seq)).all()
    told = [(row.who, row.what) for row in rows if row.subject == study.id]
    assert told == [
        ("site:abc", "case.open"),
        ("site:abc", "study.received"),
        ("dr", "case.read"),
        ("dr", "case.claim"),
        ("dr", "opinion.sign"),
    ]
    assert chain(world) is None


@pytest.mark.parametrize("column", ["who", "what", "subject", "detail", "mac", "previous"])
def test_one_changed_field_is_found_and_its_record_named(world, sent, column):
    answered(world, sent)
    with world.relay.database.write() as connection:
        connection.execute(update(audit).where(audit.c.seq == 3).values({column: "x"}))
    assert chain(world) == Broken(3, "changed")


def test_a_removed_record_and_a_cut_off_end_are_found(world, sent):
    answered(world, sent)
    with world.relay.database.write() as connection:
        last = connection.execute(select(audit.c.seq).order_by(audit.c.seq.desc())).scalar()
        connection.execute(delete(audit).where(audit.c.seq == last))
    assert chain(world) == Broken(last, "cut off")
    with world.relay.database.write() as connection:
        connection.execute(delete(audit).where(audit.c.seq == 2))
    assert chain(world) == Broken(2, "missing")


def test_logs_and_audit_never_name_a_patient(world, sent, make_study, caplog):
    caplog.set_level(logging.DEBUG)
    study, user, _ = answered(world, sent)
    world.relay.answers.send_message(study.id, user, Note("note", "", "", "", "Seedednote"))
    deliver(world.receiver(), [messages(world.site.seal(pack(make_study())))[0][:-9]])
    with world.relay.database.read() as connection:
        recorded = str(connection.execute(select(audit)).all())
    for secret in ("Seeded", SECRET_NAME, SECRET_QUESTION, "R-77", PASSWORD):
        assert secret not in caplog.text + recorded


def test_the_archive_holds_nothing_readable_of_a_patient(world, sent):
    answered(world, sent)
    world.relay.close()
    stored = b"".join(path.read_bytes() for path in world.settings.archive.rglob("*") if path.is_file())
    assert len(stored) > 20_000
    for secret in ("Seeded", SECRET_NAME, "R-77", PASSWORD):
        assert secret.encode() not in stored


def test_an_opinion_verifies_with_the_relays_public_key_alone(world, sent):
    _, _, opinion = answered(world, sent)
    relay_key = world.relay.keys.relay.public_key()
    signed = opinion_bytes(opinion)
    assert verified(opinion.author, opinion.signature, signed, relay_key)
    assert not verified(opinion.author, opinion.signature, signed + b"x", relay_key)
    assert not verified(Author("dr", "Dr Other", "cardiology"), opinion.signature, signed, relay_key)
    assert not verified(opinion.author, Signature(), signed, relay_key)


def test_the_signing_key_needs_its_password_and_a_live_account(world):
    user = world.user()
    key = world.relay.sign_in.signing_key(user, PASSWORD)
    assert key.public_key().public_bytes_raw() == user.public_key
    world.relay.users.disable(user.id)
    with pytest.raises(RefusedError):
        world.relay.sign_in.signing_key(user, PASSWORD)


def test_a_stolen_database_opens_no_session_and_no_key(world):
    user = world.user()
    token = world.relay.sign_in.sign_in(user.id, PASSWORD).token
    with world.relay.database.read() as connection:
        row = connection.execute(select(sessions)).one()
        person = connection.execute(select(users)).one()
    assert token not in str(row)
    assert world.relay.sign_in.user(row.token_hash) is None
    assert person.password_hash.startswith("$argon2id$")
    assert Passwords(Cost(1, 8, 1)).unlock(person.locked_key, "a wrong passphrase") is None


def test_a_damaged_password_hash_lets_nobody_in():
    passwords = Passwords(Cost(1, 8, 1))
    assert not passwords.check("no hash at all", "x")
    assert not passwords.check(None, "right")
    assert passwords.check(passwords.hash("right"), "right")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "a b"}, "id"),
        ({"id": ""}, "id"),
        ({"name": " "}, "name"),
        ({"role": "god"}, "role"),
        ({"specialty": ""}, "specialty"),
        ({"specialty": "astrology"}, "specialty"),
        ({"role": "coordinator"}, "role"),
        ({"languages": ()}, "language"),
        ({"languages": ("de",)}, "language"),
    ],
)
def test_an_account_with_a_wrong_field_is_not_made(world, changes, field):
    from dataclasses import replace

    user = replace(User("x", "Dr X", "specialist", "cardiology", ("fr",), b""), **changes)
    with pytest.raises(SettingsError) as refused:
        world.relay.users.add(user, PASSWORD)
    assert refused.value.key == field


def test_short_passwords_and_taken_ids_are_refused(world):
    user = world.user()
    with pytest.raises(SettingsError, match="12 characters"):
        world.relay.users.add(User("y", "Dr Y", "auditor", "", ("fr",), b""), "short")
    with pytest.raises(SettingsError, match="exists already"):
        world.relay.users.add(user, PASSWORD)
    with pytest.raises(SettingsError, match="no user"):
        world.relay.users.disable("nobody")
    assert [(line.user.id, line.disabled) for line in world.relay.users.list()] == [("dr", False)]


def test_a_site_cannot_take_anothers_code(world):
    from .conftest import Site

    assert world.relay.sites.add(world.site.file()).code == "abc"
    with pytest.raises(SettingsError, match="other keys"):
        world.relay.sites.add(Site("abc", []).file())
    with pytest.raises(SettingsError, match="no site"):
        world.relay.sites.revoke("nope")
    world.relay.sites.revoke("abc")
    with pytest.raises(SettingsError, match="revoked"):
        world.relay.sites.add(world.site.file())
    assert [site.revoked for site in world.relay.sites.list()] == [True]
