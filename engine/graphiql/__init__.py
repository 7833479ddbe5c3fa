"""GraphiQL, served by ourselves: it needs no network, and its page runs no script but the files in `static/`.

Two routes make it work:

    Route("/graphql", lambda request: explorer("/graphql", tabs=EXAMPLES), methods=["GET"])
    Mount("/graphiql", assets)
"""

import hashlib
import html
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

HERE = Path(__file__).parent
STATIC = HERE / "static"

# While a dialog is open GraphiQL adds one constant <style> that stops the page behind it from scrolling: its hash is
# allowed, and no other inline style is.
SCROLL_LOCK = "'sha256-Y/huXlwoYkVyQlxwSVcCi1RCDGDCSVBzDt0hYP9qlTc='"

SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' {SCROLL_LOCK}",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Tab:
    """One example that the explorer opens with. GraphiQL titles the tab by the operation's name."""

    query: str
    variables: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def explorer(endpoint: str, *, tabs: Sequence[Tab] = (), static: str = "/graphiql") -> Response:
    """The GraphiQL page, which sends its operations to `endpoint` (a path of the same origin).

    `tabs` greet a browser that has not been here before; `static` is where `assets` is mounted. `?query=` and
    `?variables=` in the page's own address open one more tab. A response whose root field holds an `accessToken` signs
    the browser's tab in: later operations carry it, until "Sign out" or the first UNAUTHENTICATED answer.
    """
    config = {"endpoint": endpoint, "tabs": [_as_graphiql_tab(tab) for tab in tabs]}
    page = PAGE.substitute(static=html.escape(static), version=VERSION, config=_json_in_html(config))
    return HTMLResponse(page, headers=SECURITY_HEADERS | {"Cache-Control": "no-cache"})


class _Assets(StaticFiles):
    """Files whose address changes with their content, so a browser may keep them."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(SECURITY_HEADERS | {"Cache-Control": "public, max-age=31536000, immutable"})
        return response


def _as_graphiql_tab(tab: Tab) -> dict[str, str]:
    return {"query": tab.query, "variables": _editor_text(tab.variables), "headers": _editor_text(tab.headers)}


def _editor_text(values: Mapping[str, object]) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False) if values else ""


def _json_in_html(value: object) -> str:
    """JSON that cannot end the <script> element it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


PAGE = Template((HERE / "page.html").read_text(encoding="utf-8"))

# Of our own files; the vendored ones carry theirs in their path.
VERSION = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(STATIC.glob("*.*")))).hexdigest()[:12]

assets = _Assets(directory=STATIC)
