"""The code and the messages of enrolment: what a stranger on the road can and cannot do."""

import contextlib
import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.exchange.enrolment import (
    HALF,
    Ask,
    Broker,
    Code,
    Grant,
    ProgrammeFile,
    ask_digest,
    fingerprint,
    make_code,
    proves,
    read_ask,
    read_code,
    read_grant,
    write_ask,
    write_grant,
)
from chevet.exchange.errors import Refused
from chevet.exchange.keys import new_sealing_key, new_signing_key, public_text
from chevet.exchange.tls import new_tls_key, request

HALVES = st.binary(min_size=HALF, max_size=HALF)
RELAY, BOX = new_signing_key(), new_signing_key()


def ask(code: Code | None = None, **changes: str) -> bytes:
    words = {
        "invite": code.invite if code else "",
        "verify_key": public_text(BOX.public_key()),
        "seal_key": public_text(new_sealing_key().public_key()),
        "csr": request(new_tls_key()),
    }
    return write_ask(Ask(**(words | changes)), BOX, code)


def grant(message: bytes, signer: object = RELAY) -> bytes:
    key = public_text(signer.public_key())  # type: ignore[attr-defined]
    programme = ProgrammeFile(v=1, programme="P", relay_key=key, recipients={"programme": "", "recovery": ""})
    given = Grant(
        ask=ask_digest(message),
        site="abc",
        name="Centre",
        phone="",
        programme=programme,
        authority="",
        certificate="",
        broker=Broker(host="broker.example", port=8883, tls=True),
        now_ms=1,
    )
    return write_grant(given, signer)  # type: ignore[arg-type]


def pinned(code: Code) -> object:
    return lambda key: fingerprint(key) == code.fingerprint


@settings(max_examples=50)
@given(HALVES, HALVES)
def test_a_code_is_read_back_however_it_is_written(secret: bytes, print_: bytes) -> None:
    code = Code(secret, print_)
    text = str(code)
    assert len(text) == 44
    assert read_code(text) == read_code(text.lower().replace("-", " ")) == code
    assert read_code(text.replace("0", "O").replace("1", "l")) == code
    assert secret.hex() not in code.invite
    assert code.proof_key != secret


@settings(max_examples=50)
@given(HALVES, HALVES, st.integers(0, 35), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_character_is_noticed_at_once(
    secret: bytes, print_: bytes, place: int, letter: str
) -> None:
    text = str(Code(secret, print_)).replace("-", "")
    wrong = text[:place] + letter + text[place + 1 :]
    if wrong != text:
        with pytest.raises(Refused, match="mistyped"):
            read_code(wrong)


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_any_text_is_a_code_or_mistyped(text: str) -> None:
    with contextlib.suppress(Refused):
        assert read_code(text) == read_code(str(read_code(text)))


def test_a_box_proves_the_code_without_sending_it() -> None:
    code = make_code(RELAY.public_key(), os.urandom)
    message = ask(code)
    said, envelope = read_ask(message)
    assert said.invite == code.invite
    assert proves(envelope, code.proof_key)
    assert not proves(envelope, make_code(RELAY.public_key(), os.urandom).proof_key)
    for hidden in (str(code), str(code).replace("-", ""), code.secret.hex()):
        assert hidden.encode() not in message


def test_what_is_changed_on_the_way_up_proves_nothing() -> None:
    code = make_code(RELAY.public_key(), os.urandom)
    words = json.loads(ask(code))
    mine = new_signing_key()
    body = json.loads(words["body"]) | {"verify_key": public_text(mine.public_key())}
    other = Ask.model_validate(body)
    forged = json.loads(write_ask(other, mine, None)) | {"proof": words["proof"]}
    _, envelope = read_ask(json.dumps(forged).encode())
    assert not proves(envelope, code.proof_key)
    with pytest.raises(Refused, match="bad_signature"):
        read_ask(json.dumps(words | {"body": json.dumps(body)}).encode())


def test_a_grant_counts_from_the_relay_that_the_code_names_alone() -> None:
    code = make_code(RELAY.public_key(), os.urandom)
    message = ask(code)
    assert read_grant(grant(message), message, pinned(code)).site == "abc"  # type: ignore[arg-type]
    with pytest.raises(Refused, match="not_the_relay"):
        read_grant(grant(message, new_signing_key()), message, pinned(code))  # type: ignore[arg-type]
    words = json.loads(grant(message))
    for change in ({"body": words["body"].replace("broker.example", "evil.example")}, {"signature": "AAAA"}):
        with pytest.raises(Refused, match="bad_signature"):
            read_grant(json.dumps(words | change).encode(), message, pinned(code))  # type: ignore[arg-type]


def test_a_grant_for_another_ask_is_no_answer() -> None:
    code = make_code(RELAY.public_key(), os.urandom)
    with pytest.raises(Refused, match="other_ask"):
        read_grant(grant(ask(code)), ask(code), pinned(code))  # type: ignore[arg-type]


@settings(max_examples=50)
@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_no_bytes_do_harm(data: bytes) -> None:
    with pytest.raises(Refused):
        read_ask(data)
    with pytest.raises(Refused):
        read_grant(data, ask(), lambda _: True)


@pytest.mark.parametrize(
    "change",
    [{"verify_key": "AAAA"}, {"signature": "!"}, {"body": "{}"}, {"more": "1"}, {"body": "x" * 70_000}],
)
def test_a_malformed_ask_is_refused(change: dict[str, str]) -> None:
    words = json.loads(ask())
    if "verify_key" in change:
        change = {"body": json.dumps(json.loads(words["body"]) | change)}
    with pytest.raises(Refused, match=r"malformed|bad_signature"):
        read_ask(json.dumps(words | change).encode())
