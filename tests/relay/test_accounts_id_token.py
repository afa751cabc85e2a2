"""ID tokens as text: garbage is refused in one sentence; of listed keys only those that sign are kept."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey

from chevet.relay.accounts.id_token import (
    LEEWAY_S,
    MAX_TOKEN,
    OLDEST_S,
    Expected,
    ProviderError,
    key_named,
    keys_of,
    read_id_token,
)

KEY = ECKey.generate_key("P-256", parameters={"kid": "k1"})
KEYS = KeySet([KEY])
NOW = 1_790_000_000
EXPECTED = Expected("https://id.example", "chevet", "nonce", NOW)
CLAIMS = {
    "iss": "https://id.example",
    "aud": "chevet",
    "nonce": "nonce",
    "sub": "person",
    "exp": NOW + 60,
    "iat": NOW,
}
GOOD = jwt.encode({"alg": "ES256", "kid": "k1"}, CLAIMS, KEY)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def refused(token: str) -> bool:
    try:
        read_id_token(token, KEYS, EXPECTED)
    except ProviderError as error:
        return error.code == "oidc_token"
    return False


def signed(**changes: object) -> str:
    said = {name: value for name, value in (CLAIMS | changes).items() if value is not ...}
    return jwt.encode({"alg": "ES256", "kid": "k1"}, said, KEY)


def test_a_token_holds_within_what_clocks_may_differ_by():
    assert not refused(GOOD)
    assert not refused(signed(exp=NOW - LEEWAY_S + 1, iat=NOW - OLDEST_S))
    assert refused(signed(exp=NOW - LEEWAY_S))
    assert not refused(signed(iat=NOW + LEEWAY_S))
    assert refused(signed(iat=NOW + LEEWAY_S + 1))
    assert refused(signed(iat=NOW - OLDEST_S - LEEWAY_S - 1))


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(CLAIMS)), JSON)
def test_whatever_a_signed_claim_is_it_never_crashes_and_only_the_right_one_holds(name, value):
    held = not refused(signed(**{name: value}))
    harmless = {
        "aud": value == ["chevet"],
        "sub": isinstance(value, str) and value != "",
        "exp": type(value) in (int, float) and value > NOW - LEEWAY_S,
        "iat": type(value) in (int, float) and NOW - OLDEST_S - LEEWAY_S <= value <= NOW + LEEWAY_S,
    }
    assert held == (value == CLAIMS[name] or harmless.get(name, False))


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=80) | st.lists(st.text("eyJhbGciOi._-", max_size=30), max_size=5).map(".".join))
def test_garbage_is_no_token(text):
    assert refused(text)
    assert key_named(text) is None


@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.characters(codec="utf-8"))
def test_one_changed_character_is_another_token(at, letter):
    changed = GOOD[:at] + letter + GOOD[at + 1 :]
    # the last letter of base64 holds bits that say nothing
    assert changed == GOOD or refused(changed) or at == len(GOOD) - 1


def test_a_token_without_end_is_not_looked_at():
    with pytest.raises(ProviderError, match="too long"):
        read_id_token("e" * (MAX_TOKEN + 1), KEYS, EXPECTED)


def test_lists_in_lists_without_end_are_no_token():
    deep = base64.urlsafe_b64encode(b"[" * 12_000).decode()
    assert refused(f"{deep}.{deep}.AAAA")
    assert key_named(deep) is None
    assert refused(jws.serialize_compact({"alg": "ES256", "kid": "k1"}, b"[" * 12_000, KEY))


def test_of_a_list_only_keys_that_check_signatures_are_kept():
    public = KEY.as_dict(private=False)
    listed = [
        public | {"x5c": ["AAAA"], "key_ops": ["verify"]},
        OKPKey.generate_key("Ed25519").as_dict(private=False),
        ECKey.generate_key("P-256").as_dict(private=False) | {"use": "enc"},
        OctKey.generate_key(256).as_dict(private=True),
        {"kty": "ML-DSA"},
        {"kty": "RSA", "n": "!", "e": "AQAB"},
        "kty",
        None,
    ]
    kept = keys_of({"keys": listed})
    assert [key.key_type for key in kept] == ["EC", "OKP"]
    assert not read_id_token(GOOD, kept, EXPECTED).keys() - CLAIMS.keys()
    assert key_named(GOOD) == "k1"


@settings(max_examples=50, deadline=None)
@given(JSON | st.dictionaries(st.sampled_from(["keys", "kty"]), JSON, max_size=2))
def test_a_list_of_keys_that_is_none_is_empty(document):
    given_keys = document if isinstance(document, dict) else {"keys": [document]}
    assert list(keys_of(given_keys)) == []
