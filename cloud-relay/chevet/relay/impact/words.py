"""The words of the printed report, by language."""

from typing import Final

WORDS: Final = {
    "fr": {
        "title": "Bilan du programme", "all_sites": "tous", "month": "Mois", "site": "Centre", "cases": "Cas",
        "answered": "Répondus", "late": "En retard",
        "rated": "Avis", "helped": "Utiles", "allocate_min": "Attribuer", "answer_min": "1re réponse",
        "close_min": "Au centre", "recordings": "Enreg.", "unreadable": "Illisibles",
        "unreadable_share": "Part", "specialists": "Spécialistes",
        "discussions": "Discussions", "device": "Appareil",
        "worker": "Centre · soignant", "by_device": "Illisibles par appareil",
        "by_worker": "Illisibles par soignant",
    },
    "en": {
        "title": "Programme report", "all_sites": "all", "month": "Month", "site": "Site", "cases": "Cases",
        "answered": "Answered", "late": "Late",
        "rated": "Rated", "helped": "Helped", "allocate_min": "To allocate", "answer_min": "To answer",
        "close_min": "To the site", "recordings": "Recordings", "unreadable": "Unreadable",
        "unreadable_share": "Share", "specialists": "Specialists",
        "discussions": "Discussions", "device": "Device",
        "worker": "Site · worker", "by_device": "Unreadable by device", "by_worker": "Unreadable by worker",
    },
    "ar": {
        "title": "حصيلة البرنامج", "all_sites": "الكل", "month": "الشهر", "site": "المركز",
        "cases": "الحالات",
        "answered": "مُجابة", "late": "متأخرة",
        "rated": "مُقيَّمة", "helped": "مفيدة", "allocate_min": "التوزيع", "answer_min": "أول رد",
        "close_min": "بالمركز", "recordings": "تسجيلات", "unreadable": "غير مقروءة",
        "unreadable_share": "النسبة", "specialists": "المختصون",
        "discussions": "المناقشات", "device": "الجهاز",
        "worker": "المركز · العامل", "by_device": "غير المقروء حسب الجهاز",
        "by_worker": "غير المقروء حسب العامل",
    },
}  # fmt: skip
"""Times are medians in minutes; months are of UTC."""
