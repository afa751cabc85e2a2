"""The first sign-in and the second, on the real relay: enrolment by QR, codes, recovery codes, passkeys."""

import base64
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect
from relay.conftest import Site, deliver, messages
from relay.local_provider import CLIENT, KAMAL, SECRET, LocalProvider, running
from relay_desk.desk_browser import chromium, screenshots  # noqa: F401 - fixtures
from relay_desk.real_desk import study_of

from chevet.exchange.receiver import Receiver
from chevet.exchange.sealing import Recipient
from chevet.relay.accounts.passwords import Cost
from chevet.relay.accounts.totp import STEP_S, code_at, step_at
from chevet.relay.accounts.users import User
from chevet.relay.api.app import create_app
from chevet.relay.keys import make_programme
from chevet.relay.relay import open_relay
from chevet.relay.settings import Settings
from chevet.study.bundle import pack

pytestmark = pytest.mark.web
PASSWORD = "a long enough passphrase"


class Bench:
    """A relay served here, its clock, and the phone of its one doctor."""

    def __init__(self, folder: Path, **more: Any) -> None:
        make_programme(folder, "SMT Haut Atlas")
        settings = Settings(keys=folder / "keys", archive=folder / "archive", **more)
        self.now, self.secret = time.time_ns() // 1_000_000, b""
        self.relay = open_relay(settings, now_ms=lambda: self.now, cost=Cost(1, 8, 1))
        who = User("k.amrani", "Dr Karim Amrani", "specialist", "cardiology", ("fr",), b"")
        self.relay.users.add(who, PASSWORD)

    def session(self) -> str:
        """Sign in without a browser; return the token."""
        half = self.relay.sign_in.sign_in("k.amrani", PASSWORD).token
        self.secret = base64.b32decode(self.relay.sign_in.begin_enrolment(half).secret)
        return self.relay.sign_in.confirm_enrolment(half, self.next_code())[0].token

    def case(self) -> str:
        """Let a site send a case; return its id."""
        site = Site("talsin", [Recipient("programme", self.relay.keys.programme.public_key())])
        self.relay.sites.add(site.file())
        words = {"reason": "palpitations", "specialty": "cardiology", "urgency": "urgent", "language": "fr"}
        study = replace(study_of(1, lambda: self.now, site="talsin", **words), label="")
        key = {"talsin": site.signer.public_key()}.get  # type: ignore[attr-defined]
        receiver = Receiver(self.relay.inbox, signer=self.relay.keys.relay, origin_key=key)
        deliver(receiver, messages(site.seal(pack(study))), "talsin")
        return study.id

    def next_code(self) -> str:
        self.now += STEP_S * 1000
        return code_at(self.secret, step_at(self.now))


@contextmanager
def served(folder: Path, **more: Any) -> Iterator[tuple[Bench, str]]:
    """Serve a bench; the desk's own address has a name, the one that is given has digits."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    bench = Bench(folder, desk_url=f"http://localhost:{port}", **more)
    config = uvicorn.Config(create_app(bench.relay), log_level="warning", ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield bench, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(30)
    listener.close()
    bench.relay.close()


@pytest.fixture(name="bench")
def running_bench(tmp_path: Path) -> Iterator[tuple[Bench, str]]:
    with served(tmp_path) as found:
        yield found


def give_password(page: Page) -> None:
    page.get_by_label("User name").fill("k.amrani")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


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


AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_a_doctor_makes_a_passkey_signs_in_with_it_and_signs_an_opinion_with_it(
    browser: Browser, bench: tuple[Bench, str], shot: Callable[..., Any]
) -> None:
    relay, elsewhere = bench
    url, case, token = relay.relay.settings.desk_url, relay.case(), relay.session()
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.add_init_script(
        "localStorage.setItem('chevet.language', localStorage['chevet.language'] ?? 'en')"
    )
    context.add_cookies([{"name": "chevet_desk", "value": token, "url": one} for one in (url, elsewhere)])
    page = context.new_page()
    page.set_default_timeout(40_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None)
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

    page.goto(elsewhere)  # the same desk at another address: it says where passkeys work
    page.get_by_role("button", name=re.compile("Karim Amrani")).click()
    expect(page.get_by_text(f"Passkeys work only at {url}")).to_be_visible()
    shot(page, "passkey-elsewhere")

    page.goto(url)
    page.get_by_role("button", name=re.compile("Karim Amrani")).click()
    page.get_by_label("Name of the new passkey").fill("Phone")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not used yet")).to_be_visible()
    shot(page, "passkey-account")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Sign out").click()
    alone = page.get_by_role("button", name="Sign in with a passkey")
    expect(alone).to_be_visible()
    shot(page, "passkey-sign-in")
    alone.click()
    expect(page.locator(".inbox")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    give_password(page)
    page.get_by_role("button", name="Use a passkey").press("Enter")
    expect(page.locator(".inbox")).to_be_visible()

    page.goto(f"{url}/#/case/{case}")
    page.locator(".answer-claim .button-main").click()
    page.get_by_label("Impression").fill("Sinus rhythm.")
    page.get_by_label("Advice").fill("Rest.")
    for name in ("probable", "routine", "no"):
        page.locator(f".answer .choice-{name}").click()
    relay.now += 11 * 60_000
    page.locator(".answer").get_by_role("button", name="Sign and send").click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Your password unlocks").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign and send").click()
    use = dialog.get_by_role("button", name="Use a passkey")
    expect(use).to_be_visible()
    shot(page, "passkey-signing")
    use.click()
    expect(page.get_by_text("Signature verified")).to_be_visible()
    context.close()
    assert not troubles


def test_a_doctor_comes_back_from_the_identity_provider_and_gives_a_code_or_hears_why_not(
    browser: Browser, tmp_path: Path, shot: Callable[..., Any]
) -> None:
    (tmp_path / "client").write_text(SECRET)
    with running(LocalProvider(person=KAMAL | {"preferred_username": "k.amrani"})) as provider:
        own = {
            "oidc_client_id": CLIENT,
            "oidc_client_secret_file": tmp_path / "client",
            "oidc_name": "Health",
        }
        with served(tmp_path, oidc_issuer=provider.url, **own) as (bench, _):
            bench.session()
            context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
            context.add_init_script("localStorage.setItem('chevet.language', 'en')")
            page = context.new_page()
            page.set_default_timeout(40_000)
            page.goto(bench.relay.settings.desk_url)
            provider.denies = "access_denied"
            page.get_by_role("button", name="Sign in with Health").click()
            expect(page.get_by_role("alert")).to_contain_text("You turned back")
            shot(page, "provider-denied")
            provider.denies = ""
            page.get_by_role("button", name="Sign in with Health").click()
            page.get_by_label("Code", exact=True).fill(bench.next_code())
            page.get_by_role("button", name="Go on").click()
            expect(page.locator(".inbox")).to_be_visible()
            assert page.url.startswith(bench.relay.settings.desk_url)
            assert "code=" not in page.url
            context.close()
