"""Stripe's dashboard, as far as products go: their metadata edited, products made there, and links that sell them."""

import re
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import stripe_catalog as catalog
from sandbox import stripe_links as links
from sandbox.render import page
from sandbox.stripe_account import StripeAccount
from sandbox.stripe_objects import Object
from sandbox.stripe_session import MINIMUM

SHOWN = 50
CURRENCY = "eur"
FIELDS = ("name", "price", "partners")


class Dashboard:
    def __init__(self, account: StripeAccount) -> None:
        self._account = account
        self._books = account.books
        self.routes = [
            Route("/stripe/products", self._show, methods=["GET"]),
            Route("/stripe/products", self._create, methods=["POST"]),
            Route("/stripe/products/{id}", self._edit, methods=["POST"]),
            Route("/stripe/products/{id}/links", self._link, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        return self._page()

    async def _create(self, request: Request) -> Response:
        typed = await _typed(request)
        amount = _amount(typed["price"])
        if not typed["name"] or amount is None:
            problem = "A product has a name, and a price in euros like 49,90: at least 0,50."
            return self._page(typed, problem)
        params = {
            "name": typed["name"],
            "metadata": {"partners": typed["partners"]},
            "default_price_data": {"currency": CURRENCY, "unit_amount": amount},
        }
        product, events = catalog.create_product(self._books, params)
        self._account.courier.send(events)
        return _back(product["id"])

    async def _edit(self, request: Request) -> Response:
        id = request.path_params["id"]
        typed = await _typed(request)
        if self._books.store.get("product", id):
            self._account.edit_product(id, metadata={"partners": typed["partners"]})
        return _back(id)

    async def _link(self, request: Request) -> Response:
        """A payment link for the product's price, or for the one typed where it has none."""
        product = self._books.store.get("product", request.path_params["id"])
        if product is None:
            return RedirectResponse("/stripe/products", 303)
        typed = await _typed(request)
        price = self._price(product)
        if price is None:
            amount = _amount(typed["price"])
            if amount is None:
                return self._page(problem="A price in euros, like 49,90: at least 0,50.")
            given = {"currency": CURRENCY, "unit_amount": amount, "product": product["id"]}
            price = catalog.create_price(self._books, given)
        _, events = links.create(self._books, {"line_items": [{"price": price["id"], "quantity": 1}]})
        self._account.courier.send(events)
        return _back(product["id"])

    def _page(self, typed: dict[str, str] | None = None, problem: str | None = None) -> Response:
        products = self._books.store.older("product", None, SHOWN, [("active", "=", True)])
        return page(
            "products",
            status=400 if problem else 200,
            products=[self._shown(product) for product in products],
            typed=dict.fromkeys(FIELDS, "") | (typed or {}),
            problem=problem,
        )

    def _shown(self, product: Object) -> dict[str, Any]:
        return {
            "product": product,
            "price": self._price(product),
            "partners": product["metadata"].get("partners", ""),
            "metadata": {key: value for key, value in product["metadata"].items() if key != "partners"},
            "links": links.links_of(self._books, product["id"]),
        }

    def _price(self, product: Object) -> Object | None:
        """The default price, or else the newest that can still be sold."""
        if product["default_price"]:
            return self._books.find("price", product["default_price"])
        newest = self._books.store.older("price", None, 1, [("product", "=", product["id"]), ("active", "=", True)])
        return newest[0] if newest else None


async def _typed(request: Request) -> dict[str, str]:
    posted = await request.form()
    return {name: str(posted.get(name, "")).strip() for name in FIELDS}


def _amount(typed: str) -> int | None:
    """`49,90` → 4990; None for what is no price that Stripe would take."""
    if not re.fullmatch(r"\d{1,6}([.,]\d{1,2})?", typed):
        return None
    amount = int(Decimal(typed.replace(",", ".")) * 100)
    return amount if amount >= MINIMUM else None


def _back(product_id: str) -> Response:
    return RedirectResponse(f"/stripe/products#{product_id}", 303)
