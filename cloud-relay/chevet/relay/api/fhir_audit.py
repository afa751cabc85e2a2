"""`GET /fhir/AuditEvent`: the audit for auditors, as other software reads it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from chevet.relay.api.fhir import MOST, FhirRoute, answer
from chevet.relay.api.guard import Here
from chevet.relay.api.protection import Auditor
from chevet.relay.archive.audit import records
from chevet.relay.errors import RefusedError
from chevet.relay.exports.fhir_audit import audit_event
from chevet.study.study import HTEST

router = APIRouter(prefix="/fhir", route_class=FhirRoute)
KNOWN = frozenset({"encounter", "agent", "_count", "_from", "_format"})
Ident = Annotated[str, Query(max_length=80, pattern=r"^(Encounter/)?[A-Za-z0-9\-]*$")]


@router.get("/AuditEvent", response_class=Response)
def audit_events(
    relay: Here,
    user: Auditor,
    request: Request,
    encounter: Ident = "",
    agent: Annotated[str, Query(max_length=80, pattern=r"^[^\x00]*$")] = "",
    count: Annotated[int, Query(alias="_count", ge=1, le=MOST)] = 50,
    begin: Annotated[int | None, Query(alias="_from", ge=1, le=1 << 62)] = None,
) -> Response:
    """Return records of the audit: the newest, or those from a number on; of one case or one person."""
    if not set(request.query_params) <= KNOWN:
        raise RefusedError(422, "invalid", "Search by encounter, agent, _from and _count.")
    case = encounter.rpartition("/")[2]
    with relay.database.write() as connection:
        found = records(connection, subject=case, who=agent, from_seq=begin, most=count)
        relay.audit.add(connection, relay.now_ms(), user.id, "audit.read", case, f"{len(found)} records")
    links = [{"relation": "self", "url": str(request.url)}]
    if begin is not None and len(found) == count:
        following = request.url.include_query_params(_from=found[-1].seq + 1)
        links.append({"relation": "next", "url": str(following)})
    simulated = relay.settings.label == HTEST
    events = [audit_event(one, relay.keys.name, simulated=simulated) for one in found]
    base = f"{str(request.base_url).rstrip('/')}/fhir/AuditEvent"
    entries = [
        {"fullUrl": f"{base}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in events
    ]
    bundle = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return answer(bundle | ({"entry": entries} if entries else {}))
