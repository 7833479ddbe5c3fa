"""Comptoir's GraphQL API, as any shop's own server would call it: sign in, then JSON over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sandbox.shop_wording import sentence

SIGN_IN = """
mutation SignIn($input: SignInInput!) {
  signIn(input: $input) { accessToken expiresAt }
}"""

PRODUCTS = """
query Products {
  products(first: 50) {
    nodes { id name description price { amount currency formatted(locale: "fr-FR") } }
  }
}"""

CREATE_CLIENT = """
mutation CreateClient($input: ClientCreateInput!) {
  clientCreate(input: $input) { client { id } }
}"""

NEWEST_CLIENTS = """
query NewestClients {
  clients(first: 100) { nodes { id email } }
}"""

CREATE_ORDER = """
mutation CreateOrder($input: OrderCreateInput!) {
  orderCreate(input: $input) { order { id number } }
}"""

START_CHECKOUT = """
mutation StartCheckout($input: CheckoutStartInput!) {
  checkoutStart(input: $input) {
    __typename
    ... on CheckoutStarted { url }
    ... on OrderCompleted { order { id } }
  }
}"""

ORDER = """
query Order($id: ID!) {
  order(id: $id) {
    id number status paidAt
    total { amount formatted(locale: "fr-FR") }
    invoices { number pdfUrl emailedAt }
    notifications { status nextAttemptAt partner { name } attempts { statusCode } }
  }
}"""

TIMEOUT = 15.0


class ShopProblem(Exception):
    """What went wrong, in a French sentence for the page. `code` and `detail` are the API's own, for developers."""

    def __init__(self, sentence: str, code: str | None = None, detail: str | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.detail = detail


class ShopClient:
    """Signed in with one login, again when its token has run out."""

    def __init__(
        self, api_url: str, email: str, password: str, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self._login = {"email": email, "password": password}
        self._http = httpx.AsyncClient(transport=transport, timeout=TIMEOUT, trust_env=False)
        self._token = ""
        self._expires_at = datetime.min.replace(tzinfo=UTC)

    async def products(self) -> list[dict[str, Any]]:
        return list((await self._ask(PRODUCTS, {}))["products"]["nodes"])

    async def order(self, id: str) -> dict[str, Any] | None:
        order: dict[str, Any] | None = (await self._ask(ORDER, {"id": id}))["order"]
        return order

    async def buy(self, client: dict[str, Any], product: str, quantity: int) -> dict[str, Any]:
        """An order of one line, for a client made or known by their e-mail address. Gives its id and number."""
        lines = [{"product": product, "quantity": quantity}]
        order = {"client": await self._client(client), "lines": lines}
        return dict((await self._ask(CREATE_ORDER, {"input": order}))["orderCreate"]["order"])

    async def checkout(self, order_id: str, success_url: str, cancel_url: str) -> str | None:
        """Where the client pays; None where there was nothing to pay."""
        start = {"order": order_id, "successUrl": success_url, "cancelUrl": cancel_url}
        result = (await self._ask(START_CHECKOUT, {"input": start}))["checkoutStart"]
        return result["url"] if result["__typename"] == "CheckoutStarted" else None

    async def close(self) -> None:
        await self._http.aclose()

    async def _client(self, client: dict[str, Any]) -> str:
        try:
            made = await self._ask(CREATE_CLIENT, {"input": client})
            return str(made["clientCreate"]["client"]["id"])
        except ShopProblem as problem:
            if problem.code != "CONFLICT":
                raise
        for known in (await self._ask(NEWEST_CLIENTS, {}))["clients"]["nodes"]:
            if known["email"].lower() == client["email"].lower():
                return str(known["id"])
        raise ShopProblem("Cette adresse est celle d’un client trop ancien pour cette boutique : prenez-en une autre.")

    async def _ask(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The data of an answer. Raises ShopProblem."""
        if datetime.now(UTC) > self._expires_at:
            await self._sign_in()
        try:
            return await self._post(document, variables)
        except ShopProblem as problem:
            if problem.code != "UNAUTHENTICATED":
                raise
        await self._sign_in()
        return await self._post(document, variables)

    async def _sign_in(self) -> None:
        self._token = ""
        signed = (await self._post(SIGN_IN, {"input": self._login}))["signIn"]
        self._token = signed["accessToken"]
        self._expires_at = datetime.fromisoformat(signed["expiresAt"]) - timedelta(seconds=30)

    async def _post(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {self._token}"} if self._token else {})
        body = {"query": document, "variables": variables}
        try:
            answer = await self._http.post(f"{self.api_url}/graphql", json=body, headers=headers)
            content = answer.json()
        except httpx.HTTPError as error:
            raise ShopProblem(f"Comptoir ne répond pas à {self.api_url} ({type(error).__name__}).") from error
        except ValueError as error:
            raise ShopProblem(f"Comptoir a répondu {answer.status_code}, sans JSON.") from error
        if errors := content.get("errors"):
            blamed = errors[0].get("extensions", {})
            code = blamed.get("code", "INTERNAL")
            raise ShopProblem(sentence(code, blamed.get("field", "")), code, errors[0]["message"])
        return dict(content["data"])
