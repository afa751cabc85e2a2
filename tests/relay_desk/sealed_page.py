# ruff: noqa: E501 - scripts of the page and worked bytes stand on lines of their own
"""A bare page on which the desk's own modules run in Chromium; nothing of the network is reached."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route

import chevet.relay.api.app as relay_app
from chevet.kiosk.files import SHARED

ORIGIN = "http://localhost"
"""Browsers give WebCrypto to https and to this very machine alone."""
_KINDS = {".js": "text/javascript", ".html": "text/html", ".json": "application/json"}


def sealed_page(browser: Browser) -> Iterator[Page]:
    """Open the page, close it afterwards."""
    context = browser.new_context()
    context.route("**/*", _answer)
    page = context.new_page()
    page.goto(f"{ORIGIN}/blank.html")
    yield page
    context.close()


def run(page: Page, body: str, given: Any = None) -> Any:
    """Run the body of an async function of `given` and the modules; bytes go to and fro in hexadecimal."""
    return page.evaluate(
        """async ([body, given]) => {
          const m = {...await import("/desk/sealed-cbor.js"), ...await import("/desk/sealed.js"),
            ...await import("/desk/sealed-keys.js"), ...await import("/desk/sealed-summary.js"), ...await import("/desk/sealed-waves.js"),
            ...await import("/desk/sealed-waveform.js"), ...await import("/desk/sealed-preview.js")};
          m.raw = (text) => Uint8Array.from(text.match(/../g) ?? [], (two) => parseInt(two, 16));
          m.opener = async (secret, open) => ({publicKey: m.raw(open), privateKey: await crypto.subtle.importKey("pkcs8",
            m.raw("302e020100300506032b656e04220420" + secret), {name: "X25519"}, false, ["deriveBits"])});
          try {
            return await new (async () => {}).constructor("m", "given", body)(m, given);
          } catch (error) {
            return {refused: error.code ?? String(error)};
          }
        }""",
        [body, given],
    )


def _answer(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN)
    for mount, folder in (("/desk/", relay_app.DESK), ("/shared/", SHARED)):
        if path.startswith(mount):
            file = Path(folder) / path.removeprefix(mount)
            route.fulfill(body=file.read_bytes(), content_type=_KINDS.get(file.suffix, "text/plain"))
            return
    route.fulfill(body="<!doctype html><title>blank</title>", content_type="text/html")
