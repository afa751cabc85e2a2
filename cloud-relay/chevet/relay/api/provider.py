"""Signing in by an identity provider: away to it, and back."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.responses import RedirectResponse

from chevet.relay.accounts.id_token import ProviderError
from chevet.relay.accounts.provider_sign_in import AWAY_MS, Answer, ProviderSignIn
from chevet.relay.api.cookies import Address, Browser, Origin, TryToken, end_try, keep_session, keep_try
from chevet.relay.api.guard import Here
from chevet.relay.errors import RefusedError
from chevet.relay.relay import Relay

router = APIRouter(prefix="/api/oidc")
Said = Annotated[str, Query(max_length=4096)]


@router.post("")
def begin(relay: Here, response: Response, origin: Origin, address: Address) -> dict[str, Any]:
    """Begin to sign in at the provider; the answer says where the browser goes."""
    provider = _provider(relay)
    relay.passkeys.place.check(origin, "The identity provider's answers")
    try:
        token, where = provider.begin(address)
    except ProviderError as error:
        raise RefusedError(503, error.code, str(error)) from None
    keep_try(relay, response, token, AWAY_MS, away=True)
    return {"to": where}


@router.get("/callback", response_class=RedirectResponse, status_code=303)
def back(
    relay: Here,
    tried: TryToken,
    address: Address,
    browser: Browser,
    code: Said = "",
    state: Said = "",
    error: Said = "",
    iss: Said = "",
) -> RedirectResponse:
    """Take the provider's answer: into the desk, or back to sign-in with a coded word for what went wrong."""
    provider = _provider(relay)
    answer = Answer(code, state, error, iss)
    try:
        signed = provider.finish(tried, answer, address=address, browser=browser)
    except (ProviderError, RefusedError) as problem:
        response = RedirectResponse(f"/#/sign-in/{problem.code}", 303)
    else:
        response = RedirectResponse("/", 303)
        keep_session(relay, response, signed)
    end_try(response)
    return response


def _provider(relay: Relay) -> ProviderSignIn:
    if relay.provider is None:
        raise RefusedError(404, "not_found", "This relay has no identity provider: set oidc_issuer.")
    return relay.provider
