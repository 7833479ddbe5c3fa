"""An organization's integrations: set up by their forms, tried, used, replaced and removed; what each refuses."""

import asyncio
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import models
from models import IntegrationStatus, Role
from services import integration_checks, integrations
from services.outside import outside
from tests.shop import Shop

PASSWORD = "the password of nobody in particular"
FIELDS = """provider name enabled status reason english: reason(language: EN) detail features settings
  secrets { field lastFour destroyedAt }"""
CATALOGUE = """query ($category: Category) { integrationCatalogue(category: $category) {
  key name category available does { fr en } needs { fr en } features { feature title { fr en } }
  fr: form(language: FR) en: form(language: EN) } }"""
ORGANIZATION = "{ me { organization { features } } }"
LOG = "{ secretOpenings { nodes { purpose createdAt keyId secret { field lastFour } } } }"


def asks(name: str) -> str:
    kind = {
        "integrationConfigure": "IntegrationConfigureInput",
        "integrationSecretRotate": "IntegrationSecretRotateInput",
    }.get(name, "IntegrationInput")
    return f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ integration {{ {FIELDS} }} }} }}"


TEST = """mutation ($input: IntegrationInput!) { integrationTest(input: $input) {
  connected reason { fr en } detail durationMs integration { status } } }"""


async def do(shop: Shop, name: str, provider: str = "smtp", **input: Any) -> dict[str, Any]:
    done = await shop(asks(name), input={"provider": provider} | input)
    return dict(done["integration"])


def server(shop: Shop, **changes: Any) -> dict[str, Any]:
    """The sandbox's mail server, as a form has it."""
    given = {"host": "127.0.0.1", "port": shop.sandbox.smtp_port, "security": "none", "sender": "bonjour@nous.test"}
    return given | changes


async def on(shop: Shop) -> dict[str, Any]:
    """Its own mail server, switched on."""
    await do(shop, "integrationConfigure", values=server(shop))
    return await do(shop, "integrationEnable")


async def test_the_catalogue_has_every_provider_with_its_form_in_both_languages(shop: Shop) -> None:
    listed = await shop(CATALOGUE)

    assert {"smtp", "s3", "google_calendar"} <= {each["key"] for each in listed if each["available"]}
    assert {"brevo", "pennylane", "wedof", "planity", "paypal"} <= {each["key"] for each in listed}
    assert {each["category"] for each in listed} == {
        "BOOKINGS", "PAYMENTS", "PROMOTIONS", "CALENDAR", "COMMUNICATION", "SOCIAL", "ACCOUNTING", "SIGNATURE",
        "ECOMMERCE", "REVIEWS", "ADMINISTRATION", "INFRASTRUCTURE",
    }  # fmt: skip
    (host, *_), password = _ordered(_one(listed, "smtp")["fr"]), _one(listed, "smtp")["fr"]["properties"]["password"]
    assert (host["title"], host["x-order"]) == ("Serveur d'envoi", 1)
    assert (password["writeOnly"], password["format"]) == (True, "password")
    assert await shop(CATALOGUE, category="SIGNATURE") == [each for each in listed if each["category"] == "SIGNATURE"]


async def test_one_sets_up_tries_uses_and_removes_a_mail_server_of_ones_own(shop: Shop) -> None:
    made = await do(shop, "integrationConfigure", values=server(shop))
    assert (made["status"], made["enabled"], made["features"]) == ("OFF", False, [])
    assert await shop(TEST, input={"provider": "smtp"}) | {"durationMs": 0} == {
        "connected": True, "reason": {"fr": "Tout va bien.", "en": "It works."}, "detail": None, "durationMs": 0,
        "integration": {"status": "OFF"},
    }  # fmt: skip

    switched = await do(shop, "integrationEnable")
    assert (switched["status"], switched["features"]) == ("CONNECTED", ["OWN_MAIL"])
    assert await shop(ORGANIZATION) == {"organization": {"features": ["OWN_MAIL"]}}
    await shop.sell()
    letter = shop.sandbox.mail.messages[-1]
    assert letter.sender == "bonjour@nous.test"
    assert str(letter.message["From"]) == "ComptAppart <bonjour@nous.test>"
    assert str(letter.message["Reply-To"]) == "ComptAppart <bonjour@comptappart.test>"

    assert (await do(shop, "integrationDisable"))["status"] == "OFF"
    assert await shop(ORGANIZATION) == {"organization": {"features": []}}
    gone = await do(shop, "integrationRemove")
    assert gone["settings"] == {}
    assert (await shop.refused(asks("integrationEnable"), input={"provider": "smtp"}))[0] == "NOT_CONFIGURED"
    again = await on(shop)
    assert (again["status"], again["settings"]["sender"]) == ("CONNECTED", "bonjour@nous.test")


async def test_a_key_is_sealed_shown_by_its_last_four_logged_at_each_use_and_destroyed(shop: Shop) -> None:
    given = server(shop, user="me", password=PASSWORD)
    made = await do(shop, "integrationConfigure", values=given)
    assert made["secrets"] == [{"field": "password", "lastFour": "ular", "destroyedAt": None}]
    assert "password" not in made["settings"]
    kept = await do(shop, "integrationConfigure", values={"sender": "autre@nous.test"})  # what is left out stays
    assert (kept["settings"]["host"], len(kept["secrets"])) == ("127.0.0.1", 1)

    await shop(TEST, input={"provider": "smtp"})
    uses = (await shop(LOG))["nodes"]
    assert uses[0]["purpose"] == "integrationTest"
    assert {use["secret"]["field"] for use in uses} == {"password"}

    gone = await do(shop, "integrationRemove")
    assert [(each["lastFour"], each["destroyedAt"] is not None) for each in gone["secrets"]] == [(None, True)]
    assert await shop.sql("SELECT 1 FROM integration_secrets WHERE sealed IS NOT NULL") == []
    assert len((await shop(LOG))["nodes"]) == len(uses)  # the log stays


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"host": 1}, "input.values.host", "Outgoing server"),
        ({"port": 0}, "input.values.port", "Port"),
        ({"port": "many"}, "input.values.port", "Port"),
        ({"sender": "nobody"}, "input.values.sender", "Sender's address"),
        ({"sender": None}, "input.values.sender", "Sender's address"),
        ({"security": "some"}, "input.values.security", "Encryption"),
        ({"password": "x" * 501}, "input.values.password", "Password"),
        ({"host": "a\x00"}, "input.values.host", "NUL"),
        ({"host": " "}, "input.values.host", "empty"),
        ({"host": {"a": 1}}, "input.values.host", "a text"),
        ({"colour": "red"}, "input.values", "no field 'colour'"),
    ],
)
async def test_a_form_that_is_filled_wrongly_blames_the_field(
    shop: Shop, values: dict[str, Any], field: str, says: str
) -> None:
    code, blamed, message = await shop.refused(
        asks("integrationConfigure"), input={"provider": "smtp", "values": server(shop) | values}
    )

    assert (code, blamed) == ("INVALID", field)
    assert says in message
    assert await models.Integration.all().count() == 0


async def test_of_several_who_set_one_up_at_once_one_does(shop: Shop) -> None:
    configure, input = asks("integrationConfigure"), {"provider": "smtp", "values": server(shop, password=PASSWORD)}

    answers = await asyncio.gather(*(shop.post(configure, {"input": input}) for _ in range(5)))

    codes = [error["extensions"]["code"] for each in answers for error in each.get("errors", [])]
    assert set(codes) <= {"CONFLICT"}
    assert len(codes) < 5
    assert await integrations.secrets(await models.Integration.get(), "a test") == {"password": PASSWORD}


async def test_a_key_that_was_opened_for_nothing_is_in_the_log_too(shop: Shop) -> None:
    await do(shop, "integrationConfigure", values=server(shop, password=PASSWORD))
    await shop.refused(asks("integrationConfigure"), input={"provider": "smtp", "values": {"port": 0}})

    assert len((await shop(LOG))["nodes"]) == 1


async def test_what_is_no_form_and_what_is_no_provider_is_refused(shop: Shop) -> None:
    configure = asks("integrationConfigure")

    assert (await shop.refused(configure, input={"provider": "smtp", "values": [1]}))[:2] == ("INVALID", "input.values")
    assert (await shop.refused(configure, input={"provider": "nothing", "values": {}}))[:2] == (
        "NOT_FOUND", "input.provider",
    )  # fmt: skip
    assert (await shop.refused(configure, input={"provider": "brevo", "values": {}}))[:2] == (
        "CONFLICT", "input.provider",
    )  # fmt: skip
    for name in ("integrationEnable", "integrationDisable", "integrationRemove", "integrationTest"):
        document = TEST if name == "integrationTest" else asks(name)
        assert (await shop.refused(document, input={"provider": "smtp"}))[0] == "NOT_CONFIGURED"


async def test_who_does_not_run_the_shop_sees_no_integrations(shop: Shop) -> None:
    accountant = await Shop.open(shop.http, shop.sandbox, role=Role.ACCOUNTANT)

    assert (await accountant.refused(CATALOGUE))[0] == "FORBIDDEN"
    assert (await accountant.refused(asks("integrationEnable"), input={"provider": "smtp"}))[0] == "FORBIDDEN"


async def test_a_new_key_takes_the_place_of_the_one_before_only_if_it_works(shop: Shop) -> None:
    rotate = asks("integrationSecretRotate")
    await do(shop, "integrationConfigure", values=server(shop, user="me", password=PASSWORD))
    # The sandbox's server knows no passwords: whoever signs in is refused.
    code, field, message = await shop.refused(
        rotate, input={"provider": "smtp", "field": "password", "value": "another one"}
    )
    assert (code, field) == ("INVALID", "input.value")
    assert "the one before stays" in message
    assert (await shop.refused(rotate, input={"provider": "smtp", "field": "host", "value": "x"}))[1] == "input.field"
    too_long = await shop.refused(rotate, input={"provider": "smtp", "field": "password", "value": "x" * 501})
    assert too_long[:2] == ("INVALID", "input.value")
    row = await models.Integration.get()
    assert await integrations.secrets(row, "a test") == {"password": PASSWORD}

    await do(shop, "integrationConfigure", values={"user": None})  # so that it does not sign in
    rotated = await do(shop, "integrationSecretRotate", field="password", value="another password, longer")

    assert rotated["secrets"] == [{"field": "password", "lastFour": "nger", "destroyedAt": None}]
    assert await integrations.secrets(row, "a test") == {"password": "another password, longer"}


async def test_a_server_that_refuses_its_keys_is_disconnected_and_not_asked_again_until_they_are_replaced(
    shop: Shop,
) -> None:
    await do(shop, "integrationConfigure", values=server(shop, user="me", password=PASSWORD))
    broken = await do(shop, "integrationEnable")
    assert broken["status"] == "DISCONNECTED"
    assert broken["reason"] == "Les clés sont refusées : remplacez-les."
    assert PASSWORD not in broken["detail"]
    uses = await models.SecretOpening.all().count()
    await shop.sell()
    assert await models.SecretOpening.all().count() == uses  # nothing is opened in vain
    assert await models.Promise.filter(job="invoices.send", failures__gt=0).exists()
    told = shop.mails("bonjour@comptappart.test")
    assert [str(mail.message["Subject"]) for mail in told] == ["SMTP ne répond plus comme il faut – ComptAppart"]

    mended = await do(shop, "integrationConfigure", values={"user": None, "password": None})
    assert mended["status"] == "CONNECTED"
    assert (await models.Integration.get()).alerted_at is None


async def test_a_clock_tries_what_is_due_and_writes_down_what_came_of_it(shop: Shop) -> None:
    await on(shop)
    assert await integration_checks.claim("smtp", 5) == []
    await shop.sql("UPDATE integrations SET next_check_at = now(), settings = settings || '{\"port\": 1}'")

    (due,) = await integration_checks.claim("smtp", 5)
    assert await integration_checks.claim("smtp", 5) == []  # leased
    outcome = await integration_checks.check(due, "a check by the clock")

    assert outcome.status is IntegrationStatus.ERROR
    row = await models.Integration.get()
    assert (row.status, row.alerted_at) == (IntegrationStatus.ERROR, None)  # it may be back in a moment
    assert row.next_check_at and row.checked_at and row.next_check_at > row.checked_at
    await shop.sql("UPDATE integrations SET failing_since = now() - interval '16 minutes'")
    await integration_checks.check(due, "a check by the clock")
    await integration_checks.check(due, "a check by the clock")
    assert (await models.Integration.get()).alerted_at
    assert await models.Promise.filter(job="integration_health.write").count() == 1  # an outage, a letter


async def test_what_came_of_keys_that_were_replaced_meanwhile_is_not_written_down(shop: Shop) -> None:
    await on(shop)
    before = await models.Integration.get()
    await do(shop, "integrationConfigure", values={"sender": "autre@nous.test"})

    before.settings["port"] = 1
    await integration_checks.check(before, "a check by the clock")

    assert (await models.Integration.get()).status is IntegrationStatus.CONNECTED


async def test_in_production_no_server_in_a_private_network_and_none_without_encryption_is_taken(shop: Shop) -> None:
    settings = outside().settings
    outside().settings = settings.model_copy(update={"environment": "production"})
    try:
        for values, field in (
            ({"host": "127.0.0.1", "security": "tls"}, "host"),
            ({"host": "metadata.internal", "security": "tls"}, "host"),
            ({"host": "smtp.example.com", "security": "none"}, "security"),
        ):
            code, blamed, _ = await shop.refused(
                asks("integrationConfigure"), input={"provider": "smtp", "values": server(shop) | values}
            )
            assert (code, blamed) == ("INVALID", f"input.values.{field}")
        for url in ("http://s3.example.com", "https://127.0.0.1", "https://[::1]:9000", "https://169.254.169.254"):
            code, blamed, _ = await shop.refused(
                asks("integrationConfigure"),
                input={"provider": "s3", "values": {
                    "bucket": "b", "access_key_id": "a", "secret_access_key": "s", "endpoint_url": url,
                }},
            )  # fmt: skip
            assert (code, blamed) == ("INVALID", "input.values.endpoint_url"), url
    finally:
        outside().settings = settings


def _one(listed: list[dict[str, Any]], key: str) -> dict[str, Any]:
    return next(each for each in listed if each["key"] == key)


def _ordered(form: dict[str, Any]) -> list[dict[str, Any]]:
    Draft202012Validator.check_schema(form)
    return sorted(form["properties"].values(), key=lambda field: int(field["x-order"]))
