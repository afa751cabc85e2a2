"""All resources of a case: which there are, one by one, and as a transaction that another server can take."""

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from chevet.relay.exports.fhir_base import BASE, Json
from chevet.relay.exports.fhir_case import answer, conversation, visit
from chevet.relay.exports.fhir_imaging import imaging
from chevet.relay.exports.fhir_people import age, devices, people
from chevet.relay.exports.fhir_vitals import drafts, vitals
from chevet.relay.exports.fhir_waves import waves
from chevet.relay.exports.subject import Subject

FHIR_JSON = "application/fhir+json"


class Source(NamedTuple):
    """A function that yields resources, and the kinds that it may yield."""

    make: Callable[[Subject], Iterator[Json]]
    kinds: frozenset[str]


SOURCES = (
    Source(people, frozenset({"Patient", "Organization", "Practitioner"})),
    Source(devices, frozenset({"Device", "DeviceMetric"})),
    Source(visit, frozenset({"Encounter", "ServiceRequest", "Task", "Consent"})),
    Source(age, frozenset({"Observation"})),
    Source(vitals, frozenset({"Observation"})),
    Source(waves, frozenset({"Observation", "Binary", "DocumentReference", "Media"})),
    Source(drafts, frozenset({"Observation"})),
    Source(imaging, frozenset({"ImagingStudy"})),
    Source(conversation, frozenset({"Communication", "CommunicationRequest"})),
    Source(answer, frozenset({"DiagnosticReport", "Provenance"})),
)
KINDS = tuple(sorted(frozenset().union(*(source.kinds for source in SOURCES))))


def resources(subject: Subject, kind: str = "") -> Iterator[Json]:
    """Yield the case's resources of one kind, or all; only what is asked for is opened."""
    for source in SOURCES:
        if not kind or kind in source.kinds:
            yield from (one for one in source.make(subject) if not kind or one["resourceType"] == kind)


def transaction(subject: Subject) -> Iterator[bytes]:
    """Yield a Bundle of type transaction as JSON, entry by entry.

    Every entry is an update under the case's own ids, so that sending it twice changes nothing.
    """
    yield b'{"resourceType": "Bundle", "type": "transaction", "entry": ['
    for number, one in enumerate(resources(subject)):
        name = f"{one['resourceType']}/{one['id']}"
        entry = {
            "fullUrl": f"{BASE}{name}",
            "resource": one,
            "request": {"method": "PUT", "url": name},
        }
        yield (b",\n" if number else b"\n") + json.dumps(entry, ensure_ascii=False).encode()
    yield b"\n]}\n"
