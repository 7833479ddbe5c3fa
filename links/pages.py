"""Pages for customers, by the links of their letters."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from errors import Limited
from links.files import NOT_KEPT
from services import limits, pages, pay_page, quote_page, survey_page

FORM_MOST = 16 * 1024  # bytes of a page's form


def so_often(page: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """A page of a link, opened and answered so often and no more; 429 beyond that."""

    async def answer(request: Request) -> Response:
        kind = "answers" if request.method == "POST" else "pages"
        try:
            await limits.spend_link(kind, request.path_params["token"], request.client.host if request.client else None)
        except Limited as limited:
            return PlainTextResponse(limited.message, 429, {**NOT_KEPT, "Retry-After": str(limited.retry_after)})
        return await page(request)

    return answer


async def pay(request: Request) -> Response:
    """The page where a client pays an order, by its signed link; its button leads to Stripe."""
    token = request.path_params["token"]
    if request.method == "POST":
        started = await pay_page.start(token)
        if isinstance(started, str):
            return RedirectResponse(started, 303)
        status, view = started
    else:
        status, view = await pay_page.show(token, back="back" in request.query_params)
    return HTMLResponse(pages.pay(view), status, pages.headers(view))


async def quote(request: Request) -> Response:
    """The page where a client reads a quote, by its signed link, and accepts or refuses it."""
    token = request.path_params["token"]
    if request.method == "POST":
        asked_from = request.client.host if request.client else None
        status, view = await quote_page.answer(token, await _form(request), asked_from)
    else:
        status, view = await quote_page.show(token)
    return HTMLResponse(pages.quote(view), status, pages.headers(view))


async def survey(request: Request) -> Response:
    """The page where a beneficiary says what they think of their bilan, by its signed link."""
    token = request.path_params["token"]
    if request.method == "POST":
        status, view = await survey_page.answer(token, await _form(request))
    else:
        status, view = await survey_page.show(token)
    return HTMLResponse(pages.survey(view), status, pages.headers(view))


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace")))


async def account(request: Request) -> Response:
    """The page where a person confirms, by a letter's link, what they asked for about their account."""
    page, headers = pages.account()
    return HTMLResponse(page, headers=headers)


ROUTES = (
    Route("/pay/{token}", so_often(pay), methods=["GET", "POST"]),
    Route("/quote/{token}", so_often(quote), methods=["GET", "POST"], max_body_size=FORM_MOST),
    Route("/survey/{token}", so_often(survey), methods=["GET", "POST"], max_body_size=FORM_MOST),
    Route("/account", account, methods=["GET"]),
)
