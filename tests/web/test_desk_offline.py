"""A claimed case read, and its answer begun, without a line; what goes when there is one again."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.staticfiles import StaticFiles
from playwright.sync_api import Browser, Page, expect
from relay_desk.cases_for_desk import ident, now_ms
from relay_desk.desk_browser import (  # noqa: F401 - fixtures
    SIZES,
    chromium,
    fresh_relay,
    running_fake,
    screenshots,
)
from relay_desk.fake_relay import DESK, FakeRelay, served

from chevet.relay.api.shell import worker_script

FIRST = ident(256)
OPINION = {
    "id": ident(5000), "version": 1, "impression": "Functional murmur.", "certainty": "probable",
    "advice": "Nothing to do.", "urgency": "routine", "transfer": False, "follow_up_date": None,
    "medicines": [], "verified": True, "voice": None,
}  # fmt: skip
PHRASE = "quatre mots bien choisis"
READY = "navigator.serviceWorker.ready.then(r => r.active.state)"
pytestmark = [pytest.mark.web, pytest.mark.timeout(120)]
PAPER_DRAWN = "p => p.measurable && p.wave.leads.length"
PARTS = """new Promise((done, failed) => {
  const asked = indexedDB.open('chevet-kept');
  asked.onerror = failed;
  asked.onsuccess = () => {
    const rows = asked.result.transaction(['parts', 'drafts', 'cases', 'lock']);
    Promise.all(['parts', 'drafts', 'cases', 'lock'].map(name => new Promise(got => {
      rows.objectStore(name).getAll().onsuccess = event => got(event.target.result);
    }))).then(found => { asked.result.close(); done(found); });
  };
})"""
LETTERS = (
    "([parts, drafts]) => [...parts, ...drafts].map(r => new TextDecoder('latin1').decode(r.data)).join('')"
)


@pytest.fixture
def page(browser: Browser, relay: FakeRelay) -> Iterator[Page]:
    """The desk as an installed app would have it: its files in the browser."""
    width, height = SIZES["desk"]
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    context.set_default_timeout(30_000)
    context.add_init_script(
        "localStorage.getItem('chevet.language') ?? localStorage.setItem('chevet.language', 'en')"
    )
    one = context.new_page()
    faults: list[str] = []
    one.on("pageerror", lambda error: faults.append(str(error)))
    one.goto(f"{relay.url}/#/case/{FIRST}/ecg")
    assert one.evaluate(READY) in ("activating", "activated")
    yield one
    context.close()
    assert not faults


def keep(page: Page) -> None:
    page.get_by_role("button", name="Take this case").click()
    page.get_by_role("button", name="Keep for reading offline").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("New passphrase").fill(PHRASE)
    dialog.get_by_label("The same once more").fill(PHRASE)
    dialog.get_by_role("button", name="Keep on this device").click()
    expect(page.get_by_text("On this device, state of")).to_be_visible()


def unlock(page: Page) -> None:
    page.get_by_label("Passphrase of this device").fill(PHRASE)
    page.get_by_role("button", name="Open", exact=True).click()


def back_on_line(page: Page) -> None:
    page.context.set_offline(False)
    page.evaluate("import('/desk/actions.js').then(desk => desk.readStatus())")


def overtaken(page: Page, relay: FakeRelay) -> None:
    """Somebody else answers while this reader writes without a line: both sets of words stay to be read."""
    page.context.set_offline(True)
    page.get_by_label("Advice").fill("Rest for a week.")
    expect(page.locator(".draft-state")).to_contain_text("encrypted on this device")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("dialog")).to_contain_text("A draft is on this device alone")
    page.get_by_role("button", name="Stay").click()
    theirs = {"id": "x", "name": "Dr S. Benali", "specialty": "cardiology"}
    case = relay.cases[FIRST]
    case["opinions"].append(OPINION | {"case": FIRST, "author": theirs, "signed_ms": now_ms()})
    back_on_line(page)
    expect(page.locator(".conflict")).to_contain_text("Meanwhile Dr S. Benali answered this case")
    expect(page.locator(".conflict")).to_contain_text("Rest for a week.")
    expect(page.get_by_text("On this device, state of")).to_have_count(0)
    assert len(case["opinions"]) == 1
    page.get_by_role("button", name="Make it a new version").click()
    expect(page.locator(".conflict")).to_have_count(0)
    expect(page.locator(".draft-state")).to_contain_text("at the relay")
    assert (case["draft"]["advice"], case["draft"]["opinions"]) == ("Rest for a week.", 1)


def test_a_kept_case_is_read_and_its_answer_begun_without_a_line(
    page: Page, relay: FakeRelay, shot: Callable[[Page, str], Any]
) -> None:
    keep(page)
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("One case is kept on this device")).to_be_visible()
    shot(page, "offline-door")
    page.get_by_label("Passphrase of this device").fill("not this one")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("9 more tries")
    unlock(page)
    expect(page.locator(".state-of")).to_contain_text("Offline, state of")
    paper = page.locator("ecg-paper")
    expect(paper).to_be_visible()
    assert paper.evaluate(PAPER_DRAWN) == 12
    page.get_by_label("Impression").fill("Written on the road.")
    expect(page.locator(".draft-state")).to_contain_text("encrypted on this device")
    expect(page.locator(".answer").get_by_role("button", name="Sign and send")).to_be_disabled()
    shot(page, "offline-case")
    found = page.evaluate(f"{PARTS}.then({LETTERS})")
    assert len(found) > 10_000
    assert not [word for word in ("Bouzid", "Written", "wave", "opinions") if word in found]
    page.get_by_role("tab", name="Sounds").click()
    expect(page.locator("sound-player .time")).not_to_have_text("")
    page.get_by_role("tab", name="Ears").click()
    for viewer in page.locator("picture-viewer").all():
        viewer.evaluate("v => v.state.loaded || new Promise(done => v.addEventListener('loaded', done))")
    back_on_line(page)
    expect(page.locator(".draft-state")).to_contain_text("at the relay")
    assert relay.cases[FIRST]["draft"]["impression"] == "Written on the road."
    assert relay.cases[FIRST]["opinions"] == []
    assert [one["case"] for one in relay.read_offline] == [FIRST]
    expect(page.locator(".state-of")).to_have_count(0)
    overtaken(page, relay)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    assert page.evaluate(PARTS) == [[], [], [], []]


HELD = f"{PARTS}.then(([parts, , cases]) => [cases, parts.map(one => one.at)])"
SLOW = """() => {
  const real = window.fetch;
  const gate = new Promise(opened => { window.letThrough = opened; });
  window.fetch = async (...asked) => {
    if (String(asked[0]).includes('/recordings/')) await gate;
    return real(...asked);
  };
}"""


def test_a_broken_line_leaves_what_was_kept_and_a_second_page_what_is_coming(
    page: Page, relay: FakeRelay
) -> None:
    keep(page)
    before = page.evaluate(HELD)
    relay.faults[f"/api/cases/{FIRST}/recordings"] = (500, "internal")
    page.get_by_role("button", name="Update", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Keep on this device").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    assert page.evaluate(HELD) == before
    relay.faults.clear()
    page.evaluate(SLOW)
    dialog.get_by_role("button", name="Keep on this device").click()
    expect(dialog.get_by_role("progressbar")).to_be_visible()
    second = page.context.new_page()
    second.goto(f"{relay.url}/#/inbox")
    expect(second.locator(".inbox")).to_be_visible()
    told = relay.contacts
    second.evaluate("import('/desk/kept-contact.js').then(kept => kept.meet())")
    assert relay.contacts == told
    page.evaluate("() => window.letThrough()")
    expect(dialog).to_have_count(0)
    (case,), parts = page.evaluate(HELD)
    assert case["kept_ms"] > before[0][0]["kept_ms"]
    assert sorted(parts) == sorted(f"{FIRST} {path}" for path in case["paths"])
    second.evaluate("import('/desk/kept-contact.js').then(kept => kept.meet())")
    assert relay.contacts > told


TINY = """import {{ b }} from "/desk/b.js";
document.title = "{n}" + b;
navigator.serviceWorker.register("/worker.js", {{ updateViaCache: "none" }});
"""
USE = """() => navigator.serviceWorker.getRegistration().then(found => new Promise(done => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = event => done(event.data);
  found.waiting.postMessage("use", [port2]);
}))"""
WAITS = "() => navigator.serviceWorker.getRegistration().then(r => Boolean(r.waiting))"
TRIED = """() => navigator.serviceWorker.getRegistration().then(async r => {
  await r.update().catch(() => undefined);
  while (r.installing) await new Promise(again => setTimeout(again, 20));
})"""


def deploy(folder: Path, n: int) -> None:
    """Put version `n` of a desk of two modules into its place."""
    (folder / "index.html").write_text('<script type="module" src="/desk/a.js"></script>')
    (folder / "a.js").write_text(TINY.format(n=n))
    (folder / "b.js").write_text(f'export const b = "{n}";\n')
    (folder / "worker").mkdir(exist_ok=True)
    shutil.copy(DESK / "worker" / "shell.js", folder / "worker")


def test_a_new_version_waits_whole_while_a_page_runs_on_the_old_one(browser: Browser, tmp_path: Path) -> None:
    desk, none = tmp_path / "desk", tmp_path / "none"
    desk.mkdir()
    none.mkdir()
    deploy(desk, 1)
    told = {"script": ""}
    app = FastAPI()

    @app.get("/worker.js")
    def worker() -> Response:
        return Response(told["script"] or worker_script(desk, none), media_type="text/javascript")

    app.mount("/desk", StaticFiles(directory=desk))
    app.mount("/", StaticFiles(directory=desk, html=True))
    with served(app) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        assert page.evaluate(READY) in ("activating", "activated")
        deploy(desk, 2)
        page.reload()
        page.evaluate(TRIED)
        assert page.evaluate(WAITS)
        page.reload()
        expect(page).to_have_title("11")
        second = context.new_page()
        second.goto(url)
        expect(second).to_have_title("11")
        assert page.evaluate(USE) == "others"
        second.close()
        assert page.evaluate(USE) == "used"
        page.reload()
        expect(page).to_have_title("22")
        deploy(desk, 3)
        told["script"] = worker_script(desk, none)
        deploy(desk, 4)  # the files change while they are fetched: that version is none
        page.reload()
        page.evaluate(TRIED)
        assert not page.evaluate(WAITS)
        page.reload()
        expect(page).to_have_title("22")
        context.close()
