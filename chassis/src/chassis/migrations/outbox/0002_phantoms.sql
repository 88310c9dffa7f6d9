-- What the stream holds and this outbox never did: others have counted it, and only a person can say what is true.
CREATE TABLE outbox_phantom (
    stream_sequence bigint PRIMARY KEY,
    message_id text NOT NULL,
    subject text NOT NULL,
    stored_at timestamptz NOT NULL,
    found_at timestamptz NOT NULL
);
