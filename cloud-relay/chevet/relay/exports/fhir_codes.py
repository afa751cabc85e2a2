"""LOINC, MDC and SNOMED CT codes of the FHIR resources, and the profile of each vital sign."""

from dataclasses import dataclass

from chevet.relay.exports.dicom_codes import place
from chevet.relay.exports.fhir_base import LOINC, MDC, SNOMED, Json, coding

PROFILE = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(frozen=True, slots=True)
class Sign:
    """How one kind of number is told.

    Attributes:
        profile: of the vital-signs profiles, "" without one.
        loinc: (code, display), the one the profile requires first.
        unit: the UCUM code the profile requires.
        mdc: ISO/IEEE 11073-10101 code, "" without one.
        category: of the observation.
    """

    profile: str
    loinc: tuple[tuple[str, str], ...]
    unit: str
    mdc: str = ""
    category: str = "vital-signs"

    def codings(self) -> list[Json]:
        """Return the codings, LOINC first."""
        found = [coding(LOINC, code, display) for code, display in self.loinc]
        return [*found, coding(MDC, self.mdc)] if self.mdc else found


HEART_RATE = ("8867-4", "Heart rate")
SIGNS = {
    "spo2": Sign(
        "oxygensat",
        (
            ("2708-6", "Oxygen saturation in Arterial blood"),
            ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
        ),
        "%",
        "150456",
    ),
    "pulse_rate": Sign(
        "heartrate", (HEART_RATE, ("8889-8", "Heart rate by Pulse oximetry")), "/min", "149530"
    ),
    "heart_rate": Sign("heartrate", (HEART_RATE,), "/min", "147842"),
    "respiration_rate": Sign("resprate", (("9279-1", "Respiratory rate"),), "/min", "151562"),
    "temperature": Sign("bodytemp", (("8310-5", "Body temperature"),), "Cel", "150364"),
    "weight": Sign("bodyweight", (("29463-7", "Body weight"),), "kg", "188736"),
    "height": Sign("bodyheight", (("8302-2", "Body height"),), "cm", "188740"),
    "perfusion_index": Sign("", (("61006-3", "Perfusion index Tissue by Pulse oximetry"),), "%", "150448"),
    "glucose": Sign(
        "",
        (("41653-7", "Glucose [Mass/volume] in Capillary blood by Glucometer"),),
        "mg/dL",
        "160184",
        "laboratory",
    ),
}
GLUCOSE_MOLAR = Sign("", (("15074-8", "Glucose [Moles/volume] in Blood"),), "mmol/L", "160184", "laboratory")
PRESSURE = Sign("bp", (("85354-9", "Blood pressure panel with all children optional"),), "mm[Hg]", "150020")
PRESSURES = {
    "systolic": Sign("", (("8480-6", "Systolic blood pressure"),), "mm[Hg]", "150021"),
    "diastolic": Sign("", (("8462-4", "Diastolic blood pressure"),), "mm[Hg]", "150022"),
    "mean_pressure": Sign("", (("8478-0", "Mean blood pressure"),), "mm[Hg]", "150023"),
}
AGE = ("30525-0", "Age")
EKG_STUDY = ("11524-6", "EKG study")
DRAFTS = {
    "pr": ("8625-6", "P-R Interval"),
    "qrs": ("8633-0", "QRS duration"),
    "qt": ("8634-8", "Q-T interval"),
    "qtc_bazett": ("8636-3", "Q-T interval corrected"),
    "qtc_fridericia": ("8636-3", "Q-T interval corrected"),
    "qtc_framingham": ("8636-3", "Q-T interval corrected"),
    "qtc_hodges": ("8636-3", "Q-T interval corrected"),
    "qtc": ("8636-3", "Q-T interval corrected"),
    "p_axis": ("8626-4", "P wave axis"),
    "qrs_axis": ("8632-2", "QRS axis"),
    "t_axis": ("8638-9", "T wave axis"),
}
CONSULTATION = ("11488-4", "Consult note")
PRIVACY_CONSENT = "59284-0"
LEADS = {
    "I": "131329",
    "II": "131330",
    "III": "131389",
    "aVR": "131390",
    "aVL": "131391",
    "aVF": "131392",
    "V1": "131331",
    "V2": "131332",
    "V3": "131333",
    "V4": "131334",
    "V5": "131335",
    "V6": "131336",
}
"""Lead potentials, MDC_ECG_ELEC_POTL_x: 256 more than the lead identifiers that DICOM has."""
PLETH = "150452"
DEVICES = {"oximetry": "528388", "ecg": "528390"}
DEVICES_OF_KINDS = {"systolic": "528391", "diastolic": "528391", "temperature": "528392", "spo2": "528388"}
EARS = {"right": ("25577004", "Right ear structure"), "left": ("89644007", "Left ear structure")}


def body_site(site: str, side: str) -> Json:
    """Return where a recording was taken as a CodeableConcept; {} where nothing is told."""
    if side in EARS:
        return {"coding": [coding(SNOMED, *EARS[side])], "text": side}
    found = place(site)
    if found:
        words = ", ".join(code.meaning for code in found)
        return {"coding": [coding(SNOMED, found[0].value, found[0].meaning)], "text": f"{site}: {words}"}
    return {"text": site} if site else {}
