"""The key of the disk and its lock: what was covered comes back whole, by the right key alone."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.edge import lock_file
from chevet.edge.at_rest import FILE_MARK, Altered, DataKey, cover_file, uncover_file
from chevet.edge.errors import SettingsError
from chevet.edge.lock_file import (
    KEYS_AT_MOST,
    Lock,
    new_code,
    new_key_text,
    new_lock,
    read_lock,
    require_passphrase,
    with_slot,
    without_slot,
    write_lock,
)

KEY = DataKey(bytes(range(32)), "0" * 32)
OTHER = DataKey(bytes(32), "1" * 32)
PHRASE = "correct horse battery"
KEY_TEXT = new_key_text(lambda count: b"k" * count)  # the same in every worker


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow hash tells nothing here."""
    monkeypatch.setattr(lock_file, "MEMORY_KIB", 64)
    monkeypatch.setattr(lock_file, "PASSES", 1)
    monkeypatch.setattr(lock_file, "LANES", 1)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=20), st.data())
def test_bytes_come_back_for_their_place_and_key_alone(data: bytes, place: str, draw: st.DataObject) -> None:
    covered = KEY.cover(data, place)
    assert KEY.uncover(covered, place) == data
    assert len(covered) == len(data) + 28
    at = draw.draw(st.integers(0, len(covered) * 8 - 1))
    flipped = bytearray(covered)
    flipped[at // 8] ^= 1 << at % 8
    for wrong, where, key in (
        (bytes(flipped), place, KEY),
        (covered, place + "x", KEY),
        (covered, place, OTHER),
    ):
        with pytest.raises(Altered):
            key.uncover(wrong, where)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=100))
def test_text_comes_back_and_nothing_of_it_is_seen(text: str) -> None:
    covered = KEY.cover_text(text, "visits.words:v1")
    assert KEY.uncover_text(covered, "visits.words:v1") == text
    assert covered.isascii()
    assert len(text) < 3 or text not in covered
    assert KEY.cover_text(text, "visits.words:v1") != covered, "every time with a nonce of its own"


@settings(max_examples=50, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_what_was_never_covered_does_not_open(data: bytes) -> None:
    with pytest.raises(Altered):
        KEY.uncover(data, "p")
    with pytest.raises(Altered):
        KEY.uncover_text(data.decode("latin-1"), "p")


def test_a_file_is_covered_where_there_is_a_key_and_never_read_the_other_way() -> None:
    assert cover_file(None, b"plain", "imports/a.ecg") == b"plain"
    assert uncover_file(None, b"plain", "imports/a.ecg") == b"plain"
    covered = cover_file(KEY, b"plain", "imports/a.ecg")
    assert covered.startswith(FILE_MARK)
    assert uncover_file(KEY, covered, "imports/a.ecg") == b"plain"
    for key, data in ((None, covered), (KEY, b"plain"), (OTHER, covered)):
        with pytest.raises(Altered):
            uncover_file(key, data, "imports/a.ecg")


def test_every_purpose_has_a_key_of_its_own() -> None:
    journals = {KEY.journal(bytes([n] * 16)).encrypt(bytes(12), b"same", None) for n in range(4)}
    assert len(journals) == 4
    assert len(KEY.password) == 64
    assert KEY.password != OTHER.password
    with pytest.raises(ValueError, match="31"):
        DataKey(bytes(31), "0" * 32)


def locked() -> tuple[Lock, tuple[str, bytes], str, str]:
    of = new_lock()
    code, key = new_code(), new_key_text()
    lock = with_slot(None, of, "passphrase", PHRASE)
    return with_slot(with_slot(lock, of, "recovery", code), of, "key", key, "stick"), of, code, key


def test_passphrase_code_and_key_each_open_the_lock_and_nothing_else_does() -> None:
    lock, (lock_id, secret), code, key = locked()
    spoken = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    for said in (PHRASE, f"  {PHRASE}\n", code, spoken, key, key.strip()):
        opened = lock.open(said)
        assert opened is not None, said
        assert (opened.secret, opened.lock) == (secret, lock_id)
    for said in ("", PHRASE + "!", new_code(), new_key_text(), "chevet-disk-key-1 ", "chevet-disk-key-1 ???"):
        assert lock.open(said) is None, said


def test_a_passphrase_is_the_same_from_every_keyboard() -> None:
    of = new_lock()
    lock = with_slot(None, of, "passphrase", "cafe\u0301 du Haut Atlas")
    assert lock.open("caf\u00e9 du Haut Atlas") is not None


def test_a_new_passphrase_or_code_takes_the_place_of_the_one_before() -> None:
    lock, of, code, key = locked()
    changed = with_slot(lock, of, "passphrase", "another five words here")
    assert changed.open(PHRASE) is None
    assert changed.open("another five words here") is not None
    fresh = with_slot(changed, of, "recovery", new_code())
    assert fresh.open(code) is None
    assert fresh.open(key) is not None
    assert [slot.kind for slot in fresh.slots] == ["key", "passphrase", "recovery"]
    assert len({slot.id for slot in fresh.slots}) == 3


def test_a_removed_key_opens_nothing_and_the_last_way_stays() -> None:
    lock, of, _, key = locked()
    number = next(slot.id for slot in lock.slots if slot.kind == "key")
    less = without_slot(lock, number)
    assert less.open(key) is None
    with pytest.raises(SettingsError, match="lists them"):
        without_slot(less, number)
    phrase = next(slot.id for slot in less.slots if slot.kind == "passphrase")
    with pytest.raises(SettingsError, match="last way"):
        without_slot(less, phrase)
    for _ in range(KEYS_AT_MOST):
        less = with_slot(less, of, "key", new_key_text())
    with pytest.raises(SettingsError, match="at most"):
        with_slot(less, of, "key", new_key_text())


@pytest.mark.parametrize(
    "said",
    [
        "short",
        "1234 5678 9",
        "x" * 300,
        "0123-4567-89AB-CDEF-GHJK-MNPQ",
        pytest.param(KEY_TEXT, id="a key"),
    ],
)
def test_a_passphrase_that_will_not_do_is_refused(said: str) -> None:
    with pytest.raises(SettingsError, match="A passphrase has"):
        require_passphrase(said)


def test_the_lock_is_on_the_disk_twice_for_its_owner_alone_and_tells_no_secret(tmp_path: Path) -> None:
    lock, (_, secret), code, key = locked()
    assert read_lock(tmp_path) is None
    write_lock(tmp_path, lock)
    assert read_lock(tmp_path) == lock
    for name in ("lock.json", "lock.copy.json"):
        path = tmp_path / name
        assert path.stat().st_mode & 0o777 == 0o600
        for hidden in (PHRASE, code, key.split()[1], base64.b64encode(secret).decode(), secret.hex()):
            assert hidden not in path.read_text()


@pytest.mark.parametrize("harm", [b"", b"{", b"{}", b"\xff\xfe"])
def test_a_damaged_lock_is_read_from_its_copy_and_two_damaged_ones_are_an_error(
    tmp_path: Path, harm: bytes
) -> None:
    lock, *_ = locked()
    write_lock(tmp_path, lock)
    (tmp_path / "lock.json").write_bytes(harm)
    assert read_lock(tmp_path) == lock
    (tmp_path / "lock.copy.json").write_bytes(harm)
    with pytest.raises(SettingsError, match="restore one of them"):
        read_lock(tmp_path)
    (tmp_path / "lock.json").unlink()
    with pytest.raises(SettingsError, match="restore one of them"):
        read_lock(tmp_path)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_slot_that_was_changed_opens_nothing(draw: st.DataObject) -> None:
    lock, *_, key = locked()
    words = json.loads(lock.model_dump_json())
    slot = draw.draw(st.sampled_from(words["slots"]))
    raw = bytearray(base64.b64decode(slot["wrapped"]))
    at = draw.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= draw.draw(st.integers(1, 255))
    slot["wrapped"] = base64.b64encode(raw).decode()
    harmed = Lock.model_validate(words)
    opens = {"passphrase": harmed.open(PHRASE) is not None, "key": harmed.open(key) is not None}
    assert opens.get(slot["kind"], False) is False
    assert harmed.slots != lock.slots
