-- What people look at of billing; each record stands as JSON beside the columns that it is found by.
CREATE TABLE billing_accounts (
    account_id TEXT PRIMARY KEY,
    position   INTEGER NOT NULL,
    name       TEXT NOT NULL,
    status     TEXT NOT NULL,
    record     TEXT NOT NULL
) STRICT;
CREATE INDEX billing_accounts_by_name ON billing_accounts (name, account_id);
CREATE TABLE billing_plans (
    plan_id  TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    name     TEXT NOT NULL,
    record   TEXT NOT NULL
) STRICT;
CREATE TABLE billing_decks (
    deck_version_id TEXT PRIMARY KEY,
    position        INTEGER NOT NULL,
    name            TEXT NOT NULL,
    version         INTEGER NOT NULL,
    record          TEXT NOT NULL
) STRICT;
CREATE INDEX billing_decks_by_name ON billing_decks (name, version);
CREATE TABLE billing_charges (
    call_id    TEXT PRIMARY KEY,
    position   INTEGER NOT NULL,
    account_id TEXT,
    period     TEXT,
    unrated    INTEGER NOT NULL,
    rated_at   INTEGER NOT NULL,
    record     TEXT NOT NULL
) STRICT;
CREATE INDEX billing_charges_by_account ON billing_charges (account_id, rated_at, call_id);
CREATE INDEX billing_charges_by_unrated ON billing_charges (unrated, rated_at, call_id);
-- amount_micros is in millionths of the currency: the digits of a rated amount.
CREATE TABLE billing_usage (
    usage_key     TEXT PRIMARY KEY,
    position      INTEGER NOT NULL,
    account_id    TEXT NOT NULL,
    period        TEXT NOT NULL,
    usage_type    TEXT NOT NULL,
    counts        INTEGER NOT NULL,
    ended_at      INTEGER NOT NULL,
    quantity      INTEGER NOT NULL,
    amount_micros INTEGER NOT NULL,
    record        TEXT NOT NULL
) STRICT;
CREATE INDEX billing_usage_by_month ON billing_usage (account_id, period, ended_at, usage_key);
CREATE TABLE billing_invoices (
    invoice_id TEXT PRIMARY KEY,
    position   INTEGER NOT NULL,
    account_id TEXT NOT NULL,
    period     TEXT NOT NULL,
    number     TEXT,
    standing   TEXT NOT NULL,
    drafted_at INTEGER NOT NULL,
    record     TEXT NOT NULL
) STRICT;
CREATE INDEX billing_invoices_by_account ON billing_invoices (account_id, drafted_at, invoice_id);
CREATE INDEX billing_invoices_by_number ON billing_invoices (number);
CREATE INDEX billing_invoices_by_draft ON billing_invoices (drafted_at, invoice_id);
