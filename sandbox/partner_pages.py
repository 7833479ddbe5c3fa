"""The page of the partners: what they were told, whether it was signed, and how they answer."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.partner import Answer, PartnerSink, Received
from sandbox.render import page
from sandbox.standard_webhooks import Verdict

CHOICES = {
    "200": ("200, accept", Answer(200)),
    "201": ("201, created", Answer(201)),
    "204": ("204, nothing to say", Answer(204)),
    "400": ("400, refuse", Answer(400)),
    "410": ("410, gone", Answer(410)),
    "429": ("429, again in 90 s", Answer(429, headers={"Retry-After": "90"})),
    "500": ("500, fail", Answer(500)),
    "503": ("503, again in 120 s", Answer(503, headers={"Retry-After": "120"})),
    "redirect": ("302, elsewhere", Answer(302, headers={"Location": "https://partner.example/moved"})),
    "slow": ("200 after 12 s", Answer(200, delay=12.0)),
    "hang": ("hang for an hour", Answer(200, delay=3600.0)),
    "none": ("hang up", Answer(hang_up=True)),
}
SHOWN_HEADERS = (
    "content-type",
    "user-agent",
    "x-api-key",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
)
VERDICTS = {
    Verdict.VERIFIED: ("signature verified", "good"),
    Verdict.WRONG: ("signature wrong", "bad"),
    Verdict.STALE: ("signature too old", "bad"),
    Verdict.UNSIGNED: ("not signed", "wait"),
    None: ("no secret known", ""),
}


class PartnerPages:
    def __init__(self, sink: PartnerSink) -> None:
        self._sink = sink
        self.routes = [
            Route("/partner", self._show, methods=["GET"]),
            Route("/partner", self._choose, methods=["POST"]),
            Route("/partner/{slug}/secret", self._learn, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        return self._page()

    async def _choose(self, request: Request) -> Response:
        """For the partner of the `slug` posted, or for all."""
        posted = await request.form()
        choice, slug = str(posted.get("answer")), str(posted.get("slug", "")) or None
        if choice in CHOICES:
            answer = CHOICES[choice][1]
            self._sink.answer(answer.status, answer.delay, answer.hang_up, slug=slug, headers=answer.headers)
        return RedirectResponse("/partner", 303)

    async def _learn(self, request: Request) -> Response:
        """The secret as a form's field, or in JSON, `{"secret": "whsec_…"}`, which is answered 204."""
        as_json = request.headers.get("content-type", "").startswith("application/json")
        try:
            self._sink.know(request.path_params["slug"], await _secret(request, as_json))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400) if as_json else self._page(str(error))
        return Response(status_code=204) if as_json else RedirectResponse("/partner", 303)

    def _page(self, problem: str | None = None) -> Response:
        received = self._sink.received[::-1]
        known = self._sink.known()
        slugs = sorted({each.slug for each in received} | set(known))
        return page(
            "partner",
            status=400 if problem else 200,
            problem=problem,
            received=[self._shown(each) for each in received],
            partners=[
                {"slug": slug, "known": slug in known, "chosen": _choice(self._sink.current(slug))} for slug in slugs
            ],
            choices={key: label for key, (label, _) in CHOICES.items()},
            chosen=_choice(self._sink.current()),
        )

    def _shown(self, received: Received) -> dict[str, Any]:
        verdict, tone = VERDICTS[self._sink.verdict(received)]
        signatures = len(received.headers.get("webhook-signature", "").split())
        if signatures > 1:  # while a secret is rotated
            verdict += f", one of {signatures} signatures"
        return {
            "received": received,
            "headers": {name: received.headers[name] for name in SHOWN_HEADERS if name in received.headers},
            "body": _pretty(received.body),
            "verdict": verdict,
            "tone": tone,
        }


async def _secret(request: Request, as_json: bool) -> str:
    """What was posted as one, empty when nothing was."""
    if not as_json:
        return str((await request.form()).get("secret", "")).strip()
    try:
        posted = await request.json()
    except ValueError:
        return ""
    return str(posted.get("secret", "")) if isinstance(posted, dict) else ""


def _choice(answer: Answer) -> str | None:
    return next((key for key, (_, choice) in CHOICES.items() if choice == answer), None)


def _pretty(body: bytes) -> str:
    """The body as its sender meant it: JSON laid out, anything else as it came."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")
