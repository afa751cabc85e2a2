"""Whom a site may ask; apart from the study, whose arrays need libraries that take a second to load."""

from typing import Final

SPECIALTIES: Final = (
    "cardiology",
    "dermatology",
    "ent",
    "general",
    "gynaecology-obstetrics",
    "internal-medicine",
    "nephrology",
    "paediatrics",
    "pneumology",
)
