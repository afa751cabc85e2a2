"""One case by hand on the real kiosk and the real desk, served by real processes on virtual instruments."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from kiosk.kiosk_browser import FIRST_CHOICES, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import PICTURES, Hand
from playwright.sync_api import Browser, Locator, Page, expect
from running_kit import RunningDemo

from chevet.sim import demo

pytestmark = [pytest.mark.web, pytest.mark.flow, pytest.mark.timeout(400)]

PATIENT = "Tanirt Aït Oussa"
ADVICE = "Refaire l’ECG dans une semaine."
SLOW_MS = 60_000
PEERS = """window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); peers.push(this); }
};"""
"""So that a test can look at what a call's browsers send each other, and cut it."""
HEARS = """() => peers.at(-1).getStats().then((all) => [...all.values()].some(
  (one) => one.type === 'inbound-rtp' && one.kind === 'audio'
    && one.packetsReceived > 20 && one.totalAudioEnergy > 0
))"""


@pytest.fixture
def pages(kiosk_chromium: Browser) -> Iterator[Any]:  # noqa: F811
    contexts = []

    def opened(url: str, language: str) -> Page:
        context = kiosk_chromium.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        contexts.append(context)
        context.add_init_script(PEERS)
        context.add_init_script(FIRST_CHOICES.replace("LANGUAGE", language))
        page = context.new_page()
        page.set_default_timeout(40_000)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()


def test_a_case_goes_from_the_workers_hand_to_the_specialists_and_back(kit: RunningDemo, pages: Any) -> None:
    abandon_what_is_open(kit.ports.kiosk_url)
    page = pages(kit.ports.kiosk_url, "fr")
    worker = Hand(page, cast("Any", SimpleNamespace(pin=demo.PIN)), "fr", "real")
    register(worker)
    record_ecg(worker)
    look_into_the_right_ear(worker)
    send(worker)
    desk = pages(kit.ports.desk_url, "fr")
    answer(desk)
    worker.page.bring_to_front()
    expect(page.get_by_text(worker.text("delivery.answered.title")).first).to_be_visible(timeout=SLOW_MS)
    worker.touch("case.read")
    worker.sees("answer.verified")
    expect(page.locator(".answer-advice")).to_have_text(ADVICE)
    expect(page.get_by_text(demo.SPECIALIST_NAME).first).to_be_visible()
    hears(page.locator(".answer-voice"))
    worker.picture("answer")
    speak_back(worker, desk)
    talk(worker, desk)
    lose_the_voices(worker, desk)
    expect(desk.locator(".strip-name").first).to_have_text(PATIENT)


def speak(page: Page) -> None:
    """Say something for a good second, and stop."""
    expect(page.locator(".spoken-hearing .spoken-time")).to_have_text(re.compile("0:0[1-9]"))
    page.locator(".spoken-hearing .button-main").click()
    expect(page.locator(".spoken-kept .voice-play")).to_be_focused()


def hears(around: Locator) -> None:
    """Touch the large button and hear: the browser's own player moves on."""
    button = around.locator(".voice-play")
    expect(button).to_be_visible(timeout=SLOW_MS)
    around.locator("audio").evaluate(
        """(one) => {
          window.heard = 0;
          one.addEventListener('timeupdate', () => {
            window.heard = Math.max(window.heard, one.currentTime);
          });
        }"""
    )
    button.click()
    around.page.wait_for_function("() => window.heard > 0.2")


def speak_back(worker: Hand, desk: Page) -> None:
    """The worker answers by voice; the desk hears it in the conversation."""
    worker.touch("answer.case")
    worker.touch("speak.title")
    worker.picture("speaking")
    speak(worker.page)
    worker.picture("spoken")
    worker.touch("speak.send")
    worker.sees("speak.sent")
    expect(worker.page.locator(".hint .voice-play")).to_be_visible()
    desk.bring_to_front()
    desk.get_by_role("tab", name="Échanges").click()
    hears(desk.locator(".said-note"))
    picture(desk, "thread")


def talk(worker: Hand, desk: Page) -> None:
    """The specialist calls beside the study; the worker asks the patient, and takes it."""
    desk.get_by_role("button", name="Appeler le kiosque").click()
    worker.page.bring_to_front()
    ring = worker.page.get_by_role("dialog")
    expect(ring).to_contain_text(demo.SPECIALIST_NAME, timeout=SLOW_MS)
    expect(ring).to_contain_text(worker.text("ring.consent"))
    expect(ring).not_to_contain_text(PATIENT)
    expect(desk.get_by_text("Ça sonne à Anfgou")).to_be_visible()
    worker.picture("ringing")
    worker.touch("ring.accept")
    for page in (worker.page, desk):
        expect(page.locator(".call-strip b[role=status]")).to_have_text("En ligne", timeout=SLOW_MS)
        page.wait_for_function(HEARS, timeout=SLOW_MS)
    worker.picture("talking")
    picture(desk, "talking")


def lose_the_voices(worker: Hand, desk: Page) -> None:
    """The way of the voices is cut: both ends say so, and a voice note stands ready; the case stays open."""
    worker.page.evaluate("() => Promise.all(peers.at(-1).getSenders().map((one) => one.replaceTrack(null)))")
    for page in (desk, worker.page):
        strip = page.locator(".call-over")
        expect(strip).to_contain_text("La voix ne passe pas", timeout=SLOW_MS)
        expect(strip).to_contain_text("Le dossier reste ouvert")
        expect(strip.locator(".spoken-begin")).to_be_visible()
    worker.picture("call-lost")
    picture(desk, "call-lost")
    desk.locator(".call-over .spoken-begin").click()
    speak(desk)
    desk.locator(".call-over .button-main").click()
    expect(desk.locator(".call-over .note-ok")).to_be_visible()


def abandon_what_is_open(kiosk: str) -> None:
    """An earlier test may have left its visit open on the shared kit."""
    with httpx.Client(base_url=kiosk, headers={"X-Chevet": "1"}, trust_env=False, timeout=60) as box:
        box.post("/api/session", json={"worker": demo.WORKER, "pin": demo.PIN}).raise_for_status()
        left = box.get("/api/visits/current").raise_for_status().json()["visit"]
        if left:
            box.post(f"/api/visits/{left['id']}/abandon", json={"reason": "another test"}).raise_for_status()


def register(worker: Hand) -> None:
    page = worker.page
    page.get_by_role("button", name=demo.WORKER_NAME).click()
    page.keyboard.type(demo.PIN)
    worker.touch("signin.enter")
    expect(page.locator(".start-new").first).to_be_visible()
    expect(page.locator(".htest").first).to_contain_text("HTEST")
    worker.to_patient()
    worker.touch("patient.new")
    page.get_by_label("Nom et prénom").fill(PATIENT)
    page.get_by_label("Âge en années").fill("52")
    worker.touch("sex.F")
    worker.touch("do.next")
    worker.heading("confirm.title")
    for number in range(page.locator(".identifier").count()):
        page.locator(".identifier").nth(number).click()
    worker.touch("confirm.go")
    worker.heading("consent.title")
    page.locator(".purpose").first.click()
    worker.touch("consent.go")
    worker.heading("reason.title")
    worker.touch("visit_reason.breathlessness")
    worker.touch("history.since.days")
    worker.main()
    worker.heading("tiles.title")
    worker.picture("tiles")


def record_ecg(worker: Hand) -> None:
    worker.exam("ecg")
    expect(worker.page.get_by_text(worker.text("coach.good")).first).to_be_visible(timeout=SLOW_MS)
    worker.picture("ecg")
    worker.main()
    expect(worker.page.locator(".coach.result")).to_be_visible(timeout=SLOW_MS)
    worker.picture("ecg-result")
    worker.touch(
        "result.keep"
    )  # stands only under what is good enough; another patient's breath may be named
    expect(worker.page.locator("[data-exam=ecg] .chip-ok")).to_be_visible()


def look_into_the_right_ear(worker: Hand) -> None:
    worker.exam("otoscopy")
    worker.touch("side.right")
    worker.sees("side.right")
    expect(worker.page.locator(".page-foot .main-button")).not_to_have_attribute(
        "aria-disabled", "true", timeout=SLOW_MS
    )
    worker.picture("ear")
    worker.main()
    expect(worker.page.locator(".still").first).to_be_visible(timeout=SLOW_MS)
    worker.picture("ear-result")
    worker.touch("result.keep")
    worker.sees("side.left")
    worker.touch("do.back")
    if worker.page.locator("[data-exam=ecg]").count() == 0:
        worker.touch("do.back")
    worker.heading("tiles.title")


def send(worker: Hand) -> None:
    worker.touch("tiles.review")
    worker.heading("review.title")
    worker.touch("review.go")
    worker.touch("phrase.opinion")
    worker.touch("do.next")
    worker.heading("address.title")
    worker.page.get_by_role("radio", name=worker.text("specialty.cardiology")).click()
    worker.page.get_by_role("radio", name=worker.text("urgency.urgent.help")).click()
    worker.touch("address.send")
    # "At the relay" appears only on the relay's verified receipt.
    expect(worker.page.get_by_text(worker.text("delivery.at_relay.title")).first).to_be_visible(
        timeout=SLOW_MS
    )
    worker.picture("at-relay")


def answer(desk: Page) -> None:
    desk.get_by_label("Identifiant").fill(demo.SPECIALIST)
    desk.get_by_label("Mot de passe").fill(demo.PASSWORD)
    desk.get_by_role("button", name="Se connecter").click()
    desk.locator(".row", has_text="Anfgou").first.click()
    expect(desk.locator(".strip-name").first).to_have_text(PATIENT)
    expect(desk.locator("ecg-paper")).to_be_visible()
    desk.get_by_role("button", name="Prendre ce cas").click()
    desk.wait_for_timeout(500)  # let the paper be drawn for the picture
    picture(desk, "ecg")
    desk.get_by_role("tab", name="Oreilles").click()
    desk.wait_for_timeout(500)
    picture(desk, "ears")
    desk.get_by_label("Impression").fill("Rythme sinusal, pas de signe d’alarme.")
    desk.locator("textarea").nth(1).fill(ADVICE)
    desk.get_by_role("button", name="Enregistrer une note vocale").click()
    speak(desk)
    picture(desk, "spoken")
    for code in ("probable", "routine", "no"):
        desk.locator(f".answer .choice-{code}").click()
    desk.locator(".answer .button-main").click()
    desk.get_by_role("dialog").locator("input[type=password]").fill(demo.PASSWORD)
    desk.get_by_role("dialog").locator(".button-main").click()
    expect(desk.locator(".answer .reached")).to_be_visible()
    picture(desk, "signed")


def picture(desk: Page, name: str) -> None:
    folder: Path = PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    desk.screenshot(path=folder / f"desk-fr-real-{name}.png", animations="disabled")
