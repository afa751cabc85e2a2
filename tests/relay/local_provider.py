"""An identity provider of a few lines that really runs: signs by RSA and EC, changes keys, and can lie."""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import uvicorn
from fastapi import FastAPI, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "chevet desk", "a secret: with/signs&"
KAMAL = {"sub": "person-1", "preferred_username": "dr", "name": "Dr Kamal", "amr": ["pwd"]}
_RSA = RSAKey.generate_key(2048, parameters={"kid": "rsa-1", "use": "sig"})
_OTHER = RSAKey.generate_key(2048, parameters={"kid": "rsa-1"})


def now_s() -> float:
    return time.time()


@dataclass
class LocalProvider:
    """Who is signed in there, how it signs, and its lies."""

    url: str = ""
    clock: Callable[[], float] = now_s
    person: dict[str, Any] = field(default_factory=lambda: dict(KAMAL))
    keys: list[Any] = field(default_factory=lambda: [_RSA])
    alg: str = "RS256"
    denies: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    describes: dict[str, Any] = field(default_factory=dict)
    forged: str = ""
    secret: str | None = SECRET
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def rotate(self) -> None:
        """Sign by a new key; the old one is gone."""
        self.alg = "ES256"
        self.keys = [ECKey.generate_key("P-256", parameters={"kid": secrets.token_hex(4), "use": "sig"})]

    def description(self) -> dict[str, Any]:
        at = {name: f"{self.url}/{path}" for name, path in ENDPOINTS.items()}
        return {"issuer": self.url, "code_challenge_methods_supported": ["S256"]} | at | self.describes

    def token(self, asked: dict[str, str]) -> str:
        now = int(self.clock())
        said = {"iss": self.url, "aud": asked["client_id"], "exp": now + 300, "iat": now} | self.person
        said |= {"nonce": asked["nonce"]} | self.claims
        said = {name: value for name, value in said.items() if value is not None}
        head = {"alg": self.alg, "kid": self.keys[0].kid}
        if self.forged == "none":
            return ".".join([_part({"alg": "none"}), _part(said), ""])
        if self.forged == "hmac":  # by the public key, as if it were a shared secret
            signed = ".".join([_part({"alg": "HS256", "kid": "rsa-1"}), _part(said)])
            mac = hmac.digest(_RSA.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
        if self.forged == "key":
            return jwt.encode({"alg": "RS256", "kid": "rsa-1"}, said, _OTHER)
        return jwt.encode(head, said, self.keys[0], algorithms=[self.alg])


ENDPOINTS = {
    "authorization_endpoint": "authorize?tenant=1",
    "token_endpoint": "token",
    "jwks_uri": "keys",
}


def _part(said: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def create(provider: LocalProvider) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def description() -> Any:
        provider.seen.append("description")
        return provider.description()

    @app.get("/keys")
    def keys() -> Any:
        provider.seen.append("keys")
        listed = [key.as_dict(private=False) for key in provider.keys]
        return {"keys": [{"kty": "ML-DSA", "kid": "tomorrow"}, {"kty": "EC"}, "?", *listed]}

    @app.get("/authorize")
    def authorize(request: Request) -> Any:
        asked = dict(request.query_params)
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        if provider.denies:
            said = {"error": provider.denies}
        else:
            said = {"code": secrets.token_urlsafe(16)}
            provider.asked[said["code"]] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(said | {'state': asked['state']})}")

    @app.post("/token")
    def token(
        request: Request,
        grant_type: Annotated[str, Form()],
        code: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
        client_id: Annotated[str, Form()],
        client_secret: Annotated[str, Form()] = "",
    ) -> Any:
        provider.seen.append("token")
        asked = provider.asked.pop(code, None)
        basic = request.headers.get("authorization", "")
        pair = f"{quote(CLIENT, safe='')}:{quote(provider.secret or '', safe='')}"
        known = (
            client_secret == provider.secret or basic == "Basic " + base64.b64encode(pair.encode()).decode()
        )
        if provider.secret is None:
            known = not basic and not client_secret
        if not known:
            return JSONResponse({"error": "invalid_client"}, 401)
        good = asked is not None and grant_type == "authorization_code" and client_id == asked["client_id"]
        if (
            not good
            or redirect_uri != asked["redirect_uri"]
            or _s256(code_verifier) != asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return {"access_token": "x", "token_type": "Bearer", "id_token": provider.token(asked)}

    return app


@contextmanager
def running(provider: LocalProvider) -> Iterator[LocalProvider]:
    """Serve it on a port of this machine."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    provider.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(create(provider), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
