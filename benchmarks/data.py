"""What the benchmarks read: a few organizations, one of them large, made by PostgreSQL itself in seconds.

The rows stand under every constraint of the schema. The same recipe makes the same rows, so that a database is kept
and used again until this file or the migrations change.
"""

import hashlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from argon2 import PasswordHasher

import models
from models.base import Row
from models.database import migrate

PASSWORD = "benchmark"  # of every user here
BUILDING_MOST = 600  # seconds, for any one statement


@dataclass(frozen=True)
class Shop:
    """An organization; its owner signs in as `owner@<slug>.test`."""

    slug: str
    orders: int
    clients: int
    with_lines: bool = True

    @property
    def email(self) -> str:
        return f"owner@{self.slug}.test"


LARGE = Shop("large", 201_000, 20_000)  # 603,000 lines
NEIGHBOURS = (Shop("north", 10_000, 1_000), Shop("east", 5_000, 500), Shop("south", 5_000, 500))
THOUSAND = Shop("thousand", 1_000, 1_000, with_lines=False)
MILLION = Shop("million", 1_000_000, 1_000, with_lines=False)
TOLD = Shop("told", 125, 50)  # 100 orders of it are paid, and invoiced
PRODUCTS = 40  # in each organization
LINES_MOST = 5  # of an order; 3 on average


async def database(server_url: str, *, million: bool = True) -> str:
    """The address of what reads are measured on."""
    shops = (LARGE, *NEIGHBOURS, THOUSAND, *((MILLION,) if million else ()))
    return _at(server_url, await _kept(server_url, "reads", shops))


async def fresh(server_url: str) -> str:
    """The address of a copy that may be written to: one organization's, made anew."""
    name = await _kept(server_url, "writes", (TOLD,))
    server = await asyncpg.connect(server_url, command_timeout=BUILDING_MOST)
    try:
        await server.execute("DROP DATABASE IF EXISTS fresh WITH (FORCE)")
        await server.execute(f'CREATE DATABASE fresh TEMPLATE "{name}"')
    finally:
        await server.close()
    return _at(server_url, "fresh")


async def _kept(server_url: str, kind: str, shops: tuple[Shop, ...]) -> str:
    """The name of the database, made where it is not there yet; those of other recipes are dropped."""
    name = f"{kind}_{_recipe(shops)}"
    server = await asyncpg.connect(server_url, command_timeout=BUILDING_MOST)
    try:
        kept = {row["datname"] for row in await server.fetch("SELECT datname FROM pg_database")}
        for other in kept:
            if other.startswith(f"{kind}_") and other != name:
                await server.execute(f'DROP DATABASE "{other}" WITH (FORCE)')
        if name not in kept:
            await server.execute(f'CREATE DATABASE "{name}_draft"')
            await _build(_at(server_url, f"{name}_draft"), shops)
            await server.execute(f'ALTER DATABASE "{name}_draft" RENAME TO "{name}"')
            await server.execute("CHECKPOINT")
    finally:
        await server.close()
    return name


def _recipe(shops: tuple[Shop, ...]) -> str:
    """A name for what this file and the migrations would make."""
    here = Path(__file__)
    sources = (here, *sorted((here.parent.parent / "migrations").glob("*.py")))
    content = b"".join(source.read_bytes() for source in sources)
    return hashlib.sha256(content + repr(shops).encode()).hexdigest()[:12]


def _at(server_url: str, database_name: str) -> str:
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{database_name}"))


async def _build(url: str, shops: tuple[Shop, ...]) -> None:
    await migrate(url)
    connection = await asyncpg.connect(url, command_timeout=BUILDING_MOST)
    try:
        for model in vars(models).values():
            if isinstance(model, type) and issubclass(model, Row):
                await _give_defaults(connection, model)
        await connection.execute(_FUNCTIONS)
        await connection.execute("SET session_replication_role = replica")  # nobody follows what is made here
        # Foreign keys are checked once, when all is there: three times faster than row by row.
        keys = await connection.fetch(_FOREIGN_KEYS)
        for table, name, _ in keys:
            await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for shop in shops:
            await _fill(connection, shop)
        for table, name, definition in keys:
            await connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        await connection.execute("RESET session_replication_role")
        await connection.execute("VACUUM (FREEZE, ANALYZE)")
    finally:
        await connection.close()


async def _give_defaults(connection: asyncpg.Connection, model: type[Row]) -> None:
    """What the ORM writes where nothing is said: what follows names only what it is about."""
    for column in model._meta.fields_map.values():
        default = column.default.value if isinstance(column.default, Enum) else column.default
        if column.generated or not isinstance(default, str | int):
            continue
        value = "'" + default.replace("'", "''") + "'" if isinstance(default, str) else str(default)
        await connection.execute(
            f'ALTER TABLE {model._meta.db_table} ALTER "{column.source_field or column.model_field_name}"'
            f" SET DEFAULT {value}"
        )


async def _fill(connection: asyncpg.Connection, shop: Shop) -> None:
    organization = await connection.fetchval(_ORGANIZATION, shop.slug)
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # cheap: nobody's secret
    await connection.execute(_OWNER, organization, shop.email, hashed)
    await connection.execute(_CLIENTS, organization, shop.slug, shop.clients)
    await connection.execute(_PRODUCTS, organization, shop.slug, PRODUCTS)
    lines = LINES_MOST if shop.with_lines else 0
    await connection.execute(_ORDERS, organization, shop.slug, shop.orders, shop.clients, lines, PRODUCTS)
    if shop.with_lines:
        await connection.execute(_LINES, organization, shop.slug, lines, PRODUCTS)
        await connection.execute(_PAYMENTS, organization, shop.slug)
        await connection.execute(_PARTNER, organization, shop.slug)
        await connection.execute(_INVOICES, organization, shop.slug)


_FOREIGN_KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'
"""

# Ids are UUIDv7: the moment, the organization, the place among its rows.

_FUNCTIONS = """
CREATE FUNCTION id_of(slug text, place bigint, at timestamptz DEFAULT '2024-01-01Z') RETURNS uuid
IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN (
    lpad(to_hex((date_part('epoch', at) * 1000)::bigint), 12, '0')
    || '7' || substr(md5(slug), 1, 3) || '8' || substr(md5(slug), 4, 3) || lpad(to_hex(place), 12, '0')
)::uuid;

CREATE FUNCTION moment_of(place bigint, places bigint) RETURNS timestamptz
IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN
    timestamptz '2024-01-02Z' + place * (interval '700 days' / places);

CREATE FUNCTION price_of(product bigint) RETURNS integer
IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN 900 + (product * 1310) % 19000;

CREATE FUNCTION product_of(number bigint, line bigint, products bigint) RETURNS bigint
IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN (number * 31 + line * 17) % products + 1;
"""

_ORGANIZATION = """
INSERT INTO organizations (
    id, created_at, slug, name, legal_name, legal_form, share_capital, siren, siret, rcs, vat_number, vat_regime,
    address, postal_code, city, country, time_zone, invoice_prefix, last_order_number, quote_days,
    brand_name, brand_color, contact_email, terms_url
) VALUES (
    id_of($1, 0), '2024-01-01Z', $1, initcap($1), initcap($1) || ' SAS', 'SAS', '10 000 €',
    '732829320', '73282932000074', 'RCS Paris 732 829 320', 'FR44732829320', 'STANDARD',
    '12 rue de la Paix', '75002', 'Paris', 'FR', 'Europe/Paris', 'FQCA', 0, 30,
    initcap($1), '#1f4e5f', 'bonjour@' || $1 || '.test', 'https://' || $1 || '.test/cgv'
) RETURNING id
"""

_OWNER = """
WITH person AS (
    INSERT INTO users (id, created_at, email, password_hash, first_name, last_name)
    VALUES (id_of($2::text, 0), '2024-01-01Z', $2, $3, 'Camille', 'Durand') RETURNING id, email
)
INSERT INTO memberships (id, created_at, organization_id, user_id, role)
SELECT id_of(email, 0), '2024-01-01Z', $1::uuid, id, 'OWNER' FROM person
"""

_CLIENTS = """
INSERT INTO clients (
    id, created_at, organization_id, email, first_name, last_name, company, phone, address, postal_code, city, country
)
SELECT
    id_of($2::text, place), '2024-01-01Z', $1::uuid, 'client' || place || '@' || $2 || '.test',
    (ARRAY['Camille', 'Élodie', 'Jean', 'Zoé', NULL])[place % 5 + 1],
    (ARRAY['Durand', 'Noël', 'Œuvrard'])[place % 3 + 1],
    CASE WHEN place % 4 = 0 THEN 'Société ' || place END, CASE WHEN place % 2 = 0 THEN '+33612345678' END,
    place || ' place Bellecour', '69002', 'Lyon', 'FR'
FROM generate_series(1, $3::int) AS place
"""

_PRODUCTS = """
INSERT INTO products (
    id, created_at, organization_id, name, description, level, price_cents, currency, vat_rate, active
)
SELECT
    id_of($2::text, place), '2024-01-01Z', $1::uuid, 'Formule ' || place,
    CASE WHEN place % 3 > 0 THEN 'Profil, PDF de ' || place || ' pages et audio' END, nullif(place % 5, 0),
    price_of(place), 'EUR', 2000, true
FROM generate_series(1, $3::int) AS place
"""

# An order has 1 to $5 lines by its number, or none; four in five are paid.
_ORDERS = """
INSERT INTO orders (
    id, created_at, organization_id, number, client_id, kind, status, currency, subtotal_cents, total_cents, paid_cents,
    stripe_account, live, paid_at, event_id, canceled_at
)
SELECT
    id_of($2::text, number, at), at, $1::uuid, number,
    id_of($2, (number * 7919) % $4::int + 1),
    'PRODUCTS', status, 'EUR', total, total, CASE WHEN status = 'PAID' THEN total ELSE 0 END, 'acct_' || $2, false,
    CASE WHEN status = 'PAID' THEN at + interval '97.125 s' END,
    CASE WHEN status = 'PAID' THEN 'evt_' || number END,
    CASE WHEN status = 'CANCELED' THEN at END
FROM (
    SELECT
        number::bigint, moment_of(number, $3::int) AS at,
        (ARRAY['PAID', 'PAID', 'OPEN', 'PAID', 'PAID', 'PAID', 'PAID', 'PAID', 'CANCELED', 'PAID'])[number % 10 + 1]
            AS status,
        CASE WHEN $5::int = 0 THEN 900 + number % 9000 ELSE (
            SELECT sum(price_of(product_of(number, line, $6::int)) * ((number + line) % 3 + 1))
            FROM generate_series(1, number % nullif($5, 0) + 1) AS line
        ) END AS total
    FROM generate_series(1, $3) AS number
) AS made
"""

_LINES = """
INSERT INTO order_lines (
    id, created_at, organization_id, order_id, position, product_id, description, quantity, unit_price_cents, currency,
    vat_rate, total_cents
)
SELECT
    id_of($2::text, number * 8 + line, created_at), created_at, $1::uuid, id, line,
    id_of($2, product), 'Formule ' || product, quantity, price_of(product), 'EUR',
    2000, quantity * price_of(product)
FROM (
    SELECT
        orders.id, number, created_at, line, product_of(number, line, $4::int) AS product,
        (number + line) % 3 + 1 AS quantity
    FROM orders, generate_series(1, number % $3::int + 1) AS line
    WHERE organization_id = $1
) AS made
ORDER BY number, line
"""

_PAYMENTS = """
INSERT INTO payments (
    id, created_at, organization_id, order_id, method, status, amount_cents, applied_cents, currency, stripe_account,
    live, stripe_id, event_id, paid_at
)
SELECT
    id_of($2::text, number, paid_at), paid_at, $1::uuid, id, 'STRIPE', 'SUCCEEDED', total_cents,
    total_cents, currency, stripe_account, live, 'pi_' || number, event_id, paid_at
FROM orders WHERE organization_id = $1 AND status = 'PAID'
ORDER BY number
"""

_PARTNER = """
WITH partner AS (
    INSERT INTO partners (
        id, created_at, organization_id, slug, name, tell_free_orders, retry_policy, events,
        brand_name, brand_color, contact_email
    ) VALUES (
        id_of($2::text, 0), '2024-01-01Z', $1::uuid, 'fiscalis', 'Fiscalis', false, 'GUIDE', 'order.created',
        'Service Fiscalis', '#7a2e4d', 'contact@fiscalis.test'
    )
)
INSERT INTO partner_endpoints (id, created_at, organization_id, partner_id, live, failures, probes)
SELECT id_of($2::text, live::int), '2024-01-01Z', $1::uuid, id_of($2::text, 0), live, 0, 0
FROM (VALUES (false), (true)) AS modes (live)
"""

# Of each paid order, and a second one under the partner's brand for one in fifty. All are rendered and sent.
_INVOICES = """
WITH series AS (
    INSERT INTO invoice_series (id, created_at, organization_id, prefix, stripe_account, live, year, last_number)
    VALUES (id_of($2::text, 0), '2024-01-01Z', $1::uuid, 'FQCA', 'acct_' || $2, false, 2025, 0)
    RETURNING id
), made AS (
    SELECT
        orders.*, brand, extract(year FROM paid_at)::int AS year,
        row_number() OVER (PARTITION BY extract(year FROM paid_at) ORDER BY number, brand) AS sequence
    FROM orders, generate_series(1, CASE WHEN number % 50 = 0 THEN 2 ELSE 1 END) AS brand
    WHERE organization_id = $1 AND status = 'PAID'
)
INSERT INTO invoices (
    id, created_at, organization_id, order_id, partner_id, series_id, type, number, year, sequence, issued_at, due_on,
    settled_at, currency, net_cents, vat_cents, total_cents, stripe_account, live, content, message_id, credited_cents,
    content_sha256, chain_sha256, file_key, file_sha256, rendered_at, emailed_at
)
SELECT
    id_of($2, sequence, paid_at), paid_at, $1, made.id,
    CASE WHEN brand = 2 THEN id_of($2, 0) END, series.id,
    'INVOICE', 'FQCA-' || year || '-' || lpad(sequence::text, 6, '0'), year, sequence, paid_at, paid_at::date,
    paid_at, currency, total_cents - total_cents / 6, total_cents / 6, total_cents, stripe_account, live,
    jsonb_build_object(
        'seller', jsonb_build_object('name', 'Large SAS', 'siret', '73282932000074', 'address', '12 rue de la Paix'),
        'buyer', jsonb_build_object('name', 'Camille Durand', 'address', '3 place Bellecour', 'city', 'Lyon'),
        'lines', jsonb_build_array(jsonb_build_object('name', 'Formule', 'quantity', 1, 'total', total_cents)),
        'notes', 'TVA acquittée sur les encaissements. Pas d''escompte pour paiement anticipé.'
    ),
    sequence || '.' || year || '@' || $2 || '.test', 0, repeat('0c', 32), repeat('0d', 32),
    'invoices/' || year || '/' || sequence || '.pdf', repeat('0a', 32),
    paid_at + interval '2 s', paid_at + interval '3 s'
FROM made, series
ORDER BY made.number, brand
"""
