"""Health, without a session: coded words only."""

from typing import Any

from fastapi import APIRouter, Response

from chevet.relay.api.guard import Here
from chevet.relay.health import health_of

router = APIRouter()


@router.get("/health")
def health(relay: Here, response: Response) -> dict[str, Any]:
    """Tell whether this process can serve: 200, or 503 with what is wrong."""
    found = health_of(relay)
    response.status_code = 200 if found.good else 503
    return {
        "ok": found.good,
        "archive": found.archive,
        "disk": found.disk,
        "objects": found.objects,
        "broker": found.broker,
    }
