-- What has left is never edited, and neither is the account of who read what.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never edited', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TABLE release (
    municipality text NOT NULL,
    number integer NOT NULL,
    position bigint NOT NULL,
    as_of date NOT NULL,
    known_as_of timestamptz NOT NULL,
    released_at timestamptz NOT NULL,
    breakdowns boolean NOT NULL,
    k integer NOT NULL,
    PRIMARY KEY (municipality, number)
);
CREATE TRIGGER release_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON release EXECUTE FUNCTION refuse_change();

-- The whole has the dimensions {}; a suppressed value has no numbers at all.
CREATE TABLE release_value (
    municipality text NOT NULL,
    number integer NOT NULL,
    indicator text NOT NULL,
    definition_version integer NOT NULL,
    dimensions jsonb NOT NULL,
    value numeric,
    numerator numeric,
    denominator numeric,
    unit text NOT NULL,
    status text NOT NULL,
    PRIMARY KEY (municipality, number, indicator, definition_version, dimensions),
    FOREIGN KEY (municipality, number) REFERENCES release,
    CHECK (status <> 'suppressed' OR num_nonnulls(value, numerator, denominator) = 0)
);
CREATE TRIGGER release_value_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON release_value
EXECUTE FUNCTION refuse_change();

-- Who did what, in real time; `detail` holds what was asked for, never what was answered.
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    municipality text NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL
);
CREATE INDEX audit_in_time ON audit (municipality, at);
CREATE TRIGGER audit_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON audit EXECUTE FUNCTION refuse_change();
