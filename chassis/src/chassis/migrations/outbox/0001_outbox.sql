CREATE TABLE outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    message_id text NOT NULL UNIQUE,
    body bytea NOT NULL,
    body_hash bytea NOT NULL,
    appended_at timestamptz NOT NULL,
    stream_sequence bigint,
    published_at timestamptz,
    parked_reason text,
    UNIQUE (source, event_id),
    CHECK ((stream_sequence IS NULL) = (published_at IS NULL)),
    CHECK (published_at IS NULL OR parked_reason IS NULL)
);

CREATE UNIQUE INDEX outbox_recorded ON outbox (stream_sequence) WHERE stream_sequence IS NOT NULL;
CREATE INDEX outbox_unpublished ON outbox (position) WHERE published_at IS NULL AND parked_reason IS NULL;
CREATE INDEX outbox_parked ON outbox (position) WHERE parked_reason IS NOT NULL;

CREATE FUNCTION outbox_event_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an event in the outbox is never changed, only what is known of its publication';
END
$$;

CREATE TRIGGER outbox_event_is_immutable
BEFORE UPDATE OF position, source, event_id, type, subject, message_id, body, body_hash, appended_at ON outbox
FOR EACH ROW EXECUTE FUNCTION outbox_event_is_immutable();
