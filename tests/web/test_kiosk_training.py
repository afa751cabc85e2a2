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


def begin(page: Page, ports: demo.Ports, lesson: str) -> None:
    """Sign in where nobody is, and begin a lesson."""
    if page.locator(".worker").count():
        page.locator(".worker").first.click()
        page.keyboard.type(demo.PIN)
        page.keyboard.press("Enter")
        expect(page.locator(".start-training")).to_be_visible()
    page.goto(f"{ports.kiosk_url}/#/training/{lesson}")
    expect(page.locator(".situation")).to_contain_text(WORDS[f"training.lesson.{lesson}.task"])
    page.locator(".main-button").click()
    expect(page.locator(".training-strip")).to_contain_text(WORDS[f"training.lesson.{lesson}"])


def ended(page: Page) -> None:
    """Finish the lesson and see the score."""
    page.locator(".page-foot .main-button").click()
    expect(page.locator(".score-good .score-number")).to_be_visible()


def test_three_more_lessons_a_call_numbers_and_a_cold_finger(page: Page, ports: demo.Ports) -> None:
    begin(page, ports, "danger")
    page.locator(".start-new").click()
    page.get_by_role("button", name=WORDS["sign.chest_pain"]).click()
    page.locator(".page-foot .main-button").click()
    page.locator(".button-training").click()
    page.locator(".training-end").click()
    page.get_by_role("button", name=WORDS["training.ask.first.call"]).click()
    ended(page)

    begin(page, ports, "vitals")
    for exam, typed in (("blood_pressure", ("148", "92")), ("temperature", ("38,4",)), ("weight", ("71,5",))):
        page.locator(f"[data-exam={exam}]").click()
        for number in typed:
            expect(page.locator(".keypad")).to_be_visible()
            page.keyboard.type(number + "\n")
        expect(page.locator(f"[data-exam={exam}] .chip-ok, [data-exam={exam}] .value").first).to_be_visible()
    page.locator(".training-end").click()
    ended(page)

    # A cold finger: the coach says what it sees, the wrong thing changes nothing, the right one mends it.
    begin(page, ports, "fault_cold")
    page.locator("[data-exam=oximetry]").click()
    expect(page.locator(".coach .hint-attention")).to_contain_text(WORDS["reason.low_perfusion.do"])
    page.locator(".training-button", has_text=WORDS["training.hands"]).click()
    page.locator(".choice", has_text=WORDS["training.act.plug"]).click()
    expect(page.locator(".hands .hint-attention")).to_be_visible()
    fits(page)
    page.locator(".choice", has_text=WORDS["training.act.warm"]).click()
    expect(page.locator(".hands .hint-ok")).to_be_visible()
    page.locator(".hands .button-main").click()
    record = page.locator(".page-foot .main-button")
    expect(page.locator(".coach .hint-ok")).to_be_visible()
    record.click()
    expect(page.locator(".coach.result")).to_be_visible()
    record.click()
    page.locator(".training-end").click()
    ended(page)
    done = page.locator(".training-steps .step-done")
    expect(done.filter(has_text=WORDS["training.check.in_time"])).to_be_visible()
    expect(page.locator(".training-steps li", has_text=WORDS["training.check.mended"])).to_contain_text(
        "50 %"
    )
    assert page.locator(".case-row").count() == 0
