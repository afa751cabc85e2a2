"""The documents stay true: every command, option and setting is described, every link leads somewhere."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from chevet.edge import cli as edge
from chevet.edge.settings import EdgeSettings
from chevet.relay import cli as relay
from chevet.relay.settings import Settings as RelaySettings
from chevet.sim import cli as sim

ROOT = Path(__file__).resolve().parent.parent
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PARSERS = {"chevet-edge": edge.parser(), "chevet-relay": relay.parser(), "chevet-sim": sim.parser()}


def _leaves(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name, parser
    for group in groups:
        for verb, child in group.choices.items():
            yield from _leaves(f"{name} {verb}", child)


LEAVES = [leaf for name, parser in PARSERS.items() for leaf in _leaves(name, parser)]


@pytest.mark.parametrize(("name", "parser"), LEAVES, ids=[name for name, _ in LEAVES])
def test_every_command_and_option_is_documented_and_has_help(
    name: str, parser: argparse.ArgumentParser
) -> None:
    text = (ROOT / "docs/commands.md").read_text("utf-8")
    program, *words = name.split()
    assert " ".join(words) in text, f"{name} is not in docs/commands.md"
    section = text.split(f"## {program}")[1].split("\n## ")[0]
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        assert action.help or action.choices or action.metavar, f"{name} {action.dest} has no help"
        for option in action.option_strings:
            assert option in section, f"{option} of {name} is not in docs/commands.md"


@pytest.mark.parametrize("program", PARSERS)
def test_every_program_has_a_doctor(program: str) -> None:
    assert f"{program} doctor" in [name for name, _ in LEAVES]


def _settings(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _settings(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


@pytest.mark.parametrize(
    ("section", "model"), [("## edge.toml", EdgeSettings), ("## relay.toml", RelaySettings)]
)
def test_every_setting_is_documented(section: str, model: type[BaseModel]) -> None:
    text = (ROOT / "docs/settings.md").read_text("utf-8").split(section)[1].split("\n## ")[0]
    missing = [name for name in _settings(model) if f"`{name}`" not in text]
    assert missing == []


@pytest.mark.parametrize("document", DOCS, ids=[str(path.relative_to(ROOT)) for path in DOCS])
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
    dead = [t for t in targets if not t.startswith("http") and not (document.parent / t).exists()]
    assert dead == []


def test_readme_and_screens_say_that_it_is_not_a_medical_device() -> None:
    assert "Not a medical device" in (ROOT / "README.md").read_text("utf-8")
    assert "Not a medical device" in edge.parser().description  # type: ignore[operator]
