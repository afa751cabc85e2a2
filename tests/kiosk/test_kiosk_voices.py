"""Voice prompts: each speaks the present words of its language, and a machine is named a machine."""

import json
import re
import shutil
from pathlib import Path

import pytest

from chevet.kiosk import voices
from chevet.kiosk.files import KIOSK

SIZE_LIMIT = 4_000_000  # bytes of all prompts together: they are part of every installed box
OGG_OPUS = re.compile(rb"OggS.{24}OpusHead\x01(.)", re.DOTALL)
# Screens that are no step of a visit, or whose step is said by another text of theirs.
NOT_STEPS = re.compile(r"^(about|health|update|training|sheet|exam|visit_reason|path|case)\.|^error\.")


def copied(folder: Path) -> Path:
    """Return a copy of the prompts to spoil."""
    return Path(shutil.copytree(voices.VOICE, folder / "voice"))


def test_every_step_and_hint_has_a_prompt_that_speaks_the_present_text() -> None:
    assert voices.faults(voices.read_manifest()) == []


def test_every_language_of_the_screens_has_a_slot_for_every_prompt() -> None:
    prompts = voices.read_manifest()["prompts"]
    assert set(prompts) == {path.stem for path in (KIOSK / "strings").glob("*.json")}
    for language, slots in prompts.items():
        assert set(slots) == set(voices.wanted()), language


def test_a_prompt_is_eight_words_at_most_and_has_no_blanks_to_fill() -> None:
    for language in (*voices.VOICES, *voices.TO_RECORD):
        texts = voices.words(language)
        for key in voices.wanted():
            assert isinstance(texts[key], str), f"{language} {key} has plural forms"
            assert "{" not in texts[key], f"{language} {key}"
            assert len(texts[key].split()) <= voices.LONGEST_WORDS, f"{language} {key}: {texts[key]}"


def test_every_hint_of_a_coach_and_every_title_of_a_step_is_spoken() -> None:
    wanted = set(voices.wanted())
    hints = {key for key in voices.words("fr") if re.fullmatch(r"reason\.\w+\.do|problem\.\w+", key)}
    assert hints - wanted == set()
    code = "\n".join(path.read_text("utf-8") for path in KIOSK.rglob("*.js"))
    titles = set(re.findall(r'Page} title=\$\{t\("([^"]+)"\)\}', code))
    assert "danger.title" in titles
    unspoken = {key for key in titles - wanted if not NOT_STEPS.match(key)}
    assert unspoken <= {"about.devices"}, "put the title into voice/prompts.json, then `make voices`"


def test_the_sounds_are_small_mono_opus_files() -> None:
    sounds = list(voices.VOICE.rglob("*.opus"))
    assert sum(path.stat().st_size for path in sounds) < SIZE_LIMIT
    for path in sounds:
        head = OGG_OPUS.match(path.read_bytes()[:64])
        assert head, path.name
        assert head[1] == b"\x01", f"{path.name} is not mono"


def test_a_synthetic_voice_is_named_a_placeholder_with_its_engine_and_tamazight_has_none() -> None:
    manifest = voices.read_manifest()
    assert re.search(r"eSpeak NG.* \d+\.\d+", manifest["made_by"]["engine"])
    assert "opus" in manifest["made_by"]["encoder"]
    assert manifest["voices"].keys() == {"fr", "ar", "en"}
    states = {
        language: {slot["state"] for slot in slots.values()}
        for language, slots in manifest["prompts"].items()
    }
    assert states["zgh"] <= {"to be recorded", "recorded"}
    assert all("to be recorded" not in states[language] for language in voices.VOICES)
    if states["zgh"] == {"to be recorded"}:
        assert not (voices.VOICE / "zgh").exists()


def test_a_changed_text_a_lost_file_and_a_stray_sound_are_found() -> None:
    manifest = voices.read_manifest()
    manifest["prompts"]["fr"]["danger.title"]["text_sha256"] = voices.fingerprint("Autre chose")
    manifest["prompts"]["ar"]["call.title"]["file"] = "ar/lost.opus"
    del manifest["prompts"]["en"]["ecg.step"]
    manifest["prompts"]["en"]["no.such"] = {
        "file": "en/no.such.opus",
        "state": "placeholder",
        "text_sha256": "",
    }
    assert set(voices.faults(manifest)) == {
        "fr danger.title: speaks an older text: run `make voices`",
        "ar call.title: the file is missing: run `make voices`",
        "en ecg.step: no prompt: run `make voices`",
        "en no.such: no such prompt or string any more",
        "ar/call.title.opus: no prompt of the manifest",
        "en/ecg.step.opus: no prompt of the manifest",
    }


def test_rendering_makes_only_what_is_missing_or_stale_and_keeps_what_a_person_recorded(
    tmp_path: Path,
) -> None:
    folder = copied(tmp_path)
    manifest = voices.read_manifest(folder)
    manifest["prompts"]["fr"]["danger.title"]["text_sha256"] = "an older text"
    manifest["prompts"]["zgh"]["danger.title"]["state"] = "recorded"
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (folder / "zgh").mkdir()
    (folder / "zgh" / "danger.title.opus").write_bytes(b"a person")
    (folder / "en" / "ecg.step.opus").unlink()
    (folder / "en" / "stray.opus").write_bytes(b"")
    spoken: list[tuple[str, str]] = []

    def renderer(language: str, text: str, path: Path) -> None:
        spoken.append((language, text))
        path.write_bytes(text.encode())

    made = voices.render(renderer, {"engine": "a parrot"}, folder)
    assert made == ["fr/danger.title.opus", "en/ecg.step.opus"]
    assert spoken == [("fr", voices.words("fr")["danger.title"]), ("en", voices.words("en")["ecg.step"])]
    after = voices.read_manifest(folder)
    assert after["made_by"] == {"engine": "a parrot"}
    assert after["prompts"]["zgh"]["danger.title"]["state"] == "recorded"
    assert not (folder / "en" / "stray.opus").exists()
    assert voices.render(renderer, {"engine": "a parrot"}, folder) == []


def test_prompts_can_be_rendered_from_nothing(tmp_path: Path) -> None:
    (tmp_path / "prompts.json").write_text('{"steps": ["danger.title"], "hints": []}', "utf-8")
    made = voices.render(lambda _language, _text, path: path.write_bytes(b"") and None, {}, tmp_path)
    assert made == ["fr/danger.title.opus", "ar/danger.title.opus", "en/danger.title.opus"]
    assert voices.faults(voices.read_manifest(tmp_path), tmp_path) == []


def program(folder: Path, name: str, says: str) -> None:
    """Put a program there that says its version, or writes its arguments to its output."""
    script = f'#!/bin/sh\n[ "$1" = --version ] && echo "{says}" && exit 0\n'
    script += 'for last; do [ "$before" = -w ] && break; before="$last"; done\necho "$@" > "$last"\n'
    (folder / name).write_text(script, "utf-8")
    (folder / name).chmod(0o755)


def test_the_programs_are_asked_for_a_voice_of_the_language_and_small_mono_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "espeak-ng", "eSpeak NG text-to-speech: 1.51  Data at: /somewhere")
    program(tmp_path, "opusenc", "opusenc opus-tools 0.2")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert voices.versions() == {
        "engine": "eSpeak NG text-to-speech: 1.51",
        "encoder": "opusenc opus-tools 0.2",
    }
    voices.speak("ar", "- text", tmp_path / "sound.opus")
    asked = (tmp_path / "sound.opus").read_text("utf-8")
    assert "--bitrate 16" in asked
    assert "--downmix-mono" in asked


def test_the_command_says_what_is_missing_and_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert voices.main() == 1
    assert "sudo apt install espeak-ng opus-tools" in capsys.readouterr().err
    folder = copied(tmp_path)
    monkeypatch.setattr(voices, "VOICE", folder)
    monkeypatch.setattr(voices, "versions", lambda: {"engine": "a parrot", "encoder": "a box"})
    monkeypatch.setattr(voices.render, "__defaults__", (folder,))
    assert voices.main() == 0
    assert "0 prompts rendered" in capsys.readouterr().out
