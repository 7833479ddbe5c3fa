"""What a partner is sent, to the byte: the guide's body and headers, Standard Webhooks' signatures beside them."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from models import Partner
from providers.webhooks import signature
from services import files, vault

SECRETS = ("signing_secret", "previous_secret", "api_key")


@dataclass(frozen=True, slots=True)
class Request:
    """`body` is UTF-8."""

    headers: dict[str, str]
    body: bytes


class Writer:
    """Writes to one partner. Their secrets are opened once, for all that it writes."""

    def __init__(self, partner: Partner, secrets: dict[str, str | None]) -> None:
        self._api_key = secrets["api_key"]
        self._agent = f"{_token(partner.organization.brand_name)}-Webhook/1.0"
        both = [secrets["signing_secret"], secrets["previous_secret"]]
        self._signed_by = [secret for secret in both if secret]

    @classmethod
    async def of(cls, partner: Partner, purpose: str) -> "Writer":
        """The partner comes with its organization; `purpose` goes to the access log."""
        fields = SECRETS if partner.is_rotating else tuple(name for name in SECRETS if name != "previous_secret")
        return cls(partner, dict.fromkeys(SECRETS) | await vault.open_several(partner, fields, purpose))

    async def notification(self, webhook_id: str, payload: str, invoice: files.Filed | None) -> Request:
        """The payload with the invoice or credit note, whose link is good for 24 hours from now."""
        told = {"pdf_url": await files.direct_link(invoice), "number": invoice.number} if invoice else None
        said = orjson.loads(payload)
        named = "credit_note" if "refund" in said else "invoice"
        return self.request(webhook_id, orjson.dumps(said | {named: told}))

    def request(self, webhook_id: str, body: bytes) -> Request:
        """Signed now, by each secret that is good now (during a rotation two)."""
        timestamp = int(datetime.now(UTC).timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._agent,
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
        }
        if self._signed_by:
            signatures = (signature(secret, webhook_id, timestamp, body) for secret in self._signed_by)
            headers["webhook-signature"] = " ".join(signatures)
        if self._api_key:
            headers["X-API-KEY"] = self._api_key
        return Request(headers, body)


def _token(brand: str) -> str:
    """A brand as a product token of User-Agent (RFC 9110, section 10.1.5)."""
    plain = unicodedata.normalize("NFKD", brand).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]", "", plain) or "Comptoir"
