CREATE TABLE inbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text NOT NULL,
    stream_sequence bigint NOT NULL,
    source text,
    event_id text,
    type text,
    body_hash bytea NOT NULL CHECK (octet_length(body_hash) = 32),
    outcome text NOT NULL CHECK (outcome IN ('applied', 'failed', 'conflict', 'unreadable')),
    reason text,
    body bytea,
    received_at timestamptz NOT NULL,
    -- A body holds personal data: it stays only as long as someone still needs it.
    CHECK ((outcome = 'applied') = (body IS NULL)),
    CHECK ((outcome = 'applied') = (reason IS NULL)),
    CHECK (num_nonnulls(source, event_id, type) = CASE outcome WHEN 'unreadable' THEN 0 ELSE 3 END)
);

CREATE UNIQUE INDEX inbox_event ON inbox (source, event_id) WHERE outcome IN ('applied', 'failed');
CREATE UNIQUE INDEX inbox_conflict ON inbox (source, event_id, body_hash) WHERE outcome = 'conflict';
CREATE UNIQUE INDEX inbox_unreadable ON inbox (stream, stream_sequence, body_hash) WHERE outcome = 'unreadable';
CREATE INDEX inbox_failed ON inbox (stream, number) WHERE outcome = 'failed';

-- All up to the floor is in this database. The row is the lock under which one delivery after the other is taken.
CREATE TABLE inbox_stream (
    stream text PRIMARY KEY,
    floor bigint NOT NULL,
    stream_created timestamptz,
    types text[] NOT NULL,
    delivered bigint NOT NULL DEFAULT 0,
    applied bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    conflict bigint NOT NULL DEFAULT 0,
    unreadable bigint NOT NULL DEFAULT 0,
    not_read bigint NOT NULL DEFAULT 0,
    CHECK (delivered = applied + failed + duplicate + conflict + unreadable + not_read)
);
