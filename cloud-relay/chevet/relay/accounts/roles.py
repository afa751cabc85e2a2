"""What an account can be, and the languages its screens can have."""

ROLES = ("worker", "specialist", "coordinator", "site-admin", "auditor", "expert")
"""An expert is a specialist from outside: they see the cases they are invited to discuss, and no inbox."""
ANSWERING = ("specialist", "expert")
"""Who may have a specialty: what they say of a case is of it."""
LANGUAGES = ("fr", "ar", "zgh", "en")
