"""What is said over HTTP when something is sold to a client who then comes by their private link."""

from dataclasses import dataclass
from typing import Any

import httpx

SIGN_IN = """mutation ($input: SignInInput!) { signIn(input: $input) { ... on SignedIn { accessToken } } }"""
ME = "{ me { id } }"
CLIENT = "mutation ($input: ClientCreateInput!) { clientCreate(input: $input) { client { id } } }"
OPPORTUNITY = """mutation ($input: OpportunityCreateInput!) {
  opportunityCreate(input: $input) { opportunity { id stage } }
}"""
MOVE = """mutation ($input: OpportunityMoveInput!) { opportunityMove(input: $input) { opportunity { stage } } }"""
LINK = """mutation ($input: OpportunityPaymentLinkInput!) { opportunityPaymentLink(input: $input) { url } }"""
SEEN = "query ($id: ID!) { opportunity(id: $id) { stage paymentStatus } }"
TOKEN = "mutation ($input: PortalTokenCreateInput!) { portalTokenCreate(input: $input) { token } }"
PORTAL = """{ portal {
  opportunities { title amount { amount } paymentStatus order payUrl }
  invoices { total { amount } pdfUrl }
  tickets { id type status replies { fromClient body } }
} }"""
PAY = "mutation ($input: PortalPayInput!) { portalPay(input: $input) { url } }"
ASK = "mutation ($input: PortalTicketCreateInput!) { portalTicketCreate(input: $input) { ticket } }"
ANSWER = "mutation ($input: TicketReplyInput!) { ticketReply(input: $input) { ticketReply { id } } }"
EMAIL = "mutation ($input: ClientEmailAddInput!) { clientEmailAdd(input: $input) { timelineEvent { id } } }"
TIMELINE = """query ($client: ID!) { timelineEvents(filter: { client: $client }) { nodes {
  kind data { ... on TimelinePayment { amount { amount } } ... on TimelineEmail { sender subject body } }
} } }"""
LETTER = """\
From: Léa Martin <{email}>
To: bonjour@comptappart.test
Subject: Merci
Message-ID: <merci@example.com>

Tout est bien reçu."""


@dataclass(frozen=True)
class Caller:
    """Somebody with a token, at an installation."""

    http: httpx.AsyncClient
    token: str = ""

    async def __call__(self, document: str, **variables: Any) -> Any:
        """What the one root field gives."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        body = {"query": document, "variables": variables}
        answer = (await self.http.post("/graphql", json=body, headers=headers)).json()
        assert "errors" not in answer, answer
        (value,) = answer["data"].values()
        return value

    async def signed_in(self, email: str, password: str) -> "Caller":
        signed = await self(SIGN_IN, input={"email": email, "password": password})
        return Caller(self.http, signed["accessToken"])


@dataclass(frozen=True)
class Sale:
    """An opportunity that a consultant won, and whose link an owner made."""

    consultant: Caller
    owner: Caller
    client: str
    opportunity: str
    url: str

    @classmethod
    async def won(cls, http: httpx.AsyncClient, password: str, email: str) -> "Sale":
        """The demonstration's people sell something at 1,200 € to a client whom they did not know."""
        consultant, owner = [
            await Caller(http).signed_in(f"{who}@demo.test", password) for who in ("consultant", "owner")
        ]
        me = (await consultant(ME))["id"]
        known = {"email": email, "firstName": "Léa", "lastName": "Martin", "consultant": me}
        client = (await owner(CLIENT, input=known))["client"]["id"]
        said = {"client": client, "title": "Accompagnement", "amount": {"amount": 120000, "currency": "EUR"}}
        made = (await consultant(OPPORTUNITY, input=said))["opportunity"]
        sale = cls(consultant, owner, client, made["id"], "")
        await sale.move(made["stage"], "WON")
        url = (await owner(LINK, input={"opportunity": made["id"]}))["url"]
        return cls(consultant, owner, client, made["id"], url)

    async def move(self, before: str, after: str, **why: str) -> None:
        await self.consultant(
            MOVE, input={"opportunity": self.opportunity, "fromStage": before, "toStage": after, **why}
        )

    async def portal(self) -> Caller:
        """The client, by the link that they are given."""
        return Caller(self.owner.http, (await self.owner(TOKEN, input={"client": self.client}))["token"])

    async def is_at(self, payment: str) -> bool:
        return bool((await self.consultant(SEEN, id=self.opportunity))["paymentStatus"] == payment)
