"""Sending DICOM objects to an archive by STOW-RS, and believing it only when they come back (PS3.18, 10.5).

Many archives answer success for an identifier they know and keep the first copy, so each object is fetched
again by WADO-RS and compared.
"""

import io
import re
import struct
import uuid
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import httpx
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from chevet.relay.errors import RelayError
from chevet.relay.exports.dicom_object import DICOM, encoded
from chevet.relay.exports.files import PIECE

TIMEOUT_S = 60.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
BOUNDARY = re.compile(r'boundary="?([^";,]+)"?')
ACCEPT = f'multipart/related; type="{DICOM}"; transfer-syntax=*'
KNOWN_FAILURES = {
    0x0110: "processing_failure",
    0x0122: "class_not_supported",
    0xA700: "out_of_resources",
    0xA900: "does_not_match_class",
    0xC000: "cannot_understand",
    0xC122: "syntax_not_supported",
}
"""Failure Reason (0008,1197), PS3.18 table I.2-2."""
UNREADABLE = (
    BytesLengthException,
    InvalidDicomError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What pydicom raises, at once or when an element is looked at, for bytes that are no DICOM."""
State = Literal["stored", "refused", "different", "lost"]


class StowError(RelayError):
    """The archive cannot be reached or does not speak DICOMweb."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object: `stored` only if it came back with the same content."""

    uid: str
    state: State
    reason: str = ""


def connect(
    url: str, *, user: str = "", password: str = "", allow_http: bool = False, timeout_s: float = TIMEOUT_S
) -> httpx.Client:
    """Return a client of the DICOMweb service at `url`, such as `https://pacs.example/dicom-web`.

    Raises:
        StowError: the address is none, or would carry patient data in clear over a network.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise StowError("--to must be the https:// address of a DICOMweb service, without a password in it.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not allow_http:
        raise StowError(
            "Patient data must not travel in clear: use https://, or say --allow-http inside a VPN."
        )
    auth = httpx.BasicAuth(user, password) if user else None
    # redirects are not followed: they could lead the objects anywhere
    return httpx.Client(base_url=url.rstrip("/") + "/", auth=auth, timeout=timeout_s)


def send(client: httpx.Client, objects: Iterable[tuple[Dataset, str]]) -> Iterator[Outcome]:
    """Store each object and fetch it again; one at a time, so that each has its own outcome.

    Args:
        client: of `connect`.
        objects: datasets and their transfer syntaxes.

    Raises:
        StowError: the archive went away or answers something else than DICOMweb.
    """
    for ds, syntax in objects:
        data = encoded(ds, syntax)
        try:
            reason = _store(client, data)
            refused = Outcome(str(ds.SOPInstanceUID), "refused", reason)
            yield refused if reason else _compared(client, ds, data)
        except httpx.HTTPError as error:
            raise StowError(
                f"The archive cannot be reached ({type(error).__name__}): check --to and the network."
            ) from None


def _store(client: httpx.Client, data: bytes) -> str:
    """Send one object; return "" or why the archive refused it."""
    boundary = uuid.uuid4().hex
    head = f"--{boundary}\r\nContent-Type: {DICOM}\r\n\r\n".encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    answer = client.post(
        "studies",
        content=_pieces(head, data, tail),
        headers={
            "Content-Type": f'multipart/related; type="{DICOM}"; boundary={boundary}',
            "Content-Length": str(len(head) + len(data) + len(tail)),
            "Accept": "application/dicom+json",
        },
    )
    if answer.status_code in (401, 403):
        raise StowError("The archive refuses this account: check --user and its password file.")
    if answer.status_code not in (200, 202, 409):
        raise StowError(
            f"The archive answered {answer.status_code}: check that --to is its DICOMweb address."
        )
    return _failure(answer)


def _pieces(head: bytes, data: bytes, tail: bytes) -> Iterator[bytes]:
    yield head
    for at in range(0, len(data), PIECE):
        yield data[at : at + PIECE]
    yield tail


def _failure(answer: httpx.Response) -> str:
    try:
        failed = answer.json().get("00081198", {}).get("Value", [])
        code = failed[0]["00081197"]["Value"][0] if failed else None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise StowError(
            "The archive's answer is no DICOM JSON: check that --to is its DICOMweb address."
        ) from None
    if code is not None:
        return KNOWN_FAILURES.get(code, f"failure_{code}")
    return "refused" if answer.status_code == 409 else ""


def _compared(client: httpx.Client, ds: Dataset, sent: bytes) -> Outcome:
    """Fetch an object and compare it with what was sent."""
    where = f"studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/instances/{ds.SOPInstanceUID}"
    answer = client.get(where, headers={"Accept": ACCEPT})
    ident = str(ds.SOPInstanceUID)
    if answer.status_code != 200:
        return Outcome(ident, "lost", f"status_{answer.status_code}")
    part = first_part(answer.headers.get("content-type", ""), answer.content)
    return Outcome(ident, "stored" if part is not None and same(part, sent) else "different")


def first_part(content_type: str, body: bytes) -> bytes | None:
    """Return the first part of a multipart answer (RFC 2046, 5.1); None where it is none."""
    found = BOUNDARY.search(content_type)
    if found is None:
        return None
    mark = b"--" + found.group(1).encode("latin-1")
    begin = body.find(mark)
    head = body.find(b"\r\n\r\n", begin)
    end = body.find(b"\r\n" + mark, head + 4)
    return body[head + 4 : end] if min(begin, head, end) >= 0 else None


def same(one: bytes, other: bytes) -> bool:
    """Return whether two DICOM files hold the same content, whatever their file heads say."""
    if one == other:
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # their text would quote what an archive sent
            return bool(pydicom.dcmread(io.BytesIO(one)) == pydicom.dcmread(io.BytesIO(other)))
    except UNREADABLE:
        return False
