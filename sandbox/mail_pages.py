"""The pages of the mail sink: what came, each message as its reader would see it, its attachments."""

from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.mail import Mail, MailSink
from sandbox.render import HEADERS, page

# A mail is someone else's page: it runs nothing, fetches nothing, and opens its links in a tab of their own.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
SHOWN_HEADERS = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID")


class MailPages:
    def __init__(self, sink: MailSink) -> None:
        self._sink = sink
        self.routes = [
            Route("/mail", self._list),
            Route("/mail/{number:int}", self._message),
            Route("/mail/{number:int}/html", self._html),
            Route("/mail/{number:int}/attachments/{index:int}", self._attachment),
        ]

    async def _list(self, request: Request) -> Response:
        return page("mail", mails=self._sink.messages[::-1])

    async def _message(self, request: Request) -> Response:
        mail = self._find(request)
        headers = [(name, str(mail.message[name])) for name in SHOWN_HEADERS if mail.message[name]]
        attachments = [
            {
                "name": part.get_filename() or f"part-{index}",
                "type": part.get_content_type(),
                "size": _size(part.get_content()),
                "url": f"/mail/{mail.number}/attachments/{index}",
            }
            for index, part in enumerate(mail.attachments)
        ]
        return page(
            "mail_message",
            mail=mail,
            headers=headers,
            has_html=mail.body("html") is not None,
            plain=mail.body("plain"),
            attachments=attachments,
        )

    async def _html(self, request: Request) -> Response:
        html = self._find(request).body("html")
        if html is None:
            raise HTTPException(404)
        in_a_tab = html.replace("<head>", '<head><base target="_blank">', 1)
        return HTMLResponse(in_a_tab, headers=HEADERS | {"Content-Security-Policy": MAIL_POLICY})

    async def _attachment(self, request: Request) -> Response:
        attachments = self._find(request).attachments
        index = request.path_params["index"]
        if index >= len(attachments):
            raise HTTPException(404)
        part = attachments[index]
        content = part.get_content()
        # Only what a browser shows without running it opens in place.
        shown = "inline" if part.get_content_type() == "application/pdf" else "attachment"
        name = quote(part.get_filename() or f"part-{index}")
        return Response(
            content if isinstance(content, bytes) else str(content),
            media_type=part.get_content_type(),
            headers={
                "Content-Disposition": f"{shown}; filename*=UTF-8''{name}",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            },
        )

    def _find(self, request: Request) -> Mail:
        mail = self._sink.find(request.path_params["number"])
        if mail is None:
            raise HTTPException(404)
        return mail


def _size(content: object) -> str:
    size = len(content if isinstance(content, bytes) else str(content).encode())
    return f"{size / 1024:.0f} KB" if size >= 1024 else f"{size} B"
