"""What tests of bilans say: one that was agreed, who pays for it, and what happens in it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from tests.shop import Shop

INSTALL = "mutation { formulesInstall { formules { id slug minutes price { amount } vatRate } } }"
CREATE = """mutation ($input: BilanCreateInput!) { bilanCreate(input: $input) { bilan {
  id status beneficiaryName minutesPlanned minutesDone price { amount } due { amount } formule { slug }
  phases { id kind } warnings { id rule message reference }
} } }"""
SEEN = """query ($id: ID!) { bilan(id: $id) {
  id status minutesDone fundedAt begunAt completedAt canceledAt cancelReason
  price { amount } allotted { amount } secured { amount } due { amount }
  fundings { id source status amount { amount } payer { id } endReason order {
    id number status kind total { amount } client { id } lines { description vatRate } invoices { number }
    payments { id }
  } }
  agreements { id kind status acceptBy decidedOn signerName decidedBy { role } }
  phases { id kind completedAt }
  sessions { nodes { id startsAt endsAt attendance minutes phase { kind } booking { id status } } }
  warnings { id rule message reference clearedAt decidedAt decisionReason decidedBy { role } }
} }"""
CHECKOUT = """mutation ($input: BilanCheckoutStartInput!) { bilanCheckoutStart(input: $input) {
  url orderNumber amount { amount } order { id number }
} }"""


@dataclass
class Agreed:
    """A bilan of Marie's, as somebody of the shop sees it."""

    shop: Shop
    id: str
    client: str

    @classmethod
    async def open(
        cls, shop: Shop, slug: str = "standard", *, email: str = "marie@example.com", **given: Any
    ) -> "Agreed":
        formules = {each["slug"]: each["id"] for each in (await shop(INSTALL))["formules"]}
        client = await shop.client(email, firstName="Marie", lastName="Durand")
        made = (await shop(CREATE, input={"client": client, "formule": formules[slug], **given}))["bilan"]
        return cls(shop, made["id"], client)

    @classmethod
    async def funded(cls, shop: Shop, slug: str = "standard", **given: Any) -> "Agreed":
        """One that somebody agreed to pay."""
        agreed = await cls.open(shop, slug, **given)
        await agreed.agree(await agreed.plan("OPCO"))
        return agreed

    async def see(self) -> dict[str, Any]:
        seen: dict[str, Any] = await self.shop(SEEN, id=self.id)
        return seen

    async def do(self, action: str, fields: str = "id", **given: Any) -> dict[str, Any]:
        """What a mutation gives of what it changes."""
        (changed,) = (await self.shop(document(action, fields), input=given)).values()
        return dict(changed)

    async def cannot(self, action: str, **given: Any) -> tuple[str, str | None, str]:
        return await self.shop.refused(document(action, "id"), input=given)

    async def plan(self, source: str, cents: int | None = None, **given: Any) -> str:
        amount = {} if cents is None else {"amount": {"amount": cents}}
        return str((await self.do("bilanFundingAdd", bilan=self.id, source=source, **amount, **given))["id"])

    async def agree(self, funding: str) -> None:
        await self.do("bilanFundingAgree", bilanFunding=funding)

    async def checkout(self, shop: Shop | None = None) -> dict[str, Any]:
        page = f"{self.shop.sandbox.url}/shop"
        started: dict[str, Any] = await (shop or self.shop)(CHECKOUT, input={"bilan": self.id, "successUrl": page})
        return started

    async def pay(self, shop: Shop | None = None) -> None:
        """Pay what is left on Stripe's page, and have it told."""
        started = await self.checkout(shop)
        session = urlsplit(started["url"]).path.rpartition("/")[2]
        await self.shop.tell(await self.shop.sandbox.stripe.pay(session))

    async def hold(self, phase: str, minutes: int = 60, days_ago: int = 10, **attended: Any) -> str:
        """A session that was held, and attended."""
        starts_at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago)
        ends_at = starts_at + timedelta(minutes=minutes)
        times = {"startsAt": starts_at.isoformat(), "endsAt": ends_at.isoformat()}
        made = await self.do("bilanSessionRecord", bilan=self.id, phase=phase, **times)
        given = {"attendance": "ATTENDED", **attended}
        await self.do("bilanSessionAttend", bilanSession=made["id"], **given)
        return str(made["id"])

    async def phase(self, kind: str) -> str:
        return next(str(each["id"]) for each in (await self.see())["phases"] if each["kind"] == kind)


def document(action: str, fields: str) -> str:
    """A mutation that gives some fields of what it changes."""
    kinds = ("bilanFunding", "bilanSession", "bilanPhase", "bilanAgreement", "bilanWarning", "bilan")
    changed = next(kind for kind in kinds if action.startswith(kind))
    name = action[0].upper() + action[1:]
    return f"mutation ($input: {name}Input!) {{ {action}(input: $input) {{ {changed} {{ {fields} }} }} }}"
