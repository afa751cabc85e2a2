"""The case's DICOM objects as ImagingStudy, by the identifiers that they have when they are exported."""

from collections.abc import Iterator

from pydicom.dataset import Dataset

from chevet.relay.exports.dicom_files import every_object
from chevet.relay.exports.fhir_base import URI, Json, coding, instant, patient, ref, resource
from chevet.relay.exports.subject import LeftOut, Subject

DCM = "http://dicom.nema.org/resources/ontology/DCM"


def imaging(subject: Subject) -> Iterator[Json]:
    """Yield the ImagingStudy, where anything of the case has a DICOM object."""
    series: dict[str, Json] = {}
    study = ""
    for item in every_object(subject):
        if not isinstance(item, LeftOut):
            study = str(item[0].StudyInstanceUID)
            _add(series, item[0])
    if not series:
        return
    for one in series.values():
        one["numberOfInstances"] = len(one["instance"])
    yield resource(
        subject,
        "ImagingStudy",
        "imaging",
        identifier=[{"system": "urn:dicom:uid", "value": f"urn:oid:{study}"}],
        status="available",
        subject=patient(subject),
        encounter=ref(subject, "Encounter"),
        started=instant(subject.study.closed.wall_ms),
        basedOn=[ref(subject, "ServiceRequest", "request")],
        numberOfSeries=len(series),
        numberOfInstances=sum(one["numberOfInstances"] for one in series.values()),
        series=list(series.values()),
    )


def _add(series: dict[str, Json], ds: Dataset) -> None:
    uid = str(ds.SeriesInstanceUID)
    one = series.setdefault(
        uid,
        {
            "uid": uid,
            "number": int(ds.SeriesNumber),
            "modality": coding(DCM, str(ds.Modality)),
            "description": str(ds.SeriesDescription),
            "instance": [],
        },
    )
    sop_class = coding(URI, f"urn:oid:{ds.SOPClassUID}")
    instance = {"uid": str(ds.SOPInstanceUID), "sopClass": sop_class, "number": int(ds.InstanceNumber)}
    one["instance"].append(instance)
