"""A box under a lock after a power cut: the kiosk asks for its passphrase, then goes on as ever."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kiosk.kiosk_browser import FIRST_LOOK_MS, SIZES, is_trouble, kiosk_chromium  # noqa: F401
from playwright.sync_api import Browser, expect

from chevet.edge import cli
from chevet.edge.lock_file import read_lock
from chevet.exchange.keys import new_sealing_key, new_signing_key, public_text
from chevet.kiosk.files import KIOSK

pytestmark = pytest.mark.web
PHRASE = "cinq mots de la montagne"


def words(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((KIOSK / "strings" / f"{language}.json").read_text("utf-8"))
    return found


def make_box(folder: Path) -> Path:
    """Make a box with one worker, under a lock; return its configuration."""
    keys = {"programme": new_sealing_key(), "recovery": new_sealing_key()}
    relay_key = public_text(new_signing_key().public_key())
    programme = {
        "v": 1,
        "programme": "test",
        "relay_key": relay_key,
        "recipients": {name: public_text(key.public_key()) for name, key in keys.items()},
    }
    (folder / "programme.json").write_text(json.dumps(programme))
    (folder / "pin").write_text("2468")
    (folder / "phrase").write_text(PHRASE)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "edge.toml"
    config.write_text(
        f'data_dir = "box"\nprogramme = "programme.json"\nlabel = "HTEST"\nreserve_mb = 1\n'
        f"[kiosk]\nport = {port}\n[discovery]\non = false\n"
        '[[workers]]\nid = "amina"\nname = "Amina Berrada"\npin_file = "pin"\n'
    )
    at = ["--config", str(config)]
    named = ["--site", "anfgou", "--name", "Anfgou", "--programme", str(folder / "programme.json")]
    assert cli.main(["init", *named, *at]) == 0
    assert cli.main(["lock", "init", "--passphrase-file", str(folder / "phrase"), *at]) == 0
    return config


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[str]:
    """The address of an agent that waits."""
    config = make_box(tmp_path)
    command = Path(sys.executable).parent / "chevet-edge"
    process = subprocess.Popen([command, "run", "--config", config], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
    assert read_lock(tmp_path / "box") is not None


def test_the_kiosk_asks_by_touch_says_when_it_is_wrong_and_opens_the_box(
    kiosk_chromium: Browser,  # noqa: F811
    waiting: str,
) -> None:
    width, height = SIZES["small"]
    context = kiosk_chromium.new_context(viewport={"width": width, "height": height}, has_touch=True)
    context.add_init_script("localStorage.setItem('chevet.language', 'ar')")
    troubles: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if is_trouble(said.type, said.text) else None)
    page.goto(waiting)
    field = page.locator("#passphrase")
    expect(field).to_be_visible(timeout=FIRST_LOOK_MS)
    expect(page.locator(".worker")).to_have_count(0)
    expect(field).to_have_attribute("type", "password")
    field.tap()
    expect(page.locator(".touch-keys")).to_be_visible()
    for letter in "abc-1":
        page.locator(".touch-keys").get_by_role("button", name=letter, exact=True).tap()
    expect(field).to_have_value("abc-1")
    page.locator(".touch-done").tap()
    page.get_by_role("button", name=words("ar")["passphrase.open"]).tap()
    expect(page.get_by_role("alert")).to_have_text(words("ar")["error.wrong_passphrase"])
    expect(field).to_have_value("")
    page.get_by_role("button", name="Français", exact=True).tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(words("fr")["passphrase.title"])
    page.get_by_role("button", name=words("fr")["passphrase.show"]).tap()
    expect(field).to_have_attribute("type", "text")
    field.fill(PHRASE)
    field.press("Enter")
    expect(page.locator(".worker")).to_contain_text("Amina Berrada", timeout=FIRST_LOOK_MS)
    context.close()
    assert not troubles, troubles
