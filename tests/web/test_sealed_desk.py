"""A sealed programme from end to end: the box seals, the relay cannot open, the browser shows and answers."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect
from relay.conftest import CHEAP, PASSWORD, Clock, messages, open_session
from relay.conftest import deliver as take
from relay_desk.desk_browser import chromium  # noqa: F401 - fixture
from relay_desk.sealed_box import (
    QUESTION,
    box_of,
    previews_of,
    receiver_of,
    sent_down,
    study,
    the_box_alone_opens_the_opinion,
    the_relay_takes_what_it_cannot_open,
)

from chevet.edge.trust import vouched
from chevet.relay.accounts.users import User
from chevet.relay.api.app import create_app
from chevet.relay.keys import make_programme
from chevet.relay.relay import Relay, open_relay
from chevet.relay.settings import Settings
from chevet.study.bundle import pack
from chevet.study.case import message_bytes, opinion_bytes
from chevet.study.study import Study

pytestmark = pytest.mark.web
PHRASE = "une phrase assez longue"


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    make_programme(tmp_path, "Programme Test")
    settings = Settings(keys=tmp_path / "keys", archive=tmp_path / "archive", sealing="sealed")
    found = open_relay(settings, now_ms=Clock(), cost=CHEAP)
    for ident, role, specialty in (("dr", "specialist", "cardiology"), ("boss", "coordinator", "")):
        found.users.add(User(ident, f"Dr {ident}", role, specialty, ("en",), b""), PASSWORD)
    yield found
    found.close()


@pytest.fixture
def address(relay: Relay) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(relay), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://localhost:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(30)
    listener.close()


def page_of(browser: Browser, address: str, relay: Relay, ident: str) -> Page:
    """Open the page of sealed cases, signed in."""
    user = next(one.user for one in relay.users.list() if one.user.id == ident)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    context.add_cookies([{"name": "chevet_desk", "value": open_session(relay, user), "url": address}])
    context.add_init_script("localStorage.setItem('chevet.language', 'en')")
    page = context.new_page()
    page.goto(f"{address}/sealed.html")
    return page


def make_key(page: Page) -> None:
    page.get_by_label("Passphrase", exact=True).fill(PHRASE)
    page.get_by_label("Passphrase again").fill(PHRASE)
    page.get_by_role("button", name="Make the key").click()


def join_the_roster(doctor: Page, office: Page) -> None:
    """Make a key in the doctor's browser; the coordinator confirms what is read to them, nothing else."""
    make_key(doctor)
    fingerprint = doctor.locator(".sealed-print").inner_text()
    office.reload()
    office.get_by_label("Fingerprint as you hear it").fill("0000 " * 6)
    office.get_by_role("button", name="Confirm").click()
    expect(office.get_by_role("alert")).to_contain_text("do not confirm")
    office.get_by_label("Fingerprint as you hear it").fill(fingerprint)
    office.get_by_role("button", name="Confirm").click()
    expect(office.get_by_text("Confirmed")).to_be_visible()


def open_the_case(doctor: Page) -> None:
    """Unlock the doctor's key, with one slip, and see every part of the case."""
    doctor.reload()
    doctor.get_by_label("Passphrase", exact=True).fill(PHRASE + "!")
    doctor.get_by_role("button", name="Unlock").click()
    expect(doctor.get_by_role("alert")).to_have_text("Wrong passphrase.")
    doctor.get_by_label("Passphrase", exact=True).fill(PHRASE)
    doctor.get_by_role("button", name="Unlock").click()
    doctor.get_by_role("button", name="Open").click()
    expect(doctor.locator(".sealed-question")).to_have_text(QUESTION)
    expect(doctor.locator(".sealed-part")).to_have_count(3)
    expect(doctor.locator(".sealed-part ecg-paper")).to_be_visible()
    expect(doctor.locator(".sealed-part sound-player")).to_be_visible()
    expect(doctor.locator(".sealed-part picture-viewer")).to_be_visible()
    expect(doctor.get_by_text("Opening the recordings")).to_have_count(0)


def answer(doctor: Page) -> None:
    """Write an opinion with a medicine of the site's stock, and send it."""
    doctor.get_by_label("Impression").fill("Functional murmur.")
    doctor.get_by_label("Add a medicine").select_option("Paracétamol 500 mg")
    doctor.get_by_label("How Paracétamol 500 mg is taken").fill("one in the evening")
    doctor.get_by_label("Certainty").select_option("probable")
    doctor.get_by_label("Urgency").select_option("routine")
    doctor.get_by_role("button", name="Sign, seal and send").click()
    expect(doctor.get_by_role("status").filter(has_text="Signed")).to_have_text(
        "Signed, sealed and sent to the site."
    )


def the_browser_has_every_sample(doctor: Page, visit: Study) -> None:
    exact = doctor.evaluate("Array.from(document.querySelector('ecg-paper').wave.leads[0].values)")
    lead = visit.recordings[0].waveforms[0]
    assert exact == pytest.approx(lead.values[0] * lead.channels[0].gain, abs=1e-6)


def the_opinion_is_shown_as_signed(doctor: Page) -> None:
    (card,) = [doctor.locator(".said-opinion")]
    expect(card).to_contain_text("Functional murmur.")
    expect(card).to_contain_text("Signature")
    pictures(doctor)


def ask_for_the_right_ear_again(doctor: Page) -> None:
    doctor.get_by_role("button", name="Ear", exact=True).click()
    doctor.locator(".ear-button").first.click()
    doctor.get_by_role("button", name="Ask for it").click()
    expect(doctor.locator(".said-retake")).to_contain_text("Right ear")


def test_a_sealed_case_goes_from_the_box_to_the_browser_and_its_opinion_back(
    browser: Browser, relay: Relay, address: str, tmp_path: Path
) -> None:
    expect.set_options(timeout=60_000)
    doctor, office = (page_of(browser, address, relay, who) for who in ("dr", "boss"))
    join_the_roster(doctor, office)
    (box, programme), visit = box_of(relay, tmp_path), study()
    relay.sites.set_stock("abc", ("Paracétamol 500 mg",))
    the_relay_takes_what_it_cannot_open(relay, box, visit)
    open_the_case(doctor)
    the_browser_has_every_sample(doctor, visit)

    answer(doctor)
    opinion = the_box_alone_opens_the_opinion(relay, box)
    assert (opinion.impression, opinion.certainty, opinion.case) == (
        "Functional murmur.",
        "probable",
        visit.id,
    )
    assert [(one.name, one.how) for one in opinion.medicines] == [
        ("Paracétamol 500 mg", "one in the evening")
    ]
    assert vouched(opinion.author, opinion.signature, opinion_bytes(opinion), programme.relay_key)
    the_opinion_is_shown_as_signed(doctor)

    ask_for_the_right_ear_again(doctor)
    asked = sent_down(relay, box)[-1]
    assert (asked.kind, asked.step, asked.side, asked.case) == ("retake", "otoscopy", "right", visit.id)
    assert vouched(asked.author, asked.signature, message_bytes(asked), programme.relay_key)
    doctor.context.close()
    office.context.close()


def pictures(page: Page, what: str = "") -> None:
    """Leave pictures of the page in the folder that CHEVET_SHOTS names, if any."""
    if folder := os.environ.get("CHEVET_SHOTS"):
        for name, width in (("desk", 1280), ("phone", 390)):
            page.set_viewport_size({"width": width, "height": 900})
            height = page.evaluate("document.querySelector('.sealed-page').scrollHeight")
            page.set_viewport_size({"width": width, "height": height + 40})
            page.screenshot(
                path=f"{folder}/sealed{what}-{page.evaluate('document.documentElement.lang')}-{name}.png"
            )
        page.set_viewport_size({"width": 1280, "height": 900})


def both_make_a_key(doctor: Page, late: Page) -> dict[str, str]:
    """Return what each would read to the coordinator."""
    prints = {}
    for page, who in ((doctor, "dr"), (late, "late")):
        make_key(page)
        prints[who] = page.locator(".sealed-print").inner_text()
    return prints


def unlock(page: Page) -> None:
    page.reload()
    page.get_by_label("Passphrase", exact=True).fill(PHRASE)
    page.get_by_role("button", name="Unlock").click()


def the_colleague_lets_them_in(doctor: Page, heard: str) -> None:
    expect(doctor.locator(".sealed-print")).to_have_text(heard)
    doctor.get_by_label("I heard this fingerprint").check()
    pictures(doctor)
    doctor.get_by_role("button", name="Let them open one case").click()
    expect(doctor.locator(".sealed-print")).to_have_count(0)


def the_preview_is_called_one(late: Page) -> None:
    ecg_part = late.locator(".sealed-part").first
    expect(ecg_part.get_by_text("Preview, not for measurement")).to_be_visible()
    expect(ecg_part.locator("ecg-paper")).to_be_visible()
    assert ecg_part.locator("ecg-paper").evaluate("(paper) => paper.wave.layer") == "preview"
    pictures(late, "-preview")


def the_rest_takes_the_previews_place(late: Page) -> None:
    ecg_part = late.locator(".sealed-part").first
    expect(ecg_part.get_by_text("Preview, not for measurement")).to_have_count(0)
    expect(late.get_by_text("Not here yet")).to_have_count(0)
    assert ecg_part.locator("ecg-paper").evaluate("(paper) => paper.wave.layer") == "lossless"


def test_a_specialist_confirmed_later_is_let_in_by_a_colleague(
    browser: Browser, relay: Relay, address: str, tmp_path: Path
) -> None:
    """The colleague's browser wraps the case's key; the relay only carries it. Previews alone came so far."""
    expect.set_options(timeout=60_000)
    relay.users.add(User("late", "Dr late", "specialist", "cardiology", ("en",), b""), PASSWORD)
    doctor, late = page_of(browser, address, relay, "dr"), page_of(browser, address, relay, "late")
    prints = both_make_a_key(doctor, late)
    relay.roster.confirm("dr", prints["dr"], "boss")
    box, _ = box_of(relay, tmp_path)
    receiver, item = receiver_of(relay, box), box.seal(pack(study()))
    take(receiver, previews_of(item))
    relay.roster.confirm("late", prints["late"], "boss")

    unlock(late)
    unlock(doctor)
    expect(late.get_by_text("Sealed to other specialists")).to_be_visible()
    the_colleague_lets_them_in(doctor, prints["late"])
    unlock(late)
    late.get_by_role("button", name="Open").click()
    expect(late.locator(".sealed-question")).to_have_text(QUESTION)
    assert late.get_by_text("Sealed to other specialists").count() == 0
    the_preview_is_called_one(late)
    late.get_by_label("Impression").fill("Half written")
    take(receiver, messages(item))
    the_rest_takes_the_previews_place(late)
    expect(late.get_by_label("Impression")).to_have_value("Half written")
    for page in (doctor, late):
        page.context.close()
