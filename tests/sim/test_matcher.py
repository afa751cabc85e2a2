"""The matcher finds every way in which what arrived can differ from what was acknowledged."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chevet.sim.cli import main
from chevet.sim.matcher import SHOWN, Ledger, match, read_ledger

WHOLE = {"a": "1", "b": "2"}
CONTENTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.sampled_from("123"), max_size=8)


def test_the_same_set_with_the_same_bytes_is_equal() -> None:
    found = match(WHOLE, WHOLE, WHOLE.items(), WHOLE, WHOLE)
    assert found.equal
    assert "the same set, byte for byte" in found.told()
    assert (found.acknowledged, found.delivered, found.unacknowledged) == (2, 2, 0)


def test_one_that_nobody_was_told_of_is_counted_and_no_fault() -> None:
    found = match({"a": "1"}, WHOLE, WHOLE.items(), WHOLE)
    assert found.equal
    assert found.unacknowledged == 1


@pytest.mark.parametrize(
    ("kind", "lists"),
    [
        ("lost", (WHOLE, WHOLE, [("a", "1")], ["a"])),
        ("wrong", (WHOLE, WHOLE, [("a", "1"), ("b", "3")], ["a", "b"])),
        ("twice", (WHOLE, WHOLE, [("a", "1"), ("b", "2")], ["a", "b", "b"])),
        ("twice", (WHOLE, WHOLE, [("a", "1"), ("b", "2"), ("b", "2")], ["a", "b"])),
        ("unlisted", (WHOLE, WHOLE, [("a", "1"), ("b", "2")], ["a"])),
        ("strange", (WHOLE, WHOLE, [("a", "1"), ("b", "2"), ("c", "3")], ["a", "b", "c"])),
        ("forgotten", (WHOLE, {"a": "1"}, [("a", "1"), ("b", "2")], ["a", "b"])),
    ],
)
def test_each_difference_has_its_name_and_its_study(kind: str, lists: tuple) -> None:
    found = match(*lists)
    assert not found.equal
    assert found.differences()[kind] == (("c",) if kind == "strange" else ("b",))
    assert f"  {kind} 1: " in found.told()


def test_bytes_that_differ_from_what_the_box_says_are_wrong_even_where_nobody_was_told() -> None:
    assert match({}, {"a": "1"}, [("a", "2")], ["a"]).wrong == ("a",)


@pytest.mark.parametrize("delivered", [[("a", "1")], [("a", "1"), ("b", "other")]])
def test_a_receipt_for_what_is_not_there_has_lied(delivered: list[tuple[str, str]]) -> None:
    assert match({}, WHOLE, delivered, [], settled=WHOLE).lied == ("b",)


def test_many_differences_are_cut_in_words_and_whole_in_figures() -> None:
    many = {f"{number:03}": "1" for number in range(SHOWN + 5)}
    found = match(many, many, [], [])
    assert found.told().endswith(f"{SHOWN - 1:03} ...")
    assert len(found.differences()["lost"]) == SHOWN + 5


@settings(max_examples=50, deadline=None)
@given(CONTENTS, CONTENTS)
def test_equal_means_that_nothing_acknowledged_is_missing_or_changed(
    acknowledged: dict[str, str], delivered: dict[str, str]
) -> None:
    recorded = delivered | acknowledged
    found = match(acknowledged, recorded, delivered.items(), delivered)
    missing = [ident for ident, content in acknowledged.items() if delivered.get(ident) != content]
    assert found.equal == (not missing)


def test_a_ledger_is_read_back_without_the_line_that_a_kill_tore(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    assert list(read_ledger(path)) == []
    with Ledger(path) as ledger:
        ledger.write(sent="a", at=1.0)
    with Ledger(path) as ledger:
        ledger.write(sent="b", at=2.0)
    with path.open("ab") as torn:
        torn.write(b'{"sent": "c", ')
    assert [row["sent"] for row in read_ledger(path)] == ["a", "b"]


def told(tmp_path: Path, near: list[str], far: list[str], *more: str) -> tuple[int, dict]:
    """What `chevet-sim match` answers and reports for two lists."""
    for name, lines in (("near", near), ("far", far)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
    report = tmp_path / "report.json"
    words = ["match", str(tmp_path / "near"), str(tmp_path / "far"), "--json", str(report), *more]
    code = main(words)
    return code, json.loads(report.read_text()) if report.exists() else {}


def row(ident: str, sha256: str, **state: str) -> str:
    return json.dumps({"id": ident, "sha256": sha256} | state)


def test_the_command_compares_lists_of_json_and_of_sha256sum(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sums = [f"{one * 64}  study {one}.bin" for one in "ab"]
    assert told(tmp_path, sums, sums[::-1])[0] == 0
    assert "the same set, byte for byte" in capsys.readouterr().out
    code, report = told(
        tmp_path, [row("x", "1", state="settled"), "", row("y", "2")], [row("y", "3"), row("z", "4")]
    )
    assert code == 1
    assert (report["lost"], report["wrong"], report["strange"], report["lied"]) == (
        ["x"],
        ["y"],
        ["z"],
        ["x"],
    )
    code, report = told(tmp_path, [row("y", "2")], [row("y", "2"), row("y", "2")])
    assert (code, report["twice"]) == (1, ["y"])


def test_what_still_waits_at_the_near_end_is_told_and_no_loss_while_it_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    near = [row("x", "1", state="settled"), row("y", "2", state="pending"), row("z", "3", state="refused")]
    assert told(tmp_path, near, near[:1])[0] == 1
    code, report = told(tmp_path, near, near[:1], "--running")
    assert (code, report["waiting"], report["lost"]) == (0, ["y", "z"], [])
    said = capsys.readouterr().out
    assert "still kept at the near end: 2" in said
    assert "3 acquired, 1 delivered: the same set" in said, "of what no ledger counted nothing is said"
    code, report = told(tmp_path, near, [*near[:1], row("y", "other")], "--running")
    assert (code, report["wrong"]) == (1, ["y"])


def test_a_list_of_the_near_end_that_has_an_id_twice_is_refused_and_none_of_it_vanishes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    near = [row("x", "other"), row("y", "2"), row("x", "1")]
    assert told(tmp_path, near, near[1:]) == (1, {})
    assert "more than once: 1, the first x; take the list anew" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_told_with_a_remedy_after_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list").write_text(row("x", "1") + "\n")
    both = [str(tmp_path / "list")] * 2
    assert main(["match", *both, "--json", str(tmp_path / "nowhere" / "report.json")]) == 1
    said = capsys.readouterr()
    assert "each once" in said.out
    assert "name another file after --json" in said.err


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "[" * 100_000,
        "9" * 10_000,
        '{"id": "x"}',
        '{"id": 1, "sha256": "2"}',
        r'{"id": "\ud800", "sha256": "2"}',
        "abc  x",
        row("x", "1", state="?"),
    ],
    ids=range(9),
)
def test_a_line_that_is_none_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert told(tmp_path, [row("x", "1"), line], [])[0] != 0
    assert "near, line 2" in capsys.readouterr().err
    assert main(["match", str(tmp_path / "nowhere"), str(tmp_path / "far")]) != 0
    assert "cannot be read" in capsys.readouterr().err
