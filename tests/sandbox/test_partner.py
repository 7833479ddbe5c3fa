"""The partner sink: what it keeps, how it answers."""

import httpx
import pytest

from sandbox import Sandbox

ORDER = {"event_type": "order.created", "order_id": 7, "order": {"total_amount": 99.99}}


@pytest.fixture
async def sandbox():
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def http(sandbox):
    async with httpx.AsyncClient(base_url=sandbox.url) as http:
        yield http


async def test_a_notification_is_kept_with_its_headers(sandbox, http):
    answer = await http.post("/partner/fqca", json=ORDER, headers={"X-API-KEY": "secret"})

    received = sandbox.partner.received[-1]

    assert answer.status_code == received.status == 200
    assert (received.slug, received.path, received.json) == ("fqca", "/partner/fqca", ORDER)
    assert received.headers["x-api-key"] == "secret"


async def test_it_answers_as_told_so_many_times_then_as_before(sandbox, http):
    sandbox.partner.answer(status=500, times=2)

    answers = [await http.post("/partner/fqca", json=ORDER) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [500, 500, 200]
    assert [received.status for received in sandbox.partner.received] == [500, 500, 200]


async def test_one_partner_can_answer_unlike_the_others(sandbox, http):
    sandbox.partner.answer(status=400, slug="fqca")

    answers = [await http.post(f"/partner/{slug}", json=ORDER) for slug in ("fqca", "other")]

    assert [answer.status_code for answer in answers] == [400, 200]


async def test_it_can_be_slow(sandbox, http):
    sandbox.partner.answer(delay=30)

    with pytest.raises(httpx.ReadTimeout):
        await http.post("/partner/fqca", json=ORDER, timeout=0.2)

    assert len(sandbox.partner.received) == 1


async def test_it_can_hang_up(sandbox, http):
    sandbox.partner.answer(hang_up=True)

    with pytest.raises(httpx.RemoteProtocolError):
        await http.post("/partner/fqca", json=ORDER)

    assert sandbox.partner.received[-1].status is None


async def test_what_was_received_survives_a_restart(tmp_path):
    for _ in range(2):
        async with (
            Sandbox(data=tmp_path / "sandbox.sqlite3") as sandbox,
            httpx.AsyncClient(base_url=sandbox.url) as http,
        ):
            await http.post("/partner/fqca", content=b"\xff not JSON")

            assert sandbox.partner.received[0].body == b"\xff not JSON"
            numbers = [received.number for received in sandbox.partner.received]

    assert numbers == [1, 2]


async def test_the_page_shows_what_came_and_chooses_the_answer(sandbox, http):
    await http.post("/partner/fqca", json=ORDER, headers={"webhook-id": "evt_7"})
    page = await http.get("/partner")

    statuses = []
    for choice in ("500", "400", "200"):
        await http.post("/partner", data={"answer": choice})
        statuses.append((await http.post("/partner/fqca", json=ORDER)).status_code)

    assert "evt_7" in page.text
    assert "order.created" in page.text
    assert statuses == [500, 400, 200]


async def test_a_body_too_large_is_refused(http):
    assert (await http.post("/partner/fqca", content=b"x" * (2 * 1024 * 1024 + 1))).status_code == 413
