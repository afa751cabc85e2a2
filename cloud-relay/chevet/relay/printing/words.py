"""The words of the printed pages, by language."""

Words = dict[str, str]

WORDS: dict[str, Words] = {
    "fr": {
        "title": "Électrocardiogramme",
        "register": "N° de registre",
        "born": "né(e) en",
        "recorded": "Enregistré le",
        "printed": "Imprimé le",
        "device": "Appareil",
        "drafts": "Mesures automatiques, ébauches à confirmer :",
        "none": "aucune",
        "swap": "Électrodes peut-être interverties (ébauche) :",
        "poor": "Qualité jugée insuffisante",
        "raw": "brut, sans filtre",
        "view": "(vue)",
        "centred": "tracé autour de son milieu",
        "gap": "manque",
        "statement": "Logiciel de recherche et de formation. N’est pas un dispositif médical certifié : "
        "ni diagnostic, ni surveillance.",
        "scale": "Imprimer à 100 %, sans ajuster à la page : l’impulsion doit mesurer {pulse} mm de haut.",
    },
    "en": {
        "title": "Electrocardiogram",
        "register": "Register no.",
        "born": "born in",
        "recorded": "Recorded",
        "printed": "Printed",
        "device": "Device",
        "drafts": "Automatic measurements, drafts to be confirmed:",
        "none": "none",
        "swap": "Electrodes perhaps swapped (draft):",
        "poor": "Quality judged insufficient",
        "raw": "raw, unfiltered",
        "view": "(view)",
        "centred": "drawn around its middle",
        "gap": "gap",
        "statement": "Research and training software. Not a certified medical device: not for diagnosis "
        "or monitoring.",
        "scale": "Print at 100 %, not fitted to the page: the pulse must measure {pulse} mm in height.",
    },
    "ar": {
        "title": "تخطيط كهربائية القلب",
        "register": "رقم السجل",
        "born": "سنة الميلاد",
        "recorded": "سُجّل في",
        "printed": "طُبع في",
        "device": "الجهاز",
        "drafts": "قياسات آلية أولية تحتاج إلى تأكيد:",
        "none": "لا شيء",
        "swap": "قد تكون أقطاب متبادلة (مسودة):",
        "poor": "الجودة غير كافية",
        "raw": "خام بدون ترشيح",
        "view": "(عرض)",
        "centred": "مرسوم حول منتصفه",
        "gap": "فجوة",
        "statement": "برنامج للبحث والتدريب. ليس جهازًا طبيًا معتمدًا: لا للتشخيص ولا للمراقبة.",
        "scale": "اطبع بحجم 100 % دون ملاءمة الصفحة: ارتفاع نبضة المعايرة {pulse} mm",
    },
}


def words_of(language: str) -> Words:
    """Return the words of a language; English where it has none of its own."""
    return WORDS.get(language, WORDS["en"])
