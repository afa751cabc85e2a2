"""What authenticators say, as bytes: whatever is changed in it no longer holds, and nothing crashes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.relay.accounts.authenticators import Given, Made, asked, counted, new_key
from chevet.relay.accounts.challenges import ask, of_session, take
from chevet.relay.accounts.place import place_of

from .soft_passkey import HOME, SoftPasskey, raw, text

PLACE = place_of(HOME, 8422)
CHALLENGE = bytes(range(32))


def good_answer():
    phone = SoftPasskey(rp=PLACE.host)
    body = phone.answer({"rpId": PLACE.host, "challenge": text(CHALLENGE)})
    parts = [raw(body[name]) for name in ("id", "client_data", "authenticator_data", "signature", "handle")]
    options = {"user": {"id": "AAAA"}, "rp": {"id": PLACE.host}, "challenge": text(CHALLENGE)}
    new = phone.make(options)
    fresh = Made(*(raw(new[name]) for name in ("id", "client_data", "attestation")))
    return Given(*parts), fresh


GOOD, FRESH = good_answer()
KEY = new_key(PLACE, FRESH, CHALLENGE)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(["client_data", "authenticator_data", "signature"]), st.data())
def test_a_changed_answer_never_holds_and_never_crashes(part, data):
    whole = getattr(GOOD, part)
    assert counted(PLACE, GOOD, CHALLENGE, KEY.public_key) == 1
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + data.draw(st.integers(1, 3)) :]
    changed = replace(GOOD, **{part: cut})
    if changed != GOOD:
        assert counted(PLACE, changed, CHALLENGE, KEY.public_key) is None


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_garbage_is_no_passkey(words, attestation):
    assert asked(PLACE, words, CHALLENGE) == "answer"
    assert new_key(PLACE, replace(FRESH, attestation=attestation), CHALLENGE) is None
    assert counted(PLACE, replace(GOOD, client_data=words), CHALLENGE, attestation) is None


def test_lists_in_lists_without_end_are_no_passkey():
    assert asked(PLACE, b"[" * 12_000, CHALLENGE) == "answer"
    assert counted(PLACE, replace(GOOD, client_data=b"[" * 12_000), CHALLENGE, KEY.public_key) is None
    assert new_key(PLACE, replace(FRESH, client_data=b"[" * 12_000), CHALLENGE) is None
    assert new_key(PLACE, replace(FRESH, attestation=b"\x81" * 12_000), CHALLENGE) is None


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255))
def test_a_broken_attestation_never_crashes(at, byte):
    whole = bytearray(FRESH.attestation)
    whole[at % len(whole)] = byte
    found = new_key(PLACE, replace(FRESH, attestation=bytes(whole)), CHALLENGE)
    assert found is None or found.counter >= 0


def test_a_challenge_is_taken_once_and_a_newer_one_voids_it(world):
    holder = of_session("s", "new")
    with world.relay.database.write() as connection:
        first = ask(connection, holder, 1000)
        second_one = ask(connection, holder, 1000)
        assert first != second_one
        assert take(connection, of_session("s", "signing"), 1000) is None
        assert take(connection, holder, 1000) == second_one
        assert take(connection, holder, 1000) is None


@pytest.mark.parametrize(
    ("url", "origin", "host", "works"),
    [
        ("", HOME, "localhost", True),
        ("https://Desk.Example/", "https://desk.example", "desk.example", True),
        ("https://desk.example:8443/chevet", "https://desk.example:8443", "desk.example", True),
        ("http://desk.example", "http://desk.example", "desk.example", False),
        ("https://192.0.2.7", "https://192.0.2.7", "192.0.2.7", False),
        ("https://[2001:db8::7]:444", "https://[2001:db8::7]:444", "2001:db8::7", False),
    ],
)
def test_the_setting_says_where_passkeys_are_at_home(url, origin, host, works):
    place = place_of(url, 8422)
    assert (place.origin, place.host, place.passkeys) == (origin, host, works)
