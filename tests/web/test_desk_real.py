"""The desk on the real relay after a whole consultation: broker, instruments, agent, relay as processes."""

import asyncio
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from relay_desk.desk_browser import chromium, screenshots  # noqa: F401 - fixtures

from chevet.sim import consultation, demo

pytestmark = [pytest.mark.web, pytest.mark.flow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def desk_after_a_visit(kit: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Hold one consultation through the screens' interfaces; return the desk's address."""
    plan = consultation.Plan(
        kiosk=kit.ports.kiosk_url,
        desk=kit.ports.desk_url,
        worker=demo.WORKER,
        pin=demo.PIN,
        specialist=demo.SPECIALIST,
        password=demo.PASSWORD,
        control=kit.control,
        steps=tuple(
            step if step.step == "ecg" else replace(step, seconds=min(step.seconds, 5.0))
            for step in consultation.STEPS
        ),
    )
    report: Path = tmp_path_factory.mktemp("desk") / "report.json"
    codes: list[int] = []
    # In a thread of its own: the browser's loop already runs in this one.
    held = threading.Thread(target=lambda: codes.append(asyncio.run(consultation.run(plan, report))))
    held.start()
    held.join()
    assert codes == [0], report.read_text() if report.exists() else "no report"
    return plan.desk


def test_what_was_recorded_is_read_heard_seen_and_answered(
    browser: Browser, desk_after_a_visit: str, shot: Callable[[Page, str], Path]
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="fr-FR")
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    page.goto(desk_after_a_visit)
    page.get_by_role("button", name="English").click()
    page.get_by_label("User name").fill(demo.SPECIALIST)
    page.get_by_label("Password").fill(demo.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.locator(".row").first.click()
    paper = page.locator("ecg-paper")
    expect(paper).to_have_attribute("data-facts", re.compile("0.05–150 Hz, 500 Hz"))
    assert paper.evaluate("p => p.measurable")
    assert paper.evaluate("p => p.wave.leads.length") == 12
    assert paper.evaluate("p => p.wave.samples") >= 5000
    expect(page.locator(".training")).to_contain_text("HTEST")
    shot(page, "real-ecg")
    page.get_by_role("tab", name="Sounds").click()
    expect(page.locator("sound-player .time")).to_have_text(re.compile(r"/ (4\.9|5\.\d) s"))
    expect(page.locator(".points .point")).to_have_count(2)
    shot(page, "real-sound")
    page.get_by_role("tab", name="Ears").click()
    expect(page.locator("picture-viewer")).to_have_count(2)
    for viewer in page.locator("picture-viewer").all():
        viewer.evaluate("v => v.state.loaded || new Promise(done => v.addEventListener('loaded', done))")
    shot(page, "real-ears")
    page.get_by_role("tab", name="Vitals").click()
    expect(page.locator(".vital", has_text="SpO₂")).to_contain_text("%")
    expect(page.locator("canvas.pleth")).to_be_visible()
    page.get_by_role("tab", name="Thread").click()
    expect(page.locator(".pane .said-opinion")).to_contain_text("Signature verified")
    expect(page.locator(".pane .reached")).to_contain_text("Reached", timeout=20_000)
    expect(page.locator(".way-open")).to_have_count(0)
    shot(page, "real-thread")
    page.close()
    assert not troubles
