CREATE TABLE token (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    name text NOT NULL,
    municipality text NOT NULL,
    scopes text[] NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);

-- A row without status is a claim whose use case is still running: only its own transaction can see it.
CREATE TABLE idempotency_key (
    caller text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    status integer,
    body bytea,
    location text,
    claimed_at timestamptz NOT NULL,
    PRIMARY KEY (caller, key)
);
