"""`comptoir invoices rebuild`: what is missing is made again, what was sent is never replaced."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from models import Invoice
from services import rebuilding
from services.outside import outside
from services.rebuilding import Outcome
from services.rendering import Renderer
from settings import Settings
from tests.shop import Shop

COMPTOIR = Path(__file__).parents[2] / "bin" / "comptoir"


async def test_what_is_lost_is_restored_and_what_was_never_made_is_made(shop: Shop, renderer: Renderer) -> None:
    for _ in range(3):
        await shop.sell()
    there, lost, never = await Invoice.all().order_by("id")
    before = stored(lost).read_bytes()
    stored(lost).unlink()
    stored(never).unlink()
    await shop.tamper(
        f"UPDATE invoices SET file_key = NULL, file_sha256 = NULL, rendered_at = NULL WHERE id = '{never.id}'"
    )

    found = [each async for each in rebuilding.rebuild(renderer)]

    assert [(each.number, each.outcome, each.why) for each in found] == [
        (there.number, Outcome.THERE, ""),
        (lost.number, Outcome.RESTORED, ""),
        (never.number, Outcome.RENDERED, ""),
    ]
    assert stored(lost).read_bytes() == before
    made = await Invoice.get(id=never.id)
    assert made.file_sha256 == hashlib.sha256(stored(made).read_bytes()).hexdigest()
    assert {each.outcome async for each in rebuilding.rebuild(renderer)} == {Outcome.THERE}


async def test_what_is_made_otherwise_now_is_kept_beside_and_the_row_names_what_was_sent(
    shop: Shop, renderer: Renderer
) -> None:
    await shop.sell()
    sent = hashlib.sha256(b"by an older page").hexdigest()
    stored(await Invoice.get()).unlink()
    await shop.tamper(f"UPDATE invoices SET file_sha256 = '{sent}'")

    (found,) = [each async for each in rebuilding.rebuild(renderer)]

    invoice = await Invoice.get()
    assert (found.outcome, invoice.file_sha256) == (Outcome.BESIDE, sent)
    assert not stored(invoice).exists()
    beside = files_of(outside().settings) / found.why.rpartition(": ")[2]
    assert beside.name.startswith(f"{invoice.id}-{hashlib.sha256(beside.read_bytes()).hexdigest()[:12]}")


async def test_what_was_replaced_in_the_store_or_cannot_be_made_is_told_and_the_rest_goes_on(
    shop: Shop, renderer: Renderer
) -> None:
    for _ in range(3):
        await shop.sell()
    replaced, wrong, lost = await Invoice.all().order_by("id")
    stored(replaced).chmod(0o644)
    stored(replaced).write_bytes(b"%PDF-1.7 another")
    for invoice in (wrong, lost):
        stored(invoice).unlink()
    await shop.tamper(
        f"UPDATE invoices SET content = jsonb_set(content, '{{seller,siren}}', '\"1\"') WHERE id = '{wrong.id}'"
    )

    first, second, third = [each async for each in rebuilding.rebuild(renderer)]

    assert (first.outcome, second.outcome, third.outcome) == (Outcome.FAILED, Outcome.FAILED, Outcome.RESTORED)
    assert "Restore it from the backup" in first.why
    assert "BR-FR-10" in second.why
    assert stored(replaced).read_bytes() == b"%PDF-1.7 another"


async def test_the_command_shows_how_far_it_is_and_what_came_of_it(shop: Shop, settings: Settings) -> None:
    await shop.sell()
    stored(await Invoice.get()).unlink()

    done = run(settings)
    if "Invoices need Pango" in done.stderr:
        pytest.skip("invoices need Pango")

    assert done.returncode == 0, done.stderr
    assert "Invoices" in done.stdout and "1/1" in done.stdout
    assert "▸ 0 there already, 0 rendered, 1 restored, the same to the byte, 0 kept beside, 0 failed" in done.stdout
    assert stored(await Invoice.get()).exists()


def stored(invoice: Invoice) -> Path:
    return files_of(outside().settings) / str(invoice.file_key)


def files_of(settings: Settings) -> Path:
    return settings.comptoir_home / "files"


def run(settings: Settings) -> subprocess.CompletedProcess[str]:
    given = {
        "PATH": os.environ["PATH"],
        "COMPTOIR_HOME": str(settings.comptoir_home),
        "COMPTOIR_MASTER_KEYS": settings.comptoir_master_keys.get_secret_value(),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
    }
    return subprocess.run([COMPTOIR, "invoices", "rebuild"], capture_output=True, text=True, env=given, timeout=120)
