"""One dead partner delays no other; who runs the shop is alerted once an outage."""

import asyncio
from collections.abc import Callable

from services import deliveries
from tests.notifications.telling import many, notifications, told_partner
from tests.shop import Shop, said
from workers.deliveries import Deliveries


async def test_a_partner_that_hangs_with_thousands_due_delays_no_other(shop: Shop) -> None:
    """The other is told while not even one round to the dead one has ended."""
    for slug in ("dead", "quick"):
        await shop.sell((await told_partner(shop, slug))[1])
    await many(shop, "dead", 5000)
    shop.sandbox.partner.answer(delay=60, slug="dead")
    worker = Deliveries()
    running = asyncio.create_task(worker.run())
    await _until(lambda: len(shop.told("dead")) >= 1 + deliveries.AT_ONCE)

    await many(shop, "quick", 1)
    worker.woken.set()
    async with asyncio.timeout(20):
        while await shop.count("notification_attempts", "accepted") < 3:
            await asyncio.sleep(0.02)

    assert len(shop.told("quick")) == 2
    assert len(shop.told("dead")) == 1 + deliveries.AT_ONCE  # it has as many under way as one may have
    for task in (running, *worker.under_way):
        task.cancel()
    await asyncio.gather(running, *worker.under_way, return_exceptions=True)


async def test_endpoints_take_turns(shop: Shop) -> None:
    slugs = ("one", "two", "three")
    for slug in slugs:
        await shop.sell((await told_partner(shop, slug))[1])
    turns = []
    for _ in range(3):
        for slug in slugs[::-1]:
            await shop.sql("UPDATE notifications SET status = 'PENDING', delivered_at = NULL, next_attempt_at = now()"
                           " FROM partners p WHERE p.id = partner_id AND p.slug = $1", slug)  # fmt: skip
        while leased := await deliveries.claim(1):
            turns.append(leased[0].partner_id)
            await deliveries.tell(leased[0])

    assert len(set(turns[:3])) == 3
    assert turns[:3] == turns[3:6] == turns[6:]


async def test_two_workers_do_not_tell_one_endpoint_at_once(shop: Shop) -> None:
    _, product = await told_partner(shop)
    await shop.sell(product)
    await many(shop, "fiscalis", 5)

    first, second = await asyncio.gather(deliveries.claim(20), deliveries.claim(20))

    assert len(first) + len(second) == 1


async def test_a_worker_that_is_told_to_stop_writes_down_what_was_sent(shop: Shop) -> None:
    partner, product = await told_partner(shop)
    await shop.sell(product)
    await many(shop, "fiscalis", 2)
    shop.sandbox.partner.answer(delay=30, times=1)
    (leased,) = await deliveries.claim(20)

    telling = asyncio.create_task(deliveries.tell(leased))
    await _until(lambda: len(shop.told()) == 3)
    await asyncio.sleep(0.1)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)

    statuses = sorted(each["status"] for each in await notifications(shop, partner))
    assert statuses == ["DELIVERED", "DELIVERED", "PENDING"]


async def test_thousands_that_fail_are_one_letter_and_an_outage_later_is_another(shop: Shop) -> None:
    _, product = await told_partner(shop)
    await shop.sell(product)
    await many(shop, "fiscalis", 300)
    shop.sandbox.partner.answer(400)
    await shop.work_is_done()
    await shop.time_passes(minutes=5)
    await shop.work_is_done()

    (letter,) = shop.mails("bonjour@comptappart.test")
    assert "300 notifications à Fiscalis ont échoué définitivement" in said(letter)
    assert "HTTP 400" in said(letter)

    shop.sandbox.partner.answer(200)
    await shop.time_passes(hours=2)
    await shop.sell(product)
    shop.sandbox.partner.answer(404)
    await shop.sell(product)
    await shop.time_passes(minutes=5)
    await shop.work_is_done()

    first, second = shop.mails("bonjour@comptappart.test")
    assert "1 notification à Fiscalis a échoué" in said(second)
    assert first.message["Message-ID"] != second.message["Message-ID"]


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)
