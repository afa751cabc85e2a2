"""The desk put straight into a state: the fake relay for cases, the real one for the programme's rooms."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect
from relay_desk.cases_for_desk import DOCTOR, earlier_visit, ident, opinion, photographs
from relay_desk.desk_browser import FRESH, SIZES
from relay_desk.fake_relay import FakeRelay
from relay_desk.real_desk import MINUTE, RealDesk, real_desk

from chevet.relay.archive.glass import break_glass
from chevet.relay.relay import Relay, unix_ms
from chevet.relay.teaching.lesson import Item, Lesson

PATIENCE_MS = 60_000
WHOLE, ARRIVING, EARS, THEIRS, ANSWERED = (ident(number * 256) for number in range(1, 6))


@contextmanager
def desk_page(browser: Browser, language: str, size: str, light: str) -> Iterator[Page]:
    """Open a page in a language, size and light; its context closes with it."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce", has_touch=size == "phone",
        color_scheme="dark" if light == "dark" else "light", service_workers="block",
    )  # fmt: skip
    context.add_init_script(FRESH % language)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    try:
        yield page
    finally:
        context.close()


@contextmanager
def furnished(folder: Path) -> Iterator[RealDesk]:
    """Serve a real relay in whose rooms something has happened."""
    with real_desk(folder) as desk:
        people = {one.user.id: one.user for one in desk.relay.users.list()}
        _discuss(desk, people)
        _teach(desk, people)
        with desk.relay.database.write() as connection:
            case = desk.studies[0].id
            break_glass(connection, case, "tahiri", "life_at_risk", unix_ms() - MINUTE, unix_ms())
        _stock(desk.relay)
        yield desk


def _discuss(desk: RealDesk, people: dict[str, Any]) -> None:
    case, relay = desk.studies[3].id, desk.relay
    relay.cases.claim(case, people["amrani"])
    asked = "Insuffisance cardiaque, ou les poumons ?"
    talk = relay.discussions.open(case, people["amrani"], unix_ms(), asked, ["benali", "tazi"])
    relay.discussions.say(
        case, talk, people["tazi"], "Pas de râles à l\u2019écoute, à droite comme à gauche."
    )
    relay.discussions.say(case, talk, people["benali"], "Alors le cœur : demander le poids chaque jour.")


def _teach(desk: RealDesk, people: dict[str, Any]) -> None:
    case, relay = desk.studies[1], desk.relay
    shown = (Item(case.recordings[0].id, "signal"),)
    words = Lesson("Irrégulier et rapide", "cardiology", "", "Quel rythme ?", "Fibrillation.", (), shown)
    relay.lessons.approve(relay.lessons.add(case.id, words, frozenset(), people["amrani"]), people["benali"])


def _stock(relay: Relay) -> None:
    relay.sites.set_stock("anfgou", ("Paracétamol 500 mg", "Amoxicilline 500 mg", "Furosémide 40 mg"))


class DeskStage:
    """One page, and both relays; every scene begins anew."""

    def __init__(self, page: Page, fake: FakeRelay, real: RealDesk, size: str) -> None:
        self.page, self.fake, self.real, self.size = page, fake, real, size
        self.visited = 0

    def clean(self) -> None:
        """Bring the fake relay to its first state; nobody is signed in anywhere."""
        self.page.goto("about:blank")
        self.page.set_viewport_size(dict(zip(("width", "height"), SIZES[self.size], strict=True)))
        self.page.context.clear_cookies()
        self.fake.reset()
        case = self.fake.cases[WHOLE]
        case["recordings"] += photographs(0x7000)
        case["consent"]["purposes"] = ["care", "teaching"]
        self.fake.earlier = [earlier_visit(20, 90), earlier_visit(21, 400)]

    def cases(self, place: str = "") -> None:
        """Open the desk as a specialist at the fake relay."""
        self.fake.user = DOCTOR
        self._go(self.fake.url, place)

    def mine(self, **words: Any) -> None:
        """Take the first case, with `words` as its own."""
        who = {"id": DOCTOR["id"], "name": DOCTOR["name"]}
        self.fake.cases[WHOLE] |= {"state": "claimed", "claimed_by": who} | words

    def answered(self) -> None:
        """Let the first case have an opinion and a note."""
        self.mine(state="answered", opinions=[opinion(1)])

    def room(self, user: str, place: str = "") -> None:
        """Open the desk as one of the real relay's people, "" as nobody."""
        if user:
            self.page.context.add_cookies(
                [{"name": "chevet_desk", "value": self.real.token(user), "url": self.real.url}]
            )
        self._go(self.real.url, place)

    def _go(self, url: str, place: str) -> None:
        self.visited += 1
        self.page.goto(f"{url}/?{self.visited}#/{place}")
        expect(self.page.locator("main:not(.waking)").first).to_be_attached()
        self.page.evaluate("document.fonts.ready")

    def sees(self, selector: str) -> None:
        """Wait until this is on the screen."""
        expect(self.page.locator(selector).first).to_be_visible()

    def press(self, selector: str, place: int = 0) -> None:
        """Press one of what a selector names."""
        self.page.locator(selector).nth(place).click()

    def until(self, holds: str) -> None:
        """Wait until an expression holds on the page, whose policy lets nobody evaluate text there."""
        look = f"const look = () => (({holds}) ? done() : requestAnimationFrame(look)); look();"
        self.page.evaluate(f"new Promise((done) => {{ {look} }})")

    def whole(self) -> None:
        """Make a phone as tall as its page: what the button above the page covers may be scrolled away."""
        if self.size == "phone" and not self.page.locator("dialog[open]").count():
            tall = self.page.evaluate("document.documentElement.scrollHeight")
            self.page.set_viewport_size({"width": SIZES["phone"][0], "height": max(tall, SIZES["phone"][1])})

    def paper(self) -> None:
        """Wait until the ECG is drawn."""
        self.sees("ecg-paper")
        self.until("document.querySelector('ecg-paper')?.scale.page")

    def pictures(self) -> None:
        """Wait until every picture is there."""
        self.sees("picture-viewer")
        self.page.evaluate(
            "Promise.all([...document.querySelectorAll('picture-viewer')].map(v => v.state.loaded"
            " || new Promise(done => v.addEventListener('loaded', done))))"
        )
