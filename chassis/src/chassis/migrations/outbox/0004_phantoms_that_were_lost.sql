-- A stream may lose a phantom and give its sequence to another event; whoever had read it counts it all the same.
ALTER TABLE outbox_phantom DROP CONSTRAINT outbox_phantom_pkey;
ALTER TABLE outbox_phantom ADD PRIMARY KEY (stream_sequence, message_id);
-- An event is one by its source and id, whatever its body says. Null of what no relay of ours has stored.
ALTER TABLE outbox_phantom
    ADD COLUMN source text GENERATED ALWAYS AS (
        (regexp_match(message_id, '^(urn:kraftcenter:[0-9]{3}:[a-z][a-z0-9_]{0,62})#(.+)#[0-9a-f]{16}$'))[1]
    ) STORED,
    ADD COLUMN event_id text GENERATED ALWAYS AS (
        (regexp_match(message_id, '^(urn:kraftcenter:[0-9]{3}:[a-z][a-z0-9_]{0,62})#(.+)#[0-9a-f]{16}$'))[2]
    ) STORED;

CREATE VIEW phantom AS
SELECT
    stream_sequence, message_id, source, event_id, subject, stored_at, found_at, decided_at, retraction_id, reason_code,
    EXISTS (
        SELECT FROM outbox WHERE outbox.source = stranger.source AND outbox.event_id = stranger.event_id
    ) AS known_again
FROM outbox_phantom AS stranger LEFT JOIN outbox_phantom_decision USING (message_id);
