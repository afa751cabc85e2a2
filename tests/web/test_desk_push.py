"""Alerts in the browser, the whole way: switched on at the desk, sent by the relay, shown by the worker."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from relay.push_here import BrowserEnd, Service, push_service
from relay_desk.desk_browser import chromium, screenshots  # noqa: F401 - fixtures
from relay_desk.real_desk import RealDesk, real_desk
from waiting import until_true

from chevet.relay.duty.watch import make_round, ways_of

pytestmark = pytest.mark.web
expect.set_options(timeout=60_000)

# Chromium without a screen has no push service to subscribe at: the keys and the address are the test's own.
OWN_SERVICE = """(() => {
  const given = %s;
  let mine = null;
  PushManager.prototype.getSubscription = async () => mine;
  PushManager.prototype.subscribe = async (options) => {
    mine = {
      endpoint: given.endpoint, options, toJSON: () => given, unsubscribe: async () => !(mine = null),
    };
    return mine;
  };
})();"""
SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
  .map(one => [one.title, one.body, one.lang, one.requireInteraction])"""
TOUCH = """async () => {
  const [notice] = await self.registration.getNotifications();
  self.dispatchEvent(new NotificationEvent('notificationclick', { notification: notice }));
}"""


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with push_service() as running:
        yield running


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[RealDesk]:
    settled = {"push_contact": "mailto:ops@programme.example", "push_hosts": ("127.0.0.1",)}
    with real_desk(tmp_path_factory.mktemp("real"), **settled) as running:
        yield running


def opened(
    browser: Browser, relay: RealDesk, language: str, width: int = 1280
) -> tuple[BrowserContext, Page]:
    context = browser.new_context(viewport={"width": width, "height": 844}, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    context.add_cookies([{"name": "chevet_desk", "value": relay.token("amrani"), "url": relay.url}])
    context.add_init_script(f"localStorage.setItem('chevet.language', '{language}')")
    page = context.new_page()
    return context, page


class Worker:
    """The browser's side of a push: hands the worker what the service took, opened."""

    def __init__(self, page: Page, url: str) -> None:
        self.line, self.url, self.ident = page.context.new_cdp_session(page), url, ""
        self.line.on("ServiceWorker.workerRegistrationUpdated", self._known)
        self.line.send("ServiceWorker.enable")

    def _known(self, said: dict) -> None:
        self.ident = said["registrations"][0]["registrationId"]

    def push(self, words: bytes) -> None:
        said = {"origin": self.url, "registrationId": self.ident, "data": words.decode()}
        self.line.send("ServiceWorker.deliverPushMessage", said)


def test_a_doctor_is_alerted_with_the_desk_closed_and_comes_to_the_inbox(
    browser: Browser, relay: RealDesk, service: Service, shot: Callable[[Page, str], Path]
) -> None:
    end = BrowserEnd()
    context, page = opened(browser, relay, "en")
    context.grant_permissions(["notifications"], origin=relay.url)
    context.add_init_script(OWN_SERVICE % json.dumps(end.subscription(f"{service.origin}/one")))
    page.goto(f"{relay.url}/#/case/{relay.studies[0].id}")
    page.evaluate("navigator.serviceWorker.ready")
    worker = Worker(page, relay.url)
    page.get_by_role("button", name="K. Amrani").click()
    page.get_by_role("button", name="Alert me in this browser").click()
    mine = page.locator(".alerts-here li")
    expect(mine).to_contain_text("This browser")
    shot(page, "alerts-on")
    mine.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Sent: the notice appears in a moment.")).to_be_visible()
    trial = end.open(service.taken[0][2])
    worker.push(trial)
    until_true(lambda: len(page.evaluate(SHOWN)) == 1)
    assert page.evaluate(SHOWN)[0][:2] == ["Chevet", json.loads(trial)["body"]]

    assert make_round(relay.relay, ways_of(relay.relay.settings)) > 0
    alert = end.open(service.taken[-1][2])
    worker.push(alert)
    until_true(lambda: [shown[0] for shown in page.evaluate(SHOWN)] not in ([], ["Chevet"]))
    ((title, body, language, _),) = page.evaluate(SHOWN)
    assert (title, language) == (json.loads(alert)["title"], "fr"), "one notice stands, the newest"
    for secret in (relay.studies[0].id, relay.studies[0].patient.name, "chest", "cardiology", "nfgou"):
        assert secret not in title + body
    context.service_workers[0].evaluate(TOUCH)
    page.wait_for_function("location.hash === '#/'")
    worker.push(b"this is none of ours")
    until_true(lambda: [shown[0] for shown in page.evaluate(SHOWN)] == ["Chevet"])

    mine.get_by_role("button", name="No more there").click()
    expect(page.get_by_role("button", name="Alert me in this browser")).to_be_visible()
    assert make_round(relay.relay, ways_of(relay.relay.settings)) == 0
    context.close()


def test_a_browser_that_blocks_notices_says_what_to_do(
    browser: Browser, relay: RealDesk, shot: Callable[[Page, str], Path]
) -> None:
    context, page = opened(browser, relay, "ar", width=390)
    context.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'denied' })")
    page.goto(relay.url)
    page.locator(".bar-user").click(timeout=30_000)
    section = page.locator(".alerts-here")
    expect(section.locator("p")).to_have_count(2)
    expect(section.get_by_role("button")).to_have_count(0)
    section.scroll_into_view_if_needed()
    shot(page, "alerts-denied-ar")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
