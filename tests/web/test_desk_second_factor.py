"""The first sign-in and the second, on the real relay: enrolment by QR, codes, recovery codes."""

import base64
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect
from relay_desk.desk_browser import chromium, screenshots  # noqa: F401 - fixtures

from chevet.relay.accounts.passwords import Cost
from chevet.relay.accounts.totp import STEP_S, code_at, step_at
from chevet.relay.accounts.users import User
from chevet.relay.api.app import create_app
from chevet.relay.keys import make_programme
from chevet.relay.relay import open_relay
from chevet.relay.settings import Settings

pytestmark = pytest.mark.web
PASSWORD = "a long enough passphrase"


class Bench:
    """A relay served here, its clock, and the phone of its one doctor."""

    def __init__(self, folder: Path) -> None:
        make_programme(folder, "SMT Haut Atlas")
        settings = Settings(keys=folder / "keys", archive=folder / "archive")
        self.now, self.secret = time.time_ns() // 1_000_000, b""
        self.relay = open_relay(settings, now_ms=lambda: self.now, cost=Cost(1, 8, 1))
        who = User("k.amrani", "Dr Karim Amrani", "specialist", "cardiology", ("fr",), b"")
        self.relay.users.add(who, PASSWORD)

    def next_code(self) -> str:
        self.now += STEP_S * 1000
        return code_at(self.secret, step_at(self.now))


@pytest.fixture(name="bench")
def running(tmp_path: Path) -> Iterator[tuple[Bench, str]]:
    bench = Bench(tmp_path)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(bench.relay), log_level="warning", ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield bench, f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    listener.close()
    bench.relay.close()


def give_password(page: Page) -> None:
    page.get_by_label("User name").fill("k.amrani")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_doctor_enrols_an_app_at_the_first_sign_in_and_gives_its_code_at_the_next(
    browser: Browser, bench: tuple[Bench, str], shot: Callable[..., Any]
) -> None:
    relay, url = bench
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(40_000)
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security" in said.text else None)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(url)
    page.get_by_role("button", name="English").click()
    give_password(page)
    qr = page.get_by_alt_text("QR code for the authenticator app")
    expect(qr).to_be_visible()
    assert qr.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    page.get_by_text("Type it by hand instead").click()
    relay.secret = base64.b32decode(page.locator(".factor-secret").inner_text().replace(" ", ""))
    shot(page, "factor-enrol")
    for language in ("Français", "العربية", "English"):
        page.get_by_role("button", name=language).click()
        shot(page, f"factor-enrol-{language}")
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("Wrong, too old or used before")
    page.get_by_label("Code", exact=True).fill(relay.next_code())
    page.get_by_role("button", name="Go on").click()
    codes = page.locator(".factor-codes li")
    expect(codes).to_have_count(10)
    recovery = codes.first.inner_text()
    shot(page, "factor-recovery")
    page.get_by_role("button", name="I have kept them").click()
    expect(page.locator(".inbox")).to_be_visible()
    page.get_by_role("button", name=re.compile("Karim Amrani")).click()
    expect(page.locator(".sessions li")).to_have_count(1)
    shot(page, "factor-account")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Sign out").click()
    give_password(page)
    page.get_by_label("Code", exact=True).fill(relay.next_code())
    shot(page, "factor-code")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".inbox")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.set_viewport_size({"width": 390, "height": 844})
    give_password(page)
    page.get_by_label("Code", exact=True).fill(recovery)
    shot(page, "factor-phone")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".inbox")).to_be_visible()
    page.close()
    assert not refused
    secrets = (PASSWORD, recovery, base64.b32encode(relay.secret).decode(), "k.amrani")
    assert not [one for one in addresses if any(secret in one for secret in secrets) and "data:" not in one]
