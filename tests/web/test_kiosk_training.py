"""One lesson in a browser on the real box: an instrument recorded, a question, the score, nothing sent."""

from collections.abc import Iterator

import pytest
import running_kit
from kiosk.kiosk_browser import FIRST_CHOICES, FIRST_LOOK_MS, is_trouble, kiosk_chromium  # noqa: F401
from kiosk.worker_hand import LOOK, TARGET_PX, strings
from playwright.sync_api import Browser, Page, expect

from chevet.sim import demo

pytestmark = pytest.mark.web

PATIENCE_MS = 60_000  # the whole box and a browser on two cores
WORDS = strings("fr")


@pytest.fixture(scope="module")
def ports() -> Iterator[demo.Ports]:
    for running in running_kit.running("iotcore"):
        yield running.ports


@pytest.fixture
def page(kiosk_chromium: Browser, ports: demo.Ports) -> Iterator[Page]:  # noqa: F811
    troubles: list[str] = []
    context = kiosk_chromium.new_context(
        viewport={"width": 1280, "height": 800}, reduced_motion="reduce", has_touch=True
    )
    context.add_init_script(FIRST_CHOICES.replace("LANGUAGE", "fr"))
    one = context.new_page()
    one.set_default_timeout(PATIENCE_MS)
    one.on("pageerror", lambda error: troubles.append(str(error)))
    one.on("console", lambda said: troubles.append(said.text) if is_trouble(said.type, said.text) else None)
    one.goto(ports.kiosk_url)
    expect(one.locator(".worker").first).to_be_visible(timeout=FIRST_LOOK_MS)
    yield one
    context.close()
    assert not troubles, troubles


def fits(page: Page) -> None:
    assert page.evaluate(LOOK, TARGET_PX) == []


def test_a_lesson_on_the_oximeter_is_recorded_scored_and_goes_nowhere(page: Page) -> None:
    page.locator(".worker").first.click()
    page.keyboard.type(demo.PIN)
    page.keyboard.press("Enter")
    page.locator(".start-training").click()
    expect(page.locator(".lesson-row")).to_have_count(21)
    fits(page)
    page.locator(".lesson-row").nth(4).click()
    expect(page.locator(".situation")).to_contain_text(WORDS["training.lesson.oximeter.task"])
    fits(page)
    page.locator(".main-button").click()

    # the strip says what this is on every screen; the visit is laid ready
    strip = page.locator(".training-strip")
    expect(strip).to_contain_text(WORDS["training.label"])
    expect(strip).to_contain_text("HTEST")
    page.locator("[data-exam=oximetry]").click()
    record = page.locator(".page-foot .main-button")
    expect(page.locator(".hint-ok")).to_be_visible(timeout=PATIENCE_MS)
    record.click()
    expect(page.locator(".coach.result")).to_be_visible(timeout=PATIENCE_MS)
    record.click()
    expect(page.locator(".training-dots .dot-full").first).to_be_visible()

    page.locator(".training-end").click()
    expect(page.locator(".training-steps .step-done").first).to_be_visible()
    expect(page.locator(".main-button")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name=WORDS["training.ask.cold.warm"]).click()
    fits(page)
    page.locator(".main-button").click()

    expect(page.locator(".score-good .score-number")).to_be_visible()
    expect(page.locator(".training-steps .step-done")).to_have_count(4)
    fits(page)
    expect(strip).to_have_count(0)
    page.locator(".bar-home").click()
    expect(page.locator(".case-row")).to_have_count(0)
    expect(page.locator(".start-draft")).to_have_count(0)
    expect(page.locator(".start-new")).to_be_enabled()
