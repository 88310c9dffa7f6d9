-- What follows from the ledger gets another shape; it is replayed into it when a definition comes into force.
TRUNCATE history, delta, running_sum, fact_count;

-- A replay or a discard says which parked fact it concerns.
ALTER TABLE ledger ADD COLUMN concerns bigint;
CREATE INDEX ledger_concerns ON ledger (municipality, concerns) WHERE concerns IS NOT NULL;

-- A correction or a retraction points at another event of its source.
CREATE TABLE link (
    municipality text NOT NULL,
    position bigint NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    target text NOT NULL,
    PRIMARY KEY (municipality, position)
);
CREATE INDEX link_from ON link (municipality, source, event_id);
CREATE INDEX link_to ON link (municipality, source, target);

-- The position of the event whose latest version the fact is; null while another version holds, or none.
ALTER TABLE history ADD COLUMN root bigint;
CREATE INDEX history_of_fact ON history (municipality, position);

-- The history that a delta comes from makes its receipt; measures are replayed apart, so each counts its own rows.
ALTER TABLE delta ADD COLUMN key text NOT NULL;
ALTER TABLE delta DROP CONSTRAINT delta_pkey;
ALTER TABLE delta ADD PRIMARY KEY (municipality, position, measure, definition_version, ordinal);
CREATE INDEX delta_by_date ON delta (municipality, measure, definition_version, date);

CREATE TABLE definition (
    municipality text NOT NULL,
    measure text NOT NULL,
    version integer NOT NULL,
    in_force_from bigint NOT NULL,
    PRIMARY KEY (municipality, measure, version)
);

-- What became of each fact, by the position of its first copy, and how many there are of each kind.
CREATE TABLE outcome (
    municipality text NOT NULL,
    position bigint NOT NULL,
    outcome text NOT NULL,
    PRIMARY KEY (municipality, position)
);
CREATE TABLE outcome_count (
    municipality text NOT NULL,
    source text NOT NULL,
    received_on date NOT NULL,
    outcome text NOT NULL,
    facts bigint NOT NULL,
    PRIMARY KEY (municipality, source, received_on, outcome)
);
ALTER TABLE fact_count ADD COLUMN heartbeats bigint NOT NULL DEFAULT 0;
INSERT INTO fact_count (municipality, source, received_on, facts, heartbeats)
SELECT
    municipality,
    source,
    (recorded_at AT TIME ZONE 'Europe/Copenhagen')::date,
    count(*),
    count(*) FILTER (WHERE type = 'dk.kraftcenter.service.heartbeat.v1')
FROM ledger
WHERE kind = 'fact'
GROUP BY 1, 2, 3;

-- Written twice, here and there, so that a missing row is noticed.
ALTER TABLE lane ADD COLUMN deliveries bigint NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN evidence bigint NOT NULL DEFAULT 0;
UPDATE lane SET
    deliveries = (
        SELECT coalesce(sum(first_copies + duplicates + conflicts + unreadable), 0)
        FROM delivery WHERE delivery.municipality = lane.municipality
    ),
    evidence = (SELECT count(*) FROM evidence WHERE evidence.municipality = lane.municipality);

-- Which sequences are committed, beyond the floor: no floor is ever stored above a gap in them.
ALTER TABLE consumer_floor ADD COLUMN committed int8multirange NOT NULL DEFAULT '{}';
UPDATE consumer_floor SET committed = int8multirange(int8range(NULL, sequence, '[]'));
