-- What a new database is made by: all that the migrations tell PostgreSQL, in their order.
-- Written by tests/architecture/declare.py, and compared with the migrations by tests/local/test_fresh_databases.py.
CREATE TABLE IF NOT EXISTS "tortoise_migrations" (
    "id" SERIAL NOT NULL PRIMARY KEY,
    "app" VARCHAR(255) NOT NULL,
    "name" VARCHAR(255) NOT NULL,
    "applied_at" TIMESTAMPTZ NOT NULL,
    CONSTRAINT "uid_tortoise_mi_app_3803a5" UNIQUE ("app", "name")
);

-- Migration: 0001_tables
CREATE TABLE "organizations" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "brand_name" VARCHAR(100) NOT NULL,
    "brand_color" VARCHAR(7) NOT NULL,
    "logo_svg" TEXT,
    "contact_email" VARCHAR(254) NOT NULL,
    "contact_phone" VARCHAR(16),
    "website" VARCHAR(2048),
    "terms_url" VARCHAR(2048),
    "slug" VARCHAR(63) NOT NULL UNIQUE,
    "name" VARCHAR(200) NOT NULL,
    "legal_name" VARCHAR(200) NOT NULL,
    "legal_form" VARCHAR(100) NOT NULL,
    "share_capital" VARCHAR(50),
    "siren" VARCHAR(9) NOT NULL,
    "siret" VARCHAR(14) NOT NULL,
    "rcs" VARCHAR(100),
    "vat_number" VARCHAR(14),
    "vat_regime" VARCHAR(20) NOT NULL,
    "address" VARCHAR(300) NOT NULL,
    "postal_code" VARCHAR(20) NOT NULL,
    "city" VARCHAR(100) NOT NULL,
    "country" VARCHAR(2) NOT NULL,
    "time_zone" VARCHAR(64) NOT NULL,
    "invoice_prefix" VARCHAR(10) NOT NULL,
    "last_order_number" INT NOT NULL
);
COMMENT ON COLUMN "organizations"."created_at" IS 'When it was made';
COMMENT ON COLUMN "organizations"."brand_name" IS 'Name shown to clients';
COMMENT ON COLUMN "organizations"."brand_color" IS 'Accent colour, `#rrggbb`';
COMMENT ON COLUMN "organizations"."logo_svg" IS 'Logo, as SVG';
COMMENT ON COLUMN "organizations"."contact_email" IS 'Where clients write to';
COMMENT ON COLUMN "organizations"."contact_phone" IS 'Phone number for clients, E.164';
COMMENT ON COLUMN "organizations"."website" IS 'Public site';
COMMENT ON COLUMN "organizations"."terms_url" IS 'General terms of sale (CGV)';
COMMENT ON COLUMN "organizations"."slug" IS 'Short name for addresses';
COMMENT ON COLUMN "organizations"."name" IS 'Usual name';
COMMENT ON COLUMN "organizations"."legal_name" IS 'Name in the register (EN 16931 BT-27)';
COMMENT ON COLUMN "organizations"."legal_form" IS 'SAS, SARL, EI…';
COMMENT ON COLUMN "organizations"."share_capital" IS 'As printed: `10 000 €`';
COMMENT ON COLUMN "organizations"."siren" IS 'SIREN, nine digits (BT-30)';
COMMENT ON COLUMN "organizations"."siret" IS 'SIRET, fourteen digits';
COMMENT ON COLUMN "organizations"."rcs" IS 'Register and its town: `RCS Paris 123 456 782`';
COMMENT ON COLUMN "organizations"."vat_number" IS 'Intra-community VAT number (BT-31)';
COMMENT ON COLUMN "organizations"."vat_regime" IS 'VAT regime';
COMMENT ON COLUMN "organizations"."address" IS 'Street, one or several lines';
COMMENT ON COLUMN "organizations"."postal_code" IS 'Postal code';
COMMENT ON COLUMN "organizations"."city" IS 'Town';
COMMENT ON COLUMN "organizations"."country" IS 'Country';
COMMENT ON COLUMN "organizations"."time_zone" IS 'IANA zone: the day and year of invoices';
COMMENT ON COLUMN "organizations"."invoice_prefix" IS 'What invoice numbers begin with: `FQCA`';
COMMENT ON COLUMN "organizations"."last_order_number" IS 'Number of the newest order';
COMMENT ON TABLE "organizations" IS 'An institute, a consultancy, a freelance: whoever sells.';
CREATE TABLE "clients" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "stripe_id" VARCHAR(255),
    "stripe_account" VARCHAR(255),
    "stripe_live" BOOL,
    "email" VARCHAR(254) NOT NULL,
    "first_name" VARCHAR(100),
    "last_name" VARCHAR(100),
    "company" VARCHAR(200),
    "phone" VARCHAR(16),
    "address" VARCHAR(300),
    "postal_code" VARCHAR(20),
    "city" VARCHAR(100),
    "country" VARCHAR(2),
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "clients"."created_at" IS 'When it was made';
COMMENT ON COLUMN "clients"."stripe_id" IS 'Id of the twin object at Stripe';
COMMENT ON COLUMN "clients"."stripe_account" IS 'Stripe account of the twin';
COMMENT ON COLUMN "clients"."stripe_live" IS 'Whether the twin is in live mode';
COMMENT ON COLUMN "clients"."email" IS 'E-mail address, one client each';
COMMENT ON COLUMN "clients"."first_name" IS 'First name';
COMMENT ON COLUMN "clients"."last_name" IS 'Last name';
COMMENT ON COLUMN "clients"."company" IS 'Company, when the client is one';
COMMENT ON COLUMN "clients"."phone" IS 'Phone number';
COMMENT ON COLUMN "clients"."address" IS 'Street, one or several lines';
COMMENT ON COLUMN "clients"."postal_code" IS 'Postal code';
COMMENT ON COLUMN "clients"."city" IS 'Town';
COMMENT ON COLUMN "clients"."country" IS 'Country';
COMMENT ON COLUMN "clients"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "clients" IS 'A customer of the organization, one per e-mail address.';
CREATE TABLE "invoice_series" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "prefix" VARCHAR(10) NOT NULL,
    "stripe_account" VARCHAR(255) NOT NULL,
    "live" BOOL NOT NULL,
    "year" INT NOT NULL,
    "last_number" INT NOT NULL,
    "last_issued_at" TIMESTAMPTZ,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_invoice_ser_organiz_0cc70c" UNIQUE ("organization_id", "prefix", "stripe_account", "live")
);
COMMENT ON COLUMN "invoice_series"."created_at" IS 'When it was made';
COMMENT ON COLUMN "invoice_series"."prefix" IS 'What its numbers begin with';
COMMENT ON COLUMN "invoice_series"."stripe_account" IS 'Stripe account of its sales';
COMMENT ON COLUMN "invoice_series"."live" IS 'Whether its invoices are real';
COMMENT ON COLUMN "invoice_series"."year" IS 'Year of the newest invoice, in the organization''s time zone';
COMMENT ON COLUMN "invoice_series"."last_number" IS 'The newest number of that year';
COMMENT ON COLUMN "invoice_series"."last_issued_at" IS 'When the newest was issued';
COMMENT ON COLUMN "invoice_series"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "invoice_series" IS 'A run of numbers without a gap: per organization, Stripe account and mode, and prefix; from 1 each year.';
CREATE TABLE "orders" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "number" INT NOT NULL,
    "kind" VARCHAR(20) NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "total_cents" INT NOT NULL,
    "stripe_account" VARCHAR(255) NOT NULL,
    "live" BOOL NOT NULL,
    "paid_at" TIMESTAMPTZ,
    "event_id" VARCHAR(255),
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_orders_organiz_5c7e8b" UNIQUE ("organization_id", "number")
);
COMMENT ON COLUMN "orders"."created_at" IS 'When it was made';
COMMENT ON COLUMN "orders"."number" IS 'Number within the organization, from 1';
COMMENT ON COLUMN "orders"."kind" IS 'What was sold';
COMMENT ON COLUMN "orders"."status" IS 'Where it stands';
COMMENT ON COLUMN "orders"."currency" IS 'Currency of every amount';
COMMENT ON COLUMN "orders"."total_cents" IS 'Total TTC, in minor units';
COMMENT ON COLUMN "orders"."stripe_account" IS 'Stripe account that is paid';
COMMENT ON COLUMN "orders"."live" IS 'Whether real money moves';
COMMENT ON COLUMN "orders"."paid_at" IS 'When it was paid';
COMMENT ON COLUMN "orders"."event_id" IS 'What settled it: the Stripe event''s id, else a stable one of ours';
COMMENT ON COLUMN "orders"."client_id" IS 'Who buys';
COMMENT ON COLUMN "orders"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "orders" IS 'A sale: lines in integer cents, one currency, one client.';
CREATE TABLE "conflicts" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "kind" VARCHAR(30) NOT NULL,
    "reference" VARCHAR(255) NOT NULL,
    "message" VARCHAR(500) NOT NULL,
    "resolved_at" TIMESTAMPTZ,
    "order_id" UUID NOT NULL REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_conflicts_order_i_fcaa6e" UNIQUE ("order_id", "kind", "reference")
);
COMMENT ON COLUMN "conflicts"."created_at" IS 'When it was made';
COMMENT ON COLUMN "conflicts"."kind" IS 'What kind of clash';
COMMENT ON COLUMN "conflicts"."reference" IS 'What brought it: the payment''s or event''s id';
COMMENT ON COLUMN "conflicts"."message" IS 'What happened, for a person';
COMMENT ON COLUMN "conflicts"."resolved_at" IS 'When a person settled it';
COMMENT ON COLUMN "conflicts"."order_id" IS 'The order';
COMMENT ON COLUMN "conflicts"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "conflicts" IS 'Something about an order that a person must settle; the money stands as it is.';
CREATE TABLE "partners" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "brand_name" VARCHAR(100) NOT NULL,
    "brand_color" VARCHAR(7) NOT NULL,
    "logo_svg" TEXT,
    "contact_email" VARCHAR(254) NOT NULL,
    "contact_phone" VARCHAR(16),
    "website" VARCHAR(2048),
    "terms_url" VARCHAR(2048),
    "slug" VARCHAR(63) NOT NULL,
    "name" VARCHAR(200) NOT NULL,
    "staging_url" VARCHAR(2048),
    "production_url" VARCHAR(2048),
    "api_key" TEXT,
    "api_key_last4" VARCHAR(4),
    "signing_secret" TEXT,
    "tell_free_orders" BOOL NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "partners"."created_at" IS 'When it was made';
COMMENT ON COLUMN "partners"."brand_name" IS 'Name shown to clients';
COMMENT ON COLUMN "partners"."brand_color" IS 'Accent colour, `#rrggbb`';
COMMENT ON COLUMN "partners"."logo_svg" IS 'Logo, as SVG';
COMMENT ON COLUMN "partners"."contact_email" IS 'Where clients write to';
COMMENT ON COLUMN "partners"."contact_phone" IS 'Phone number for clients, E.164';
COMMENT ON COLUMN "partners"."website" IS 'Public site';
COMMENT ON COLUMN "partners"."terms_url" IS 'General terms of sale (CGV)';
COMMENT ON COLUMN "partners"."slug" IS 'Short name, as in a Stripe product''s metadata';
COMMENT ON COLUMN "partners"."name" IS 'Usual name';
COMMENT ON COLUMN "partners"."staging_url" IS 'Where test orders are told';
COMMENT ON COLUMN "partners"."production_url" IS 'Where real orders are told';
COMMENT ON COLUMN "partners"."api_key" IS 'Sealed: sent as X-API-KEY';
COMMENT ON COLUMN "partners"."api_key_last4" IS 'Last four characters of their API key';
COMMENT ON COLUMN "partners"."signing_secret" IS 'Sealed: signs each notification';
COMMENT ON COLUMN "partners"."tell_free_orders" IS 'Whether free orders are told too';
COMMENT ON COLUMN "partners"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "partners" IS 'Someone whose products we sell, told of each order.';
CREATE TABLE "invoices" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "type" VARCHAR(20) NOT NULL,
    "number" VARCHAR(40) NOT NULL,
    "year" INT NOT NULL,
    "sequence" INT NOT NULL,
    "issued_at" TIMESTAMPTZ NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "net_cents" INT NOT NULL,
    "vat_cents" INT NOT NULL,
    "total_cents" INT NOT NULL,
    "stripe_account" VARCHAR(255) NOT NULL,
    "live" BOOL NOT NULL,
    "content" JSONB NOT NULL,
    "message_id" VARCHAR(255) NOT NULL,
    "file_key" VARCHAR(255),
    "file_sha256" VARCHAR(64),
    "rendered_at" TIMESTAMPTZ,
    "emailed_at" TIMESTAMPTZ,
    "order_id" UUID NOT NULL REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "partner_id" UUID REFERENCES "partners" ("id") ON DELETE RESTRICT,
    "series_id" UUID NOT NULL REFERENCES "invoice_series" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_invoices_series__b4427c" UNIQUE ("series_id", "year", "sequence")
);
COMMENT ON COLUMN "invoices"."created_at" IS 'When it was made';
COMMENT ON COLUMN "invoices"."type" IS 'What kind of document';
COMMENT ON COLUMN "invoices"."number" IS 'Document number, as printed: `FQCA-2025-000156`';
COMMENT ON COLUMN "invoices"."year" IS 'Year of the number';
COMMENT ON COLUMN "invoices"."sequence" IS 'Place in its series that year, from 1';
COMMENT ON COLUMN "invoices"."issued_at" IS 'When it was issued';
COMMENT ON COLUMN "invoices"."currency" IS 'Currency of every amount';
COMMENT ON COLUMN "invoices"."net_cents" IS 'Total HT, in minor units';
COMMENT ON COLUMN "invoices"."vat_cents" IS 'VAT, in minor units';
COMMENT ON COLUMN "invoices"."total_cents" IS 'Total TTC, in minor units';
COMMENT ON COLUMN "invoices"."stripe_account" IS 'Stripe account of the sale';
COMMENT ON COLUMN "invoices"."live" IS 'False: TEST stands across the page';
COMMENT ON COLUMN "invoices"."content" IS 'All that the document says, as it was at issue';
COMMENT ON COLUMN "invoices"."message_id" IS 'Message-ID of the e-mail that carries it, fixed beforehand';
COMMENT ON COLUMN "invoices"."file_key" IS 'Where the PDF is stored';
COMMENT ON COLUMN "invoices"."file_sha256" IS 'SHA-256 of the PDF, hexadecimal';
COMMENT ON COLUMN "invoices"."rendered_at" IS 'When the PDF was made';
COMMENT ON COLUMN "invoices"."emailed_at" IS 'When it was sent to the client';
COMMENT ON COLUMN "invoices"."order_id" IS 'The order invoiced';
COMMENT ON COLUMN "invoices"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "invoices"."partner_id" IS 'The partner whose brand it wears';
COMMENT ON COLUMN "invoices"."series_id" IS 'The series of its number';
COMMENT ON TABLE "invoices" IS 'What the client owes or paid, fixed at issue; never changed, never deleted.';
CREATE TABLE "notifications" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "event_type" VARCHAR(50) NOT NULL,
    "event_id" VARCHAR(255) NOT NULL,
    "payload" TEXT NOT NULL,
    "live" BOOL NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "attempts_left" INT NOT NULL,
    "next_attempt_at" TIMESTAMPTZ,
    "delivered_at" TIMESTAMPTZ,
    "invoice_id" UUID REFERENCES "invoices" ("id") ON DELETE RESTRICT,
    "order_id" UUID NOT NULL REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "partner_id" UUID NOT NULL REFERENCES "partners" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_notificatio_partner_e01c1d" UNIQUE ("partner_id", "order_id", "event_type")
);
COMMENT ON COLUMN "notifications"."created_at" IS 'When it was made';
COMMENT ON COLUMN "notifications"."event_type" IS 'What happened: `order.created`';
COMMENT ON COLUMN "notifications"."event_id" IS 'The event''s id, the same at each try';
COMMENT ON COLUMN "notifications"."payload" IS 'What is sent, as JSON in the guide''s order; the invoice''s link is made at each try';
COMMENT ON COLUMN "notifications"."live" IS 'Production address, else staging';
COMMENT ON COLUMN "notifications"."status" IS 'Where it stands';
COMMENT ON COLUMN "notifications"."attempts_left" IS 'Tries left before it is given up';
COMMENT ON COLUMN "notifications"."next_attempt_at" IS 'When the next try is due';
COMMENT ON COLUMN "notifications"."delivered_at" IS 'When the partner accepted it';
COMMENT ON COLUMN "notifications"."invoice_id" IS 'Its invoice';
COMMENT ON COLUMN "notifications"."order_id" IS 'The order it is about';
COMMENT ON COLUMN "notifications"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "notifications"."partner_id" IS 'Who is told';
COMMENT ON TABLE "notifications" IS 'An event told to a partner, the same `event_id` and `webhook-id` at each try.';
CREATE TABLE "notification_attempts" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "number" INT NOT NULL,
    "url" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ NOT NULL,
    "duration_ms" INT NOT NULL,
    "status_code" INT,
    "error" VARCHAR(500),
    "response" TEXT,
    "notification_id" UUID NOT NULL REFERENCES "notifications" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_notificatio_notific_3871b9" UNIQUE ("notification_id", "number")
);
COMMENT ON COLUMN "notification_attempts"."created_at" IS 'When it was made';
COMMENT ON COLUMN "notification_attempts"."number" IS 'Which try, from 1';
COMMENT ON COLUMN "notification_attempts"."url" IS 'Where it was sent';
COMMENT ON COLUMN "notification_attempts"."started_at" IS 'When it was sent';
COMMENT ON COLUMN "notification_attempts"."duration_ms" IS 'How long the answer took, in milliseconds';
COMMENT ON COLUMN "notification_attempts"."status_code" IS 'HTTP status of the answer';
COMMENT ON COLUMN "notification_attempts"."error" IS 'What went wrong, when nothing was answered';
COMMENT ON COLUMN "notification_attempts"."response" IS 'First 4 KiB of the answer';
COMMENT ON COLUMN "notification_attempts"."notification_id" IS 'The notification';
COMMENT ON COLUMN "notification_attempts"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "notification_attempts" IS 'One try at telling a partner, and what they answered.';
CREATE TABLE "payments" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "method" VARCHAR(20) NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "amount_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "stripe_account" VARCHAR(255) NOT NULL,
    "live" BOOL NOT NULL,
    "stripe_id" VARCHAR(255),
    "event_id" VARCHAR(255),
    "failure_code" VARCHAR(100),
    "failure_message" VARCHAR(500),
    "paid_at" TIMESTAMPTZ,
    "order_id" UUID NOT NULL REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "payments"."created_at" IS 'When it was made';
COMMENT ON COLUMN "payments"."method" IS 'How it was paid';
COMMENT ON COLUMN "payments"."status" IS 'What came of it';
COMMENT ON COLUMN "payments"."amount_cents" IS 'Amount in minor units, more than 0';
COMMENT ON COLUMN "payments"."currency" IS 'Currency of the amount';
COMMENT ON COLUMN "payments"."stripe_account" IS 'Stripe account that was paid';
COMMENT ON COLUMN "payments"."live" IS 'Whether real money moved';
COMMENT ON COLUMN "payments"."stripe_id" IS 'Stripe''s PaymentIntent';
COMMENT ON COLUMN "payments"."event_id" IS 'Stripe''s event that told of it';
COMMENT ON COLUMN "payments"."failure_code" IS 'Stripe''s code for a refusal';
COMMENT ON COLUMN "payments"."failure_message" IS 'Why it was refused, in words';
COMMENT ON COLUMN "payments"."paid_at" IS 'When the money was taken';
COMMENT ON COLUMN "payments"."order_id" IS 'The order paid';
COMMENT ON COLUMN "payments"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "payments" IS 'Money for an order, by one PaymentIntent or one manual record.';
CREATE TABLE "products" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "stripe_id" VARCHAR(255),
    "stripe_account" VARCHAR(255),
    "stripe_live" BOOL,
    "name" VARCHAR(200) NOT NULL,
    "description" VARCHAR(2000),
    "level" INT,
    "price_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "vat_rate" INT NOT NULL,
    "active" BOOL NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "products"."created_at" IS 'When it was made';
COMMENT ON COLUMN "products"."stripe_id" IS 'Id of the twin object at Stripe';
COMMENT ON COLUMN "products"."stripe_account" IS 'Stripe account of the twin';
COMMENT ON COLUMN "products"."stripe_live" IS 'Whether the twin is in live mode';
COMMENT ON COLUMN "products"."name" IS 'Name, as on the invoice';
COMMENT ON COLUMN "products"."description" IS 'What one gets';
COMMENT ON COLUMN "products"."level" IS 'Access level that buying it grants';
COMMENT ON COLUMN "products"."price_cents" IS 'Price TTC, in minor units; 0 for a free product';
COMMENT ON COLUMN "products"."currency" IS 'Currency of the price';
COMMENT ON COLUMN "products"."vat_rate" IS 'VAT rate in hundredths of a percent: 2000 is 20 %';
COMMENT ON COLUMN "products"."active" IS 'Whether it can be sold';
COMMENT ON COLUMN "products"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "products" IS 'A thing in the catalogue, sold TTC.';
CREATE TABLE "accesses" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "live" BOOL NOT NULL,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "order_id" UUID NOT NULL REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "product_id" UUID NOT NULL REFERENCES "products" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_accesses_client__f1064b" UNIQUE ("client_id", "product_id", "live")
);
COMMENT ON COLUMN "accesses"."created_at" IS 'When it was made';
COMMENT ON COLUMN "accesses"."live" IS 'Whether real money bought it';
COMMENT ON COLUMN "accesses"."client_id" IS 'Who may use it';
COMMENT ON COLUMN "accesses"."order_id" IS 'The order that granted it';
COMMENT ON COLUMN "accesses"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "accesses"."product_id" IS 'What they may use';
COMMENT ON TABLE "accesses" IS 'What a client may use, since they bought it.';
CREATE TABLE "attempts" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "operation" VARCHAR(30) NOT NULL,
    "number" INT NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "request" JSONB NOT NULL,
    "stripe_account" VARCHAR(255) NOT NULL,
    "live" BOOL NOT NULL,
    "stripe_id" VARCHAR(255),
    "url" TEXT,
    "expires_at" TIMESTAMPTZ,
    "error" VARCHAR(500),
    "client_id" UUID REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "order_id" UUID REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "product_id" UUID REFERENCES "products" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "attempts"."created_at" IS 'When it was made';
COMMENT ON COLUMN "attempts"."operation" IS 'What is asked for';
COMMENT ON COLUMN "attempts"."number" IS 'Which try, from 1';
COMMENT ON COLUMN "attempts"."status" IS 'What came of it';
COMMENT ON COLUMN "attempts"."request" IS 'The parameters sent, the same at each repetition';
COMMENT ON COLUMN "attempts"."stripe_account" IS 'Stripe account that is asked';
COMMENT ON COLUMN "attempts"."live" IS 'Whether in live mode';
COMMENT ON COLUMN "attempts"."stripe_id" IS 'Id of what was granted';
COMMENT ON COLUMN "attempts"."url" IS 'Where the client pays';
COMMENT ON COLUMN "attempts"."expires_at" IS 'Until when the client may pay';
COMMENT ON COLUMN "attempts"."error" IS 'Why it was refused';
COMMENT ON COLUMN "attempts"."client_id" IS 'The client it is for';
COMMENT ON COLUMN "attempts"."order_id" IS 'The order it is for';
COMMENT ON COLUMN "attempts"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "attempts"."product_id" IS 'The product it is for';
COMMENT ON TABLE "attempts" IS 'One try at an outside operation. It gives the idempotency key, so the same try can be repeated safely.';
CREATE TABLE "order_lines" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "position" INT NOT NULL,
    "description" VARCHAR(200) NOT NULL,
    "quantity" INT NOT NULL,
    "unit_price_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "vat_rate" INT NOT NULL,
    "total_cents" INT NOT NULL,
    "order_id" UUID NOT NULL REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "product_id" UUID NOT NULL REFERENCES "products" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_order_lines_order_i_cfcd05" UNIQUE ("order_id", "position")
);
COMMENT ON COLUMN "order_lines"."created_at" IS 'When it was made';
COMMENT ON COLUMN "order_lines"."position" IS 'Place on the order, from 1';
COMMENT ON COLUMN "order_lines"."description" IS 'Name of the product when it was sold';
COMMENT ON COLUMN "order_lines"."quantity" IS 'How many, 1 or more';
COMMENT ON COLUMN "order_lines"."unit_price_cents" IS 'Price TTC of one, in minor units';
COMMENT ON COLUMN "order_lines"."currency" IS 'Currency of the price, the order''s';
COMMENT ON COLUMN "order_lines"."vat_rate" IS 'VAT rate in hundredths of a percent';
COMMENT ON COLUMN "order_lines"."total_cents" IS 'Price TTC of all, in minor units';
COMMENT ON COLUMN "order_lines"."order_id" IS 'The order';
COMMENT ON COLUMN "order_lines"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "order_lines"."product_id" IS 'The product sold';
COMMENT ON TABLE "order_lines" IS 'One thing sold, at the price it had then.';
CREATE TABLE "product_partners" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "partner_id" UUID NOT NULL REFERENCES "partners" ("id") ON DELETE RESTRICT,
    "product_id" UUID NOT NULL REFERENCES "products" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_product_par_product_40c12c" UNIQUE ("product_id", "partner_id")
);
COMMENT ON COLUMN "product_partners"."created_at" IS 'When it was made';
COMMENT ON COLUMN "product_partners"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "product_partners"."partner_id" IS 'The partner';
COMMENT ON COLUMN "product_partners"."product_id" IS 'The product';
COMMENT ON TABLE "product_partners" IS 'A partner who is told when the product is sold; the oldest one''s brand is on the invoice.';
CREATE TABLE "outbox" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "lane" VARCHAR(20) NOT NULL,
    "job" VARCHAR(100) NOT NULL,
    "subject_id" UUID NOT NULL,
    "due_at" TIMESTAMPTZ,
    "deaths" INT NOT NULL,
    "failures" INT NOT NULL,
    "lease_until" TIMESTAMPTZ,
    "token" UUID,
    "done_at" TIMESTAMPTZ,
    "given_up_at" TIMESTAMPTZ,
    "error" VARCHAR(1000),
    "after_id" UUID REFERENCES "outbox" ("id") ON DELETE RESTRICT,
    "organization_id" UUID REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "outbox"."created_at" IS 'When it was made';
COMMENT ON COLUMN "outbox"."lane" IS 'Which workers keep it';
COMMENT ON COLUMN "outbox"."job" IS 'Name of the job: `invoices.render`';
COMMENT ON COLUMN "outbox"."subject_id" IS 'The row that the job is about';
COMMENT ON COLUMN "outbox"."due_at" IS 'When; null while it waits for another';
COMMENT ON COLUMN "outbox"."deaths" IS 'How often a worker died holding it';
COMMENT ON COLUMN "outbox"."failures" IS 'How often it failed';
COMMENT ON COLUMN "outbox"."lease_until" IS 'Until when a worker holds it';
COMMENT ON COLUMN "outbox"."token" IS 'Who holds it';
COMMENT ON COLUMN "outbox"."done_at" IS 'When it was kept';
COMMENT ON COLUMN "outbox"."given_up_at" IS 'When it was given up';
COMMENT ON COLUMN "outbox"."error" IS 'Why it failed last';
COMMENT ON COLUMN "outbox"."after_id" IS 'Waits until that one is kept';
COMMENT ON COLUMN "outbox"."organization_id" IS 'For whom';
COMMENT ON TABLE "outbox" IS 'A row of the outbox: written with the change that owes it, kept by a worker.';
CREATE TABLE "secret_openings" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "table_name" VARCHAR(63) NOT NULL,
    "row_id" UUID NOT NULL,
    "field" VARCHAR(63) NOT NULL,
    "key_id" VARCHAR(20) NOT NULL,
    "purpose" VARCHAR(200) NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "secret_openings"."created_at" IS 'When it was made';
COMMENT ON COLUMN "secret_openings"."table_name" IS 'Table of the row';
COMMENT ON COLUMN "secret_openings"."row_id" IS 'The row that holds it';
COMMENT ON COLUMN "secret_openings"."field" IS 'Which secret';
COMMENT ON COLUMN "secret_openings"."key_id" IS 'Master key that sealed it';
COMMENT ON COLUMN "secret_openings"."purpose" IS 'What it was opened for';
COMMENT ON COLUMN "secret_openings"."organization_id" IS 'Whose secret';
COMMENT ON TABLE "secret_openings" IS 'One use of a sealed secret: the access log. Append-only.';
CREATE TABLE "stripe_events" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "stripe_id" VARCHAR(255) NOT NULL,
    "stripe_account" VARCHAR(255) NOT NULL,
    "live" BOOL NOT NULL,
    "type" VARCHAR(100) NOT NULL,
    "occurred_at" TIMESTAMPTZ NOT NULL,
    "body" BYTEA NOT NULL,
    "outcome" VARCHAR(500),
    "handled_at" TIMESTAMPTZ,
    CONSTRAINT "uid_stripe_even_stripe__abdc6b" UNIQUE ("stripe_account", "stripe_id")
);
COMMENT ON COLUMN "stripe_events"."created_at" IS 'When it was made';
COMMENT ON COLUMN "stripe_events"."stripe_id" IS 'Stripe''s id: `evt_…`';
COMMENT ON COLUMN "stripe_events"."stripe_account" IS 'Account that it came from';
COMMENT ON COLUMN "stripe_events"."live" IS 'Stripe''s livemode';
COMMENT ON COLUMN "stripe_events"."type" IS '`checkout.session.completed` and so on';
COMMENT ON COLUMN "stripe_events"."occurred_at" IS 'When Stripe made it';
COMMENT ON COLUMN "stripe_events"."body" IS 'The raw body, as signed';
COMMENT ON COLUMN "stripe_events"."outcome" IS 'What we made of it';
COMMENT ON COLUMN "stripe_events"."handled_at" IS 'When it was handled';
COMMENT ON TABLE "stripe_events" IS 'An event as Stripe posted it, stored before anything else; handled once whatever the number of deliveries.';
CREATE TABLE "users" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "email" VARCHAR(254) NOT NULL UNIQUE,
    "password_hash" VARCHAR(255) NOT NULL,
    "first_name" VARCHAR(100) NOT NULL,
    "last_name" VARCHAR(100) NOT NULL
);
COMMENT ON COLUMN "users"."created_at" IS 'When it was made';
COMMENT ON COLUMN "users"."email" IS 'E-mail address';
COMMENT ON COLUMN "users"."first_name" IS 'First name';
COMMENT ON COLUMN "users"."last_name" IS 'Last name';
COMMENT ON TABLE "users" IS 'A person who signs in; may belong to several organizations.';
CREATE TABLE "memberships" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "role" VARCHAR(20) NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_memberships_organiz_5e1ecd" UNIQUE ("organization_id", "user_id")
);
COMMENT ON COLUMN "memberships"."created_at" IS 'When it was made';
COMMENT ON COLUMN "memberships"."role" IS 'What they may do there';
COMMENT ON COLUMN "memberships"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "memberships"."user_id" IS 'The person';
COMMENT ON TABLE "memberships" IS 'A person''s role in an organization.';

-- Migration: 0002_constraints
ALTER TABLE memberships DROP CONSTRAINT memberships_organization_id_fkey, ADD CONSTRAINT memberships_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT memberships_tenant UNIQUE (organization_id, id);
ALTER TABLE clients DROP CONSTRAINT clients_organization_id_fkey, ADD CONSTRAINT clients_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT clients_tenant UNIQUE (organization_id, id);
ALTER TABLE products DROP CONSTRAINT products_organization_id_fkey, ADD CONSTRAINT products_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT products_tenant UNIQUE (organization_id, id);
ALTER TABLE product_partners DROP CONSTRAINT product_partners_organization_id_fkey, ADD CONSTRAINT product_partners_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT product_partners_tenant UNIQUE (organization_id, id);
ALTER TABLE accesses DROP CONSTRAINT accesses_organization_id_fkey, ADD CONSTRAINT accesses_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT accesses_tenant UNIQUE (organization_id, id);
ALTER TABLE orders DROP CONSTRAINT orders_organization_id_fkey, ADD CONSTRAINT orders_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT orders_tenant UNIQUE (organization_id, id);
ALTER TABLE order_lines DROP CONSTRAINT order_lines_organization_id_fkey, ADD CONSTRAINT order_lines_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT order_lines_tenant UNIQUE (organization_id, id);
ALTER TABLE conflicts DROP CONSTRAINT conflicts_organization_id_fkey, ADD CONSTRAINT conflicts_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT conflicts_tenant UNIQUE (organization_id, id);
ALTER TABLE attempts DROP CONSTRAINT attempts_organization_id_fkey, ADD CONSTRAINT attempts_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT attempts_tenant UNIQUE (organization_id, id);
ALTER TABLE payments DROP CONSTRAINT payments_organization_id_fkey, ADD CONSTRAINT payments_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT payments_tenant UNIQUE (organization_id, id);
ALTER TABLE invoice_series DROP CONSTRAINT invoice_series_organization_id_fkey, ADD CONSTRAINT invoice_series_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT invoice_series_tenant UNIQUE (organization_id, id);
ALTER TABLE invoices DROP CONSTRAINT invoices_organization_id_fkey, ADD CONSTRAINT invoices_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT invoices_tenant UNIQUE (organization_id, id);
ALTER TABLE partners DROP CONSTRAINT partners_organization_id_fkey, ADD CONSTRAINT partners_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT partners_tenant UNIQUE (organization_id, id);
ALTER TABLE notifications DROP CONSTRAINT notifications_organization_id_fkey, ADD CONSTRAINT notifications_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT notifications_tenant UNIQUE (organization_id, id);
ALTER TABLE notification_attempts DROP CONSTRAINT notification_attempts_organization_id_fkey, ADD CONSTRAINT notification_attempts_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT notification_attempts_tenant UNIQUE (organization_id, id);
ALTER TABLE secret_openings DROP CONSTRAINT secret_openings_organization_id_fkey, ADD CONSTRAINT secret_openings_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT secret_openings_tenant UNIQUE (organization_id, id);
ALTER TABLE product_partners DROP CONSTRAINT product_partners_product_id_fkey, ADD CONSTRAINT product_partners_product_id FOREIGN KEY (organization_id, product_id) REFERENCES products (organization_id, id);
ALTER TABLE product_partners DROP CONSTRAINT product_partners_partner_id_fkey, ADD CONSTRAINT product_partners_partner_id FOREIGN KEY (organization_id, partner_id) REFERENCES partners (organization_id, id);
ALTER TABLE accesses DROP CONSTRAINT accesses_client_id_fkey, ADD CONSTRAINT accesses_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE accesses DROP CONSTRAINT accesses_product_id_fkey, ADD CONSTRAINT accesses_product_id FOREIGN KEY (organization_id, product_id) REFERENCES products (organization_id, id);
ALTER TABLE accesses DROP CONSTRAINT accesses_order_id_fkey, ADD CONSTRAINT accesses_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
ALTER TABLE orders DROP CONSTRAINT orders_client_id_fkey, ADD CONSTRAINT orders_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE order_lines DROP CONSTRAINT order_lines_order_id_fkey, ADD CONSTRAINT order_lines_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
ALTER TABLE order_lines DROP CONSTRAINT order_lines_product_id_fkey, ADD CONSTRAINT order_lines_product_id FOREIGN KEY (organization_id, product_id) REFERENCES products (organization_id, id);
ALTER TABLE conflicts DROP CONSTRAINT conflicts_order_id_fkey, ADD CONSTRAINT conflicts_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
ALTER TABLE attempts DROP CONSTRAINT attempts_order_id_fkey, ADD CONSTRAINT attempts_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
ALTER TABLE attempts DROP CONSTRAINT attempts_client_id_fkey, ADD CONSTRAINT attempts_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE attempts DROP CONSTRAINT attempts_product_id_fkey, ADD CONSTRAINT attempts_product_id FOREIGN KEY (organization_id, product_id) REFERENCES products (organization_id, id);
ALTER TABLE payments DROP CONSTRAINT payments_order_id_fkey, ADD CONSTRAINT payments_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
ALTER TABLE invoices DROP CONSTRAINT invoices_order_id_fkey, ADD CONSTRAINT invoices_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
ALTER TABLE invoices DROP CONSTRAINT invoices_partner_id_fkey, ADD CONSTRAINT invoices_partner_id FOREIGN KEY (organization_id, partner_id) REFERENCES partners (organization_id, id);
ALTER TABLE invoices DROP CONSTRAINT invoices_series_id_fkey, ADD CONSTRAINT invoices_series_id FOREIGN KEY (organization_id, series_id) REFERENCES invoice_series (organization_id, id);
ALTER TABLE notifications DROP CONSTRAINT notifications_partner_id_fkey, ADD CONSTRAINT notifications_partner_id FOREIGN KEY (organization_id, partner_id) REFERENCES partners (organization_id, id);
ALTER TABLE notifications DROP CONSTRAINT notifications_order_id_fkey, ADD CONSTRAINT notifications_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
ALTER TABLE notifications DROP CONSTRAINT notifications_invoice_id_fkey, ADD CONSTRAINT notifications_invoice_id FOREIGN KEY (organization_id, invoice_id) REFERENCES invoices (organization_id, id);
ALTER TABLE notification_attempts DROP CONSTRAINT notification_attempts_notification_id_fkey, ADD CONSTRAINT notification_attempts_notification_id FOREIGN KEY (organization_id, notification_id) REFERENCES notifications (organization_id, id);
ALTER TABLE memberships DROP CONSTRAINT memberships_user_id_fkey, ADD CONSTRAINT memberships_user_id FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE outbox DROP CONSTRAINT outbox_organization_id_fkey, ADD CONSTRAINT outbox_organization_id FOREIGN KEY (organization_id) REFERENCES organizations (id);
ALTER TABLE outbox DROP CONSTRAINT outbox_after_id_fkey, ADD CONSTRAINT outbox_after_id FOREIGN KEY (after_id) REFERENCES outbox (id);
CREATE INDEX product_partners_product_id_index ON product_partners (product_id);
CREATE INDEX product_partners_partner_id_index ON product_partners (partner_id);
CREATE INDEX accesses_client_id_index ON accesses (client_id);
CREATE INDEX accesses_product_id_index ON accesses (product_id);
CREATE INDEX accesses_order_id_index ON accesses (order_id);
CREATE INDEX orders_client_id_index ON orders (client_id);
CREATE INDEX order_lines_order_id_index ON order_lines (order_id);
CREATE INDEX order_lines_product_id_index ON order_lines (product_id);
CREATE INDEX conflicts_order_id_index ON conflicts (order_id);
CREATE INDEX attempts_order_id_index ON attempts (order_id);
CREATE INDEX attempts_client_id_index ON attempts (client_id);
CREATE INDEX attempts_product_id_index ON attempts (product_id);
CREATE INDEX payments_order_id_index ON payments (order_id);
CREATE INDEX invoices_order_id_index ON invoices (order_id);
CREATE INDEX invoices_partner_id_index ON invoices (partner_id);
CREATE INDEX invoices_series_id_index ON invoices (series_id);
CREATE INDEX notifications_partner_id_index ON notifications (partner_id);
CREATE INDEX notifications_order_id_index ON notifications (order_id);
CREATE INDEX notifications_invoice_id_index ON notifications (invoice_id);
CREATE INDEX notification_attempts_notification_id_index ON notification_attempts (notification_id);
CREATE INDEX memberships_user_id_index ON memberships (user_id);
CREATE INDEX outbox_organization_id_index ON outbox (organization_id);
CREATE INDEX outbox_after_id_index ON outbox (after_id);
ALTER TABLE organizations ADD CONSTRAINT organizations_vat_regime_check CHECK (vat_regime IN ('STANDARD', 'FRANCHISE', 'EXEMPT_TRAINING'));
ALTER TABLE memberships ADD CONSTRAINT memberships_role_check CHECK (role IN ('OWNER', 'ADMIN', 'CONSULTANT', 'ACCOUNTANT', 'BENEFICIARY'));
ALTER TABLE orders ADD CONSTRAINT orders_kind_check CHECK (kind IN ('PRODUCTS'));
ALTER TABLE orders ADD CONSTRAINT orders_status_check CHECK (status IN ('OPEN', 'PAID', 'CANCELED'));
ALTER TABLE conflicts ADD CONSTRAINT conflicts_kind_check CHECK (kind IN ('AMOUNT_MISMATCH', 'DUPLICATE_PAYMENT', 'CANCELED_ORDER_PAID', 'REACTION_FAILED'));
ALTER TABLE attempts ADD CONSTRAINT attempts_operation_check CHECK (operation IN ('CREATE_CUSTOMER', 'CREATE_PRODUCT', 'CHECKOUT'));
ALTER TABLE attempts ADD CONSTRAINT attempts_status_check CHECK (status IN ('PENDING', 'OPEN', 'COMPLETED', 'EXPIRED', 'FAILED'));
ALTER TABLE payments ADD CONSTRAINT payments_method_check CHECK (method IN ('STRIPE', 'PAYPAL', 'TRANSFER', 'CHEQUE', 'CASH', 'CPF'));
ALTER TABLE payments ADD CONSTRAINT payments_status_check CHECK (status IN ('SUCCEEDED', 'FAILED'));
ALTER TABLE invoices ADD CONSTRAINT invoices_type_check CHECK (type IN ('INVOICE'));
ALTER TABLE notifications ADD CONSTRAINT notifications_status_check CHECK (status IN ('PENDING', 'DELIVERED', 'FAILED'));
ALTER TABLE outbox ADD CONSTRAINT outbox_lane_check CHECK (lane IN ('EVENTS', 'RENDER', 'MAIL', 'DELIVER', 'SYNC'));
ALTER TABLE organizations ADD CONSTRAINT organizations_slug_check CHECK (slug ~ '^[a-z0-9][a-z0-9-]*$');
ALTER TABLE organizations ADD CONSTRAINT organizations_siren_check CHECK (siren ~ '^[0-9]{9}$');
ALTER TABLE organizations ADD CONSTRAINT organizations_siret_check CHECK (siret ~ '^[0-9]{14}$');
ALTER TABLE organizations ADD CONSTRAINT organizations_invoice_prefix_check CHECK (invoice_prefix ~ '^[A-Z0-9]{2,10}$');
ALTER TABLE partners ADD CONSTRAINT partners_slug_check CHECK (slug ~ '^[a-z0-9][a-z0-9-]*$');
ALTER TABLE organizations ADD CONSTRAINT organizations_brand_color_check CHECK (brand_color ~ '^#[0-9a-fA-F]{6}$');
ALTER TABLE partners ADD CONSTRAINT partners_brand_color_check CHECK (brand_color ~ '^#[0-9a-fA-F]{6}$');
ALTER TABLE users ADD CONSTRAINT users_email_check CHECK (email = lower(email));
ALTER TABLE clients ADD CONSTRAINT clients_email_check CHECK (email = lower(email));
ALTER TABLE products ADD CONSTRAINT products_price_check CHECK (price_cents BETWEEN 0 AND 99999999);
ALTER TABLE products ADD CONSTRAINT products_vat_rate_check CHECK (vat_rate BETWEEN 0 AND 10000);
ALTER TABLE products ADD CONSTRAINT products_currency_check CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE orders ADD CONSTRAINT orders_number_check CHECK (number > 0);
ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total_cents BETWEEN 0 AND 99999999);
ALTER TABLE orders ADD CONSTRAINT orders_currency_check CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE orders ADD CONSTRAINT orders_paid_check CHECK ((status = 'PAID') = (paid_at IS NOT NULL AND event_id IS NOT NULL));
ALTER TABLE order_lines ADD CONSTRAINT order_lines_quantity_check CHECK (quantity BETWEEN 1 AND 9999);
ALTER TABLE order_lines ADD CONSTRAINT order_lines_total_check CHECK (unit_price_cents >= 0 AND total_cents = quantity * unit_price_cents);
ALTER TABLE order_lines ADD CONSTRAINT order_lines_vat_rate_check CHECK (vat_rate BETWEEN 0 AND 10000);
ALTER TABLE attempts ADD CONSTRAINT attempts_subject_check CHECK (num_nonnulls(order_id, client_id, product_id) = 1);
ALTER TABLE attempts ADD CONSTRAINT attempts_number_check CHECK (number > 0);
ALTER TABLE payments ADD CONSTRAINT payments_amount_check CHECK (amount_cents > 0);
ALTER TABLE payments ADD CONSTRAINT payments_paid_check CHECK ((status = 'SUCCEEDED') = (paid_at IS NOT NULL));
ALTER TABLE invoice_series ADD CONSTRAINT invoice_series_last_number_check CHECK (last_number >= 0);
ALTER TABLE invoices ADD CONSTRAINT invoices_total_check CHECK (total_cents = net_cents + vat_cents AND net_cents >= 0 AND vat_cents >= 0);
ALTER TABLE invoices ADD CONSTRAINT invoices_sequence_check CHECK (sequence > 0);
ALTER TABLE invoices ADD CONSTRAINT invoices_file_check CHECK (num_nonnulls(file_key, file_sha256, rendered_at) IN (0, 3));
ALTER TABLE notifications ADD CONSTRAINT notifications_delivered_check CHECK ((status = 'DELIVERED') = (delivered_at IS NOT NULL));
ALTER TABLE notifications ADD CONSTRAINT notifications_attempts_left_check CHECK (attempts_left >= 0);
ALTER TABLE outbox ADD CONSTRAINT outbox_ended_check CHECK (done_at IS NULL OR given_up_at IS NULL);
ALTER TABLE outbox ADD CONSTRAINT outbox_waits_check CHECK (due_at IS NOT NULL OR after_id IS NOT NULL);
CREATE UNIQUE INDEX clients_email ON clients (organization_id, email);
CREATE UNIQUE INDEX partners_slug ON partners (organization_id, slug);
CREATE UNIQUE INDEX attempts_order_number ON attempts (order_id, operation, number);
CREATE UNIQUE INDEX attempts_client_number ON attempts (client_id, operation, number);
CREATE UNIQUE INDEX attempts_product_number ON attempts (product_id, operation, number);
CREATE UNIQUE INDEX attempts_granted ON attempts (stripe_account, live, stripe_id) WHERE operation = 'CHECKOUT';
CREATE UNIQUE INDEX payments_stripe ON payments (stripe_account, live, stripe_id);
CREATE UNIQUE INDEX invoices_number ON invoices (organization_id, stripe_account, live, number);
CREATE INDEX outbox_due ON outbox (lane, due_at) WHERE done_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outbox_token ON outbox (token) WHERE token IS NOT NULL;
CREATE UNIQUE INDEX invoices_brand ON invoices (order_id, partner_id) WHERE type = 'INVOICE';
CREATE UNIQUE INDEX invoices_own_brand ON invoices (order_id) WHERE type = 'INVOICE' AND partner_id IS NULL;
CREATE INDEX outbox_subject ON outbox (subject_id);
CREATE INDEX secret_openings_row ON secret_openings (row_id);

-- Migration: 0003_people_and_pages
ALTER TABLE clients ADD COLUMN consultant_id uuid;
ALTER TABLE clients ADD COLUMN member_id uuid;
ALTER TABLE notification_attempts ADD COLUMN accepted boolean NOT NULL GENERATED ALWAYS AS (coalesce(status_code BETWEEN 200 AND 299, false)) STORED;
ALTER TABLE clients ADD CONSTRAINT clients_consultant_id FOREIGN KEY (organization_id, consultant_id) REFERENCES memberships (organization_id, id);
ALTER TABLE clients ADD CONSTRAINT clients_member_id FOREIGN KEY (organization_id, member_id) REFERENCES memberships (organization_id, id);
CREATE UNIQUE INDEX clients_member ON clients (member_id);
CREATE INDEX orders_by_total_cents ON orders (organization_id, total_cents, id);
CREATE INDEX products_by_name ON products (organization_id, name, id);
CREATE INDEX products_by_price_cents ON products (organization_id, price_cents, id);
CREATE INDEX invoices_by_number ON invoices (organization_id, number, id);
CREATE INDEX invoices_by_issued_at ON invoices (organization_id, issued_at, id);
CREATE INDEX invoices_by_total_cents ON invoices (organization_id, total_cents, id);
CREATE INDEX partners_by_name ON partners (organization_id, name, id);
CREATE INDEX orders_by_status ON orders (organization_id, status, id);
CREATE INDEX notifications_by_status ON notifications (organization_id, status, id);
CREATE INDEX clients_of_consultant ON clients (consultant_id, id);
CREATE INDEX orders_of_client ON orders (client_id, id);
CREATE INDEX invoices_of_order ON invoices (order_id, id);
CREATE INDEX invoices_of_partner ON invoices (partner_id, id);
CREATE INDEX notifications_of_order ON notifications (order_id, id);
CREATE INDEX notifications_of_partner ON notifications (partner_id, id);
DROP INDEX orders_client_id_index;
DROP INDEX invoices_order_id_index;
DROP INDEX invoices_partner_id_index;
DROP INDEX invoices_series_id_index;
DROP INDEX notifications_order_id_index;
DROP INDEX notifications_partner_id_index;
DROP INDEX notification_attempts_notification_id_index;
DROP INDEX order_lines_order_id_index;
DROP INDEX conflicts_order_id_index;
DROP INDEX accesses_client_id_index;
DROP INDEX product_partners_product_id_index;
DROP INDEX attempts_order_id_index;
DROP INDEX attempts_client_id_index;
DROP INDEX attempts_product_id_index;

-- Migration: 0004_the_sale_complete
CREATE TABLE "discount_codes" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "code" VARCHAR(40) NOT NULL,
    "name" VARCHAR(200),
    "percent" INT NOT NULL,
    "amount_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "minimum_cents" INT NOT NULL,
    "starts_at" TIMESTAMPTZ,
    "ends_at" TIMESTAMPTZ,
    "redemptions_most" INT,
    "per_client_most" INT,
    "redemptions" INT NOT NULL,
    "active" BOOL NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "discount_codes"."created_at" IS 'When it was made';
COMMENT ON COLUMN "discount_codes"."code" IS 'What the client types, upper case';
COMMENT ON COLUMN "discount_codes"."name" IS 'What it is for, as on the invoice';
COMMENT ON COLUMN "discount_codes"."percent" IS 'Taken off, in hundredths of a percent; 0 where it is an amount';
COMMENT ON COLUMN "discount_codes"."amount_cents" IS 'Taken off, TTC, in minor units; 0 where it is a share';
COMMENT ON COLUMN "discount_codes"."currency" IS 'Currency of its amounts';
COMMENT ON COLUMN "discount_codes"."minimum_cents" IS 'Only for orders of as much, TTC, in minor units';
COMMENT ON COLUMN "discount_codes"."starts_at" IS 'From when on it is good';
COMMENT ON COLUMN "discount_codes"."ends_at" IS 'Until when it is good';
COMMENT ON COLUMN "discount_codes"."redemptions_most" IS 'How many orders may use it; null for any number';
COMMENT ON COLUMN "discount_codes"."per_client_most" IS 'How many orders of one client may use it';
COMMENT ON COLUMN "discount_codes"."redemptions" IS 'How many orders use it';
COMMENT ON COLUMN "discount_codes"."active" IS 'Whether it can be used';
COMMENT ON COLUMN "discount_codes"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "discount_codes" IS 'A word that a client gives for a discount: a share of the whole, or an amount; within its limits.';
CREATE TABLE "partner_keys" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "name" VARCHAR(100) NOT NULL,
    "prefix" VARCHAR(20) NOT NULL,
    "key_hash" VARCHAR(64) NOT NULL UNIQUE,
    "expires_at" TIMESTAMPTZ,
    "last_used_at" TIMESTAMPTZ,
    "revoked_at" TIMESTAMPTZ,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "partner_id" UUID NOT NULL REFERENCES "partners" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "partner_keys"."created_at" IS 'When it was made';
COMMENT ON COLUMN "partner_keys"."name" IS 'What it is for';
COMMENT ON COLUMN "partner_keys"."prefix" IS 'How it begins: enough to recognize it';
COMMENT ON COLUMN "partner_keys"."key_hash" IS 'SHA-256 of the key, hexadecimal';
COMMENT ON COLUMN "partner_keys"."expires_at" IS 'Until when it is good';
COMMENT ON COLUMN "partner_keys"."last_used_at" IS 'When it was used last, to the hour';
COMMENT ON COLUMN "partner_keys"."revoked_at" IS 'When it was withdrawn';
COMMENT ON COLUMN "partner_keys"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "partner_keys"."partner_id" IS 'Whose key';
COMMENT ON TABLE "partner_keys" IS 'A partner''s own way to its notifications. The key is shown once; its hash is kept.';
CREATE TABLE "publishable_keys" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "name" VARCHAR(100) NOT NULL,
    "key" VARCHAR(60) NOT NULL UNIQUE,
    "origins" TEXT NOT NULL,
    "last_used_at" TIMESTAMPTZ,
    "revoked_at" TIMESTAMPTZ,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "publishable_keys"."created_at" IS 'When it was made';
COMMENT ON COLUMN "publishable_keys"."name" IS 'What it is for';
COMMENT ON COLUMN "publishable_keys"."key" IS 'The key itself, public like the pages that hold it';
COMMENT ON COLUMN "publishable_keys"."origins" IS 'Where it may be used from, one origin a line';
COMMENT ON COLUMN "publishable_keys"."last_used_at" IS 'When it was used last, to the hour';
COMMENT ON COLUMN "publishable_keys"."revoked_at" IS 'When it was withdrawn';
COMMENT ON COLUMN "publishable_keys"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "publishable_keys" IS 'What a storefront shows to the API from its own pages: no secret, bound to its origins.';
CREATE TABLE "reminders" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "number" INT NOT NULL,
    "due_at" TIMESTAMPTZ NOT NULL,
    "sent_at" TIMESTAMPTZ,
    "message_id" VARCHAR(255) NOT NULL,
    "invoice_id" UUID NOT NULL REFERENCES "invoices" ("id") ON DELETE RESTRICT,
    "order_id" UUID NOT NULL REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_reminders_invoice_e06401" UNIQUE ("invoice_id", "number")
);
COMMENT ON COLUMN "reminders"."created_at" IS 'When it was made';
COMMENT ON COLUMN "reminders"."number" IS 'Which one, from 1';
COMMENT ON COLUMN "reminders"."due_at" IS 'When it is to be sent';
COMMENT ON COLUMN "reminders"."sent_at" IS 'When it was sent';
COMMENT ON COLUMN "reminders"."message_id" IS 'Message-ID of the letter, fixed beforehand';
COMMENT ON COLUMN "reminders"."invoice_id" IS 'The invoice that asks for it';
COMMENT ON COLUMN "reminders"."order_id" IS 'The order that is not paid';
COMMENT ON COLUMN "reminders"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "reminders" IS 'A letter about an invoice that is overdue: when it is to go, and when it went.';
ALTER TABLE organizations ADD COLUMN iban varchar(34);
ALTER TABLE organizations ADD COLUMN bic varchar(11);
ALTER TABLE organizations ADD COLUMN payment_days int NOT NULL DEFAULT 30;
ALTER TABLE organizations ADD COLUMN reminder_every_days int NOT NULL DEFAULT 7;
ALTER TABLE organizations ADD COLUMN reminders_most int NOT NULL DEFAULT 3;
ALTER TABLE clients ADD COLUMN siren varchar(9);
ALTER TABLE partners ADD COLUMN active boolean NOT NULL DEFAULT true;
ALTER TABLE attempts ADD COLUMN amount_cents int;
ALTER TABLE orders ADD COLUMN source varchar(20) NOT NULL DEFAULT 'BACK_OFFICE';
ALTER TABLE orders ADD COLUMN subtotal_cents int;
ALTER TABLE orders ADD COLUMN discount_cents int NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN discount_reason varchar(200);
ALTER TABLE orders ADD COLUMN discount_code_id uuid;
ALTER TABLE orders ADD COLUMN holds_code boolean NOT NULL DEFAULT false;
ALTER TABLE orders ADD COLUMN deposit_cents int NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN paid_cents int NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN balance_cents int NOT NULL GENERATED ALWAYS AS (total_cents - paid_cents) STORED;
ALTER TABLE orders ADD COLUMN canceled_at timestamptz;
ALTER TABLE orders ADD COLUMN cancel_reason varchar(500);
ALTER TABLE orders ADD COLUMN welcomed_at timestamptz;
ALTER TABLE order_lines ADD COLUMN discount_cents int NOT NULL DEFAULT 0;
ALTER TABLE order_lines ADD COLUMN share_cents int NOT NULL DEFAULT 0;
ALTER TABLE payments ADD COLUMN applied_cents int NOT NULL DEFAULT 0;
ALTER TABLE payments ADD COLUMN reference varchar(200);
ALTER TABLE payments ADD COLUMN recorded_by_id uuid;
ALTER TABLE payments ADD COLUMN told_at timestamptz;
ALTER TABLE invoices ADD COLUMN due_on date;
ALTER TABLE invoices ADD COLUMN settled_at timestamptz;
ALTER TABLE conflicts ADD COLUMN payment_id uuid;
ALTER TABLE conflicts ADD COLUMN proposal varchar(20) NOT NULL DEFAULT 'LOOK';
ALTER TABLE conflicts ADD COLUMN proposed_cents int NOT NULL DEFAULT 0;
ALTER TABLE conflicts ADD COLUMN currency varchar(3) NOT NULL DEFAULT 'EUR';
ALTER TABLE conflicts ADD COLUMN resolution varchar(500);
ALTER TABLE conflicts ADD COLUMN resolved_by_id uuid;
ALTER TABLE stripe_events ADD COLUMN flagged_at timestamptz;
ALTER TABLE conflicts ALTER COLUMN order_id DROP NOT NULL;
UPDATE orders SET subtotal_cents = total_cents, paid_cents = CASE status WHEN 'PAID' THEN total_cents ELSE 0 END;
UPDATE payments SET applied_cents = amount_cents FROM orders WHERE orders.id = payments.order_id AND orders.event_id = payments.event_id AND payments.status = 'SUCCEEDED';
UPDATE invoices SET settled_at = issued_at, due_on = (issued_at AT TIME ZONE organizations.time_zone)::date FROM organizations WHERE organizations.id = invoices.organization_id;
ALTER TABLE orders ALTER COLUMN subtotal_cents SET NOT NULL;
ALTER TABLE invoices ALTER COLUMN due_on SET NOT NULL;
ALTER TABLE discount_codes DROP CONSTRAINT discount_codes_organization_id_fkey, ADD CONSTRAINT discount_codes_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT discount_codes_tenant UNIQUE (organization_id, id);
ALTER TABLE publishable_keys DROP CONSTRAINT publishable_keys_organization_id_fkey, ADD CONSTRAINT publishable_keys_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT publishable_keys_tenant UNIQUE (organization_id, id);
ALTER TABLE partner_keys DROP CONSTRAINT partner_keys_organization_id_fkey, ADD CONSTRAINT partner_keys_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT partner_keys_tenant UNIQUE (organization_id, id);
ALTER TABLE reminders DROP CONSTRAINT reminders_organization_id_fkey, ADD CONSTRAINT reminders_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT reminders_tenant UNIQUE (organization_id, id);
ALTER TABLE partner_keys DROP CONSTRAINT partner_keys_partner_id_fkey;
ALTER TABLE reminders DROP CONSTRAINT reminders_order_id_fkey;
ALTER TABLE reminders DROP CONSTRAINT reminders_invoice_id_fkey;
ALTER TABLE orders ADD CONSTRAINT orders_discount_code_id FOREIGN KEY (organization_id, discount_code_id) REFERENCES discount_codes (organization_id, id);
ALTER TABLE payments ADD CONSTRAINT payments_recorded_by_id FOREIGN KEY (organization_id, recorded_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE conflicts ADD CONSTRAINT conflicts_payment_id FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id);
ALTER TABLE conflicts ADD CONSTRAINT conflicts_resolved_by_id FOREIGN KEY (organization_id, resolved_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE partner_keys ADD CONSTRAINT partner_keys_partner_id FOREIGN KEY (organization_id, partner_id) REFERENCES partners (organization_id, id);
ALTER TABLE reminders ADD CONSTRAINT reminders_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
ALTER TABLE reminders ADD CONSTRAINT reminders_invoice_id FOREIGN KEY (organization_id, invoice_id) REFERENCES invoices (organization_id, id);
CREATE INDEX orders_discount_code_id_index ON orders (discount_code_id);
CREATE INDEX payments_recorded_by_id_index ON payments (recorded_by_id);
CREATE INDEX conflicts_payment_id_index ON conflicts (payment_id);
CREATE INDEX conflicts_resolved_by_id_index ON conflicts (resolved_by_id);
CREATE INDEX partner_keys_partner_id_index ON partner_keys (partner_id);
CREATE INDEX reminders_order_id_index ON reminders (order_id);
ALTER TABLE conflicts DROP CONSTRAINT conflicts_kind_check;
ALTER TABLE attempts DROP CONSTRAINT attempts_operation_check;
ALTER TABLE attempts DROP CONSTRAINT attempts_status_check;
ALTER TABLE payments DROP CONSTRAINT payments_status_check;
ALTER TABLE invoices DROP CONSTRAINT invoices_type_check;
ALTER TABLE conflicts ADD CONSTRAINT conflicts_kind_check CHECK (kind IN ('AMOUNT_MISMATCH', 'DUPLICATE_PAYMENT', 'OVERPAID', 'CANCELED_ORDER_PAID', 'REACTION_FAILED', 'UNKNOWN_SALE'));
ALTER TABLE attempts ADD CONSTRAINT attempts_operation_check CHECK (operation IN ('CREATE_CUSTOMER', 'CREATE_PRODUCT', 'CREATE_COUPON', 'CHECKOUT', 'PAYMENT_INTENT'));
ALTER TABLE attempts ADD CONSTRAINT attempts_status_check CHECK (status IN ('PENDING', 'OPEN', 'PROCESSING', 'COMPLETED', 'EXPIRED', 'CLOSED', 'FAILED'));
ALTER TABLE payments ADD CONSTRAINT payments_status_check CHECK (status IN ('PROCESSING', 'SUCCEEDED', 'FAILED', 'CANCELED'));
ALTER TABLE invoices ADD CONSTRAINT invoices_type_check CHECK (type IN ('INVOICE', 'PREPAYMENT'));
ALTER TABLE orders ADD CONSTRAINT orders_source_check CHECK (source IN ('BACK_OFFICE', 'STOREFRONT', 'STRIPE'));
ALTER TABLE conflicts ADD CONSTRAINT conflicts_proposal_check CHECK (proposal IN ('LOOK', 'REFUND'));
ALTER TABLE order_lines DROP CONSTRAINT order_lines_total_check;
ALTER TABLE order_lines ADD CONSTRAINT order_lines_total_check CHECK (unit_price_cents >= 0 AND discount_cents >= 0 AND total_cents >= 0 AND total_cents = quantity * unit_price_cents - discount_cents);
ALTER TABLE organizations ADD CONSTRAINT organizations_iban_check CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$');
ALTER TABLE organizations ADD CONSTRAINT organizations_bic_check CHECK (bic ~ '^[A-Z0-9]{8}([A-Z0-9]{3})?$');
ALTER TABLE organizations ADD CONSTRAINT organizations_payment_days_check CHECK (payment_days BETWEEN 0 AND 60);
ALTER TABLE organizations ADD CONSTRAINT organizations_reminders_check CHECK (reminder_every_days BETWEEN 1 AND 90 AND reminders_most BETWEEN 0 AND 12);
ALTER TABLE clients ADD CONSTRAINT clients_siren_check CHECK (siren ~ '^[0-9]{9}$');
ALTER TABLE orders ADD CONSTRAINT orders_discount_check CHECK (discount_cents >= 0 AND total_cents = subtotal_cents - discount_cents);
ALTER TABLE orders ADD CONSTRAINT orders_deposit_check CHECK (deposit_cents >= 0 AND (deposit_cents = 0 OR deposit_cents < total_cents));
ALTER TABLE orders ADD CONSTRAINT orders_balance_check CHECK (paid_cents BETWEEN 0 AND total_cents AND (status <> 'PAID' OR paid_cents = total_cents));
ALTER TABLE orders ADD CONSTRAINT orders_canceled_check CHECK ((status = 'CANCELED') = (canceled_at IS NOT NULL));
ALTER TABLE orders ADD CONSTRAINT orders_holds_code_check CHECK (NOT holds_code OR discount_code_id IS NOT NULL);
ALTER TABLE order_lines ADD CONSTRAINT order_lines_share_check CHECK (share_cents BETWEEN 0 AND total_cents);
ALTER TABLE attempts ADD CONSTRAINT attempts_amount_check CHECK (amount_cents > 0);
ALTER TABLE payments ADD CONSTRAINT payments_applied_check CHECK (applied_cents BETWEEN 0 AND amount_cents AND (applied_cents = 0 OR status = 'SUCCEEDED'));
ALTER TABLE conflicts ADD CONSTRAINT conflicts_subject_check CHECK (order_id IS NOT NULL OR kind = 'UNKNOWN_SALE');
ALTER TABLE conflicts ADD CONSTRAINT conflicts_proposed_check CHECK ((proposal = 'REFUND') = (proposed_cents > 0));
ALTER TABLE conflicts ADD CONSTRAINT conflicts_currency_check CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE discount_codes ADD CONSTRAINT discount_codes_code_check CHECK (code = upper(code) AND code !~ '[[:space:]]' AND code <> '');
ALTER TABLE discount_codes ADD CONSTRAINT discount_codes_takes_check CHECK ((percent BETWEEN 1 AND 10000) <> (amount_cents > 0) AND least(percent, amount_cents) = 0);
ALTER TABLE discount_codes ADD CONSTRAINT discount_codes_currency_check CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE discount_codes ADD CONSTRAINT discount_codes_minimum_check CHECK (minimum_cents >= 0);
ALTER TABLE discount_codes ADD CONSTRAINT discount_codes_most_check CHECK (redemptions_most > 0 AND per_client_most > 0);
ALTER TABLE discount_codes ADD CONSTRAINT discount_codes_redemptions_check CHECK (redemptions >= 0 AND (redemptions_most IS NULL OR redemptions <= redemptions_most));
ALTER TABLE publishable_keys ADD CONSTRAINT publishable_keys_key_check CHECK (key ~ '^pk_[A-Za-z0-9_]{20,}$');
ALTER TABLE publishable_keys ADD CONSTRAINT publishable_keys_origins_check CHECK (origins <> '');
ALTER TABLE partner_keys ADD CONSTRAINT partner_keys_hash_check CHECK (key_hash ~ '^[0-9a-f]{64}$');
ALTER TABLE reminders ADD CONSTRAINT reminders_number_check CHECK (number > 0);
CREATE UNIQUE INDEX discount_codes_code ON discount_codes (organization_id, code);
CREATE UNIQUE INDEX invoices_prepayment_brand ON invoices (order_id, partner_id) WHERE type = 'PREPAYMENT';
CREATE UNIQUE INDEX invoices_prepayment_own ON invoices (order_id) WHERE type = 'PREPAYMENT' AND partner_id IS NULL;
CREATE UNIQUE INDEX conflicts_of_no_order ON conflicts (organization_id, kind, reference) WHERE order_id IS NULL;
CREATE UNIQUE INDEX attempts_intent ON attempts (stripe_account, live, stripe_id) WHERE operation = 'PAYMENT_INTENT';
CREATE INDEX products_stripe ON products (stripe_account, stripe_live, stripe_id) WHERE stripe_id IS NOT NULL;
CREATE INDEX clients_stripe ON clients (stripe_account, stripe_live, stripe_id) WHERE stripe_id IS NOT NULL;
CREATE INDEX conflicts_open ON conflicts (organization_id, id) WHERE resolved_at IS NULL;
CREATE INDEX stripe_events_flagged ON stripe_events (flagged_at) WHERE flagged_at IS NOT NULL;
CREATE INDEX orders_by_balance_cents ON orders (organization_id, balance_cents, id);
CREATE INDEX outbox_given_up ON outbox (lane) WHERE given_up_at IS NOT NULL;
CREATE INDEX invoices_by_due_on ON invoices (organization_id, due_on, id);

-- Migration: 0005_people_and_storefronts
ALTER TABLE memberships ADD COLUMN active boolean NOT NULL DEFAULT true;

-- Migration: 0006_news_and_failures
ALTER TABLE "payments" ADD COLUMN "news_at" TIMESTAMPTZ;
ALTER TABLE "outbox" ADD COLUMN "failing_since" TIMESTAMPTZ;
UPDATE payments SET news_at = stripe_events.occurred_at FROM stripe_events WHERE stripe_events.stripe_account = payments.stripe_account AND stripe_events.stripe_id = payments.event_id;
UPDATE outbox SET failing_since = created_at WHERE failures > 0;

-- Migration: 0007_people_and_sessions
CREATE TABLE "email_changes" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "former" VARCHAR(254) NOT NULL,
    "email" VARCHAR(254) NOT NULL,
    "confirmed_at" TIMESTAMPTZ,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "email_changes"."created_at" IS 'When it was made';
COMMENT ON COLUMN "email_changes"."former" IS 'The address until then';
COMMENT ON COLUMN "email_changes"."email" IS 'The new address';
COMMENT ON COLUMN "email_changes"."confirmed_at" IS 'When it took the place of the old one';
COMMENT ON COLUMN "email_changes"."user_id" IS 'Who';
COMMENT ON TABLE "email_changes" IS 'A person''s new address, until they show that it is theirs.';
CREATE TABLE "invitations" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "email" VARCHAR(254) NOT NULL,
    "role" VARCHAR(20) NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "accepted_at" TIMESTAMPTZ,
    "revoked_at" TIMESTAMPTZ,
    "invited_by_id" UUID NOT NULL REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "invitations"."created_at" IS 'When it was made';
COMMENT ON COLUMN "invitations"."email" IS 'Who is invited';
COMMENT ON COLUMN "invitations"."role" IS 'What they may do once they accept';
COMMENT ON COLUMN "invitations"."expires_at" IS 'Until when it can be accepted';
COMMENT ON COLUMN "invitations"."accepted_at" IS 'When it was accepted';
COMMENT ON COLUMN "invitations"."revoked_at" IS 'When it was taken back';
COMMENT ON COLUMN "invitations"."invited_by_id" IS 'Who invited them';
COMMENT ON COLUMN "invitations"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "invitations" IS 'Somebody is asked to become a member.';
CREATE TABLE "password_requests" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "email" VARCHAR(254) NOT NULL,
    "answered_at" TIMESTAMPTZ
);
COMMENT ON COLUMN "password_requests"."created_at" IS 'When it was made';
COMMENT ON COLUMN "password_requests"."email" IS 'Of which address';
COMMENT ON COLUMN "password_requests"."answered_at" IS 'When a letter was sent, or was not to be';
COMMENT ON TABLE "password_requests" IS 'Somebody says that they forgot an address''s password, known here or not.';
CREATE TABLE "recovery_codes" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "code_hash" VARCHAR(64) NOT NULL,
    "used_at" TIMESTAMPTZ,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_recovery_co_user_id_ce49cb" UNIQUE ("user_id", "code_hash")
);
COMMENT ON COLUMN "recovery_codes"."created_at" IS 'When it was made';
COMMENT ON COLUMN "recovery_codes"."code_hash" IS 'SHA-256 of the code, hexadecimal';
COMMENT ON COLUMN "recovery_codes"."used_at" IS 'When it was used';
COMMENT ON COLUMN "recovery_codes"."user_id" IS 'Whose';
COMMENT ON TABLE "recovery_codes" IS 'Stands in for a second factor that was lost, once.';
CREATE TABLE "registrations" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "email" VARCHAR(254) NOT NULL,
    "first_name" VARCHAR(100) NOT NULL,
    "last_name" VARCHAR(100) NOT NULL,
    "organization" JSONB NOT NULL,
    "confirmed_at" TIMESTAMPTZ
);
COMMENT ON COLUMN "registrations"."created_at" IS 'When it was made';
COMMENT ON COLUMN "registrations"."email" IS 'Who registers';
COMMENT ON COLUMN "registrations"."first_name" IS 'First name';
COMMENT ON COLUMN "registrations"."last_name" IS 'Last name';
COMMENT ON COLUMN "registrations"."organization" IS 'Columns of the organization to be';
COMMENT ON COLUMN "registrations"."confirmed_at" IS 'When the address was confirmed and both were made';
COMMENT ON TABLE "registrations" IS 'An organization and its first owner, until the address is confirmed.';
CREATE TABLE "sessions" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "generation" INT NOT NULL,
    "refreshed_at" TIMESTAMPTZ NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "ended_at" TIMESTAMPTZ,
    "end_reason" VARCHAR(20),
    "by_cookie" BOOL NOT NULL,
    "address" VARCHAR(45),
    "user_agent" VARCHAR(200),
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "user_id" UUID NOT NULL REFERENCES "users" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "sessions"."created_at" IS 'When it was made';
COMMENT ON COLUMN "sessions"."generation" IS 'Number of the refresh token that is good';
COMMENT ON COLUMN "sessions"."refreshed_at" IS 'When that one was given';
COMMENT ON COLUMN "sessions"."expires_at" IS 'Until when it lasts without being used';
COMMENT ON COLUMN "sessions"."ended_at" IS 'When it was ended';
COMMENT ON COLUMN "sessions"."end_reason" IS 'Why';
COMMENT ON COLUMN "sessions"."by_cookie" IS 'Whether the browser keeps its tokens in cookies';
COMMENT ON COLUMN "sessions"."address" IS 'Address that it was last refreshed from';
COMMENT ON COLUMN "sessions"."user_agent" IS 'Program that it was last refreshed by';
COMMENT ON COLUMN "sessions"."organization_id" IS 'Where to, unless a request names another';
COMMENT ON COLUMN "sessions"."user_id" IS 'Who is signed in';
COMMENT ON TABLE "sessions" IS 'Signed in on one device. Of its refresh tokens the newest alone is good.';
COMMENT ON COLUMN "secret_openings"."organization_id" IS 'Whose secret; null for a person''s';
ALTER TABLE "secret_openings" ALTER COLUMN "organization_id" DROP NOT NULL;
ALTER TABLE "users" ADD COLUMN "confirmed_at" TIMESTAMPTZ;
ALTER TABLE "users" ADD COLUMN "second_factor_since" TIMESTAMPTZ;
ALTER TABLE "users" ADD COLUMN "totp_secret" VARCHAR(500);
ALTER TABLE "users" ADD COLUMN "totp_step" BIGINT NOT NULL;
ALTER TABLE users ALTER COLUMN totp_step SET DEFAULT 0;
ALTER TABLE invitations DROP CONSTRAINT invitations_organization_id_fkey, DROP CONSTRAINT invitations_invited_by_id_fkey, ADD CONSTRAINT invitations_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT invitations_tenant UNIQUE (organization_id, id), ADD CONSTRAINT invitations_invited_by_id FOREIGN KEY (organization_id, invited_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE invitations ADD CONSTRAINT invitations_role_check CHECK (role IN ('OWNER', 'ADMIN', 'CONSULTANT', 'ACCOUNTANT', 'BENEFICIARY'));
ALTER TABLE sessions ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN ('SIGNED_OUT', 'ENDED', 'TOKEN_REUSED', 'PASSWORD_CHANGED')), ADD CONSTRAINT sessions_ended_check CHECK ((ended_at IS NULL) = (end_reason IS NULL)), ADD CONSTRAINT sessions_generation_check CHECK (generation > 0);
ALTER TABLE recovery_codes ADD CONSTRAINT recovery_codes_hash_check CHECK (code_hash ~ '^[0-9a-f]{64}$');
UPDATE users SET confirmed_at = created_at;
CREATE INDEX invitations_invited_by ON invitations (invited_by_id);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_organization ON sessions (organization_id);
CREATE INDEX email_changes_user ON email_changes (user_id);
CREATE UNIQUE INDEX invitations_open ON invitations (organization_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX password_requests_email ON password_requests (email, created_at);
CREATE INDEX registrations_email ON registrations (email, created_at);

-- Migration: 0008_audit_log
CREATE TABLE "audit_entries" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "actor_kind" VARCHAR(20) NOT NULL,
    "key_id" UUID,
    "action" VARCHAR(100) NOT NULL,
    "operation" VARCHAR(10) NOT NULL,
    "subject_type" VARCHAR(63),
    "subject_id" UUID,
    "before" JSONB NOT NULL,
    "after" JSONB NOT NULL,
    "address" VARCHAR(45),
    "request_id" VARCHAR(64),
    "user_agent" VARCHAR(200),
    "actor_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "audit_entries"."created_at" IS 'When it was made';
COMMENT ON COLUMN "audit_entries"."actor_kind" IS 'What kind of caller did it';
COMMENT ON COLUMN "audit_entries"."key_id" IS 'The key by which it was done, where it was one';
COMMENT ON COLUMN "audit_entries"."action" IS 'What was asked for, by the name of the mutation: `orderCancel`';
COMMENT ON COLUMN "audit_entries"."operation" IS 'What was done to the row';
COMMENT ON COLUMN "audit_entries"."subject_type" IS 'Type of the row: `Order`';
COMMENT ON COLUMN "audit_entries"."subject_id" IS 'The row';
COMMENT ON COLUMN "audit_entries"."before" IS 'What the columns that changed held, by name; no nulls';
COMMENT ON COLUMN "audit_entries"."after" IS 'What they hold since; secrets as `[redacted]`';
COMMENT ON COLUMN "audit_entries"."address" IS 'IP address that it was asked from';
COMMENT ON COLUMN "audit_entries"."request_id" IS 'Id of the request, as in the log';
COMMENT ON COLUMN "audit_entries"."user_agent" IS 'What the caller''s program calls itself, cut';
COMMENT ON COLUMN "audit_entries"."actor_id" IS 'The person who did it, where it was one';
COMMENT ON COLUMN "audit_entries"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "audit_entries" IS 'One change of one row. Append-only: PostgreSQL refuses every other statement.';
ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_organization_id_fkey, DROP CONSTRAINT audit_entries_actor_id_fkey, ADD CONSTRAINT audit_entries_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT audit_entries_tenant UNIQUE (organization_id, id), ADD CONSTRAINT audit_entries_actor_id FOREIGN KEY (organization_id, actor_id) REFERENCES memberships (organization_id, id);
CREATE INDEX audit_entries_of_subject ON audit_entries (subject_id, id);
CREATE INDEX audit_entries_of_actor ON audit_entries (actor_id, id);
CREATE INDEX audit_entries_of_key ON audit_entries (key_id, id) WHERE key_id IS NOT NULL;
CREATE INDEX audit_entries_by_action ON audit_entries (organization_id, action, id);
CREATE INDEX audit_entries_by_created_at ON audit_entries (organization_id, created_at, id);
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_actor_kind_check CHECK (actor_kind IN ('PERSON', 'PUBLISHABLE_KEY', 'PARTNER_KEY', 'API_KEY', 'SYSTEM'));
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_operation_check CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE', 'NOTE'));
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_subject_check CHECK ((subject_type IS NULL) = (subject_id IS NULL));
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_person_check CHECK (actor_kind <> 'PERSON' OR actor_id IS NOT NULL);
CREATE FUNCTION uuid7(moment timestamptz) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
        SELECT encode(
            substring(int8send(floor(micros / 1000)::bigint) FROM 3)
                || int2send((28672 + floor(micros % 1000 * 4.096))::int2)
                || substring(uuid_send(gen_random_uuid()) FROM 9),
            'hex'
        )::uuid
        FROM (SELECT extract(epoch FROM moment)::numeric * 1000000 AS micros) AS at
    $$;
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $$
    DECLARE
        most CONSTANT int := 2000;
        acting CONSTANT jsonb := current_setting('comptoir.actor');
        moment CONSTANT timestamptz := clock_timestamp();
        redacted CONSTANT text[] := string_to_array(TG_ARGV[1], ',');
        ignored CONSTANT text[] := string_to_array(TG_ARGV[2], ',') || '{id,organization_id,created_at}';
        was CONSTANT jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
        became CONSTANT jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
        before jsonb;
        after jsonb;
    BEGIN
        SELECT
            jsonb_object_agg(name, shown) FILTER (WHERE side = 1),
            jsonb_object_agg(name, shown) FILTER (WHERE side = 2)
        INTO before, after
        FROM (
            SELECT name, side, CASE
                WHEN name = ANY (redacted) THEN '"[redacted]"'
                WHEN length(value #>> '{}') > most
                THEN to_jsonb(left(value #>> '{}', most) || '… [' || length(value #>> '{}') || ' characters]')
                ELSE value
            END AS shown
            FROM jsonb_object_keys(coalesce(became, was)) AS name, (VALUES (1, was), (2, became)) AS sides (side, held),
                LATERAL (SELECT held -> name AS value) AS one
            WHERE was -> name IS DISTINCT FROM became -> name AND name <> ALL (ignored) AND value <> 'null'
        ) AS changed;
        IF before IS NULL AND after IS NULL AND TG_OP = 'UPDATE' THEN
            RETURN NULL;
        END IF;
        INSERT INTO audit_entries (
            id, created_at, organization_id, actor_kind, actor_id, key_id, action, operation, subject_type, subject_id,
            before, after, address, request_id, user_agent
        ) VALUES (
            uuid7(moment), moment, (acting ->> 'organization_id')::uuid, acting ->> 'actor_kind',
            (acting ->> 'actor_id')::uuid, (acting ->> 'key_id')::uuid, acting ->> 'action', TG_OP, TG_ARGV[0],
            (coalesce(became, was) ->> 'id')::uuid, coalesce(before, '{}'), coalesce(after, '{}'),
            acting ->> 'address', acting ->> 'request_id', acting ->> 'user_agent'
        );
        RETURN NULL;
    END
    $$;
CREATE FUNCTION audit_entries_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'audit_entries is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END
    $$;
CREATE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_kept();
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON organizations FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Organization', '', 'last_order_number');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON users FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('User', 'password_hash,totp_secret', 'totp_step');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON memberships FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Membership', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON invitations FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Invitation', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON clients FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Client', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON products FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Product', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON product_partners FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('ProductPartner', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Order', '', 'balance_cents');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON order_lines FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('OrderLine', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON payments FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Payment', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON conflicts FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Conflict', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON discount_codes FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('DiscountCode', '', 'redemptions');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON invoices FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Invoice', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON partners FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Partner', 'api_key,signing_secret', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON notifications FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Notification', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON publishable_keys FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('PublishableKey', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON partner_keys FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('PartnerKey', 'key_hash', '');

-- Migration: 0009_api_keys
CREATE TABLE "api_keys" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "name" VARCHAR(100) NOT NULL,
    "prefix" VARCHAR(20) NOT NULL,
    "key_hash" VARCHAR(64) NOT NULL UNIQUE,
    "scopes" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ,
    "last_used_at" TIMESTAMPTZ,
    "revoked_at" TIMESTAMPTZ,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "api_keys"."created_at" IS 'When it was made';
COMMENT ON COLUMN "api_keys"."name" IS 'What it is for';
COMMENT ON COLUMN "api_keys"."prefix" IS 'How it begins: enough to recognize it';
COMMENT ON COLUMN "api_keys"."key_hash" IS 'SHA-256 of the key, hexadecimal';
COMMENT ON COLUMN "api_keys"."scopes" IS 'What it may do, one scope a line';
COMMENT ON COLUMN "api_keys"."expires_at" IS 'Until when it is good';
COMMENT ON COLUMN "api_keys"."last_used_at" IS 'When it was used last, to the hour';
COMMENT ON COLUMN "api_keys"."revoked_at" IS 'When it was withdrawn';
COMMENT ON COLUMN "api_keys"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "api_keys" IS 'A way in for a server of the organization''s, to what its scopes open. The key is shown once; its hash is kept.';
CREATE TABLE "known_places" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "place_hash" VARCHAR(64) NOT NULL UNIQUE,
    "seen_at" TIMESTAMPTZ NOT NULL
);
CREATE INDEX "idx_known_place_seen_at_7c7811" ON "known_places" ("seen_at");
COMMENT ON COLUMN "known_places"."created_at" IS 'When it was made';
COMMENT ON COLUMN "known_places"."place_hash" IS 'HMAC-SHA256 of both, hexadecimal';
COMMENT ON COLUMN "known_places"."seen_at" IS 'When it was proved last, to the day';
COMMENT ON TABLE "known_places" IS 'An address from which somebody proved who they are, with whom: as a keyed hash, which tells neither.';
ALTER TABLE api_keys DROP CONSTRAINT api_keys_organization_id_fkey, ADD CONSTRAINT api_keys_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT api_keys_tenant UNIQUE (organization_id, id);
ALTER TABLE api_keys ADD CONSTRAINT api_keys_hash_check CHECK (key_hash ~ '^[0-9a-f]{64}$');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON api_keys FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('ApiKey', 'key_hash', '');

-- Migration: 0010_changes
CREATE TABLE changes (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        organization_id uuid,
        subject text NOT NULL,
        row_id uuid NOT NULL,
        happened text NOT NULL
    );
CREATE INDEX changes_position ON changes (transaction, id);
CREATE INDEX changes_topic ON changes (organization_id, subject, transaction, id);
CREATE INDEX changes_at ON changes USING brin (at);
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changes (organization_id, subject, row_id, happened)
        VALUES (NEW.organization_id, TG_TABLE_NAME, NEW.id, TG_ARGV[0]);
        RETURN NULL;
    END $$;
CREATE FUNCTION note_change_of_order() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changes (organization_id, subject, row_id, happened)
        VALUES (NEW.organization_id, 'orders', NEW.order_id, 'CHANGED');
        RETURN NULL;
    END $$;
CREATE FUNCTION note_rights() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changes (organization_id, subject, row_id, happened)
        VALUES ((to_jsonb(NEW) ->> 'organization_id')::uuid, 'rights', NEW.id, 'CHANGED');
        RETURN NULL;
    END $$;
CREATE TRIGGER orders_created AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note_change('CREATED');
CREATE TRIGGER invoices_created AFTER INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION note_change('CREATED');
CREATE TRIGGER notifications_created AFTER INSERT ON notifications FOR EACH ROW EXECUTE FUNCTION note_change('CREATED');
CREATE TRIGGER orders_paid AFTER UPDATE ON orders FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status = 'PAID') EXECUTE FUNCTION note_change('PAID');
CREATE TRIGGER orders_canceled AFTER UPDATE ON orders FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status = 'CANCELED') EXECUTE FUNCTION note_change('CANCELED');
CREATE TRIGGER orders_changed AFTER UPDATE ON orders FOR EACH ROW WHEN (OLD.status = NEW.status AND OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION note_change('CHANGED');
CREATE TRIGGER invoices_ready AFTER UPDATE ON invoices FOR EACH ROW WHEN (OLD.file_key IS NULL AND NEW.file_key IS NOT NULL) EXECUTE FUNCTION note_change('READY');
CREATE TRIGGER invoices_sent AFTER UPDATE ON invoices FOR EACH ROW WHEN (OLD.emailed_at IS NULL AND NEW.emailed_at IS NOT NULL) EXECUTE FUNCTION note_change('SENT');
CREATE TRIGGER invoices_settled AFTER UPDATE ON invoices FOR EACH ROW WHEN (OLD.settled_at IS NULL AND NEW.settled_at IS NOT NULL) EXECUTE FUNCTION note_change('SETTLED');
CREATE TRIGGER invoices_changed AFTER UPDATE ON invoices FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW AND (OLD.file_key IS NULL) = (NEW.file_key IS NULL) AND (OLD.emailed_at IS NULL) = (NEW.emailed_at IS NULL) AND (OLD.settled_at IS NULL) = (NEW.settled_at IS NULL)) EXECUTE FUNCTION note_change('CHANGED');
CREATE TRIGGER notifications_delivered AFTER UPDATE ON notifications FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status = 'DELIVERED') EXECUTE FUNCTION note_change('DELIVERED');
CREATE TRIGGER notifications_failed AFTER UPDATE ON notifications FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status = 'FAILED') EXECUTE FUNCTION note_change('FAILED');
CREATE TRIGGER notifications_changed AFTER UPDATE ON notifications FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW AND (OLD.status = NEW.status OR NEW.status = 'PENDING')) EXECUTE FUNCTION note_change('CHANGED');
CREATE TRIGGER payments_of_order AFTER INSERT OR UPDATE ON payments FOR EACH ROW WHEN (NEW.order_id IS NOT NULL) EXECUTE FUNCTION note_change_of_order();
CREATE TRIGGER conflicts_of_order AFTER INSERT OR UPDATE ON conflicts FOR EACH ROW WHEN (NEW.order_id IS NOT NULL) EXECUTE FUNCTION note_change_of_order();
CREATE TRIGGER memberships_rights AFTER UPDATE OF active, role ON memberships FOR EACH ROW EXECUTE FUNCTION note_rights();
CREATE TRIGGER sessions_rights AFTER UPDATE OF ended_at ON sessions FOR EACH ROW EXECUTE FUNCTION note_rights();
CREATE TRIGGER api_keys_rights AFTER UPDATE OF revoked_at, expires_at, scopes ON api_keys FOR EACH ROW EXECUTE FUNCTION note_rights();
CREATE TRIGGER publishable_keys_rights AFTER UPDATE OF revoked_at, origins ON publishable_keys FOR EACH ROW EXECUTE FUNCTION note_rights();
CREATE TRIGGER partner_keys_rights AFTER UPDATE OF revoked_at, expires_at ON partner_keys FOR EACH ROW EXECUTE FUNCTION note_rights();

-- Migration: 0011_idempotency_keys
CREATE TABLE "idempotency_keys" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "caller" UUID NOT NULL,
    "key" VARCHAR(255) NOT NULL,
    "mutation" VARCHAR(100) NOT NULL,
    "input_hash" VARCHAR(64) NOT NULL,
    "lease_until" TIMESTAMPTZ NOT NULL,
    "begun" VARCHAR(100),
    "answer" TEXT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "idempotency_keys"."created_at" IS 'When it was made';
COMMENT ON COLUMN "idempotency_keys"."caller" IS 'Whose key: `Actor.own_id`';
COMMENT ON COLUMN "idempotency_keys"."key" IS 'The key, chosen by the caller';
COMMENT ON COLUMN "idempotency_keys"."mutation" IS 'What was asked';
COMMENT ON COLUMN "idempotency_keys"."input_hash" IS 'SHA-256 of the canonical input, hexadecimal';
COMMENT ON COLUMN "idempotency_keys"."lease_until" IS 'Until when who asked first is at work; then it is free';
COMMENT ON COLUMN "idempotency_keys"."begun" IS 'Global id of what an exchange made before it ended';
COMMENT ON COLUMN "idempotency_keys"."answer" IS 'What was answered, sealed; null while under way';
COMMENT ON COLUMN "idempotency_keys"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "idempotency_keys" IS 'A key of one caller''s: what was asked under it and, once that is done, the answer. Kept for a day.';
ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_organization_id_fkey, ADD CONSTRAINT idempotency_keys_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT idempotency_keys_tenant UNIQUE (organization_id, id);
CREATE UNIQUE INDEX idempotency_keys_key ON idempotency_keys (organization_id, caller, key);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);

-- Migration: 0012_portal_tokens
CREATE TABLE "portal_tokens" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "token_hash" VARCHAR(64) NOT NULL UNIQUE,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "last_used_at" TIMESTAMPTZ,
    "revoked_at" TIMESTAMPTZ,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "portal_tokens"."created_at" IS 'When it was made';
COMMENT ON COLUMN "portal_tokens"."token_hash" IS 'SHA-256 of the token, hexadecimal';
COMMENT ON COLUMN "portal_tokens"."expires_at" IS 'Until when it is good';
COMMENT ON COLUMN "portal_tokens"."last_used_at" IS 'When it was used last, to the hour';
COMMENT ON COLUMN "portal_tokens"."revoked_at" IS 'When it was withdrawn';
COMMENT ON COLUMN "portal_tokens"."client_id" IS 'Whose link';
COMMENT ON COLUMN "portal_tokens"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "portal_tokens" IS 'A client''s private link to their portal, one at a time. The token is shown once; its hash is kept.';
ALTER TABLE portal_tokens DROP CONSTRAINT portal_tokens_organization_id_fkey, DROP CONSTRAINT portal_tokens_client_id_fkey, ADD CONSTRAINT portal_tokens_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT portal_tokens_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id), ADD CONSTRAINT portal_tokens_tenant UNIQUE (organization_id, id), ADD CONSTRAINT portal_tokens_hash_check CHECK (token_hash ~ '^[0-9a-f]{64}$'), ADD CONSTRAINT portal_tokens_expires_check CHECK (expires_at > created_at);
CREATE INDEX portal_tokens_client_id_index ON portal_tokens (client_id);
CREATE UNIQUE INDEX portal_tokens_one ON portal_tokens (organization_id, client_id) WHERE revoked_at IS NULL;
ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_actor_kind_check, ADD CONSTRAINT audit_entries_actor_kind_check CHECK (actor_kind IN ('PERSON', 'PUBLISHABLE_KEY', 'PARTNER_KEY', 'API_KEY', 'PORTAL_TOKEN', 'SYSTEM'));
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON portal_tokens FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('PortalToken', 'token_hash', 'last_used_at');
CREATE TRIGGER portal_tokens_rights AFTER UPDATE OF revoked_at, expires_at ON portal_tokens FOR EACH ROW EXECUTE FUNCTION note_rights();

-- Migration: 0013_rights_elsewhere
CREATE FUNCTION note_rights_of_person() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changes (organization_id, subject, row_id, happened)
        SELECT organization_id, 'rights', NEW.id, 'CHANGED' FROM memberships WHERE user_id = NEW.user_id AND active;
        RETURN NULL;
    END $$;
DROP TRIGGER sessions_rights ON sessions;
CREATE TRIGGER sessions_rights AFTER UPDATE OF ended_at ON sessions FOR EACH ROW EXECUTE FUNCTION note_rights_of_person();

-- Migration: 0014_what_invoices_say
ALTER TABLE products ADD COLUMN operation_category varchar(20) NOT NULL DEFAULT 'SERVICES', ADD CONSTRAINT products_operation_category_check CHECK (operation_category IN ('GOODS', 'SERVICES', 'MIXED'));
ALTER TABLE organizations ADD COLUMN vat_on_debits boolean NOT NULL DEFAULT false, ADD CONSTRAINT organizations_vat_on_debits_check CHECK (NOT vat_on_debits OR vat_regime <> 'FRANCHISE');

-- Migration: 0015_partner_endpoints
CREATE TABLE "notification_replays" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "since" TIMESTAMPTZ NOT NULL,
    "until" TIMESTAMPTZ NOT NULL,
    "total" INT NOT NULL,
    "replayed" INT NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "partner_id" UUID NOT NULL REFERENCES "partners" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "notification_replays"."created_at" IS 'When it was made';
COMMENT ON COLUMN "notification_replays"."since" IS 'From when on they were made';
COMMENT ON COLUMN "notification_replays"."until" IS 'Before when they were made';
COMMENT ON COLUMN "notification_replays"."total" IS 'How many had failed';
COMMENT ON COLUMN "notification_replays"."replayed" IS 'How many of them were sent again, or are about to be';
COMMENT ON COLUMN "notification_replays"."finished_at" IS 'When the last was';
COMMENT ON COLUMN "notification_replays"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "notification_replays"."partner_id" IS 'Who is told again';
COMMENT ON TABLE "notification_replays" IS 'What failed within a time, sent again: so many at once, until all are.';
CREATE TABLE "partner_endpoints" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "live" BOOL NOT NULL,
    "failures" INT NOT NULL,
    "opened_at" TIMESTAMPTZ,
    "probes" INT NOT NULL,
    "held_until" TIMESTAMPTZ,
    "disabled_at" TIMESTAMPTZ,
    "disabled_reason" VARCHAR(200),
    "told_at" TIMESTAMPTZ,
    "alerted_at" TIMESTAMPTZ,
    "lease_until" TIMESTAMPTZ,
    "lease_id" UUID,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "partner_id" UUID NOT NULL REFERENCES "partners" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_partner_end_partner_d9114f" UNIQUE ("partner_id", "live")
);
COMMENT ON COLUMN "partner_endpoints"."created_at" IS 'When it was made';
COMMENT ON COLUMN "partner_endpoints"."live" IS 'Production address, else staging';
COMMENT ON COLUMN "partner_endpoints"."failures" IS 'Failures in a row: 5xx, 429, or no answer';
COMMENT ON COLUMN "partner_endpoints"."opened_at" IS 'Since when the breaker is open';
COMMENT ON COLUMN "partner_endpoints"."probes" IS 'Probes that failed since the breaker opened';
COMMENT ON COLUMN "partner_endpoints"."held_until" IS 'Nothing is sent before: pace, breaker, or their wish';
COMMENT ON COLUMN "partner_endpoints"."disabled_at" IS 'Since when nothing is sent: what is due is kept';
COMMENT ON COLUMN "partner_endpoints"."disabled_reason" IS 'Why it is disabled';
COMMENT ON COLUMN "partner_endpoints"."told_at" IS 'When it was told last';
COMMENT ON COLUMN "partner_endpoints"."alerted_at" IS 'When somebody was last alerted of this outage';
COMMENT ON COLUMN "partner_endpoints"."lease_until" IS 'Until when a worker tells it';
COMMENT ON COLUMN "partner_endpoints"."lease_id" IS 'Whose turn it is: a worker''s, for one round';
COMMENT ON COLUMN "partner_endpoints"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "partner_endpoints"."partner_id" IS 'Whose address';
COMMENT ON TABLE "partner_endpoints" IS 'One of a partner''s two addresses, and how telling it goes.';
COMMENT ON COLUMN "notifications"."next_attempt_at" IS 'When the next try is due; null while it waits for its invoice, and at the end';
ALTER TABLE "partners" ADD COLUMN "breaker_threshold" INT;
ALTER TABLE "partners" ADD COLUMN "max_per_minute" INT;
ALTER TABLE "partners" ADD COLUMN "previous_secret" TEXT;
ALTER TABLE "partners" ADD COLUMN "previous_secret_until" TIMESTAMPTZ;
ALTER TABLE "partners" ADD COLUMN "retry_policy" VARCHAR(20) NOT NULL;
ALTER TABLE partner_endpoints DROP CONSTRAINT partner_endpoints_organization_id_fkey, DROP CONSTRAINT partner_endpoints_partner_id_fkey, ADD CONSTRAINT partner_endpoints_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT partner_endpoints_partner_id FOREIGN KEY (organization_id, partner_id) REFERENCES partners (organization_id, id), ADD CONSTRAINT partner_endpoints_tenant UNIQUE (organization_id, id);
ALTER TABLE notification_replays DROP CONSTRAINT notification_replays_organization_id_fkey, DROP CONSTRAINT notification_replays_partner_id_fkey, ADD CONSTRAINT notification_replays_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT notification_replays_partner_id FOREIGN KEY (organization_id, partner_id) REFERENCES partners (organization_id, id), ADD CONSTRAINT notification_replays_tenant UNIQUE (organization_id, id);
CREATE INDEX partner_endpoints_partner_id_index ON partner_endpoints (partner_id);
CREATE INDEX notification_replays_partner_id_index ON notification_replays (partner_id);
ALTER TABLE partner_endpoints ADD CONSTRAINT partner_endpoints_failures_check CHECK (failures >= 0 AND probes >= 0), ADD CONSTRAINT partner_endpoints_lease_check CHECK ((lease_id IS NULL) = (lease_until IS NULL)), ADD CONSTRAINT partner_endpoints_disabled_check CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL));
ALTER TABLE notification_replays ADD CONSTRAINT notification_replays_range_check CHECK (since < until), ADD CONSTRAINT notification_replays_replayed_check CHECK (replayed BETWEEN 0 AND total);
ALTER TABLE partners ADD CONSTRAINT partners_retry_policy_check CHECK (retry_policy IN ('GUIDE', 'STANDARD')), ADD CONSTRAINT partners_max_per_minute_check CHECK (max_per_minute BETWEEN 1 AND 6000), ADD CONSTRAINT partners_breaker_threshold_check CHECK (breaker_threshold BETWEEN 1 AND 1000), ADD CONSTRAINT partners_previous_secret_check CHECK ((previous_secret IS NULL) = (previous_secret_until IS NULL));
ALTER TABLE notifications DROP CONSTRAINT notifications_status_check, ADD CONSTRAINT notifications_status_check CHECK (status IN ('PENDING', 'DELIVERED', 'FAILED', 'SKIPPED'));
CREATE INDEX notifications_due ON notifications (partner_id, live, next_attempt_at) WHERE status = 'PENDING' AND next_attempt_at IS NOT NULL;
CREATE INDEX notifications_failed ON notifications (partner_id, id) WHERE status = 'FAILED';
DROP TRIGGER audited ON partners;
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON partners FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Partner', 'api_key,signing_secret,previous_secret', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON partner_endpoints FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('PartnerEndpoint', '', 'failures,opened_at,probes,held_until,told_at,alerted_at,lease_until,lease_id');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON notification_replays FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('NotificationReplay', '', 'replayed,finished_at');
CREATE TRIGGER notifications_skipped AFTER UPDATE ON notifications FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status = 'SKIPPED') EXECUTE FUNCTION note_change('CHANGED');
INSERT INTO partner_endpoints (id, created_at, organization_id, partner_id, live, failures, probes) SELECT gen_random_uuid(), now(), organization_id, id, live, 0, 0 FROM partners, (VALUES (false), (true)) AS modes (live);

-- Migration: 0016_credit_notes
ALTER TABLE "accesses" DROP CONSTRAINT "uid_accesses_client__f1064b";
ALTER TABLE "accesses" ADD COLUMN "ends_at" TIMESTAMPTZ;
ALTER TABLE "accesses" ADD COLUMN "withdrawn_at" TIMESTAMPTZ;
ALTER TABLE "accesses" ADD COLUMN "withdrawn_reason" VARCHAR(20);
ALTER TABLE "accesses" ADD CONSTRAINT "uid_accesses_order_i_15d211" UNIQUE ("order_id", "product_id");
ALTER TABLE "invoices" ADD COLUMN "corrects_id" UUID REFERENCES "invoices" ("id") ON DELETE RESTRICT;
ALTER TABLE "invoices" ADD COLUMN "credited_cents" INT NOT NULL;
ALTER TABLE "notifications" DROP CONSTRAINT "uid_notificatio_partner_e01c1d";
COMMENT ON COLUMN "notifications"."event_type" IS 'What happened: `order.created`, `order.refunded`';
ALTER TABLE "notifications" ADD CONSTRAINT "uid_notificatio_partner_897143" UNIQUE ("partner_id", "order_id", "event_type", "event_id");
ALTER TABLE "partners" ADD COLUMN "events" TEXT NOT NULL;
ALTER TABLE invoices DROP CONSTRAINT invoices_corrects_id_fkey, DROP CONSTRAINT invoices_type_check, ADD CONSTRAINT invoices_type_check CHECK (type IN ('INVOICE', 'PREPAYMENT', 'CREDIT_NOTE')), ADD CONSTRAINT invoices_corrects_id FOREIGN KEY (organization_id, corrects_id) REFERENCES invoices (organization_id, id), ADD CONSTRAINT invoices_corrects_check CHECK ((type = 'CREDIT_NOTE') = (corrects_id IS NOT NULL)), ADD CONSTRAINT invoices_credited_check CHECK (credited_cents BETWEEN 0 AND total_cents), ADD CONSTRAINT invoices_credit_of_credit_check CHECK (type <> 'CREDIT_NOTE' OR credited_cents = 0);
CREATE INDEX invoices_of_corrects ON invoices (corrects_id, id);
ALTER TABLE accesses ADD COLUMN starts_at timestamptz;
UPDATE accesses SET starts_at = created_at;
ALTER TABLE accesses ALTER COLUMN starts_at SET NOT NULL, ADD CONSTRAINT accesses_ends_check CHECK (ends_at > starts_at), ADD CONSTRAINT accesses_withdrawn_reason_check CHECK (withdrawn_reason IN ('REFUNDED', 'DISPUTED', 'DISPUTE_LOST')), ADD CONSTRAINT accesses_withdrawn_check CHECK (num_nonnulls(withdrawn_at, withdrawn_reason) IN (0, 2));
DROP INDEX accesses_order_id_index;
CREATE INDEX accesses_of_client ON accesses (client_id, id);
CREATE INDEX accesses_of_order ON accesses (order_id, id);
INSERT INTO accesses (id, created_at, organization_id, client_id, product_id, order_id, live, starts_at)
    SELECT gen_random_uuid(), o.paid_at, o.organization_id, o.client_id, l.product_id, o.id, o.live, o.paid_at
    FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.status = 'PAID' AND o.kind = 'PRODUCTS'
    GROUP BY o.id, l.product_id ON CONFLICT (order_id, product_id) DO NOTHING;
ALTER TABLE partners ADD CONSTRAINT partners_events_check CHECK (events ~ '^[a-z_.]+(\n[a-z_.]+)*$');

-- Migration: 0017_quotes
CREATE TABLE "quote_series" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "prefix" VARCHAR(12) NOT NULL,
    "live" BOOL NOT NULL,
    "year" INT NOT NULL,
    "last_number" INT NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_quote_serie_organiz_55fb5e" UNIQUE ("organization_id", "prefix", "live")
);
COMMENT ON COLUMN "quote_series"."created_at" IS 'When it was made';
COMMENT ON COLUMN "quote_series"."prefix" IS 'What its numbers begin with';
COMMENT ON COLUMN "quote_series"."live" IS 'Whether its quotes are real';
COMMENT ON COLUMN "quote_series"."year" IS 'Year of the newest quote, in the organization''s time zone';
COMMENT ON COLUMN "quote_series"."last_number" IS 'The newest number of that year';
COMMENT ON COLUMN "quote_series"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "quote_series" IS 'A run of quotes'' numbers without a gap: per organization, mode and prefix; from 1 each year.';
CREATE TABLE "quotes" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "number" VARCHAR(40),
    "year" INT,
    "sequence" INT,
    "version" INT NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "subtotal_cents" INT NOT NULL,
    "discount_cents" INT NOT NULL,
    "discount_reason" VARCHAR(200),
    "total_cents" INT NOT NULL,
    "deposit_cents" INT NOT NULL,
    "live" BOOL NOT NULL,
    "note" TEXT,
    "valid_until" DATE,
    "expires_at" TIMESTAMPTZ,
    "content" JSONB,
    "content_sha256" VARCHAR(64),
    "message_id" VARCHAR(255),
    "file_key" VARCHAR(255),
    "file_sha256" VARCHAR(64),
    "rendered_at" TIMESTAMPTZ,
    "sent_at" TIMESTAMPTZ,
    "emailed_at" TIMESTAMPTZ,
    "accepted_at" TIMESTAMPTZ,
    "accepted_name" VARCHAR(200),
    "accepted_from" VARCHAR(64),
    "refused_at" TIMESTAMPTZ,
    "refuse_reason" VARCHAR(500),
    "ended_at" TIMESTAMPTZ,
    "accepted_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "order_id" UUID REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "series_id" UUID REFERENCES "quote_series" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_quotes_series__e2bb72" UNIQUE ("series_id", "year", "sequence", "version")
);
COMMENT ON COLUMN "quotes"."created_at" IS 'When it was made';
COMMENT ON COLUMN "quotes"."number" IS 'Number, the same for all versions; null before it is sent';
COMMENT ON COLUMN "quotes"."year" IS 'Year of the number';
COMMENT ON COLUMN "quotes"."sequence" IS 'Place in its series that year, from 1';
COMMENT ON COLUMN "quotes"."version" IS 'Which version of it, from 1';
COMMENT ON COLUMN "quotes"."status" IS 'Where it stands';
COMMENT ON COLUMN "quotes"."currency" IS 'Currency of every amount';
COMMENT ON COLUMN "quotes"."subtotal_cents" IS 'What the lines come to, TTC, in minor units';
COMMENT ON COLUMN "quotes"."discount_cents" IS 'Taken off the whole, TTC, in minor units';
COMMENT ON COLUMN "quotes"."discount_reason" IS 'What the discount on the whole is for';
COMMENT ON COLUMN "quotes"."total_cents" IS 'Total TTC, in minor units';
COMMENT ON COLUMN "quotes"."deposit_cents" IS 'To be paid first, TTC, in minor units; 0 for no deposit';
COMMENT ON COLUMN "quotes"."live" IS 'False: TEST stands across the page, and no real money will move';
COMMENT ON COLUMN "quotes"."note" IS 'What the client reads above the lines';
COMMENT ON COLUMN "quotes"."valid_until" IS 'The last day on which it can be accepted; of a draft, where one was asked for';
COMMENT ON COLUMN "quotes"."expires_at" IS 'The end of that day, where the organization is';
COMMENT ON COLUMN "quotes"."content" IS 'All that the document says, as it was sent';
COMMENT ON COLUMN "quotes"."content_sha256" IS 'SHA-256 of what it says, hexadecimal: what the client agreed to';
COMMENT ON COLUMN "quotes"."message_id" IS 'Message-ID of the e-mail that carries it';
COMMENT ON COLUMN "quotes"."file_key" IS 'Where the PDF is stored';
COMMENT ON COLUMN "quotes"."file_sha256" IS 'SHA-256 of the PDF, hexadecimal';
COMMENT ON COLUMN "quotes"."rendered_at" IS 'When the PDF was made';
COMMENT ON COLUMN "quotes"."sent_at" IS 'When it was sent: from then on it stands as it is';
COMMENT ON COLUMN "quotes"."emailed_at" IS 'When the client was written to';
COMMENT ON COLUMN "quotes"."accepted_at" IS 'When it was accepted';
COMMENT ON COLUMN "quotes"."accepted_name" IS 'Who accepted it, as they gave their name';
COMMENT ON COLUMN "quotes"."accepted_from" IS 'The network address from which it was accepted; null where it was on paper';
COMMENT ON COLUMN "quotes"."refused_at" IS 'When it was refused';
COMMENT ON COLUMN "quotes"."refuse_reason" IS 'Why it was refused, in the client''s words';
COMMENT ON COLUMN "quotes"."ended_at" IS 'When it expired, was superseded or taken back';
COMMENT ON COLUMN "quotes"."accepted_by_id" IS 'Who noted what the client signed on paper';
COMMENT ON COLUMN "quotes"."client_id" IS 'To whom it is offered';
COMMENT ON COLUMN "quotes"."order_id" IS 'The order that it became';
COMMENT ON COLUMN "quotes"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "quotes"."series_id" IS 'The series of its number';
COMMENT ON TABLE "quotes" IS 'One version of a quote: lines at the prices of that day, TTC, in integer cents.';
CREATE TABLE "quote_lines" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "position" INT NOT NULL,
    "description" VARCHAR(200) NOT NULL,
    "quantity" INT NOT NULL,
    "unit_price_cents" INT NOT NULL,
    "discount_cents" INT NOT NULL,
    "share_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "vat_rate" INT NOT NULL,
    "total_cents" INT NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "product_id" UUID NOT NULL REFERENCES "products" ("id") ON DELETE RESTRICT,
    "quote_id" UUID NOT NULL REFERENCES "quotes" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_quote_lines_quote_i_40d42e" UNIQUE ("quote_id", "position")
);
COMMENT ON COLUMN "quote_lines"."created_at" IS 'When it was made';
COMMENT ON COLUMN "quote_lines"."position" IS 'Place on the quote, from 1';
COMMENT ON COLUMN "quote_lines"."description" IS 'Name of the product when it was offered';
COMMENT ON COLUMN "quote_lines"."quantity" IS 'How many, 1 or more';
COMMENT ON COLUMN "quote_lines"."unit_price_cents" IS 'Price TTC of one, in minor units';
COMMENT ON COLUMN "quote_lines"."discount_cents" IS 'Taken off the line, TTC, in minor units';
COMMENT ON COLUMN "quote_lines"."share_cents" IS 'Its share of the discount on the whole, TTC, in minor units';
COMMENT ON COLUMN "quote_lines"."currency" IS 'Currency of the price, the quote''s';
COMMENT ON COLUMN "quote_lines"."vat_rate" IS 'VAT rate in hundredths of a percent';
COMMENT ON COLUMN "quote_lines"."total_cents" IS 'Price TTC of all, the line''s discount taken off, in minor units';
COMMENT ON COLUMN "quote_lines"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "quote_lines"."product_id" IS 'The product offered';
COMMENT ON COLUMN "quote_lines"."quote_id" IS 'The quote';
COMMENT ON TABLE "quote_lines" IS 'One thing offered, at the price that it had when the version was written.';
ALTER TABLE "organizations" ADD COLUMN "quote_days" INT NOT NULL;
ALTER TABLE quote_series DROP CONSTRAINT quote_series_organization_id_fkey, ADD CONSTRAINT quote_series_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT quote_series_tenant UNIQUE (organization_id, id);
ALTER TABLE quotes DROP CONSTRAINT quotes_organization_id_fkey, ADD CONSTRAINT quotes_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT quotes_tenant UNIQUE (organization_id, id);
ALTER TABLE quote_lines DROP CONSTRAINT quote_lines_organization_id_fkey, ADD CONSTRAINT quote_lines_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT quote_lines_tenant UNIQUE (organization_id, id);
ALTER TABLE quotes DROP CONSTRAINT quotes_series_id_fkey, ADD CONSTRAINT quotes_series_id FOREIGN KEY (organization_id, series_id) REFERENCES quote_series (organization_id, id);
ALTER TABLE quotes DROP CONSTRAINT quotes_client_id_fkey, ADD CONSTRAINT quotes_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE quotes DROP CONSTRAINT quotes_accepted_by_id_fkey, ADD CONSTRAINT quotes_accepted_by_id FOREIGN KEY (organization_id, accepted_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE quotes DROP CONSTRAINT quotes_order_id_fkey, ADD CONSTRAINT quotes_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
ALTER TABLE quote_lines DROP CONSTRAINT quote_lines_quote_id_fkey, ADD CONSTRAINT quote_lines_quote_id FOREIGN KEY (organization_id, quote_id) REFERENCES quotes (organization_id, id);
ALTER TABLE quote_lines DROP CONSTRAINT quote_lines_product_id_fkey, ADD CONSTRAINT quote_lines_product_id FOREIGN KEY (organization_id, product_id) REFERENCES products (organization_id, id);
ALTER TABLE organizations ADD CONSTRAINT organizations_quote_days_check CHECK (quote_days BETWEEN 1 AND 365);
ALTER TABLE quote_series ADD CONSTRAINT quote_series_last_number_check CHECK (last_number >= 0);
ALTER TABLE quotes ADD CONSTRAINT quotes_status_check CHECK (status IN ('DRAFT', 'SENT', 'ACCEPTED', 'REFUSED', 'EXPIRED', 'SUPERSEDED', 'CANCELED'));
ALTER TABLE quotes ADD CONSTRAINT quotes_version_check CHECK (version > 0);
ALTER TABLE quotes ADD CONSTRAINT quotes_sequence_check CHECK (sequence > 0);
ALTER TABLE quotes ADD CONSTRAINT quotes_numbered_check CHECK (num_nonnulls(series_id, number, year, sequence) IN (0, 4));
ALTER TABLE quotes ADD CONSTRAINT quotes_total_check CHECK (total_cents = subtotal_cents - discount_cents AND total_cents BETWEEN 1 AND 99999999);
ALTER TABLE quotes ADD CONSTRAINT quotes_discount_check CHECK (discount_cents >= 0);
ALTER TABLE quotes ADD CONSTRAINT quotes_deposit_check CHECK (deposit_cents >= 0 AND deposit_cents < total_cents);
ALTER TABLE quotes ADD CONSTRAINT quotes_currency_check CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE quotes ADD CONSTRAINT quotes_sent_check CHECK (num_nonnulls(sent_at, content, content_sha256, message_id, expires_at) IN (0, 5) AND (sent_at IS NULL OR (number IS NOT NULL AND valid_until IS NOT NULL)) AND (sent_at IS NOT NULL OR status IN ('DRAFT', 'CANCELED')) AND (sent_at IS NULL OR status <> 'DRAFT'));
ALTER TABLE quotes ADD CONSTRAINT quotes_accepted_check CHECK (num_nonnulls(accepted_at, accepted_name, order_id) IN (0, 3) AND (order_id IS NOT NULL) = (status = 'ACCEPTED') AND (accepted_at IS NULL OR accepted_at < expires_at));
ALTER TABLE quotes ADD CONSTRAINT quotes_refused_check CHECK ((refused_at IS NOT NULL) = (status = 'REFUSED'));
ALTER TABLE quotes ADD CONSTRAINT quotes_ended_check CHECK ((ended_at IS NOT NULL) = (status IN ('EXPIRED', 'SUPERSEDED', 'CANCELED')));
ALTER TABLE quotes ADD CONSTRAINT quotes_file_check CHECK (num_nonnulls(file_key, file_sha256, rendered_at) IN (0, 3));
ALTER TABLE quote_lines ADD CONSTRAINT quote_lines_quantity_check CHECK (quantity BETWEEN 1 AND 9999);
ALTER TABLE quote_lines ADD CONSTRAINT quote_lines_share_check CHECK (share_cents BETWEEN 0 AND total_cents);
ALTER TABLE quote_lines ADD CONSTRAINT quote_lines_total_check CHECK (unit_price_cents >= 0 AND discount_cents >= 0 AND total_cents >= 0 AND total_cents = quantity * unit_price_cents - discount_cents);
ALTER TABLE quote_lines ADD CONSTRAINT quote_lines_vat_rate_check CHECK (vat_rate BETWEEN 0 AND 10000);
CREATE UNIQUE INDEX quotes_draft ON quotes (series_id, year, sequence) WHERE status = 'DRAFT';
CREATE UNIQUE INDEX quotes_good ON quotes (series_id, year, sequence) WHERE status IN ('SENT', 'ACCEPTED');
CREATE UNIQUE INDEX quotes_order_id_index ON quotes (order_id, organization_id);
CREATE INDEX quotes_client_id_page ON quotes (client_id, id);
CREATE INDEX quotes_total_cents_page ON quotes (organization_id, total_cents, id);
CREATE INDEX quotes_accepted_by_id_index ON quotes (accepted_by_id);
CREATE INDEX quote_lines_product_id_index ON quote_lines (product_id);
CREATE FUNCTION quote_stands() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a quote that was sent is not changed' USING ERRCODE = 'integrity_constraint_violation';
    END $$;
CREATE TRIGGER quotes_stand AFTER UPDATE OF series_id, number, year, sequence, version, client_id, currency, subtotal_cents, discount_cents, discount_reason, total_cents, deposit_cents, live, note, valid_until, expires_at, content, content_sha256, message_id, sent_at ON quotes FOR EACH ROW WHEN (OLD.sent_at IS NOT NULL AND (OLD.series_id, OLD.number, OLD.year, OLD.sequence, OLD.version, OLD.client_id, OLD.currency, OLD.subtotal_cents, OLD.discount_cents, OLD.discount_reason, OLD.total_cents, OLD.deposit_cents, OLD.live, OLD.note, OLD.valid_until, OLD.expires_at, OLD.content, OLD.content_sha256, OLD.message_id, OLD.sent_at) IS DISTINCT FROM (NEW.series_id, NEW.number, NEW.year, NEW.sequence, NEW.version, NEW.client_id, NEW.currency, NEW.subtotal_cents, NEW.discount_cents, NEW.discount_reason, NEW.total_cents, NEW.deposit_cents, NEW.live, NEW.note, NEW.valid_until, NEW.expires_at, NEW.content, NEW.content_sha256, NEW.message_id, NEW.sent_at)) EXECUTE FUNCTION quote_stands();
CREATE FUNCTION quote_lines_stand() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM quotes WHERE id = OLD.quote_id AND sent_at IS NOT NULL) THEN
            RAISE EXCEPTION 'a quote that was sent is not changed' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$;
CREATE TRIGGER quote_lines_stand AFTER UPDATE OR DELETE ON quote_lines FOR EACH ROW EXECUTE FUNCTION quote_lines_stand();
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON quotes FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Quote', '', 'content');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON quote_lines FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('QuoteLine', '', '');
ALTER TABLE orders DROP CONSTRAINT orders_source_check, ADD CONSTRAINT orders_source_check CHECK (source IN ('BACK_OFFICE', 'STOREFRONT', 'STRIPE', 'QUOTE'));

-- Migration: 0018_replays
ALTER TABLE "notification_replays" ADD COLUMN "live" BOOL NOT NULL;
ALTER TABLE "notification_replays" ADD COLUMN "reached_id" UUID;
ALTER TABLE partners ALTER COLUMN retry_policy SET DEFAULT 'GUIDE';
CREATE UNIQUE INDEX notification_replays_one ON notification_replays (partner_id, live) WHERE finished_at IS NULL;

-- Migration: 0019_sealed_invoices
ALTER TABLE invoices ADD COLUMN content_sha256 varchar(64), ADD COLUMN chain_sha256 varchar(64);
ALTER TABLE invoice_series ADD COLUMN chain_sha256 varchar(64);
ALTER TABLE invoices ALTER COLUMN content_sha256 SET NOT NULL, ALTER COLUMN chain_sha256 SET NOT NULL, ADD CONSTRAINT invoices_sealed_check CHECK (content_sha256 ~ '^[0-9a-f]{64}$' AND chain_sha256 ~ '^[0-9a-f]{64}$');
ALTER TABLE invoice_series ADD CONSTRAINT invoice_series_chain_check CHECK (chain_sha256 ~ '^[0-9a-f]{64}$');
CREATE FUNCTION invoices_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        once CONSTANT text[] := '{file_key,file_sha256,rendered_at,emailed_at,settled_at}';
        became jsonb;
        changed text;
    BEGIN
        IF TG_OP <> 'UPDATE' THEN
            RAISE EXCEPTION 'invoices are kept: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
        END IF;
        became := to_jsonb(NEW);
        SELECT string_agg(key, ', ' ORDER BY key) INTO changed FROM jsonb_each(to_jsonb(OLD))
        WHERE became -> key IS DISTINCT FROM value AND key <> 'credited_cents'
            AND NOT (key = ANY (once) AND value = 'null');
        IF changed IS NOT NULL THEN
            RAISE EXCEPTION 'invoice % is issued: its % cannot change', OLD.number, changed
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$;
CREATE TRIGGER fixed BEFORE UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION invoices_fixed();
CREATE TRIGGER kept BEFORE TRUNCATE ON invoices FOR EACH STATEMENT EXECUTE FUNCTION invoices_fixed();

-- Migration: 0020_legal_identity
CREATE TABLE "legal_mentions" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "code" VARCHAR(20) NOT NULL,
    "scope" VARCHAR(20) NOT NULL,
    "text_fr" VARCHAR(500) NOT NULL,
    "text_en" VARCHAR(500),
    "valid_from" DATE NOT NULL,
    "valid_until" DATE,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "legal_mentions"."created_at" IS 'When it was made';
COMMENT ON COLUMN "legal_mentions"."code" IS 'What it is about';
COMMENT ON COLUMN "legal_mentions"."scope" IS 'On which invoices it stands';
COMMENT ON COLUMN "legal_mentions"."text_fr" IS 'In French, as printed';
COMMENT ON COLUMN "legal_mentions"."text_en" IS 'In English, printed before the French where one reads it';
COMMENT ON COLUMN "legal_mentions"."valid_from" IS 'First day of invoices that say so';
COMMENT ON COLUMN "legal_mentions"."valid_until" IS 'Last day of invoices that say so; the next words end it too';
COMMENT ON COLUMN "legal_mentions"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "legal_mentions" IS 'An organization''s own words for a mention, for invoices issued from a day on.';
ALTER TABLE "clients" ADD COLUMN "delivery_address" VARCHAR(300);
ALTER TABLE "clients" ADD COLUMN "delivery_city" VARCHAR(100);
ALTER TABLE "clients" ADD COLUMN "delivery_country" VARCHAR(2);
ALTER TABLE "clients" ADD COLUMN "delivery_postal_code" VARCHAR(20);
ALTER TABLE "clients" ADD COLUMN "electronic_address" VARCHAR(100);
ALTER TABLE "clients" ADD COLUMN "language" VARCHAR(2);
ALTER TABLE "clients" ADD COLUMN "vat_number" VARCHAR(14);
ALTER TABLE "organizations" ADD COLUMN "logo_png" TEXT;
ALTER TABLE "partners" ADD COLUMN "logo_png" TEXT;
ALTER TABLE organizations ADD COLUMN language varchar(2) NOT NULL DEFAULT 'FR';
ALTER TABLE clients ADD COLUMN electronic_address_scheme varchar(4) NOT NULL DEFAULT '0225';
ALTER TABLE legal_mentions DROP CONSTRAINT legal_mentions_organization_id_fkey, ADD CONSTRAINT legal_mentions_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT legal_mentions_tenant UNIQUE (organization_id, id), ADD CONSTRAINT legal_mentions_text_check CHECK (btrim(text_fr) <> '' AND btrim(text_en) <> ''), ADD CONSTRAINT legal_mentions_valid_check CHECK (valid_until >= valid_from);
CREATE UNIQUE INDEX legal_mentions_one ON legal_mentions (organization_id, code, valid_from) WHERE code <> 'OTHER';
ALTER TABLE legal_mentions ADD CONSTRAINT legal_mentions_code_check CHECK (code IN ('DISCOUNT_TERMS', 'LATE_PENALTIES', 'RECOVERY_COSTS', 'OPERATION_GOODS', 'OPERATION_SERVICES', 'OPERATION_MIXED', 'VAT_ON_DEBITS', 'VAT_FRANCHISE', 'VAT_TRAINING', 'VAT_EXEMPT', 'OTHER'));
ALTER TABLE legal_mentions ADD CONSTRAINT legal_mentions_scope_check CHECK (scope IN ('ALL', 'B2B', 'B2C', 'GOODS', 'SERVICES', 'MIXED', 'VAT_ON_DEBITS', 'FRANCHISE', 'TRAINING', 'EXEMPT'));
ALTER TABLE organizations ADD CONSTRAINT organizations_language_check CHECK (language IN ('FR', 'EN'));
ALTER TABLE clients ADD CONSTRAINT clients_language_check CHECK (language IN ('FR', 'EN'));
ALTER TABLE clients ADD CONSTRAINT clients_electronic_address_check CHECK (electronic_address_scheme ~ '^[0-9]{4}$' AND electronic_address <> '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON legal_mentions FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('LegalMention', '', '');

-- Migration: 0021_subscriptions
CREATE TABLE "subscriptions" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "quantity" INT NOT NULL,
    "amount_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "interval" VARCHAR(10) NOT NULL,
    "interval_count" INT NOT NULL,
    "current_period_start" TIMESTAMPTZ NOT NULL,
    "current_period_end" TIMESTAMPTZ NOT NULL,
    "cancel_at_period_end" BOOL NOT NULL,
    "canceled_at" TIMESTAMPTZ,
    "ended_at" TIMESTAMPTZ,
    "failed_at" TIMESTAMPTZ,
    "failure_code" VARCHAR(100),
    "failure_message" VARCHAR(500),
    "pay_url" VARCHAR(2048),
    "open_invoice" VARCHAR(255),
    "told_of" VARCHAR(255),
    "stripe_id" VARCHAR(255) NOT NULL,
    "stripe_account" VARCHAR(255) NOT NULL,
    "live" BOOL NOT NULL,
    "asked_at" TIMESTAMPTZ NOT NULL,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "product_id" UUID NOT NULL REFERENCES "products" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_subscriptio_stripe__6d3bf4" UNIQUE ("stripe_account", "live", "stripe_id")
);
COMMENT ON COLUMN "subscriptions"."created_at" IS 'When it was made';
COMMENT ON COLUMN "subscriptions"."status" IS 'Where it stands';
COMMENT ON COLUMN "subscriptions"."quantity" IS 'How many, 1 or more';
COMMENT ON COLUMN "subscriptions"."amount_cents" IS 'What each period costs TTC, in minor units';
COMMENT ON COLUMN "subscriptions"."currency" IS 'Currency of the amount';
COMMENT ON COLUMN "subscriptions"."interval" IS 'What its periods are counted in';
COMMENT ON COLUMN "subscriptions"."interval_count" IS 'How many of these make a period';
COMMENT ON COLUMN "subscriptions"."current_period_start" IS 'When the current period began';
COMMENT ON COLUMN "subscriptions"."current_period_end" IS 'When the current period ends';
COMMENT ON COLUMN "subscriptions"."cancel_at_period_end" IS 'Whether it ends with its current period';
COMMENT ON COLUMN "subscriptions"."canceled_at" IS 'When somebody asked for its end';
COMMENT ON COLUMN "subscriptions"."ended_at" IS 'When it ended';
COMMENT ON COLUMN "subscriptions"."failed_at" IS 'When a renewal was refused last; null once nothing is open';
COMMENT ON COLUMN "subscriptions"."failure_code" IS 'Stripe''s code for the latest refusal';
COMMENT ON COLUMN "subscriptions"."failure_message" IS 'Why it was refused, in words';
COMMENT ON COLUMN "subscriptions"."pay_url" IS 'Where the client pays what is open; null where nothing is';
COMMENT ON COLUMN "subscriptions"."open_invoice" IS 'Stripe''s invoice that is open after a refusal';
COMMENT ON COLUMN "subscriptions"."told_of" IS 'Stripe''s invoice of whose refusal the client was told last';
COMMENT ON COLUMN "subscriptions"."stripe_id" IS 'Id of the subscription at Stripe';
COMMENT ON COLUMN "subscriptions"."stripe_account" IS 'Stripe account that is paid';
COMMENT ON COLUMN "subscriptions"."live" IS 'Whether real money moves';
COMMENT ON COLUMN "subscriptions"."asked_at" IS 'When Stripe was asked what we know: older answers change nothing';
COMMENT ON COLUMN "subscriptions"."client_id" IS 'Who pays';
COMMENT ON COLUMN "subscriptions"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "subscriptions"."product_id" IS 'What they pay for';
COMMENT ON TABLE "subscriptions" IS 'A product that a client pays for each period: Stripe asks for the money, and each payment is an order.';
ALTER TABLE "orders" ADD COLUMN "stripe_invoice_id" VARCHAR(255);
ALTER TABLE "orders" ADD COLUMN "subscription_id" UUID REFERENCES "subscriptions" ("id") ON DELETE RESTRICT;
ALTER TABLE "order_lines" ADD COLUMN "interval" VARCHAR(10);
ALTER TABLE "order_lines" ADD COLUMN "interval_count" INT;
ALTER TABLE "order_lines" ADD COLUMN "period_end" TIMESTAMPTZ;
ALTER TABLE "order_lines" ADD COLUMN "period_start" TIMESTAMPTZ;
ALTER TABLE "organizations" ADD COLUMN "grace_days" INT NOT NULL;
ALTER TABLE "products" ADD COLUMN "interval" VARCHAR(10);
ALTER TABLE "products" ADD COLUMN "interval_count" INT;
ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_organization_id_fkey, DROP CONSTRAINT subscriptions_client_id_fkey, DROP CONSTRAINT subscriptions_product_id_fkey, ADD CONSTRAINT subscriptions_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT subscriptions_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id), ADD CONSTRAINT subscriptions_product_id FOREIGN KEY (organization_id, product_id) REFERENCES products (organization_id, id), ADD CONSTRAINT subscriptions_tenant UNIQUE (organization_id, id), ADD CONSTRAINT subscriptions_status_check CHECK (status IN ('INCOMPLETE', 'INCOMPLETE_EXPIRED', 'TRIALING', 'ACTIVE', 'PAST_DUE', 'UNPAID', 'PAUSED', 'CANCELED')), ADD CONSTRAINT subscriptions_interval_check CHECK ("interval" IN ('DAY', 'WEEK', 'MONTH', 'YEAR') AND interval_count > 0), ADD CONSTRAINT subscriptions_amount_check CHECK (amount_cents >= 0 AND quantity > 0), ADD CONSTRAINT subscriptions_currency_check CHECK (currency ~ '^[A-Z]{3}$'), ADD CONSTRAINT subscriptions_period_check CHECK (current_period_end > current_period_start), ADD CONSTRAINT subscriptions_ended_check CHECK ((status IN ('CANCELED', 'INCOMPLETE_EXPIRED')) = (ended_at IS NOT NULL)), ADD CONSTRAINT subscriptions_open_invoice_check CHECK (num_nonnulls(open_invoice, pay_url) IN (0, 2));
CREATE INDEX subscriptions_of_client ON subscriptions (client_id, id);
CREATE INDEX subscriptions_of_product ON subscriptions (product_id, id);
ALTER TABLE orders DROP CONSTRAINT orders_subscription_id_fkey, DROP CONSTRAINT orders_kind_check, DROP CONSTRAINT orders_source_check, ADD CONSTRAINT orders_subscription_id FOREIGN KEY (organization_id, subscription_id) REFERENCES subscriptions (organization_id, id), ADD CONSTRAINT orders_kind_check CHECK (kind IN ('PRODUCTS', 'SUBSCRIPTION')), ADD CONSTRAINT orders_source_check CHECK (source IN ('BACK_OFFICE', 'STOREFRONT', 'STRIPE', 'QUOTE', 'RENEWAL')), ADD CONSTRAINT orders_subscription_check CHECK (subscription_id IS NULL OR kind = 'SUBSCRIPTION');
CREATE INDEX orders_of_subscription ON orders (subscription_id, id);
CREATE UNIQUE INDEX orders_stripe_invoice ON orders (stripe_account, live, stripe_invoice_id);
ALTER TABLE order_lines ADD CONSTRAINT order_lines_interval_check CHECK ("interval" IN ('DAY', 'WEEK', 'MONTH', 'YEAR') AND interval_count > 0), ADD CONSTRAINT order_lines_recurs_check CHECK (num_nonnulls("interval", interval_count) IN (0, 2)), ADD CONSTRAINT order_lines_period_check CHECK (num_nonnulls(period_start, period_end) IN (0, 2) AND period_end > period_start);
ALTER TABLE products ADD CONSTRAINT products_interval_check CHECK ("interval" IN ('DAY', 'WEEK', 'MONTH', 'YEAR') AND interval_count > 0), ADD CONSTRAINT products_recurs_check CHECK (num_nonnulls("interval", interval_count) IN (0, 2)), ADD CONSTRAINT products_recurring_price_check CHECK ("interval" IS NULL OR price_cents > 0);
ALTER TABLE organizations ALTER COLUMN grace_days SET DEFAULT 7, ADD CONSTRAINT organizations_grace_check CHECK (grace_days BETWEEN 0 AND 90);
ALTER TABLE attempts DROP CONSTRAINT attempts_operation_check, ADD CONSTRAINT attempts_operation_check CHECK (operation IN ('CREATE_CUSTOMER', 'CREATE_PRODUCT', 'CREATE_PRICE', 'CREATE_COUPON', 'CHECKOUT', 'PAYMENT_INTENT'));
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON subscriptions FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('ClientSubscription', '', 'asked_at');

-- Migration: 0022_reconciliations
CREATE TABLE "reconciliations" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "stripe_account" VARCHAR(255) NOT NULL,
    "live" BOOL NOT NULL,
    "since" TIMESTAMPTZ NOT NULL,
    "started_at" TIMESTAMPTZ NOT NULL,
    "ended_at" TIMESTAMPTZ NOT NULL,
    "events_missed" INT NOT NULL,
    "orders_mended" INT NOT NULL,
    "unexplained" INT NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "reconciliations"."created_at" IS 'When it was made';
COMMENT ON COLUMN "reconciliations"."stripe_account" IS 'Stripe account that was asked';
COMMENT ON COLUMN "reconciliations"."live" IS 'Whether about real money';
COMMENT ON COLUMN "reconciliations"."since" IS 'From when on events and payments were compared';
COMMENT ON COLUMN "reconciliations"."started_at" IS 'When it began';
COMMENT ON COLUMN "reconciliations"."ended_at" IS 'When it was done';
COMMENT ON COLUMN "reconciliations"."events_missed" IS 'Events that had never come, and are handled now';
COMMENT ON COLUMN "reconciliations"."orders_mended" IS 'Orders that Stripe''s answer brought up to date';
COMMENT ON COLUMN "reconciliations"."unexplained" IS 'What stays different';
COMMENT ON COLUMN "reconciliations"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "reconciliations" IS 'One run: Stripe''s list of events and what is stuck were compared with what we know.';
CREATE TABLE "drifts" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "kind" VARCHAR(20) NOT NULL,
    "reference" VARCHAR(255) NOT NULL,
    "message" VARCHAR(500) NOT NULL,
    "order_id" UUID NOT NULL REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "reconciliation_id" UUID NOT NULL REFERENCES "reconciliations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_drifts_reconci_7a923c" UNIQUE ("reconciliation_id", "kind", "reference")
);
COMMENT ON COLUMN "drifts"."created_at" IS 'When it was made';
COMMENT ON COLUMN "drifts"."kind" IS 'What is different';
COMMENT ON COLUMN "drifts"."reference" IS 'Stripe''s id of what it is about';
COMMENT ON COLUMN "drifts"."message" IS 'What is different, in words';
COMMENT ON COLUMN "drifts"."order_id" IS 'The order that it is about';
COMMENT ON COLUMN "drifts"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "drifts"."reconciliation_id" IS 'The run that found it';
COMMENT ON TABLE "drifts" IS 'What a reconciliation could not explain.';
CREATE TABLE "reconciliation_points" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "stripe_account" VARCHAR(255) NOT NULL,
    "live" BOOL NOT NULL,
    "reached_at" TIMESTAMPTZ NOT NULL,
    "ended_at" TIMESTAMPTZ,
    "leased_until" TIMESTAMPTZ,
    "token" UUID,
    CONSTRAINT "uid_reconciliat_stripe__ec1f01" UNIQUE ("stripe_account", "live")
);
COMMENT ON COLUMN "reconciliation_points"."created_at" IS 'When it was made';
COMMENT ON COLUMN "reconciliation_points"."stripe_account" IS 'Stripe account';
COMMENT ON COLUMN "reconciliation_points"."live" IS 'Stripe''s livemode';
COMMENT ON COLUMN "reconciliation_points"."reached_at" IS 'Of events made before this none is missing';
COMMENT ON COLUMN "reconciliation_points"."ended_at" IS 'When a run came to its end last';
COMMENT ON COLUMN "reconciliation_points"."leased_until" IS 'Until when a process is at it';
COMMENT ON COLUMN "reconciliation_points"."token" IS 'Which one';
COMMENT ON TABLE "reconciliation_points" IS 'How far a Stripe account and mode is reconciled, and who does it now.';
ALTER TABLE reconciliations DROP CONSTRAINT reconciliations_organization_id_fkey, ADD CONSTRAINT reconciliations_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT reconciliations_tenant UNIQUE (organization_id, id);
ALTER TABLE drifts DROP CONSTRAINT drifts_organization_id_fkey, ADD CONSTRAINT drifts_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT drifts_tenant UNIQUE (organization_id, id);
ALTER TABLE drifts DROP CONSTRAINT drifts_reconciliation_id_fkey, ADD CONSTRAINT drifts_reconciliation_id FOREIGN KEY (organization_id, reconciliation_id) REFERENCES reconciliations (organization_id, id);
ALTER TABLE drifts DROP CONSTRAINT drifts_order_id_fkey, ADD CONSTRAINT drifts_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
CREATE INDEX reconciliations_organization_id_index ON reconciliations (organization_id, id);
CREATE INDEX reconciliations_created_at_index ON reconciliations (created_at);
CREATE INDEX drifts_order_id_index ON drifts (order_id);
ALTER TABLE reconciliations ADD CONSTRAINT reconciliations_counts_check CHECK (events_missed >= 0 AND orders_mended >= 0 AND unexplained >= 0), ADD CONSTRAINT reconciliations_times_check CHECK (since <= started_at AND started_at <= ended_at);
ALTER TABLE drifts ADD CONSTRAINT drifts_kind_check CHECK (kind IN ('NOT_COUNTED', 'NOT_PAID', 'AMOUNT_DIFFERS', 'NOT_HANDLED', 'NOT_ANSWERED'));
ALTER TABLE reconciliation_points ADD CONSTRAINT reconciliation_points_lease_check CHECK ((token IS NULL) = (leased_until IS NULL));

-- Migration: 0023_exports
CREATE TABLE "exports" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "kind" VARCHAR(20) NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "starts_on" DATE NOT NULL,
    "ends_on" DATE NOT NULL,
    "live" BOOL NOT NULL,
    "total" INT NOT NULL,
    "done" INT NOT NULL,
    "left_out" INT NOT NULL,
    "filename" VARCHAR(100) NOT NULL,
    "file_key" VARCHAR(255),
    "file_sha256" VARCHAR(64),
    "file_bytes" BIGINT,
    "error" VARCHAR(500),
    "finished_at" TIMESTAMPTZ,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "requested_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "exports"."created_at" IS 'When it was made';
COMMENT ON COLUMN "exports"."kind" IS 'What is in it';
COMMENT ON COLUMN "exports"."status" IS 'How far it is';
COMMENT ON COLUMN "exports"."starts_on" IS 'The first day, where the organization is';
COMMENT ON COLUMN "exports"."ends_on" IS 'The last day';
COMMENT ON COLUMN "exports"."live" IS 'Whether it is of real sales; those of test mode are never among them';
COMMENT ON COLUMN "exports"."total" IS 'How many documents and payments there are to read';
COMMENT ON COLUMN "exports"."done" IS 'How many of them are read';
COMMENT ON COLUMN "exports"."left_out" IS 'How many are not in it, being in another currency than the euro';
COMMENT ON COLUMN "exports"."filename" IS 'What the file is called';
COMMENT ON COLUMN "exports"."file_key" IS 'Where it is stored';
COMMENT ON COLUMN "exports"."file_sha256" IS 'SHA-256 of the file, hexadecimal';
COMMENT ON COLUMN "exports"."file_bytes" IS 'How large it is, in bytes';
COMMENT ON COLUMN "exports"."error" IS 'Why it could not be made';
COMMENT ON COLUMN "exports"."finished_at" IS 'When it was ready, or failed';
COMMENT ON COLUMN "exports"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "exports"."requested_by_id" IS 'Who asked for it; null for a server';
COMMENT ON TABLE "exports" IS 'A file of what happened in a period, in test or in live mode.';
ALTER TABLE organizations ADD COLUMN account_numbers jsonb NOT NULL DEFAULT '{}';
ALTER TABLE exports DROP CONSTRAINT exports_organization_id_fkey, DROP CONSTRAINT exports_requested_by_id_fkey, ADD CONSTRAINT exports_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT exports_requested_by_id FOREIGN KEY (organization_id, requested_by_id) REFERENCES memberships (organization_id, id), ADD CONSTRAINT exports_tenant UNIQUE (organization_id, id);
ALTER TABLE exports ADD CONSTRAINT exports_kind_check CHECK (kind IN ('FEC', 'INVOICES_CSV', 'PAYMENTS_CSV', 'PDF_ZIP'));
ALTER TABLE exports ADD CONSTRAINT exports_status_check CHECK (status IN ('PENDING', 'RUNNING', 'READY', 'FAILED'));
ALTER TABLE exports ADD CONSTRAINT exports_period_check CHECK (starts_on <= ends_on AND ends_on - starts_on <= 731);
ALTER TABLE exports ADD CONSTRAINT exports_progress_check CHECK (total >= 0 AND done >= 0 AND left_out >= 0);
ALTER TABLE exports ADD CONSTRAINT exports_finished_check CHECK ((finished_at IS NOT NULL) = (status IN ('READY', 'FAILED')));
ALTER TABLE exports ADD CONSTRAINT exports_failed_check CHECK ((error IS NOT NULL) = (status = 'FAILED'));
ALTER TABLE exports ADD CONSTRAINT exports_file_check CHECK (num_nonnulls(file_key, file_sha256, file_bytes) = (status = 'READY')::int * 3);
CREATE INDEX exports_requested_by_id_index ON exports (requested_by_id);
CREATE INDEX exports_created_at ON exports (created_at);
CREATE INDEX payments_paid_at ON payments (organization_id, live, paid_at, id);
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON exports FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Export', '', 'total,done,left_out');
CREATE TRIGGER exports_created AFTER INSERT ON exports FOR EACH ROW EXECUTE FUNCTION note_change('CREATED');
CREATE TRIGGER exports_changed AFTER UPDATE ON exports FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION note_change('CHANGED');

-- Migration: 0024_refunds_and_disputes
CREATE TABLE "disputes" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "amount_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "reason" VARCHAR(100) NOT NULL,
    "stripe_account" VARCHAR(255) NOT NULL,
    "live" BOOL NOT NULL,
    "stripe_id" VARCHAR(255) NOT NULL,
    "opened_at" TIMESTAMPTZ NOT NULL,
    "evidence_due_at" TIMESTAMPTZ,
    "closed_at" TIMESTAMPTZ,
    "order_id" UUID NOT NULL REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "payment_id" UUID NOT NULL REFERENCES "payments" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_disputes_stripe__fafedd" UNIQUE ("stripe_account", "live", "stripe_id")
);
COMMENT ON COLUMN "disputes"."created_at" IS 'When it was made';
COMMENT ON COLUMN "disputes"."status" IS 'What came of it';
COMMENT ON COLUMN "disputes"."amount_cents" IS 'How much is asked back, in minor units';
COMMENT ON COLUMN "disputes"."currency" IS 'Currency of the amount';
COMMENT ON COLUMN "disputes"."reason" IS 'Why, in Stripe''s word: `fraudulent`';
COMMENT ON COLUMN "disputes"."stripe_account" IS 'Stripe account that was paid';
COMMENT ON COLUMN "disputes"."live" IS 'Whether real money is asked for';
COMMENT ON COLUMN "disputes"."stripe_id" IS 'Stripe''s dispute';
COMMENT ON COLUMN "disputes"."opened_at" IS 'When the bank asked';
COMMENT ON COLUMN "disputes"."evidence_due_at" IS 'Until when it can be answered, at Stripe';
COMMENT ON COLUMN "disputes"."closed_at" IS 'When the bank had decided';
COMMENT ON COLUMN "disputes"."order_id" IS 'The order whose money it is';
COMMENT ON COLUMN "disputes"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "disputes"."payment_id" IS 'The payment disputed';
COMMENT ON TABLE "disputes" IS 'A client''s bank asks for the money of a payment back.';
CREATE TABLE "refunds" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "method" VARCHAR(20) NOT NULL,
    "amount_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "reason" VARCHAR(500),
    "stripe_account" VARCHAR(255) NOT NULL,
    "live" BOOL NOT NULL,
    "stripe_id" VARCHAR(255),
    "event_id" VARCHAR(255),
    "reference" VARCHAR(200),
    "refunded_at" TIMESTAMPTZ,
    "failure_reason" VARCHAR(200),
    "attempt_id" UUID REFERENCES "attempts" ("id") ON DELETE RESTRICT,
    "order_id" UUID NOT NULL REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "payment_id" UUID NOT NULL REFERENCES "payments" ("id") ON DELETE RESTRICT,
    "requested_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "refunds"."created_at" IS 'When it was made';
COMMENT ON COLUMN "refunds"."status" IS 'What came of it';
COMMENT ON COLUMN "refunds"."method" IS 'How it goes back';
COMMENT ON COLUMN "refunds"."amount_cents" IS 'Amount in minor units, more than 0';
COMMENT ON COLUMN "refunds"."currency" IS 'Currency of the amount, the payment''s';
COMMENT ON COLUMN "refunds"."reason" IS 'Why, as the credit note says it';
COMMENT ON COLUMN "refunds"."stripe_account" IS 'Stripe account that was paid';
COMMENT ON COLUMN "refunds"."live" IS 'Whether real money moves';
COMMENT ON COLUMN "refunds"."stripe_id" IS 'Stripe''s refund';
COMMENT ON COLUMN "refunds"."event_id" IS 'What told that it went back: Stripe''s event, or ours';
COMMENT ON COLUMN "refunds"."reference" IS 'What the bank says of it, where it was by hand';
COMMENT ON COLUMN "refunds"."refunded_at" IS 'When the money went back';
COMMENT ON COLUMN "refunds"."failure_reason" IS 'Why it failed, in Stripe''s word';
COMMENT ON COLUMN "refunds"."attempt_id" IS 'How we asked Stripe for it';
COMMENT ON COLUMN "refunds"."order_id" IS 'The order whose money it was';
COMMENT ON COLUMN "refunds"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "refunds"."payment_id" IS 'The payment given back, whole or in part';
COMMENT ON COLUMN "refunds"."requested_by_id" IS 'Who asked for it; null for Stripe''s dashboard';
COMMENT ON TABLE "refunds" IS 'Money of one payment given back, by Stripe or by hand.';
ALTER TABLE "invoices" ADD COLUMN "refund_id" UUID REFERENCES "refunds" ("id") ON DELETE RESTRICT;
COMMENT ON COLUMN "orders"."paid_cents" IS 'Paid so far, in minor units, what went back since included';
ALTER TABLE "orders" ADD COLUMN "charged_back_cents" INT NOT NULL;
ALTER TABLE "orders" ADD COLUMN "credited_cents" INT NOT NULL;
ALTER TABLE "orders" ADD COLUMN "refunded_cents" INT NOT NULL;
ALTER TABLE "orders" ADD COLUMN "waived_cents" INT NOT NULL;
ALTER TABLE "orders" ADD COLUMN "written_off_cents" INT NOT NULL;
ALTER TABLE "organizations" ADD COLUMN "suspend_disputed" BOOL NOT NULL;
ALTER TABLE refunds DROP CONSTRAINT refunds_organization_id_fkey, DROP CONSTRAINT refunds_order_id_fkey, DROP CONSTRAINT refunds_payment_id_fkey, ADD CONSTRAINT refunds_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT refunds_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id), ADD CONSTRAINT refunds_payment_id FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id), ADD CONSTRAINT refunds_tenant UNIQUE (organization_id, id), ADD CONSTRAINT refunds_amount_check CHECK (amount_cents > 0), ADD CONSTRAINT refunds_currency_check CHECK (currency ~ '^[A-Z]{3}$');
CREATE INDEX refunds_of_order ON refunds (order_id, id);
CREATE INDEX refunds_of_payment ON refunds (payment_id, id);
CREATE INDEX refunds_by_status ON refunds (organization_id, status, id);
CREATE TRIGGER refunds_of_order AFTER INSERT OR UPDATE ON refunds FOR EACH ROW EXECUTE FUNCTION note_change_of_order();
ALTER TABLE disputes DROP CONSTRAINT disputes_organization_id_fkey, DROP CONSTRAINT disputes_order_id_fkey, DROP CONSTRAINT disputes_payment_id_fkey, ADD CONSTRAINT disputes_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT disputes_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id), ADD CONSTRAINT disputes_payment_id FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id), ADD CONSTRAINT disputes_tenant UNIQUE (organization_id, id), ADD CONSTRAINT disputes_amount_check CHECK (amount_cents > 0), ADD CONSTRAINT disputes_currency_check CHECK (currency ~ '^[A-Z]{3}$');
CREATE INDEX disputes_of_order ON disputes (order_id, id);
CREATE INDEX disputes_of_payment ON disputes (payment_id, id);
CREATE INDEX disputes_by_status ON disputes (organization_id, status, id);
CREATE TRIGGER disputes_of_order AFTER INSERT OR UPDATE ON disputes FOR EACH ROW EXECUTE FUNCTION note_change_of_order();
ALTER TABLE refunds DROP CONSTRAINT refunds_attempt_id_fkey, DROP CONSTRAINT refunds_requested_by_id_fkey, ADD CONSTRAINT refunds_attempt_id FOREIGN KEY (organization_id, attempt_id) REFERENCES attempts (organization_id, id), ADD CONSTRAINT refunds_requested_by_id FOREIGN KEY (organization_id, requested_by_id) REFERENCES memberships (organization_id, id), ADD CONSTRAINT refunds_status_check CHECK (status IN ('PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED')), ADD CONSTRAINT refunds_method_check CHECK (method IN ('STRIPE', 'PAYPAL', 'TRANSFER', 'CHEQUE', 'CASH', 'CPF')), ADD CONSTRAINT refunds_refunded_check CHECK (status <> 'SUCCEEDED' OR refunded_at IS NOT NULL);
CREATE INDEX refunds_attempt_id_index ON refunds (attempt_id);
CREATE INDEX refunds_requested_by_id_index ON refunds (requested_by_id);
CREATE UNIQUE INDEX refunds_stripe ON refunds (stripe_account, live, stripe_id);
ALTER TABLE disputes ADD CONSTRAINT disputes_status_check CHECK (status IN ('OPEN', 'WON', 'LOST')), ADD CONSTRAINT disputes_closed_check CHECK ((status = 'OPEN') = (closed_at IS NULL));
ALTER TABLE invoices DROP CONSTRAINT invoices_refund_id_fkey, ADD CONSTRAINT invoices_refund_id FOREIGN KEY (organization_id, refund_id) REFERENCES refunds (organization_id, id), ADD CONSTRAINT invoices_refund_check CHECK (refund_id IS NULL OR type = 'CREDIT_NOTE');
CREATE INDEX invoices_of_refund ON invoices (refund_id, id);
ALTER TABLE attempts DROP CONSTRAINT attempts_operation_check, ADD CONSTRAINT attempts_operation_check CHECK (operation IN ('CREATE_CUSTOMER', 'CREATE_PRODUCT', 'CREATE_PRICE', 'CREATE_COUPON', 'CHECKOUT', 'PAYMENT_INTENT', 'REFUND'));
ALTER TABLE conflicts DROP CONSTRAINT conflicts_kind_check, ADD CONSTRAINT conflicts_kind_check CHECK (kind IN ('AMOUNT_MISMATCH', 'DUPLICATE_PAYMENT', 'OVERPAID', 'CANCELED_ORDER_PAID', 'REACTION_FAILED', 'UNKNOWN_SALE', 'REFUND_FAILED', 'DISPUTE_LOST'));
ALTER TABLE orders DROP COLUMN balance_cents;
ALTER TABLE orders ADD COLUMN balance_cents int NOT NULL GENERATED ALWAYS AS (total_cents - waived_cents - paid_cents) STORED;
CREATE INDEX orders_by_balance_cents ON orders (organization_id, balance_cents, id);
ALTER TABLE orders DROP CONSTRAINT orders_status_check, DROP CONSTRAINT orders_paid_check, DROP CONSTRAINT orders_balance_check, ADD CONSTRAINT orders_status_check CHECK (status IN ('OPEN', 'PAID', 'REFUNDED', 'CANCELED')), ADD CONSTRAINT orders_balance_check CHECK (paid_cents >= 0 AND waived_cents >= 0 AND waived_cents + paid_cents <= total_cents AND (status NOT IN ('PAID', 'REFUNDED') OR waived_cents + paid_cents = total_cents)), ADD CONSTRAINT orders_paid_check CHECK ((status IN ('PAID', 'REFUNDED')) = (paid_at IS NOT NULL AND event_id IS NOT NULL)), ADD CONSTRAINT orders_refunded_check CHECK (refunded_cents >= 0 AND charged_back_cents >= 0 AND refunded_cents + charged_back_cents <= paid_cents AND (status <> 'REFUNDED' OR refunded_cents + charged_back_cents = paid_cents)), ADD CONSTRAINT orders_credited_check CHECK (credited_cents >= 0 AND written_off_cents BETWEEN 0 AND charged_back_cents AND waived_cents + credited_cents + written_off_cents <= total_cents);
DROP TRIGGER orders_paid ON orders;
DROP TRIGGER orders_changed ON orders;
CREATE TRIGGER orders_paid AFTER UPDATE ON orders FOR EACH ROW WHEN (OLD.status = 'OPEN' AND NEW.status = 'PAID') EXECUTE FUNCTION note_change('PAID');
CREATE TRIGGER orders_changed AFTER UPDATE ON orders FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW AND (OLD.status = NEW.status OR 'REFUNDED' IN (OLD.status, NEW.status))) EXECUTE FUNCTION note_change('CHANGED');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON refunds FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Refund', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON disputes FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Dispute', '', '');

-- Migration: 0025_incomplete_invoices
ALTER TABLE conflicts DROP CONSTRAINT conflicts_kind_check, ADD CONSTRAINT conflicts_kind_check CHECK (kind IN ('AMOUNT_MISMATCH', 'DUPLICATE_PAYMENT', 'OVERPAID', 'CANCELED_ORDER_PAID', 'REACTION_FAILED', 'UNKNOWN_SALE', 'REFUND_FAILED', 'INVOICE_INCOMPLETE', 'DISPUTE_LOST'));

-- Migration: 0026_integrations
CREATE TABLE "integrations" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "provider" VARCHAR(50) NOT NULL,
    "enabled" BOOL NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "detail" VARCHAR(500),
    "settings" JSONB NOT NULL,
    "configured_at" TIMESTAMPTZ NOT NULL,
    "checked_at" TIMESTAMPTZ,
    "next_check_at" TIMESTAMPTZ,
    "failing_since" TIMESTAMPTZ,
    "alerted_at" TIMESTAMPTZ,
    "removed_at" TIMESTAMPTZ,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "integrations"."created_at" IS 'When it was made';
COMMENT ON COLUMN "integrations"."provider" IS 'The provider''s key in the catalogue';
COMMENT ON COLUMN "integrations"."enabled" IS 'Whether it is switched on';
COMMENT ON COLUMN "integrations"."status" IS 'How it does';
COMMENT ON COLUMN "integrations"."detail" IS 'What the other side said last, where it failed';
COMMENT ON COLUMN "integrations"."settings" IS 'What its form holds that is no secret';
COMMENT ON COLUMN "integrations"."configured_at" IS 'When what it is set to was last changed';
COMMENT ON COLUMN "integrations"."checked_at" IS 'When it was last tried';
COMMENT ON COLUMN "integrations"."next_check_at" IS 'When it is tried next by the clock';
COMMENT ON COLUMN "integrations"."failing_since" IS 'Since when it fails';
COMMENT ON COLUMN "integrations"."alerted_at" IS 'When we told ourselves that it fails';
COMMENT ON COLUMN "integrations"."removed_at" IS 'When it was removed, and its secrets destroyed';
COMMENT ON COLUMN "integrations"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "integrations" IS 'A provider that an organization set up. Once removed it stays, switched off and without its secrets.';
CREATE TABLE "integration_secrets" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "provider" VARCHAR(50) NOT NULL,
    "field" VARCHAR(63) NOT NULL,
    "sealed" TEXT,
    "last_four" VARCHAR(4),
    "rotated_at" TIMESTAMPTZ NOT NULL,
    "destroyed_at" TIMESTAMPTZ,
    "integration_id" UUID NOT NULL REFERENCES "integrations" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "integration_secrets"."created_at" IS 'When it was made';
COMMENT ON COLUMN "integration_secrets"."provider" IS 'The provider''s key in the catalogue';
COMMENT ON COLUMN "integration_secrets"."field" IS 'Which field of the provider''s form';
COMMENT ON COLUMN "integration_secrets"."sealed" IS 'The key itself, sealed; null once destroyed';
COMMENT ON COLUMN "integration_secrets"."last_four" IS 'Its last four characters; null where it is short, and once it is destroyed';
COMMENT ON COLUMN "integration_secrets"."rotated_at" IS 'When it was set last';
COMMENT ON COLUMN "integration_secrets"."destroyed_at" IS 'When it was destroyed';
COMMENT ON COLUMN "integration_secrets"."integration_id" IS 'Whose key';
COMMENT ON COLUMN "integration_secrets"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "integration_secrets" IS 'A key of an integration, sealed. Once destroyed it stays, empty: the access log names it.';
ALTER TABLE integrations DROP CONSTRAINT integrations_organization_id_fkey, ADD CONSTRAINT integrations_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT integrations_tenant UNIQUE (organization_id, id), ADD CONSTRAINT integrations_of_provider UNIQUE (organization_id, id, provider), ADD CONSTRAINT integrations_once UNIQUE (organization_id, provider), ADD CONSTRAINT integrations_status_check CHECK (status IN ('CONNECTED', 'ERROR', 'DISCONNECTED', 'OFF', 'UNTESTED')), ADD CONSTRAINT integrations_enabled_check CHECK (enabled = (status <> 'OFF')), ADD CONSTRAINT integrations_clock_check CHECK (enabled OR next_check_at IS NULL), ADD CONSTRAINT integrations_removed_check CHECK (removed_at IS NULL OR NOT enabled);
CREATE INDEX integrations_to_check ON integrations (next_check_at) WHERE next_check_at IS NOT NULL;
ALTER TABLE integration_secrets DROP CONSTRAINT integration_secrets_organization_id_fkey, DROP CONSTRAINT integration_secrets_integration_id_fkey, ADD CONSTRAINT integration_secrets_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT integration_secrets_integration_id FOREIGN KEY (organization_id, integration_id, provider) REFERENCES integrations (organization_id, id, provider), ADD CONSTRAINT integration_secrets_tenant UNIQUE (organization_id, id), ADD CONSTRAINT integration_secrets_once UNIQUE (integration_id, field), ADD CONSTRAINT integration_secrets_sealed_check CHECK ((sealed IS NULL) = (destroyed_at IS NOT NULL)), ADD CONSTRAINT integration_secrets_last_four_check CHECK (last_four IS NULL OR sealed IS NOT NULL);
CREATE INDEX integration_secrets_of_provider ON integration_secrets (provider);
ALTER TABLE secret_openings ADD COLUMN secret_id uuid, ADD CONSTRAINT secret_openings_secret_id FOREIGN KEY (organization_id, secret_id) REFERENCES integration_secrets (organization_id, id);
CREATE INDEX secret_openings_of_secret ON secret_openings (secret_id, id);
CREATE FUNCTION name_secret() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.secret_id := NEW.row_id; RETURN NEW; END $$;
CREATE TRIGGER secret_named BEFORE INSERT ON secret_openings FOR EACH ROW WHEN (NEW.table_name = 'integration_secrets') EXECUTE FUNCTION name_secret();
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON integrations FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Integration', '', 'checked_at,next_check_at,failing_since,alerted_at,detail');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON integration_secrets FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('IntegrationSecret', 'sealed', '');
CREATE TRIGGER integrations_created AFTER INSERT ON integrations FOR EACH ROW EXECUTE FUNCTION note_change('CREATED');
CREATE TRIGGER integrations_changed AFTER UPDATE ON integrations FOR EACH ROW WHEN ((OLD.enabled, OLD.status, OLD.detail, OLD.settings, OLD.removed_at) IS DISTINCT FROM (NEW.enabled, NEW.status, NEW.detail, NEW.settings, NEW.removed_at)) EXECUTE FUNCTION note_change('CHANGED');

-- Migration: 0027_agenda
CREATE TABLE "resources" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "name" VARCHAR(100) NOT NULL,
    "active" BOOL NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "resources"."created_at" IS 'When it was made';
COMMENT ON COLUMN "resources"."name" IS 'What it is called';
COMMENT ON COLUMN "resources"."active" IS 'Whether it can be used';
COMMENT ON COLUMN "resources"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "resources" IS 'A room, a device: what takes one appointment at a time.';
CREATE TABLE "services" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "name" VARCHAR(200) NOT NULL,
    "description" VARCHAR(2000),
    "duration_minutes" INT NOT NULL,
    "buffer_before_minutes" INT NOT NULL,
    "buffer_after_minutes" INT NOT NULL,
    "slot_step_minutes" INT NOT NULL,
    "capacity" INT NOT NULL,
    "price_cents" INT NOT NULL,
    "deposit_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "vat_rate" INT NOT NULL,
    "online" BOOL NOT NULL,
    "location" VARCHAR(300),
    "min_notice_minutes" INT NOT NULL,
    "max_ahead_days" INT NOT NULL,
    "free_cancel_hours" INT NOT NULL,
    "late_cancel_percent" INT NOT NULL,
    "no_show_percent" INT NOT NULL,
    "active" BOOL NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "services"."created_at" IS 'When it was made';
COMMENT ON COLUMN "services"."name" IS 'Name, as clients read it';
COMMENT ON COLUMN "services"."description" IS 'What one gets';
COMMENT ON COLUMN "services"."duration_minutes" IS 'How long it lasts, in minutes';
COMMENT ON COLUMN "services"."buffer_before_minutes" IS 'Minutes that are kept free before it';
COMMENT ON COLUMN "services"."buffer_after_minutes" IS 'Minutes that are kept free after it';
COMMENT ON COLUMN "services"."slot_step_minutes" IS 'Minutes from one possible beginning to the next, from the beginning of the hours';
COMMENT ON COLUMN "services"."capacity" IS 'How many clients one appointment takes; more than 1 for groups';
COMMENT ON COLUMN "services"."price_cents" IS 'Price TTC of a place, in minor units; 0 for what is free';
COMMENT ON COLUMN "services"."deposit_cents" IS 'What is to be paid to book, TTC, in minor units; 0 for the whole price';
COMMENT ON COLUMN "services"."currency" IS 'Currency of the price';
COMMENT ON COLUMN "services"."vat_rate" IS 'VAT rate in hundredths of a percent: 2000 is 20 %';
COMMENT ON COLUMN "services"."online" IS 'Whether it is held by video, and wants a link';
COMMENT ON COLUMN "services"."location" IS 'Where it is held, where that is no video';
COMMENT ON COLUMN "services"."min_notice_minutes" IS 'How long before it begins it must be booked';
COMMENT ON COLUMN "services"."max_ahead_days" IS 'How many days ahead it can be booked';
COMMENT ON COLUMN "services"."free_cancel_hours" IS 'Until how many hours before it cancelling is free';
COMMENT ON COLUMN "services"."late_cancel_percent" IS 'What cancelling later costs, in hundredths of a percent of the price';
COMMENT ON COLUMN "services"."no_show_percent" IS 'What not coming costs, in hundredths of a percent of the price';
COMMENT ON COLUMN "services"."active" IS 'Whether it can be booked';
COMMENT ON COLUMN "services"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "services" IS 'What clients book: so many minutes of somebody''s time, at a price TTC.';
CREATE TABLE "service_resources" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "resource_id" UUID NOT NULL REFERENCES "resources" ("id") ON DELETE RESTRICT,
    "service_id" UUID NOT NULL REFERENCES "services" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_service_res_service_9552a6" UNIQUE ("service_id", "resource_id")
);
COMMENT ON COLUMN "service_resources"."created_at" IS 'When it was made';
COMMENT ON COLUMN "service_resources"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "service_resources"."resource_id" IS 'What it can be held with';
COMMENT ON COLUMN "service_resources"."service_id" IS 'The service';
COMMENT ON TABLE "service_resources" IS 'One of the resources of which a service needs one.';
CREATE TABLE "staff" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "display_name" VARCHAR(100) NOT NULL,
    "time_zone" VARCHAR(64) NOT NULL,
    "active" BOOL NOT NULL,
    "membership_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "staff"."created_at" IS 'When it was made';
COMMENT ON COLUMN "staff"."display_name" IS 'Name, as clients read it';
COMMENT ON COLUMN "staff"."time_zone" IS 'IANA zone in which their hours are said';
COMMENT ON COLUMN "staff"."active" IS 'Whether they can be booked';
COMMENT ON COLUMN "staff"."membership_id" IS 'The member who this is; null for one who does not sign in';
COMMENT ON COLUMN "staff"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "staff" IS 'Somebody who is booked. Who may book sees them by name.';
CREATE TABLE "appointments" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "starts_at" TIMESTAMPTZ NOT NULL,
    "ends_at" TIMESTAMPTZ NOT NULL,
    "occupied_from" TIMESTAMPTZ NOT NULL,
    "occupied_until" TIMESTAMPTZ NOT NULL,
    "capacity" INT NOT NULL,
    "taken" INT NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "sequence" INT NOT NULL,
    "meet_url" VARCHAR(500),
    "location" VARCHAR(300),
    "series_id" UUID,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "resource_id" UUID REFERENCES "resources" ("id") ON DELETE RESTRICT,
    "service_id" UUID NOT NULL REFERENCES "services" ("id") ON DELETE RESTRICT,
    "staff_id" UUID NOT NULL REFERENCES "staff" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "appointments"."created_at" IS 'When it was made';
COMMENT ON COLUMN "appointments"."starts_at" IS 'When it begins';
COMMENT ON COLUMN "appointments"."ends_at" IS 'When it ends';
COMMENT ON COLUMN "appointments"."occupied_from" IS 'From when on time is kept for it: the buffer before it included';
COMMENT ON COLUMN "appointments"."occupied_until" IS 'Until when: the buffer after it included';
COMMENT ON COLUMN "appointments"."capacity" IS 'How many places it has';
COMMENT ON COLUMN "appointments"."taken" IS 'How many of them are taken';
COMMENT ON COLUMN "appointments"."status" IS 'Whether it is held';
COMMENT ON COLUMN "appointments"."sequence" IS 'How often it was moved or cancelled: SEQUENCE of its calendar file (RFC 5545)';
COMMENT ON COLUMN "appointments"."meet_url" IS 'Where the video is';
COMMENT ON COLUMN "appointments"."location" IS 'Where it is held';
COMMENT ON COLUMN "appointments"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "appointments"."resource_id" IS 'What it is held with';
COMMENT ON COLUMN "appointments"."service_id" IS 'What is held';
COMMENT ON COLUMN "appointments"."staff_id" IS 'Who holds it';
COMMENT ON TABLE "appointments" IS 'One occupation of a person''s time, and of a resource''s.';
CREATE TABLE "bookings" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "attendee_name" VARCHAR(200) NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "hold_expires_at" TIMESTAMPTZ,
    "price_cents" INT NOT NULL,
    "fee_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "client_notes" VARCHAR(2000),
    "notes" TEXT,
    "canceled_at" TIMESTAMPTZ,
    "cancel_reason" VARCHAR(500),
    "appointment_id" UUID NOT NULL REFERENCES "appointments" ("id") ON DELETE RESTRICT,
    "canceled_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "order_id" UUID REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "bookings"."created_at" IS 'When it was made';
COMMENT ON COLUMN "bookings"."attendee_name" IS 'What the client was called when it was booked';
COMMENT ON COLUMN "bookings"."status" IS 'Where it stands';
COMMENT ON COLUMN "bookings"."hold_expires_at" IS 'Until when the place is held without being paid; null once it is confirmed';
COMMENT ON COLUMN "bookings"."price_cents" IS 'Price TTC that was agreed, in minor units';
COMMENT ON COLUMN "bookings"."fee_cents" IS 'What cancelling it late or not coming costs, TTC, in minor units';
COMMENT ON COLUMN "bookings"."currency" IS 'Currency of the price';
COMMENT ON COLUMN "bookings"."client_notes" IS 'What the client wrote with it';
COMMENT ON COLUMN "bookings"."notes" IS 'What was noted of it, for those who run the shop';
COMMENT ON COLUMN "bookings"."canceled_at" IS 'When it was cancelled';
COMMENT ON COLUMN "bookings"."cancel_reason" IS 'Why it was cancelled';
COMMENT ON COLUMN "bookings"."appointment_id" IS 'What is booked';
COMMENT ON COLUMN "bookings"."canceled_by_id" IS 'The member who cancelled it; null for a server or a clock';
COMMENT ON COLUMN "bookings"."client_id" IS 'Who comes';
COMMENT ON COLUMN "bookings"."order_id" IS 'The order by which it is paid';
COMMENT ON COLUMN "bookings"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "bookings" IS 'A client''s place in an appointment.';
CREATE TABLE "busy_blocks" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "starts_at" TIMESTAMPTZ NOT NULL,
    "ends_at" TIMESTAMPTZ NOT NULL,
    "source" VARCHAR(20) NOT NULL,
    "calendar_id" UUID,
    "external_id" VARCHAR(1024),
    "title" VARCHAR(500),
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "staff_id" UUID NOT NULL REFERENCES "staff" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "busy_blocks"."created_at" IS 'When it was made';
COMMENT ON COLUMN "busy_blocks"."starts_at" IS 'From when on';
COMMENT ON COLUMN "busy_blocks"."ends_at" IS 'Until when';
COMMENT ON COLUMN "busy_blocks"."source" IS 'Where it is known from';
COMMENT ON COLUMN "busy_blocks"."external_id" IS 'The event''s id in that calendar';
COMMENT ON COLUMN "busy_blocks"."title" IS 'What it is, for oneself and those who run the shop';
COMMENT ON COLUMN "busy_blocks"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "busy_blocks"."staff_id" IS 'Who is busy';
COMMENT ON TABLE "busy_blocks" IS 'Time that somebody is not free for a reason that is no booking.';
CREATE TABLE "hours_exceptions" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "starts_on" DATE NOT NULL,
    "ends_on" DATE NOT NULL,
    "starts_minute" INT,
    "ends_minute" INT,
    "reason" VARCHAR(200),
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "staff_id" UUID REFERENCES "staff" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "hours_exceptions"."created_at" IS 'When it was made';
COMMENT ON COLUMN "hours_exceptions"."starts_on" IS 'The first day, by the person''s own calendar';
COMMENT ON COLUMN "hours_exceptions"."ends_on" IS 'The last day';
COMMENT ON COLUMN "hours_exceptions"."starts_minute" IS 'When they begin instead, in minutes after midnight; null where they do not work';
COMMENT ON COLUMN "hours_exceptions"."ends_minute" IS 'When they end instead, in minutes after midnight; null where they do not work';
COMMENT ON COLUMN "hours_exceptions"."reason" IS 'Why; clients do not read it';
COMMENT ON COLUMN "hours_exceptions"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "hours_exceptions"."staff_id" IS 'Whose days; null for everybody''s';
COMMENT ON TABLE "hours_exceptions" IS 'Days on which a person, or everybody, does not work, or works other hours.';
CREATE TABLE "service_staff" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "service_id" UUID NOT NULL REFERENCES "services" ("id") ON DELETE RESTRICT,
    "staff_id" UUID NOT NULL REFERENCES "staff" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_service_sta_service_1d2d70" UNIQUE ("service_id", "staff_id")
);
COMMENT ON COLUMN "service_staff"."created_at" IS 'When it was made';
COMMENT ON COLUMN "service_staff"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "service_staff"."service_id" IS 'The service';
COMMENT ON COLUMN "service_staff"."staff_id" IS 'Who gives it';
COMMENT ON TABLE "service_staff" IS 'Somebody who gives a service.';
CREATE TABLE "weekly_hours" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "iso_weekday" INT NOT NULL,
    "starts_minute" INT NOT NULL,
    "ends_minute" INT NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "staff_id" UUID NOT NULL REFERENCES "staff" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "weekly_hours"."created_at" IS 'When it was made';
COMMENT ON COLUMN "weekly_hours"."iso_weekday" IS 'Day of the week: 1 is Monday, 7 Sunday (ISO 8601)';
COMMENT ON COLUMN "weekly_hours"."starts_minute" IS 'When they begin, in minutes after midnight by the wall clock';
COMMENT ON COLUMN "weekly_hours"."ends_minute" IS 'When they end, in minutes after midnight; 1440 is the day''s end';
COMMENT ON COLUMN "weekly_hours"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "weekly_hours"."staff_id" IS 'Who works then';
COMMENT ON TABLE "weekly_hours" IS 'Hours that somebody works each week, on one day of it; a day may have several.';
ALTER TABLE "organizations" ADD COLUMN "public_holidays_off" BOOL NOT NULL;
ALTER TABLE services DROP CONSTRAINT services_organization_id_fkey, ADD CONSTRAINT services_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT services_tenant UNIQUE (organization_id, id);
ALTER TABLE staff DROP CONSTRAINT staff_organization_id_fkey, ADD CONSTRAINT staff_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT staff_tenant UNIQUE (organization_id, id);
ALTER TABLE service_staff DROP CONSTRAINT service_staff_organization_id_fkey, ADD CONSTRAINT service_staff_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT service_staff_tenant UNIQUE (organization_id, id);
ALTER TABLE weekly_hours DROP CONSTRAINT weekly_hours_organization_id_fkey, ADD CONSTRAINT weekly_hours_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT weekly_hours_tenant UNIQUE (organization_id, id);
ALTER TABLE hours_exceptions DROP CONSTRAINT hours_exceptions_organization_id_fkey, ADD CONSTRAINT hours_exceptions_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT hours_exceptions_tenant UNIQUE (organization_id, id);
ALTER TABLE resources DROP CONSTRAINT resources_organization_id_fkey, ADD CONSTRAINT resources_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT resources_tenant UNIQUE (organization_id, id);
ALTER TABLE service_resources DROP CONSTRAINT service_resources_organization_id_fkey, ADD CONSTRAINT service_resources_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT service_resources_tenant UNIQUE (organization_id, id);
ALTER TABLE busy_blocks DROP CONSTRAINT busy_blocks_organization_id_fkey, ADD CONSTRAINT busy_blocks_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT busy_blocks_tenant UNIQUE (organization_id, id);
ALTER TABLE appointments DROP CONSTRAINT appointments_organization_id_fkey, ADD CONSTRAINT appointments_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT appointments_tenant UNIQUE (organization_id, id);
ALTER TABLE bookings DROP CONSTRAINT bookings_organization_id_fkey, ADD CONSTRAINT bookings_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT bookings_tenant UNIQUE (organization_id, id);
ALTER TABLE staff DROP CONSTRAINT staff_membership_id_fkey, ADD CONSTRAINT staff_membership_id FOREIGN KEY (organization_id, membership_id) REFERENCES memberships (organization_id, id);
ALTER TABLE service_staff DROP CONSTRAINT service_staff_service_id_fkey, ADD CONSTRAINT service_staff_service_id FOREIGN KEY (organization_id, service_id) REFERENCES services (organization_id, id);
ALTER TABLE service_staff DROP CONSTRAINT service_staff_staff_id_fkey, ADD CONSTRAINT service_staff_staff_id FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id);
ALTER TABLE weekly_hours DROP CONSTRAINT weekly_hours_staff_id_fkey, ADD CONSTRAINT weekly_hours_staff_id FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id);
ALTER TABLE hours_exceptions DROP CONSTRAINT hours_exceptions_staff_id_fkey, ADD CONSTRAINT hours_exceptions_staff_id FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id);
ALTER TABLE service_resources DROP CONSTRAINT service_resources_service_id_fkey, ADD CONSTRAINT service_resources_service_id FOREIGN KEY (organization_id, service_id) REFERENCES services (organization_id, id);
ALTER TABLE service_resources DROP CONSTRAINT service_resources_resource_id_fkey, ADD CONSTRAINT service_resources_resource_id FOREIGN KEY (organization_id, resource_id) REFERENCES resources (organization_id, id);
ALTER TABLE busy_blocks DROP CONSTRAINT busy_blocks_staff_id_fkey, ADD CONSTRAINT busy_blocks_staff_id FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id);
ALTER TABLE appointments DROP CONSTRAINT appointments_service_id_fkey, ADD CONSTRAINT appointments_service_id FOREIGN KEY (organization_id, service_id) REFERENCES services (organization_id, id);
ALTER TABLE appointments DROP CONSTRAINT appointments_staff_id_fkey, ADD CONSTRAINT appointments_staff_id FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id);
ALTER TABLE appointments DROP CONSTRAINT appointments_resource_id_fkey, ADD CONSTRAINT appointments_resource_id FOREIGN KEY (organization_id, resource_id) REFERENCES resources (organization_id, id);
ALTER TABLE bookings DROP CONSTRAINT bookings_appointment_id_fkey, ADD CONSTRAINT bookings_appointment_id FOREIGN KEY (organization_id, appointment_id) REFERENCES appointments (organization_id, id);
ALTER TABLE bookings DROP CONSTRAINT bookings_client_id_fkey, ADD CONSTRAINT bookings_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE bookings DROP CONSTRAINT bookings_order_id_fkey, ADD CONSTRAINT bookings_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
ALTER TABLE bookings DROP CONSTRAINT bookings_canceled_by_id_fkey, ADD CONSTRAINT bookings_canceled_by_id FOREIGN KEY (organization_id, canceled_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE services ADD CONSTRAINT services_duration_check CHECK (duration_minutes BETWEEN 1 AND 1440);
ALTER TABLE services ADD CONSTRAINT services_buffers_check CHECK (buffer_before_minutes BETWEEN 0 AND 1440 AND buffer_after_minutes BETWEEN 0 AND 1440);
ALTER TABLE services ADD CONSTRAINT services_slot_step_check CHECK (slot_step_minutes BETWEEN 5 AND 1440);
ALTER TABLE services ADD CONSTRAINT services_capacity_check CHECK (capacity BETWEEN 1 AND 1000);
ALTER TABLE services ADD CONSTRAINT services_price_check CHECK (price_cents BETWEEN 0 AND 99999999 AND deposit_cents BETWEEN 0 AND price_cents);
ALTER TABLE services ADD CONSTRAINT services_currency_check CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE services ADD CONSTRAINT services_vat_rate_check CHECK (vat_rate BETWEEN 0 AND 10000);
ALTER TABLE services ADD CONSTRAINT services_ahead_check CHECK (min_notice_minutes BETWEEN 0 AND 525600 AND max_ahead_days BETWEEN 1 AND 730);
ALTER TABLE services ADD CONSTRAINT services_cancelling_check CHECK (free_cancel_hours BETWEEN 0 AND 8760 AND late_cancel_percent BETWEEN 0 AND 10000 AND no_show_percent BETWEEN 0 AND 10000);
ALTER TABLE weekly_hours ADD CONSTRAINT weekly_hours_weekday_check CHECK (iso_weekday BETWEEN 1 AND 7);
ALTER TABLE weekly_hours ADD CONSTRAINT weekly_hours_minutes_check CHECK (starts_minute >= 0 AND starts_minute < ends_minute AND ends_minute <= 1440);
ALTER TABLE hours_exceptions ADD CONSTRAINT hours_exceptions_days_check CHECK (starts_on <= ends_on);
ALTER TABLE hours_exceptions ADD CONSTRAINT hours_exceptions_minutes_check CHECK (num_nonnulls(starts_minute, ends_minute) IN (0, 2) AND (starts_minute >= 0 AND starts_minute < ends_minute AND ends_minute <= 1440));
ALTER TABLE busy_blocks ADD CONSTRAINT busy_blocks_times_check CHECK (starts_at < ends_at);
ALTER TABLE busy_blocks ADD CONSTRAINT busy_blocks_source_check CHECK (source IN ('MANUAL', 'GOOGLE'));
ALTER TABLE busy_blocks ADD CONSTRAINT busy_blocks_event_check CHECK (num_nonnulls(calendar_id, external_id) IN (0, 2) AND (source <> 'MANUAL' OR calendar_id IS NULL));
ALTER TABLE appointments ADD CONSTRAINT appointments_times_check CHECK (occupied_from <= starts_at AND starts_at < ends_at AND ends_at <= occupied_until);
ALTER TABLE appointments ADD CONSTRAINT appointments_taken_check CHECK (capacity > 0 AND taken BETWEEN 0 AND capacity);
ALTER TABLE appointments ADD CONSTRAINT appointments_status_check CHECK (status IN ('ACTIVE', 'CANCELED'));
ALTER TABLE appointments ADD CONSTRAINT appointments_sequence_check CHECK (sequence >= 0);
ALTER TABLE bookings ADD CONSTRAINT bookings_status_check CHECK (status IN ('PENDING', 'CONFIRMED', 'CANCELED', 'COMPLETED', 'NO_SHOW'));
ALTER TABLE bookings ADD CONSTRAINT bookings_price_check CHECK (price_cents BETWEEN 0 AND 99999999 AND fee_cents BETWEEN 0 AND price_cents);
ALTER TABLE bookings ADD CONSTRAINT bookings_currency_check CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE bookings ADD CONSTRAINT bookings_canceled_check CHECK ((canceled_at IS NOT NULL) = (status = 'CANCELED'));
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE appointments ADD CONSTRAINT appointments_staff EXCLUDE USING gist (staff_id WITH =, tstzrange(occupied_from, occupied_until) WITH &&) WHERE (status = 'ACTIVE');
ALTER TABLE appointments ADD CONSTRAINT appointments_resource EXCLUDE USING gist (resource_id WITH =, tstzrange(occupied_from, occupied_until) WITH &&) WHERE (status = 'ACTIVE' AND resource_id IS NOT NULL);
ALTER TABLE weekly_hours ADD CONSTRAINT weekly_hours_apart EXCLUDE USING gist (staff_id WITH =, iso_weekday WITH =, int4range(starts_minute, ends_minute) WITH &&);
CREATE UNIQUE INDEX staff_membership_id_index ON staff (membership_id, organization_id);
CREATE INDEX service_staff_staff_id_index ON service_staff (staff_id);
CREATE INDEX weekly_hours_staff_id_index ON weekly_hours (staff_id);
CREATE INDEX hours_exceptions_staff_id_index ON hours_exceptions (staff_id);
CREATE INDEX hours_exceptions_starts_on_page ON hours_exceptions (organization_id, starts_on, id);
CREATE INDEX service_resources_resource_id_index ON service_resources (resource_id);
CREATE INDEX busy_blocks_staff_id_index ON busy_blocks (staff_id, ends_at);
CREATE INDEX busy_blocks_starts_at_page ON busy_blocks (organization_id, starts_at, id);
CREATE UNIQUE INDEX busy_blocks_event ON busy_blocks (calendar_id, external_id);
CREATE INDEX appointments_service_id_index ON appointments (service_id, id);
CREATE INDEX appointments_staff_id_index ON appointments (staff_id, occupied_until);
CREATE INDEX appointments_resource_id_index ON appointments (resource_id, occupied_until);
CREATE INDEX appointments_starts_at_page ON appointments (organization_id, starts_at, id);
CREATE INDEX appointments_series_id_index ON appointments (series_id);
CREATE UNIQUE INDEX bookings_once ON bookings (appointment_id, client_id) WHERE status <> 'CANCELED';
CREATE INDEX bookings_appointment_id_page ON bookings (appointment_id, id);
CREATE INDEX bookings_client_id_page ON bookings (client_id, id);
CREATE INDEX bookings_order_id_index ON bookings (order_id);
CREATE INDEX bookings_canceled_by_id_index ON bookings (canceled_by_id);
CREATE INDEX bookings_held ON bookings (hold_expires_at) WHERE status = 'PENDING';
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON services FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Service', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON staff FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Staff', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON service_staff FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('ServiceStaff', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON weekly_hours FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('WeeklyHours', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON hours_exceptions FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('HoursException', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON resources FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Resource', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON service_resources FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('ServiceResource', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON busy_blocks FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('BusyBlock', '', 'title');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON appointments FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Appointment', '', 'taken');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON bookings FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Booking', '', '');

-- Migration: 0028_key_generations
CREATE TABLE "key_generations" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "key_id" VARCHAR(20) NOT NULL UNIQUE,
    "check_value" VARCHAR(32),
    "sealing_since" TIMESTAMPTZ
);
COMMENT ON COLUMN "key_generations"."created_at" IS 'When it was made';
COMMENT ON COLUMN "key_generations"."key_id" IS 'Its id, as envelopes name it';
COMMENT ON COLUMN "key_generations"."check_value" IS 'Tells the key from another; null for one from before there were such, not yet seen';
COMMENT ON COLUMN "key_generations"."sealing_since" IS 'When it became the one that seals';
COMMENT ON TABLE "key_generations" IS 'A master key that this installation was started with. The key itself is nowhere in the database.';
ALTER TABLE secret_openings ADD COLUMN opened boolean NOT NULL DEFAULT true;
ALTER TABLE key_generations ADD CONSTRAINT key_generations_check_value_check CHECK (check_value ~ '^[0-9a-f]{32}$');
INSERT INTO key_generations (id, created_at, key_id) SELECT gen_random_uuid(), now(), key_id FROM (SELECT split_part(answer, '.', 2) AS key_id FROM idempotency_keys UNION SELECT split_part(sealed, '.', 2) AS key_id FROM integration_secrets UNION SELECT split_part(api_key, '.', 2) AS key_id FROM partners UNION SELECT split_part(previous_secret, '.', 2) AS key_id FROM partners UNION SELECT split_part(signing_secret, '.', 2) AS key_id FROM partners UNION SELECT split_part(totp_secret, '.', 2) AS key_id FROM users) AS used WHERE key_id <> '';

-- Migration: 0029_stripe_accounts
CREATE TABLE "stripe_accounts" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "account" VARCHAR(255) NOT NULL,
    "live" BOOL NOT NULL,
    "name" VARCHAR(200),
    "current" BOOL NOT NULL,
    "secret_key" TEXT,
    "publishable_key" VARCHAR(255),
    "webhook_secrets" TEXT,
    "endpoint_id" VARCHAR(255),
    "version" INT NOT NULL,
    "refused_at" TIMESTAMPTZ,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_stripe_acco_account_2f12d0" UNIQUE ("account", "live")
);
COMMENT ON COLUMN "stripe_accounts"."created_at" IS 'When it was made';
COMMENT ON COLUMN "stripe_accounts"."account" IS 'Stripe''s id of the account: `acct_…`';
COMMENT ON COLUMN "stripe_accounts"."live" IS 'Whether its keys move real money';
COMMENT ON COLUMN "stripe_accounts"."name" IS 'What the account is called at Stripe';
COMMENT ON COLUMN "stripe_accounts"."current" IS 'Whether new sales are paid there';
COMMENT ON COLUMN "stripe_accounts"."secret_key" IS 'Secret or restricted key, sealed';
COMMENT ON COLUMN "stripe_accounts"."publishable_key" IS '`pk_…`, for front ends with their own payment form';
COMMENT ON COLUMN "stripe_accounts"."webhook_secrets" IS 'What signs its events, sealed: the newest first, two at most, comma-separated';
COMMENT ON COLUMN "stripe_accounts"."endpoint_id" IS 'The webhook endpoint that we made there';
COMMENT ON COLUMN "stripe_accounts"."version" IS 'Goes up with each change of a key';
COMMENT ON COLUMN "stripe_accounts"."refused_at" IS 'When Stripe refused its key last; null since it took it';
COMMENT ON COLUMN "stripe_accounts"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "stripe_accounts" IS 'An account and mode of Stripe''s that an organization connected.';
ALTER TABLE stripe_accounts DROP CONSTRAINT stripe_accounts_organization_id_fkey, ADD CONSTRAINT stripe_accounts_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT stripe_accounts_tenant UNIQUE (organization_id, id), ADD CONSTRAINT stripe_accounts_account_check CHECK (account ~ '^acct_[A-Za-z0-9_]+$'), ADD CONSTRAINT stripe_accounts_current_check CHECK (secret_key IS NOT NULL OR NOT current);
CREATE UNIQUE INDEX stripe_accounts_current ON stripe_accounts (organization_id) WHERE current;
CREATE INDEX attempts_twins ON attempts (stripe_account, live, stripe_id) WHERE operation IN ('CREATE_CUSTOMER', 'CREATE_PRODUCT');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON stripe_accounts FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('StripeAccount', 'secret_key,webhook_secrets', 'version,refused_at');

-- Migration: 0030_consents
CREATE TABLE "oauth_grants" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "provider" VARCHAR(50) NOT NULL,
    "scopes" TEXT NOT NULL,
    "access_token" TEXT,
    "refresh_token" TEXT,
    "expires_at" TIMESTAMPTZ,
    "status" VARCHAR(20) NOT NULL,
    "reason" VARCHAR(500),
    "connected_at" TIMESTAMPTZ NOT NULL,
    "refreshed_at" TIMESTAMPTZ,
    "leased_until" TIMESTAMPTZ,
    "leased_by" UUID,
    "membership_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "oauth_grants"."created_at" IS 'When it was made';
COMMENT ON COLUMN "oauth_grants"."provider" IS 'The provider''s key in the catalogue';
COMMENT ON COLUMN "oauth_grants"."scopes" IS 'What was allowed, in the provider''s words, one a line';
COMMENT ON COLUMN "oauth_grants"."access_token" IS 'Good for a while, sealed';
COMMENT ON COLUMN "oauth_grants"."refresh_token" IS 'For the next one, sealed; null where there is none';
COMMENT ON COLUMN "oauth_grants"."expires_at" IS 'Until when the access token is good; null: no end is known';
COMMENT ON COLUMN "oauth_grants"."status" IS 'Whether it holds';
COMMENT ON COLUMN "oauth_grants"."reason" IS 'What the other side said where it does not';
COMMENT ON COLUMN "oauth_grants"."connected_at" IS 'When it was given last';
COMMENT ON COLUMN "oauth_grants"."refreshed_at" IS 'When its access token was last refreshed';
COMMENT ON COLUMN "oauth_grants"."leased_until" IS 'Until when one caller refreshes it, or nobody shall';
COMMENT ON COLUMN "oauth_grants"."leased_by" IS 'Which one; null while it rests after a failure';
COMMENT ON COLUMN "oauth_grants"."membership_id" IS 'Whose it is; null: the organization''s';
COMMENT ON COLUMN "oauth_grants"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "oauth_grants" IS 'A person''s consent, or the organization''s, at one provider; the same row when it is given again.';
CREATE TABLE "oauth_requests" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "provider" VARCHAR(50) NOT NULL,
    "for_organization" BOOL NOT NULL,
    "session_id" UUID NOT NULL,
    "state_hash" VARCHAR(64) NOT NULL UNIQUE,
    "code_verifier" TEXT NOT NULL,
    "redirect_uri" VARCHAR(2048) NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "used_at" TIMESTAMPTZ,
    "membership_id" UUID NOT NULL REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "oauth_requests"."created_at" IS 'When it was made';
COMMENT ON COLUMN "oauth_requests"."provider" IS 'The provider''s key in the catalogue';
COMMENT ON COLUMN "oauth_requests"."for_organization" IS 'Whether the consent is to be the organization''s';
COMMENT ON COLUMN "oauth_requests"."session_id" IS 'The session that asked';
COMMENT ON COLUMN "oauth_requests"."state_hash" IS 'SHA-256 of the state, hexadecimal';
COMMENT ON COLUMN "oauth_requests"."code_verifier" IS 'PKCE''s (RFC 7636), sealed';
COMMENT ON COLUMN "oauth_requests"."redirect_uri" IS 'Where the provider sends them back to';
COMMENT ON COLUMN "oauth_requests"."expires_at" IS 'Until when it is good';
COMMENT ON COLUMN "oauth_requests"."used_at" IS 'When somebody came back with it';
COMMENT ON COLUMN "oauth_requests"."membership_id" IS 'Who asked';
COMMENT ON COLUMN "oauth_requests"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "oauth_requests" IS 'A consent that somebody was sent to give: good once, in the session that asked.';
ALTER TABLE oauth_grants DROP CONSTRAINT oauth_grants_organization_id_fkey, DROP CONSTRAINT oauth_grants_membership_id_fkey, ADD CONSTRAINT oauth_grants_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT oauth_grants_membership_id FOREIGN KEY (organization_id, membership_id) REFERENCES memberships (organization_id, id), ADD CONSTRAINT oauth_grants_tenant UNIQUE (organization_id, id);
ALTER TABLE oauth_requests DROP CONSTRAINT oauth_requests_organization_id_fkey, DROP CONSTRAINT oauth_requests_membership_id_fkey, ADD CONSTRAINT oauth_requests_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT oauth_requests_membership_id FOREIGN KEY (organization_id, membership_id) REFERENCES memberships (organization_id, id), ADD CONSTRAINT oauth_requests_tenant UNIQUE (organization_id, id);
CREATE INDEX oauth_grants_membership_id_index ON oauth_grants (membership_id);
CREATE INDEX oauth_requests_membership_id_index ON oauth_requests (membership_id);
CREATE INDEX oauth_requests_created_at_index ON oauth_requests (created_at);
ALTER TABLE oauth_grants ADD CONSTRAINT oauth_grants_of_member UNIQUE (organization_id, provider, membership_id), ADD CONSTRAINT oauth_grants_status_check CHECK (status IN ('CONNECTED', 'DISCONNECTED', 'REVOKED')), ADD CONSTRAINT oauth_grants_connected_check CHECK (status <> 'CONNECTED' OR access_token IS NOT NULL), ADD CONSTRAINT oauth_grants_disconnected_check CHECK (status <> 'DISCONNECTED' OR num_nonnulls(access_token, refresh_token, expires_at) = 0), ADD CONSTRAINT oauth_grants_lease_check CHECK (leased_by IS NULL OR leased_until IS NOT NULL);
CREATE UNIQUE INDEX oauth_grants_of_organization ON oauth_grants (organization_id, provider) WHERE membership_id IS NULL;
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON oauth_grants FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('OAuthGrant', 'access_token,refresh_token', 'expires_at,refreshed_at,leased_until,leased_by,reason');

-- Migration: 0031_providers_on
ALTER TABLE organizations ADD COLUMN providers_on text NOT NULL DEFAULT '';
DROP TRIGGER audited ON organizations;
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON organizations FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Organization', '', 'last_order_number,providers_on');
CREATE FUNCTION note_providers_on() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM FROM organizations WHERE id = NEW.organization_id FOR NO KEY UPDATE;
        UPDATE organizations SET providers_on = coalesce((
            SELECT string_agg(provider, E'\n' ORDER BY provider) FROM integrations
            WHERE organization_id = NEW.organization_id AND enabled
        ), '') WHERE id = NEW.organization_id;
        RETURN NULL;
    END $$;
CREATE TRIGGER integrations_inserted AFTER INSERT ON integrations FOR EACH ROW WHEN (NEW.enabled) EXECUTE FUNCTION note_providers_on();
CREATE TRIGGER integrations_switched AFTER UPDATE ON integrations FOR EACH ROW WHEN (OLD.enabled <> NEW.enabled) EXECUTE FUNCTION note_providers_on();

-- Migration: 0032_bookings
ALTER TABLE "services" ADD COLUMN "product_id" UUID REFERENCES "products" ("id") ON DELETE RESTRICT;
ALTER TABLE conflicts DROP CONSTRAINT conflicts_kind_check, ADD CONSTRAINT conflicts_kind_check CHECK (kind IN ('AMOUNT_MISMATCH', 'DUPLICATE_PAYMENT', 'OVERPAID', 'CANCELED_ORDER_PAID', 'REACTION_FAILED', 'UNKNOWN_SALE', 'REFUND_FAILED', 'INVOICE_INCOMPLETE', 'DISPUTE_LOST', 'SLOT_LOST', 'REFUND_DUE'));
ALTER TABLE orders DROP CONSTRAINT orders_kind_check, ADD CONSTRAINT orders_kind_check CHECK (kind IN ('PRODUCTS', 'SUBSCRIPTION', 'BOOKING'));
ALTER TABLE services DROP CONSTRAINT services_product_id_fkey, ADD CONSTRAINT services_product_id FOREIGN KEY (organization_id, product_id) REFERENCES products (organization_id, id);
CREATE INDEX services_product_id_index ON services (product_id);
ALTER TABLE bookings DROP CONSTRAINT bookings_status_check, ADD CONSTRAINT bookings_status_check CHECK (status IN ('PENDING', 'CONFIRMED', 'EXPIRED', 'CANCELED', 'COMPLETED', 'NO_SHOW')), ADD CONSTRAINT bookings_hold_check CHECK (hold_expires_at IS NULL OR status = 'PENDING'), ADD CONSTRAINT bookings_fee_check CHECK (fee_cents = 0 OR status IN ('CANCELED', 'NO_SHOW'));
DROP INDEX bookings_once;
CREATE UNIQUE INDEX bookings_once ON bookings (appointment_id, client_id) WHERE status NOT IN ('CANCELED', 'EXPIRED');
CREATE TRIGGER appointments_created AFTER INSERT ON appointments FOR EACH ROW EXECUTE FUNCTION note_change('CREATED');
CREATE TRIGGER bookings_created AFTER INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION note_change('CREATED');
CREATE TRIGGER appointments_canceled AFTER UPDATE ON appointments FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status = 'CANCELED') EXECUTE FUNCTION note_change('CANCELED');
CREATE TRIGGER appointments_changed AFTER UPDATE ON appointments FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW AND (OLD.status = NEW.status OR NEW.status = 'ACTIVE')) EXECUTE FUNCTION note_change('CHANGED');
CREATE TRIGGER bookings_canceled AFTER UPDATE ON bookings FOR EACH ROW WHEN (OLD.status <> NEW.status AND NEW.status = 'CANCELED') EXECUTE FUNCTION note_change('CANCELED');
CREATE TRIGGER bookings_changed AFTER UPDATE ON bookings FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW AND (OLD.status = NEW.status OR NEW.status <> 'CANCELED')) EXECUTE FUNCTION note_change('CHANGED');

-- Migration: 0033_calendars
CREATE TABLE "calendars" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "provider" VARCHAR(50) NOT NULL,
    "grant_id" UUID,
    "remote_id" VARCHAR(1024) NOT NULL,
    "name" VARCHAR(300) NOT NULL,
    "time_zone" VARCHAR(64) NOT NULL,
    "outgoing" BOOL NOT NULL,
    "incoming" BOOL NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "status_reason" VARCHAR(500),
    "synced_at" TIMESTAMPTZ,
    "next_poll_at" TIMESTAMPTZ,
    "told_at" TIMESTAMPTZ,
    "failures" INT NOT NULL,
    "lease_until" TIMESTAMPTZ,
    "lease_id" UUID,
    "sync_token" TEXT,
    "page_token" TEXT,
    "full_sync_id" UUID,
    "window_from" TIMESTAMPTZ,
    "window_until" TIMESTAMPTZ,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "staff_id" UUID NOT NULL REFERENCES "staff" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "calendars"."created_at" IS 'When it was made';
COMMENT ON COLUMN "calendars"."provider" IS 'Key of the provider: `google_calendar`';
COMMENT ON COLUMN "calendars"."remote_id" IS 'The calendar''s id at the provider';
COMMENT ON COLUMN "calendars"."name" IS 'What it is called there';
COMMENT ON COLUMN "calendars"."time_zone" IS 'IANA zone in which its all-day events are days';
COMMENT ON COLUMN "calendars"."outgoing" IS 'Whether the person''s appointments are put into it: one at most';
COMMENT ON COLUMN "calendars"."incoming" IS 'Whether its events make the person busy';
COMMENT ON COLUMN "calendars"."status" IS 'Whether it is kept in step';
COMMENT ON COLUMN "calendars"."status_reason" IS 'Why it is not';
COMMENT ON COLUMN "calendars"."synced_at" IS 'When it was read to the end last';
COMMENT ON COLUMN "calendars"."next_poll_at" IS 'When it is asked next; null where it is disconnected';
COMMENT ON COLUMN "calendars"."told_at" IS 'When those whom it concerns were told that it is disconnected';
COMMENT ON COLUMN "calendars"."failures" IS 'How often in a row it could not be read';
COMMENT ON COLUMN "calendars"."lease_until" IS 'Until when a worker is at it';
COMMENT ON COLUMN "calendars"."lease_id" IS 'Which one';
COMMENT ON COLUMN "calendars"."sync_token" IS 'The provider''s word for what is read already';
COMMENT ON COLUMN "calendars"."page_token" IS 'The provider''s word for the page that comes next';
COMMENT ON COLUMN "calendars"."full_sync_id" IS 'The reading of all events that is under way';
COMMENT ON COLUMN "calendars"."window_from" IS 'From when on events are read';
COMMENT ON COLUMN "calendars"."window_until" IS 'Until when';
COMMENT ON COLUMN "calendars"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "calendars"."staff_id" IS 'Whose it is';
COMMENT ON TABLE "calendars" IS 'A calendar of somebody who is booked, at a provider. They may have several.';
CREATE TABLE "calendar_conflicts" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "kind" VARCHAR(20) NOT NULL,
    "external_id" VARCHAR(1024) NOT NULL,
    "title" VARCHAR(500),
    "starts_at" TIMESTAMPTZ,
    "ends_at" TIMESTAMPTZ,
    "sequence" INT NOT NULL,
    "message" VARCHAR(500) NOT NULL,
    "resolved_at" TIMESTAMPTZ,
    "resolution" VARCHAR(20),
    "appointment_id" UUID NOT NULL REFERENCES "appointments" ("id") ON DELETE RESTRICT,
    "calendar_id" UUID NOT NULL REFERENCES "calendars" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "resolved_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "staff_id" UUID NOT NULL REFERENCES "staff" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "calendar_conflicts"."created_at" IS 'When it was made';
COMMENT ON COLUMN "calendar_conflicts"."kind" IS 'What does not fit';
COMMENT ON COLUMN "calendar_conflicts"."external_id" IS 'The event''s id in the calendar';
COMMENT ON COLUMN "calendar_conflicts"."title" IS 'What the event is called there';
COMMENT ON COLUMN "calendar_conflicts"."starts_at" IS 'When the event begins; null where it was deleted';
COMMENT ON COLUMN "calendar_conflicts"."ends_at" IS 'When it ends';
COMMENT ON COLUMN "calendar_conflicts"."sequence" IS 'The appointment''s when they differed';
COMMENT ON COLUMN "calendar_conflicts"."message" IS 'What does not fit, in words';
COMMENT ON COLUMN "calendar_conflicts"."resolved_at" IS 'When it was settled';
COMMENT ON COLUMN "calendar_conflicts"."resolution" IS 'How';
COMMENT ON COLUMN "calendar_conflicts"."appointment_id" IS 'The appointment';
COMMENT ON COLUMN "calendar_conflicts"."calendar_id" IS 'The calendar';
COMMENT ON COLUMN "calendar_conflicts"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "calendar_conflicts"."resolved_by_id" IS 'By whom; null where it went away by itself';
COMMENT ON COLUMN "calendar_conflicts"."staff_id" IS 'Whose it is';
COMMENT ON TABLE "calendar_conflicts" IS 'Where a calendar and our appointments differ, and a person has to choose.';
CREATE TABLE "calendar_events" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "external_id" VARCHAR(1024) NOT NULL,
    "etag" VARCHAR(255),
    "sequence" INT NOT NULL,
    "periods" JSONB NOT NULL,
    "pushed_hash" VARCHAR(64),
    "removed_at" TIMESTAMPTZ,
    "link" VARCHAR(2048),
    "full_sync_id" UUID,
    "appointment_id" UUID NOT NULL REFERENCES "appointments" ("id") ON DELETE RESTRICT,
    "calendar_id" UUID NOT NULL REFERENCES "calendars" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_calendar_ev_calenda_8edc00" UNIQUE ("calendar_id", "appointment_id")
);
COMMENT ON COLUMN "calendar_events"."created_at" IS 'When it was made';
COMMENT ON COLUMN "calendar_events"."external_id" IS 'The event''s id there, made of the appointment''s';
COMMENT ON COLUMN "calendar_events"."etag" IS 'The version of it that we know; null before it was pushed';
COMMENT ON COLUMN "calendar_events"."sequence" IS 'The appointment''s when it was pushed last';
COMMENT ON COLUMN "calendar_events"."periods" IS 'Beginning and end that were pushed, by the appointment''s sequence then';
COMMENT ON COLUMN "calendar_events"."pushed_hash" IS 'SHA-256 of what was pushed, once it stands there';
COMMENT ON COLUMN "calendar_events"."removed_at" IS 'When it was taken out of there';
COMMENT ON COLUMN "calendar_events"."link" IS 'Where it is shown';
COMMENT ON COLUMN "calendar_events"."full_sync_id" IS 'The reading of all events in which it was met last';
COMMENT ON COLUMN "calendar_events"."appointment_id" IS 'What it shows';
COMMENT ON COLUMN "calendar_events"."calendar_id" IS 'Where it stands';
COMMENT ON COLUMN "calendar_events"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "calendar_events" IS 'An appointment as an event of a calendar. `etag` is of the event as we know it: another one says that it was';
ALTER TABLE calendars DROP CONSTRAINT calendars_organization_id_fkey, ADD CONSTRAINT calendars_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT calendars_tenant UNIQUE (organization_id, id);
ALTER TABLE calendar_events DROP CONSTRAINT calendar_events_organization_id_fkey, ADD CONSTRAINT calendar_events_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT calendar_events_tenant UNIQUE (organization_id, id);
ALTER TABLE calendar_conflicts DROP CONSTRAINT calendar_conflicts_organization_id_fkey, ADD CONSTRAINT calendar_conflicts_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT calendar_conflicts_tenant UNIQUE (organization_id, id);
ALTER TABLE calendars DROP CONSTRAINT calendars_staff_id_fkey, ADD CONSTRAINT calendars_staff_id FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id);
ALTER TABLE calendar_events DROP CONSTRAINT calendar_events_calendar_id_fkey, ADD CONSTRAINT calendar_events_calendar_id FOREIGN KEY (organization_id, calendar_id) REFERENCES calendars (organization_id, id);
ALTER TABLE calendar_events DROP CONSTRAINT calendar_events_appointment_id_fkey, ADD CONSTRAINT calendar_events_appointment_id FOREIGN KEY (organization_id, appointment_id) REFERENCES appointments (organization_id, id);
ALTER TABLE calendar_conflicts DROP CONSTRAINT calendar_conflicts_calendar_id_fkey, ADD CONSTRAINT calendar_conflicts_calendar_id FOREIGN KEY (organization_id, calendar_id) REFERENCES calendars (organization_id, id);
ALTER TABLE calendar_conflicts DROP CONSTRAINT calendar_conflicts_staff_id_fkey, ADD CONSTRAINT calendar_conflicts_staff_id FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id);
ALTER TABLE calendar_conflicts DROP CONSTRAINT calendar_conflicts_appointment_id_fkey, ADD CONSTRAINT calendar_conflicts_appointment_id FOREIGN KEY (organization_id, appointment_id) REFERENCES appointments (organization_id, id);
ALTER TABLE calendar_conflicts DROP CONSTRAINT calendar_conflicts_resolved_by_id_fkey, ADD CONSTRAINT calendar_conflicts_resolved_by_id FOREIGN KEY (organization_id, resolved_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE calendars ADD CONSTRAINT calendars_status_check CHECK (status IN ('CONNECTED', 'ERROR', 'DISCONNECTED'));
ALTER TABLE calendars ADD CONSTRAINT calendars_polled_check CHECK (status <> 'DISCONNECTED' OR next_poll_at IS NULL);
ALTER TABLE calendars ADD CONSTRAINT calendars_lease_check CHECK ((lease_id IS NULL) = (lease_until IS NULL));
ALTER TABLE calendars ADD CONSTRAINT calendars_window_check CHECK (num_nonnulls(window_from, window_until) IN (0, 2) AND window_from < window_until);
ALTER TABLE calendars ADD CONSTRAINT calendars_failures_check CHECK (failures >= 0);
ALTER TABLE calendar_events ADD CONSTRAINT calendar_events_sequence_check CHECK (sequence >= 0);
ALTER TABLE calendar_events ADD CONSTRAINT calendar_events_removed_check CHECK (removed_at IS NULL OR etag IS NULL);
ALTER TABLE calendar_conflicts ADD CONSTRAINT calendar_conflicts_kind_check CHECK (kind IN ('OVERLAP', 'MOVED', 'DELETED'));
ALTER TABLE calendar_conflicts ADD CONSTRAINT calendar_conflicts_resolution_check CHECK ((resolved_at IS NOT NULL) = (resolution IS NOT NULL) AND coalesce(resolution IN ('KEEP_OURS', 'ACCEPT_THEIRS', 'CANCEL', 'OUTDATED'), true));
ALTER TABLE calendar_conflicts ADD CONSTRAINT calendar_conflicts_times_check CHECK (num_nonnulls(starts_at, ends_at) IN (0, 2) AND starts_at < ends_at);
CREATE UNIQUE INDEX calendars_once ON calendars (staff_id, provider, remote_id);
CREATE UNIQUE INDEX calendars_outgoing ON calendars (staff_id) WHERE outgoing AND status <> 'DISCONNECTED';
CREATE INDEX calendars_grant_id_index ON calendars (grant_id);
CREATE INDEX calendars_due ON calendars (next_poll_at) WHERE next_poll_at IS NOT NULL;
CREATE INDEX calendar_events_appointment_id_index ON calendar_events (appointment_id);
CREATE UNIQUE INDEX calendar_events_once ON calendar_events (calendar_id, appointment_id);
CREATE INDEX calendar_events_external_id_index ON calendar_events (organization_id, external_id);
CREATE UNIQUE INDEX calendar_conflicts_open ON calendar_conflicts (calendar_id, appointment_id, external_id) WHERE resolved_at IS NULL;
CREATE INDEX calendar_conflicts_calendar_id_index ON calendar_conflicts (calendar_id);
CREATE INDEX calendar_conflicts_staff_id_index ON calendar_conflicts (staff_id);
CREATE INDEX calendar_conflicts_appointment_id_index ON calendar_conflicts (appointment_id);
CREATE INDEX calendar_conflicts_resolved_by_id_index ON calendar_conflicts (resolved_by_id);
ALTER TABLE calendars ADD CONSTRAINT calendars_grant_id FOREIGN KEY (organization_id, grant_id) REFERENCES oauth_grants (organization_id, id);
ALTER TABLE busy_blocks ADD COLUMN full_sync_id uuid, ADD CONSTRAINT busy_blocks_calendar_id FOREIGN KEY (organization_id, calendar_id) REFERENCES calendars (organization_id, id);
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON calendars FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Calendar', 'sync_token,page_token', 'next_poll_at,lease_until,lease_id,failures,synced_at,full_sync_id,window_from,window_until,told_at');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON calendar_conflicts FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('CalendarConflict', '', 'title');

-- Migration: 0034_notices_and_packs
CREATE TABLE "booking_reminders" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "channel" VARCHAR(20) NOT NULL,
    "minutes_before" INT NOT NULL,
    "starts_at" TIMESTAMPTZ NOT NULL,
    "due_at" TIMESTAMPTZ NOT NULL,
    "sent_at" TIMESTAMPTZ,
    "booking_id" UUID NOT NULL REFERENCES "bookings" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_booking_rem_booking_1ffe0d" UNIQUE ("booking_id", "channel", "minutes_before", "starts_at")
);
COMMENT ON COLUMN "booking_reminders"."created_at" IS 'When it was made';
COMMENT ON COLUMN "booking_reminders"."channel" IS 'How the client is reminded';
COMMENT ON COLUMN "booking_reminders"."minutes_before" IS 'How long before the beginning, in minutes';
COMMENT ON COLUMN "booking_reminders"."starts_at" IS 'The beginning that it reminds of';
COMMENT ON COLUMN "booking_reminders"."due_at" IS 'When it is to go';
COMMENT ON COLUMN "booking_reminders"."sent_at" IS 'When it went; null where it did not, or not yet';
COMMENT ON COLUMN "booking_reminders"."booking_id" IS 'The booking';
COMMENT ON COLUMN "booking_reminders"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "booking_reminders" IS 'A reminder of a booking, so long before it begins. One that was moved is reminded of anew.';
CREATE TABLE "calendar_feeds" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "token_hash" VARCHAR(64) NOT NULL UNIQUE,
    "last_used_at" TIMESTAMPTZ,
    "revoked_at" TIMESTAMPTZ,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "staff_id" UUID NOT NULL REFERENCES "staff" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "calendar_feeds"."created_at" IS 'When it was made';
COMMENT ON COLUMN "calendar_feeds"."token_hash" IS 'SHA-256 of the token, hexadecimal';
COMMENT ON COLUMN "calendar_feeds"."last_used_at" IS 'When it was asked for last, to the hour';
COMMENT ON COLUMN "calendar_feeds"."revoked_at" IS 'When it was withdrawn';
COMMENT ON COLUMN "calendar_feeds"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "calendar_feeds"."staff_id" IS 'Whose appointments';
COMMENT ON TABLE "calendar_feeds" IS 'A secret address at which calendars ask for a person''s appointments, one at a time. It is shown once; the hash of';
CREATE TABLE "packs" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "sessions" INT NOT NULL,
    "used" INT NOT NULL,
    "access_id" UUID NOT NULL REFERENCES "accesses" ("id") ON DELETE RESTRICT,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_packs_organiz_cccd82" UNIQUE ("organization_id", "access_id")
);
COMMENT ON COLUMN "packs"."created_at" IS 'When it was made';
COMMENT ON COLUMN "packs"."sessions" IS 'How many were bought';
COMMENT ON COLUMN "packs"."used" IS 'How many of them bookings have drawn';
COMMENT ON COLUMN "packs"."access_id" IS 'From when to when they may be used; withdrawn with its money';
COMMENT ON COLUMN "packs"."client_id" IS 'Whose sessions';
COMMENT ON COLUMN "packs"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "packs" IS 'Sessions that a client paid for. From when to when, and whether its money is still here, is its access''s.';
CREATE TABLE "product_services" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "product_id" UUID NOT NULL REFERENCES "products" ("id") ON DELETE RESTRICT,
    "service_id" UUID NOT NULL REFERENCES "services" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_product_ser_product_414dfc" UNIQUE ("product_id", "service_id")
);
COMMENT ON COLUMN "product_services"."created_at" IS 'When it was made';
COMMENT ON COLUMN "product_services"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "product_services"."product_id" IS 'The product, sold as a pack';
COMMENT ON COLUMN "product_services"."service_id" IS 'The service';
COMMENT ON TABLE "product_services" IS 'A service of which a pack''s sessions may be.';
ALTER TABLE "appointments" ADD COLUMN "staff_told" VARCHAR(64);
ALTER TABLE "appointments" ADD COLUMN "staff_told_sequence" INT;
ALTER TABLE "bookings" ADD COLUMN "draws_session" BOOL NOT NULL;
ALTER TABLE "bookings" ADD COLUMN "pack_id" UUID REFERENCES "packs" ("id") ON DELETE RESTRICT;
ALTER TABLE "bookings" ADD COLUMN "told_sequence" INT;
ALTER TABLE "bookings" ADD COLUMN "told_appointment_id" UUID;
ALTER TABLE "bookings" ADD COLUMN "cancel_told" BOOL NOT NULL;
ALTER TABLE "organizations" ADD COLUMN "reminder_minutes" VARCHAR(60) NOT NULL;
ALTER TABLE "products" ADD COLUMN "pack_days" INT;
ALTER TABLE "products" ADD COLUMN "pack_sessions" INT;
ALTER TABLE "services" ADD COLUMN "reminder_minutes" VARCHAR(60);
ALTER TABLE booking_reminders DROP CONSTRAINT booking_reminders_organization_id_fkey, ADD CONSTRAINT booking_reminders_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT booking_reminders_tenant UNIQUE (organization_id, id);
ALTER TABLE calendar_feeds DROP CONSTRAINT calendar_feeds_organization_id_fkey, ADD CONSTRAINT calendar_feeds_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT calendar_feeds_tenant UNIQUE (organization_id, id);
ALTER TABLE packs DROP CONSTRAINT packs_organization_id_fkey, ADD CONSTRAINT packs_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT packs_tenant UNIQUE (organization_id, id);
ALTER TABLE product_services DROP CONSTRAINT product_services_organization_id_fkey, ADD CONSTRAINT product_services_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT product_services_tenant UNIQUE (organization_id, id);
ALTER TABLE booking_reminders DROP CONSTRAINT booking_reminders_booking_id_fkey, ADD CONSTRAINT booking_reminders_booking_id FOREIGN KEY (organization_id, booking_id) REFERENCES bookings (organization_id, id);
ALTER TABLE calendar_feeds DROP CONSTRAINT calendar_feeds_staff_id_fkey, ADD CONSTRAINT calendar_feeds_staff_id FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id);
ALTER TABLE packs DROP CONSTRAINT packs_client_id_fkey, ADD CONSTRAINT packs_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE packs DROP CONSTRAINT packs_access_id_fkey, ADD CONSTRAINT packs_access_id FOREIGN KEY (organization_id, access_id) REFERENCES accesses (organization_id, id);
ALTER TABLE product_services DROP CONSTRAINT product_services_product_id_fkey, ADD CONSTRAINT product_services_product_id FOREIGN KEY (organization_id, product_id) REFERENCES products (organization_id, id);
ALTER TABLE product_services DROP CONSTRAINT product_services_service_id_fkey, ADD CONSTRAINT product_services_service_id FOREIGN KEY (organization_id, service_id) REFERENCES services (organization_id, id);
ALTER TABLE bookings DROP CONSTRAINT bookings_pack_id_fkey, ADD CONSTRAINT bookings_pack_id FOREIGN KEY (organization_id, pack_id) REFERENCES packs (organization_id, id);
ALTER TABLE booking_reminders ADD CONSTRAINT booking_reminders_channel_check CHECK (channel IN ('EMAIL')), ADD CONSTRAINT booking_reminders_due_check CHECK (minutes_before > 0 AND due_at < starts_at);
ALTER TABLE calendar_feeds ADD CONSTRAINT calendar_feeds_hash_check CHECK (token_hash ~ '^[0-9a-f]{64}$');
CREATE UNIQUE INDEX calendar_feeds_one ON calendar_feeds (staff_id) WHERE revoked_at IS NULL;
CREATE INDEX calendar_feeds_staff_id_index ON calendar_feeds (staff_id);
ALTER TABLE packs ADD CONSTRAINT packs_used_check CHECK (sessions > 0 AND used BETWEEN 0 AND sessions);
CREATE INDEX packs_of_client ON packs (client_id, id);
CREATE INDEX packs_access_id_index ON packs (access_id);
CREATE INDEX product_services_service_id_index ON product_services (service_id);
CREATE INDEX bookings_pack_id_index ON bookings (pack_id);
ALTER TABLE bookings ADD CONSTRAINT bookings_draws_check CHECK (NOT draws_session OR pack_id IS NOT NULL);
ALTER TABLE products ADD CONSTRAINT products_pack_check CHECK (pack_sessions > 0 AND "interval" IS NULL OR num_nonnulls(pack_sessions, pack_days) = 0), ADD CONSTRAINT products_pack_days_check CHECK (pack_days > 0);
ALTER TABLE services ADD CONSTRAINT services_reminders_check CHECK (reminder_minutes ~ '^([1-9][0-9]{0,4}( [1-9][0-9]{0,4}){0,4})?$');
ALTER TABLE organizations ALTER COLUMN reminder_minutes SET DEFAULT '1440 120', ADD CONSTRAINT organizations_reminder_minutes_check CHECK (reminder_minutes ~ '^([1-9][0-9]{0,4}( [1-9][0-9]{0,4}){0,4})?$');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON calendar_feeds FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('CalendarFeed', 'token_hash', 'last_used_at');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON packs FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Pack', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON product_services FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('ProductService', '', '');

-- Migration: 0035_uploads
CREATE TABLE "stored_files" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "place" VARCHAR(255) NOT NULL UNIQUE,
    "data_key" TEXT,
    "content_type" VARCHAR(100) NOT NULL,
    "size_bytes" INT NOT NULL,
    "sha256" VARCHAR(64) NOT NULL,
    "stored_sha256" VARCHAR(64),
    "destroy_at" TIMESTAMPTZ,
    "destroyed_at" TIMESTAMPTZ,
    "deleted_at" TIMESTAMPTZ,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "stored_files"."created_at" IS 'When it was made';
COMMENT ON COLUMN "stored_files"."place" IS 'Its key in the store';
COMMENT ON COLUMN "stored_files"."data_key" IS 'Its key, sealed; null once it is destroyed';
COMMENT ON COLUMN "stored_files"."content_type" IS 'What it is (IANA media type)';
COMMENT ON COLUMN "stored_files"."size_bytes" IS 'How large it is, in bytes, before it was encrypted';
COMMENT ON COLUMN "stored_files"."sha256" IS 'SHA-256 of what was sent, hexadecimal';
COMMENT ON COLUMN "stored_files"."stored_sha256" IS 'SHA-256 of what lies in the store; null before it does';
COMMENT ON COLUMN "stored_files"."destroy_at" IS 'When a clock destroys it; null: something else decides';
COMMENT ON COLUMN "stored_files"."destroyed_at" IS 'When its key was destroyed';
COMMENT ON COLUMN "stored_files"."deleted_at" IS 'When the store had deleted it, too';
COMMENT ON COLUMN "stored_files"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "stored_files" IS 'A file in the store, encrypted under a key of its own: without the key it is noise.';
CREATE TABLE "uploads" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "purpose" VARCHAR(20) NOT NULL,
    "name" VARCHAR(200) NOT NULL,
    "content_type" VARCHAR(100) NOT NULL,
    "size_bytes" INT NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "received_at" TIMESTAMPTZ,
    "used_at" TIMESTAMPTZ,
    "created_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "file_id" UUID REFERENCES "stored_files" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "uploads"."created_at" IS 'When it was made';
COMMENT ON COLUMN "uploads"."purpose" IS 'What it is sent for';
COMMENT ON COLUMN "uploads"."name" IS 'What the file is called, with its extension';
COMMENT ON COLUMN "uploads"."content_type" IS 'What it is (IANA media type): `application/pdf`';
COMMENT ON COLUMN "uploads"."size_bytes" IS 'How large it is, in bytes: exactly';
COMMENT ON COLUMN "uploads"."expires_at" IS 'Until when it can be sent';
COMMENT ON COLUMN "uploads"."received_at" IS 'When it was received, whole, and found to be what it says';
COMMENT ON COLUMN "uploads"."used_at" IS 'When something was made of it: it cannot be used again';
COMMENT ON COLUMN "uploads"."created_by_id" IS 'Who sends it; null for a server';
COMMENT ON COLUMN "uploads"."file_id" IS 'How it is kept';
COMMENT ON COLUMN "uploads"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "uploads" IS 'A file that somebody is about to send, to a signed address that takes it once, and no other.';
ALTER TABLE stored_files DROP CONSTRAINT stored_files_organization_id_fkey, ADD CONSTRAINT stored_files_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT stored_files_tenant UNIQUE (organization_id, id);
ALTER TABLE uploads DROP CONSTRAINT uploads_organization_id_fkey, ADD CONSTRAINT uploads_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT uploads_tenant UNIQUE (organization_id, id);
ALTER TABLE uploads DROP CONSTRAINT uploads_created_by_id_fkey, ADD CONSTRAINT uploads_created_by_id FOREIGN KEY (organization_id, created_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE uploads DROP CONSTRAINT uploads_file_id_fkey, ADD CONSTRAINT uploads_file_id FOREIGN KEY (organization_id, file_id) REFERENCES stored_files (organization_id, id);
ALTER TABLE stored_files ADD CONSTRAINT stored_files_destroyed_check CHECK ((data_key IS NULL) = (destroyed_at IS NOT NULL) AND (deleted_at IS NULL OR destroyed_at IS NOT NULL)), ADD CONSTRAINT stored_files_size_check CHECK (size_bytes >= 0), ADD CONSTRAINT stored_files_digest_check CHECK (sha256 ~ '^[0-9a-f]{64}$' AND stored_sha256 ~ '^[0-9a-f]{64}$');
CREATE INDEX stored_files_due ON stored_files (destroy_at) WHERE destroyed_at IS NULL;
ALTER TABLE uploads ADD CONSTRAINT uploads_purpose_check CHECK (purpose IN ('CLIENT_IMPORT', 'DOCUMENT')), ADD CONSTRAINT uploads_size_check CHECK (size_bytes > 0), ADD CONSTRAINT uploads_received_check CHECK ((received_at IS NULL) = (file_id IS NULL)), ADD CONSTRAINT uploads_used_check CHECK (used_at IS NULL OR received_at IS NOT NULL), ADD CONSTRAINT uploads_file UNIQUE (file_id);
CREATE INDEX uploads_created_at_index ON uploads (created_at);
CREATE INDEX uploads_created_by_id_index ON uploads (created_by_id);

-- Migration: 0036_clients
CREATE TABLE "client_consents" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "purpose" VARCHAR(20) NOT NULL,
    "wording" TEXT NOT NULL,
    "source" VARCHAR(20) NOT NULL,
    "given_at" TIMESTAMPTZ NOT NULL,
    "withdrawn_at" TIMESTAMPTZ,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "client_consents"."created_at" IS 'When it was made';
COMMENT ON COLUMN "client_consents"."purpose" IS 'To what';
COMMENT ON COLUMN "client_consents"."wording" IS 'The words that they agreed to';
COMMENT ON COLUMN "client_consents"."source" IS 'How';
COMMENT ON COLUMN "client_consents"."given_at" IS 'When they agreed';
COMMENT ON COLUMN "client_consents"."withdrawn_at" IS 'When they took it back; null while it holds';
COMMENT ON COLUMN "client_consents"."client_id" IS 'Who agreed';
COMMENT ON COLUMN "client_consents"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "client_consents" IS 'That a client agreed to something, to which words, and until when (GDPR, article 7: it can be shown).';
CREATE TABLE "client_merges" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "duplicate_id" UUID NOT NULL,
    "duplicate_email" VARCHAR(254) NOT NULL,
    "moved" JSONB NOT NULL,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "merged_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "client_merges"."created_at" IS 'When it was made';
COMMENT ON COLUMN "client_merges"."duplicate_id" IS 'The id of the one that is no more';
COMMENT ON COLUMN "client_merges"."duplicate_email" IS 'The e-mail address that it had';
COMMENT ON COLUMN "client_merges"."moved" IS 'How many rows went over, by table';
COMMENT ON COLUMN "client_merges"."client_id" IS 'Who was kept';
COMMENT ON COLUMN "client_merges"."merged_by_id" IS 'Who merged them; null for a key';
COMMENT ON COLUMN "client_merges"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "client_merges" IS 'That two clients turned out to be one: the one was kept, and has what named the other.';
CREATE TABLE "client_notes" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "body" TEXT NOT NULL,
    "edited_at" TIMESTAMPTZ,
    "author_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "client_notes"."created_at" IS 'When it was made';
COMMENT ON COLUMN "client_notes"."body" IS 'What it says, as plain text';
COMMENT ON COLUMN "client_notes"."edited_at" IS 'When it was changed last';
COMMENT ON COLUMN "client_notes"."author_id" IS 'Who wrote it; null for a key';
COMMENT ON COLUMN "client_notes"."client_id" IS 'Whom it is about';
COMMENT ON COLUMN "client_notes"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "client_notes" IS 'What the organization writes down of a client for itself. Clients never see it.';
CREATE TABLE "contacts" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "first_name" VARCHAR(100),
    "last_name" VARCHAR(100),
    "job_title" VARCHAR(100),
    "email" VARCHAR(254),
    "phone" VARCHAR(16),
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "contacts"."created_at" IS 'When it was made';
COMMENT ON COLUMN "contacts"."first_name" IS 'First name';
COMMENT ON COLUMN "contacts"."last_name" IS 'Last name';
COMMENT ON COLUMN "contacts"."job_title" IS 'What they do there';
COMMENT ON COLUMN "contacts"."email" IS 'E-mail address';
COMMENT ON COLUMN "contacts"."phone" IS 'Phone number';
COMMENT ON COLUMN "contacts"."client_id" IS 'Whose contact';
COMMENT ON COLUMN "contacts"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "contacts" IS 'A person of a client: whom to call, whom to write to.';
CREATE TABLE "tags" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "name" VARCHAR(50) NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "tags"."created_at" IS 'When it was made';
COMMENT ON COLUMN "tags"."name" IS 'The word; whether in capitals or not, there is one of each';
COMMENT ON COLUMN "tags"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "tags" IS 'A word that the organization sorts its clients by. Clients never see it.';
CREATE TABLE "client_tags" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "tag_id" UUID NOT NULL REFERENCES "tags" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_client_tags_client__50895c" UNIQUE ("client_id", "tag_id")
);
COMMENT ON COLUMN "client_tags"."created_at" IS 'When it was made';
COMMENT ON COLUMN "client_tags"."client_id" IS 'The client';
COMMENT ON COLUMN "client_tags"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "client_tags"."tag_id" IS 'The tag';
COMMENT ON TABLE "client_tags" IS 'That a client has a tag.';
ALTER TABLE contacts DROP CONSTRAINT contacts_organization_id_fkey, ADD CONSTRAINT contacts_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT contacts_tenant UNIQUE (organization_id, id);
ALTER TABLE client_notes DROP CONSTRAINT client_notes_organization_id_fkey, ADD CONSTRAINT client_notes_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT client_notes_tenant UNIQUE (organization_id, id);
ALTER TABLE tags DROP CONSTRAINT tags_organization_id_fkey, ADD CONSTRAINT tags_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT tags_tenant UNIQUE (organization_id, id);
ALTER TABLE client_tags DROP CONSTRAINT client_tags_organization_id_fkey, ADD CONSTRAINT client_tags_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT client_tags_tenant UNIQUE (organization_id, id);
ALTER TABLE client_consents DROP CONSTRAINT client_consents_organization_id_fkey, ADD CONSTRAINT client_consents_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT client_consents_tenant UNIQUE (organization_id, id);
ALTER TABLE client_merges DROP CONSTRAINT client_merges_organization_id_fkey, ADD CONSTRAINT client_merges_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT client_merges_tenant UNIQUE (organization_id, id);
ALTER TABLE contacts DROP CONSTRAINT contacts_client_id_fkey, ADD CONSTRAINT contacts_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE client_notes DROP CONSTRAINT client_notes_client_id_fkey, ADD CONSTRAINT client_notes_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE client_notes DROP CONSTRAINT client_notes_author_id_fkey, ADD CONSTRAINT client_notes_author_id FOREIGN KEY (organization_id, author_id) REFERENCES memberships (organization_id, id);
ALTER TABLE client_tags DROP CONSTRAINT client_tags_client_id_fkey, ADD CONSTRAINT client_tags_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE client_tags DROP CONSTRAINT client_tags_tag_id_fkey, ADD CONSTRAINT client_tags_tag_id FOREIGN KEY (organization_id, tag_id) REFERENCES tags (organization_id, id);
ALTER TABLE client_consents DROP CONSTRAINT client_consents_client_id_fkey, ADD CONSTRAINT client_consents_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE client_merges DROP CONSTRAINT client_merges_client_id_fkey, ADD CONSTRAINT client_merges_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE client_merges DROP CONSTRAINT client_merges_merged_by_id_fkey, ADD CONSTRAINT client_merges_merged_by_id FOREIGN KEY (organization_id, merged_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE contacts ADD CONSTRAINT contacts_said_check CHECK (num_nonnulls(first_name, last_name, email, phone) > 0), ADD CONSTRAINT contacts_email_check CHECK (email = lower(email));
CREATE INDEX contacts_of_client ON contacts (client_id, id);
CREATE INDEX client_notes_of_client ON client_notes (client_id, id);
CREATE INDEX client_notes_author_id_index ON client_notes (author_id);
CREATE UNIQUE INDEX tags_name ON tags (organization_id, lower(name));
CREATE INDEX client_tags_tag_id_index ON client_tags (tag_id);
ALTER TABLE client_consents ADD CONSTRAINT client_consents_purpose_check CHECK (purpose IN ('EMAIL_MARKETING', 'SMS_MARKETING', 'PHONE_MARKETING', 'PARTNER_SHARING', 'TESTIMONIAL')), ADD CONSTRAINT client_consents_source_check CHECK (source IN ('FORM', 'EMAIL', 'PHONE', 'PAPER', 'IN_PERSON', 'IMPORT')), ADD CONSTRAINT client_consents_withdrawn_check CHECK (withdrawn_at >= given_at);
CREATE UNIQUE INDEX client_consents_one ON client_consents (client_id, purpose) WHERE withdrawn_at IS NULL;
CREATE INDEX client_consents_of_client ON client_consents (client_id, id);
CREATE INDEX client_merges_of_client ON client_merges (client_id, id);
CREATE INDEX client_merges_merged_by_id_index ON client_merges (merged_by_id);
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON contacts FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Contact', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON client_notes FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('ClientNote', 'body', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON tags FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Tag', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON client_tags FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('ClientTag', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON client_consents FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('ClientConsent', '', '');
ALTER TABLE clients ADD COLUMN kind varchar(10) NOT NULL DEFAULT 'PERSON', ADD CONSTRAINT clients_kind_check CHECK (kind IN ('PERSON', 'COMPANY')), ADD COLUMN search_text text NOT NULL DEFAULT '';
UPDATE clients SET kind = 'COMPANY' WHERE company IS NOT NULL OR siren IS NOT NULL;
DROP TRIGGER audited ON clients;
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON clients FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Client', '', 'search_text');
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gin SCHEMA public;
CREATE FUNCTION folded(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(public.unaccent('public.unaccent', $1));
CREATE FUNCTION searchable(names text, email text, phone text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN concat(
    ' ', trim(regexp_replace(public.folded(names), '[\s!-/:-@[-`{-~]+', ' ', 'g')), ' ', email, ' ',
    substr(phone, 2), ' '
);
CREATE FUNCTION contacts_searchable(client uuid) RETURNS text LANGUAGE sql STABLE
RETURN (
    SELECT string_agg(public.searchable(concat_ws(' ', first_name, last_name), email, phone), '' ORDER BY id)
    FROM public.contacts WHERE client_id = client
);
CREATE FUNCTION clients_searchable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_text := public.searchable(
        concat_ws(' ', NEW.first_name, NEW.last_name, NEW.company, NEW.siren), NEW.email, NEW.phone
    );
    IF TG_OP = 'UPDATE' THEN
        NEW.search_text := concat(NEW.search_text, public.contacts_searchable(NEW.id));
    END IF;
    RETURN NEW;
END
$$;
CREATE FUNCTION contacts_searched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.clients SET search_text = '' WHERE id IN (OLD.client_id, NEW.client_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER searchable BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION clients_searchable();
CREATE TRIGGER searchable_anew BEFORE UPDATE ON clients FOR EACH ROW WHEN (NEW.search_text = '' OR (OLD.first_name, OLD.last_name, OLD.company, OLD.siren, OLD.email, OLD.phone) IS DISTINCT FROM (NEW.first_name, NEW.last_name, NEW.company, NEW.siren, NEW.email, NEW.phone)) EXECUTE FUNCTION clients_searchable();
CREATE TRIGGER searched AFTER INSERT OR UPDATE OR DELETE ON contacts FOR EACH ROW EXECUTE FUNCTION contacts_searched();
UPDATE clients SET search_text = '';
CREATE INDEX clients_search ON clients USING gin (organization_id, search_text gin_trgm_ops);

-- Migration: 0037_tickets
CREATE TABLE "tickets" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "number" INT NOT NULL,
    "subject" VARCHAR(200) NOT NULL,
    "body" TEXT NOT NULL,
    "type" VARCHAR(20) NOT NULL,
    "priority" VARCHAR(20) NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "source" VARCHAR(20) NOT NULL,
    "replied_at" TIMESTAMPTZ,
    "resolved_at" TIMESTAMPTZ,
    "closed_at" TIMESTAMPTZ,
    "assignee_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "opened_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_tickets_organiz_c78cb4" UNIQUE ("organization_id", "number")
);
COMMENT ON COLUMN "tickets"."created_at" IS 'When it was made';
COMMENT ON COLUMN "tickets"."number" IS 'Number within the organization, from 1';
COMMENT ON COLUMN "tickets"."subject" IS 'What it is about, in a line';
COMMENT ON COLUMN "tickets"."body" IS 'What was asked, as plain text';
COMMENT ON COLUMN "tickets"."type" IS 'What it is';
COMMENT ON COLUMN "tickets"."priority" IS 'How soon it is to be looked at';
COMMENT ON COLUMN "tickets"."status" IS 'Where it stands';
COMMENT ON COLUMN "tickets"."source" IS 'How it came';
COMMENT ON COLUMN "tickets"."replied_at" IS 'When somebody last replied, for both sides to read';
COMMENT ON COLUMN "tickets"."resolved_at" IS 'When it was last resolved; null while it is not';
COMMENT ON COLUMN "tickets"."closed_at" IS 'When it was closed';
COMMENT ON COLUMN "tickets"."assignee_id" IS 'Who sees to it';
COMMENT ON COLUMN "tickets"."client_id" IS 'Whose it is';
COMMENT ON COLUMN "tickets"."opened_by_id" IS 'The member who wrote it down; null where the client did';
COMMENT ON COLUMN "tickets"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "tickets" IS 'What a client asks. Texts are plain: HTML in them is letters like any other.';
CREATE TABLE "ticket_replies" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "from_client" BOOL NOT NULL,
    "internal" BOOL NOT NULL,
    "body" TEXT NOT NULL,
    "author_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "ticket_id" UUID NOT NULL REFERENCES "tickets" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "ticket_replies"."created_at" IS 'When it was made';
COMMENT ON COLUMN "ticket_replies"."from_client" IS 'Whether the client wrote it';
COMMENT ON COLUMN "ticket_replies"."internal" IS 'Whether it is kept from the client';
COMMENT ON COLUMN "ticket_replies"."body" IS 'What was written, as plain text';
COMMENT ON COLUMN "ticket_replies"."author_id" IS 'The member who wrote it; null for the client, and for a key';
COMMENT ON COLUMN "ticket_replies"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "ticket_replies"."ticket_id" IS 'The ticket';
COMMENT ON TABLE "ticket_replies" IS 'What was written under a ticket, by the client or by who sees to it.';
CREATE TABLE "timeline_events" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "kind" VARCHAR(30) NOT NULL,
    "occurred_at" TIMESTAMPTZ NOT NULL,
    "data" JSONB NOT NULL,
    "message_id" VARCHAR(255),
    "thread_id" VARCHAR(255),
    "fingerprint" VARCHAR(64),
    "author_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "timeline_events"."created_at" IS 'When it was made';
COMMENT ON COLUMN "timeline_events"."kind" IS 'What happened';
COMMENT ON COLUMN "timeline_events"."occurred_at" IS 'When it happened; of an e-mail when it was sent';
COMMENT ON COLUMN "timeline_events"."data" IS 'What there is to say of it, by kind: see `services/timeline.py`';
COMMENT ON COLUMN "timeline_events"."message_id" IS 'Message-ID of an e-mail, as `<left@right>`';
COMMENT ON COLUMN "timeline_events"."thread_id" IS 'Message-ID of the e-mail with which its thread began; the same for all of it';
COMMENT ON COLUMN "timeline_events"."fingerprint" IS 'SHA-256 of what makes two e-mails the same one';
COMMENT ON COLUMN "timeline_events"."author_id" IS 'The member who did it, or noted it';
COMMENT ON COLUMN "timeline_events"."client_id" IS 'With whom it happened';
COMMENT ON COLUMN "timeline_events"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "timeline_events" IS 'Something that happened with a client, at its time; never changed.';
ALTER TABLE tickets DROP CONSTRAINT tickets_organization_id_fkey, ADD CONSTRAINT tickets_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT tickets_tenant UNIQUE (organization_id, id);
ALTER TABLE ticket_replies DROP CONSTRAINT ticket_replies_organization_id_fkey, ADD CONSTRAINT ticket_replies_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT ticket_replies_tenant UNIQUE (organization_id, id);
ALTER TABLE timeline_events DROP CONSTRAINT timeline_events_organization_id_fkey, ADD CONSTRAINT timeline_events_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT timeline_events_tenant UNIQUE (organization_id, id);
ALTER TABLE tickets DROP CONSTRAINT tickets_client_id_fkey, ADD CONSTRAINT tickets_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE tickets DROP CONSTRAINT tickets_assignee_id_fkey, ADD CONSTRAINT tickets_assignee_id FOREIGN KEY (organization_id, assignee_id) REFERENCES memberships (organization_id, id);
ALTER TABLE tickets DROP CONSTRAINT tickets_opened_by_id_fkey, ADD CONSTRAINT tickets_opened_by_id FOREIGN KEY (organization_id, opened_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE ticket_replies DROP CONSTRAINT ticket_replies_ticket_id_fkey, ADD CONSTRAINT ticket_replies_ticket_id FOREIGN KEY (organization_id, ticket_id) REFERENCES tickets (organization_id, id);
ALTER TABLE ticket_replies DROP CONSTRAINT ticket_replies_author_id_fkey, ADD CONSTRAINT ticket_replies_author_id FOREIGN KEY (organization_id, author_id) REFERENCES memberships (organization_id, id);
ALTER TABLE timeline_events DROP CONSTRAINT timeline_events_client_id_fkey, ADD CONSTRAINT timeline_events_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE timeline_events DROP CONSTRAINT timeline_events_author_id_fkey, ADD CONSTRAINT timeline_events_author_id FOREIGN KEY (organization_id, author_id) REFERENCES memberships (organization_id, id);
ALTER TABLE tickets ADD CONSTRAINT tickets_type_check CHECK (type IN ('QUESTION', 'REQUEST', 'INCIDENT', 'COMPLAINT')), ADD CONSTRAINT tickets_priority_check CHECK (priority IN ('LOW', 'NORMAL', 'HIGH', 'URGENT')), ADD CONSTRAINT tickets_status_check CHECK (status IN ('NEW', 'OPEN', 'WAITING', 'RESOLVED', 'CLOSED')), ADD CONSTRAINT tickets_source_check CHECK (source IN ('BACK_OFFICE', 'PORTAL', 'EMAIL')), ADD CONSTRAINT tickets_text_check CHECK (number > 0 AND char_length(body) BETWEEN 1 AND 20000), ADD CONSTRAINT tickets_closed_check CHECK ((status = 'CLOSED') = (closed_at IS NOT NULL)), ADD CONSTRAINT tickets_resolved_check CHECK (status = 'CLOSED' OR (status = 'RESOLVED') = (resolved_at IS NOT NULL));
CREATE INDEX tickets_of_client ON tickets (client_id, id);
CREATE INDEX tickets_of_assignee ON tickets (assignee_id, id);
CREATE INDEX tickets_opened_by_id_index ON tickets (opened_by_id);
CREATE INDEX tickets_under_way ON tickets (organization_id, id) WHERE status <> 'CLOSED';
ALTER TABLE ticket_replies ADD CONSTRAINT ticket_replies_text_check CHECK (char_length(body) BETWEEN 1 AND 20000), ADD CONSTRAINT ticket_replies_author_check CHECK (NOT from_client OR (author_id IS NULL AND NOT internal));
CREATE INDEX ticket_replies_of_ticket ON ticket_replies (ticket_id, id);
CREATE INDEX ticket_replies_author_id_index ON ticket_replies (author_id);
ALTER TABLE timeline_events ADD CONSTRAINT timeline_events_kind_check CHECK (kind IN ('CLIENT_EMAIL', 'PAYMENT_RECEIVED', 'PAYMENT_REFUNDED', 'QUOTE_SENT', 'QUOTE_ACCEPTED', 'QUOTE_REFUSED', 'BOOKING_CONFIRMED', 'BOOKING_MOVED', 'BOOKING_CANCELED', 'TICKET_OPENED', 'TICKET_REPLIED', 'TICKET_RESOLVED', 'OPPORTUNITY_MOVED', 'BILAN_MOVED')), ADD CONSTRAINT timeline_events_email_check CHECK (kind = 'CLIENT_EMAIL' AND fingerprint ~ '^[0-9a-f]{64}$' OR kind <> 'CLIENT_EMAIL' AND num_nonnulls(fingerprint, message_id, thread_id) = 0);
CREATE INDEX timeline_events_of_client ON timeline_events (client_id, id);
CREATE INDEX timeline_events_author_id_index ON timeline_events (author_id);
CREATE INDEX timeline_events_fingerprint ON timeline_events (client_id, fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX timeline_events_thread ON timeline_events (client_id, thread_id, id) WHERE thread_id IS NOT NULL;
CREATE FUNCTION note_change_of_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changes (organization_id, subject, row_id, happened)
        VALUES (NEW.organization_id, 'tickets', NEW.ticket_id, 'CHANGED');
        RETURN NULL;
    END $$;
CREATE TRIGGER tickets_created AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION note_change('CREATED');
CREATE TRIGGER timeline_events_created AFTER INSERT ON timeline_events FOR EACH ROW EXECUTE FUNCTION note_change('CREATED');
CREATE TRIGGER tickets_changed AFTER UPDATE ON tickets FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION note_change('CHANGED');
CREATE TRIGGER ticket_replies_of_ticket AFTER INSERT ON ticket_replies FOR EACH ROW EXECUTE FUNCTION note_change_of_ticket();
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON tickets FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Ticket', '', 'subject,body');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON ticket_replies FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('TicketReply', '', 'body');

-- Migration: 0038_bilans
CREATE TABLE "formules" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "slug" VARCHAR(40) NOT NULL,
    "name" VARCHAR(100) NOT NULL,
    "description" VARCHAR(2000),
    "minutes" INT NOT NULL,
    "price_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "vat_rate" INT NOT NULL,
    "active" BOOL NOT NULL,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "product_id" UUID REFERENCES "products" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_formules_organiz_91f1da" UNIQUE ("organization_id", "slug")
);
COMMENT ON COLUMN "formules"."created_at" IS 'When it was made';
COMMENT ON COLUMN "formules"."slug" IS 'Short name in addresses and imports: `standard`';
COMMENT ON COLUMN "formules"."name" IS 'Name, as clients read it';
COMMENT ON COLUMN "formules"."description" IS 'What one gets';
COMMENT ON COLUMN "formules"."minutes" IS 'How long the accompaniment is, in minutes';
COMMENT ON COLUMN "formules"."price_cents" IS 'Price TTC, in minor units';
COMMENT ON COLUMN "formules"."currency" IS 'Currency of the price';
COMMENT ON COLUMN "formules"."vat_rate" IS 'VAT rate in hundredths of a percent; 0 where training is exempt (art. 261-4-4° a CGI)';
COMMENT ON COLUMN "formules"."active" IS 'Whether it is sold';
COMMENT ON COLUMN "formules"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "formules"."product_id" IS 'What stands for it on orders';
COMMENT ON TABLE "formules" IS 'A bilan as it is offered: so many hours at a price TTC.';
CREATE TABLE "bilans" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "beneficiary_name" VARCHAR(200) NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "minutes_planned" INT NOT NULL,
    "price_cents" INT NOT NULL,
    "vat_rate" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "starts_on" DATE,
    "ends_on" DATE,
    "funded_at" TIMESTAMPTZ,
    "begun_at" TIMESTAMPTZ,
    "completed_at" TIMESTAMPTZ,
    "canceled_at" TIMESTAMPTZ,
    "cancel_reason" VARCHAR(500),
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "consultant_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "employer_id" UUID REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "formule_id" UUID NOT NULL REFERENCES "formules" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "bilans"."created_at" IS 'When it was made';
COMMENT ON COLUMN "bilans"."beneficiary_name" IS 'What the beneficiary was called when it was agreed';
COMMENT ON COLUMN "bilans"."status" IS 'Where it stands';
COMMENT ON COLUMN "bilans"."minutes_planned" IS 'How long the accompaniment is to be, in minutes';
COMMENT ON COLUMN "bilans"."price_cents" IS 'Price TTC that was agreed, in minor units';
COMMENT ON COLUMN "bilans"."vat_rate" IS 'VAT rate that was agreed, in hundredths of a percent';
COMMENT ON COLUMN "bilans"."currency" IS 'Currency of every amount';
COMMENT ON COLUMN "bilans"."starts_on" IS 'The day on which it is to begin';
COMMENT ON COLUMN "bilans"."ends_on" IS 'The day by which it is to end';
COMMENT ON COLUMN "bilans"."funded_at" IS 'When all of its price was paid or agreed';
COMMENT ON COLUMN "bilans"."begun_at" IS 'When the first session was attended';
COMMENT ON COLUMN "bilans"."completed_at" IS 'When its last phase was completed';
COMMENT ON COLUMN "bilans"."canceled_at" IS 'When it was given up';
COMMENT ON COLUMN "bilans"."cancel_reason" IS 'Why it was given up';
COMMENT ON COLUMN "bilans"."client_id" IS 'The beneficiary';
COMMENT ON COLUMN "bilans"."consultant_id" IS 'Who holds it';
COMMENT ON COLUMN "bilans"."employer_id" IS 'The employer, party to a tripartite convention';
COMMENT ON COLUMN "bilans"."formule_id" IS 'What was agreed';
COMMENT ON COLUMN "bilans"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "bilans" IS 'A bilan de compétences of one beneficiary, at the price and for the time that were agreed.';
CREATE TABLE "bilan_agreements" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "kind" VARCHAR(20) NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "proposed_on" DATE NOT NULL,
    "accept_by" DATE,
    "decided_on" DATE,
    "signer_name" VARCHAR(200),
    "bilan_id" UUID NOT NULL REFERENCES "bilans" ("id") ON DELETE RESTRICT,
    "decided_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "bilan_agreements"."created_at" IS 'When it was made';
COMMENT ON COLUMN "bilan_agreements"."kind" IS 'What is agreed to';
COMMENT ON COLUMN "bilan_agreements"."status" IS 'Where it stands';
COMMENT ON COLUMN "bilan_agreements"."proposed_on" IS 'The day on which it was given to the beneficiary';
COMMENT ON COLUMN "bilan_agreements"."accept_by" IS 'The last day to accept it; null where there is none';
COMMENT ON COLUMN "bilan_agreements"."decided_on" IS 'The day on which it was accepted or refused';
COMMENT ON COLUMN "bilan_agreements"."signer_name" IS 'Who accepted it: first and last name';
COMMENT ON COLUMN "bilan_agreements"."bilan_id" IS 'The bilan';
COMMENT ON COLUMN "bilan_agreements"."decided_by_id" IS 'Who noted the answer: the beneficiary, or a person for them';
COMMENT ON COLUMN "bilan_agreements"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "bilan_agreements" IS 'Something that the beneficiary is asked to agree to in writing. Without an answer by its day it is refused.';
CREATE TABLE "bilan_fundings" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "source" VARCHAR(20) NOT NULL,
    "amount_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "reference" VARCHAR(100),
    "agreed_at" TIMESTAMPTZ,
    "paid_at" TIMESTAMPTZ,
    "ended_at" TIMESTAMPTZ,
    "end_reason" VARCHAR(500),
    "bilan_id" UUID NOT NULL REFERENCES "bilans" ("id") ON DELETE RESTRICT,
    "order_id" UUID REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "payer_id" UUID REFERENCES "clients" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "bilan_fundings"."created_at" IS 'When it was made';
COMMENT ON COLUMN "bilan_fundings"."source" IS 'Whose money it is';
COMMENT ON COLUMN "bilan_fundings"."amount_cents" IS 'How much, TTC, in minor units';
COMMENT ON COLUMN "bilan_fundings"."currency" IS 'Currency of the amount, the bilan''s';
COMMENT ON COLUMN "bilan_fundings"."status" IS 'Where it stands';
COMMENT ON COLUMN "bilan_fundings"."reference" IS 'What the payer calls it: the number of a dossier';
COMMENT ON COLUMN "bilan_fundings"."agreed_at" IS 'When the payer agreed to pay';
COMMENT ON COLUMN "bilan_fundings"."paid_at" IS 'When it was paid';
COMMENT ON COLUMN "bilan_fundings"."ended_at" IS 'When it was withdrawn, or its money given back';
COMMENT ON COLUMN "bilan_fundings"."end_reason" IS 'Why it was withdrawn';
COMMENT ON COLUMN "bilan_fundings"."bilan_id" IS 'The bilan';
COMMENT ON COLUMN "bilan_fundings"."order_id" IS 'The order by which it is paid';
COMMENT ON COLUMN "bilan_fundings"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "bilan_fundings"."payer_id" IS 'Who pays and is invoiced; null where nobody is, or it is the beneficiary';
COMMENT ON TABLE "bilan_fundings" IS 'A part of a bilan''s price that somebody takes on. All that stand come to no more than the price: the database';
CREATE TABLE "bilan_phases" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "kind" VARCHAR(20) NOT NULL,
    "position" INT NOT NULL,
    "completed_at" TIMESTAMPTZ,
    "bilan_id" UUID NOT NULL REFERENCES "bilans" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_bilan_phase_bilan_i_fd5b66" UNIQUE ("bilan_id", "kind")
);
COMMENT ON COLUMN "bilan_phases"."created_at" IS 'When it was made';
COMMENT ON COLUMN "bilan_phases"."kind" IS 'Which phase';
COMMENT ON COLUMN "bilan_phases"."position" IS 'Place in the bilan, from 1';
COMMENT ON COLUMN "bilan_phases"."completed_at" IS 'When it was completed';
COMMENT ON COLUMN "bilan_phases"."bilan_id" IS 'The bilan';
COMMENT ON COLUMN "bilan_phases"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "bilan_phases" IS 'A legal phase of a bilan; all three are there from the beginning.';
CREATE TABLE "bilan_sessions" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "starts_at" TIMESTAMPTZ NOT NULL,
    "ends_at" TIMESTAMPTZ NOT NULL,
    "attendance" VARCHAR(20) NOT NULL,
    "minutes" INT NOT NULL,
    "noted_at" TIMESTAMPTZ,
    "bilan_id" UUID NOT NULL REFERENCES "bilans" ("id") ON DELETE RESTRICT,
    "booking_id" UUID REFERENCES "bookings" ("id") ON DELETE RESTRICT,
    "noted_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "phase_id" UUID NOT NULL REFERENCES "bilan_phases" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "bilan_sessions"."created_at" IS 'When it was made';
COMMENT ON COLUMN "bilan_sessions"."starts_at" IS 'When it begins';
COMMENT ON COLUMN "bilan_sessions"."ends_at" IS 'When it ends';
COMMENT ON COLUMN "bilan_sessions"."attendance" IS 'Whether the beneficiary was there';
COMMENT ON COLUMN "bilan_sessions"."minutes" IS 'How long it was, in minutes; 0 unless the beneficiary was there';
COMMENT ON COLUMN "bilan_sessions"."noted_at" IS 'When attendance was noted';
COMMENT ON COLUMN "bilan_sessions"."bilan_id" IS 'The bilan';
COMMENT ON COLUMN "bilan_sessions"."booking_id" IS 'The booking; null where it was recorded by hand';
COMMENT ON COLUMN "bilan_sessions"."noted_by_id" IS 'Who noted attendance';
COMMENT ON COLUMN "bilan_sessions"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "bilan_sessions"."phase_id" IS 'The phase that it is part of';
COMMENT ON TABLE "bilan_sessions" IS 'An appointment of a phase: booked, or recorded by hand. A booking that is moved, cancelled or held is followed by';
CREATE TABLE "bilan_warnings" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "rule" VARCHAR(60) NOT NULL,
    "message" VARCHAR(500) NOT NULL,
    "reference" VARCHAR(300) NOT NULL,
    "cleared_at" TIMESTAMPTZ,
    "decided_at" TIMESTAMPTZ,
    "decision_reason" VARCHAR(500),
    "bilan_id" UUID NOT NULL REFERENCES "bilans" ("id") ON DELETE RESTRICT,
    "decided_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_bilan_warni_bilan_i_b87591" UNIQUE ("bilan_id", "rule")
);
COMMENT ON COLUMN "bilan_warnings"."created_at" IS 'When it was made';
COMMENT ON COLUMN "bilan_warnings"."rule" IS 'Which rule (`services/bilan_rules.py`)';
COMMENT ON COLUMN "bilan_warnings"."message" IS 'What breaks it, for a person';
COMMENT ON COLUMN "bilan_warnings"."reference" IS 'Where the rule is written';
COMMENT ON COLUMN "bilan_warnings"."cleared_at" IS 'Since when it no longer holds; null while it does';
COMMENT ON COLUMN "bilan_warnings"."decided_at" IS 'When a person decided to go on in spite of it';
COMMENT ON COLUMN "bilan_warnings"."decision_reason" IS 'Why, in that person''s words';
COMMENT ON COLUMN "bilan_warnings"."bilan_id" IS 'The bilan';
COMMENT ON COLUMN "bilan_warnings"."decided_by_id" IS 'Who decided it';
COMMENT ON COLUMN "bilan_warnings"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "bilan_warnings" IS 'What breaks a rule of law, kept from when it was first seen; and who decided to go on, when and why.';
ALTER TABLE bilans ADD COLUMN minutes_done int NOT NULL DEFAULT 0, ADD COLUMN allotted_cents int NOT NULL DEFAULT 0, ADD COLUMN secured_cents int NOT NULL DEFAULT 0, ADD COLUMN due_cents int NOT NULL GENERATED ALWAYS AS (price_cents - secured_cents) STORED;
ALTER TABLE formules DROP CONSTRAINT formules_organization_id_fkey, ADD CONSTRAINT formules_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT formules_tenant UNIQUE (organization_id, id);
ALTER TABLE bilans DROP CONSTRAINT bilans_organization_id_fkey, ADD CONSTRAINT bilans_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT bilans_tenant UNIQUE (organization_id, id);
ALTER TABLE bilan_fundings DROP CONSTRAINT bilan_fundings_organization_id_fkey, ADD CONSTRAINT bilan_fundings_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT bilan_fundings_tenant UNIQUE (organization_id, id);
ALTER TABLE bilan_agreements DROP CONSTRAINT bilan_agreements_organization_id_fkey, ADD CONSTRAINT bilan_agreements_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT bilan_agreements_tenant UNIQUE (organization_id, id);
ALTER TABLE bilan_phases DROP CONSTRAINT bilan_phases_organization_id_fkey, ADD CONSTRAINT bilan_phases_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT bilan_phases_tenant UNIQUE (organization_id, id);
ALTER TABLE bilan_sessions DROP CONSTRAINT bilan_sessions_organization_id_fkey, ADD CONSTRAINT bilan_sessions_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT bilan_sessions_tenant UNIQUE (organization_id, id);
ALTER TABLE bilan_warnings DROP CONSTRAINT bilan_warnings_organization_id_fkey, ADD CONSTRAINT bilan_warnings_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT bilan_warnings_tenant UNIQUE (organization_id, id);
ALTER TABLE formules DROP CONSTRAINT formules_product_id_fkey, ADD CONSTRAINT formules_product_id FOREIGN KEY (organization_id, product_id) REFERENCES products (organization_id, id);
ALTER TABLE bilans DROP CONSTRAINT bilans_client_id_fkey, ADD CONSTRAINT bilans_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE bilans DROP CONSTRAINT bilans_consultant_id_fkey, ADD CONSTRAINT bilans_consultant_id FOREIGN KEY (organization_id, consultant_id) REFERENCES memberships (organization_id, id);
ALTER TABLE bilans DROP CONSTRAINT bilans_formule_id_fkey, ADD CONSTRAINT bilans_formule_id FOREIGN KEY (organization_id, formule_id) REFERENCES formules (organization_id, id);
ALTER TABLE bilans DROP CONSTRAINT bilans_employer_id_fkey, ADD CONSTRAINT bilans_employer_id FOREIGN KEY (organization_id, employer_id) REFERENCES clients (organization_id, id);
ALTER TABLE bilan_fundings DROP CONSTRAINT bilan_fundings_bilan_id_fkey, ADD CONSTRAINT bilan_fundings_bilan_id FOREIGN KEY (organization_id, bilan_id) REFERENCES bilans (organization_id, id);
ALTER TABLE bilan_fundings DROP CONSTRAINT bilan_fundings_payer_id_fkey, ADD CONSTRAINT bilan_fundings_payer_id FOREIGN KEY (organization_id, payer_id) REFERENCES clients (organization_id, id);
ALTER TABLE bilan_fundings DROP CONSTRAINT bilan_fundings_order_id_fkey, ADD CONSTRAINT bilan_fundings_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
ALTER TABLE bilan_agreements DROP CONSTRAINT bilan_agreements_bilan_id_fkey, ADD CONSTRAINT bilan_agreements_bilan_id FOREIGN KEY (organization_id, bilan_id) REFERENCES bilans (organization_id, id);
ALTER TABLE bilan_agreements DROP CONSTRAINT bilan_agreements_decided_by_id_fkey, ADD CONSTRAINT bilan_agreements_decided_by_id FOREIGN KEY (organization_id, decided_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE bilan_phases DROP CONSTRAINT bilan_phases_bilan_id_fkey, ADD CONSTRAINT bilan_phases_bilan_id FOREIGN KEY (organization_id, bilan_id) REFERENCES bilans (organization_id, id);
ALTER TABLE bilan_sessions DROP CONSTRAINT bilan_sessions_bilan_id_fkey, ADD CONSTRAINT bilan_sessions_bilan_id FOREIGN KEY (organization_id, bilan_id) REFERENCES bilans (organization_id, id);
ALTER TABLE bilan_sessions DROP CONSTRAINT bilan_sessions_booking_id_fkey, ADD CONSTRAINT bilan_sessions_booking_id FOREIGN KEY (organization_id, booking_id) REFERENCES bookings (organization_id, id);
ALTER TABLE bilan_sessions DROP CONSTRAINT bilan_sessions_noted_by_id_fkey, ADD CONSTRAINT bilan_sessions_noted_by_id FOREIGN KEY (organization_id, noted_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE bilan_warnings DROP CONSTRAINT bilan_warnings_bilan_id_fkey, ADD CONSTRAINT bilan_warnings_bilan_id FOREIGN KEY (organization_id, bilan_id) REFERENCES bilans (organization_id, id);
ALTER TABLE bilan_warnings DROP CONSTRAINT bilan_warnings_decided_by_id_fkey, ADD CONSTRAINT bilan_warnings_decided_by_id FOREIGN KEY (organization_id, decided_by_id) REFERENCES memberships (organization_id, id);
CREATE INDEX formules_product_id_index ON formules (product_id);
CREATE INDEX bilans_client_id_index ON bilans (client_id);
CREATE INDEX bilans_consultant_id_index ON bilans (consultant_id);
CREATE INDEX bilans_formule_id_index ON bilans (formule_id);
CREATE INDEX bilans_employer_id_index ON bilans (employer_id);
CREATE INDEX bilan_fundings_bilan_id_index ON bilan_fundings (bilan_id);
CREATE INDEX bilan_fundings_payer_id_index ON bilan_fundings (payer_id);
CREATE INDEX bilan_fundings_order_id_index ON bilan_fundings (order_id);
CREATE INDEX bilan_agreements_bilan_id_index ON bilan_agreements (bilan_id);
CREATE INDEX bilan_agreements_decided_by_id_index ON bilan_agreements (decided_by_id);
CREATE INDEX bilan_phases_bilan_id_index ON bilan_phases (bilan_id);
CREATE INDEX bilan_sessions_bilan_id_index ON bilan_sessions (bilan_id);
CREATE INDEX bilan_sessions_booking_id_index ON bilan_sessions (booking_id);
CREATE INDEX bilan_sessions_noted_by_id_index ON bilan_sessions (noted_by_id);
CREATE INDEX bilan_warnings_bilan_id_index ON bilan_warnings (bilan_id);
CREATE INDEX bilan_warnings_decided_by_id_index ON bilan_warnings (decided_by_id);
ALTER TABLE formules ADD CONSTRAINT formules_slug_check CHECK (slug ~ '^[a-z0-9][a-z0-9-]*$');
ALTER TABLE formules ADD CONSTRAINT formules_minutes_check CHECK (minutes > 0);
ALTER TABLE formules ADD CONSTRAINT formules_price_check CHECK (price_cents > 0);
ALTER TABLE formules ADD CONSTRAINT formules_currency_check CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE formules ADD CONSTRAINT formules_vat_rate_check CHECK (vat_rate BETWEEN 0 AND 10000);
ALTER TABLE bilans ADD CONSTRAINT bilans_status_check CHECK (status IN ('AWAITING_FUNDING', 'FUNDED', 'IN_PROGRESS', 'COMPLETED', 'CANCELED'));
ALTER TABLE bilans ADD CONSTRAINT bilans_minutes_check CHECK (minutes_planned > 0 AND minutes_done >= 0);
ALTER TABLE bilans ADD CONSTRAINT bilans_price_check CHECK (price_cents > 0);
ALTER TABLE bilans ADD CONSTRAINT bilans_currency_check CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE bilans ADD CONSTRAINT bilans_vat_rate_check CHECK (vat_rate BETWEEN 0 AND 10000);
ALTER TABLE bilans ADD CONSTRAINT bilans_allotted_check CHECK (secured_cents >= 0 AND secured_cents <= allotted_cents AND allotted_cents <= price_cents);
ALTER TABLE bilans ADD CONSTRAINT bilans_days_check CHECK (ends_on >= starts_on);
ALTER TABLE bilans ADD CONSTRAINT bilans_completed_check CHECK ((status = 'COMPLETED') = (completed_at IS NOT NULL));
ALTER TABLE bilans ADD CONSTRAINT bilans_canceled_check CHECK ((status = 'CANCELED') = (canceled_at IS NOT NULL));
ALTER TABLE bilan_fundings ADD CONSTRAINT bilan_fundings_source_check CHECK (source IN ('OWN', 'CPF', 'EMPLOYER', 'OPCO', 'FRANCE_TRAVAIL'));
ALTER TABLE bilan_fundings ADD CONSTRAINT bilan_fundings_status_check CHECK (status IN ('PLANNED', 'AGREED', 'PAID', 'REFUNDED', 'WITHDRAWN'));
ALTER TABLE bilan_fundings ADD CONSTRAINT bilan_fundings_amount_check CHECK (amount_cents > 0);
ALTER TABLE bilan_fundings ADD CONSTRAINT bilan_fundings_currency_check CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE bilan_fundings ADD CONSTRAINT bilan_fundings_paid_check CHECK (status NOT IN ('PAID', 'REFUNDED') OR order_id IS NOT NULL AND paid_at IS NOT NULL);
ALTER TABLE bilan_agreements ADD CONSTRAINT bilan_agreements_kind_check CHECK (kind IN ('CONSENT', 'CONVENTION'));
ALTER TABLE bilan_agreements ADD CONSTRAINT bilan_agreements_status_check CHECK (status IN ('PROPOSED', 'ACCEPTED', 'REFUSED', 'LAPSED'));
ALTER TABLE bilan_agreements ADD CONSTRAINT bilan_agreements_days_check CHECK (accept_by >= proposed_on);
ALTER TABLE bilan_agreements ADD CONSTRAINT bilan_agreements_decided_check CHECK ((status = 'PROPOSED') = (decided_on IS NULL));
ALTER TABLE bilan_agreements ADD CONSTRAINT bilan_agreements_signer_check CHECK (status <> 'ACCEPTED' OR signer_name IS NOT NULL);
ALTER TABLE bilan_phases ADD CONSTRAINT bilan_phases_kind_check CHECK (kind IN ('PRELIMINARY', 'INVESTIGATION', 'CONCLUSION'));
ALTER TABLE bilan_phases ADD CONSTRAINT bilan_phases_position_check CHECK (position > 0);
ALTER TABLE bilan_sessions ADD CONSTRAINT bilan_sessions_attendance_check CHECK (attendance IN ('EXPECTED', 'ATTENDED', 'ABSENT', 'CANCELED'));
ALTER TABLE bilan_sessions ADD CONSTRAINT bilan_sessions_times_check CHECK (ends_at > starts_at);
ALTER TABLE bilan_sessions ADD CONSTRAINT bilan_sessions_minutes_check CHECK (minutes >= 0 AND (minutes = 0 OR attendance = 'ATTENDED'));
ALTER TABLE bilan_warnings ADD CONSTRAINT bilan_warnings_decision_check CHECK (num_nonnulls(decided_at, decision_reason) IN (0, 2));
CREATE INDEX bilans_by_status ON bilans (organization_id, status, id);
CREATE UNIQUE INDEX bilan_fundings_once ON bilan_fundings (organization_id, order_id);
CREATE UNIQUE INDEX bilan_fundings_own ON bilan_fundings (bilan_id) WHERE source = 'OWN' AND status = 'PLANNED';
CREATE UNIQUE INDEX bilan_agreements_one ON bilan_agreements (bilan_id, kind) WHERE status IN ('PROPOSED', 'ACCEPTED');
CREATE UNIQUE INDEX bilan_sessions_once ON bilan_sessions (organization_id, booking_id);
ALTER TABLE bilan_phases ADD CONSTRAINT bilan_phases_of UNIQUE (organization_id, bilan_id, id);
ALTER TABLE bilan_sessions DROP CONSTRAINT bilan_sessions_phase_id_fkey, ADD CONSTRAINT bilan_sessions_phase FOREIGN KEY (organization_id, bilan_id, phase_id) REFERENCES bilan_phases (organization_id, bilan_id, id);
CREATE INDEX bilan_sessions_phase_id_index ON bilan_sessions (phase_id);
ALTER TABLE orders DROP CONSTRAINT orders_kind_check, ADD CONSTRAINT orders_kind_check CHECK (kind IN ('PRODUCTS', 'SUBSCRIPTION', 'BOOKING', 'BILAN'));
CREATE FUNCTION bilan_fundings_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        stood int := 0;
        was_secure int := 0;
    BEGIN
        IF TG_OP <> 'DELETE' THEN
            stood := NEW.amount_cents * (NEW.status IN ('PLANNED', 'AGREED', 'PAID'))::int;
            was_secure := NEW.amount_cents * (NEW.status IN ('AGREED', 'PAID'))::int;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            stood := stood - OLD.amount_cents * (OLD.status IN ('PLANNED', 'AGREED', 'PAID'))::int;
            was_secure := was_secure - OLD.amount_cents * (OLD.status IN ('AGREED', 'PAID'))::int;
        END IF;
        IF stood <> 0 OR was_secure <> 0 THEN
            UPDATE bilans SET allotted_cents = allotted_cents + stood, secured_cents = secured_cents + was_secure
            WHERE id = coalesce(NEW.bilan_id, OLD.bilan_id);
        END IF;
        RETURN NULL;
    END $$;
CREATE FUNCTION bilan_sessions_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        more int := coalesce(NEW.minutes, 0) - coalesce(OLD.minutes, 0);
    BEGIN
        IF more <> 0 THEN
            UPDATE bilans SET minutes_done = minutes_done + more WHERE id = coalesce(NEW.bilan_id, OLD.bilan_id);
        END IF;
        RETURN NULL;
    END $$;
CREATE FUNCTION bookings_of_bilans() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE bilan_sessions s
        SET starts_at = a.starts_at, ends_at = a.ends_at,
            attendance = CASE WHEN b.status IN ('CANCELED', 'EXPIRED') THEN 'CANCELED'
                WHEN b.status = 'NO_SHOW' THEN 'ABSENT' WHEN b.status = 'COMPLETED' THEN 'ATTENDED'
                ELSE s.attendance END,
            minutes = CASE WHEN b.status = 'COMPLETED' THEN extract(epoch FROM a.ends_at - a.starts_at)::int / 60
                ELSE 0 END,
            noted_at = CASE WHEN b.status IN ('COMPLETED', 'NO_SHOW') THEN now() END
        FROM bookings b JOIN appointments a ON a.id = b.appointment_id
        WHERE s.booking_id = b.id AND s.attendance = 'EXPECTED'
            AND CASE TG_TABLE_NAME WHEN 'bookings' THEN b.id = NEW.id ELSE a.id = NEW.id END;
        RETURN NULL;
    END $$;
CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE ON bilan_fundings FOR EACH ROW EXECUTE FUNCTION bilan_fundings_counted();
CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE ON bilan_sessions FOR EACH ROW EXECUTE FUNCTION bilan_sessions_counted();
CREATE TRIGGER bilans_follow AFTER UPDATE ON bookings FOR EACH ROW WHEN (OLD.status <> NEW.status OR OLD.appointment_id <> NEW.appointment_id) EXECUTE FUNCTION bookings_of_bilans();
CREATE TRIGGER bilans_follow AFTER UPDATE ON appointments FOR EACH ROW WHEN (OLD.starts_at <> NEW.starts_at OR OLD.ends_at <> NEW.ends_at) EXECUTE FUNCTION bookings_of_bilans();
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON formules FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Formule', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON bilans FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Bilan', '', 'allotted_cents,secured_cents,due_cents,minutes_done');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON bilan_fundings FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('BilanFunding', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON bilan_agreements FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('BilanAgreement', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON bilan_phases FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('BilanPhase', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON bilan_sessions FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('BilanSession', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON bilan_warnings FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('BilanWarning', '', '');

-- Migration: 0039_documents
CREATE TABLE "documents" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "kind" VARCHAR(20) NOT NULL,
    "name" VARCHAR(200) NOT NULL,
    "content_type" VARCHAR(100) NOT NULL,
    "size_bytes" INT NOT NULL,
    "sha256" VARCHAR(64) NOT NULL,
    "destroyed_at" TIMESTAMPTZ,
    "added_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "bilan_id" UUID NOT NULL REFERENCES "bilans" ("id") ON DELETE RESTRICT,
    "file_id" UUID NOT NULL REFERENCES "stored_files" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "documents"."created_at" IS 'When it was made';
COMMENT ON COLUMN "documents"."kind" IS 'What it is';
COMMENT ON COLUMN "documents"."name" IS 'What it is called; of what was destroyed, what it was';
COMMENT ON COLUMN "documents"."content_type" IS 'What it is (IANA media type)';
COMMENT ON COLUMN "documents"."size_bytes" IS 'How large it is, in bytes';
COMMENT ON COLUMN "documents"."sha256" IS 'SHA-256 of its content, hexadecimal';
COMMENT ON COLUMN "documents"."destroyed_at" IS 'When it was destroyed: nobody can open it any more';
COMMENT ON COLUMN "documents"."added_by_id" IS 'Who added it';
COMMENT ON COLUMN "documents"."bilan_id" IS 'The bilan that it is of';
COMMENT ON COLUMN "documents"."file_id" IS 'How it is kept';
COMMENT ON COLUMN "documents"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "documents" IS 'A document of a bilan. Its content is a stored file, which only some may open.';
CREATE TABLE "destruction_records" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "kind" VARCHAR(20) NOT NULL,
    "sha256" VARCHAR(64) NOT NULL,
    "reason" VARCHAR(20) NOT NULL,
    "destroyed_at" TIMESTAMPTZ NOT NULL,
    "deleted_at" TIMESTAMPTZ,
    "destroyed_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "document_id" UUID NOT NULL REFERENCES "documents" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "destruction_records"."created_at" IS 'When it was made';
COMMENT ON COLUMN "destruction_records"."kind" IS 'What it was';
COMMENT ON COLUMN "destruction_records"."sha256" IS 'SHA-256 of what it held, hexadecimal';
COMMENT ON COLUMN "destruction_records"."reason" IS 'Why';
COMMENT ON COLUMN "destruction_records"."destroyed_at" IS 'When its key was destroyed: from then on nobody can read it';
COMMENT ON COLUMN "destruction_records"."deleted_at" IS 'When the store had deleted what was left';
COMMENT ON COLUMN "destruction_records"."destroyed_by_id" IS 'Who did it; null: a clock';
COMMENT ON COLUMN "destruction_records"."document_id" IS 'What was destroyed';
COMMENT ON COLUMN "destruction_records"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "destruction_records" IS 'That a document was destroyed, when, why and by whom. Only when the store had deleted it follows.';
CREATE TABLE "document_shares" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "recipient_name" VARCHAR(200) NOT NULL,
    "recipient_email" VARCHAR(254) NOT NULL,
    "statement" TEXT NOT NULL,
    "consented_at" TIMESTAMPTZ NOT NULL,
    "expires_at" TIMESTAMPTZ NOT NULL,
    "revoked_at" TIMESTAMPTZ,
    "consent_document_id" UUID REFERENCES "documents" ("id") ON DELETE RESTRICT,
    "consented_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "document_id" UUID NOT NULL REFERENCES "documents" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "recorded_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "document_shares"."created_at" IS 'When it was made';
COMMENT ON COLUMN "document_shares"."recipient_name" IS 'Who may open it';
COMMENT ON COLUMN "document_shares"."recipient_email" IS 'Their address';
COMMENT ON COLUMN "document_shares"."statement" IS 'What the beneficiary agreed to, word for word';
COMMENT ON COLUMN "document_shares"."consented_at" IS 'When they agreed';
COMMENT ON COLUMN "document_shares"."expires_at" IS 'Until when it may be opened';
COMMENT ON COLUMN "document_shares"."revoked_at" IS 'When it was taken back';
COMMENT ON COLUMN "document_shares"."consent_document_id" IS 'What they signed; null where they agreed here';
COMMENT ON COLUMN "document_shares"."consented_by_id" IS 'The beneficiary, who agreed here; null where it was on paper';
COMMENT ON COLUMN "document_shares"."document_id" IS 'The document';
COMMENT ON COLUMN "document_shares"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "document_shares"."recorded_by_id" IS 'Who noted it';
COMMENT ON TABLE "document_shares" IS 'Somebody else may open a document, for a while, as its beneficiary agreed in writing. It is not changed, only';
CREATE TABLE "document_accesses" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "granted" BOOL NOT NULL,
    "reason" VARCHAR(500),
    "requester" VARCHAR(200),
    "address" VARCHAR(64),
    "document_id" UUID NOT NULL REFERENCES "documents" ("id") ON DELETE RESTRICT,
    "membership_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "share_id" UUID REFERENCES "document_shares" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "document_accesses"."created_at" IS 'When it was made';
COMMENT ON COLUMN "document_accesses"."granted" IS 'Whether they were let in';
COMMENT ON COLUMN "document_accesses"."reason" IS 'Why they were refused';
COMMENT ON COLUMN "document_accesses"."requester" IS 'Who asked, where it was nobody of the organization';
COMMENT ON COLUMN "document_accesses"."address" IS 'The network address from which it was opened';
COMMENT ON COLUMN "document_accesses"."document_id" IS 'The document';
COMMENT ON COLUMN "document_accesses"."membership_id" IS 'Who asked, or noted that somebody did';
COMMENT ON COLUMN "document_accesses"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "document_accesses"."share_id" IS 'The share by which it was opened';
COMMENT ON TABLE "document_accesses" IS 'Somebody opened a document, or asked for it and was refused. It is not changed.';
ALTER TABLE documents DROP CONSTRAINT documents_organization_id_fkey, ADD CONSTRAINT documents_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT documents_tenant UNIQUE (organization_id, id);
ALTER TABLE document_shares DROP CONSTRAINT document_shares_organization_id_fkey, ADD CONSTRAINT document_shares_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT document_shares_tenant UNIQUE (organization_id, id);
ALTER TABLE document_accesses DROP CONSTRAINT document_accesses_organization_id_fkey, ADD CONSTRAINT document_accesses_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT document_accesses_tenant UNIQUE (organization_id, id);
ALTER TABLE destruction_records DROP CONSTRAINT destruction_records_organization_id_fkey, ADD CONSTRAINT destruction_records_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT destruction_records_tenant UNIQUE (organization_id, id);
ALTER TABLE documents DROP CONSTRAINT documents_bilan_id_fkey, ADD CONSTRAINT documents_bilan_id FOREIGN KEY (organization_id, bilan_id) REFERENCES bilans (organization_id, id);
ALTER TABLE documents DROP CONSTRAINT documents_file_id_fkey, ADD CONSTRAINT documents_file_id FOREIGN KEY (organization_id, file_id) REFERENCES stored_files (organization_id, id);
ALTER TABLE documents DROP CONSTRAINT documents_added_by_id_fkey, ADD CONSTRAINT documents_added_by_id FOREIGN KEY (organization_id, added_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE document_shares DROP CONSTRAINT document_shares_document_id_fkey, ADD CONSTRAINT document_shares_document_id FOREIGN KEY (organization_id, document_id) REFERENCES documents (organization_id, id);
ALTER TABLE document_shares DROP CONSTRAINT document_shares_consented_by_id_fkey, ADD CONSTRAINT document_shares_consented_by_id FOREIGN KEY (organization_id, consented_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE document_shares DROP CONSTRAINT document_shares_consent_document_id_fkey, ADD CONSTRAINT document_shares_consent_document_id FOREIGN KEY (organization_id, consent_document_id) REFERENCES documents (organization_id, id);
ALTER TABLE document_shares DROP CONSTRAINT document_shares_recorded_by_id_fkey, ADD CONSTRAINT document_shares_recorded_by_id FOREIGN KEY (organization_id, recorded_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE document_accesses DROP CONSTRAINT document_accesses_document_id_fkey, ADD CONSTRAINT document_accesses_document_id FOREIGN KEY (organization_id, document_id) REFERENCES documents (organization_id, id);
ALTER TABLE document_accesses DROP CONSTRAINT document_accesses_membership_id_fkey, ADD CONSTRAINT document_accesses_membership_id FOREIGN KEY (organization_id, membership_id) REFERENCES memberships (organization_id, id);
ALTER TABLE document_accesses DROP CONSTRAINT document_accesses_share_id_fkey, ADD CONSTRAINT document_accesses_share_id FOREIGN KEY (organization_id, share_id) REFERENCES document_shares (organization_id, id);
ALTER TABLE destruction_records DROP CONSTRAINT destruction_records_document_id_fkey, ADD CONSTRAINT destruction_records_document_id FOREIGN KEY (organization_id, document_id) REFERENCES documents (organization_id, id);
ALTER TABLE destruction_records DROP CONSTRAINT destruction_records_destroyed_by_id_fkey, ADD CONSTRAINT destruction_records_destroyed_by_id FOREIGN KEY (organization_id, destroyed_by_id) REFERENCES memberships (organization_id, id);
CREATE INDEX documents_bilan_id_index ON documents (bilan_id);
CREATE INDEX documents_added_by_id_index ON documents (added_by_id);
CREATE INDEX document_shares_document_id_index ON document_shares (document_id);
CREATE INDEX document_shares_consented_by_id_index ON document_shares (consented_by_id);
CREATE INDEX document_shares_consent_document_id_index ON document_shares (consent_document_id);
CREATE INDEX document_shares_recorded_by_id_index ON document_shares (recorded_by_id);
CREATE INDEX document_accesses_document_id_index ON document_accesses (document_id);
CREATE INDEX document_accesses_membership_id_index ON document_accesses (membership_id);
CREATE INDEX document_accesses_share_id_index ON document_accesses (share_id);
CREATE INDEX destruction_records_destroyed_by_id_index ON destruction_records (destroyed_by_id);
ALTER TABLE documents ADD CONSTRAINT documents_kind_check CHECK (kind IN ('SYNTHESIS', 'CONVENTION', 'CONSENT', 'EVIDENCE', 'OTHER')), ADD CONSTRAINT documents_digest_check CHECK (sha256 ~ '^[0-9a-f]{64}$'), ADD CONSTRAINT documents_size_check CHECK (size_bytes >= 0), ADD CONSTRAINT documents_file UNIQUE (file_id);
ALTER TABLE document_shares ADD CONSTRAINT document_shares_consent_check CHECK (num_nonnulls(consented_by_id, consent_document_id) > 0);
ALTER TABLE document_accesses ADD CONSTRAINT document_accesses_reason_check CHECK (granted = (reason IS NULL)), ADD CONSTRAINT document_accesses_who_check CHECK (num_nonnulls(membership_id, share_id) > 0);
ALTER TABLE destruction_records ADD CONSTRAINT destruction_records_kind_check CHECK (kind IN ('SYNTHESIS', 'CONVENTION', 'CONSENT', 'EVIDENCE', 'OTHER')), ADD CONSTRAINT destruction_records_digest_check CHECK (sha256 ~ '^[0-9a-f]{64}$'), ADD CONSTRAINT destruction_records_reason_check CHECK (reason IN ('END_OF_BILAN', 'THREE_YEARS', 'ERASURE', 'MISTAKE')), ADD CONSTRAINT destruction_records_one UNIQUE (document_id);
CREATE FUNCTION kept() RETURNS trigger AS $$
    BEGIN
        RAISE EXCEPTION '% are kept as they are: % is refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END
    $$ LANGUAGE plpgsql;
CREATE TRIGGER kept BEFORE UPDATE ON documents FOR EACH ROW WHEN (OLD.destroyed_at IS NOT NULL) EXECUTE FUNCTION kept();
CREATE TRIGGER kept BEFORE UPDATE ON stored_files FOR EACH ROW WHEN (OLD.destroyed_at IS NOT NULL AND (NEW.data_key IS NOT NULL OR NEW.destroyed_at IS DISTINCT FROM OLD.destroyed_at)) EXECUTE FUNCTION kept();
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON document_accesses FOR EACH ROW EXECUTE FUNCTION kept();
CREATE TRIGGER kept_whole BEFORE DELETE ON destruction_records FOR EACH ROW EXECUTE FUNCTION kept();
CREATE TRIGGER kept BEFORE UPDATE ON destruction_records FOR EACH ROW WHEN (to_jsonb(OLD) - 'deleted_at' IS DISTINCT FROM to_jsonb(NEW) - 'deleted_at') EXECUTE FUNCTION kept();
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON documents FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Document', '', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON document_shares FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('DocumentShare', '', '');

-- Migration: 0040_who_was_told
ALTER TABLE appointments ADD COLUMN staff_told_id uuid;
UPDATE appointments SET staff_told_id = staff_id WHERE staff_told_sequence IS NOT NULL;
ALTER TABLE calendar_feeds ADD COLUMN etag varchar(34), ADD COLUMN changed_at timestamptz, ADD CONSTRAINT calendar_feeds_changed_check CHECK ((etag IS NULL) = (changed_at IS NULL));
ALTER TABLE bookings ADD COLUMN holds smallint NOT NULL DEFAULT 0, ADD CONSTRAINT bookings_holds_check CHECK (holds >= 0);

-- Migration: 0041_client_imports
CREATE TABLE "client_imports" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "filename" VARCHAR(200) NOT NULL,
    "status" VARCHAR(10) NOT NULL,
    "dry_run" BOOL NOT NULL,
    "on_existing" VARCHAR(10) NOT NULL,
    "on_broken" VARCHAR(10) NOT NULL,
    "mapping" JSONB NOT NULL,
    "columns" JSONB NOT NULL,
    "encoding" VARCHAR(20),
    "delimiter" VARCHAR(1),
    "total" INT NOT NULL,
    "done" INT NOT NULL,
    "created" INT NOT NULL,
    "updated" INT NOT NULL,
    "unchanged" INT NOT NULL,
    "broken" INT NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "file_id" UUID NOT NULL REFERENCES "stored_files" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "requested_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "client_imports"."created_at" IS 'When it was made';
COMMENT ON COLUMN "client_imports"."filename" IS 'What the file was called';
COMMENT ON COLUMN "client_imports"."status" IS 'How far it is';
COMMENT ON COLUMN "client_imports"."dry_run" IS 'Whether lines are only looked at';
COMMENT ON COLUMN "client_imports"."on_existing" IS 'What happens to clients who are there already';
COMMENT ON COLUMN "client_imports"."on_broken" IS 'What happens where lines are wrong';
COMMENT ON COLUMN "client_imports"."mapping" IS 'What columns say, as asked, by heading';
COMMENT ON COLUMN "client_imports"."columns" IS 'What each column was taken for, [heading, field or null]; none until it is read';
COMMENT ON COLUMN "client_imports"."encoding" IS 'How its characters are written; null until it is read';
COMMENT ON COLUMN "client_imports"."delimiter" IS 'What stands between its cells; null until it is read';
COMMENT ON COLUMN "client_imports"."total" IS 'How many lines there are, about, until all are read';
COMMENT ON COLUMN "client_imports"."done" IS 'How many of them are looked at, or imported';
COMMENT ON COLUMN "client_imports"."created" IS 'How many clients were made, or would be';
COMMENT ON COLUMN "client_imports"."updated" IS 'How many clients were changed, or would be';
COMMENT ON COLUMN "client_imports"."unchanged" IS 'How many clients were there already, and stayed as they are';
COMMENT ON COLUMN "client_imports"."broken" IS 'How many lines are wrong';
COMMENT ON COLUMN "client_imports"."finished_at" IS 'When it was done, refused or failed';
COMMENT ON COLUMN "client_imports"."file_id" IS 'How it is kept';
COMMENT ON COLUMN "client_imports"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "client_imports"."requested_by_id" IS 'Who asked for it; null for a server';
COMMENT ON TABLE "client_imports" IS 'Clients from a CSV file: first each line is looked at, then they are written, unless only that was asked.';
CREATE TABLE "client_import_lines" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "line" INT NOT NULL,
    "last_line" INT NOT NULL,
    "heading" VARCHAR(100),
    "value" VARCHAR(100),
    "problem" VARCHAR(20) NOT NULL,
    "first_line" INT,
    "client_import_id" UUID NOT NULL REFERENCES "client_imports" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "client_import_lines"."created_at" IS 'When it was made';
COMMENT ON COLUMN "client_import_lines"."line" IS 'Where it begins in the file; the first is 1';
COMMENT ON COLUMN "client_import_lines"."last_line" IS 'Where it ends: values may go over several';
COMMENT ON COLUMN "client_import_lines"."heading" IS 'The column, as the file calls it; null for all of the line';
COMMENT ON COLUMN "client_import_lines"."value" IS 'What it says, cut';
COMMENT ON COLUMN "client_import_lines"."problem" IS 'What is wrong';
COMMENT ON COLUMN "client_import_lines"."first_line" IS 'Of what comes twice, the line where it comes first';
COMMENT ON COLUMN "client_import_lines"."client_import_id" IS 'The import';
COMMENT ON COLUMN "client_import_lines"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "client_import_lines" IS 'What is wrong with a line of an import.';
ALTER TABLE client_imports DROP CONSTRAINT client_imports_organization_id_fkey, ADD CONSTRAINT client_imports_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT client_imports_tenant UNIQUE (organization_id, id);
ALTER TABLE client_import_lines DROP CONSTRAINT client_import_lines_organization_id_fkey, ADD CONSTRAINT client_import_lines_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT client_import_lines_tenant UNIQUE (organization_id, id);
ALTER TABLE client_imports DROP CONSTRAINT client_imports_file_id_fkey, ADD CONSTRAINT client_imports_file_id FOREIGN KEY (organization_id, file_id) REFERENCES stored_files (organization_id, id);
ALTER TABLE client_imports DROP CONSTRAINT client_imports_requested_by_id_fkey, ADD CONSTRAINT client_imports_requested_by_id FOREIGN KEY (organization_id, requested_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE client_import_lines DROP CONSTRAINT client_import_lines_client_import_id_fkey, ADD CONSTRAINT client_import_lines_client_import_id FOREIGN KEY (organization_id, client_import_id) REFERENCES client_imports (organization_id, id);
ALTER TABLE client_imports ADD CONSTRAINT client_imports_status_check CHECK (status IN ('PENDING', 'CHECKING', 'IMPORTING', 'CHECKED', 'IMPORTED', 'REFUSED', 'FAILED')), ADD CONSTRAINT client_imports_on_existing_check CHECK (on_existing IN ('SKIP', 'FILL', 'OVERWRITE')), ADD CONSTRAINT client_imports_on_broken_check CHECK (on_broken IN ('REFUSE', 'LEAVE_OUT')), ADD CONSTRAINT client_imports_progress_check CHECK (least(total, done, created, updated, unchanged, broken) >= 0), ADD CONSTRAINT client_imports_finished_check CHECK ((finished_at IS NULL) = (status IN ('PENDING', 'CHECKING', 'IMPORTING'))), ADD CONSTRAINT client_imports_dry_run_check CHECK ((status <> 'CHECKED' OR dry_run) AND (status NOT IN ('IMPORTING', 'IMPORTED', 'REFUSED') OR NOT dry_run)), ADD CONSTRAINT client_imports_file UNIQUE (file_id);
CREATE UNIQUE INDEX client_imports_under_way ON client_imports (organization_id) WHERE status IN ('PENDING', 'CHECKING', 'IMPORTING');
CREATE INDEX client_imports_requested_by_id_index ON client_imports (requested_by_id);
ALTER TABLE client_import_lines ADD CONSTRAINT client_import_lines_problem_check CHECK (problem IN ('EMPTY', 'LINE_TOO_LONG', 'TOO_MANY_LINES', 'NO_EMAIL_COLUMN', 'UNKNOWN_COLUMN', 'COLUMN_TWICE', 'FILE_GONE', 'MALFORMED', 'TOO_MANY_CELLS', 'MISSING', 'EMAIL', 'PHONE', 'SIREN', 'VAT_NUMBER', 'COUNTRY', 'LANGUAGE', 'TOO_LONG', 'CHARACTERS', 'FORMULA', 'DISAGREES', 'DUPLICATE')), ADD CONSTRAINT client_import_lines_line_check CHECK (line > 0 AND last_line >= line), ADD CONSTRAINT client_import_lines_first_check CHECK ((first_line IS NOT NULL) = (problem = 'DUPLICATE'));
CREATE INDEX client_import_lines_of_import ON client_import_lines (client_import_id, line, id);
CREATE INDEX client_import_lines_created_at ON client_import_lines (created_at);
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON client_imports FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('ClientImport', '', 'columns,encoding,delimiter,total,done,created,updated,unchanged,broken');
CREATE TRIGGER client_imports_created AFTER INSERT ON client_imports FOR EACH ROW EXECUTE FUNCTION note_change('CREATED');
CREATE TRIGGER client_imports_changed AFTER UPDATE ON client_imports FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION note_change('CHANGED');

-- Migration: 0042_client_search
CREATE OR REPLACE FUNCTION searchable(names text, email text, phone text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN concat(
        ' ', trim(regexp_replace(public.folded(names), '[\s!-/:-@[-`{-~]+', ' ', 'g')), ' ', public.folded(email), ' ',
        substr(phone, 2), ' '
    );
CREATE FUNCTION search_pattern(word text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN length(word) < 3 THEN '% ' ELSE '%' END
        || regexp_replace(public.folded(word), '([\\%_])', '\\\1', 'g') || '%';
UPDATE clients SET search_text = '';
DROP TRIGGER quotes_stand ON quotes;
CREATE TRIGGER quotes_stand AFTER UPDATE OF series_id, number, year, sequence, version, currency, subtotal_cents, discount_cents, discount_reason, total_cents, deposit_cents, live, note, valid_until, expires_at, content, content_sha256, message_id, sent_at ON quotes FOR EACH ROW WHEN (OLD.sent_at IS NOT NULL AND (OLD.series_id, OLD.number, OLD.year, OLD.sequence, OLD.version, OLD.currency, OLD.subtotal_cents, OLD.discount_cents, OLD.discount_reason, OLD.total_cents, OLD.deposit_cents, OLD.live, OLD.note, OLD.valid_until, OLD.expires_at, OLD.content, OLD.content_sha256, OLD.message_id, OLD.sent_at) IS DISTINCT FROM (NEW.series_id, NEW.number, NEW.year, NEW.sequence, NEW.version, NEW.currency, NEW.subtotal_cents, NEW.discount_cents, NEW.discount_reason, NEW.total_cents, NEW.deposit_cents, NEW.live, NEW.note, NEW.valid_until, NEW.expires_at, NEW.content, NEW.content_sha256, NEW.message_id, NEW.sent_at)) EXECUTE FUNCTION quote_stands();
CREATE TRIGGER quotes_client_stands AFTER UPDATE OF client_id ON quotes FOR EACH ROW WHEN (OLD.sent_at IS NOT NULL AND OLD.client_id <> NEW.client_id AND current_setting('comptoir.merging', true) IS DISTINCT FROM OLD.client_id::text) EXECUTE FUNCTION quote_stands();

-- Migration: 0043_opportunities
CREATE TABLE "opportunities" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "title" VARCHAR(200) NOT NULL,
    "description" VARCHAR(2000),
    "stage" VARCHAR(20) NOT NULL,
    "amount_cents" INT,
    "deposit_cents" INT NOT NULL,
    "currency" VARCHAR(3) NOT NULL,
    "vat_rate" INT NOT NULL,
    "probability" INT NOT NULL,
    "expected_on" DATE,
    "won_at" TIMESTAMPTZ,
    "lost_at" TIMESTAMPTZ,
    "lost_reason" VARCHAR(500),
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "order_id" UUID REFERENCES "orders" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "owner_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "product_id" UUID REFERENCES "products" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "opportunities"."created_at" IS 'When it was made';
COMMENT ON COLUMN "opportunities"."title" IS 'What it is, in a line; once won, the client reads it';
COMMENT ON COLUMN "opportunities"."description" IS 'More of it; the client does not read it';
COMMENT ON COLUMN "opportunities"."stage" IS 'How far it has come';
COMMENT ON COLUMN "opportunities"."amount_cents" IS 'What it comes to, TTC, in minor units; null until known';
COMMENT ON COLUMN "opportunities"."deposit_cents" IS 'To be paid first, TTC, in minor units; 0 for no deposit';
COMMENT ON COLUMN "opportunities"."currency" IS 'Currency of every amount';
COMMENT ON COLUMN "opportunities"."vat_rate" IS 'VAT rate in hundredths of a percent: 2000 is 20 %';
COMMENT ON COLUMN "opportunities"."probability" IS 'How likely it is to be won, in percent, 0 to 100';
COMMENT ON COLUMN "opportunities"."expected_on" IS 'The day by which it should be decided';
COMMENT ON COLUMN "opportunities"."won_at" IS 'When it was won';
COMMENT ON COLUMN "opportunities"."lost_at" IS 'When it was lost';
COMMENT ON COLUMN "opportunities"."lost_reason" IS 'Why it was lost';
COMMENT ON COLUMN "opportunities"."client_id" IS 'Who may buy';
COMMENT ON COLUMN "opportunities"."order_id" IS 'The order by which it is paid';
COMMENT ON COLUMN "opportunities"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "opportunities"."owner_id" IS 'Who sees to it';
COMMENT ON COLUMN "opportunities"."product_id" IS 'What stands for it on orders';
COMMENT ON TABLE "opportunities" IS 'Something that a client may buy, at an amount TTC that is known sooner or later.';
CREATE TABLE "opportunity_moves" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "from_stage" VARCHAR(20),
    "to_stage" VARCHAR(20) NOT NULL,
    "reason" VARCHAR(500),
    "author_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "opportunity_id" UUID NOT NULL REFERENCES "opportunities" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "opportunity_moves"."created_at" IS 'When it was made';
COMMENT ON COLUMN "opportunity_moves"."from_stage" IS 'Where it stood before; null at its beginning';
COMMENT ON COLUMN "opportunity_moves"."to_stage" IS 'Where it stands since';
COMMENT ON COLUMN "opportunity_moves"."reason" IS 'Why it was lost';
COMMENT ON COLUMN "opportunity_moves"."author_id" IS 'Who moved it; null for the client, and for a key';
COMMENT ON COLUMN "opportunity_moves"."opportunity_id" IS 'The opportunity';
COMMENT ON COLUMN "opportunity_moves"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "opportunity_moves" IS 'That an opportunity came from one stage to another, who moved it, and when.';
ALTER TABLE "quotes" ADD COLUMN "opportunity_id" UUID REFERENCES "opportunities" ("id") ON DELETE RESTRICT;
ALTER TABLE opportunities DROP CONSTRAINT opportunities_organization_id_fkey, ADD CONSTRAINT opportunities_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT opportunities_tenant UNIQUE (organization_id, id);
ALTER TABLE opportunity_moves DROP CONSTRAINT opportunity_moves_organization_id_fkey, ADD CONSTRAINT opportunity_moves_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT opportunity_moves_tenant UNIQUE (organization_id, id);
ALTER TABLE opportunities DROP CONSTRAINT opportunities_client_id_fkey, ADD CONSTRAINT opportunities_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE opportunities DROP CONSTRAINT opportunities_owner_id_fkey, ADD CONSTRAINT opportunities_owner_id FOREIGN KEY (organization_id, owner_id) REFERENCES memberships (organization_id, id);
ALTER TABLE opportunities DROP CONSTRAINT opportunities_product_id_fkey, ADD CONSTRAINT opportunities_product_id FOREIGN KEY (organization_id, product_id) REFERENCES products (organization_id, id);
ALTER TABLE opportunities DROP CONSTRAINT opportunities_order_id_fkey, ADD CONSTRAINT opportunities_order_id FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id);
ALTER TABLE opportunity_moves DROP CONSTRAINT opportunity_moves_opportunity_id_fkey, ADD CONSTRAINT opportunity_moves_opportunity_id FOREIGN KEY (organization_id, opportunity_id) REFERENCES opportunities (organization_id, id);
ALTER TABLE opportunity_moves DROP CONSTRAINT opportunity_moves_author_id_fkey, ADD CONSTRAINT opportunity_moves_author_id FOREIGN KEY (organization_id, author_id) REFERENCES memberships (organization_id, id);
ALTER TABLE quotes DROP CONSTRAINT quotes_opportunity_id_fkey, ADD CONSTRAINT quotes_opportunity_id FOREIGN KEY (organization_id, opportunity_id) REFERENCES opportunities (organization_id, id);
ALTER TABLE opportunities ADD CONSTRAINT opportunities_stage_check CHECK (stage IN ('LEAD', 'QUALIFIED', 'PROPOSAL', 'NEGOTIATION', 'WON', 'LOST'));
ALTER TABLE opportunities ADD CONSTRAINT opportunities_amount_check CHECK (amount_cents > 0);
ALTER TABLE opportunities ADD CONSTRAINT opportunities_deposit_check CHECK (deposit_cents = 0 OR deposit_cents > 0 AND deposit_cents < amount_cents);
ALTER TABLE opportunities ADD CONSTRAINT opportunities_currency_check CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE opportunities ADD CONSTRAINT opportunities_vat_rate_check CHECK (vat_rate BETWEEN 0 AND 10000);
ALTER TABLE opportunities ADD CONSTRAINT opportunities_probability_check CHECK (probability BETWEEN 0 AND 100);
ALTER TABLE opportunities ADD CONSTRAINT opportunities_won_check CHECK ((stage = 'WON') = (won_at IS NOT NULL));
ALTER TABLE opportunities ADD CONSTRAINT opportunities_lost_check CHECK ((stage = 'LOST') = (lost_at IS NOT NULL) AND num_nonnulls(lost_at, lost_reason) IN (0, 2));
ALTER TABLE opportunity_moves ADD CONSTRAINT opportunity_moves_from_stage_check CHECK (from_stage IN ('LEAD', 'QUALIFIED', 'PROPOSAL', 'NEGOTIATION', 'WON', 'LOST'));
ALTER TABLE opportunity_moves ADD CONSTRAINT opportunity_moves_to_stage_check CHECK (to_stage IN ('LEAD', 'QUALIFIED', 'PROPOSAL', 'NEGOTIATION', 'WON', 'LOST'));
ALTER TABLE opportunity_moves ADD CONSTRAINT opportunity_moves_stages_check CHECK (from_stage <> to_stage);
ALTER TABLE opportunity_moves ADD CONSTRAINT opportunity_moves_reason_check CHECK ((to_stage = 'LOST') = (reason IS NOT NULL));
ALTER TABLE conflicts DROP CONSTRAINT conflicts_kind_check, ADD CONSTRAINT conflicts_kind_check CHECK (kind IN ('AMOUNT_MISMATCH', 'DUPLICATE_PAYMENT', 'OVERPAID', 'CANCELED_ORDER_PAID', 'REACTION_FAILED', 'UNKNOWN_SALE', 'REFUND_FAILED', 'INVOICE_INCOMPLETE', 'DISPUTE_LOST', 'SLOT_LOST', 'REFUND_DUE', 'OPPORTUNITY_LOST'));
ALTER TABLE orders DROP CONSTRAINT orders_kind_check, ADD CONSTRAINT orders_kind_check CHECK (kind IN ('PRODUCTS', 'SUBSCRIPTION', 'BOOKING', 'BILAN', 'OPPORTUNITY'));
CREATE INDEX opportunities_board ON opportunities (organization_id, stage, id);
CREATE INDEX opportunities_of_client ON opportunities (client_id, id);
CREATE INDEX opportunities_of_owner ON opportunities (owner_id, id);
CREATE INDEX opportunities_product_id_index ON opportunities (product_id);
CREATE UNIQUE INDEX opportunities_once ON opportunities (organization_id, order_id);
CREATE INDEX opportunities_order_id_index ON opportunities (order_id);
CREATE INDEX opportunity_moves_of_opportunity ON opportunity_moves (opportunity_id, id);
CREATE INDEX opportunity_moves_author_id_index ON opportunity_moves (author_id);
CREATE INDEX quotes_opportunity_id_index ON quotes (opportunity_id);
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON opportunities FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Opportunity', '', 'title,description,lost_reason');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON opportunity_moves FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('OpportunityMove', '', 'reason');

-- Migration: 0044_quality
CREATE TABLE "quality_proofs" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "indicator" INT NOT NULL,
    "kind" VARCHAR(20) NOT NULL,
    "title" VARCHAR(200) NOT NULL,
    "description" VARCHAR(2000),
    "happened_on" DATE NOT NULL,
    "added_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "bilan_id" UUID REFERENCES "bilans" ("id") ON DELETE RESTRICT,
    "document_id" UUID REFERENCES "documents" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "quality_proofs"."created_at" IS 'When it was made';
COMMENT ON COLUMN "quality_proofs"."indicator" IS 'Which indicator of the référentiel, 1 to 32';
COMMENT ON COLUMN "quality_proofs"."kind" IS 'What it is';
COMMENT ON COLUMN "quality_proofs"."title" IS 'What it shows, in a line';
COMMENT ON COLUMN "quality_proofs"."description" IS 'What there is to say of it';
COMMENT ON COLUMN "quality_proofs"."happened_on" IS 'The day on which it happened, or of which it is';
COMMENT ON COLUMN "quality_proofs"."added_by_id" IS 'Who added it';
COMMENT ON COLUMN "quality_proofs"."bilan_id" IS 'The bilan that it is of; null: of the organization';
COMMENT ON COLUMN "quality_proofs"."document_id" IS 'The document that shows it';
COMMENT ON COLUMN "quality_proofs"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "quality_proofs" IS 'Something that shows that an indicator is met, of a bilan or the organization.';
CREATE TABLE "quality_exports" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "starts_on" DATE NOT NULL,
    "ends_on" DATE NOT NULL,
    "total" INT NOT NULL,
    "done" INT NOT NULL,
    "error" VARCHAR(500),
    "finished_at" TIMESTAMPTZ,
    "file_id" UUID REFERENCES "stored_files" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "requested_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "quality_exports"."created_at" IS 'When it was made';
COMMENT ON COLUMN "quality_exports"."status" IS 'How far it is';
COMMENT ON COLUMN "quality_exports"."starts_on" IS 'The first day, where the organization is';
COMMENT ON COLUMN "quality_exports"."ends_on" IS 'The last day';
COMMENT ON COLUMN "quality_exports"."total" IS 'How many pieces it has';
COMMENT ON COLUMN "quality_exports"."done" IS 'How many of them are in it';
COMMENT ON COLUMN "quality_exports"."error" IS 'Why it could not be made';
COMMENT ON COLUMN "quality_exports"."finished_at" IS 'When it was ready, or failed';
COMMENT ON COLUMN "quality_exports"."file_id" IS 'How it is kept';
COMMENT ON COLUMN "quality_exports"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "quality_exports"."requested_by_id" IS 'Who asked for it';
COMMENT ON TABLE "quality_exports" IS 'What an auditor is given of a period: evidence by indicator, with an index.';
CREATE TABLE "surveys" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "kind" VARCHAR(20) NOT NULL,
    "due_at" TIMESTAMPTZ NOT NULL,
    "sent_at" TIMESTAMPTZ,
    "answered_at" TIMESTAMPTZ,
    "satisfaction" INT,
    "objectives" INT,
    "accompaniment" INT,
    "recommends" INT,
    "comment" VARCHAR(2000),
    "bilan_id" UUID NOT NULL REFERENCES "bilans" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    CONSTRAINT "uid_surveys_bilan_i_fdc8e9" UNIQUE ("bilan_id", "kind")
);
COMMENT ON COLUMN "surveys"."created_at" IS 'When it was made';
COMMENT ON COLUMN "surveys"."kind" IS 'When they are asked';
COMMENT ON COLUMN "surveys"."due_at" IS 'From when on they are asked';
COMMENT ON COLUMN "surveys"."sent_at" IS 'When they were written to last';
COMMENT ON COLUMN "surveys"."answered_at" IS 'When they answered';
COMMENT ON COLUMN "surveys"."satisfaction" IS 'How content they are, 1 to 5';
COMMENT ON COLUMN "surveys"."objectives" IS 'How far their objectives were reached, 1 to 5';
COMMENT ON COLUMN "surveys"."accompaniment" IS 'How well they were accompanied, 1 to 5';
COMMENT ON COLUMN "surveys"."recommends" IS 'How likely they recommend it, 0 to 10';
COMMENT ON COLUMN "surveys"."comment" IS 'What else they say';
COMMENT ON COLUMN "surveys"."bilan_id" IS 'The bilan';
COMMENT ON COLUMN "surveys"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "surveys" IS 'What a beneficiary thinks of their bilan, asked by a letter and answered once.';
ALTER TABLE surveys DROP CONSTRAINT surveys_organization_id_fkey, ADD CONSTRAINT surveys_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT surveys_tenant UNIQUE (organization_id, id);
ALTER TABLE quality_proofs DROP CONSTRAINT quality_proofs_organization_id_fkey, ADD CONSTRAINT quality_proofs_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT quality_proofs_tenant UNIQUE (organization_id, id);
ALTER TABLE quality_exports DROP CONSTRAINT quality_exports_organization_id_fkey, ADD CONSTRAINT quality_exports_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT quality_exports_tenant UNIQUE (organization_id, id);
ALTER TABLE surveys DROP CONSTRAINT surveys_bilan_id_fkey, ADD CONSTRAINT surveys_bilan_id FOREIGN KEY (organization_id, bilan_id) REFERENCES bilans (organization_id, id);
ALTER TABLE quality_proofs DROP CONSTRAINT quality_proofs_bilan_id_fkey, ADD CONSTRAINT quality_proofs_bilan_id FOREIGN KEY (organization_id, bilan_id) REFERENCES bilans (organization_id, id);
ALTER TABLE quality_proofs DROP CONSTRAINT quality_proofs_document_id_fkey, ADD CONSTRAINT quality_proofs_document_id FOREIGN KEY (organization_id, document_id) REFERENCES documents (organization_id, id);
ALTER TABLE quality_proofs DROP CONSTRAINT quality_proofs_added_by_id_fkey, ADD CONSTRAINT quality_proofs_added_by_id FOREIGN KEY (organization_id, added_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE quality_exports DROP CONSTRAINT quality_exports_requested_by_id_fkey, ADD CONSTRAINT quality_exports_requested_by_id FOREIGN KEY (organization_id, requested_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE quality_exports DROP CONSTRAINT quality_exports_file_id_fkey, ADD CONSTRAINT quality_exports_file_id FOREIGN KEY (organization_id, file_id) REFERENCES stored_files (organization_id, id);
CREATE INDEX surveys_bilan_id_index ON surveys (bilan_id);
CREATE INDEX quality_proofs_bilan_id_index ON quality_proofs (bilan_id);
CREATE INDEX quality_proofs_document_id_index ON quality_proofs (document_id);
CREATE INDEX quality_proofs_added_by_id_index ON quality_proofs (added_by_id);
CREATE INDEX quality_exports_requested_by_id_index ON quality_exports (requested_by_id);
CREATE INDEX quality_exports_file_id_index ON quality_exports (file_id);
ALTER TABLE surveys ADD CONSTRAINT surveys_kind_check CHECK (kind IN ('END', 'FOLLOW_UP'));
ALTER TABLE surveys ADD CONSTRAINT surveys_marks_check CHECK (satisfaction BETWEEN 1 AND 5 AND objectives BETWEEN 1 AND 5 AND accompaniment BETWEEN 1 AND 5 AND recommends BETWEEN 0 AND 10);
ALTER TABLE surveys ADD CONSTRAINT surveys_answered_check CHECK (num_nonnulls(answered_at, satisfaction, objectives, accompaniment, recommends) IN (0, 5));
ALTER TABLE quality_proofs ADD CONSTRAINT quality_proofs_kind_check CHECK (kind IN ('PHONE', 'EMAIL', 'MEETING', 'TRAINING', 'REMARK', 'FILE'));
ALTER TABLE quality_proofs ADD CONSTRAINT quality_proofs_indicator_check CHECK (indicator BETWEEN 1 AND 32);
ALTER TABLE quality_exports ADD CONSTRAINT quality_exports_status_check CHECK (status IN ('PENDING', 'RUNNING', 'READY', 'FAILED'));
ALTER TABLE quality_exports ADD CONSTRAINT quality_exports_days_check CHECK (ends_on >= starts_on);
ALTER TABLE quality_exports ADD CONSTRAINT quality_exports_ready_check CHECK ((status = 'READY') = (file_id IS NOT NULL));
CREATE INDEX quality_proofs_by_indicator ON quality_proofs (organization_id, indicator, happened_on);
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON surveys FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Survey', 'comment', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON quality_proofs FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('QualityProof', 'title,description', '');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON quality_exports FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('QualityExport', '', 'total,done');
CREATE TRIGGER quality_exports_created AFTER INSERT ON quality_exports FOR EACH ROW EXECUTE FUNCTION note_change('CREATED');
CREATE TRIGGER quality_exports_changed AFTER UPDATE ON quality_exports FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION note_change('CHANGED');

-- Migration: 0045_holiday_regions
ALTER TABLE organizations ADD COLUMN holiday_region varchar(20), ADD CONSTRAINT organizations_holiday_region_check CHECK (holiday_region <> '');

-- Migration: 0046_erasures
CREATE TABLE "erasures" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "deleted" JSONB NOT NULL,
    "blanked" JSONB NOT NULL,
    "kept" JSONB NOT NULL,
    "documents" INT NOT NULL,
    "stripe_erased_at" TIMESTAMPTZ,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "erased_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "erasures"."created_at" IS 'When it was made';
COMMENT ON COLUMN "erasures"."deleted" IS 'How many rows were deleted, by type';
COMMENT ON COLUMN "erasures"."blanked" IS 'How many rows had what they said of the person taken away, by type';
COMMENT ON COLUMN "erasures"."kept" IS 'How many rows were kept and why, as [type, count, reason]';
COMMENT ON COLUMN "erasures"."documents" IS 'How many documents were destroyed';
COMMENT ON COLUMN "erasures"."stripe_erased_at" IS 'When Stripe had deleted the customer, with the payment methods saved there';
COMMENT ON COLUMN "erasures"."client_id" IS 'Who was erased; there is one of each';
COMMENT ON COLUMN "erasures"."erased_by_id" IS 'Who erased them';
COMMENT ON COLUMN "erasures"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON TABLE "erasures" IS 'What was taken away of a client and what was kept, and why. It holds nothing of the person.';
ALTER TABLE erasures DROP CONSTRAINT erasures_organization_id_fkey, ADD CONSTRAINT erasures_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT erasures_tenant UNIQUE (organization_id, id), DROP CONSTRAINT erasures_client_id_fkey, ADD CONSTRAINT erasures_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id), DROP CONSTRAINT erasures_erased_by_id_fkey, ADD CONSTRAINT erasures_erased_by_id FOREIGN KEY (organization_id, erased_by_id) REFERENCES memberships (organization_id, id), ADD CONSTRAINT erasures_client UNIQUE (client_id), ADD CONSTRAINT erasures_documents_check CHECK (documents >= 0);
CREATE INDEX erasures_erased_by_id_index ON erasures (erased_by_id);
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON erasures FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('Erasure', '', '');
ALTER TABLE clients ADD CONSTRAINT clients_erased_check CHECK (email NOT LIKE '%@erased.invalid' OR num_nonnulls(first_name, last_name, company, siren, vat_number, electronic_address, phone, address, postal_code, city, delivery_address, delivery_postal_code, delivery_city, member_id) = 0);
CREATE OR REPLACE FUNCTION audit_entries_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'UPDATE' OR coalesce(current_setting('comptoir.erasing', true), '') = '' THEN
            RAISE EXCEPTION 'audit_entries is append-only: % is refused', TG_OP
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NULL;
    END
    $$;
CREATE FUNCTION audit_entries_erased() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF to_jsonb(OLD) - '{before,after}'::text[] <> to_jsonb(NEW) - '{before,after}'::text[] OR EXISTS (
            SELECT FROM (VALUES (OLD.before, NEW.before), (OLD.after, NEW.after)) AS sides (was, became),
                LATERAL jsonb_object_keys(was || became) AS name
            WHERE became -> name IS DISTINCT FROM was -> name AND became -> name IS DISTINCT FROM '"[erased]"'
        ) THEN
            RAISE EXCEPTION 'of an audit entry only values can be erased' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$;
CREATE TRIGGER erased BEFORE UPDATE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_entries_erased();

-- Migration: 0047_import_columns
ALTER TABLE client_import_lines DROP CONSTRAINT client_import_lines_problem_check, ADD CONSTRAINT client_import_lines_problem_check CHECK (problem IN ('EMPTY', 'LINE_TOO_LONG', 'TOO_MANY_LINES', 'NO_EMAIL_COLUMN', 'TOO_MANY_COLUMNS', 'UNKNOWN_COLUMN', 'COLUMN_TWICE', 'FILE_GONE', 'MALFORMED', 'TOO_MANY_CELLS', 'MISSING', 'EMAIL', 'PHONE', 'SIREN', 'VAT_NUMBER', 'COUNTRY', 'LANGUAGE', 'CONSULTANT', 'TOO_MANY_TAGS', 'TOO_LONG', 'CHARACTERS', 'FORMULA', 'DISAGREES', 'DUPLICATE'));
ALTER TABLE client_imports ADD COLUMN new_tags jsonb NOT NULL DEFAULT '[]';
DROP TRIGGER audited ON client_imports;
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON client_imports FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('ClientImport', '', 'columns,encoding,delimiter,total,done,created,updated,unchanged,broken,new_tags');

-- Migration: 0048_quotes_of_orders

-- Migration: 0049_stand_ins
ALTER TABLE products ADD COLUMN stands_for varchar(20), ADD CONSTRAINT products_stands_for_check CHECK (stands_for IN ('SERVICE', 'FORMULE', 'OPPORTUNITY')), ADD CONSTRAINT products_stand_in_check CHECK (stands_for IS NULL OR NOT active);
CREATE INDEX products_of_catalogue ON products (organization_id, id) WHERE stands_for IS NULL;
UPDATE products SET stands_for = 'SERVICE', active = false WHERE id IN (SELECT product_id FROM services WHERE product_id IS NOT NULL);
UPDATE products SET stands_for = 'FORMULE', active = false WHERE id IN (SELECT product_id FROM formules WHERE product_id IS NOT NULL);
UPDATE products SET stands_for = 'OPPORTUNITY', active = false WHERE id IN (SELECT product_id FROM opportunities WHERE product_id IS NOT NULL);

-- Migration: 0050_data_exports
CREATE TABLE "client_data_exports" (
    "id" UUID NOT NULL  PRIMARY KEY,
    "created_at" TIMESTAMPTZ NOT NULL,
    "status" VARCHAR(20) NOT NULL,
    "total" INT NOT NULL,
    "done" INT NOT NULL,
    "error" VARCHAR(500),
    "finished_at" TIMESTAMPTZ,
    "told_at" TIMESTAMPTZ,
    "client_id" UUID NOT NULL REFERENCES "clients" ("id") ON DELETE RESTRICT,
    "file_id" UUID REFERENCES "stored_files" ("id") ON DELETE RESTRICT,
    "organization_id" UUID NOT NULL REFERENCES "organizations" ("id") ON DELETE RESTRICT,
    "requested_by_id" UUID REFERENCES "memberships" ("id") ON DELETE RESTRICT
);
COMMENT ON COLUMN "client_data_exports"."created_at" IS 'When it was made';
COMMENT ON COLUMN "client_data_exports"."status" IS 'How far it is';
COMMENT ON COLUMN "client_data_exports"."total" IS 'How many files there are to put into it';
COMMENT ON COLUMN "client_data_exports"."done" IS 'How many of them are in it';
COMMENT ON COLUMN "client_data_exports"."error" IS 'Why it could not be made';
COMMENT ON COLUMN "client_data_exports"."finished_at" IS 'When it was ready, or failed';
COMMENT ON COLUMN "client_data_exports"."told_at" IS 'When the client was written to that it is ready; null where somebody else ordered it';
COMMENT ON COLUMN "client_data_exports"."client_id" IS 'Of whom';
COMMENT ON COLUMN "client_data_exports"."file_id" IS 'How it is kept';
COMMENT ON COLUMN "client_data_exports"."organization_id" IS 'The tenant that it belongs to';
COMMENT ON COLUMN "client_data_exports"."requested_by_id" IS 'Who ordered it, and alone may fetch it; null: the client, by their private link';
COMMENT ON TABLE "client_data_exports" IS 'All that is kept of a client as one file, for whoever ordered it; of each client one is made at a time.';
ALTER TABLE client_data_exports DROP CONSTRAINT client_data_exports_organization_id_fkey, ADD CONSTRAINT client_data_exports_organization FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT client_data_exports_tenant UNIQUE (organization_id, id), ADD CONSTRAINT client_data_exports_status_check CHECK (status IN ('PENDING', 'RUNNING', 'READY', 'FAILED')), ADD CONSTRAINT client_data_exports_ready_check CHECK ((status = 'READY') = (file_id IS NOT NULL)), ADD CONSTRAINT client_data_exports_finished_check CHECK ((status IN ('READY', 'FAILED')) = (finished_at IS NOT NULL));
ALTER TABLE client_data_exports DROP CONSTRAINT client_data_exports_client_id_fkey, ADD CONSTRAINT client_data_exports_client_id FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id);
ALTER TABLE client_data_exports DROP CONSTRAINT client_data_exports_requested_by_id_fkey, ADD CONSTRAINT client_data_exports_requested_by_id FOREIGN KEY (organization_id, requested_by_id) REFERENCES memberships (organization_id, id);
ALTER TABLE client_data_exports DROP CONSTRAINT client_data_exports_file_id_fkey, ADD CONSTRAINT client_data_exports_file_id FOREIGN KEY (organization_id, file_id) REFERENCES stored_files (organization_id, id);
CREATE INDEX client_data_exports_client_id_index ON client_data_exports (client_id);
CREATE INDEX client_data_exports_requested_by_id_index ON client_data_exports (requested_by_id);
CREATE INDEX client_data_exports_file_id_index ON client_data_exports (file_id);
CREATE UNIQUE INDEX client_data_exports_under_way ON client_data_exports (client_id) WHERE status IN ('PENDING', 'RUNNING');
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON client_data_exports FOR EACH ROW WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit('ClientDataExport', '', 'total,done');
CREATE TRIGGER client_data_exports_created AFTER INSERT ON client_data_exports FOR EACH ROW EXECUTE FUNCTION note_change('CREATED');
CREATE TRIGGER client_data_exports_changed AFTER UPDATE ON client_data_exports FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION note_change('CHANGED');

-- Migration: 0051_quotes_of_erased_clients
CREATE OR REPLACE FUNCTION quote_lines_stand() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND coalesce(current_setting('comptoir.erasing', true), '') <> '' THEN
            RETURN NULL;
        END IF;
        IF EXISTS (SELECT FROM quotes WHERE id = OLD.quote_id AND sent_at IS NOT NULL) THEN
            RAISE EXCEPTION 'a quote that was sent is not changed' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$;

-- Migration: 0052_flagged_payments
ALTER TABLE timeline_events DROP CONSTRAINT timeline_events_kind_check, ADD CONSTRAINT timeline_events_kind_check CHECK (kind IN ('CLIENT_EMAIL', 'PAYMENT_RECEIVED', 'PAYMENT_FLAGGED', 'PAYMENT_REFUNDED', 'QUOTE_SENT', 'QUOTE_ACCEPTED', 'QUOTE_REFUSED', 'BOOKING_CONFIRMED', 'BOOKING_MOVED', 'BOOKING_CANCELED', 'TICKET_OPENED', 'TICKET_REPLIED', 'TICKET_RESOLVED', 'OPPORTUNITY_MOVED', 'BILAN_MOVED'));

-- Migration: 0053_who_ordered_data
COMMENT ON COLUMN "client_data_exports"."requested_by_id" IS 'Who ordered it, and alone may fetch it';

-- Migration: 0054_internal_replies_told
CREATE OR REPLACE FUNCTION note_change_of_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changes (organization_id, subject, row_id, happened)
        VALUES (NEW.organization_id, 'tickets', NEW.ticket_id, CASE WHEN NEW.internal THEN 'NOTED' ELSE 'CHANGED' END);
        RETURN NULL;
    END $$;

-- Migration: 0055_extents_of_warnings
ALTER TABLE "bilan_warnings" ADD COLUMN "extent" INT;
COMMENT ON COLUMN "bilan_warnings"."message" IS 'What breaks it, in the organization''s language';
COMMENT ON COLUMN "bilan_warnings"."reference" IS 'Where the rule is written, in the organization''s language';
