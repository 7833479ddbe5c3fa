"""Google's authorization server: the page where people agree, the token endpoint, revocation.

https://developers.google.com/identity/protocols/oauth2/web-server
"""

import re
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.google_account import GoogleAccount
from sandbox.google_errors import OAuthError
from sandbox.render import page

SCOPES = {
    "https://www.googleapis.com/auth/calendar": "Voir, modifier, partager et supprimer tous vos agendas",
    "https://www.googleapis.com/auth/calendar.events": "Voir et modifier les événements de tous vos agendas",
    "https://www.googleapis.com/auth/calendar.readonly": "Voir tous vos agendas",
    "openid": "Vous reconnaître",
    "email": "Voir votre adresse e-mail",
    "https://www.googleapis.com/auth/userinfo.email": "Voir votre adresse e-mail",
    "profile": "Voir votre nom",
}
CARRIED = (
    "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "access_type", "prompt"
)  # fmt: skip


class GoogleOAuth:
    def __init__(self, google: GoogleAccount) -> None:
        self._google = google
        self.routes = [
            Route("/o/oauth2/v2/auth", self._ask, methods=["GET"]),
            Route("/o/oauth2/v2/auth", self._agree, methods=["POST"]),
            Route("/token", self._token, methods=["POST"]),
            Route("/revoke", self._revoke, methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if problem := _problem(asked):
            return page("google_problem", 400, why=problem)
        return page(
            "google_consent",
            carried={name: asked[name] for name in CARRIED if name in asked},
            client=asked["client_id"],
            people=[each["id"] for each in self._google.books.calendars() if each["id"] == each["owner"]],
            hint=asked.get("login_hint", ""),
            scopes=[(scope, SCOPES.get(scope, scope)) for scope in asked["scope"].split()],
        )

    async def _agree(self, request: Request) -> Response:
        """Back to who asked, with a code, or with the refusal (RFC 6749 4.1.2)."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        if problem := _problem(form | {"response_type": "code"}):
            return page("google_problem", 400, why=problem)
        state = {"state": form["state"]} if "state" in form else {}
        if form.get("answer") != "allow":
            return _back(form, state | {"error": "access_denied"})
        email = form.get("email", "").strip().lower()
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
            return page("google_problem", 400, why="Une adresse e-mail, comme camille@demo.test.")
        self._google.person(email)
        scopes = form["scope"].split()
        code = self._google.people.consent(email, form, scopes)
        return _back(form, state | {"code": code, "scope": " ".join(scopes)})

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        fault = self._google.faults.take("/token")
        if fault and fault.status:
            return JSONResponse({"error": "internal_failure"}, fault.status)
        try:
            answer = self._google.people.exchange(form)
        except OAuthError as error:
            return JSONResponse(error.body(), error.status)
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def _revoke(self, request: Request) -> Response:
        form = await request.form()
        try:
            self._google.people.revoke(str(form.get("token") or request.query_params.get("token", "")))
        except OAuthError as error:
            return JSONResponse(error.body(), error.status)
        return JSONResponse({})


def _problem(asked: dict[str, str]) -> str | None:
    """What Google would show a page of its own for, instead of sending anybody back."""
    if not asked.get("client_id", "").endswith(".apps.googleusercontent.com"):
        return "invalid_client : client_id se termine par .apps.googleusercontent.com."
    if not re.match(r"https://[^/\s]+|http://(127\.0\.0\.1|localhost)[:/]", asked.get("redirect_uri", "")):
        return "redirect_uri_mismatch : redirect_uri est en https, ou sur cette machine."
    if asked.get("response_type") != "code":
        return "unsupported_response_type : response_type vaut code."
    if not asked.get("scope"):
        return "invalid_request : scope manque."
    if asked.get("code_challenge_method", "S256") not in ("S256", "plain"):
        return "invalid_request : code_challenge_method vaut S256."
    return None


def _back(form: dict[str, str], answer: dict[str, str]) -> Response:
    joint = "&" if "?" in form["redirect_uri"] else "?"
    return RedirectResponse(f"{form['redirect_uri']}{joint}{urlencode(answer)}", 303)
