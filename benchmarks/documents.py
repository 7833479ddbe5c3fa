"""What is asked, as a client would: documents with their variables, and where the routes by hand answer the same."""

import random
from dataclasses import dataclass, field
from typing import Any

import orjson

from benchmarks.load import request

PAGE_SIZE = 50


@dataclass(frozen=True)
class Ask:
    """One question: a document, and the address of the route by hand."""

    document: str
    variables: dict[str, Any] = field(default_factory=dict)
    route: str | None = None

    def graphql(self, path: str, token: str | None) -> bytes:
        """The request to a GraphQL end point."""
        return request("POST", path, token, orjson.dumps({"query": self.document, "variables": self.variables}))

    def by_hand(self, token: str) -> bytes:
        """The request to the route."""
        assert self.route
        return request("GET", f"/by-hand{self.route}", token)


SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { ... on SignedIn { accessToken } } }"

_WHOLE = """
fragment Whole on Order {
  id number kind status
  total { amount currency }
  createdAt paidAt live
  client { id email firstName lastName company city }
  lines {
    id position description quantity
    unitPrice { amount currency }
    vatRate
    total { amount currency }
    product { id name active }
  }
  invoices { id number issuedAt total { amount currency } }
}
"""
_LIST = "query List($first: Int!) { orders(first: $first) { nodes { ...Whole } pageInfo { hasNextPage } } }" + _WHOLE
_DETAIL = "query Detail($id: ID!) { order(id: $id) { ...Whole } }" + _WHOLE

_ME = """
query Me {
  me {
    id role
    user { id email firstName lastName }
    organization { id slug name legalName vatRegime timeZone brandName brandColor }
  }
}
"""

_LINKS = """
query Links($first: Int!) {
  invoices(first: $first) {
    nodes { id number issuedAt total { amount currency } order { id number status } pdfUrl }
    pageInfo { hasNextPage }
  }
}
"""

_PAGE = """
query Page($first: Int, $after: String, $last: Int, $before: String) {
  orders(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id number status total { amount currency } createdAt client { id email } } }
    pageInfo { hasNextPage startCursor endCursor }
  }
}
"""


def orders() -> Ask:
    return Ask(_LIST, {"first": PAGE_SIZE}, f"/orders?first={PAGE_SIZE}")


def order(key: str) -> Ask:
    return Ask(_DETAIL, {"id": key}, f"/orders/{key}")


def me() -> Ask:
    return Ask(_ME, route="/me")


def links() -> Ask:
    return Ask(_LINKS, {"first": PAGE_SIZE})


def page(**paging: Any) -> Ask:
    return Ask(_PAGE, paging)


def some_orders(number: int, chance: random.Random) -> Ask:
    """A short list that differs from that of any other number in what it selects, and in what it calls it."""

    def some(fields: tuple[str, ...]) -> str:
        first, *others = chance.sample(fields, chance.randint(2, len(fields)))
        return " ".join((f"a{number}: {first}", *others))

    return Ask(
        f"query List{number} {{ orders(first: 5) {{ nodes {{ {some(_ORDER)} client {{ {some(_CLIENT)} }}"
        f" lines {{ {some(_LINE)} product {{ {some(_PRODUCT)} }} }} invoices {{ {some(_INVOICE)} }} }} }} }}"
    )


_MONEY = "{ amount currency }"
_ORDER = ("id", "number", "kind", "status", f"total {_MONEY}", "createdAt", "paidAt", "live")
_CLIENT = ("id", "email", "firstName", "lastName", "company", "phone", "city", "postalCode", "country", "createdAt")
_LINE = ("id", "position", "description", "quantity", f"unitPrice {_MONEY}", "vatRate", f"total {_MONEY}")
_PRODUCT = ("id", "name", "description", "level", f"price {_MONEY}", "active")
_INVOICE = ("id", "number", "issuedAt", f"net {_MONEY}", f"total {_MONEY}", "renderedAt")
