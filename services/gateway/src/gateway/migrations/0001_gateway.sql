-- Who may tell what: a source is sent by the token whose name it was registered with.
CREATE TABLE source (
    source text PRIMARY KEY,
    types text[] NOT NULL CHECK (cardinality(types) > 0),
    token_name text NOT NULL,
    registered_at timestamptz NOT NULL,
    revoked_at timestamptz
);

-- What was let in; the event itself, and what is known of its publication, stand in the outbox.
CREATE TABLE admitted (
    source text NOT NULL,
    event_id text NOT NULL,
    token_name text NOT NULL,
    received_at timestamptz NOT NULL,
    relation text CHECK (relation IN ('correction', 'retraction')),
    target text,
    PRIMARY KEY (source, event_id),
    CHECK ((relation IS NULL) = (target IS NULL))
);

CREATE INDEX admitted_of_target ON admitted (source, target) WHERE target IS NOT NULL;
CREATE INDEX admitted_by_time ON admitted (source, received_at);

-- What was turned away and why; never what it said. Source, id and type are kept when they are well-formed.
CREATE TABLE rejection (
    rejection_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rejected_at timestamptz NOT NULL,
    token_name text NOT NULL,
    source text,
    event_id text,
    type text,
    status integer NOT NULL,
    problem text NOT NULL,
    reasons jsonb NOT NULL,
    body_hash bytea CHECK (octet_length(body_hash) = 32)
);

CREATE INDEX rejection_of_source ON rejection (source, rejection_id);
CREATE INDEX rejection_by_time ON rejection (rejected_at, rejection_id);

CREATE FUNCTION refuse_edit() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'a row of % is never edited', TG_TABLE_NAME; END $$;

CREATE TRIGGER admitted_is_never_edited BEFORE UPDATE ON admitted FOR EACH ROW EXECUTE FUNCTION refuse_edit();
CREATE TRIGGER rejection_is_never_edited BEFORE UPDATE ON rejection FOR EACH ROW EXECUTE FUNCTION refuse_edit();
