"""Tamazight from sign-in to the examinations; the voice speaks, gives way, and each worker chooses."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from kiosk.kiosk_browser import PATIENCE_MS, edge, hand, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import Hand
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.web

# Sounds go on for ever, so that only the page itself can stop one; what was played is kept to be looked at.
KEEP_SOUNDS = """() => {
  const play = HTMLMediaElement.prototype.play;
  window.played = [];
  HTMLMediaElement.prototype.play = function () {
    this.loop = true;
    window.played.push({ sound: this, name: this.src.split("/").pop() });
    return play.call(this);
  };
}"""


def said(page: Page) -> list[str]:
    names: list[str] = page.evaluate("played.map(({ name }) => name)")
    return names


def until(page: Page, true: str) -> None:
    """Wait until an expression holds; the page's policy lets nobody wait inside it."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(true):
        assert time.monotonic() < end, f"never true: {true}; heard {said(page)}"
        page.wait_for_timeout(50)


def says(page: Page, name: str) -> None:
    """Wait until a prompt is heard."""
    until(page, f"played.some((one) => one.name === '{name}' && !one.sound.paused)")


def silent(page: Page) -> None:
    until(page, "played.every(({ sound }) => sound.paused)")


def fonts_of(page: Page, selector: str) -> list[dict[str, Any]]:
    """Fonts that the browser really used for an element's letters."""
    line = page.context.new_cdp_session(page)
    line.send("DOM.enable")
    line.send("CSS.enable")
    root = line.send("DOM.getDocument")["root"]["nodeId"]
    node = line.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    fonts: list[dict[str, Any]] = line.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    return fonts


def test_a_worker_reads_tamazight_from_sign_in_to_the_examinations(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("zgh", "small")
    page = worker.page
    worker.sees("about.unconfirmed")
    worker.fits("sign-in")
    page.evaluate("document.fonts.ready")
    assert {(font["familyName"], font["isCustomFont"]) for font in fonts_of(page, ".welcome p")} == {
        ("Noto Sans Tifinagh", True),
        ("Noto Sans", True),
    }
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["zgh", "ltr"]
    page.evaluate(KEEP_SOUNDS)
    worker.sign_in()
    worker.fits("start")
    worker.to_tiles()
    worker.fits("tiles")
    expect(page.get_by_role("img", name=worker.text("voice.none"))).to_be_visible()
    larger = page.evaluate("parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)")
    page.get_by_role("button", name=worker.text("voice.on")).click()
    smaller = page.evaluate("parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)")
    assert larger > smaller
    assert said(page) == []


def test_the_words_of_time_and_number_are_tamazight(hand: Callable[..., Hand]) -> None:  # noqa: F811
    page = hand("zgh", "small").page
    spoken = page.evaluate("""async () => {
      const { age, date, number, t } = await import("/shared/i18n.js");
      const at = new Date(2026, 10, 22, 9, 5).getTime();
      const hour = { weekday: "long", hour: "2-digit", minute: "2-digit", hour12: false };
      const typed = [0, 1, 4].map((n) => t("signin.typed", { n }));
      return [date(at), date(at, hour), number(1234.5), age(60), age(7200), age(3 * 86400), ...typed];
    }""")
    assert spoken[0] == "22 ⵏⵓⵡⴰⵏⴱⵉⵔ 2026"
    assert spoken[1].startswith("ⴰⵙⴰⵎⴰⵙ")
    assert "09:05" in spoken[1]
    assert spoken[2].replace("\u202f", " ").replace("\u00a0", " ") in {"1 234,5", "1.234,5"}
    assert spoken[3:6] == ["1 ⵜⵓⵙⴷⵉⴷⵜ", "2 ⵏ ⵜⵙⵔⴰⴳⵉⵏ", "3 ⵏ ⵡⵓⵙⵙⴰⵏ"]
    assert spoken[6:] == ["0 ⵏ ⵡⵓⵟⵟⵓⵏⵏ", "1 ⵡⵓⵟⵟⵓⵏ", "4 ⵏ ⵡⵓⵟⵟⵓⵏⵏ"]


def test_the_voice_says_a_step_and_stops_at_the_first_touch(hand: Callable[..., Hand]) -> None:  # noqa: F811
    worker = hand("fr", "small")
    page = worker.page
    page.evaluate(KEEP_SOUNDS)
    worker.sign_in()
    worker.touch("start.new")
    says(page, "danger.title.opus")
    page.get_by_role("heading", level=1).click()
    silent(page)
    worker.touch("voice.again")
    until(page, "played.length === 2 && !played[1].sound.paused")
    page.keyboard.press("Shift")
    silent(page)
    worker.touch("voice.on")
    worker.touch("danger.none")
    worker.heading("patient.title")
    expect(page.get_by_role("button", name=worker.text("voice.on"))).to_have_attribute(
        "aria-pressed", "false"
    )
    expect(page.locator(".voice-again")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name=worker.text("voice.on"))).to_have_attribute(
        "aria-pressed", "false"
    )
    kept = page.evaluate("Object.entries(localStorage).filter(([name]) => name.startsWith('chevet.voice'))")
    assert [choice for _, choice in kept] == ["off"]


def test_the_voice_is_silent_over_a_recording_and_over_a_heart_that_is_heard_again(
    hand: Callable[..., Hand],  # noqa: F811
) -> None:
    worker = hand("fr", "small")
    page = worker.page
    page.evaluate(KEEP_SOUNDS)
    worker.sign_in()
    worker.to_tiles()
    worker.exam("heart_sound")
    says(page, "exam.heart_sound.opus")
    worker.sees("coach.good")
    worker.edge.speed = 0.2  # long enough for a busy machine to be in the middle of it
    worker.main()
    expect(page.locator("count-ring")).to_be_visible()
    silent(page)
    before = said(page)
    page.evaluate("import('/kiosk/voice.js').then(({ say }) => say('Cœur'))")
    assert said(page) == before
    worker.edge.speed = 12
    expect(page.locator(".coach.result")).to_be_visible(timeout=30_000)
    worker.touch("sound.play")
    until(page, "document.querySelector('audio') && !document.querySelector('audio').paused")
    assert (
        page.evaluate("played.filter(({ sound, name }) => name.endsWith('.opus') && !sound.paused).length")
        == 0
    )
    before = said(page)
    page.evaluate("import('/kiosk/voice.js').then(({ say }) => say('Cœur'))")
    assert said(page) == before
    worker.touch("sound.pause")
    worker.touch("voice.again")
    says(page, "exam.heart_sound.opus")
