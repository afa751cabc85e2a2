"""Voice prompts of the kiosk: which words are spoken, rendering placeholders, and telling a stale one.

A prompt speaks one string of the screens, so what is heard also stands there to be read.
`voice/prompts.json` lists the strings, `voice/manifest.json` what lies there for each language: the
file, the SHA-256 of the text that it speaks, and what made it. A synthetic voice stands in until a
person records the text; eSpeak NG has no Tamazight, so those recordings are listed as missing.
`python -m chevet.kiosk.voices` (or `make voices`) renders what is new or stale; it needs Debian's
`espeak-ng` and `opus-tools`. A program's output is not covered by the licence of the program
(eSpeak NG is under the GPL 3 or later); the sounds carry the licence of the project.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chevet.kiosk.files import KIOSK, SHARED

VOICE: Path = KIOSK / "voice"
"""The folder of prompts, served at `/kiosk/voice/`."""

VOICES: dict[str, str] = {"fr": "fr-fr", "ar": "ar", "en": "en-gb"}
"""eSpeak NG's voice for each language that it can speak."""

TO_RECORD: tuple[str, ...] = ("zgh",)
"""Languages without a synthetic voice: a person has to record each prompt."""

PROGRAMS: dict[str, str] = {"engine": "espeak-ng", "encoder": "opusenc"}
"""What renders placeholders, by its part in the work."""

WORDS_PER_MINUTE = 140
BITS_PER_SECOND = 16_000
LONGEST_WORDS = 8

Manifest = dict[str, Any]
Renderer = Callable[[str, str, Path], None]


def wanted(folder: Path = VOICE) -> list[str]:
    """Return the keys of all strings that are spoken, steps first."""
    lists = json.loads((folder / "prompts.json").read_text("utf-8"))
    return [*lists["steps"], *lists["hints"]]


def words(language: str) -> dict[str, Any]:
    """Return every string of one language, as the kiosk loads them."""
    found: dict[str, Any] = {}
    for room in (SHARED, KIOSK):
        found |= json.loads((room / "strings" / f"{language}.json").read_text("utf-8"))
    return found


def fingerprint(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read_manifest(folder: Path = VOICE) -> Manifest:
    """Return the manifest; an empty one where none was written yet."""
    path = folder / "manifest.json"
    if not path.is_file():
        return {"prompts": {}}
    manifest: Manifest = json.loads(path.read_text("utf-8"))
    return manifest


def faults(manifest: Manifest, folder: Path = VOICE) -> list[str]:
    """Return what is wrong with the prompts, a sentence each; empty if each speaks the present text."""
    found = [fault for language in (*VOICES, *TO_RECORD) for fault in _faults(language, manifest, folder)]
    listed = {entry["file"] for prompts in manifest["prompts"].values() for entry in prompts.values()}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.opus")}
    return found + [f"{name}: no prompt of the manifest" for name in sorted(there - listed)]


def _faults(language: str, manifest: Manifest, folder: Path) -> list[str]:
    prompts, texts = manifest["prompts"].get(language, {}), words(language)
    return [
        f"{language} {key}: {fault}"
        for key in sorted({*wanted(folder), *prompts})
        if (fault := _fault(key, prompts.get(key), texts.get(key), folder))
    ]


def _fault(key: str, entry: dict[str, str] | None, text: str | None, folder: Path) -> str:
    if text is None or key not in wanted(folder):
        return "no such prompt or string any more"
    if entry is None:
        return "no prompt: run `make voices`"
    if entry["state"] == "to be recorded":
        return ""
    if not (folder / entry["file"]).is_file():
        return "the file is missing: run `make voices`"
    return "" if entry["text_sha256"] == fingerprint(text) else "speaks an older text: run `make voices`"


def render(renderer: Renderer, made_by: dict[str, str], folder: Path = VOICE) -> list[str]:
    """Render every prompt that is missing or stale, keep what people recorded, and write the manifest.

    Args:
        renderer: turns (language, text) into a file at a path.
        made_by: name and version of what the renderer uses, for the manifest.
        folder: of the prompts.

    Returns:
        Names of the files rendered.
    """
    old = read_manifest(folder)["prompts"]
    prompts: dict[str, dict[str, Any]] = {}
    made: list[str] = []
    for language in (*VOICES, *TO_RECORD):
        texts = words(language)
        prompts[language] = {
            key: _prompt(language, key, texts[key], old.get(language, {}).get(key), folder)
            for key in wanted(folder)
        }
        for key, entry in prompts[language].items():
            if entry["state"] == "placeholder" and _fault(
                key, old.get(language, {}).get(key), texts[key], folder
            ):
                (folder / language).mkdir(exist_ok=True)
                renderer(language, texts[key], folder / entry["file"])
                made.append(entry["file"])
    _clear(prompts, folder)
    _write({"note": NOTE, "made_by": made_by, "voices": VOICES, "prompts": prompts}, folder)
    return made


NOTE = (
    "Placeholders by a synthetic voice, to be replaced by recordings of a person: put the file in its slot, "
    'set its state to "recorded" and text_sha256 to that of the text spoken. '
    "Tamazight has no synthetic voice."
)


def _prompt(language: str, key: str, text: str, old: dict[str, str] | None, folder: Path) -> dict[str, str]:
    """Return the manifest's entry: a person's recording is kept, whatever else is made anew."""
    if old and old["state"] == "recorded" and (folder / old["file"]).is_file():
        return old
    state = "to be recorded" if language in TO_RECORD else "placeholder"
    return {"file": f"{language}/{key}.opus", "state": state, "text_sha256": fingerprint(text)}


def _clear(prompts: dict[str, dict[str, Any]], folder: Path) -> None:
    """Delete sounds that no prompt names any more."""
    named = {entry["file"] for of_language in prompts.values() for entry in of_language.values()}
    for path in folder.rglob("*.opus"):
        if path.relative_to(folder).as_posix() not in named:
            path.unlink()


def _write(manifest: Manifest, folder: Path) -> None:
    text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "manifest.json").write_text(f"{text}\n", "utf-8")


def speak(language: str, text: str, path: Path) -> None:
    """Render one text with eSpeak NG as Opus in Ogg, mono; the same versions make the same bytes."""
    bits = str(BITS_PER_SECOND // 1000)
    with tempfile.TemporaryDirectory() as scratch:
        wave = str(Path(scratch) / "prompt.wav")
        _run("espeak-ng", "-v", VOICES[language], "-s", str(WORDS_PER_MINUTE), "-w", wave, "--", text)
        small = ("--bitrate", bits, "--downmix-mono", "--speech", "--framesize", "60")
        _run("opusenc", "--quiet", *small, "--serial", "1", wave, str(path))


def versions() -> dict[str, str]:
    """Return the first line that each program says of itself, without paths."""
    lines = {role: _run(name, "--version").splitlines()[0] for role, name in PROGRAMS.items()}
    return {role: line.split("  Data at")[0].strip() for role, line in lines.items()}


def _run(program: str, *arguments: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise FileNotFoundError(
            f"{program} is not installed. On Debian: sudo apt install espeak-ng opus-tools"
        )
    return subprocess.run([path, *arguments], check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Render what is missing or stale; say what was made and what waits for a person."""
    try:
        made = render(speak, versions())
    except FileNotFoundError as missing:
        print(missing, file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in VOICE.rglob("*.opus"))
    print(f"{len(made)} prompts rendered, {size / 1e6:.1f} MB in all")
    print(f"To be recorded by a speaker: {', '.join(TO_RECORD)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
