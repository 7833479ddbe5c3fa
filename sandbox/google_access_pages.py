"""The page of who has access at Google's stand-in, and of how it behaves."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.google_account import GoogleAccount
from sandbox.render import page

FAULTS = {
    "403": ("403, quota", 403, "rateLimitExceeded"),
    "429": ("429, too fast", 429, "rateLimitExceeded"),
    "500": ("500, fail", 500, "backendError"),
    "none": ("hang up", None, ""),
}
TIMES = 5
SHOWN = 30


class GoogleAccessPages:
    def __init__(self, google: GoogleAccount) -> None:
        self._google = google
        self.routes = [
            Route("/google/access", self._show, methods=["GET"]),
            Route("/google/access", self._do, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        google = self._google
        return page(
            "google_access",
            url=google.books.url,
            accounts=google.people.service_accounts(),
            grants=google.people.grants(),
            calendars=google.books.calendars(),
            faults={key: label for key, (label, _, _) in FAULTS.items()},
            coming=google.faults.coming,
            meet=google.api.meet,
            rotates=google.people.rotates,
            requests=list(google.requests)[-SHOWN:][::-1],
        )

    async def _do(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        google, what = self._google, form.get("do", "")
        if what in FAULTS:
            _, status, reason = FAULTS[what]
            google.fail(status, reason, times=TIMES)
        elif what == "expire-sync":
            for calendar in google.books.calendars():
                google.expire_sync_tokens(calendar["id"])
        elif what == "expire-access":
            google.people.expire_access_tokens()
        elif what == "rotate":
            google.people.rotates = not google.people.rotates
        elif what == "slow-meet":
            google.make_meets(slowly=not google.api.meet.slowly)
        elif what == "delegate":
            google.people.delegate(form["email"], delegated=form.get("delegated") == "yes")
        elif what == "revoke":
            google.people.forget_consent(form.get("client_id", ""), form.get("email", ""))
        return RedirectResponse("/google/access", 303)
