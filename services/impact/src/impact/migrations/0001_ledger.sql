-- A municipality is a lane: whoever holds its row allots consecutive positions.
CREATE TABLE lane (
    municipality text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    recorded_at timestamptz NOT NULL
);

CREATE TABLE ledger (
    municipality text NOT NULL,
    position bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('fact', 'replay', 'discard')),
    source text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    time timestamptz NOT NULL,
    occurred_on date,
    body jsonb NOT NULL,
    body_hash bytea NOT NULL,
    parked text,
    recorded_at timestamptz NOT NULL,
    stream text NOT NULL,
    stream_sequence bigint NOT NULL,
    PRIMARY KEY (municipality, position)
);
CREATE UNIQUE INDEX ledger_identity ON ledger (municipality, source, event_id) WHERE kind = 'fact';
CREATE INDEX ledger_by_type ON ledger (municipality, type) WHERE kind = 'fact' AND parked IS NULL;
CREATE INDEX ledger_parked ON ledger (municipality, position) WHERE parked IS NOT NULL;

CREATE TABLE history (
    municipality text NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (municipality, kind, key, position)
);

CREATE TABLE delta (
    municipality text NOT NULL,
    position bigint NOT NULL,
    ordinal integer NOT NULL,
    measure text NOT NULL,
    definition_version integer NOT NULL,
    contributor text NOT NULL,
    person text,
    cohort date,
    date date NOT NULL,
    amount numeric NOT NULL,
    dimensions jsonb NOT NULL,
    PRIMARY KEY (municipality, position, ordinal)
);

CREATE TABLE running_sum (
    municipality text NOT NULL,
    measure text NOT NULL,
    definition_version integer NOT NULL,
    cohort date,
    date date NOT NULL,
    dimensions jsonb NOT NULL,
    amount numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (municipality, measure, definition_version, cohort, date, dimensions)
);

-- delivered = first copies + duplicates + conflicts + unreadable, per stream and day of receipt.
CREATE TABLE delivery (
    municipality text NOT NULL,
    stream text NOT NULL,
    received_on date NOT NULL,
    first_copies bigint NOT NULL,
    duplicates bigint NOT NULL,
    conflicts bigint NOT NULL,
    unreadable bigint NOT NULL,
    PRIMARY KEY (municipality, stream, received_on)
);

CREATE TABLE fact_count (
    municipality text NOT NULL,
    source text NOT NULL,
    received_on date NOT NULL,
    facts bigint NOT NULL,
    PRIMARY KEY (municipality, source, received_on)
);

CREATE TABLE heartbeat (
    municipality text NOT NULL,
    producer text NOT NULL,
    source text NOT NULL,
    published bigint NOT NULL,
    sent_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (municipality, producer, source)
);

-- Sequences are reused after a loss, so the body's hash belongs to the identity.
CREATE TABLE evidence (
    stream text NOT NULL,
    stream_sequence bigint NOT NULL,
    body_hash bytea NOT NULL,
    kind text NOT NULL CHECK (kind IN ('unreadable', 'conflict')),
    municipality text NOT NULL,
    reason text NOT NULL,
    headers json NOT NULL,
    raw bytea NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (stream, stream_sequence, body_hash)
);

CREATE TABLE consumer_floor (
    stream text NOT NULL,
    durable text NOT NULL,
    sequence bigint NOT NULL,
    stored_at timestamptz NOT NULL,
    PRIMARY KEY (stream, durable)
);
