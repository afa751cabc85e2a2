"""The health page's numbers and the support code: what is not there is said, and a misread code is caught."""

from pathlib import Path

import pytest
from edge_fakes import Box
from hypothesis import given, settings
from hypothesis import strategies as st
from test_edge_api import kiosk

from chevet.edge.cli import main
from chevet.edge.cli_support import told
from chevet.edge.errors import SettingsError
from chevet.edge.health import _version, heat_level, read_heat, read_memory
from chevet.edge.sessions import COOKIE
from chevet.edge.support_code import ALPHABET, FIELDS, age_word, read_code, write_code
from chevet.edge.workers import Worker


def states() -> st.SearchStrategy[dict[str, int | str]]:
    return st.fixed_dictionaries(
        {
            field.name: st.sampled_from(field.words) if field.words else st.integers(0, (1 << field.bits) - 1)
            for field in FIELDS
        }
    )


@given(states())
@settings(max_examples=50)
def test_a_code_says_what_went_in(state: dict[str, int | str]) -> None:
    code = write_code(state)
    assert read_code(code) == state
    assert read_code(code.lower().replace("-", " ")) == state


@given(states(), st.integers(0, 11), st.integers(1, 30))
@settings(max_examples=50)
def test_a_misread_digit_does_not_pass(state: dict[str, int | str], place: int, by: int) -> None:
    letters = write_code(state).replace("-", "")
    digit = ALPHABET.index(letters[place])
    other = ALPHABET[(digit + by) % 32]
    wrong = letters[:place] + other + letters[place + 1 :]
    if abs(ALPHABET.index(other) - digit) == 31:
        return  # the one pair of digits that the sum cannot tell apart: 0 and Z
    with pytest.raises(SettingsError):
        read_code(wrong)


@given(st.text(max_size=40))
@settings(max_examples=50)
def test_anything_else_is_refused_kindly(text: str) -> None:
    try:
        read_code(text)
    except SettingsError as error:
        assert "again" in error.sentence  # noqa: PT017 - a text may be a code by chance


def test_letters_that_look_like_digits_are_read_as_those() -> None:
    code = write_code({field.name: field.words[0] if field.words else 0 for field in FIELDS})
    assert read_code(code.replace("0", "O")) == read_code(code)


def test_too_large_and_unknown_words_are_told_as_the_last() -> None:
    state: dict[str, int | str] = {field.name: field.words[0] if field.words else 0 for field in FIELDS}
    found = read_code(write_code(state | {"free_gb": 900, "power": "sun", "waiting": -3}))
    assert (found["free_gb"], found["power"], found["waiting"]) == (31, "unknown", 0)
    assert any(line == "free gb         31 or more" for line in told(write_code(state | {"free_gb": 900})))


@pytest.mark.parametrize(
    ("seconds", "word"),
    [
        (None, "never"),
        (0, "minute"),
        (59, "minute"),
        (60, "ten minutes"),
        (90_000, "three days"),
        (1e9, "longer"),
    ],
)
def test_ages_are_words(seconds: float | None, word: str) -> None:
    assert age_word(seconds) == word


def test_the_command_reads_a_code_and_refuses_another(capsys: pytest.CaptureFixture[str]) -> None:
    state: dict[str, int | str] = {field.name: field.words[0] if field.words else 1 for field in FIELDS}
    assert main(["support", write_code(state)]) == 0
    assert "version         1.1.1" in capsys.readouterr().out
    assert main(["support", "NONSENSE"]) != 0
    assert "13 letters" in capsys.readouterr().err


def test_heat_is_that_of_the_hottest_zone_and_none_without_a_thermometer(tmp_path: Path) -> None:
    assert read_heat(tmp_path) is None
    for number, text in enumerate(["48200", "81500", "nonsense", "999000"]):
        zone = tmp_path / f"thermal_zone{number}"
        zone.mkdir()
        (zone / "temp").write_text(text)
    assert read_heat(tmp_path) == 81.5
    assert [heat_level(one) for one in (None, 40.0, 70.0, 80.0)] == ["unknown", "ok", "warm", "hot"]


def test_memory_is_what_the_kernel_says_is_free_to_take(tmp_path: Path) -> None:
    path = tmp_path / "meminfo"
    assert read_memory(path) is None
    path.write_text("MemTotal: 4000 kB\nMemAvailable: 1500 kB\n")
    assert read_memory(path) == 1500 * 1024
    path.write_text("MemAvailable:\n")
    assert read_memory(path) is None


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0.1.0", (0, 1, 0)), ("1.2", (1, 2, 0)), ("2.10.3.dev4", (2, 10, 3)), ("x", (0, 0, 0))],
)
def test_a_version_is_three_numbers(text: str, numbers: tuple[int, int, int]) -> None:
    assert _version(text) == numbers


async def test_health_is_for_workers_and_its_code_agrees_with_it(box: Box) -> None:
    async with kiosk(box, signed_in=False) as client:
        assert (await client.get("/api/health")).status_code == 401
        client.cookies.set(COOKIE, box.bedside.sessions.open(Worker("amina", "Amina")))
        shape = (await client.get("/api/health")).json()
    found = read_code(shape["support_code"])
    assert found["disk"] == shape["disk"]["level"]
    assert (found["uplink"], found["contact"]) == ("offline", "never")
    assert found["ready"] == shape["devices"]["ready"] == 0
    assert shape["devices"]["known"] == found["absent"]
    assert shape["visit_open"] is False
