"""The desk's words: complete in three languages, all used, none written into the code."""

import json
import re
from pathlib import Path

import pytest
from relay_desk.fake_relay import DESK, SHARED

LANGUAGES = ("fr", "ar", "en")
PLURALS = {
    "fr": {"one", "other"},
    "ar": {"zero", "one", "two", "few", "many", "other"},
    "en": {"one", "other"},
}
# Codes that arrive with the data: t(`group.${code}`) and word("group", code).
DYNAMIC = re.compile(r"""(?:t|has)\(`([\w.]+[._])\$\{|word\("(\w+)\"""")
LITERAL = re.compile(r"""(?:\bt|\bhas)\(\s*(?:kind === "retake" \? )?"([\w.]+)"(?:\s*:\s*"([\w.]+)")?""")
SAID = re.compile(r""""((?:keys|error)\.[\w]+)\"""")


SEALED = DESK / "sealed"


def strings(folder: Path, language: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "strings" / f"{language}.json").read_text("utf-8"))
    return found


def code() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(DESK.glob("*.js")))


def used() -> tuple[set[str], set[str]]:
    """Keys written out, and beginnings of keys made from codes."""
    text = code()
    literal = {key for match in LITERAL.findall(text) for key in match if key}
    literal |= set(SAID.findall(text)) | set(re.findall(r'\? t\("([\w.]+)"', text))
    starts = {a or f"{b}." for a, b in DYNAMIC.findall(text)}
    return literal, starts


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_language_says_the_same_things(language: str) -> None:
    assert strings(DESK, language).keys() == strings(DESK, "fr").keys()
    assert strings(SEALED, language).keys() == strings(SEALED, "fr").keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_desk_exists(language: str) -> None:
    there = strings(SHARED, language) | strings(DESK, language) | strings(SEALED, language)
    literal, starts = used()
    assert len(literal) > 100
    assert sorted(literal - there.keys()) == []
    assert [start for start in sorted(starts) if not any(key.startswith(start) for key in there)] == []


def test_every_string_is_used() -> None:
    literal, starts = used()
    unused = [key for key in strings(DESK, "fr") if key not in literal and not key.startswith(tuple(starts))]
    assert [key for key in unused if not key.startswith("error.")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_complete_and_nothing_is_empty(language: str) -> None:
    for key, text in strings(DESK, language).items():
        if isinstance(text, dict):
            assert PLURALS[language] >= text.keys() >= PLURALS[language] - {"zero"}, key
        else:
            assert isinstance(text, str), key
            assert text.strip(), key


@pytest.mark.parametrize("language", ["ar", "en"])
def test_placeholders_survive_translation(language: str) -> None:
    def names(text: object) -> set[str]:
        form = text["other"] if isinstance(text, dict) else text
        return set(re.findall(r"\{(\w+)\}", str(form)))

    french = strings(DESK, "fr")
    assert {k for k, text in strings(DESK, language).items() if names(text) != names(french[k])} == set()


def test_desk_and_instruments_stay_small_files() -> None:
    files = [*DESK.glob("*.js"), *DESK.glob("*.css"), *(SHARED / "instruments").glob("*.js")]
    assert [path.name for path in files if len(path.read_text("utf-8").splitlines()) > 330] == []


def test_nothing_comes_from_elsewhere() -> None:
    """The desk must work on premises with no outside call."""
    page = (DESK / "index.html").read_text("utf-8")
    assert re.findall(r'(?:src|href)="(?!/)', page) == []
    assert re.findall(r"https?://(?!www\.w3\.org)", code()) == []
