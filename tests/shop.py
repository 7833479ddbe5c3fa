"""What tests do, in the words of the shop: sell, be paid, let time pass, see what came of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import stripe
from argon2 import PasswordHasher
from tortoise import connections

from models import Lane, Membership, Organization, Role, User, VatRegime
from sandbox import Sandbox
from services import deliveries, keeping
from tests.documents import CHECKOUT, CODE, INTENT, ORDER, SIGN_IN, changing, mutation
from workers.lanes import AREAS

WEBHOOK_SECRET = "whsec_test_secret"
PASSWORD = "correct horse battery staple"
assert AREAS  # every job is declared

# A hash names its own cost: a cheap one makes signing in as quick as the rest.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
CHEAP_HASH = CHEAP.hash(PASSWORD)


class GraphQLErrors(Exception):
    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors


@dataclass
class Shop:
    """One organization and the person signed in."""

    http: httpx.AsyncClient
    sandbox: Sandbox
    organization: Organization
    email: str
    token: str = ""
    origin: str = ""  # of the page, for those who come with a storefront's key
    _made: int = field(default=0)
    _seen: int = field(default=0)  # what the sandbox received before this shop opened
    _read: int = field(default=0)

    @classmethod
    async def open(cls, http: httpx.AsyncClient, sandbox: Sandbox, slug: str = "shop", role: Role = Role.OWNER) -> Self:
        organization = await Organization.get_or_none(slug=slug) or await Organization.create(
            slug=slug, name="ComptAppart", legal_name="ComptAppart SAS", legal_form="SAS", share_capital="10 000 €",
            siren="732829320", siret="73282932000074", rcs="RCS Paris 732 829 320", vat_number="FR44732829320",
            vat_regime=VatRegime.STANDARD, address="12 rue de la Paix", postal_code="75002", city="Paris",
            invoice_prefix="FQCA", brand_name="ComptAppart", contact_email="bonjour@comptappart.test",
            terms_url="https://comptappart.test/cgv",
        )  # fmt: skip
        email = f"{role.value.lower()}@{slug}.test"
        user = await User.create(
            email=email, password_hash=CHEAP_HASH, first_name="Camille", last_name="Durand",
            confirmed_at=datetime.now(UTC),
        )  # fmt: skip
        await Membership.create(organization=organization, user=user, role=role)
        shop = cls(http, sandbox, organization, email)
        shop._seen = max((received.number for received in sandbox.partner.received), default=0)
        shop._read = max((mail.number for mail in sandbox.mail.messages), default=0)
        signed_in = await shop(SIGN_IN, input={"email": email, "password": PASSWORD})
        shop.token = signed_in["accessToken"]
        return shop

    async def post(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The whole answer to a document."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Origin": self.origin} if self.origin else {}
        response = await self.http.post(
            "/graphql", json={"query": document, "variables": variables}, headers=headers, timeout=60
        )
        answer: dict[str, Any] = response.json()
        return answer

    async def __call__(self, document: str, **variables: Any) -> Any:
        """What the one root field of a document gives. Raises GraphQLErrors."""
        answer = await self.post(document, variables)
        if "errors" in answer:
            raise GraphQLErrors(answer["errors"])
        (value,) = answer["data"].values()
        return value

    async def refused(self, document: str, **variables: Any) -> tuple[str, str | None, str]:
        """(code, field, message) of the one error that a document gets."""
        answer = await self.post(document, variables)
        (error,) = answer["errors"]
        return error["extensions"]["code"], error["extensions"].get("field"), error["message"]

    # Selling

    async def partner(self, slug: str = "fiscalis", **values: Any) -> dict[str, Any]:
        """A partner told in the sandbox; with its signing secret."""
        given = {
            "slug": slug, "name": slug.title(), "brandName": f"Service {slug.title()}",
            "contactEmail": f"contact@{slug}.test", "stagingUrl": f"{self.sandbox.url}/partner/{slug}",
        } | values  # fmt: skip
        made = await self(
            "mutation ($input: PartnerCreateInput!) { partnerCreate(input: $input) { signingSecret partner { id } } }",
            input=given,
        )
        return {"id": made["partner"]["id"], "secret": made["signingSecret"], "slug": slug}

    async def product(
        self, price: int = 9999, partners: tuple[dict[str, Any], ...] = (), currency: str = "EUR", **values: Any
    ) -> str:
        cost = {"amount": price, "currency": currency}
        given = {"name": "Déclaration d'impôts - Formule Complète", "price": cost} | values
        given["partners"] = [partner["id"] for partner in partners]
        made = await self(
            "mutation ($input: ProductCreateInput!) { productCreate(input: $input) { product { id } } }", input=given
        )
        return str(made["product"]["id"])

    async def charges_no_vat(self) -> None:
        """Who sells in another currency than euros charges none."""
        await self.sql("UPDATE organizations SET vat_regime = 'EXEMPT_TRAINING' WHERE id = $1", self.organization.id)

    async def client(self, email: str | None = None, **values: Any) -> str:
        self._made += 1
        given = {"email": email or f"client{self._made}@example.com"} | values
        made = await self(
            "mutation ($input: ClientCreateInput!) { clientCreate(input: $input) { client { id } } }", input=given
        )
        return str(made["client"]["id"])

    async def change(self, kind: str, id: str = "", **values: Any) -> None:
        """Set what a person may set: `change("product", product, active=False)`, `change("organization", iban=…)`."""
        input = values | ({kind: id} if id else {})
        await self(changing(kind), input=input)

    async def code(self, code: str, **values: Any) -> dict[str, Any]:
        """A discount code: `code("RENTREE", percent=2000)`."""
        made = await self(CODE, input={"code": code} | values)
        return dict(made["discountCode"])

    async def order(self, *products: str, client: str | None = None, quantity: int = 1, **input: Any) -> dict[str, Any]:
        client = client or await self.client()
        lines = [{"product": product, "quantity": quantity} for product in products or (await self.product(),)]
        made = await self(
            "mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order { id number status } } }",
            input={"client": client, "lines": lines} | input,
        )
        order: dict[str, Any] = made["order"]
        return order

    async def do(self, action: str, order: dict[str, Any], **input: Any) -> dict[str, Any]:
        """What a mutation makes of an order: `do("orderInvoice", order)`. Raises GraphQLErrors."""
        done = await self(mutation(action), input={"order": order["id"]} | input)
        return dict(done["order"])

    async def cannot(self, action: str, order: dict[str, Any], **input: Any) -> tuple[str, str | None, str]:
        """The refusal of a mutation of an order, as `refused` gives it."""
        return await self.refused(mutation(action), input={"order": order["id"]} | input)

    async def checkout(self, order: dict[str, Any]) -> str:
        """Start paying; the id of the Checkout Session."""
        started = await self(CHECKOUT, input=self.checkout_input(order))
        return urlsplit(started["url"]).path.rpartition("/")[2]

    async def intent(self, order: dict[str, Any]) -> str:
        """Start paying by a form of one's own; the id of the PaymentIntent."""
        started = await self(INTENT, input={"order": order["id"]})
        return str(started["clientSecret"]).partition("_secret_")[0]

    def checkout_input(self, order: dict[str, Any]) -> dict[str, Any]:
        return {"order": order["id"], "successUrl": f"{self.sandbox.url}/shop", "cancelUrl": f"{self.sandbox.url}/shop"}

    async def paid_events(self, *products: str, **order: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """An order paid at Stripe, and the events of it, none delivered yet."""
        made = await self.order(*products, **order)
        events = await self.sandbox.stripe.pay(await self.checkout(made))
        return made, events

    async def sell(self, *products: str, **order: Any) -> dict[str, Any]:
        """A sale, to its end."""
        made, events = await self.paid_events(*products, **order)
        await self.tell(events)
        return await self.see(made)

    async def pay(self, order: dict[str, Any], **how: Any) -> dict[str, Any]:
        """Pay on the page of an order, `card=` or `iban=`; the order once all is told and done."""
        await self.tell(await self.sandbox.stripe.pay(await self.checkout(order), **how))
        return await self.see(order)

    async def see(self, order: dict[str, Any]) -> dict[str, Any]:
        seen: dict[str, Any] = await self(ORDER, id=order["id"])
        return seen

    # Stripe's side

    @property
    def dashboard(self) -> stripe.StripeClient:
        """Somebody else who works in the same Stripe account."""
        return stripe.StripeClient(
            "sk_test_somebody_else", base_addresses={"api": self.sandbox.url}, max_network_retries=0
        )

    async def deliver(self, event: dict[str, Any], *, signature: str | None = None) -> httpx.Response:
        body = json.dumps(event).encode()
        signed = self.sandbox.stripe.sign(body) if signature is None else signature
        return await self.http.post("/webhooks/stripe", content=body, headers={"Stripe-Signature": signed})

    async def tell(self, events: Iterable[dict[str, Any]]) -> None:
        """Deliver events, and do what they ask."""
        for event in events:
            assert (await self.deliver(event)).status_code == 200
        await self.work_is_done()

    # Time and work

    async def work_is_done(self, most: int = 200) -> None:
        """Keep every promise that is due, as the workers would, until none is left."""
        for _ in range(most):
            leased = [promise for lane in Lane for promise in await keeping.claim(lane, 20)]
            for promise in leased:
                await keeping.keep(promise)
            due = await deliveries.claim(20)
            for endpoint in due:
                await deliveries.tell(endpoint)
            if not leased and not due:
                return
        raise AssertionError("the work is never done")

    async def time_passes(self, **duration: int) -> None:
        """Bring everything that is due later nearer."""
        seconds = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
        total = sum(seconds[unit] * count for unit, count in duration.items())
        for table, column in (
            ("outbox", "failing_since"), ("outbox", "due_at"), ("outbox", "lease_until"),
            ("notifications", "next_attempt_at"), ("reminders", "due_at"),
            ("partner_endpoints", "held_until"), ("partner_endpoints", "alerted_at"),
            ("partners", "previous_secret_until"), ("notification_attempts", "started_at"),
            ("bilans", "completed_at"), ("bilans", "canceled_at"), ("stored_files", "destroy_at"),
        ):  # fmt: skip
            await self.sql(f"UPDATE {table} SET {column} = {column} - $1 * interval '1 second'", float(total))

    async def sql(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        return await connections.get("default").execute_query_dict(statement, list(values))

    async def tamper(self, *statements: str) -> None:
        """As a superuser does who goes around all triggers: those that keep what was issued, too."""
        script = "; ".join(("BEGIN", "SET LOCAL session_replication_role = replica", *statements, "COMMIT"))
        await connections.get("default").execute_script(script)

    async def count(self, table: str, where: str = "true") -> int:
        (row,) = await self.sql(f"SELECT count(*) AS n FROM {table} WHERE {where}")
        return int(row["n"])

    # The other sides

    async def browse(self, url: str, form: dict[str, str] | None = None) -> httpx.Response:
        """A page of ours or of the sandbox's, opened, or its form sent; no redirect followed."""
        method = "GET" if form is None else "POST"
        if url.startswith(str(self.http.base_url)):
            return await self.http.request(method, url, data=form)
        async with httpx.AsyncClient() as browser:
            return await browser.request(method, url, data=form)

    def mails(self, email: str) -> list[Any]:
        """All that an address was written since the shop opened."""
        return [mail for mail in self.sandbox.mail.to(email) if mail.number > self._read]

    def subjects(self, email: str) -> list[str]:
        """What an address was written about, the brand left out, with plain spaces."""
        return [plain(str(mail.message["Subject"])).rpartition(" – ")[0] for mail in self.mails(email)]

    def letters(self, order: dict[str, Any]) -> list[Any]:
        """Those that carry an invoice to the client."""
        return [mail for mail in self.mails(order["client"]["email"]) if mail.attachments]

    def told(self, slug: str = "fiscalis") -> list[Any]:
        mine = (received for received in self.sandbox.partner.received if received.number > self._seen)
        return [received for received in mine if received.slug == slug]


def said(letter: Any) -> str:
    """The text of a letter, with plain spaces where lines do not break."""
    return plain(letter.body("plain"))


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
