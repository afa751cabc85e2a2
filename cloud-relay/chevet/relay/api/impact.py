"""The programme's report: figures, never a patient."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from chevet.relay.accounts.users import User
from chevet.relay.api.guard import Allowed, Here
from chevet.relay.archive.impact import happened, held, recorded
from chevet.relay.archive.sites import Site
from chevet.relay.errors import RefusedError
from chevet.relay.impact.figures import Line, Report, Share, after, begins, month_of, report
from chevet.relay.impact.table import as_csv, as_pdf
from chevet.relay.relay import Relay
from chevet.study.study import HTEST

router = APIRouter(prefix="/api/report")
Json = dict[str, Any]
Overseer = Annotated[User, Depends(Allowed("coordinator", "auditor"))]
Month = Annotated[str, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
MONTHS = 12
LONGEST = 120


@router.get("")
def figures(relay: Here, _user: Overseer, first: Month | None = None, last: Month | None = None) -> Json:
    """Return the report for the months from `first` to `last`; without them the last twelve."""
    between = _between(relay, first, last)
    found = _read(relay, between)
    return {
        "first": between[0],
        "last": between[1],
        "sites": {one.code: one.name for one in _sites(relay)},
        "lines": [_line(one) for one in found.lines],
        "devices": [_share(one) for one in found.devices],
        "workers": [_share(one) for one in found.workers],
    }


@router.get("/file", response_class=Response)
def file(
    relay: Here,
    user: Overseer,
    form: Annotated[Literal["csv", "pdf"], Query()],
    first: Month | None = None,
    last: Month | None = None,
    language: Annotated[Literal["fr", "ar", "en"], Query()] = "fr",
) -> Response:
    """Return the report as CSV or PDF."""
    between = _between(relay, first, last)
    found = _read(relay, between)
    now = relay.now_ms()
    with relay.database.write() as connection:
        relay.audit.add(connection, now, user.id, "report.file", "", f"{form} {between[0]} {between[1]}")
    data = as_csv(found) if form == "csv" else as_pdf(found, relay.keys.name, between, language, now)
    media = "text/csv; charset=utf-8" if form == "csv" else "application/pdf"
    name = f"report-{between[0]}-{between[1]}.{form}"
    return Response(data, media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _between(relay: Relay, first: str | None, last: str | None) -> tuple[str, str]:
    last = last or month_of(relay.now_ms())
    year, month = int(last[:4]), int(last[5:])
    first = first or f"{year - (month < MONTHS):04d}-{month % MONTHS + 1:02d}"
    months = (year - int(first[:4])) * 12 + month - int(first[5:])
    if not 0 <= months < LONGEST:
        raise RefusedError(
            422, "invalid", "The last month is not before the first, within ten years.", "last"
        )
    return first, last


def _read(relay: Relay, between: tuple[str, str]) -> Report:
    from_ms, until_ms = begins(between[0]), begins(after(between[1]))
    simulated = relay.settings.label == HTEST
    with relay.database.read() as connection:
        cases = happened(connection, from_ms, until_ms, simulated=simulated)
        recordings = recorded(connection, from_ms, until_ms, simulated=simulated)
        talks = held(connection, from_ms, until_ms, simulated=simulated)
    return report(cases, recordings, relay.now_ms(), talks)


def _sites(relay: Relay) -> list[Site]:
    return relay.sites.list()


def _line(one: Line) -> Json:
    return {
        "month": one.month,
        "site": one.site,
        "cases": one.cases,
        "answered": one.answered,
        "late": one.late,
        "rated": one.rated,
        "helped": one.helped,
        "allocate_min": one.allocate_min,
        "answer_min": one.answer_min,
        "close_min": one.close_min,
        "recordings": one.recordings,
        "unreadable": one.unreadable,
        "specialists": one.specialists,
        "discussions": one.discussions,
    }


def _share(one: Share) -> Json:
    return {"what": one.what, "recordings": one.recordings, "unreadable": one.unreadable}
