"""What erasing leaves has a clock: who signed for a bilan, and what was offered in vain."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import models
from models import AuditEntry, BilanAgreement, Client, DocumentKind, DocumentShare, Quote, QuoteLine
from services import documents, lapsing_words
from services.outside import outside
from tests.bilans.agreed import Agreed
from tests.managing.test_client_merges import QUOTE, QUOTE_SEND
from tests.managing.test_data_exports import signed_in
from tests.managing.test_erasures import ERASE
from tests.shop import Shop
from tests.test_documents import SHARE
from tests.test_quality import document
from tests.test_quotes import REFUSE

pytestmark = pytest.mark.usefixtures("printer")


async def ended(shop: Shop) -> Agreed:
    """A bilan of Marie's, agreed to, held, documented and over."""
    bilan = await Agreed.funded(shop)
    consent = await bilan.do("bilanAgreementPropose", bilan=bilan.id, kind="CONSENT")
    await bilan.do("bilanAgreementAccept", bilanAgreement=consent["id"], name="Marie Durand")
    for days_ago, kind in ((3, "PRELIMINARY"), (2, "INVESTIGATION"), (1, "CONCLUSION")):
        await bilan.hold(kind, minutes=360, days_ago=days_ago)
    await document(shop, bilan.id, DocumentKind.OTHER, "Test de Marie Durand.pdf")
    for kind in ("PRELIMINARY", "INVESTIGATION", "CONCLUSION"):
        await bilan.do("bilanPhaseComplete", bilanPhase=await bilan.phase(kind))
    for written in (DocumentKind.SYNTHESIS, DocumentKind.CONVENTION):
        await document(shop, bilan.id, written, f"{written.value} de Marie Durand.pdf")
    return bilan


async def test_of_a_beneficiary_who_is_erased_the_synthesis_goes_at_once_and_what_was_agreed_after_three_years(
    shop: Shop,
) -> None:
    bilan = await ended(shop)
    await documents.forget()
    await shop.work_is_done()
    before = len(shop.mails("marie@example.com"))

    erased = (await shop(ERASE, input={"client": bilan.client}))["erasure"]
    await shop.work_is_done()

    assert erased["documentsDestroyed"] == 1
    kept = {each.kind: each.destroyed_at for each in await models.Document.all()}
    assert [kind for kind, gone in kept.items() if gone is None] == [DocumentKind.CONVENTION]
    reasons = {each.kind.value: each.reason.value for each in await models.DestructionRecord.all()}
    assert reasons == {"SYNTHESIS": "ERASURE", "OTHER": "END_OF_BILAN"}
    await shop.time_passes(days=200)  # when it is asked what became of it
    await shop.work_is_done()
    assert len(shop.mails("marie@example.com")) == before
    assert not [mail for mail in shop.sandbox.mail.messages if "erased.invalid" in str(mail.message["To"])]

    ends = (await models.Bilan.get()).completed_at
    assert ends
    assert await lapsing_words.forget(ends + timedelta(days=3 * 365)) == 0
    assert (await BilanAgreement.get()).signer_name == "Marie Durand"
    later = ends + timedelta(days=3 * 365 + 2)
    await documents.forget(later)
    assert await lapsing_words.forget(later) == 1
    assert await lapsing_words.forget(later) == 0
    assert (await BilanAgreement.get()).signer_name == "(effacé)"
    assert "Marie" not in "".join(each.name for each in await models.Document.all())
    entries = await AuditEntry.filter(subject_type="BilanAgreement")
    assert entries and not [entry for entry in entries if "Marie" in f"{entry.before}{entry.after}"]


async def test_with_whom_a_synthesis_was_shared_is_forgotten_with_it(shop: Shop) -> None:
    bilan = await ended(shop)
    beneficiary = await signed_in(shop)
    synthesis = next(
        each for each in (await shop("{ documents { nodes { id kind } } }"))["nodes"] if each["kind"] == "SYNTHESIS"
    )
    given = {"document": synthesis["id"], "recipientName": "Paul", "recipientEmail": "paul@example.com"}
    await beneficiary(SHARE, input=given | {"idempotencyKey": "one"})

    assert await lapsing_words.forget(datetime.now(UTC) + timedelta(days=3 * 365 + 2)) == 2

    share = await DocumentShare.get()
    assert (share.recipient_name, share.statement) == ("(effacé)", "(effacé)")
    assert share.recipient_email.endswith("@erased.invalid") and bilan


async def test_a_quote_that_came_to_nothing_goes_five_years_later_with_who_was_erased_and_no_other(shop: Shop) -> None:
    product = await shop.product()
    marie, paul = [await shop.client(email, lastName=email) for email in ("marie@example.com", "paul@example.com")]
    for client in (marie, paul):
        lines = [{"product": product, "quantity": 1}]
        quote = (await shop(QUOTE, input={"client": client, "lines": lines}))["quote"]["id"]
        await shop(QUOTE_SEND, input={"quote": quote})
        await shop.work_is_done()
        await shop(REFUSE, input={"quote": quote, "refuseReason": "Trop cher pour Marie"})
    await shop(ERASE, input={"client": marie})
    theirs = await Quote.get(client_id=(await Client.get(email__endswith="@erased.invalid")).id)
    paper = outside().documents
    assert theirs.file_key and theirs.refuse_reason is None
    path = await paper.path(theirs.file_key)
    assert isinstance(path, Path) and path.exists()

    refused_at = datetime.now(UTC)
    assert await lapsing_words.forget(refused_at + timedelta(days=5 * 365)) == 0
    written = path.read_bytes()
    path.unlink()
    path.mkdir()  # a store that does not do as it is told
    with pytest.raises(OSError, match=path.name):
        await lapsing_words.forget(refused_at + timedelta(days=5 * 365 + 3))
    path.rmdir()
    path.write_bytes(written)
    assert await lapsing_words.forget(refused_at + timedelta(days=5 * 365 + 3)) == 1

    (left,) = await Quote.all().prefetch_related("client")
    assert left.client.email == "paul@example.com" and await QuoteLine.all().count() == 1
    assert not path.exists()
    with pytest.raises(Exception, match="a quote that was sent is not changed"):
        await QuoteLine.all().delete()
