"""Pasted e-mails: what is read of them, and how long that takes at most."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from errors import Invalid
from services import emails
from services.emails import LINES_MOST, SIZE_MOST, Attachment, Email

PARIS = ZoneInfo("Europe/Paris")
MORNING = datetime(2025, 3, 3, 10, 12, tzinfo=PARIS)

SOURCE = """\
Received: by mx.example.com; Mon, 3 Mar 2025 10:12:01 +0100
From: =?utf-8?q?Marie_Dup=C3=B4nt?= <Marie@Example.com>
To: "Durand, Camille" <camille@shop.test>, bureau@shop.test
Subject: =?iso-8859-1?Q?Bilan_de_comp=E9tences?= =?utf-8?b?IOKCrA==?=
Date: Mon, 3 Mar 2025 10:12:00 +0100
Message-ID: <3@example.com>
In-Reply-To: <2@shop.test>
References: <1@example.com>
 <2@shop.test>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Bonjour, l'=E9t=E9 co=FBte 100 =80.
--inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PGI+Qm9uam91cjwvYj4=
--inner--
--outer
Content-Type: application/pdf
Content-Disposition: attachment; filename*=utf-8''d%C3%A9tail.pdf
Content-Transfer-Encoding: base64

AAAA
--outer
Content-Type: message/rfc822

Subject: Avant
From: z@example.com

Voir plus bas.
--outer--
"""


def test_a_source_is_read_part_by_part() -> None:
    email = read(SOURCE)

    assert email == Email(
        sender="marie@example.com",
        sender_name="Marie Dupônt",
        recipients=("camille@shop.test", "bureau@shop.test"),
        subject="Bilan de compétences €",
        body="Bonjour, l'été coûte 100 €.",
        sent_at=MORNING,
        message_id="<3@example.com>",
        thread_id="<1@example.com>",
        attachments=email.attachments,
    )
    pdf, enclosed = email.attachments
    assert pdf == Attachment("détail.pdf", "application/pdf", 3)
    assert (enclosed.name, enclosed.content_type) == ("Avant", "message/rfc822")


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
def test_the_ends_of_lines_may_be_any(ends: str) -> None:
    assert read(SOURCE.replace("\n", ends)) == read(SOURCE)


def test_html_alone_becomes_text() -> None:
    email = read(
        "Message-ID: <1@b.fr>\nContent-Type: text/html; charset=utf-8\n\n"
        "<html><head><title>T</title><style>p { color: red }</style></head><body><p>Été&nbsp;&amp; co</p>"
        "<script>alert('<p>')</script><div>un<br>deux</div><!-- <p>non</p> --><!--[if mso]><p>non</p><![endif]-->fin"
    )

    assert email.body == "Été & co\n\nun\ndeux\nfin"


@pytest.mark.parametrize(
    ("charset", "encoded"),
    [
        ("windows-1252", "=80"),
        ("iso-8859-1", "=80"),  # what Windows calls so
        ("nonsense", "=E2=82=AC"),
        ("utf-8", "=80"),  # which is none
        ("us-ascii", "=E2=82=AC"),
        ("punycode", "=E2=82=AC"),  # which takes far longer than its text is long
        ("zip", "=E2=82=AC"),
    ],
)
def test_charsets_that_are_broken_are_read_as_what_they_are(charset: str, encoded: str) -> None:
    head = f"Message-ID: <1@b.fr>\nContent-Type: text/plain; charset={charset}\n"
    email = read(f"{head}Content-Transfer-Encoding: quoted-printable\n\n100 {encoded}")

    assert email.body in ("100 €", "100 â‚¬")


def test_a_header_that_hides_line_ends_stays_one_line() -> None:
    hidden = "=?utf-8?q?Un=0D=0ABcc=3A_eve=40c.fr?="
    file = f'Content-Type: application/pdf; name="{hidden}"\nContent-Disposition: attachment\n\nx\n--b--'
    email = read(
        f"{HEAD}From: {hidden} <a@b.fr>\nSubject: {hidden}\nContent-Type: multipart/mixed; boundary=b\n\n--b\n{file}"
    )

    (attached,) = email.attachments
    assert email.recipients == ()
    for said in (email.sender_name, email.subject, attached.name):
        assert said is not None
        assert "Bcc" in said and len(said.splitlines()) == 1


def test_headers_alone_are_an_email() -> None:
    email = read("From: a@b.fr\nSubject: Vide\nMessage-ID: <1@b.fr>")

    assert (email.sender, email.subject, email.body, email.thread_id) == ("a@b.fr", "Vide", "", "<1@b.fr>")


@pytest.mark.parametrize(
    "copied",
    [
        "De : Marie Dupont <marie@example.com>\nEnvoyé : lundi 3 mars 2025 10:12\nÀ : c@shop.test\nObjet : Bilan"
        "\n\nOui",
        "De : Marie Dupont <marie@example.com>\nDate : 03/03/2025 10:12\nÀ : c@shop.test\nObjet : Bilan\n\nOui",
        "-----Message d'origine-----\nDe : Marie Dupont [mailto:marie@example.com]\nEnvoyé le : 3 mars 2025 10h12\n"
        "À : c@shop.test\nObjet : Bilan\n\nOui",
        "From: Marie Dupont <marie@example.com>\nSent: Monday, March 3, 2025 10:12 AM\nTo: c@shop.test\nSubject: Bilan"
        "\n\nOui",
        "---------- Forwarded message ---------\nDe : Marie Dupont <marie@example.com>\n"
        "Date: lun. 3 mars 2025 à 10:12\nSubject: Bilan\nTo: <c@shop.test>\n\n\nOui",
        "*De :* Marie Dupont <marie@example.com>\n*Envoyé :* lundi 3 mars 2025 10:12\n*À :* c@shop.test\n"
        "*Objet :* Bilan\n\nOui",
    ],
)
def test_what_is_copied_from_a_mail_program_is_read_by_its_labels(copied: str) -> None:
    assert read(copied.replace("\n", "\r\n")) == Email(
        "marie@example.com", "Marie Dupont", ("c@shop.test",), "Bilan", "Oui", MORNING
    )


def test_an_afternoon_in_english_is_one() -> None:
    assert read("From: a@b.fr\nSent: Monday, March 3, 2025 4:12 PM\nSubject: S\n\nx").sent_at == MORNING.replace(
        hour=16
    )


@pytest.mark.parametrize(
    "copied",
    [
        "Marie Dupont <marie@example.com>\nÀ moi\n\nOui",
        "Le lun. 3 mars 2025 à 10:12, Marie Dupont <marie@example.com> a écrit :\n\nOui",
        "On Mon, Mar 3, 2025 at 10:12 AM Marie Dupont <marie@example.com> wrote:\nOui",
    ],
)
def test_who_wrote_is_found_above_the_text(copied: str) -> None:
    email = read(copied)

    assert (email.sender, email.sender_name) == ("marie@example.com", "Marie Dupont")
    assert email.body.endswith("Oui")


def test_what_is_quoted_below_is_part_of_the_text() -> None:
    email = read("De : a@b.fr\nObjet : Un\n\nOui\n\nDe : c@d.fr\nObjet : Deux\n\nNon")

    assert (email.sender, email.subject) == ("a@b.fr", "Un")
    assert email.body == "Oui\n\nDe : c@d.fr\nObjet : Deux\n\nNon"


def test_a_text_without_any_label_is_all_that_it_says() -> None:
    assert read("Bonjour : une question.") == Email(None, None, (), "", "Bonjour : une question.", None)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (" \n", "Paste an e-mail"),
        ("é" * (SIZE_MOST // 2 + 1), "1,000,000 bytes at most"),
        ("\n".join("x" * (LINES_MOST + 1)), "50,000 lines at most"),
        ("Message-ID: <1@b.fr>\n" + "Content-Type: message/rfc822\n\n" * 3000, "too many parts"),
        ("Message-ID: <1@b.fr>\nContent-Type: text/plain" + "; a=b" * 1000 + "\n\nx", "too long"),
    ],
)
def test_what_is_empty_or_too_much_is_refused_before_it_is_parsed(source: str, why: str) -> None:
    with pytest.raises(Invalid, match=why) as refused:
        read(source)
    assert refused.value.field == "input.message"


HEAD = "Message-ID: <1@b.fr>\n"
HTML = f"{HEAD}Content-Type: text/html\n\n"
MANY = 200_000


@pytest.mark.parametrize(
    "source",
    [
        HEAD + "Subject: " + "=?u?q?a?= " * 90_000 + "\n\nx",
        HEAD + "From: " + "(" * 900_000 + "\n\nx",
        HEAD + "References: " + "<" * 900_000 + "\n\nx",
        HEAD + "X-a: b\n" * 49_000 + "\nx",
        HEAD + "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\n" * 20_000,
        HEAD + "Content-Type: multipart/digest; boundary=b\n\n" + "--b\n\n\n" * 5_000,
        HEAD + "".join(f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n" for i in range(19)) + "x\n" * 49_000,
        HEAD + "Content-Transfer-Encoding: base64\n\n" + "=a" * 450_000,
        HEAD + "Content-Transfer-Encoding: quoted-printable\n\n" + "=" * 900_000,
        HTML + "<" * 900_000,
        HTML + "<a " * MANY,
        HTML + "<!--" * MANY,
        HTML + "<script>" * (MANY // 2),
        HTML + "&#" + "9" * 900_000,
        HTML + "&a" * (2 * MANY),
        "De : " + "a " * 490_000,
        "a@" * 490_000,
        "Le " + "1:11 " * (MANY // 2),
    ],
    ids=lambda source: source[-12:],
)
def test_an_email_that_is_made_to_take_long_is_read_as_far_as_it_goes(source: str) -> None:
    """Each took minutes, or all the memory, where some part of the way was quadratic."""
    email = read(source)

    assert email.message_id in ("<1@b.fr>", None)


def test_what_no_column_can_hold_is_left_out() -> None:
    email = read("De : \ud800 <a@b.fr>\nObjet : \x00Bilan\x1b\n\nx\x00")

    assert (email.sender, email.subject, email.body) == ("a@b.fr", "Bilan", "x")


def test_a_moment_of_another_zone_is_that_moment() -> None:
    email = read("Message-ID: <1@b.fr>\nDate: Mon, 3 Mar 2025 04:12:00 -0500\n\nx")

    assert email.sent_at == datetime(2025, 3, 3, 9, 12, tzinfo=UTC)


def read(source: str) -> Email:
    return emails.parse(source, PARIS, field="input.message")
