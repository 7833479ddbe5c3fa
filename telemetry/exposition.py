"""/metrics: what this process has counted since its start, for Prometheus."""

import hmac
from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, disable_created_metrics, generate_latest
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from settings import Settings

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody asks for


def routes(settings: Settings, look: Callable[[], Awaitable[None]]) -> list[Route]:
    """The route: open in development; in production for the bearer of METRICS_TOKEN, and absent where there is none.

    `look` is awaited before each answer: it sets what is not counted but asked for.
    """
    open_to_all = settings.environment == "development"
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else ""

    async def metrics(request: Request) -> Response:
        if not (open_to_all or hmac.compare_digest(bearer(request).encode(), token.encode())):
            return PlainTextResponse("Send METRICS_TOKEN as a bearer token.", 401, {"WWW-Authenticate": "Bearer"})
        await look()
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [Route("/metrics", metrics, methods=["GET"])] if open_to_all or token else []


def bearer(request: HTTPConnection) -> str:
    """The bearer token that was sent; empty where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
