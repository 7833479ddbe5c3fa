"""The generated client, with refusals that can be told apart."""

from typing import Any

import httpx
from comptoir import Comptoir, ErrorCode
from comptoir.async_base_client import Response

TIMEOUT = 30  # seconds


class ApiError(Exception):
    """A refusal of the API's: act on its code, show its message, blame its field.

    `retry_after`: in how many seconds to try again, where that helps.
    """

    def __init__(self, message: str, extensions: dict[str, Any]) -> None:
        super().__init__(message)
        self.code = ErrorCode(extensions["code"])
        self.field: str | None = extensions.get("field")
        self.retry_after: int | None = extensions.get("retryAfter")


class Api(Comptoir):
    """A method for each operation. Raise ApiError, GraphQLClientError, and httpx.HTTPError where nobody answers."""

    def __init__(self, url: str, auth: httpx.Auth | None = None) -> None:
        http = httpx.AsyncClient(auth=auth, timeout=TIMEOUT)
        super().__init__(
            url,
            http_client=http,  # type: ignore[arg-type]  # httpx takes by keyword what it is given by keyword
            ws_url=url.replace("http", "ws", 1),
        )

    def get_data(self, response: Response) -> dict[str, Any]:
        if refusal := refusal_of(response):
            raise refusal
        return super().get_data(response)


def refusal_of(response: Response) -> ApiError | None:
    """Why the API refused, where it did."""
    try:
        errors = response.json().get("errors")
    except ValueError:  # somebody else's answer
        return None
    return ApiError(errors[0]["message"], errors[0]["extensions"]) if errors else None
