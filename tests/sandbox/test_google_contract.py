"""What our provider asks of Google, and what the stand-in answers, against the vendor's own description."""

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from providers.capabilities import Attendee, OutgoingEvent
from providers.google import AccessToken, addresses
from providers.google_calendar import GoogleCalendar
from sandbox import Sandbox

SPECS = Path(os.environ.get("COMPTOIR_SPECS", Path(__file__).parents[3] / "shared" / "specs"))
SPEC = SPECS / "google_calendar_v3_openapi.json"
pytestmark = pytest.mark.skipif(not SPEC.is_file(), reason="the vendor's description is not at hand (COMPTOIR_SPECS)")

ANNE = "anne@example.com"
AT = datetime(2027, 1, 18, 9, tzinfo=UTC)
ANYWHERE = {"alt", "fields", "prettyPrint", "quotaUser", "key"}


@pytest.fixture(scope="module")
async def asked():
    """Everything that the provider can ask: the sandbox after it."""
    async with Sandbox() as sandbox:
        sandbox.google.person(ANNE)
        token = AccessToken(access_token=SecretStr(sandbox.google.people.access_token(ANNE)))
        calendar = GoogleCalendar(token, addresses=addresses(sandbox.url))
        event = OutgoingEvent(
            "rdv00001", UUID(int=1), 0, "Bilan", AT, AT + timedelta(hours=1), "Europe/Paris",
            description="Entretien", location="Paris", attendees=(Attendee("marie@example.com", "Marie"),),
            wants_meet=True,
        )  # fmt: skip
        await calendar.check()
        await calendar.list_calendars()
        await calendar.add_calendar(ANNE)
        await calendar.insert(ANNE, event)
        await calendar.patch(ANNE, event)
        page = await calendar.changes(ANNE, since=AT - timedelta(days=1), until=AT + timedelta(days=60))
        await calendar.changes(ANNE, since=AT, sync_token=page.next_sync_token)
        await calendar.free_busy([ANNE], AT, AT + timedelta(days=1))
        await calendar.cancel(ANNE, event.id)
        yield sandbox


@pytest.fixture(scope="module")
def spec():
    return json.loads(SPEC.read_text())


def operation(spec, request):
    path = request.path.removeprefix("/calendar/v3")
    for template, operations in spec["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and request.method.lower() in operations:
            return operations[request.method.lower()], operations.get("parameters", [])
    raise AssertionError(f"{request.method} {request.path} is not in the vendor's description")


def misfits(spec, schema, value, path="body"):
    """Where a value is not as the schema says: unknown names, other types."""
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if value is None:  # unset
        return []
    kinds = {"string": str, "boolean": bool, "integer": int, "array": list, "object": dict}
    kind = kinds.get(schema.get("type", "object"))
    if kind and not isinstance(value, kind):
        return [f"{path} is no {schema['type']}"]
    if isinstance(value, list):
        return [each for item in value for each in misfits(spec, schema["items"], item, f"{path}[]")]
    if not isinstance(value, dict):
        return []
    known, rest = schema.get("properties", {}), schema.get("additionalProperties")
    found = []
    for name, inner in value.items():
        if name in known or isinstance(rest, dict):
            found += misfits(spec, known.get(name, rest), inner, f"{path}.{name}")
        else:
            found.append(f"{path}.{name} is unknown")
    return found


def test_requests_are_of_operations_and_parameters_that_there_are(asked, spec):
    assert len(asked.google.requests) == 10
    for request in asked.google.requests:
        described, shared = operation(spec, request)
        known = {each["name"] for each in [*described.get("parameters", []), *shared] if "name" in each}
        assert set(request.query) - ANYWHERE <= known, request


def test_bodies_fit_the_vendors_schemas(asked, spec):
    for request in asked.google.requests:
        if request.body:
            described, _ = operation(spec, request)
            schema = described["requestBody"]["content"]["application/json"]["schema"]
            assert misfits(spec, schema, request.body) == []


def test_events_of_the_stand_in_fit_the_vendors_schema(asked, spec):
    for event in asked.google.events(ANNE):
        assert misfits(spec, {"$ref": "#/components/schemas/Event"}, event) == []
