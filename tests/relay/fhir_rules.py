"""Rules of FHIR R4 that its models do not check: the vital-signs profiles, references that resolve."""

import re

VITALS = "http://terminology.hl7.org/CodeSystem/observation-category"
PROFILE = "http://hl7.org/fhir/StructureDefinition/"
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
REQUIRED = {  # profile: required LOINC, UCUM code of the value (vital signs, FHIR R4 section 10.1.5)
    "oxygensat": ("2708-6", "%"),
    "heartrate": ("8867-4", "/min"),
    "resprate": ("9279-1", "/min"),
    "bodytemp": ("8310-5", "Cel"),
    "bodyweight": ("29463-7", "kg"),
    "bodyheight": ("8302-2", "cm"),
    "bp": ("85354-9", None),
}
PRESSURES = {"8480-6", "8462-4"}


def codes(concept, system=LOINC):
    return {one["code"] for one in concept.get("coding", []) if one.get("system") == system}


def profile_faults(one):
    """Return what an Observation breaks of the profile that it says it conforms to."""
    names = [name.removeprefix(PROFILE) for name in one["meta"].get("profile", [])]
    found = []
    for name in names:
        loinc, unit = REQUIRED[name]
        if "vital-signs" not in set().union(*(codes(c, VITALS) for c in one.get("category", []))):
            found.append("category")
        if loinc not in codes(one["code"]):
            found.append("code")
        if "subject" not in one or "effectiveDateTime" not in one:
            found.append("subject or time")
        if name == "bp":
            found += _pressure_faults(one)
        else:
            found += _value_faults(one, unit)
    return found


def _pressure_faults(one):
    parts = one.get("component", [])
    if not set().union(*(codes(part["code"]) for part in parts)) >= PRESSURES:
        return ["components"]
    return [fault for part in parts for fault in _value_faults(part, "mm[Hg]")]


def _value_faults(one, unit):
    value = one.get("valueQuantity")
    if value is None:
        return [] if "dataAbsentReason" in one else ["neither value nor reason"]
    return [] if (value.get("system"), value.get("code")) == (UCUM, unit) else ["unit"]


def references(one):
    """Every literal reference and attachment address within a resource."""
    if isinstance(one, dict):
        found = [one["reference"]] if isinstance(one.get("reference"), str) else []
        found += [one["url"]] if "contentType" in one and "url" in one else []
        return found + [ref for value in one.values() for ref in references(value)]
    return [ref for item in one for ref in references(item)] if isinstance(one, list) else []
