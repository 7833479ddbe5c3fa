"""The page of the partner: what it was told, and how it answers."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.partner import Answer, PartnerSink, Received
from sandbox.render import page

CHOICES = {
    "200": ("200, accept", Answer(200)),
    "500": ("500, fail", Answer(500)),
    "400": ("400, refuse", Answer(400)),
    "slow": ("200 after 12 s", Answer(200, delay=12.0)),
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


class PartnerPages:
    def __init__(self, sink: PartnerSink) -> None:
        self._sink = sink
        self.routes = [
            Route("/partner", self._show, methods=["GET"]),
            Route("/partner", self._choose, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        current = self._sink.current()
        chosen = next((key for key, (_, answer) in CHOICES.items() if answer == current), None)
        received = [_shown(each) for each in self._sink.received[::-1]]
        labels = {key: label for key, (label, _) in CHOICES.items()}
        return page("partner", received=received, choices=labels, chosen=chosen)

    async def _choose(self, request: Request) -> Response:
        choice = str((await request.form()).get("answer"))
        if choice in CHOICES:
            answer = CHOICES[choice][1]
            self._sink.answer(answer.status, answer.delay, answer.hang_up)
        return RedirectResponse("/partner", 303)


def _shown(received: Received) -> dict[str, Any]:
    headers = {name: received.headers[name] for name in SHOWN_HEADERS if name in received.headers}
    return {"received": received, "headers": headers, "body": _pretty(received.body)}


def _pretty(body: bytes) -> str:
    """The body as its sender meant it: JSON laid out, anything else as it came."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")
