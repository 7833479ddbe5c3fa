"""A small shop in front of Comptoir: choose, buy, pay, and watch what happens behind.

It sells as any storefront does, with a public key and nothing else; what it shows of an order comes from the
demonstration owner's login, and its page says so. Of its own it keeps who bought what: the carts.
"""

import secrets
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.render import page
from sandbox.shop_api import ShopProblem
from sandbox.shop_client import Cart, ShopClient
from sandbox.shop_timeline import is_under_way, timeline
from sandbox.store import Store

REFRESH = 2
REFRESHES = 30
KEPT = 1000  # carts
FIELDS = ("product", "first_name", "last_name", "email", "quantity", "code")
TYPED = {"first_name": "Marie", "last_name": "Martin", "email": "marie.martin@example.com", "quantity": "1", "code": ""}
NO_ORDER = ShopProblem("Cette commande n’existe pas.")


def routes(client: ShopClient | None, store: Store) -> list[Route]:
    """The shop's pages; closed where the sandbox was not told where Comptoir is."""
    return Shop(client, store).routes if client else [Route("/shop{rest:path}", _closed, methods=["GET", "POST"])]


class Shop:
    """Its pages. What is kept of a cart: `{number, cart}`, the order's number and the Cart."""

    def __init__(self, client: ShopClient, store: Store) -> None:
        self._client, self._store = client, store
        self.routes = [
            Route("/shop", self._products, methods=["GET"]),
            Route("/shop", self._buy, methods=["POST"]),
            Route("/shop/orders/{cart}", self._order, methods=["GET"]),
            Route("/shop/orders/{cart}", self._pay_again, methods=["POST"]),
        ]

    async def _products(self, request: Request) -> Response:
        chosen = request.query_params.get("product")
        return await self._storefront({"product": chosen} if chosen else {})

    async def _buy(self, request: Request) -> Response:
        form = await request.form()
        typed = {name: str(form.get(name, "")).strip() for name in FIELDS}
        quantity = int(typed["quantity"]) if typed["quantity"].isdigit() else 0
        cart = Cart(**{name: typed[name] for name in FIELDS if name != "quantity"}, quantity=quantity)
        try:
            return await self._to_payment(request, secrets.token_urlsafe(16), cart, form.get("by") == "form")
        except ShopProblem as problem:
            return await self._storefront(typed, problem)

    async def _order(self, request: Request) -> Response:
        id = request.path_params["cart"]
        kept = self._store.get("cart", id)
        try:
            order = await self._client.office.order(kept["number"]) if kept else None
        except ShopProblem as problem:
            return _apology(502, problem)
        if kept is None or order is None:
            return _apology(404, NO_ORDER, title="Introuvable")
        steps = timeline(order)
        waiting = order["status"] != "CANCELED" and not all(step["done"] for step in steps)
        # `seen` counts the looks since the client came back from paying; who gave up comes back without it.
        seen = request.query_params.get("seen", "")
        looks = int(seen) if seen.isdigit() else 0
        coming = order["status"] == "PAID" or seen or is_under_way(order)
        again = f"{_address(id)}?seen={looks + 1}" if waiting and coming and looks < REFRESHES else None
        return page(
            "order",
            order=order,
            email=kept["cart"]["email"],
            steps=steps,
            refresh=REFRESH,
            again=again,
            waiting=waiting,
            payable=order["status"] == "OPEN" and not again and not is_under_way(order),
        )

    async def _pay_again(self, request: Request) -> Response:
        id = request.path_params["cart"]
        kept = self._store.get("cart", id)
        if kept is None:
            return _apology(404, NO_ORDER, title="Introuvable")
        try:
            by_form = (await request.form()).get("by") == "form"
            return await self._to_payment(request, id, Cart(**kept["cart"]), by_form)
        except ShopProblem as problem:
            return _apology(409, problem)

    async def _to_payment(self, request: Request, id: str, cart: Cart, by_form: bool) -> Response:
        """Stripe's page, or the shop's own form; straight to the order where there is nothing to pay."""
        # The sandbox's own address, however it was reached: Comptoir sends clients back to places it knows only.
        here = f"{request.app.state.server.url}{_address(id)}"
        success = f"{here}?seen=0"
        number, url = await self._client.front.checkout(cart, success_url=success, cancel_url=here)
        self._store.put("cart", id, {"number": number, "cart": asdict(cart)}, limit=KEPT)
        if url and by_form:
            url = await self._form(number, success)
        return RedirectResponse(url or success, 303)

    async def _form(self, number: int, success: str) -> str | None:
        """Where the stand-in for a form of the shop's own (Stripe.js) is. Only who may see an order can ask for it."""
        order = await self._client.office.order(number)
        secret = await self._client.office.payment_form(order["id"]) if order else None
        return f"/pay-intent/{secret}?return_url={quote(success, safe='')}" if secret else None

    async def _storefront(self, typed: dict[str, Any], problem: ShopProblem | None = None) -> Response:
        try:
            window = await self._client.front.window()
        except ShopProblem as unreachable:
            return _apology(502, unreachable)
        products = window["products"]["nodes"]
        return page(
            "shop",
            400 if problem else 200,
            brand=window["storefront"]["brandName"],
            products=products,
            chosen=next((product for product in products if product["id"] == typed.get("product")), None),
            typed=TYPED | typed,
            problem=problem,
        )


def _address(cart: str) -> str:
    return f"/shop/orders/{cart}"


def _closed(request: Request) -> Response:
    why = "La boutique est fermée : lancez le bac à sable avec --api-url, --shop-key, --shop-email et --shop-password."
    return _apology(503, ShopProblem(why))


def _apology(status: int, problem: ShopProblem, title: str = "Un instant") -> Response:
    return page("problem", status, title=title, problem=problem)
