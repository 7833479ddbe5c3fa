"""The mail sink, sent to by aiosmtplib."""

from email.message import EmailMessage

import aiosmtplib
import httpx
import pytest

from sandbox import Sandbox

PDF = b"%PDF-1.7\n\x00\xff\xfe not much of an invoice"


def letter(to="marie@example.com", subject="Votre facture n° 7"):
    message = EmailMessage()
    message["From"] = "L'Atelier <atelier@example.com>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<order-7@example.com>"
    message.set_content("Bonjour Marie,\nvoici votre facture.")
    message.add_alternative(
        "<html><head></head><body><b>Bonjour</b> Marie<script>1</script></body></html>", subtype="html"
    )
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="Facture-é7.pdf")
    return message


async def send(sandbox, message):
    await aiosmtplib.send(message, hostname="127.0.0.1", port=sandbox.smtp_port, start_tls=False)


async def test_a_mail_is_kept_byte_for_byte():
    async with Sandbox() as sandbox:
        await send(sandbox, letter())
        await send(sandbox, letter(to="paul@example.com"))

        (mail,) = sandbox.mail.to("marie@example.com")

        assert len(sandbox.mail.messages) == 2
        assert (mail.sender, mail.recipients) == ("atelier@example.com", ("marie@example.com",))
        assert (mail.message["Subject"], mail.message["Message-ID"]) == ("Votre facture n° 7", "<order-7@example.com>")
        assert "voici votre facture" in mail.body("plain")
        assert [part.get_content() for part in mail.attachments] == [PDF]


async def test_the_next_mail_is_refused_when_told_to():
    async with Sandbox() as sandbox:
        sandbox.mail.refuse_next(code=451)
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await send(sandbox, letter())
        await send(sandbox, letter())

        assert refused.value.code == 451
        assert len(sandbox.mail.messages) == 1


async def test_the_newest_mails_are_kept_and_survive_a_restart(tmp_path):
    async with Sandbox(data=tmp_path / "sandbox.sqlite3", keep=2) as sandbox:
        for number in range(4):
            await send(sandbox, letter(subject=str(number)))
    async with Sandbox(data=tmp_path / "sandbox.sqlite3", keep=2) as sandbox:
        kept = sandbox.mail.messages

        assert [(mail.number, mail.message["Subject"]) for mail in kept] == [(3, "2"), (4, "3")]
        assert kept[0].attachments[0].get_content() == PDF


async def test_the_pages_show_a_mail_without_letting_it_run():
    async with Sandbox() as sandbox, httpx.AsyncClient(base_url=sandbox.url) as browser:
        await send(sandbox, letter())

        listing = await browser.get("/mail")
        message = await browser.get("/mail/1")
        html = await browser.get("/mail/1/html")
        attachment = await browser.get("/mail/1/attachments/0")
        missing = [await browser.get(path) for path in ("/mail/2", "/mail/2/html", "/mail/1/attachments/1")]

    assert "Votre facture n° 7" in listing.text
    assert "Facture-é7.pdf" in message.text
    assert '<iframe class="pdf" src="/mail/1/attachments/0"' in message.text
    assert "frame-src 'self'" in message.headers["content-security-policy"]
    assert "voici votre facture" in message.text
    policy = html.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "<b>Bonjour</b>" in html.text
    assert (attachment.content, attachment.headers["content-type"]) == (PDF, "application/pdf")
    assert [answer.status_code for answer in missing] == [404, 404, 404]
