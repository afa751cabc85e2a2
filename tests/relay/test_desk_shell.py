"""The desk's service worker: it names every file by content, and one changed byte makes another one."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from chevet.kiosk.files import SHARED
from chevet.relay.api.app import DESK
from chevet.relay.api.shell import worker_script


def shell_of(script: str) -> dict[str, object]:
    """What the worker is told it has to serve."""
    line = next(line for line in script.splitlines() if line.startswith("self.SHELL = "))
    found: dict[str, object] = json.loads(line.removeprefix("self.SHELL = ").removesuffix(";"))
    return found


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    desk, shared = tmp_path / "desk", tmp_path / "shared"
    for name in ("index.html", "sealed.html", "main.js", "worker/push.js", "worker/shell.js", "types.d.ts"):
        (desk / name).parent.mkdir(parents=True, exist_ok=True)
        (desk / name).write_text(name)
    shared.mkdir()
    (shared / "mark.svg").write_text("mark")
    (shared / "README.md").write_text("for people")
    return desk, shared


def test_every_file_of_the_desk_is_named_by_content_and_nothing_else(folders):
    desk, shared = folders
    script = worker_script(desk, shared)
    shell = shell_of(script)
    assert set(shell["files"]) == {"/", "/sealed.html", "/desk/main.js", "/shared/mark.svg"}
    assert shell["files"]["/"] == hashlib.sha256(b"index.html").hexdigest()
    loaded = re.findall(r'importScripts\("(/desk/worker/\w+\.js)\?v=(\w{16})"\);', script)
    assert [path for path, _ in loaded] == ["/desk/worker/push.js", "/desk/worker/shell.js"]
    assert loaded[1][1] == hashlib.sha256(b"worker/shell.js").hexdigest()[:16]


@pytest.mark.parametrize("name", ["main.js", "worker/push.js"])
def test_one_changed_byte_is_another_worker(folders, name):
    desk, shared = folders
    before = worker_script(desk, shared)
    assert worker_script(desk, shared) == before
    (desk / name).write_text("changed in place")
    after = worker_script(desk, shared)
    assert after != before
    assert shell_of(after)["version"] != shell_of(before)["version"]


async def test_the_relay_serves_the_worker_from_the_root_and_every_file_it_names(world, client):
    async with client() as desk:
        answer = await desk.get("/worker.js")
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "worker-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-cache"
        files = shell_of(answer.text)["files"]
        assert files == shell_of(worker_script(DESK, SHARED))["files"]
        for path in ("/", "/sealed.html", "/desk/main.js", "/desk/app/ar.webmanifest", "/shared/mark.svg"):
            there = await desk.get(path)
            assert hashlib.sha256(there.content).hexdigest() == files[path], path
        for language in ("fr", "ar", "en"):
            app = (await desk.get(f"/desk/app/{language}.webmanifest")).json()
            assert (app["lang"], app["start_url"], app["display"]) == (language, "/", "standalone")
            assert app["dir"] == ("rtl" if language == "ar" else "ltr")
            assert {icon["src"] for icon in app["icons"]} <= files.keys()
