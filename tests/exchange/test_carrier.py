"""The courier's stick: files come back as written, and nothing strange on it is believed or costs memory."""

import io
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.exchange import carrier
from chevet.exchange.carrier import BACK, DOWN, UP, Item, NoStick, Stick, file_size, messages_of, up_name
from chevet.exchange.errors import Refused
from chevet.exchange.manifest import CHUNK
from chevet.exchange.messages import MAX_MESSAGE, Query, write

from .exchange_fakes import MemoryOutbox, bundle, sealed

payloads = st.lists(st.binary(min_size=1, max_size=300), max_size=8)


def written(messages: list[bytes], kind: str = DOWN, site: str = "abc") -> bytes:
    file = io.BytesIO()
    size = carrier.write_file(file, kind, site, messages)
    assert size == len(file.getvalue())
    return file.getvalue()


def listed(data: bytes, kind: str = DOWN, site: str = "abc") -> list[bytes]:
    return list(carrier.read_file(io.BytesIO(data), kind, site))


def refusal(data: bytes, kind: str = DOWN, site: str = "abc") -> str:
    with pytest.raises(Refused) as refused:
        listed(data, kind, site)
    return refused.value.reason


@settings(max_examples=50, deadline=None)
@given(payloads, st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True), st.sampled_from([UP, DOWN, BACK]))
def test_what_is_written_is_read(messages, site, kind):
    assert listed(written(messages, kind, site), kind, site) == messages


@settings(max_examples=50, deadline=None)
@given(payloads, st.data())
def test_a_file_cut_anywhere_is_refused(messages, data):
    whole = written(messages)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    assert refusal(cut) == "cut_short"


@settings(max_examples=50, deadline=None)
@given(payloads, st.data())
def test_a_file_with_any_bit_changed_is_refused(messages, data):
    whole = bytearray(written(messages))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert refusal(bytes(whole)) in {
        "altered",
        "cut_short",
        "too_large",
        "not_a_carrier",
        "other_version",
        "other_site",
    }


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_noise_is_refused(noise):
    assert refusal(noise)
    assert refusal(carrier.MAGIC + noise)


def test_a_file_of_another_kind_site_or_version_and_one_with_something_behind_its_end_are_refused():
    whole = written([b"x"])
    assert refusal(whole, kind=UP) == "not_a_carrier"
    assert refusal(whole, site="abcd") == "other_site"
    assert refusal(whole[:8] + b"\x02" + whole[9:]) == "other_version"
    assert refusal(whole + b"\0") == "altered"


def test_a_message_that_says_to_be_giant_is_refused_before_it_is_read():
    head = written([])[: carrier._HEAD]
    giant = io.BytesIO(head + (MAX_MESSAGE + 1).to_bytes(4, "big") + bytes(1000))
    tracemalloc.start()
    with pytest.raises(Refused, match="too_large"):
        list(carrier.read_file(giant, DOWN, "abc"))
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def carried(tmp_path: Path, size: int = 200_000):
    outbox = MemoryOutbox()
    item = outbox.put(sealed(bundle(1, ((0, 700), (3, size)))))
    named = Item(up_name("abc", item.tid), UP, "abc", item.tid)
    with Stick(tmp_path, make=True) as stick:
        stick.write(named, messages_of(outbox, item.manifest))
    return outbox, item, named


def test_a_bundle_on_a_stick_is_the_messages_that_a_line_would_carry(tmp_path):
    outbox, item, named = carried(tmp_path)
    with Stick(tmp_path) as stick:
        assert stick.items() == [named]
        assert list(stick.messages(named)) == list(messages_of(outbox, item.manifest))
        size = stick.check(named)
        assert size <= file_size(item.manifest) <= size + 500
        assert stick.free() > 0


def test_a_bundle_is_read_in_fixed_memory_however_long_it_is(tmp_path):
    _, _, named = carried(tmp_path, 6_000_000)
    with Stick(tmp_path) as stick:
        tracemalloc.start()
        stick.check(named)
        assert tracemalloc.get_traced_memory()[1] < 1_500_000
        tracemalloc.stop()


def test_a_bundle_under_another_bundles_name_is_refused(tmp_path):
    outbox, item, named = carried(tmp_path)
    other = Item(up_name("abc", bytes(8)), UP, "abc", bytes(8))
    folder = tmp_path / "chevet"
    (folder / named.name).rename(folder / other.name)
    manifest, chunk, *_ = messages_of(outbox, item.manifest)
    wrong = {"chunk first": [chunk, manifest], "twice": [manifest, manifest], "nothing": []}
    wrong["a question"] = [manifest, write(Query(1, (item.tid,)))]
    with Stick(tmp_path) as stick:
        with pytest.raises(Refused, match="other_content"):
            stick.check(other)
        for what, messages in wrong.items():
            stick.write(named, messages)
            with pytest.raises(Refused, match="other_content"):
                stick.check(named)
            assert what


def test_links_pipes_folders_and_strange_names_are_passed_over_or_refused(tmp_path):
    carried(tmp_path)
    folder = tmp_path / "chevet"
    (folder / "abc-0000000000000001.up").symlink_to("/etc/passwd")
    os.mkfifo(folder / "abc-0000000000000002.up")
    (folder / "abc-0000000000000003.up").mkdir()
    for name in ("../x", "ABC-0000000000000001.up", "abc-1.up", "abc.down.part", "..down", "a b.down"):
        if "/" not in name:
            (folder / name).write_bytes(b"x")
    with Stick(tmp_path) as stick:
        items = {item.name: item for item in stick.items()}
        assert len(items) == 4
        for number in (1, 2, 3):
            with pytest.raises(Refused, match="not_a_file"):
                stick.check(items[f"abc-000000000000000{number}.up"])


def test_a_giant_file_is_refused_unread(tmp_path):
    carried(tmp_path)
    giant = tmp_path / "chevet" / "abc.down"
    with giant.open("wb") as file:
        file.truncate(carrier.MAX_FILE + 1)
    with Stick(tmp_path) as stick, pytest.raises(Refused, match="too_large"):
        stick.check(Item("abc.down", DOWN, "abc", b""))


def test_a_folder_that_is_a_link_is_no_stick_nor_is_one_that_is_not_there(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "chevet").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NoStick, match="mounted there"):
        Stick(tmp_path, make=True)
    with pytest.raises(NoStick, match="mounted there"):
        Stick(tmp_path / "nothing", make=True)


def test_more_files_than_a_programme_has_are_not_read(tmp_path, monkeypatch):
    carried(tmp_path)
    monkeypatch.setattr(carrier, "MAX_FILES", 1)
    (tmp_path / "chevet" / "other").write_bytes(b"")
    with Stick(tmp_path) as stick, pytest.raises(NoStick, match="empty it"):
        stick.items()


def test_writing_does_not_follow_what_lies_in_its_place_and_leaves_nothing_half(tmp_path):
    outbox, item, named = carried(tmp_path)
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    draft = tmp_path / "chevet" / f"{named.name}.part"
    draft.symlink_to(victim)

    def interrupted():
        yield from list(messages_of(outbox, item.manifest))[:2]
        raise OSError(28, "No space left on device")

    with Stick(tmp_path) as stick:
        before = stick.check(named)
        with pytest.raises(OSError, match="No space"):
            stick.write(named, interrupted())
        assert stick.check(named) == before, "what was there is whole as before"
        stick.remove("never there")
    assert victim.read_bytes() == b"mine"
    assert not draft.exists()


def test_a_bundle_whose_bytes_are_lost_is_not_written_half(tmp_path):
    outbox, item, named = carried(tmp_path)
    outbox.read = lambda tid, oid, start, size: b"" if start else bytes(size)
    (tmp_path / "chevet" / named.name).unlink()
    assert item.objects[1].data
    assert len(item.objects[1].data) > 16 * CHUNK
    with Stick(tmp_path) as stick:
        with pytest.raises(Refused, match="unreadable"):
            stick.write(named, messages_of(outbox, item.manifest))
        assert stick.items() == []
        assert stick.size(named) == 0
        with pytest.raises(FileNotFoundError):
            stick.check(named)
