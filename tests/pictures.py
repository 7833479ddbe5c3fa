"""README's pictures, taken of the demonstration: `make run`, then
`SCREENSHOTS=docs/pictures .venv/bin/python -m tests.pictures [PORT]`. Needs Chromium and poppler's `pdftoppm`."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx

from tests.browser import SCREENSHOTS, Browser, Page
from tests.demonstrated import choose, pay


async def main(folder: Path, port: int) -> None:
    api, sandbox = (f"http://127.0.0.1:{each}" for each in (port, port + 1))
    async with Browser() as browser:
        page = await browser.open(f"{sandbox}/shop")
        await page.resize(1000, 640)
        await choose(page, "Déclaration d'impôts", email="marie@example.com", code="BIENVENUE10")
        await page.click("button", "Payer sur la page de Stripe")
        await page.reads("Offre de bienvenue")
        await page.screenshot("checkout")
        await pay(page, "4242 4242 4242 4242")
        await page.reads("Tout est fait. Merci")
        invoice = await page.evaluate("[...document.links].find(link => link.innerText == 'Ouvrir le PDF').href")
        _draw(invoice, folder / "invoice")
        await _letter(page, sandbox)
        await _graphiql(page, api)


def _draw(invoice: str, picture: Path) -> None:
    pdf = httpx.get(invoice, trust_env=False).raise_for_status().content
    subprocess.run(["pdftoppm", "-r", "90", "-png", "-singlefile", "-", picture], input=pdf, check=True)


async def _letter(page: Page, sandbox: str) -> None:
    await page.open(f"{sandbox}/mail")
    await page.click("td a", "Votre facture")
    await page.open(await page.until("document.querySelector('iframe.mail')?.src"))
    await page.resize(640, 480)
    await page.screenshot("letter")


async def _graphiql(page: Page, api: str) -> None:
    await page.resize(1200, 760)
    await page.open(api)
    await page.click(".graphiql-execute-button")
    await page.reads("Signed in as owner@demo.test")
    await page.click(".graphiql-tab-button", "Catalogue")
    await page.until("localStorage.getItem('comptoir:graphiql:operationName') === 'Catalogue'")
    await page.click(".graphiql-execute-button")
    await page.until("document.querySelector('.result-window').innerText.includes('OWNER')")
    await page.screenshot("graphiql")


if __name__ == "__main__":
    if SCREENSHOTS is None:
        sys.exit("Say where to keep the pictures: SCREENSHOTS=docs/pictures")
    asyncio.run(main(SCREENSHOTS, int((sys.argv[1:] or ["8000"])[0])))
