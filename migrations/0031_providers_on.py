"""Organizations know which of their providers are on, so that features are shown without asking for integrations."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from migrations._audit import audited
from migrations._known import Known

RULES = [
    "ALTER TABLE organizations ADD COLUMN providers_on text NOT NULL DEFAULT ''",
    "DROP TRIGGER audited ON organizations",
    audited("organizations", "Organization", ignored=("last_order_number", "providers_on")),
    # Two at once take turns: the second statement sees what the first one waited for.
    """
    CREATE FUNCTION note_providers_on() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM FROM organizations WHERE id = NEW.organization_id FOR NO KEY UPDATE;
        UPDATE organizations SET providers_on = coalesce((
            SELECT string_agg(provider, E'\\n' ORDER BY provider) FROM integrations
            WHERE organization_id = NEW.organization_id AND enabled
        ), '') WHERE id = NEW.organization_id;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER integrations_inserted AFTER INSERT ON integrations FOR EACH ROW WHEN (NEW.enabled)"
    " EXECUTE FUNCTION note_providers_on()",
    "CREATE TRIGGER integrations_switched AFTER UPDATE ON integrations FOR EACH ROW"
    " WHEN (OLD.enabled <> NEW.enabled) EXECUTE FUNCTION note_providers_on()",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0030_consents")]
    initial = False

    operations: list[Any] = [
        Known(model_name="Organization", name="providers_on", field=fields.TextField(default="")),
        ops.RunSQL(RULES, []),
    ]
