"""The doctor: all is well after sales; each invariant, broken once in the database, is reported."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from errors import Conflict, NotFound
from models import Lane, Partner, Promise
from services import doctor, outbox, vault
from services.doctor import EXAMPLES_MOST, INVARIANTS, Invariant, Verdict, examine
from services.partners import rotate_secret
from settings import Settings
from tests.bookings.desk import Desk, ahead
from tests.faults.absence import away
from tests.shop import CHECKOUT, Shop

COMPTOIR = Path(__file__).parent.parent / "bin" / "comptoir"
LATE = "now() - interval '11 minutes'"


def _late(lane: Lane, job: str, nth: int) -> tuple[str, list[str], int, list[str]]:
    """Overdue in a lane: the nth promise of a job."""
    one = f"(SELECT id FROM outbox WHERE job = '{job}' ORDER BY id OFFSET {nth} LIMIT 1)"
    statement = f"UPDATE outbox SET lane = '{lane.value}', done_at = NULL, due_at = {LATE} WHERE id = {one}"
    return f"Nothing of lane {lane.value} is due for 10 minutes", [statement], 1, [f"{job} of "]


# (invariant, what breaks it, how often, parts of the examples): what can be broken side by side is broken at once.
OF_MONEY: list[tuple[str, list[str], int, list[str]]] = [
    (
        "An organization that sells has all that its invoices have to say of it",
        ["UPDATE organizations SET rcs = NULL"],
        1,
        ["shop: rcs"],
    ),
    (
        "An order is paid if, and only if, what counts of its payments comes to its total",
        [
            "UPDATE payments SET applied_cents = 9998 WHERE order_id = (SELECT id FROM orders WHERE number = 1)",
            "UPDATE orders SET status = 'OPEN', paid_at = NULL, event_id = NULL WHERE number = 2",
        ],
        2,
        [
            "shop order 1 is REFUNDED: of 9999 cents 9999 paid, 9998 by its payments",
            "shop order 2 is OPEN: of 9999 cents 9999 paid, 9999 by its payments",
        ],
    ),
    (
        "All money that came counts, or was left for a person",
        ["UPDATE payments SET amount_cents = 10999 WHERE order_id = (SELECT id FROM orders WHERE number = 2)"],
        2,  # the one above, of which a cent does not count any more
        ["shop order 2: 10999 cents came, 9999 count"],
    ),
    (
        "No money at Stripe is nobody's",
        ["UPDATE stripe_events SET flagged_at = now() WHERE id = (SELECT id FROM stripe_events ORDER BY id LIMIT 1)"],
        1,
        ["evt_"],
    ),
    (
        "What is sold is paid in the Stripe account that it was sold through, the platform's or the organization's own",
        ["UPDATE orders SET stripe_account = 'acct_nobodys' WHERE number = 1"],
        2,
        ["shop order 1 at acct_nobodys", "shop order 1 at acct_nobodys, paid at platform"],
    ),
    (
        "A paid order of a subscription names it, Stripe's invoice, and the period",
        ["UPDATE orders SET kind = 'SUBSCRIPTION' WHERE number = 1"],
        1,
        ["shop order 1"],
    ),
    (
        "A discount code counts the orders that hold it",
        [
            "INSERT INTO discount_codes (id, created_at, organization_id, code, percent, amount_cents, currency,"
            " minimum_cents, redemptions, active) SELECT id, now(), id, 'X10', 1000, 0, 'EUR', 0, 3, true"
            " FROM organizations"
        ],
        1,
        ["shop code X10: 3 counted, 0 held"],
    ),
    (
        "An order that is paid and not free is invoiced in full",
        ["UPDATE invoices SET total_cents = 9998, net_cents = net_cents - 1 WHERE sequence = 1"],
        1,
        ["shop order 1: 9998 of 9999 cents"],
    ),
    (
        "What an order knows to have gone back is what its refunds and lost disputes come to",
        ["UPDATE orders SET refunded_cents = 1 WHERE number = 1"],
        1,
        ["shop order 1: 9999 and 0 cents known, 0 and 0 by its refunds and disputes"],
    ),
    (
        "What went back of a paid order is credited, and credit notes come to what their invoices know of them",
        ["UPDATE invoices SET credited_cents = 7 WHERE sequence = 1"],
        2,
        ["-000001: 7 cents known, 0 by its credit notes", "shop order 1: of 9999 cents given back 0 are credited"],
    ),
    (
        "Whoever got all of their money back may not use what they bought",
        ["UPDATE orders SET status = 'REFUNDED', refunded_cents = paid_cents WHERE number = 1"],
        1,
        ["shop order 1"],
    ),
    (
        "No refund is on its way for 14 days",
        [
            "INSERT INTO refunds (id, created_at, organization_id, order_id, payment_id, status, method, amount_cents,"
            " currency, stripe_account, live, stripe_id) SELECT id, now() - interval '15 days', organization_id,"
            " order_id, id, 'PENDING', method, 5, currency, stripe_account, live, 're_1' FROM payments"
            " WHERE applied_cents > 0 LIMIT 1"
        ],
        1,
        ["shop re_1 of 5 cents"],
    ),
    (
        "Invoice numbers are 1 to n in each series and year",
        ["UPDATE invoices SET sequence = 3 WHERE sequence = 2", "UPDATE invoice_series SET last_number = 4"],
        2,
        ["-000002 comes after 1 of 2", "shop FQCA: 4 of 2"],
    ),
    (
        "Invoice dates follow their numbers",
        ["UPDATE invoices SET issued_at = issued_at - interval '1 day' WHERE sequence = 3"],
        1,
        ["-000002 was issued before the one before it"],
    ),
    (
        "The newest 100,000 invoices are as they were issued, each chained to the one before it",
        [],  # what was done above
        2,
        [
            "-000001: a column is not what was issued, or the one before it is not",
            "-000002: a column is not what was issued, or the one before it is not",
        ],
    ),
    (
        "Whoever paid may use what they bought",
        ["DELETE FROM accesses WHERE order_id IN (SELECT id FROM orders WHERE number = 3)"],
        1,
        ["shop order 3 line 1"],
    ),
    (
        "No conflict waits for a person",
        [
            "INSERT INTO conflicts (id, created_at, organization_id, order_id, kind, reference, message)"
            " SELECT id, now(), organization_id, id, 'DUPLICATE_PAYMENT', 'pi', 'Paid twice' FROM orders"
            " WHERE number = 1"
        ],
        1,
        ["shop order 1 DUPLICATE_PAYMENT: Paid twice"],
    ),
    (
        "Of an appointment as many places are taken as there are live bookings of it",
        ["UPDATE appointments SET taken = 0 WHERE status = 'ACTIVE'"],
        1,
        [": 0 taken, 1 booked"],
    ),
    (
        "Of a pack as many sessions are used as its bookings draw",
        [
            "INSERT INTO packs (id, created_at, organization_id, client_id, access_id, sessions, used)"
            " SELECT id, now(), organization_id, client_id, id, 5, 2 FROM accesses LIMIT 1"
        ],
        1,
        [": 2 used, 0 drawn"],
    ),
    (
        "A bilan can be held if, and only if, all of its price is paid or agreed; its sums are those of its parts",
        [
            "INSERT INTO formules (id, created_at, organization_id, slug, name, minutes, price_cents, currency,"
            " vat_rate, active) SELECT id, now(), id, 'express', 'Express', 720, 100, 'EUR', 0, true"
            " FROM organizations",
            "INSERT INTO bilans (id, created_at, organization_id, client_id, beneficiary_name, formule_id, status,"
            " minutes_planned, price_cents, vat_rate, currency) SELECT id, now(), organization_id, id, 'Marie',"
            " organization_id, 'FUNDED', 720, 100, 0, 'EUR' FROM clients LIMIT 1",
        ],
        1,
        [": FUNDED, 0 of 100 secured, 0 minutes done"],
    ),
    (
        "The files of the newest 10,000 invoices are in the store, as they were stored",
        [
            "UPDATE invoices SET file_key = 'elsewhere.pdf' WHERE sequence = 1",
            "UPDATE invoices SET file_sha256 = 'another' WHERE sequence = 3",
        ],
        2,
        ["-000001 is not there", "-000002 is not what was stored"],
    ),
    (
        "No promise was given up",
        ["UPDATE outbox SET done_at = NULL, given_up_at = now(), error = '550 Bearer abc' WHERE job = 'invoices.send'"],
        2,
        [": 550 Bearer …"],
    ),
    (
        "What is to be destroyed is destroyed within a day, and deleted in the store",
        [
            "INSERT INTO stored_files (id, created_at, organization_id, place, content_type, size_bytes, sha256,"
            " destroyed_at) SELECT gen_random_uuid(), now(), id, 'a', 'text/plain', 1, repeat('0', 64),"
            " now() - interval '25 hours' FROM organizations"
        ],
        1,
        ["is destroyed, and not deleted in the store"],
    ),
    (
        "Every secret can be opened with the keys that are configured",
        ["UPDATE partners SET api_key = replace(api_key, 'v1.k1.', 'v1.k9.')"],
        1,
        ["partners.api_key: 1 sealed with k9"],
    ),
]  # fmt: skip
OF_WORK: list[tuple[str, list[str], int, list[str]]] = [
    (
        "An invoice is rendered within 10 minutes",
        [
            "UPDATE invoices SET file_key = NULL, file_sha256 = NULL, rendered_at = NULL WHERE sequence = 1",
            f"UPDATE invoices SET created_at = {LATE}",
        ],
        1,
        ["-000001"],
    ),
    (
        "An invoice is sent within 10 minutes of its rendering",
        [f"UPDATE invoices SET emailed_at = NULL, rendered_at = {LATE} WHERE sequence = 2"],
        1,
        ["-000002"],
    ),
    (
        "A notification that waits for its invoice has a promise",
        [
            "UPDATE notifications SET status = 'PENDING', delivered_at = NULL"
            " WHERE event_id = (SELECT max(event_id) FROM notifications)"
        ],
        1,
        ["fiscalis of evt_"],
    ),
    (
        "An endpoint that something is due to is told within 10 minutes",
        [
            f"UPDATE notifications SET status = 'PENDING', delivered_at = NULL, next_attempt_at = {LATE}"
            " WHERE event_id = (SELECT min(event_id) FROM notifications)",
            f"UPDATE partner_endpoints SET told_at = {LATE}",
        ],
        1,
        ["fiscalis of evt_"],
    ),
    _late(Lane.EVENTS, "inbox.handle", 0),
    _late(Lane.RENDER, "invoices.render", 0),
    _late(Lane.MAIL, "invoices.send", 0),
    _late(Lane.DELIVER, "invoices.send", 1),
    _late(Lane.SYNC, "invoices.render", 1),
    (
        "No promise is held by a worker that died",
        [
            "UPDATE outbox SET done_at = NULL, due_at = now(), token = gen_random_uuid(),"
            " lease_until = now() - interval '2 minutes'"
            " WHERE id = (SELECT id FROM outbox WHERE job = 'inbox.handle' ORDER BY id OFFSET 1 LIMIT 1)"
        ],
        1,
        ["inbox.handle of "],
    ),
    (
        "An event of Stripe's is handled within 10 minutes",
        [f"UPDATE stripe_events SET handled_at = NULL, created_at = {LATE} WHERE type = 'checkout.session.completed'"],
        2,
        [" checkout.session.completed"],
    ),
]


@pytest.fixture
async def sold(shop: Shop) -> Shop:
    """A shop that sold three times, the last time for nothing, and was booked twice, once in vain."""
    product = await shop.product(partners=(await shop.partner(apiKey="a-partners-api-key-0123456789-0123456789"),))
    for _ in range(2):
        await shop.sell(product)
    await shop(CHECKOUT, input=shop.checkout_input(await shop.order(await shop.product(0))))
    desk = await Desk.open(shop)
    await desk.book(ahead())
    given_up = await desk.book(ahead(hour=14))
    await desk.cancel(given_up["booking"]["id"])
    await shop.work_is_done()
    return shop


async def test_after_sales_all_is_well(sold: Shop) -> None:
    assert await sold.count("orders", "status = 'PAID'") == 3
    assert await sold.count("invoices", "emailed_at IS NOT NULL") == 2
    assert [verdict for verdict in await verdicts() if not verdict.good] == []


@pytest.mark.parametrize("broken", [OF_MONEY, OF_WORK], ids=["money", "work"])
async def test_what_is_broken_is_reported_and_nothing_else(
    sold: Shop, broken: list[tuple[str, list[str], int, list[str]]]
) -> None:
    for _, statements, _, _ in broken:
        for statement in statements:
            await sold.tamper(statement)

    bad = {verdict.holds: verdict for verdict in await verdicts() if not verdict.good}

    assert set(bad) == {holds for holds, *_ in broken}
    for holds, _, times, examples in broken:
        assert bad[holds].broken == times, holds
        for example in examples:
            assert any(example in shown for shown in bad[holds].examples), bad[holds].examples
        assert bad[holds].do


def test_each_invariant_is_broken_by_a_test() -> None:
    assert {holds for holds, *_ in OF_MONEY + OF_WORK} == {invariant.holds for invariant in INVARIANTS}


async def test_what_is_made_or_due_now_has_its_time(shop: Shop) -> None:
    _, events = await shop.paid_events()
    for event in events:
        await shop.deliver(event)

    assert [verdict.holds for verdict in await verdicts() if not verdict.good] == []


async def test_every_sealed_column_is_looked_at(sold: Shop) -> None:
    await rotate_secret(await Partner.get(), overlap_hours=1)
    columns = await sold.sql(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'text'"
    )
    sealed = {
        (column["table_name"], column["column_name"])
        for column in columns
        if await sold.count(column["table_name"], rf"{column['column_name']} ~ '^v1\.[\w-]+\.[\w=-]+\.[\w=-]+$'")
    }

    assert ("partners", "previous_secret") in sealed
    assert sealed <= {(model._meta.db_table, field) for model, field in vault.SEALED}


async def test_of_many_rows_a_few_are_shown_and_all_counted(shop: Shop) -> None:
    verdict = await examine(Invariant("", "SELECT n::text AS example FROM generate_series(1, 900) n", "count"))

    assert (verdict.broken, len(verdict.examples)) == (900, EXAMPLES_MOST)


async def test_what_cannot_be_looked_at_is_told_and_not_taken_for_good(shop: Shop, database_url: str) -> None:
    async with away(database_url):
        verdict = await examine(INVARIANTS[0])

    assert (verdict.good, verdict.broken) == (False, None)
    assert verdict.error

    async def write() -> list[str]:
        return [str(row) for row in await doctor.fetch("DELETE FROM outbox RETURNING id")]

    refused = await examine(Invariant("nothing is written", write, ""))
    assert "read-only transaction" in str(refused.error)


async def test_the_command_tells_people_what_is_broken_and_what_to_do_and_programs_all_of_it(
    sold: Shop, settings: Settings
) -> None:
    well = run("doctor", settings, "--json")
    await sold.sql("DELETE FROM accesses")
    ill = run("doctor", settings)

    assert (well.returncode, ill.returncode) == (0, 1)
    assert [verdict["good"] for verdict in json.loads(well.stdout)] == [True] * len(INVARIANTS)
    said = ill.stdout.splitlines()
    at = said.index("✗ Whoever paid may use what they bought: 3 found")
    assert said[at + 1 : at + 4] == [f"    shop order {number} line 1" for number in (1, 2, 3)]
    assert said[at + 4].startswith("  → See the order's conflicts")
    assert len([line for line in said if line.startswith("✓ ")]) == len(INVARIANTS) - 1
    assert ill.stderr == ""


async def test_the_command_without_a_database_says_so(settings: Settings) -> None:
    done = run("doctor", settings, DATABASE_URL="postgres://nobody:a-password@127.0.0.1:9/nothing")

    assert done.returncode == 1
    assert done.stderr.startswith("error: The database of DATABASE_URL does not let us in: ")
    assert "a-password" not in done.stderr


# Trying again what was given up


async def test_what_was_given_up_is_taken_up_again_with_what_waited_for_it(sold: Shop, settings: Settings) -> None:
    await sold.tamper("UPDATE invoices SET emailed_at = NULL WHERE sequence = 1")
    await sold.sql("UPDATE outbox SET done_at = NULL, given_up_at = now() WHERE job LIKE 'invoices.%'")
    promise = await Promise.filter(job="invoices.render").order_by("id").first()
    assert promise

    assert run("retry", settings, str(promise.id)).returncode == 0
    await sold.work_is_done()

    assert await sold.count("outbox", "given_up_at IS NOT NULL") == 2  # of the other invoice
    assert await sold.count("invoices", "emailed_at IS NULL") == 0


async def test_what_cannot_be_taken_up_again_is_refused_with_what_to_do_instead(sold: Shop) -> None:
    rendered, sent = [
        await Promise.filter(job=job).order_by("id").first() for job in ("invoices.render", "invoices.send")
    ]
    assert rendered and sent
    with pytest.raises(NotFound):
        await outbox.retry(uuid4())
    with pytest.raises(Conflict, match="was not given up"):
        await outbox.retry(rendered.id)
    await sold.sql("UPDATE outbox SET done_at = NULL, given_up_at = now() WHERE job LIKE 'invoices.%'")
    with pytest.raises(Conflict, match=f"waits for {rendered.id}, given up too: retry that one"):
        await outbox.retry(sent.id)


async def verdicts() -> list[Verdict]:
    return [await examine(invariant) for invariant in INVARIANTS]


def run(command: str, settings: Settings, *words: str, **changed: str) -> subprocess.CompletedProcess[str]:
    given: dict[str, Any] = {
        "PATH": os.environ["PATH"],
        "COMPTOIR_HOME": str(settings.comptoir_home),
        "COMPTOIR_MASTER_KEYS": settings.comptoir_master_keys.get_secret_value(),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
    }
    return subprocess.run([COMPTOIR, command, *words], capture_output=True, text=True, env=given | changed, timeout=60)
