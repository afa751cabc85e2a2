"""One case as files that other software reads, streamed as a ZIP archive."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from chevet.relay.api.guard import Here, Specialist
from chevet.relay.exports.files import folder
from chevet.relay.exports.forms import ZIP, archive
from chevet.relay.exports.subject import subject

router = APIRouter(prefix="/api/cases/{case_id}")

Form = Annotated[Literal["wfdb", "edf", "wav", "dicom", "fhir"], Query()]
Purpose = Annotated[Literal["care", "teaching", "research"], Query()]


@router.get("/export", response_class=StreamingResponse)
def export(
    case_id: str, relay: Here, user: Specialist, form: Form, purpose: Purpose = "care"
) -> StreamingResponse:
    """Return the case's recordings in one form, under a pseudonym; its consent must cover the purpose."""
    found = subject(relay, case_id, user.id, form, purpose=purpose)
    headers = {"Content-Disposition": f'attachment; filename="{folder(found)}-{form}.zip"'}
    return StreamingResponse(archive(found, form), media_type=ZIP, headers=headers)
