"""A sealed programme from end to end: the box seals, the relay cannot open, the browser shows and answers."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect
from relay.conftest import CHEAP, PASSWORD, Clock, Site, ear, ecg, messages, open_session
from relay.conftest import deliver as take
from relay_desk.desk_browser import chromium  # noqa: F401 - fixture

from chevet.edge.trust import keep_programme, read_programme, vouched
from chevet.exchange.errors import Refused
from chevet.exchange.manifest import read_manifest
from chevet.exchange.receiver import Receiver
from chevet.exchange.sealing import open_manifest, open_object, open_sealed
from chevet.relay.accounts.users import User
from chevet.relay.api.app import create_app
from chevet.relay.enrolment import programme_words
from chevet.relay.keys import make_programme
from chevet.relay.relay import Relay, open_relay
from chevet.relay.settings import Settings
from chevet.study.bundle import pack
from chevet.study.case import opinion_bytes, unpack_opinion
from chevet.study.ids import uuid7
from chevet.study.recording import QualityMark
from chevet.study.study import Consent, EdgeClock, Patient, Study, Vital

pytestmark = pytest.mark.web
PHRASE = "une phrase assez longue"
QUESTION = "Seededquestion about the murmur?"


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


def study() -> Study:
    now = Clock().ms
    return Study(
        id=uuid7(now, os.urandom(10)), site="abc", worker="amina", reason="chest_pain", question=QUESTION,
        patient=Patient(uuid7(now, os.urandom(10)), "Zahra Seededname", 1971, "F", "R-77"),
        consent=Consent(("care",), now, ""), specialty="cardiology", urgency="urgent",
        closed=EdgeClock(now, "boot", 1.0),
        recordings=(ecg(), ear()),
        vitals=(Vital("spo2", 97.0, "%", "nonin-df2", now, QualityMark(1.0, True)),),
    )  # fmt: skip


def join_the_roster(doctor: Page, office: Page) -> None:
    """Make a key in the doctor's browser; the coordinator confirms what is read to them, nothing else."""
    doctor.get_by_label("Passphrase", exact=True).fill(PHRASE)
    doctor.get_by_label("Passphrase again").fill(PHRASE)
    doctor.get_by_role("button", name="Make the key").click()
    fingerprint = doctor.locator(".sealed-print").inner_text()
    office.reload()
    office.get_by_label("Fingerprint as you hear it").fill("0000 " * 6)
    office.get_by_role("button", name="Confirm").click()
    expect(office.get_by_role("alert")).to_contain_text("do not confirm")
    office.get_by_label("Fingerprint as you hear it").fill(fingerprint)
    office.get_by_role("button", name="Confirm").click()
    expect(office.get_by_text("Confirmed")).to_be_visible()


def test_a_sealed_case_goes_from_the_box_to_the_browser_and_its_opinion_back(
    browser: Browser, relay: Relay, address: str, tmp_path: Path
) -> None:
    expect.set_options(timeout=60_000)
    doctor, office = (page_of(browser, address, relay, who) for who in ("dr", "boss"))
    join_the_roster(doctor, office)
    keep_programme(tmp_path / "box.json", programme_words(relay.keys, "sealed", relay.roster))
    programme = read_programme(tmp_path / "box.json")
    box, visit = Site("abc", list(programme.recipients_for("cardiology"))), study()
    relay.sites.add(box.file())
    item = box.seal(pack(visit))
    receiver = Receiver(relay.inbox, signer=relay.keys.relay, origin_key=lambda _: box.signer.public_key())
    take(receiver, messages(item))
    assert relay.inbox.state(item.tid) == "complete"
    for key in (relay.keys.programme, *relay.keys.older):
        with pytest.raises(Refused, match="not_a_recipient"):
            open_object(read_manifest(item.manifest), 0, item.objects[0].data, key)

    doctor.reload()
    doctor.get_by_label("Passphrase", exact=True).fill(PHRASE + "!")
    doctor.get_by_role("button", name="Unlock").click()
    expect(doctor.get_by_role("alert")).to_have_text("Wrong passphrase.")
    doctor.get_by_label("Passphrase", exact=True).fill(PHRASE)
    doctor.get_by_role("button", name="Unlock").click()
    doctor.get_by_role("button", name="Open").click()
    expect(doctor.locator(".sealed-question")).to_have_text(QUESTION)
    expect(doctor.locator(".sealed-part")).to_have_count(2)
    expect(doctor.locator(".sealed-part ecg-paper")).to_be_visible()
    expect(doctor.locator(".sealed-part sound-player")).to_be_visible()
    expect(doctor.locator(".sealed-part picture-viewer")).to_be_visible()
    expect(doctor.get_by_text("Opening the recordings")).to_have_count(0)
    exact = doctor.evaluate("Array.from(document.querySelector('ecg-paper').wave.leads[0].values)")
    lead = visit.recordings[0].waveforms[0]
    assert exact == pytest.approx(lead.values[0] * lead.channels[0].gain, abs=1e-6)

    doctor.get_by_role("button", name="Left ear").click().fill("Functional murmur.")
    doctor.get_by_label("Certainty").select_option("probable")
    doctor.get_by_label("Urgency").select_option("routine")
    doctor.get_by_role("button", name="Sign, seal and send").click()
    expect(doctor.get_by_role("status")).to_have_text("Signed, sealed and sent to the site.")
    (waiting,) = relay.outbox("abc").pending()
    said = open_manifest(waiting, relay.keys.relay.public_key())
    sealed = {0: relay.outbox("abc").read(said.tid, 0, 0, 1 << 20)}
    with pytest.raises(Refused, match="not_a_recipient"):
        open_sealed(said, sealed, relay.keys.programme)
    opinion = unpack_opinion(open_sealed(said, sealed, box.sealing))
    assert (opinion.impression, opinion.certainty, opinion.case) == (
        "Functional murmur.",
        "probable",
        visit.id,
    )
    assert vouched(opinion.author, opinion.signature, opinion_bytes(opinion), programme.relay_key)
    (card,) = [doctor.locator(".said-opinion")]
    expect(card).to_contain_text("Functional murmur.")
    expect(card).to_contain_text("Signature")
    doctor.context.close()
    office.context.close()
