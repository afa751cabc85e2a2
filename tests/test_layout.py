"""The house stands as the design has it: one namespace, sizes kept, nothing of one machine in the text."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("firmware-bridge", "devices", "edge", "kiosk-ui", "cloud-relay", "hardware-sim")
PACKAGES = ("bridge", "devices", "signals", "study", "exchange", "edge", "kiosk", "relay", "sim")
TEXT = {".py", ".js", ".css", ".html", ".md", ".toml", ".json", ".sh", ".svg"}


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    names = [ROOT / name for name in listed.splitlines()]
    if not names:  # an unpacked archive has no git
        names = [
            path for room in (*ROOMS, "tests", "docs", "benchmarks") for path in (ROOT / room).rglob("*")
        ]
    return [path for path in names if path.is_file()]


TRACKED = _tracked()
OURS = [path for path in TRACKED if "vendor" not in path.parts]


def test_no_init_hides_the_other_rooms() -> None:
    assert not [path for room in ROOMS for path in (ROOT / room / "chevet").glob("*.py")]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_lives_in_one_room_typed_and_with_a_bare_init(package: str) -> None:
    homes = [room for room in ROOMS if (ROOT / room / "chevet" / package).is_dir()]
    assert len(homes) == 1
    home = ROOT / homes[0] / "chevet" / package
    assert (home / "py.typed").is_file()
    body = ast.parse((home / "__init__.py").read_text("utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


def test_every_room_can_be_imported_beside_the_others() -> None:
    for package in PACKAGES:
        assert __import__(f"chevet.{package}")


def test_every_walk_stands_where_make_test_looks_for_walks() -> None:
    found = re.search(r"^WALKS := (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert found
    walks = tuple(found[1].split())
    marked = re.compile(r"pytest\.mark\.(flow|web)\b")
    tests = [path for path in OURS if path.suffix == ".py" and path.is_relative_to(ROOT / "tests")]
    names = {str(p.relative_to(ROOT)) for p in tests if marked.search(p.read_text("utf-8"))}
    assert names
    assert {name for name in names if not name.startswith(walks)} == set()


def test_no_file_is_longer_than_five_hundred_lines() -> None:
    sources = [path for path in OURS if path.suffix in {".py", ".js", ".c"}]
    assert sources
    long = {
        str(p.relative_to(ROOT)): n for p in sources if (n := len(p.read_text("utf-8").splitlines())) > 500
    }
    assert long == {}


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = []
    for path in OURS:
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > 60:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} {lines}")
    assert long == []


def test_no_work_is_left_open_in_the_sources() -> None:
    words = ("ODOT"[::-1], "EMXIF"[::-1], 3 * "X", "KCAH"[::-1])  # backwards, or this file would be found
    marks = re.compile(rf"\b({'|'.join(words)})\b")
    left = [
        f"{path.relative_to(ROOT)}: {line.strip()[:60]}"
        for path in OURS
        if path.suffix in {".py", ".js", ".c", ".h"}
        for line in path.read_text("utf-8").splitlines()
        if marks.search(line)
    ]
    assert left == []


def test_the_text_names_no_path_of_one_machine() -> None:
    private = re.compile(r"(?<![\w.])/(work|home|root)/\w")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()[:80]}"
        for path in OURS
        if path.suffix in TEXT and path.name != "package-lock.json"
        for line in path.read_text("utf-8").splitlines()
        if private.search(line)
    ]
    assert found == []


def test_heavy_libraries_are_each_imported_in_one_or_two_modules() -> None:
    homes: dict[str, set[str]] = {}
    for path in OURS:
        if path.suffix != ".py" or path.parts[len(ROOT.parts)] not in ROOMS:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                homes.setdefault(name.split(".")[0], set()).add(str(path.relative_to(ROOT)))
    for library in ("serial", "paho", "picamera2", "iotcore"):
        assert len(homes.get(library, set())) <= 2, homes[library]
