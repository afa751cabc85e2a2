"""A visit that goes on where an earlier case left off: a retake the specialist asked for, or a follow-up."""

from chevet.edge.cases import Cases
from chevet.edge.errors import Refusal
from chevet.edge.visits import Continued, Visits, VisitWords
from chevet.study.case import Message


def continued_words(
    visits: Visits, cases: Cases, patient: str, case_id: str, message_id: str = ""
) -> VisitWords:
    """Return the words a visit begins with when it continues `case_id`.

    The patient's consent was given for this very case, so it is carried over with the time it was given; the
    question, the reason and who answers stay as they were. With `message_id` the visit knows which recording
    the specialist asked for again.

    Raises:
        Refusal: not_found for an unknown case or request, conflict when the case is of another patient.
    """
    case = cases.get(case_id)
    before = visits.get(case.id)
    if before.patient != patient:
        raise Refusal("conflict", "That case is of another patient; choose the patient again.", field="case")
    asked = _request(cases, case_id, message_id) if message_id else None
    words = before.words
    return VisitWords(
        reason=words.reason,
        question=words.question,
        specialty=words.specialty,
        urgency=words.urgency,
        language=words.language,
        consent=words.consent,
        continues=Continued(case_id) if asked is None else _continued(case_id, asked),
    )


def _continued(case_id: str, asked: Message) -> Continued:
    return Continued(case_id, asked.id, asked.step, asked.site, asked.side, asked.text)


def _request(cases: Cases, case_id: str, message_id: str) -> Message:
    for message, verified in cases.messages(case_id):
        if message.id == message_id and message.kind == "retake" and verified:
            return message
    raise Refusal("not_found", "There is no such request on this box.", status=404)
