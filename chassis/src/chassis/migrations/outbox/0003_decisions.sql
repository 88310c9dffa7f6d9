-- What a person decided about a phantom. It outlives what the relay finds anew, and holds for every copy on the stream.
CREATE TABLE outbox_phantom_decision (
    message_id text PRIMARY KEY,
    decided_at timestamptz NOT NULL,
    retraction_id text,
    reason_code text,
    CHECK ((retraction_id IS NULL) = (reason_code IS NULL))
);
