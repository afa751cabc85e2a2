"""A new version comes to the box: signed, whole, at a quiet moment, and left again when it does not start."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest
from edge_fakes import Box
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_edge_api import error, kiosk
from update_bench import HERE, Bench, PowerCut, a_disk_of_its_own, laid_out, unfit  # noqa: F401

from chevet.edge import terminal_update, update_release, update_versions
from chevet.edge.errors import Refusal, SettingsError
from chevet.edge.sticks import found_sticks
from chevet.edge.update_offer import WISH, Offer, wish
from chevet.edge.update_release import (
    SIGNATURE,
    WORDS,
    Here,
    numbers,
    read_release,
    read_update_key,
    release_folders,
    take_wheels,
)
from chevet.edge.update_settings import SticksSettings
from chevet.edge.update_versions import BACK, DONE, FAILED, RUNNING, SWITCHING, Progress
from chevet.exchange.call_wire import CallWord

# --- what is signed ---------------------------------------------------------------------------------------


def test_a_signed_release_is_read_and_its_wheels_arrive_as_they_were(bench: Bench, tmp_path: Path) -> None:
    folder = bench.release()
    release = read_release(folder, read_update_key(tmp_path / "update.key.pub.json"), HERE)
    assert (release.version, release.by, len(release.words.wheels)) == ("0.2.0", "Programme Atlas", 2)
    told: list[int] = []
    taken = take_wheels(release, bench.versions.wheels(), told.append)
    assert [path.read_bytes() for path in taken] == [
        (folder / one.name).read_bytes() for one in release.words.wheels
    ]
    assert told[-1] == release.size


def test_another_key_another_machine_and_another_python_are_named(bench: Bench) -> None:
    folder = bench.release(machine="x86_64")
    assert unfit(lambda: bench.fit(folder)) == "other_machine"
    (folder / SIGNATURE).write_bytes((folder / SIGNATURE).read_bytes()[:-6] + b"AAA==\n")
    assert unfit(lambda: bench.fit(folder)) == "bad_signature"
    other = bench.release("0.3.0")
    key = read_update_key(bench.key.with_name("update.key.pub.json"))
    assert unfit(lambda: read_release(other, key, Here("3.12", "aarch64"))) == "other_python"
    (other / SIGNATURE).unlink()
    assert unfit(lambda: bench.fit(other)) == "malformed"


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Path, bytes]:
    bench = laid_out(tmp_path_factory.mktemp("words"))
    folder = bench.release()
    return bench, folder, (folder / WORDS).read_bytes()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 400), value=st.integers(0, 255))
def test_no_changed_byte_of_the_words_passes(signed: tuple[Bench, Path, bytes], at: int, value: int) -> None:
    bench, folder, whole = signed
    said = bytearray(whole)
    at %= len(said)
    said[at] = value
    (folder / WORDS).write_bytes(said)
    assert bytes(said) == whole or unfit(lambda: bench.fit(folder)) == "bad_signature"


def test_a_wheel_that_was_changed_cut_or_replaced_by_a_link_is_not_taken(bench: Bench) -> None:
    for number, spoil in enumerate(
        (
            lambda path: path.write_bytes(b"x" + path.read_bytes()[1:]),
            lambda path: path.write_bytes(path.read_bytes()[:-1]),
            lambda path: path.write_bytes(path.read_bytes() + b"x"),
        )
    ):
        folder = bench.release(name=f"chevet-update-{number}")
        spoil(folder / "numpy-2.0.0-cp311-any.whl")
        release = read_release(folder, read_update_key(bench.key.with_name("update.key.pub.json")), HERE)
        assert unfit(lambda: take_wheels(release, bench.versions.wheels(), lambda _: None)) == "altered"  # noqa: B023
    (folder / "numpy-2.0.0-cp311-any.whl").unlink()
    (folder / "numpy-2.0.0-cp311-any.whl").symlink_to("/etc/passwd")
    assert unfit(lambda: take_wheels(release, bench.versions.wheels(), lambda _: None)) == "missing"


def test_a_stick_that_cannot_be_read_is_refused_like_a_damaged_folder(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update_release, "WORDS", "mem")  # reading a process' page 0 is an input/output error
    assert unfit(lambda: bench.fit(Path("/proc/self"))) == "malformed"


def test_a_folder_without_the_kit_s_own_wheel_is_not_signed(bench: Bench, tmp_path: Path) -> None:
    asked = argparse.Namespace(folder=tmp_path, key=bench.key, machine="", python="")
    with pytest.raises(SettingsError, match="exactly one wheel of chevet"):
        terminal_update.sign(asked)
    (bench.folder / "no.key").write_text("no key")
    folder = bench.release()
    with pytest.raises(SettingsError, match="no key"):
        terminal_update.sign(
            argparse.Namespace(folder=folder, key=bench.folder / "no.key", machine="", python="")
        )
    with pytest.raises(SettingsError, match="no key of updates"):
        read_update_key(bench.key)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_update_key(tmp_path / "nothing")


# --- two versions and a link ------------------------------------------------------------------------------


def test_a_version_that_answers_stays_and_the_one_before_is_kept(bench: Bench) -> None:
    updating, hands = bench.updating(busy=3)
    came = updating.apply(bench.fit(bench.release()))  # type: ignore[arg-type]
    assert (came.state, bench.versions.current(), bench.versions.others()) == (DONE, "0.2.0", ["0.1.0"])
    assert hands.restarts == ["0.2.0"]
    assert hands.at > 15, "it waited until no visit was open"
    assert not (bench.versions.root / "wheels").exists()
    back = updating.roll_back()
    assert (back.state, bench.versions.current()) == (DONE, "0.1.0")
    assert unfit(updating.roll_back) == "missing", "0.2.0 is kept, but it is no version before"


def test_a_version_that_does_not_answer_is_left_again(bench: Bench) -> None:
    updating, hands = bench.updating(starts=False)
    came = updating.apply(bench.fit(bench.release()))  # type: ignore[arg-type]
    assert (came.state, came.reason, bench.versions.current()) == (BACK, "did_not_start", "0.1.0")
    assert hands.restarts == ["0.2.0", "0.1.0"]
    assert bench.versions.others() == [], "nobody goes back to what did not start"
    offer = Offer(bench.settings(), "0.1.0", HERE)
    newest, refused = offer.look()
    assert newest is None, "a version that did not start is not offered again"
    assert [one.reason for one in refused] == ["did_not_start"]


def test_what_cannot_be_installed_leaves_what_runs_alone(bench: Bench) -> None:
    updating, hands = bench.updating(installs=False)
    folder = bench.release()
    assert unfit(lambda: updating.apply(bench.fit(folder))) == "not_installed"  # type: ignore[arg-type]
    assert (bench.versions.current(), hands.restarts) == ("0.1.0", [])
    assert not bench.versions.folder("0.2.0").exists()
    assert bench.versions.progress().state == FAILED
    old = bench.release("0.0.9")
    assert unfit(lambda: updating.apply(bench.fit(old))) == "not_newer"  # type: ignore[arg-type]
    assert unfit(updating.roll_back) == "missing"


def test_a_full_disk_is_said_before_anything_is_copied(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    updating, _ = bench.updating()
    release = bench.fit(bench.release())
    monkeypatch.setattr("shutil.disk_usage", lambda _: argparse.Namespace(free=100))
    assert unfit(lambda: updating.apply(release)) == "no_room"  # type: ignore[arg-type]
    assert bench.versions.progress().reason == "no_room"


def cutting(renamed: Callable[[Path, Path], None], left: int, *, after: int) -> Callable[[Path, Path], None]:
    """Rename until `left` are done, then let the power go: before the next rename, or just after it."""
    turns = iter(range(left, -1000, -1))

    def cut(fresh: Path, path: Path) -> None:
        now = next(turns) == 0
        if now and not after:
            raise PowerCut
        renamed(fresh, path)
        if now:
            raise PowerCut

    return cut


@pytest.mark.parametrize("starts", [True, False])
def test_the_power_may_go_at_any_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, starts: bool
) -> None:
    renamed, cuts = update_versions.renamed, 0
    for number in range(32):
        folder = tmp_path / str(number)
        folder.mkdir()
        bench = laid_out(folder)
        release = bench.fit(bench.release())
        monkeypatch.setattr(update_versions, "renamed", cutting(renamed, number // 2, after=number % 2))
        try:
            bench.updating(starts=starts)[0].apply(release)  # type: ignore[arg-type]
        except PowerCut:
            cuts += 1
        monkeypatch.setattr(update_versions, "renamed", renamed)
        # At every moment the link names a whole version, and after the next start all is told.
        assert bench.versions.is_whole(bench.versions.current()), number
        came = bench.updating(starts=starts)[0].resume()
        assert came.state not in RUNNING, number
        runs = "0.2.0" if came.state == DONE else "0.1.0"
        assert bench.versions.current() == runs, number
        assert came.state in ({DONE, FAILED, "idle"} if starts else {BACK, FAILED, "idle"}), number
    assert 16 < cuts < 32, "every durable step was cut, and at last none was left"


def test_what_is_told_survives_noise(bench: Bench) -> None:
    bench.versions.tell(Progress(SWITCHING, "0.2.0", "0.1.0", 0, "", 5))
    assert bench.versions.progress().state == SWITCHING
    (bench.versions.root / "update.json").write_text('{"state": 1, "no": 2}')
    assert bench.versions.progress() == Progress()
    (bench.versions.root / "current").unlink()
    with pytest.raises(SettingsError, match="New versions"):
        bench.versions.current()
    assert numbers("0.10.0") > numbers("0.9.9") > numbers("odd")


def test_versions_stand_in_the_order_of_their_numbers(bench: Bench) -> None:
    for version in ("0.10.0", "0.9.0", "0.2.0"):
        bench.versions.folder(version).mkdir()
        bench.versions.seal(version)
    (bench.versions.folder("0.11.0")).mkdir()
    assert bench.versions.others() == ["0.2.0", "0.9.0", "0.10.0"], "half a version is none"


# --- what the agent offers and wants ----------------------------------------------------------------------


def test_the_newest_fitting_release_on_a_stick_is_offered_and_wished_for(bench: Bench) -> None:
    bench.release("0.2.0")
    bench.release("0.10.0")
    bench.release("0.11.0", machine="x86_64")
    (bench.stick / "chevet-update-strange").mkdir()
    (bench.stick / "chevet-update-strange" / WORDS).write_text("{}")
    box = bench.settings()
    offer = Offer(box, "0.1.0", HERE)
    shape = offer.shape(quiet=True)
    assert shape["available"]["version"] == "0.10.0"
    assert (shape["available"]["by"], shape["available"]["place"]) == ("Programme Atlas", "stick")
    assert sorted(one["reason"] for one in shape["refused"]) == ["malformed", "other_machine"]
    for words, code in (
        ({"visit_open": True, "power_low": False}, "visit_open"),
        ({"visit_open": False, "power_low": True}, "power_low"),
    ):
        with pytest.raises(Refusal) as caught:
            offer.want("0.10.0", **words)
        assert caught.value.code == code
    with pytest.raises(Refusal, match="not there any more"):
        offer.want("0.9.0", visit_open=False, power_low=False)
    offer.want("0.10.0", visit_open=False, power_low=False)
    assert (wish(box.data_dir), offer.shape(quiet=True)["wanted"]) == ("0.10.0", "0.10.0")
    with pytest.raises(Refusal, match="already on its way"):
        offer.want("0.10.0", visit_open=False, power_low=False)


def test_a_wish_is_a_version_or_nothing(bench: Bench) -> None:
    data = bench.settings().data_dir
    assert wish(data) == ""
    for said in ("../../etc", "0.2", "0.2.0\n", "x" * 100):
        (data / WISH).write_text(said)
        assert wish(data) == ""
    (data / WISH).unlink()
    (data / WISH).symlink_to("/etc/passwd")
    assert wish(data) == ""


def test_a_box_that_is_not_laid_out_says_so(bench: Bench) -> None:
    box = bench.settings().model_copy(
        update={"update": bench.settings().update.model_copy(update={"root": None})}
    )
    offer = Offer(box, "0.1.0", HERE)
    assert offer.shape(quiet=True) == {"on": False, "quiet": True, "version": "0.1.0"}
    with pytest.raises(Refusal):
        offer.want("0.2.0", visit_open=False, power_low=False)
    unkeyed = bench.settings()
    (bench.folder / "update.key.pub.json").unlink()
    assert Offer(unkeyed, "0.1.0", HERE).look() == (None, [])


def test_sticks_are_mounts_below_the_usual_places(tmp_path: Path) -> None:
    for name in ("media/amina/KIT", "media/DATA", "media/empty", "bench"):
        (tmp_path / name).mkdir(parents=True)
    settings = SticksSettings(places=(tmp_path / "media", tmp_path / "no"), folders=(tmp_path / "bench",))
    found = found_sticks(settings, lambda path: path.name in {"KIT", "DATA"})
    assert [one.name for one in found] == ["DATA", "KIT", "bench"]
    assert all(one.free_bytes > 0 for one in found)
    gone = SticksSettings(places=(), folders=(tmp_path / "gone",))
    assert found_sticks(gone) == []
    assert release_folders(tmp_path / "gone") == []


async def test_the_kiosk_asks_and_a_worker_wishes(box: Box) -> None:
    async with kiosk(box) as client:
        told = (await client.get("/api/update")).json()
        assert told == {"on": False, "quiet": True, "version": box.bedside.version}
        box.bedside.calls.called.receive(CallWord(b"8 bytes!", 1, 0, "ring", ""), 0.0, "")
        assert not (await client.get("/api/update")).json()["quiet"], "nobody is cut off in a call"
        box.bedside.calls.end(b"8 bytes!".hex(), "ended")
        assert (await client.get("/api/update")).json()["quiet"]
        answer = await client.post("/api/update", json={"version": "0.2.0"})
        assert error(answer)[:2] == (404, "not_found")
        assert (await client.post("/api/update", json={"version": "../x"})).status_code == 422
        client.cookies.clear()
        assert (await client.get("/api/update")).status_code == 401
