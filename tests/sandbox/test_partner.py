"""The partner sink: what it keeps, how it answers."""

import base64
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from standardwebhooks import Webhook

from sandbox import Sandbox

ORDER = {"event_type": "order.created", "order_id": 7, "order": {"total_amount": 99.99}}

SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four bytes, or more").decode()
OTHER = "whsec_" + base64.b64encode(b"another key, as long as the first one").decode()


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


def signed(body=b"{}", id="evt_7", secret=SECRET, at=None):
    """A notification's headers, signed by the standard's own library."""
    at = at or datetime.now(UTC)
    signature = Webhook(secret).sign(id, at, body.decode())
    return {"webhook-id": id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


async def test_a_signature_is_judged_as_the_partner_would(sandbox, http):
    sandbox.partner.know("fqca", SECRET)
    rotated = signed()["webhook-signature"]
    for headers in (
        signed(),
        signed(secret=OTHER),
        signed() | {"webhook-id": "evt_8"},
        signed(at=datetime.now(UTC) - timedelta(seconds=301)),
        signed() | {"webhook-signature": rotated.replace("v1,", "v2,")},
        {"webhook-id": "evt_7"},
        signed(secret=OTHER) | {"webhook-signature": f"v1a,x {signed(secret=OTHER)['webhook-signature']} {rotated}"},
    ):
        await http.post("/partner/fqca", content=b"{}", headers=headers)
    await http.post("/partner/other", content=b"{}", headers=signed())

    assert [received.signature for received in sandbox.partner.received] == [
        "verified",
        "wrong",
        "wrong",
        "stale",
        "wrong",
        "unsigned",
        "verified",
        None,
    ]


async def test_a_secret_pasted_later_judges_what_came_before_and_a_new_one_only_what_comes_after(http):
    await http.post("/partner/fqca", content=b"{}", headers=signed())
    before = (await http.get("/partner")).text
    await http.post("/partner/fqca/secret", data={"secret": f" {SECRET} "})
    after = (await http.get("/partner")).text
    await http.post("/partner/fqca", content=b"{}", headers=signed())
    await http.post("/partner/fqca/secret", data={"secret": OTHER})
    await http.post("/partner/fqca", content=b"{}", headers=signed())
    rotated = (await http.get("/partner")).text

    assert ("no secret known</span>" in before, "signature verified" in before) == (True, False)
    assert ("secret known" in after, "signature verified" in after, SECRET in after) == (True, True, False)
    assert (rotated.count("signature verified"), rotated.count("signature wrong")) == (1, 2)


async def test_a_secret_may_come_as_json(sandbox, http):
    known = await http.post("/partner/fqca/secret", json={"secret": SECRET})

    assert (known.status_code, sandbox.partner.known()) == (204, ["fqca"])


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_*", SECRET.removeprefix("whsec_")])
async def test_what_is_no_secret_is_refused_without_being_repeated(sandbox, http, secret):
    page = await http.post("/partner/fqca/secret", data={"secret": secret})
    api = await http.post("/partner/fqca/secret", json={"secret": secret})
    broken = await http.post("/partner/fqca/secret", content=b"{", headers={"content-type": "application/json"})

    assert (page.status_code, api.status_code, broken.status_code) == (400, 400, 400)
    assert "A signing secret is whsec_" in page.text
    assert api.json()["error"].startswith("A signing secret is whsec_")
    assert sandbox.partner.known() == []


async def test_secrets_survive_a_restart(tmp_path):
    async with Sandbox(data=tmp_path / "sandbox.sqlite3") as sandbox:
        sandbox.partner.know("fqca", SECRET)
    async with Sandbox(data=tmp_path / "sandbox.sqlite3") as sandbox:
        assert sandbox.partner.known() == ["fqca"]


@pytest.mark.parametrize(
    ("choice", "status", "header"),
    [
        ("201", 201, None),
        ("204", 204, None),
        ("410", 410, None),
        ("503", 503, ("retry-after", "120")),
        ("redirect", 302, ("location", "https://partner.example/moved")),
    ],
)
async def test_the_page_lets_one_partner_answer_so(http, choice, status, header):
    await http.post("/partner", data={"answer": choice, "slug": "fqca"})

    answers = [await http.post(f"/partner/{slug}", json=ORDER) for slug in ("fqca", "other")]
    page = await http.get("/partner")

    assert [answer.status_code for answer in answers] == [status, 200]
    assert header is None or answers[0].headers[header[0]] == header[1]
    assert f'<option value="{choice}" selected>' in page.text
