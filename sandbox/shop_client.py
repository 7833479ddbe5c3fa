"""What the shop asks of Comptoir: as any storefront, and, to show what happens behind, as the demonstration's owner."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sandbox.shop_api import Api, ShopProblem

WINDOW = """
query Window {
  storefront { brandName }
  products(first: 50) {
    nodes { id name description interval intervalCount price { amount currency formatted(locale: "fr-FR") } }
  }
}"""

START_CHECKOUT = """
mutation StartCheckout($input: CheckoutStartInput!) {
  checkoutStart(input: $input) {
    __typename
    ... on CheckoutStarted { orderNumber url }
    ... on OrderCompleted { orderNumber }
  }
}"""

SIGN_IN = """
mutation SignIn($input: SignInInput!) {
  signIn(input: $input) { ... on SignedIn { accessToken expiresAt } }
}"""

ORDER = """
query Order($number: Int!) {
  orders(first: 1, filter: { number: $number }) {
    nodes {
      id number kind status payUrl
      discount { amount formatted(locale: "fr-FR") }
      discountReason
      total { amount formatted(locale: "fr-FR") }
      payments { status }
      invoices { number pdfUrl emailedAt }
      notifications { status nextAttemptAt partner { name } attempts { statusCode } }
    }
  }
}"""

START_INTENT = """
mutation StartIntent($order: ID!) {
  paymentIntentStart(input: { order: $order }) {
    __typename
    ... on PaymentIntentStarted { clientSecret }
  }
}"""


@dataclass(frozen=True)
class Cart:
    """What somebody buys."""

    product: str
    quantity: int
    email: str
    first_name: str
    last_name: str
    code: str


class Storefront:
    """What a shop can do: show what is sold, and start a checkout. Its key is public, and good from `origin` only."""

    def __init__(self, api: Api, key: str) -> None:
        self.origin = ""  # the sandbox's own, once it has one
        self._api, self._key = api, key

    async def window(self) -> dict[str, Any]:
        """`{storefront: {brandName}, products: {nodes}}`"""
        return await self._ask(WINDOW, {})

    async def checkout(self, cart: Cart, success_url: str, cancel_url: str) -> tuple[int, str | None]:
        """The order's number, and where the client pays: nowhere if it is free. The same cart again: the same order."""
        start = {
            "lines": [{"product": cart.product, "quantity": cart.quantity}],
            "email": cart.email,
            "firstName": cart.first_name,
            "lastName": cart.last_name,
            "discountCode": cart.code or None,
            "successUrl": success_url,
            "cancelUrl": cancel_url,
        }
        started = (await self._ask(START_CHECKOUT, {"input": start}))["checkoutStart"]
        return started["orderNumber"], started.get("url")

    async def _ask(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        # Browsers send Origin by themselves, and let no page change it.
        return await self._api.ask(document, variables, {"Authorization": f"Bearer {self._key}", "Origin": self.origin})


class BackOffice:
    """What the owner sees and no shop does. Signed in with one login, again when its token has run out."""

    def __init__(self, api: Api, email: str, password: str) -> None:
        self._api = api
        self._login = {"email": email, "password": password}
        self._token = ""
        self._expires_at = datetime.min.replace(tzinfo=UTC)

    async def order(self, number: int) -> dict[str, Any] | None:
        found = (await self._ask(ORDER, {"number": number}))["orders"]["nodes"]
        return found[0] if found else None

    async def payment_form(self, order_id: str) -> str | None:
        """The client secret that a front end's own payment form works with; None where there was nothing to pay."""
        secret: str | None = (await self._ask(START_INTENT, {"order": order_id}))["paymentIntentStart"].get(
            "clientSecret"
        )
        return secret

    async def _ask(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        if datetime.now(UTC) > self._expires_at:
            await self._sign_in()
        try:
            return await self._api.ask(document, variables, self._headers())
        except ShopProblem as problem:
            if problem.code != "UNAUTHENTICATED":
                raise
        await self._sign_in()
        return await self._api.ask(document, variables, self._headers())

    async def _sign_in(self) -> None:
        signed = (await self._api.ask(SIGN_IN, {"input": self._login}, {}))["signIn"]
        self._token = signed["accessToken"]
        self._expires_at = datetime.fromisoformat(signed["expiresAt"]) - timedelta(seconds=30)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


class ShopClient:
    """Both, at one address."""

    def __init__(
        self, api_url: str, key: str, email: str, password: str, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._api = Api(api_url, transport)
        self.api_url = self._api.url
        self.front = Storefront(self._api, key)
        self.office = BackOffice(self._api, email, password)

    async def close(self) -> None:
        await self._api.close()
