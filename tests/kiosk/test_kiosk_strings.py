"""Words: every language says everything, every word that is used exists, none lies about unused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chevet.kiosk.files import KIOSK, SHARED, STATIC
from chevet.signals.verdict import REASONS
from chevet.study.recording import PHOTO_SITES
from chevet.study.specialties import SPECIALTIES
from chevet.study.study import CONSENT_PURPOSES, URGENCIES

LANGUAGES = ("fr", "ar", "zgh", "en")
UNCONFIRMED = {"zgh"}  # a speaker has still to look at the words; the file's head says so
HEAD = "@translation"
# CLDR categories that people need; French "many" is for millions.
FORMS = {
    "fr": {"one", "other"},
    "ar": {"zero", "one", "two", "few", "many", "other"},
    "zgh": {"one", "other"},
    "en": {"one", "other"},
}
# Words that are the same in every language: names, abbreviations.
NAMES = {"step.ecg", "exam.ecg", "sex.short.F", "sex.short.M", "side.short.left", "side.short.right"}
SAME = re.compile(r"^(app\.name|measurement\.(pr|qrs|qt|qtc)|electrode\.|side\.short)")
DESK = STATIC.parents[3] / "cloud-relay" / "chevet" / "relay" / "desk"


def words(room: Path, language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((room / "strings" / f"{language}.json").read_text("utf-8"))
    return {key: text for key, text in found.items() if key != HEAD}


def head(room: Path, language: str) -> str | None:
    """What the head of a strings file says of the translation as a whole."""
    found: dict[str, str] = json.loads((room / "strings" / f"{language}.json").read_text("utf-8"))
    return found.get(HEAD)


def sources() -> str:
    """All JavaScript that may use the kiosk's and the shared words."""
    files = [
        *SHARED.glob("*.js"),
        *SHARED.glob("instruments/*.js"),
        *KIOSK.rglob("*.js"),
        *DESK.rglob("*.js"),
    ]
    return "\n".join(path.read_text("utf-8") for path in files)


def used() -> tuple[set[str], list[re.Pattern[str]]]:
    """Keys that stand in the code whole, and patterns of those that are put together."""
    code = sources()
    whole = set(re.findall(r'"([a-z_]+(?:\.[A-Za-z0-9_-]+)*)"', code))
    parts = re.findall(r"`([a-z_]+\.[^`\s]*\$\{[^`\s]*)`", code)
    patterns = [re.sub(r"\\\$\\\{.*?\\\}", "[A-Za-z0-9_-]+", re.escape(part)) for part in parts]
    return whole, [re.compile(f"^{pattern}$") for pattern in patterns]


@pytest.mark.parametrize("room", [SHARED, KIOSK], ids=["shared", "kiosk"])
def test_every_language_has_every_word(room: Path) -> None:
    french = words(room, "fr")
    for language in LANGUAGES[1:]:
        other = words(room, language)
        missing, extra = sorted(french.keys() - other.keys()), sorted(other.keys() - french.keys())
        assert not missing, f"{room.name}/strings/{language}.json lacks {missing}"
        assert not extra, f"{room.name}/strings/{language}.json has words that French has not: {extra}"
        for key in french:
            assert isinstance(other[key], dict) == isinstance(french[key], dict), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_empty_and_parameters_agree(language: str) -> None:
    for room in (SHARED, KIOSK):
        french = words(room, "fr")
        for key, text in words(room, language).items():
            forms = text if isinstance(text, dict) else {"other": text}
            assert forms["other"].strip(), key
            if isinstance(text, dict):
                assert FORMS[language] <= text.keys(), key
                # Nothing to say of none, where none is the goal, is an answer too.
                assert all(form.strip() for name, form in text.items() if name != "zero"), key
            reference = french[key]["other"] if isinstance(french[key], dict) else french[key]
            assert set(re.findall(r"\{\w+\}", forms["other"])) == set(re.findall(r"\{\w+\}", reference)), key


def test_arabic_is_written_in_arabic() -> None:
    for room in (SHARED, KIOSK):
        for key, text in words(room, "ar").items():
            shown = text["other"] if isinstance(text, dict) else text
            assert SAME.match(key) or re.search("[\u0600-\u06ff]", shown), key


def test_tamazight_is_written_in_tifinagh_of_the_national_standard() -> None:
    # Neo-Tifinagh of the Royal Institute of the Amazigh Culture (IRCAM): 33 letters, of which two are g and k
    # with the mark of labial letters; no p, v, o, nor letters of other regions.
    standard = set("ⴰⴱⴳⴷⴹⴻⴼⴽⵀⵃⵄⵅⵇⵉⵊⵍⵎⵏⵓⵔⵕⵖⵙⵚⵛⵜⵟⵡⵢⵣⵥⵯ")
    for room in (SHARED, KIOSK):
        for key, text in words(room, "zgh").items():
            shown = " ".join(text.values()) if isinstance(text, dict) else text
            tifinagh = set(re.findall("[\u2d30-\u2d7f]", shown))
            assert SAME.match(key) or key in NAMES or tifinagh, key
            assert tifinagh <= standard, f"{key}: {tifinagh - standard}"


def test_digits_are_latin_in_every_language() -> None:
    for language in LANGUAGES:
        for room in (SHARED, KIOSK):
            for key, text in words(room, language).items():
                shown = " ".join(text.values()) if isinstance(text, dict) else text
                assert not re.search("[\u0660-\u0669\u06f0-\u06f9]", shown), f"{language} {key}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unconfirmed_translation_says_so_once_in_its_head(language: str) -> None:
    expected = "to be confirmed by a speaker" if language in UNCONFIRMED else None
    assert [head(room, language) for room in (SHARED, KIOSK)] == [expected, expected]
    for room in (SHARED, KIOSK):
        own = [key for key, text in words(room, language).items() if "confirmed by a speaker" in str(text)]
        assert own == (["about.unconfirmed"] if room == KIOSK and language == "en" else []), own


def test_every_word_used_exists() -> None:
    known = words(SHARED, "fr").keys() | words(KIOSK, "fr").keys()
    code = "\n".join(path.read_text("utf-8") for path in KIOSK.rglob("*.js"))
    asked = set(re.findall(r'\bt\("([^"]+)"', code))
    assert asked - known == set()
    for pattern in used()[1]:
        if re.search(re.escape(pattern.pattern[1:12]), code):
            assert any(pattern.match(key) for key in known), pattern.pattern


def test_no_word_is_unused() -> None:
    whole, patterns = used()
    known = words(SHARED, "fr").keys() | words(KIOSK, "fr").keys()
    unused = {key for key in known - whole if not any(pattern.match(key) for pattern in patterns)}
    assert unused == set()


@pytest.mark.parametrize("reason", [*REASONS, "cut_short", "no_signal", "not_judged", "sensor_off"])
def test_every_quality_reason_says_what_is_wrong_and_what_to_do(reason: str) -> None:
    for language in LANGUAGES:
        assert f"reason.{reason}" in words(SHARED, language)
        todo = words(KIOSK, language)[f"reason.{reason}.do"]
        assert len(todo.split()) <= 8, "a worker reads at most eight words"


def test_every_quality_reason_has_its_picture() -> None:
    code = (KIOSK / "coaches" / "remedy.js").read_text("utf-8").split("REMEDIES = {")[1].split("\n};")[0]
    drawn = set(re.findall(r"^  (\w+): ", code, re.MULTILINE))
    assert set(REASONS) - drawn == set()
    told = {key.split(".")[1] for key in words(KIOSK, "fr") if re.fullmatch(r"reason\.\w+\.do", key)}
    assert told == drawn


def test_every_place_of_a_photograph_has_a_word_and_is_on_the_body() -> None:
    shown = set(re.findall(r'\["(\w+)", \d+', (SHARED / "instruments" / "skin-map.js").read_text("utf-8")))
    assert {site.removesuffix("_r").removesuffix("_l") for site in PHOTO_SITES} == shown
    for language in LANGUAGES:
        assert {f"site.{site}" for site in PHOTO_SITES} <= words(SHARED, language).keys()


def test_every_coded_choice_has_a_word() -> None:
    shared, kiosk = words(SHARED, "fr"), words(KIOSK, "fr")
    assert {f"specialty.{one}" for one in SPECIALTIES} <= shared.keys()
    assert {f"urgency.{one}" for one in URGENCIES} <= shared.keys()
    assert {f"consent.{one}" for one in CONSENT_PURPOSES} <= kiosk.keys()


def test_every_refusal_of_the_contract_has_a_sentence() -> None:
    contract = (STATIC.parents[3] / "docs" / "api.md").read_text("utf-8").split("## The desk's API")[0]
    codes = set(re.findall(r"\b(?:40\d|409|413|422|429|503|507) `([a-z_]+)`", contract))
    assert {"wrong_pin", "disk_full", "visit_open"} <= codes
    known = words(SHARED, "fr").keys() | words(KIOSK, "fr").keys()
    assert {code for code in codes if f"error.{code}" not in known} == set()


def test_every_problem_of_a_capture_has_a_sentence_and_a_remedy() -> None:
    contract = (STATIC.parents[3] / "docs" / "api.md").read_text("utf-8")
    line = contract.split("Problems of a capture:")[1].split(";")[0]
    problems = re.findall(r"`([a-z_]+)`", line)
    assert "device_lost" in problems
    for problem in problems:
        assert {f"problem.{problem}", f"problem.{problem}.help"} <= words(KIOSK, "ar").keys()
