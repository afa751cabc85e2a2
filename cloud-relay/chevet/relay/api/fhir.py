"""A read-only FHIR R4 facade over the cases: `GET /fhir/...`.

Resources are made from the archive when they are read, under the pseudonym; searches stay within one case,
because what the archive knows of patients is sealed.
"""

import base64
import json
import re
from collections.abc import Callable, Coroutine
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from chevet.relay.accounts.users import User
from chevet.relay.api.guard import Allowed, Here, Specialist
from chevet.relay.api.wall import STATEMENT
from chevet.relay.errors import RefusedError
from chevet.relay.exports.fhir_base import Json, instant
from chevet.relay.exports.fhir_bundle import FHIR_JSON, KINDS, resources
from chevet.relay.exports.fhir_case import visit
from chevet.relay.exports.subject import Subject, subject
from chevet.relay.relay import Relay

HEADERS = {"cache-control": "no-store", "x-chevet-statement": STATEMENT}
NO_CASE = "Say which case: encounter=ID, patient=ID or _id=ID. Searches over all cases are not offered."
HOUSE_ERRORS = (401, 403)
MOST = 200
SCOPED_ID = re.compile(r"[A-Za-z0-9\-]{1,64}(\.[A-Za-z0-9\-.]{1,64})?")
ISSUES = {404: "not-found", 422: "invalid"}


class FhirRoute(APIRoute):
    """Answers refusals as FHIR clients read them, but for those of the door."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with refusals told as OperationOutcome."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except RefusedError as error:
                if error.status in HOUSE_ERRORS:
                    raise
                return outcome(error.status, ISSUES.get(error.status, "processing"), str(error))
            except RequestValidationError:
                return outcome(422, "invalid", "A search parameter is not as it must be: see /fhir/metadata.")

        return told


router = APIRouter(prefix="/fhir", route_class=FhirRoute)
Ident = Annotated[str, Query(max_length=128, pattern=r"^[A-Za-z]*/?[A-Za-z0-9\-.]+$")]
Token = Annotated[str, Query(max_length=200)]


Reader = Annotated[User, Depends(Allowed("specialist", "auditor"))]
AUDIT: Json = {
    "type": "AuditEvent",
    "documentation": "For auditors alone. Besides: _from, the number of the first record that is wanted.",
    "interaction": [{"code": "search-type"}],
    "searchParam": [{"name": "encounter", "type": "reference"}, {"name": "agent", "type": "token"}],
}


@router.get("/metadata", response_class=Response)
def metadata(relay: Here, _user: Reader, request: Request) -> Response:
    """Tell what this server can do (CapabilityStatement)."""
    return answer(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": instant(relay.now_ms()),
            "kind": "instance",
            "implementation": {"description": STATEMENT, "url": _base(request)},
            "fhirVersion": "4.0.1",
            "format": [FHIR_JSON],
            "rest": [{"mode": "server", "resource": [*(_told(kind) for kind in KINDS), AUDIT]}],
        }
    )


@router.get("/{kind}", response_class=Response)
def search(
    kind: str,
    relay: Here,
    user: Specialist,
    request: Request,
    ident: Annotated[Ident, Query(alias="_id")] = "",
    encounter: Ident = "",
    patient: Ident = "",
    code: Token = "",
    category: Token = "",
    status: Token = "",
    count: Annotated[int, Query(alias="_count", ge=0, le=MOST)] = 50,
    offset: Annotated[int, Query(alias="_offset", ge=0)] = 0,
) -> Response:
    """Return the resources of one case that fit, a page at a time; Encounter also without a case."""
    _known(kind)
    _only(
        request, {"_id", "encounter", "patient", "code", "category", "status", "_count", "_offset", "_format"}
    )
    place = (ident or encounter or patient).rpartition("/")[2]
    if not place and kind != "Encounter":
        raise RefusedError(422, "invalid", NO_CASE)
    found = _of_case(relay, user, place, kind) if place else _encounters(relay, user)
    wanted = [one for one in found if _fits(one, ident, code, category, status)]
    page = list(islice(wanted, offset, offset + count))
    return answer(_searchset(request, page, len(wanted), offset, count))


@router.get("/{kind}/{ident}", response_class=Response)
def read(kind: str, ident: str, relay: Here, user: Specialist, request: Request) -> Response:
    """Return one resource; a Binary as its own bytes unless FHIR is asked for."""
    _known(kind)
    for one in _of_case(relay, user, ident, kind):
        if one["id"] == ident:
            if kind == "Binary" and "fhir" not in request.headers.get("accept", ""):
                return _bytes(one)
            return answer(one)
    raise RefusedError(404, "not_found", "There is no such resource: search by its encounter.")


def answer(body: Json, status: int = 200) -> Response:
    """Return a resource as FHIR JSON that nobody keeps a copy of."""
    return Response(json.dumps(body, ensure_ascii=False), status, HEADERS, FHIR_JSON)


def outcome(status: int, code: str, sentence: str) -> Response:
    """Return an OperationOutcome."""
    issue = {"severity": "error", "code": code, "diagnostics": sentence}
    return answer({"resourceType": "OperationOutcome", "issue": [issue]}, status)


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise RefusedError(404, "not_found", "This server has no such resource: see /fhir/metadata.")


def _only(request: Request, known: set[str]) -> None:
    """Refuse a parameter that would silently be ignored: its sender would take the answer for filtered."""
    if not set(request.query_params) <= known:
        raise RefusedError(
            422, "invalid", "This server does not know a search parameter: see /fhir/metadata."
        )


def _of_case(relay: Relay, user: User, ident: str, kind: str) -> list[Json]:
    if not SCOPED_ID.fullmatch(ident):
        raise RefusedError(404, "not_found", "There is no such resource: search by its encounter.")
    about = subject(relay, ident.partition(".")[0], user.id, f"fhir {kind}")
    return list(resources(about, kind))


def _encounters(relay: Relay, user: User) -> list[Json]:
    """Return the Encounter of every case in the inbox."""
    cases = relay.cases.inbox(user)
    return [next(visit(Subject(relay, case, (), "pseudonym"))) for case in cases]


def _fits(one: Json, ident: str, code: str, category: str, status: str) -> bool:
    return (
        (not ident or one["id"] == ident)
        and (not status or one.get("status") in status.split(","))
        and _coded(one.get("code"), code)
        and _coded(one.get("category"), category)
    )


def _coded(concepts: Any, token: str) -> bool:
    """Return whether any coding fits a token, `system|code` or `code`."""
    if not token:
        return True
    listed = concepts if isinstance(concepts, list) else [concepts or {}]
    system, _, value = token.rpartition("|")
    codings = [coding for item in listed for coding in item.get("coding", [])]
    return any(item.get("code") == value and (not system or item.get("system") == system) for item in codings)


def _searchset(request: Request, page: list[Json], total: int, offset: int, count: int) -> Json:
    links = [{"relation": "self", "url": str(request.url)}]
    if count and offset + count < total:
        following = request.url.include_query_params(_offset=offset + count)
        links.append({"relation": "next", "url": str(following)})
    base = _base(request)
    entries = [
        {"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one, "search": {"mode": "match"}}
        for one in page
    ]
    bundle: Json = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
    return bundle | ({"entry": entries} if entries else {})


def _base(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}/fhir"


def _told(kind: str) -> Json:
    names = ["_id", "encounter", "patient", "code", "category", "status"]
    return {
        "type": kind,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [
            {"name": name, "type": "token"} for name in names if name not in ("encounter", "patient")
        ]
        + [{"name": name, "type": "reference"} for name in ("encounter", "patient")],
    }


def _bytes(one: Json) -> Response:
    """Return a Binary's bytes, to be saved and not shown: a browser must not run what a site sent."""
    headers = HEADERS | {"content-disposition": "attachment", "content-security-policy": "sandbox"}
    return Response(base64.b64decode(one["data"]), 200, headers, one["contentType"])
