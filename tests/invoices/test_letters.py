"""The letters: what each says, in text and in HTML."""

import pytest

from models.invoice import InvoiceType
from tests.invoices.post import (
    ALL,
    PDF,
    WITH_INVOICE,
    Letter,
    about,
    body,
    failed,
    failed_for_staff,
    invoiced,
    notice,
    paid,
    receipt,
    reminder,
    renewal_failed,
    renewal_failed_for_staff,
    says,
    source,
    subscription_ended,
    welcome,
)
from tests.invoices.samples import BALANCE_TO_PAY, DEPOSIT, PAY_URL, TAX_RETURN, TO_PAY, brand, invoice

every_letter = pytest.mark.parametrize("letter", ALL)
in_text_and_html = pytest.mark.parametrize("kind", ["plain", "html"])


@pytest.mark.parametrize("letter", WITH_INVOICE)
def test_the_invoice_is_attached_under_its_number(letter: Letter) -> None:
    (attachment,) = letter().iter_attachments()

    assert attachment.get_filename() == "Facture-FQCA-2025-000156.pdf"
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_content() == PDF


@pytest.mark.parametrize(
    ("letter", "subject"),
    [
        (paid, "Votre facture FQCA-2025-000156"),
        (invoiced, "Votre facture FQCA-2025-000156, à régler avant le 5 janvier 2026"),
        (reminder, "Rappel : votre facture FQCA-2025-000156 reste à régler"),
        (receipt, "Paiement reçu : votre facture FQCA-2025-000156 est réglée"),
        (failed, "Votre paiement n’a pas abouti"),
        (failed_for_staff, "Un paiement n’a pas abouti : Marie Martin, commande n° 42"),
        (welcome, "Votre accès est ouvert"),
        (renewal_failed, "Le renouvellement de votre abonnement n’a pas abouti"),
        (renewal_failed_for_staff, "Un renouvellement n’a pas abouti : Marie Martin, commande n° 42"),
        (subscription_ended, "Votre abonnement a pris fin"),
    ],
)
def test_the_subject_says_what_a_letter_is_about(letter: Letter, subject: str) -> None:
    assert letter()["Subject"] == f"{subject} – Service Fiscalité – ComptAppart"


# What all of them keep to


@every_letter
def test_a_test_says_so_everywhere(letter: Letter) -> None:
    message = about(letter, live=False)

    assert message["Subject"].startswith("[TEST] ")
    assert "TEST" in body(message, "plain") and "TEST" in body(message, "html")
    assert "TEST" not in letter().as_string()


@every_letter
def test_nothing_in_it_is_fetched_from_elsewhere(letter: Letter) -> None:
    html = source(letter())

    assert "<img" not in html and "src=" not in html and "url(" not in html and "<script" not in html


@every_letter
def test_names_are_text_in_html(letter: Letter) -> None:
    html = source(about(letter, client="<script>alert(1)</script>", name="<b>Nous</b>"))

    assert "<script>" not in html and "<b>Nous" not in html
    assert "&lt;script&gt;" in html and "&lt;b&gt;Nous" in html


@every_letter
def test_only_web_addresses_become_links(letter: Letter) -> None:
    html = source(about(letter, terms_url="javascript:alert(1)", website="data:text/html,<p>"))

    assert 'href="javascript' not in html and 'href="data' not in html


def test_only_a_web_address_makes_a_button() -> None:
    html = source(invoiced(invoice(**TO_PAY | {"pay_url": "javascript:alert(1)"})))

    assert "javascript" not in html and "Par virement" in html


@every_letter
def test_each_speaks_french_first_and_english_beside(letter: Letter) -> None:
    plain, html = body(letter(), "plain"), source(letter())

    assert plain.startswith("Bonjour") and "In English: " in plain
    assert '<html lang="fr">' in html and ' lang="en">' in html


# The invoice of a payment


@in_text_and_html
def test_the_order_is_told_in_text_and_in_html(kind: str) -> None:
    message = paid(invoice(TAX_RETURN, ("Atelier CV", 3, 14_00, 2000)))

    text = body(message, kind)

    assert "votre facture" in text and "FQCA-2025-000156" in text
    assert "our invoice is attached as a PDF" in text
    assert "commande n° 42" in text.lower()
    for said in ("Déclaration d", "99,99 €", "Atelier CV", "× 3", "42,00 €", "118,32 €", "23,67 €", "141,99 €"):
        assert said in text
    assert "Payé le 5 décembre 2025 en ligne." in text
    assert "contact@comptappart.example" in text and "01 40 00 00 00" in text
    assert "https://comptappart.example/cgv" in text
    assert "À PAYER" not in text.upper()


@in_text_and_html
def test_everyone_the_customer_may_write_to_is_named_once(kind: str) -> None:
    partner = brand(name="Qlower", contact_email="bonjour@qlower.example", phone=None)

    text = body(paid(partner=partner), kind)

    assert "Qlower :" in text and "bonjour@qlower.example" in text
    assert "compta@comptappart.example" in text
    assert body(paid(partner=brand()), "plain").count("contact@comptappart.example") == 1


@in_text_and_html
def test_discounts_are_told_with_vat_as_the_lines_are(kind: str) -> None:
    message = paid(invoice(("Coaching", 2, 90_00, 2000, 10_00), ("Livre", 1, 19_90, 550), discount_cents=19_00))

    assert says(message, kind, "Coaching", "170,00 €", "Livre", "19,90 €", "Remise (Code BIENVENUE)", "−19,00 €")
    assert says(message, kind, "Total HT", "144,47 €", "TVA", "26,43 €", "Total TTC", "170,90 €")


def test_a_deposit_is_thanked_for_as_one_and_the_balance_announced() -> None:
    content = invoice(("Acompte de 30 %", 1, 30_00, 2000), type=InvoiceType.PREPAYMENT)

    message = paid(content)

    assert message["Subject"].startswith("Votre facture d’acompte FQCA-2025-000156 – ")
    text = body(message, "plain")
    assert "nous avons bien reçu votre acompte" in text
    assert "Le solde de votre commande fera l’objet d’une autre facture." in text


@in_text_and_html
def test_a_balance_is_asked_for_where_the_invoice_leaves_one(kind: str) -> None:
    message = paid(invoice(**BALANCE_TO_PAY))

    assert ", solde à régler avant le 5 janvier 2026 – " in message["Subject"]
    assert says(message, kind, "Il reste 69,99 € à régler avant le 5 janvier 2026.")
    assert says(message, kind, "Acompte, facture FQCA-2025-000012", "−30,00 €", "Reste à payer", "69,99 €")
    assert says(message, kind, "Payer 69,99 €") and says(message, kind, PAY_URL)
    assert says(message, kind, "30,00 € payés le 1er décembre 2025 en ligne.")


# An invoice to pay, reminders, and thanks


@in_text_and_html
@pytest.mark.parametrize("letter", [invoiced, reminder])
def test_what_is_to_be_paid_comes_with_a_link_and_all_that_a_transfer_needs(letter: Letter, kind: str) -> None:
    message = letter()

    assert says(message, kind, "99,99 €", "5 janvier 2026", "Payer 99,99 €") and says(message, kind, PAY_URL)
    assert says(message, kind, "ou par virement", "IBAN", "FR76 3000 6000 0112 3456 7890 189", "BIC", "AGRIFRPPXXX")
    assert says(message, kind, "éférence", "FQCA-2025-000156")


@in_text_and_html
def test_without_a_link_there_is_the_transfer_and_without_that_the_amount(kind: str) -> None:
    no_link = invoiced(invoice(**TO_PAY | {"pay_url": None}))
    nothing = invoiced(invoice(**TO_PAY | {"pay_url": None, "transfer": None}))

    assert says(no_link, kind, "Par virement", "IBAN") and not says(no_link, kind, "Payer 99,99 €")
    assert says(nothing, kind, "99,99 €") and not says(nothing, kind, "IBAN")


def test_an_invoice_of_a_deposit_to_pay_says_so() -> None:
    content = invoice(("Acompte de 30 %", 1, 30_00, 2000), type=InvoiceType.PREPAYMENT, **TO_PAY)

    assert invoiced(content)["Subject"].startswith("Votre facture d’acompte FQCA-2025-000156, à régler avant le ")
    assert "votre facture d’acompte FQCA-2025-000156" in body(reminder(content), "plain")
    assert "Votre facture d’acompte FQCA-2025-000156 est réglée" in body(receipt(content, paid_cents=30_00), "plain")


@pytest.mark.parametrize(
    ("number", "subject", "said"),
    [
        (1, "Rappel : votre facture FQCA-2025-000156 reste à régler", "C’est sans doute un oubli"),
        (2, "Rappel n° 2 : votre facture FQCA-2025-000156 reste à régler", "Malgré notre premier rappel"),
        (3, "Rappel n° 3 : votre facture FQCA-2025-000156 est impayée", "nous vous demandons de la régler sans délai"),
        (4, "Rappel n° 4 : votre facture FQCA-2025-000156 est impayée", "nous vous demandons de la régler sans délai"),
    ],
)
def test_reminders_are_courteous_then_firm(number: int, subject: str, said: str) -> None:
    message = reminder(number=number)

    assert message["Subject"].startswith(subject)
    text = body(message, "plain")
    assert said.lower() in text.lower()
    assert "en attente depuis le 5 janvier 2026" in text
    assert "Si vous avez déjà réglé cette somme, ne tenez pas compte de ce message." in text


@in_text_and_html
def test_a_reminder_asks_for_what_is_left_after_payments_since_the_invoice(kind: str) -> None:
    message = reminder(balance_cents=59_99)

    assert says(message, kind, "Total TTC", "99,99 €", "Payé", "−40,00 €", "Reste à payer", "59,99 €")
    assert says(message, kind, "Payer 59,99 €") and not says(message, kind, "Payer 99,99 €")


@in_text_and_html
def test_a_receipt_thanks_and_asks_for_nothing(kind: str) -> None:
    message = receipt()

    assert says(message, kind, "votre paiement de 99,99 €, le 4 janvier 2026, par virement.")
    assert says(message, kind, "Votre facture", "FQCA-2025-000156", "est réglée en totalité")
    assert not says(message, kind, "IBAN") and not says(message, kind, PAY_URL)


@in_text_and_html
def test_a_receipt_takes_the_deposits_into_account(kind: str) -> None:
    message = receipt(invoice(**BALANCE_TO_PAY), paid_cents=69_99)

    assert says(message, kind, "votre paiement de 69,99 €")
    assert says(message, kind, f"facture {DEPOSIT.number}", "−30,00 €", "Payé", "−69,99 €", "Reste à payer", "0,00 €")


# A payment that failed


@in_text_and_html
def test_a_client_whose_payment_failed_is_told_why_and_can_try_again(kind: str) -> None:
    message = failed()

    assert says(message, kind, "Le paiement de votre commande n° 42 n’a pas abouti : la carte a expiré.")
    assert says(message, kind, "Rien ne vous a été débité.", "nothing was charged")
    assert says(message, kind, "Réessayer") and says(message, kind, PAY_URL)
    assert says(message, kind, "Déclaration d'impôts", "Atelier CV", "× 3", "141,99 €")


@pytest.mark.parametrize("reason", [None, "", "a_code_of_tomorrow"])
def test_a_reason_that_says_nothing_to_a_client_is_left_out(reason: str | None) -> None:
    text = body(failed(reason=reason), "plain")

    assert "n’a pas abouti. Rien ne vous a été débité." in text
    assert "tomorrow" not in text


def test_a_payment_given_up_is_not_called_declined() -> None:
    text = body(failed(canceled=True), "plain")

    assert "a été annulé. Rien ne vous a été débité." in text
    assert "was canceled" in text
    assert "expiré" not in text


@in_text_and_html
def test_the_person_in_charge_is_told_who_what_why_and_what_was_done(kind: str) -> None:
    message = failed_for_staff()

    assert message["To"] == "lea@comptoir.example"
    assert says(message, kind, "Un paiement de 141,99 € n’a pas abouti.", "avec un lien pour réessayer")
    assert says(message, kind, "Client", "Marie Martin", "marie.martin@example.com", "06 12 34 56 78")
    assert says(message, kind, "Motif", "la carte a expiré", "expired_card", "Your card has expired.")
    assert says(message, kind, "ommande n° 42" if kind == "html" else "COMMANDE N° 42", "Atelier CV", "× 3")


def test_the_person_in_charge_reads_nothing_of_what_is_not_known() -> None:
    text = body(failed_for_staff(client_phone=None, reason=None, message=None, canceled=True), "plain")

    assert "a été annulé" in text
    assert not any(label in text for label in ("Téléphone", "Motif", "Code", "Stripe", "None"))


# Access


@in_text_and_html
def test_a_welcome_names_what_is_open(kind: str) -> None:
    assert says(
        welcome(), kind, "Vous avez maintenant accès à :", "Déclaration d'impôts", "Atelier CV", "× 3", "141,99 €"
    )


def test_the_welcome_of_a_free_order_confirms_it() -> None:
    message = welcome(notice(amount_cents=0), products=["Découverte"])

    assert message["Subject"].startswith("Votre commande est confirmée")
    text = body(message, "plain")
    assert "Votre commande n° 42 est confirmée. Elle est gratuite" in text
    assert "Montant : 0,00 €" in text
    assert "accès à" not in body(welcome(notice(amount_cents=0), products=[]), "plain")
