"""What an account can be, and the languages its screens can have."""

ROLES = ("worker", "specialist", "coordinator", "site-admin", "auditor")
LANGUAGES = ("fr", "ar", "zgh", "en")
