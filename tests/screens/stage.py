"""A kiosk put straight into a state: the box is set, the page opened at an address, no walk in between."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kiosk.fake_edge import GOOD, FakeEdge, recording
from kiosk.fake_routes import KINDS, new_visit, put_vital
from kiosk.kiosk_browser import FIRST_CHOICES, PATIENCE_MS, PATIENTS, SIZES
from kiosk.worker_hand import Hand
from playwright.sync_api import Browser, Page, expect

PATIENT_YEAR = 1972
DAY_MS = 86_400_000
STILL_SPEED = 0.01
"""A recording that is looked at must not end meanwhile."""


def people(language: str) -> list[dict[str, Any]]:
    """Return the patients of the box, the first with a name in the language's own script."""
    first = {
        "id": "p1",
        "name": PATIENTS[language],
        "birth_year": PATIENT_YEAR,
        "sex": "F",
        "local_number": "A-1042",
    }
    other = {
        "id": "p2",
        "name": "Brahim Ait Lahcen",
        "birth_year": 1958,
        "sex": "M",
        "local_number": "A-0077",
    }
    return [first, other]


@contextmanager
def opened(browser: Browser, language: str, size: str, light: str) -> Iterator[Page]:
    """Open a page in a language, size and light; its context closes with it."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce", has_touch=True,
        color_scheme="dark" if light == "dark" else "light",
    )  # fmt: skip
    context.add_init_script(FIRST_CHOICES.replace("LANGUAGE", language))
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    try:
        yield page
    finally:
        context.close()


class Stage:
    """One page and its box; every scene begins from a clean box."""

    def __init__(self, page: Page, edge: FakeEdge, language: str, size: str) -> None:
        self.page, self.edge, self.language = page, edge, language
        self.hand = Hand(page, edge, language, size)
        self.visited = 0

    def clean(self) -> None:
        """Bring the box to its first state; nobody is signed in."""
        self.page.goto("about:blank")  # its live line closes before the box changes
        fresh = FakeEdge(speed=12)
        kept = {"loop", "server", "thread", "url", "keep_files", "sockets", "started", "tokens"}
        self.edge.__dict__.update({key: one for key, one in fresh.__dict__.items() if key not in kept})
        self.edge.end_sessions()
        self.edge.patients = people(self.language)

    def sign_in(self) -> None:
        """Give the page a session, without the keypad."""
        answer = self.page.request.post(
            f"{self.edge.url}/api/session",
            data={"worker": "w1", "pin": self.edge.pin},
            headers={"X-Chevet": "1"},
            max_retries=3,  # a connection kept open may have been closed by the box meanwhile
        )
        assert answer.ok

    def at(self, place: str = "", *, signed_in: bool = True) -> None:
        """Open the page anew at an address such as "visit/ecg"."""
        if signed_in:
            self.sign_in()
        self.visited += 1
        self.page.goto(f"{self.edge.url}/?{self.visited}#/{place}")
        expect(self.page.locator("main.page:not(.waiting)")).to_be_visible()
        expect(self.page.get_by_text(self.hand.text("alert.line"))).to_have_count(0)  # the live line is open
        self.page.evaluate("document.fonts.ready")

    def visit(self, place: str, **words: Any) -> dict[str, Any]:
        """Open a screen of a visit that has `words`."""
        self.draft(**words)
        self.at(f"visit/{place}")
        return self.open_visit

    @property
    def open_visit(self) -> dict[str, Any]:
        visit = self.edge.visit
        assert visit is not None
        return visit

    def draft(self, **words: Any) -> dict[str, Any]:
        """Put an open visit on the box."""
        visit = new_visit(self.edge, self.edge.patients[0])
        visit |= {
            "reason": "breathlessness", "specialty": "cardiology", "red_flags": [], "language": self.language,
            "consent": {"purposes": ["care"], "witness": "", "given_ms": visit["created_ms"]},
        }  # fmt: skip
        self.edge.visit = visit | words
        return self.open_visit

    def taken(self, step: str, *places: str, poor: bool = False) -> None:
        """Add kept recordings to the visit, at sites or sides."""
        for place in places or ("",):
            capture = self.capture(step, place)
            one = recording(self.edge.new_id(), capture, KINDS[step], GOOD)
            self.open_visit["recordings"].append(one | {"accepted_poor": poor})

    def capture(self, step: str, place: str = "") -> dict[str, Any]:
        """Return a capture as the box begins it."""
        side = place if place in ("left", "right") else ""
        one = {
            "id": self.edge.new_id(), "visit": self.open_visit["id"], "step": step,
            "site": "" if side else place, "side": side, "device": f"{KINDS[step]}-1",
            "state": "recording", "problem": "", "elapsed_s": 4.0, "seconds": 10,
            "recording": None, "began": time.monotonic(),
        }  # fmt: skip
        self.edge.captures[one["id"]] = one
        return one

    def running(self, step: str, place: str = "") -> None:
        """Leave a recording in its middle."""
        self.edge.speed = STILL_SPEED
        self.open_visit["capture"] = self.capture(step, place)

    def ended(self, step: str, place: str = "", *reasons: str, tries: int = 0) -> None:
        """Leave a recording at its end, to be kept or taken again."""
        if reasons:
            self.edge.judge(KINDS[step], *reasons)
        capture = self.capture(step, place)
        capture["elapsed_s"] = 10.0
        self.edge.finish(capture)
        self.open_visit["capture"] = capture
        self.open_visit["tries"] = {f"{step}:{capture['site']}:{capture['side']}": tries}

    def vitals(self) -> None:
        """Type the usual numbers."""
        for kind, value, unit in (
            ("systolic", 148, "mm[Hg]"), ("diastolic", 92, "mm[Hg]"), ("temperature", 37.2, "Cel"),
            ("weight", 63.5, "kg"), ("spo2", 97, "%"), ("pulse_rate", 72, "/min"),
        ):  # fmt: skip
            put_vital(self.open_visit, {"kind": kind, "value": value, "unit": unit}, "manual", "")

    def case(self, number: int = 1, **words: Any) -> str:
        """Put a sent case on the box; return its id."""
        whole = {
            "patient": self.edge.patients[0], "urgency": "urgent", "specialty": "cardiology",
            "reason": "cough",
            "recordings": [], "vitals": [], "question": "Souffle ?", "language": self.language,
        }  # fmt: skip
        case = self.edge.far.add(f"c{number}", whole | words)
        return str(case["id"])

    def sees(self, selector: str) -> None:
        """Wait until this is on the screen."""
        expect(self.page.locator(selector).first).to_be_visible()
