"""The rooms of the programme at the desk by name, at the real relay: its people, discussions and library."""

from playwright.sync_api import expect
from screens.desk_sights import dialog, sight
from screens.desk_stage import DeskStage


@sight
def account(stage: DeskStage) -> None:
    stage.room("amrani")
    stage.sees(".row")
    dialog(stage, "account")
    stage.sees(".sessions li")


@sight
def put_off(stage: DeskStage) -> None:
    stage.room("amrani", f"case/{stage.real.studies[1].id}/vitals")
    stage.sees(".strip")
    dialog(stage, "snooze")


@sight
def hand_over(stage: DeskStage) -> None:
    stage.room("amrani", f"case/{stage.real.studies[3].id}/vitals")
    stage.sees(".strip")
    dialog(stage, "hand-over")


@sight
def discussion(stage: DeskStage) -> None:
    stage.room("amrani", f"case/{stage.real.studies[3].id}/talk")
    expect(stage.page.locator(".talk-said li")).to_have_count(2)


@sight
def discussions(stage: DeskStage) -> None:
    stage.room("tazi", "talks")
    stage.sees(".agenda-entry")


@sight
def library(stage: DeskStage) -> None:
    stage.room("benali", "library")
    stage.sees("main a[href*=library]")


@sight
def lesson(stage: DeskStage) -> None:
    library(stage)
    stage.press("main a[href*='library/']")
    stage.paper()


@sight
def for_teaching(stage: DeskStage) -> None:
    stage.room("amrani", f"case/{stage.real.studies[0].id}/vitals")
    stage.sees(".case-tools")
    dialog(stage, "teach")


@sight
def live(stage: DeskStage) -> None:
    stage.room("amrani", f"case/{stage.real.studies[1].id}/live")
    stage.sees("#tab-live")


@sight
def allocation(stage: DeskStage) -> None:
    stage.room("tahiri", "duty")
    stage.sees(".duty-case")


@sight
def report(stage: DeskStage) -> None:
    stage.room("tahiri", "report")
    stage.sees(".figures b")


@sight
def glass_ask(stage: DeskStage) -> None:
    stage.room("tahiri", f"case/{stage.real.studies[2].id}")
    stage.sees(".glass-ask")


@sight
def glass_review(stage: DeskStage) -> None:
    stage.room("idrissi")
    stage.sees(".letter")


@sight
def accounts(stage: DeskStage) -> None:
    stage.room("ziani")
    stage.sees(".programme-row")


@sight
def account_new(stage: DeskStage) -> None:
    accounts(stage)
    stage.press(".programme-top .button-main")
    stage.sees("dialog")


@sight
def account_one(stage: DeskStage) -> None:
    accounts(stage)
    stage.press(".programme-row .button")
    stage.sees(".acts")


@sight
def specialties(stage: DeskStage) -> None:
    stage.room("tahiri", "programme/specialties")
    stage.sees(".programme-row")


@sight
def sites(stage: DeskStage) -> None:
    stage.room("ziani", "programme/sites")
    stage.sees(".programme-row")


@sight
def site_one(stage: DeskStage) -> None:
    sites(stage)
    stage.press(".programme-row > .button")
    stage.sees(".acts")


@sight
def site_new_box(stage: DeskStage) -> None:
    sites(stage)
    stage.press(".programme-top .button-main")
    stage.page.locator("#site-name").fill("Tamda")
    stage.press("dialog form .button-main")
    stage.sees(".first-command")


@sight
def stock(stage: DeskStage) -> None:
    sites(stage)
    stage.press(".programme-row button.chip")
    stage.sees("dialog textarea")
