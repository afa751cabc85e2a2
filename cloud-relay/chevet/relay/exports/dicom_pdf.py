"""A printed report as DICOM: Encapsulated PDF (PS3.3, A.45.1)."""

import hashlib

from pydicom import uid as uids
from pydicom.dataset import Dataset

from chevet.relay.errors import RefusedError
from chevet.relay.exports.dicom_codes import CONSULTATION
from chevet.relay.exports.dicom_object import Place, coded, new_object, plain, uid
from chevet.relay.exports.subject import Subject

SERIES = 9000
"""Behind every recording and film of a study."""


def encapsulated(subject: Subject, pdf: bytes, title: str) -> Dataset:
    """Return a PDF as a DICOM object.

    Args:
        subject: the case it is about.
        pdf: the file; what it shows is the caller's affair, so it is told to be readable ("burned in").
        title: such as "Signed opinion".

    Raises:
        RefusedError: 422 `invalid`, it is no PDF.
    """
    if not pdf.startswith(b"%PDF-"):
        raise RefusedError(422, "invalid", "The report is no PDF: print it again.", "pdf")
    number = max(len(subject.opinions), 1)
    at_ms = subject.opinions[-1].signed_ms if subject.opinions else subject.study.closed.wall_ms
    where = Place(uids.EncapsulatedPDFStorage, "DOC", "report", SERIES, "report", number, at_ms)
    ds = new_object(subject, where, None)
    # the same print is the same object, another print another one
    ds.SOPInstanceUID = uid(subject, "report", hashlib.sha256(pdf).hexdigest())
    ds.ConversionType = "WSD"
    ds.BurnedInAnnotation = "YES"
    ds.DocumentTitle = plain(title, 1024)
    ds.ConceptNameCodeSequence = [coded(CONSULTATION)]
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocumentLength = len(pdf)
    ds.add_new("EncapsulatedDocument", "OB", pdf + b"\0" * (len(pdf) % 2))
    return ds
