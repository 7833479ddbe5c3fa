"""What GraphiQL opens with: the five-minute tour of README, then the sales that are less simple."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.graphiql import Tab

DOCUMENTS = Path(__file__).parent / "tabs"  # one of each tab, named as its operation
BY_LINK = {"Authorization": "Bearer "}  # headers are not kept: with the page, a client's token is forgotten


def tabs(app_url: str, sandbox_url: str | None, *, smtp_port: int = 587) -> tuple[Tab, ...]:
    """The tour, for the installation at this address. An empty variable is for the reader to fill."""
    return (
        _tab("SignIn", {"email": "owner@demo.test", "password": "comptoir-demo"}),  # the demonstration's owner
        _tab("Catalogue"),
        _tab("Order", {"client": "", "product": "", "code": "BIENVENUE10"}),
        _tab("Checkout", {"order": "", "successUrl": f"{app_url}/"}),
        _tab("Orders"),
        _tab("Resend", {"notification": ""}),
        _tab("Partners"),
        _tab("Test", {"partner": ""}),
        _tab("Preview", {"notification": ""}),
        _tab("Replay", {"partner": "", "since": f"{datetime.now(UTC).date()}T00:00:00Z"}),
        _tab("Follow"),
        _tab("Deposit", {"client": "", "product": ""}),
        _tab("Intent", {"order": ""}, form=f"{sandbox_url or app_url}/pay-intent/<clientSecret>"),
        _tab("Invoice", {"order": ""}),
        _tab("Record", {"order": "", "amount": {"amount": 2000}}),
        _tab("Refund", {"payment": "", "reason": "Séance annulée."}),
        _tab("CreditNote", {"invoice": "", "reason": "Geste commercial."}),
        _tab("Refunds"),
        _tab("Sample", {"brandColor": "#1f4e5f"}),
        _tab("Quote", {"quote": ""}),
        _tab("Tickets", {"ticket": "", "body": "C'est fait."}),
        _tab("Clients", {"text": "lefevre"}),
        _tab("Imports"),
        _tab("Timeline", {"client": ""}),
        _tab("Data", {"client": ""}),
        _tab("DataFetch", {"clientDataExport": ""}),
        _tab("Board"),
        _tab("PaymentLink", {"opportunity": ""}),
        _tab("PortalLink", {"client": ""}),
        _tab("Portal", by_link=True),
        _tab("PortalAsk", {"subject": "Ma facture", "body": "Où la trouver ?"}, by_link=True),
        _tab("PortalBook", {"service": "", "startsAt": ""}, by_link=True),
        _tab("PortalPay", {"order": ""}, by_link=True),
        _tab("Export"),
        _tab("Availability", {"service": "", "from": _midnight(1), "to": _midnight(15)}),
        _tab("Book", {"service": "", "client": "", "startsAt": ""}),
        _tab("Move", {"booking": "", "startsAt": ""}),
        _tab("CancelBooking", {"booking": "", "reason": "Empêchement."}),
        _tab("Feed", {"staff": ""}),
        _tab("Consent"),
        _tab("Consented", {"code": "", "state": ""}),
        _tab("Connect", {"staff": "", "oauthGrant": "", "remoteId": "consultant@demo.test"}),
        _tab("Calendars"),
        _tab("Bilans"),
        _tab(
            "Session",
            {
                "bilan": "",
                "phase": "PRELIMINARY",
                "startsAt": _midnight(-1, hour=9),
                "endsAt": _midnight(-1, hour=11),
            },
        ),
        _tab("Documents"),
        _tab("Open", {"document": ""}),
        _tab("Quality", {"from": _midnight(-365)[:10], "to": _midnight(0)[:10]}),
        _tab(
            "Proof",
            {"indicator": 25, "title": "Journée d'étude sur l'entretien", "happenedOn": _midnight(-7)[:10]},
        ),
        _tab("Auditor", {"from": _midnight(-365)[:10], "to": _midnight(0)[:10]}),
        _tab("Integrations"),
        _tab(
            "OwnMail",
            {"values": {"host": "127.0.0.1", "port": smtp_port, "security": "none", "sender": "bonjour@demo.test"}},
        ),
        _tab("Subscriptions"),
        _tab("Cancel", {"subscription": ""}),
        _tab("Conflicts"),
        _tab("Resolve", {"conflict": "", "resolution": "Virement rendu le 12, par la banque."}),
        _tab("Reconciliations"),
        _tab("Pages", {"after": None}),
        _tab("Audit"),
    )


def _tab(name: str, variables: dict[str, Any] | None = None, *, by_link: bool = False, form: str = "") -> Tab:
    document = (DOCUMENTS / f"{name}.graphql").read_text().strip().replace("<form>", form)
    return Tab(document, variables or {}, BY_LINK if by_link else {})


def _midnight(days: int, *, hour: int = 0) -> str:
    """UTC, so many days from now, or an hour of that day."""
    return f"{datetime.now(UTC).date() + timedelta(days=days)}T{hour:02}:00:00Z"
