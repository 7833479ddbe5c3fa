"""A small storefront in front of Comptoir: choose, buy, watch the order become paid, invoiced and told.

It holds no data and knows no secret but a demonstration login; all that it shows comes over GraphQL.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.render import moment, page
from sandbox.shop_client import ShopClient, ShopProblem

REFRESH = 2
REFRESHES = 30
FIELDS = ("product", "first_name", "last_name", "email", "quantity")


class Shop:
    """Its pages. `client` is None where the sandbox was not told where Comptoir is."""

    def __init__(self, client: ShopClient | None) -> None:
        self._client = client
        self.routes = [
            Route("/shop", self._products, methods=["GET"]),
            Route("/shop", self._buy, methods=["POST"]),
            # Global ids may hold a slash.
            Route("/shop/orders/{id:path}", self._order, methods=["GET"]),
            Route("/shop/pay/{id:path}", self._pay_again, methods=["POST"]),
        ]

    async def _products(self, request: Request) -> Response:
        chosen = request.query_params.get("product")
        return await self._storefront({"product": chosen} if chosen else {})

    async def _buy(self, request: Request) -> Response:
        form = await request.form()
        typed = {name: str(form.get(name, "")).strip() for name in FIELDS}
        if self._client is None:
            return _closed()
        buyer = {"email": typed["email"], "firstName": typed["first_name"], "lastName": typed["last_name"]}
        try:
            quantity = int(typed["quantity"]) if typed["quantity"].isdigit() else 0
            order = await self._client.buy(buyer, typed["product"], quantity)
            return await self._to_payment(request, str(order["id"]))
        except ShopProblem as problem:
            return await self._storefront(typed, problem)

    async def _order(self, request: Request) -> Response:
        if self._client is None:
            return _closed()
        id = request.path_params["id"]
        try:
            order = await self._client.order(id)
        except ShopProblem as problem:
            return _apology(502, problem)
        if order is None:
            return _apology(404, ShopProblem("Cette commande n’existe pas."), title="Introuvable")
        steps = timeline(order)
        waiting = not all(step["done"] for step in steps)
        # `seen` counts the looks since the client came back from paying; who gave up comes back without it.
        seen = request.query_params.get("seen", "")
        looks = int(seen) if seen.isdigit() else 0
        coming = order["status"] == "PAID" or seen
        again = f"{_address(id)}?seen={looks + 1}" if waiting and coming and looks < REFRESHES else None
        return page("order", order=order, steps=steps, refresh=REFRESH, again=again, waiting=waiting)

    async def _pay_again(self, request: Request) -> Response:
        if self._client is None:
            return _closed()
        try:
            return await self._to_payment(request, request.path_params["id"])
        except ShopProblem as problem:
            return _apology(409, problem)

    async def _to_payment(self, request: Request, order_id: str) -> Response:
        if self._client is None:
            return _closed()
        # The sandbox's own address, however it was reached: Comptoir sends clients back to places it knows only.
        back = f"{request.app.state.server.url}{_address(order_id)}"
        url = await self._client.checkout(order_id, success_url=f"{back}?seen=0", cancel_url=back)
        return RedirectResponse(url or back, 303)

    async def _storefront(self, typed: dict[str, str], problem: ShopProblem | None = None) -> Response:
        if self._client is None:
            return _closed()
        try:
            products = await self._client.products()
        except ShopProblem as unreachable:
            return _apology(502, unreachable)
        defaults = {"first_name": "Marie", "last_name": "Martin", "email": "marie.martin@example.com", "quantity": "1"}
        chosen = next((product for product in products if product["id"] == typed.get("product")), None)
        return page(
            "shop", 400 if problem else 200, products=products, chosen=chosen, typed=defaults | typed, problem=problem
        )


def timeline(order: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of a sale for the page: `{title, detail, done, failed, url, link}`, in order."""
    paid = order["status"] == "PAID"
    steps = [
        _step(f"Commande n° {order['number']} enregistrée", order["total"]["formatted"], True),
        _step("Paiement", "reçu" if paid else "en attente", paid)
        if order["total"]["amount"]
        else _step("Rien à payer", "commande gratuite", True),
    ]
    to_come = [{"number": None, "pdfUrl": None, "emailedAt": None}] if order["total"]["amount"] else []
    for invoice in order["invoices"] or to_come:
        number, pdf = invoice["number"], invoice["pdfUrl"]
        made = f"n° {number}" if number else "à venir"
        steps.append(_step("Facture", made, bool(pdf), url=pdf, link="Ouvrir le PDF"))
        sent = "envoyé, facture jointe" if invoice["emailedAt"] else "à venir"
        steps.append(_step("E-mail au client", sent, bool(invoice["emailedAt"]), url="/mail", link="Lire l’e-mail"))
    for notification in order["notifications"]:
        steps.append(_told(notification))
    return steps


def _told(notification: dict[str, Any]) -> dict[str, Any]:
    """What a partner was told. Once tried, the step leads to what they received, whatever they answered."""
    status, tries, again = notification["status"], len(notification["attempts"]), notification["nextAttemptAt"]
    tried = f"après {tries} tentative{'s' if tries > 1 else ''}"
    if status == "DELIVERED":
        detail = "prévenu"
    elif status == "FAILED":
        detail = f"pas prévenu, {tried}"
    elif again:
        detail = f"nouvel essai le {moment(datetime.fromisoformat(again).timestamp(), 'fr')}, {tried}"
    else:
        detail = "à prévenir"
    step = _step(
        f"Partenaire {notification['partner']['name']}", detail, status != "PENDING", link="Voir ce qu’il a reçu"
    )
    return step | {"failed": status == "FAILED", "url": "/partner" if tries else None}


def _step(title: str, detail: str, done: bool, url: str | None = None, link: str | None = None) -> dict[str, Any]:
    return {"title": title, "detail": detail, "done": done, "failed": False, "url": url if done else None, "link": link}


def _address(order_id: str) -> str:
    return f"/shop/orders/{quote(order_id, safe='')}"


def _closed() -> Response:
    why = "La boutique est fermée : lancez le bac à sable avec --api-url, --shop-email et --shop-password."
    return _apology(503, ShopProblem(why))


def _apology(status: int, problem: ShopProblem, title: str = "Un instant") -> Response:
    return page("problem", status, title=title, problem=problem)
