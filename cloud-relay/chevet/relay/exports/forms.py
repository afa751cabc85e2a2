"""The forms an export can have, each by its word."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from chevet.relay.errors import RefusedError
from chevet.relay.exports.dicom_files import dicom_files
from chevet.relay.exports.edf_file import edf_files
from chevet.relay.exports.fhir_bundle import FHIR_JSON, transaction
from chevet.relay.exports.files import ExportFile, zipped
from chevet.relay.exports.subject import LeftOut, Subject
from chevet.relay.exports.wav_file import wav_files
from chevet.relay.exports.wfdb_record import wfdb_files


def fhir_files(subject: Subject) -> Iterator[ExportFile | LeftOut]:
    """Yield the case as one FHIR bundle, and what is not in it."""
    label = f"{subject.label}-" if subject.label else ""
    yield ExportFile(f"{label}bundle.json", FHIR_JSON, lambda: transaction(subject))
    for item in subject.recordings():
        if isinstance(item, LeftOut):
            yield item
        elif any(subject.own_bytes(still) is None for still in item.pictures):
            yield LeftOut(item.id, "not_plain")


Form = Callable[[Subject], Iterable[ExportFile | LeftOut]]
FORMS: dict[str, Form] = {
    "wfdb": wfdb_files,
    "edf": edf_files,
    "wav": wav_files,
    "dicom": dicom_files,
    "fhir": fhir_files,
}
ZIP = "application/zip"


def archive(subject: Subject, form: str, more: Iterable[ExportFile] = ()) -> Iterator[bytes]:
    """Return a ZIP archive of a case in one form, piece by piece.

    Args:
        subject: the case.
        form: one of FORMS.
        more: files to put before the others.

    Raises:
        RefusedError: 404 `not_yet_here` where nothing at all can be exported yet.
    """
    items = chain(more, FORMS[form](subject))
    first: list[ExportFile | LeftOut] = []
    for item in items:
        first.append(item)
        if isinstance(item, ExportFile):
            return zipped(subject, form, chain(first, items))
    if any(item.reason == "not_yet_here" for item in first if isinstance(item, LeftOut)):
        raise RefusedError(
            404, "not_yet_here", "The recordings have not arrived yet: try again when they have."
        )
    raise RefusedError(
        404, "not_found", f"This case holds nothing that {form} can carry: choose another form."
    )
