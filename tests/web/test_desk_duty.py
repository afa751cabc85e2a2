"""Coordinator, specialist and auditor at the real relay: asking, putting off, emergency access, report."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from relay_desk.desk_browser import chromium, screenshots  # noqa: F401 - fixtures
from relay_desk.real_desk import RealDesk, real_desk

from chevet.relay.erasure import withdraw
from chevet.relay.teaching.lesson import Item, Lesson

pytestmark = pytest.mark.web
expect.set_options(timeout=60_000)
SIZES = {"desk": (1280, 800), "phone": (390, 844)}


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealDesk]:
    """One relay for the module: its cases go from one person to the next."""
    with real_desk(tmp_path_factory.mktemp("real")) as running:
        yield running


@pytest.fixture
def opened(browser: Browser, relay: RealDesk) -> Iterator[Callable[..., Page]]:
    """Open the desk as one person; any error in the page fails the test."""
    troubles: list[str] = []
    contexts = []

    def open_as(user: str, path: str, language: str = "en", size: str = "desk") -> Page:
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        contexts.append(context)
        if user:
            context.add_cookies([{"name": "chevet_desk", "value": relay.token(user), "url": relay.url}])
        context.add_init_script(f"localStorage.setItem('chevet.language', '{language}')")
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{relay.url}/#/{path}")
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert not troubles


def fits(page: Page) -> bool:
    """Whether nothing stands beyond the side of the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def a_second_factor_first(page: Page, address: str) -> None:
    """Have the relay, which asks for none here, want a second factor once."""
    asks = {"code": "second_factor_needed", "message": "This needs a code.", "field": "code"}
    page.route(address, lambda route: route.fulfill(status=401, json={"error": asks}), times=1)


@pytest.mark.parametrize(("language", "size"), [("fr", "desk"), ("ar", "phone")])
def test_the_coordinators_rooms_fit_and_say_everything(
    opened: Callable[..., Page], shot: Callable[[Page, str], Path], language: str, size: str
) -> None:
    page = opened("tahiri", "duty", language, size)
    expect(page.locator(".duty-case").first).to_be_visible()
    assert fits(page)
    shot(page, f"duty-{language}-{size}")
    page.locator(".bar-more").first.click()
    expect(page.locator(".figures b").first).to_be_visible()
    assert fits(page)
    shot(page, f"report-{language}-{size}")


def test_an_account_is_made_its_owner_chooses_a_password_and_a_stock_list_reaches_the_answer(
    opened: Callable[..., Page], relay: RealDesk, shot: Callable[[Page, str], Path]
) -> None:
    office = opened("ziani", "", "fr")  # no inbox: the programme is all there is
    office.get_by_role("button", name="Nouveau compte").click()
    office.get_by_label("Identifiant").fill("chraibi")
    office.get_by_label("Nom", exact=True).fill("Dr Y. Chraïbi")
    office.get_by_label("Spécialité", exact=True).select_option("cardiology")
    office.locator("input[value=site-admin]").check()  # who sees no cases has no specialty
    expect(office.get_by_label("Spécialité", exact=True)).to_have_count(0)
    office.locator("input[value=expert]").check()
    office.locator("input[value=specialist]").check()
    office.get_by_role("button", name="Créer le compte").click()
    first = office.locator(".first-password").inner_text().strip()
    shot(office, "first-password")
    office.get_by_role("button", name="Fermer").click()
    expect(office.locator(".programme-row", has_text="chraibi")).to_contain_text(
        "première connexion attendue"
    )
    a_second_factor_first(office, "**/api/programme/people/chraibi")
    office.get_by_role("button", name="Modifier Dr Y. Chraïbi").click()
    office.get_by_label("Nom", exact=True).fill("Dr Yto Chraïbi")
    office.get_by_role("button", name="Enregistrer").click()
    office.get_by_label("Code", exact=True).fill("123456")
    office.get_by_role("button", name="Continuer").click()
    expect(office.locator("dialog")).to_have_count(0)  # it closes, as without a second factor
    expect(office.locator(".programme-row", has_text="Dr Yto Chraïbi")).to_be_visible()
    office.get_by_role("link", name="Centres et stocks").click()
    office.locator(".programme-row", has_text="tilmi").get_by_role("button", name="0 médicament").click()
    office.get_by_label("0 médicament").fill("Furosémide 40 mg\n\nParacétamol 500 mg")
    office.get_by_role("button", name="Enregistrer").click()
    expect(office.locator(".programme-row", has_text="tilmi")).to_contain_text("2 médicaments")

    theirs = opened("", f"case/{relay.studies[3].id}", "ar", "phone")
    theirs.get_by_label("اسم المستخدم").fill("chraibi")
    theirs.get_by_label("كلمة المرور").fill(first)
    theirs.get_by_role("button", name="تسجيل الدخول").click()
    theirs.get_by_label("كلمة المرور الجديدة").fill("four words that differ")
    theirs.get_by_label("مرة أخرى").fill("four words that differ")
    assert fits(theirs)
    shot(theirs, "own-password-ar-phone")
    theirs.get_by_role("button", name="متابعة").click()
    expect(theirs.locator(".strip-name").first).to_be_visible()
    found = theirs.evaluate(f"fetch('/api/cases/{relay.studies[3].id}').then(answer => answer.json())")
    assert found["stock"] == ["Furosémide 40 mg", "Paracétamol 500 mg"]


def test_a_coordinator_asks_and_the_asked_one_puts_off_and_hands_over(
    opened: Callable[..., Page], relay: RealDesk, shot: Callable[[Page, str], Path]
) -> None:
    page = opened("tahiri", "duty")
    case = page.locator(".duty-case").filter(has_text="Palpitations")
    case.locator("select").select_option("amrani")
    case.get_by_role("button", name="Ask", exact=True).click()
    expect(case.get_by_text("Dr K. Amrani was asked")).to_be_visible()
    mine = opened("amrani", "")
    row = mine.locator(".row").filter(has_text="Palpitations")
    expect(row.get_by_text("Asked of you")).to_be_visible()
    row.click()
    mine.get_by_role("button", name="Put off").click()
    mine.get_by_label("Waiting for a retake").check()
    shot(mine, "put-off")
    mine.get_by_role("button", name="Put the case off").click()
    expect(row.get_by_text("Put off to")).to_be_visible()
    mine.get_by_role("button", name="Take it up now").click()
    expect(row.get_by_text("Put off to")).to_have_count(0)
    mine.locator(".answer .button-main").click()
    mine.get_by_role("button", name="Hand over").click()
    mine.get_by_role("radio", name="Dr S. Benali").check()
    mine.get_by_role("button", name="Hand the case over").click()
    expect(row.get_by_text("Asked of Dr S. Benali")).to_be_visible()


def test_emergency_access_is_opened_with_a_reason_and_reviewed(
    opened: Callable[..., Page], relay: RealDesk, shot: Callable[[Page, str], Path]
) -> None:
    case = relay.studies[0]
    page = opened("tahiri", f"case/{case.id}")
    page.get_by_label("A life is at risk").check()
    shot(page, "glass")
    page.get_by_role("button", name="Open the case").click()
    expect(page.locator(".strip-name").first).to_have_text(case.patient.name)
    expect(page.locator(".answer-body")).to_have_count(0)
    auditor = opened("idrissi", "")
    expect(auditor.get_by_role("heading", name="A life is at risk")).to_be_visible()
    auditor.get_by_role("button", name="Reviewed").click()
    expect(auditor.get_by_text("Reviewed by idrissi")).to_be_visible()


def test_a_specialist_saves_a_case_and_takes_consent_back(
    opened: Callable[..., Page], relay: RealDesk
) -> None:
    case = relay.studies[2]
    page = opened("ouazzani", f"case/{case.id}")
    page.get_by_role("button", name="Export").click()
    page.get_by_label("FHIR R4").check()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the file").click()
    assert saved.value.suggested_filename.endswith(".zip")
    assert case.patient.name not in saved.value.suggested_filename
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Withdraw consent").click()
    page.get_by_label("care").check()
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(page.get_by_text("Nobody will be able to read")).to_be_visible()
    page.get_by_role("button", name="Yes, withdraw").click()
    expect(page.get_by_text("The case is hidden")).to_be_visible()
    expect(page.locator(".row")).to_have_count(3)


@pytest.mark.parametrize(("language", "size"), [("fr", "desk"), ("ar", "phone")])
def test_the_agenda_fits_and_says_where_invitations_appear(
    opened: Callable[..., Page], shot: Callable[[Page, str], Path], language: str, size: str
) -> None:
    page = opened("tazi", "", language, size)
    expect(page.locator(".bar-nav [aria-current=page]")).to_be_visible()
    expect(page.locator(".agenda-entry, .blank").first).to_be_visible()
    assert page.locator(".inbox").count() == 0
    assert fits(page)
    shot(page, f"agenda-{language}-{size}")


def test_three_people_discuss_one_case_and_the_conclusion_goes_into_the_answer(
    opened: Callable[..., Page], relay: RealDesk, shot: Callable[[Page, str], Path]
) -> None:
    case = relay.studies[3]
    holder = opened("amrani", f"case/{case.id}/talk")
    expect(holder.get_by_text("Take this case to open a discussion.")).to_be_visible()
    holder.get_by_role("button", name="Take this case").click()
    holder.get_by_role("button", name="Ask colleagues").click()
    holder.get_by_label("Questions").fill("Heart failure, or the lungs?")
    holder.get_by_label("Dr S. Benali").check()
    holder.get_by_label("Pr H. Tazi").check()
    holder.get_by_role("button", name="Send the invitations").click()
    expect(holder.get_by_text("invited, has not come yet")).to_have_count(2)

    guest = opened("tazi", "")  # no inbox: the agenda is all there is
    entry = guest.locator(".agenda-entry").filter(has_text="Breathlessness")
    entry.get_by_role("link", name="Open").click()
    expect(guest.locator(".strip-name").first).to_have_text(case.patient.name)
    expect(guest.locator(".answer")).to_have_count(0)
    guest.get_by_label("Your view, for everybody invited").fill("I hear no crackles.")
    expect(guest.get_by_text("Draft kept, seen by you alone")).to_be_visible()
    guest.reload()
    expect(guest.get_by_label("Your view, for everybody invited")).to_have_value("I hear no crackles.")
    held: list[Route] = []
    guest.route("**/draft", lambda route: route.continue_() if held else held.append(route))
    with guest.expect_request("**/draft"):
        guest.get_by_label("Your view, for everybody invited").press_sequentially("!")
        guest.get_by_role("button", name="Post").click()
    with guest.expect_response("**/comments"):  # not before its draft, which would stand there again
        held[0].continue_()
    expect(guest.locator(".talk-said li")).to_have_count(1)
    guest.reload()
    expect(guest.get_by_label("Your view, for everybody invited")).to_have_value("")

    colleague = opened("benali", "talks")
    colleague.get_by_role("link", name="Open").click()
    colleague.get_by_label("Your view, for everybody invited").fill("Then the heart: ask for the weight.")
    colleague.get_by_role("button", name="Post").click()
    for page in (holder, guest, colleague):  # each hears of the others without touching anything
        expect(page.locator(".talk-said li")).to_have_count(2)
    guest.get_by_role("button", name="Change").click()
    guest.locator(".talk-said textarea").fill("I hear no crackles, left or right.")
    guest.get_by_role("button", name="Keep the new version").click()
    expect(colleague.get_by_text("no crackles, left or right")).to_be_visible()
    expect(colleague.locator(".talk-said details")).to_have_count(1)
    expect(holder.get_by_text("took part", exact=True)).to_have_count(2)
    shot(holder, "talk")

    holder.get_by_text("Close the discussion…").click()
    holder.locator(".talk-close textarea").fill("Probably the heart: weigh daily.")
    holder.get_by_role("button", name="Close it").click()
    holder.get_by_role("button", name="Take over into my opinion").click()
    expect(holder.locator("#impression")).to_have_value("Probably the heart: weigh daily.")
    expect(guest.get_by_text("The case is no longer open to you")).to_be_visible()
    expect(colleague.get_by_text("Probably the heart: weigh daily.")).to_be_visible()


def test_a_lesson_is_read_its_answer_asked_for_and_gone_when_consent_is_withdrawn(
    opened: Callable[..., Page], relay: RealDesk, shot: Callable[[Page, str], Path]
) -> None:
    case, people = relay.studies[1], {one.user.id: one.user for one in relay.relay.users.list()}
    shown = (Item(case.recordings[0].id, "signal"),)
    words = Lesson("Irregular and fast", "cardiology", "", "Which rhythm?", "Atrial fibrillation.", (), shown)
    relay.relay.lessons.add(case.id, words, frozenset(), people["amrani"])
    second = opened("benali", "library")
    second.get_by_role("link", name="Irregular and fast").click()
    expect(second.get_by_text("Atrial fibrillation.")).to_be_visible()  # whoever approves sees all of it
    second.get_by_role("button", name="I checked all of it: list it").click()
    guest = opened("tazi", "library", "ar", "phone")
    guest.get_by_role("link", name="Irregular and fast").click()
    expect(guest.locator("ecg-paper")).to_be_visible()
    expect(guest.get_by_text("Atrial fibrillation.")).to_have_count(0)
    assert case.patient.name not in guest.locator("body").inner_text()
    assert fits(guest)
    shot(guest, "lesson-ar-phone")
    guest.get_by_role("button", name="إظهار الجواب").click()
    expect(guest.get_by_text("Atrial fibrillation.")).to_be_visible()
    withdraw(relay.relay, case.id, ("teaching",), "amrani")
    for page in (guest, second):
        expect(page.locator(".blank")).to_be_visible()
        expect(page.locator("ecg-paper")).to_have_count(0)
