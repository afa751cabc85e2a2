"""How an alert leaves: mail by SMTP, and one signed HTTPS call."""

import hmac
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final, Protocol
from urllib.parse import urlsplit

import httpx

from chevet.relay.errors import SettingsError
from chevet.relay.settings import Settings
from chevet.relay.settings_values import HERE

TIMEOUT_S: Final = 20.0
LEAST_SECRET: Final = 16
SIGNATURE: Final = "X-Chevet-Signature"


class NotSent(Exception):  # noqa: N818 - an outcome that is tried again
    """An alert did not leave; `str(error)` is a coded word, never what a server said."""


class Channel(Protocol):
    """A way to people."""

    def send(self, to: str, subject: str, text: str) -> None:
        """Send to one address.

        Raises:
            NotSent: it did not leave.
        """


@dataclass(frozen=True, slots=True)
class Mail:
    """Mail through one SMTP server.

    Attributes:
        host: name of the server; its certificate is checked against it.
        port: 587 or 465 as a rule.
        security: "starttls", "tls", or "none" on this machine.
        user: login, "" for none.
        password: for it.
        sender: the address in From.
    """

    host: str
    port: int
    security: str
    user: str
    password: str
    sender: str
    context: ssl.SSLContext | None = None

    def send(self, to: str, subject: str, text: str) -> None:
        """Send one mail; the server has taken it when this returns.

        Raises:
            NotSent: "refused" for good, else "unreachable".
        """
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, to, subject
        message["Date"] = formatdate(usegmt=True)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        try:
            self._send(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError):
            raise NotSent("refused") from None
        except smtplib.SMTPAuthenticationError:
            raise NotSent("login") from None
        except (smtplib.SMTPException, OSError):
            raise NotSent("unreachable") from None

    def _send(self, message: EmailMessage) -> None:
        trust = self.context or ssl.create_default_context()
        if self.security == "tls":
            line: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=trust)
        else:
            line = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        with line:
            if self.security == "starttls":
                line.starttls(context=trust)
            if self.user:
                line.login(self.user, self.password)
            line.send_message(message)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One address that is told of alerts, each call signed with a secret that both know."""

    url: str
    secret: bytes

    def call(self, body: bytes, now_ms: int) -> None:
        """Make one call; the other side has taken it when this returns.

        Raises:
            NotSent: "refused" by its answer, else "unreachable".
        """
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "chevet-relay",
            SIGNATURE: signature(self.secret, body, now_ms // 1000),
        }
        try:
            answer = httpx.post(self.url, content=body, headers=headers, timeout=TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            raise NotSent("unreachable") from None
        if not answer.is_success:  # nor is a redirect followed: it could lead anywhere
            raise NotSent(f"status_{answer.status_code}")


def signature(secret: bytes, body: bytes, at_s: int) -> str:
    """Return `t=<Unix seconds>,v1=<HMAC-SHA256 over "t.body" in hexadecimal>`."""
    mac = hmac.new(secret, str(at_s).encode() + b"." + body, "sha256").hexdigest()
    return f"t={at_s},v1={mac}"


def mail_of(settings: Settings) -> Mail | None:
    """Return the way by mail that the settings name, or None.

    Raises:
        SettingsError: it would leave this machine unprotected, or has no sender.
    """
    if not settings.smtp_host:
        return None
    if settings.smtp_security == "none" and settings.smtp_host not in HERE:
        raise SettingsError(
            "smtp_security", "Mail without TLS only leaves for this machine: use starttls or tls."
        )
    if "@" not in settings.smtp_from:
        raise SettingsError("smtp_from", "Mail needs a sender: set smtp_from to an address of yours.")
    password = settings.secret("smtp_password_file") or ""
    where = (settings.smtp_host, settings.smtp_port, settings.smtp_security)
    return Mail(*where, settings.smtp_user, password, settings.smtp_from)


def webhook_of(settings: Settings) -> Webhook | None:
    """Return the webhook that the settings name, or None.

    Raises:
        SettingsError: its address or secret cannot be used.
    """
    if not settings.webhook_url:
        return None
    where = urlsplit(settings.webhook_url)
    if where.scheme != "https" and where.hostname not in HERE:
        raise SettingsError("webhook_url", "A webhook needs an https address, unless it is on this machine.")
    secret = (settings.secret("webhook_secret_file") or "").encode()
    if len(secret) < LEAST_SECRET:
        raise SettingsError(
            "webhook_secret_file", f"A webhook needs a secret of {LEAST_SECRET} characters or more in a file."
        )
    return Webhook(settings.webhook_url, secret)
