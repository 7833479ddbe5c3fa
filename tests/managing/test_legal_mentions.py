"""What the law has invoices say: ours unless the organization chose its own words, each from a day on."""

from datetime import date
from typing import Any

import pytest

from models import Invoice, LegalMention, Organization, Product, Role, VatRegime
from models.content import InvoiceContent
from services import mentions
from tests.security.surroundings import neighbour, nothing_changes
from tests.shop import Shop

SET = """mutation ($input: LegalMentionSetInput!) {
  legalMentionSet(input: $input) { legalMention { id code scope textFr textEn validFrom validUntil } }
}"""
DELETE = "mutation ($input: LegalMentionDeleteInput!) { legalMentionDelete(input: $input) { id } }"
WORDS = "query ($on: Date) { legalWords(on: $on) { code scope textFr reference own validFrom validUntil } }"
PENALTIES = {"code": "LATE_PENALTIES", "textFr": "Pénalités : 12 % l’an.", "validFrom": "2026-01-01"}


async def test_words_are_ours_with_their_reference_until_ones_own_begin(shop: Shop) -> None:
    await shop(SET, input=PENALTIES | {"validFrom": "2026-03-01"})
    await shop(SET, input=PENALTIES | {"textFr": "Pénalités : 15 %.", "validFrom": "2026-05-01"})
    await shop(SET, input=PENALTIES | {"textFr": "Été.", "validFrom": "2026-07-01", "validUntil": "2026-08-31"})

    found = [(await words(shop, day))["LATE_PENALTIES"] for day in (
        "2026-02-28", "2026-03-01", "2026-05-01", "2026-08-31", "2026-09-01",
    )]  # fmt: skip
    assert [each["own"] for each in found] == [False, True, True, True, True]
    assert [each["textFr"] for each in found[1:]] == [
        "Pénalités : 12 % l’an.", "Pénalités : 15 %.", "Été.", "Pénalités : 15 %.",
    ]  # fmt: skip
    assert found[0]["reference"] == "Code de commerce, art. L441-10" and found[1]["reference"] is None


async def test_what_the_reform_added_is_said_from_its_day_on(shop: Shop) -> None:
    before, after = await words(shop, "2026-08-31"), await words(shop, "2026-09-01")

    assert set(after) - set(before) == {"OPERATION_GOODS", "OPERATION_SERVICES", "OPERATION_MIXED", "VAT_ON_DEBITS"}


async def test_the_next_invoice_says_ones_own_words_and_those_of_before_keep_theirs(shop: Shop) -> None:
    product = await shop.product()
    await shop.sell(product)
    first = await said()
    await shop(SET, input={"code": "DISCOUNT_TERMS", "textFr": "Escompte : 1 %.", "validFrom": "2026-01-01"})
    await shop(SET, input={"code": "OTHER", "textFr": "Membre d’une AGA.", "validFrom": "2026-01-01"})
    later = await shop(SET, input={"code": "OTHER", "textFr": "Plus tard.", "validFrom": "2100-01-01"})
    assert later["legalMention"]["scope"] == "ALL"

    await shop.sell(product)

    supply = "Catégorie de l’opération : prestation de services."
    assert first == ["Pas d’escompte pour paiement anticipé.", supply]
    assert await said() == ["Escompte : 1 %.", supply, "Membre d’une AGA."]
    (content, _) = await Invoice.all().order_by("id").values_list("content", flat=True)
    assert [each.text for each in InvoiceContent.model_validate(content).mentions] == first


@pytest.mark.parametrize(
    ("categories", "said_of"),
    [
        (["GOODS"], "livraison de biens."),
        (["SERVICES"], "prestation de services."),
        (["GOODS", "SERVICES"], "livraison de biens et prestation de services."),
        (["MIXED"], "livraison de biens et prestation de services."),
    ],
)
async def test_an_invoice_says_whether_goods_or_services_were_sold(
    shop: Shop, categories: list[str], said_of: str
) -> None:
    products = [await shop.product(operationCategory=category) for category in categories]

    await shop.pay(await shop.order(*products))

    assert f"Catégorie de l’opération : {said_of}" in await said()


async def test_an_invoice_says_that_vat_is_due_on_debits_where_there_is_vat(shop: Shop) -> None:
    await Organization.all().update(vat_on_debits=True)
    await shop.sell(await shop.product())
    option = "Option pour le paiement de la taxe d’après les débits."
    assert option in await said()

    await Organization.all().update(vat_regime=VatRegime.EXEMPT_TRAINING)
    await Product.all().update(vat_rate=0)
    await shop(SET, input={"code": "VAT_TRAINING", "textFr": "Exonéré, art. 261.4.4 a.", "validFrom": "2026-01-01"})
    await shop.pay(await shop.order(await shop.product(vatRate=0)))

    assert option not in await said()
    assert (await content()).vat[0].exemption == "Exonéré, art. 261.4.4 a."


async def test_words_taken_back_are_ours_again(shop: Shop) -> None:
    made = await shop(SET, input=PENALTIES)
    again = await shop(SET, input=PENALTIES | {"textFr": "Autrement."})
    assert again["legalMention"]["id"] == made["legalMention"]["id"]

    await shop(DELETE, input={"legalMention": made["legalMention"]["id"]})

    assert not (await words(shop, "2026-12-01"))["LATE_PENALTIES"]["own"]


async def test_what_cannot_be_is_refused_and_named(shop: Shop) -> None:
    async with nothing_changes(shop):
        for given, field in (
            ({"textFr": " "}, "textFr"),
            ({"textFr": "x" * 501}, "textFr"),
            ({"textEn": ""}, "textEn"),
            ({"validUntil": "2025-12-31"}, "validUntil"),
            ({"validUntil": "9999-12-31"}, "validUntil"),
            ({"validFrom": "1999-12-31"}, "validFrom"),
            ({"scope": "ALL"}, "scope"),
        ):
            code, blamed, _ = await shop.refused(SET, input=PENALTIES | given)
            assert (code, blamed) == ("INVALID", f"input.{field}"), given


async def test_of_ones_own_there_are_so_many_at_most(shop: Shop) -> None:
    own: dict[str, Any] = {"organization": shop.organization, "code": "OTHER", "scope": "ALL", "text_fr": "x"}
    await LegalMention.bulk_create([LegalMention(**own, valid_from=date(2026, 1, 1)) for _ in range(mentions.MOST)])

    code, field, _ = await shop.refused(SET, input=PENALTIES | {"code": "OTHER"})

    assert (code, field) == ("INVALID", "input.code")


async def test_those_who_run_it_choose_words_and_nobody_of_elsewhere(shop: Shop) -> None:
    theirs = await neighbour(shop)
    accountant = await Shop.open(shop.http, shop.sandbox, role=Role.ACCOUNTANT)
    made = await shop(SET, input=PENALTIES)

    assert (await accountant.refused(SET, input=PENALTIES))[0] == "FORBIDDEN"
    assert (await words(accountant, "2026-02-01"))["LATE_PENALTIES"]["own"]
    assert not (await words(theirs, "2026-02-01"))["LATE_PENALTIES"]["own"]
    assert (await theirs.refused(DELETE, input={"legalMention": made["legalMention"]["id"]}))[0] == "NOT_FOUND"


async def words(shop: Shop, day: str) -> dict[str, Any]:
    return {each["code"]: each for each in await shop(WORDS, on=day)}


async def said() -> list[str]:
    """What the newest invoice says."""
    return [mention.text for mention in (await content()).mentions]


async def content() -> InvoiceContent:
    return InvoiceContent.model_validate((await Invoice.all().order_by("-id").first()).content)
