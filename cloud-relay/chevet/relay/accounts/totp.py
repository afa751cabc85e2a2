"""Time-based one-time passwords: RFC 6238 on RFC 4226, as every authenticator app makes them.

SHA-1, 6 digits and 30 s are what apps assume when a QR says nothing else. SHA-1 is sound here: HMAC does not
rest on collisions.
"""

import base64
import hmac
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20
"""RFC 4226 section 4, R6: 160 bits are recommended."""
DRIFT_STEPS = 1
"""Codes of the step before and after are taken too: RFC 6238 section 5.2 allows for delay and drift."""


def step_at(unix_ms: int) -> int:
    """Return the number of the 30 s step that holds a time."""
    return unix_ms // (STEP_S * 1000)


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """Return the code of one step (RFC 4226 section 5.3, HOTP with the step as counter)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


def matching_step(secret: bytes, code: str, unix_ms: int, after: int) -> int | None:
    """Return the step that `code` belongs to, or None.

    Args:
        secret: shared with the app.
        code: six digits.
        unix_ms: now.
        after: the last step taken; it and all before it are refused, so that no code counts twice.
    """
    now, found = step_at(unix_ms), None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        same = hmac.compare_digest(code_at(secret, step).encode(), code.encode())
        if same and step > after and found is None:
            found = step
    return found


def secret_text(secret: bytes) -> str:
    """Return the secret as people type it into an app: base32 without padding."""
    return base64.b32encode(secret).decode("ascii").rstrip("=")


def uri(secret: bytes, programme: str, user_id: str) -> str:
    """Return the otpauth URI of the enrolment QR (Key Uri Format of Google Authenticator)."""
    label = quote(f"{programme}:{user_id}", safe="")
    said = urlencode({"secret": secret_text(secret), "issuer": programme}, quote_via=quote)
    return f"otpauth://totp/{label}?{said}"
