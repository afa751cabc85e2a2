"""The programme's health centres at the desk: inviting a box, its name, medicines in stock, refusing it."""

from typing import Annotated, Any

import segno
from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select

from chevet.relay.api.guard import Here, Token
from chevet.relay.api.passkeys import ProofBody
from chevet.relay.api.programme import Admin, Name, Runs
from chevet.relay.archive.schema import cases
from chevet.relay.archive.stock import LONGEST, MOST, all_stock, listed
from chevet.relay.errors import RefusedError, SettingsError
from chevet.relay.invitation import invited
from chevet.relay.relay import Relay

router = APIRouter(prefix="/api/programme")
Json = dict[str, Any]
Phone = Annotated[str, Field(max_length=40, pattern=r"^[^\x00-\x1f]*$")]
Medicine = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=r"^[^\x00-\x1f]*$")]
Which = Annotated[str, Path(pattern=r"^[a-z0-9]{1,6}$")]
HOUR_MS = 3_600_000


class SiteBody(ProofBody):
    """What may be changed of a site."""

    name: Name
    phone: Phone = ""


class InviteBody(SiteBody):
    """A new site, or a new box of one that is known: `site` is its code then."""

    site: Annotated[str, Field(pattern=r"^[a-z0-9]{0,6}$")] = ""
    hours: Annotated[int, Field(ge=1, le=168)] = 48


class StockBody(BaseModel):
    """A site's medicines, in the order of its list; no second factor is asked for."""

    model_config = ConfigDict(extra="forbid", strict=True)
    medicines: Annotated[list[Medicine], Field(max_length=MOST)]


@router.get("/sites")
def sites(relay: Here, user: Runs) -> Json:
    """List the sites with their stock, their certificates and when each last sent a case."""
    expiry = relay.certificates.expiry()
    with relay.database.read() as connection:
        stock = all_stock(connection)
        newest = select(cases.c.site, func.max(cases.c.received_ms).label("at")).group_by(cases.c.site)
        last = {row.site: row.at for row in connection.execute(newest)}
    return {
        "sites": [
            {
                "code": one.code,
                "name": one.name,
                "phone": one.phone,
                "revoked": one.revoked,
                "certificate_until_ms": expiry.get(one.code),
                "last_case_ms": last.get(one.code),
                "stock": stock.get(one.code, []),
            }
            for one in relay.sites.list()
        ],
        "invited": [
            {"site": site, "name": name, "until_ms": until} for site, name, until in relay.invites.waiting()
        ],
        "may": user.role == "site-admin",
    }


@router.post("/sites", status_code=201)
def invite(body: InviteBody, relay: Here, user: Admin, token: Token) -> Json:
    """Make a one-time code that lets a box in; the answer holds it, this once, as text and as QR."""
    relay.sign_in.second_look(token, user, body.proof())
    name, phone = body.name.strip(), body.phone.strip()
    try:
        made = invited(relay, name, site=body.site, phone=phone, hours=body.hours, by=user.id)
    except SettingsError as error:
        if error.key != "site":  # our own files, not what was asked for
            raise
        raise RefusedError(
            409, "site_refused", "No code for this name: give another name, or a code.", "name"
        ) from None
    drawn = segno.make(made.qr, error="m")
    return {
        "site": made.site,
        "command": made.command,
        "qr": drawn.svg_data_uri(scale=4, border=2, dark="#000", light="#fff"),
        "until_ms": relay.now_ms() + body.hours * HOUR_MS,
    }


@router.put("/sites/{site_code}", status_code=204)
def change_site(site_code: Which, body: SiteBody, relay: Here, user: Admin, token: Token) -> None:
    """Put another name and telephone number in the place of a site's."""
    _known(relay, site_code)
    relay.sign_in.second_look(token, user, body.proof())
    relay.sites.rename(site_code, body.name.strip(), body.phone.strip(), by=user.id)


@router.put("/sites/{site_code}/stock")
def change_stock(site_code: Which, body: StockBody, relay: Here, user: Runs) -> Json:
    """Put a list of medicines in place of a site's; specialists choose among them at once."""
    _known(relay, site_code)
    medicines = listed(body.medicines)
    relay.sites.set_stock(site_code, medicines, by=user.id)
    return {"stock": list(medicines)}


@router.post("/sites/{site_code}/revocation", status_code=204)
def revoke(site_code: Which, body: ProofBody, relay: Here, user: Admin, token: Token) -> None:
    """Refuse everything a site sends from now on; what it sent stays."""
    _known(relay, site_code)
    relay.sign_in.second_look(token, user, body.proof())
    relay.sites.revoke(site_code, by=user.id)
    relay.write_revoked()


def _known(relay: Relay, site_code: str) -> None:
    if relay.sites.get(site_code) is None:
        raise RefusedError(404, "not_found", "There is no such site: reload the list.")
