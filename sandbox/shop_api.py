"""Comptoir's GraphQL API, as a front end calls it: JSON over HTTP."""

from collections.abc import Mapping
from typing import Any

import httpx

from sandbox.shop_wording import sentence

TIMEOUT = 15.0


class ShopProblem(Exception):
    """What went wrong, in a French sentence for the page. `code` and `detail` are the API's own, for developers."""

    def __init__(self, sentence: str, code: str | None = None, detail: str | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.detail = detail


class Api:
    """Comptoir at one address."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.AsyncClient(transport=transport, timeout=TIMEOUT, trust_env=False)

    async def ask(self, document: str, variables: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        """The data of an answer. Raises ShopProblem."""
        try:
            answer = await self._http.post(
                f"{self.url}/graphql",
                json={"query": document, "variables": variables},
                headers={"Accept": "application/json", **headers},
            )
            content = answer.json()
        except httpx.HTTPError as error:
            raise ShopProblem(f"Comptoir ne répond pas à {self.url} ({type(error).__name__}).") from error
        except ValueError as error:
            raise ShopProblem(f"Comptoir a répondu {answer.status_code}, sans JSON.") from error
        if errors := content.get("errors"):
            blamed = errors[0].get("extensions", {})
            code = blamed.get("code", "INTERNAL")
            raise ShopProblem(sentence(code, blamed.get("field", "")), code, errors[0]["message"])
        return dict(content["data"])

    async def close(self) -> None:
        await self._http.aclose()
