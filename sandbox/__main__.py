"""`python -m sandbox`: the stand-ins on fixed ports, until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import os
import signal
from pathlib import Path

from sandbox import Sandbox, ShopClient, google_demonstration


def main() -> None:
    asyncio.run(run(arguments()))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="of the Stripe stand-in and all pages")
    parser.add_argument("--smtp-port", type=int, required=True, help="of the mail sink")
    parser.add_argument("--data", type=Path, required=True, help="folder that survives restarts")
    parser.add_argument("--webhook-url", help="where Stripe's events go; held without it")
    parser.add_argument("--webhook-secret", default=os.environ.get("STRIPE_WEBHOOK_SECRET", "whsec_sandbox"))
    parser.add_argument("--debits-after", type=float, help="seconds to the end of a SEPA debit; by hand without it")
    parser.add_argument(
        "--calendars", action="store_true", help="fill Google's with those of the demonstration's people"
    )
    parser.add_argument("--api-url", help="Comptoir's address, for the shop")
    parser.add_argument(
        "--shop-key", default=os.environ.get("DEMO_STOREFRONT_KEY"), help="default: $DEMO_STOREFRONT_KEY"
    )
    parser.add_argument("--shop-email", default=os.environ.get("DEMO_EMAIL"), help="default: $DEMO_EMAIL")
    parser.add_argument("--shop-password", default=os.environ.get("DEMO_PASSWORD"), help="default: $DEMO_PASSWORD")
    return parser.parse_args()


async def run(given: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    shop = None
    if given.api_url and given.shop_key and given.shop_email and given.shop_password:
        shop = ShopClient(given.api_url, given.shop_key, given.shop_email, given.shop_password)
    async with Sandbox(
        webhook_url=given.webhook_url,
        webhook_secret=given.webhook_secret,
        data=given.data / "sandbox.sqlite3",
        port=given.port,
        smtp_port=given.smtp_port,
        shop=shop,
        debits_after=given.debits_after,
    ) as sandbox:
        if given.calendars:
            account, key = (os.environ.get(f"GOOGLE_SERVICE_ACCOUNT_{name}") for name in ("EMAIL", "PRIVATE_KEY"))
            google_demonstration.fill(sandbox.google, account, key)
        print(f"Sandbox: {sandbox.url} · SMTP: 127.0.0.1:{sandbox.smtp_port}", flush=True)
        await stop.wait()


if __name__ == "__main__":
    main()
