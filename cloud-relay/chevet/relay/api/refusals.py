"""One form for every error the API answers with; never a value that somebody sent."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from chevet.relay.errors import ArchiveError, DiskFullError, RefusedError, StoreAwayError, place_of
from chevet.study.errors import BundleError

log = logging.getLogger(__name__)

_HTTP_WORDS = {
    404: ("not_found", "There is nothing here: check the address."),
    405: ("not_allowed", "This address does not take that method: see /api/openapi.json."),
    413: ("too_large", "The body is larger than is taken here: send less."),
}


def answer(status: int, code: str, message: str, field: str | None = None) -> JSONResponse:
    """Return the one error form."""
    return JSONResponse({"error": {"code": code, "message": message, "field": field}}, status)


def install(app: FastAPI) -> None:
    """Make `app` answer every failure in the one form."""
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DiskFullError, _disk_full)
    app.add_exception_handler(StoreAwayError, _store_away)
    app.add_exception_handler(ArchiveError, _archive)
    app.add_exception_handler(BundleError, _archive)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)
    return answer(error.status, error.code, str(error), error.field)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if part not in ("body", "query", "path")]
    if first["type"] == "json_invalid":
        return answer(422, "invalid", "The body is no complete JSON: send it again.")
    # pydantic's own message may quote what was sent (a literal, a date), its type never does
    kind = str(first["type"]).replace("_", " ")
    return answer(
        422, "invalid", f"A field is not as it must be ({kind}): see /api/openapi.json.", ".".join(place)
    )


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code, message = _HTTP_WORDS.get(error.status_code, ("refused", "The request was refused."))
    return answer(error.status_code, code, message)


def _disk_full(_request: Request, _error: Exception) -> JSONResponse:
    log.error("the archive's disk is full")
    return answer(507, "disk_full", "The relay's disk is full: tell the operator; nothing was saved.")


def _store_away(_request: Request, error: Exception) -> JSONResponse:
    log.error("%s", error)
    return answer(503, "store_away", "The relay cannot reach its store: try again; nothing was saved.")


def _archive(_request: Request, error: Exception) -> JSONResponse:
    log.error("archive: %s", error)
    return answer(500, "archive_damaged", "The relay cannot read its archive: tell the operator.")


def unexpected(error: Exception) -> JSONResponse:
    """Answer a fault of ours; the log gets its kind and place."""
    log.error("unexpected %s", place_of(error))
    return answer(500, "internal", "Something went wrong in the relay: try again, then tell the operator.")
