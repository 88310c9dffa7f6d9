-- What somebody asked, about one resource. In the order of position the decisions are the story; keys ('noun:key') are
-- what each of them looked at or changed, so that decisions whose keys overlap are told together.
CREATE TABLE decision (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    noun text NOT NULL,
    about text NOT NULL,
    kind text NOT NULL,
    registered_on date NOT NULL,
    keys text[] NOT NULL
);

CREATE INDEX decision_keys ON decision USING gin (keys);

-- What came of it, in every version. The ask stands beside the first event of a decision, and beside each correction
-- that somebody asked for; an event that only follows has none.
CREATE TABLE event (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    decision bigint NOT NULL REFERENCES decision,
    type text NOT NULL,
    root_id uuid NOT NULL REFERENCES event (event_id),
    corrects uuid REFERENCES event (event_id),
    ask jsonb,
    data jsonb NOT NULL,
    registered_at timestamptz NOT NULL,
    why text,
    retracted_by uuid UNIQUE,
    retracted_why text,
    CHECK ((corrects IS NULL) = (event_id = root_id)),
    CHECK ((retracted_by IS NULL) = (retracted_why IS NULL))
);

CREATE INDEX event_of_decision ON event (decision);
CREATE INDEX event_of_root ON event (root_id);

CREATE TRIGGER event_is_never_edited
BEFORE DELETE OR UPDATE OF number, event_id, decision, type, root_id, corrects, ask, data, registered_at, why ON event
FOR EACH ROW EXECUTE FUNCTION refuse_edit();

-- The versions that may hold: neither they nor their root are retracted. Of each root the highest number holds.
CREATE VIEW standing AS
SELECT version.* FROM event version JOIN event root ON root.event_id = version.root_id
WHERE version.retracted_by IS NULL AND root.retracted_by IS NULL;

-- What is so, as the story tells it: this table and movement can be emptied, and are filled from the events again.
CREATE TABLE resource (
    noun text NOT NULL,
    key text COLLATE "C" NOT NULL,
    state jsonb NOT NULL,
    links text[] NOT NULL,
    PRIMARY KEY (noun, key)
);

CREATE UNIQUE INDEX resource_page ON resource (noun, length(key), key);
CREATE INDEX resource_state ON resource USING gin (state jsonb_path_ops);
CREATE INDEX flexjob_to_review ON resource ((state ->> 'next_review_on')) WHERE noun = 'flexjob';
CREATE INDEX review_due ON resource ((state ->> 'due_on')) WHERE noun = 'review';

DROP TABLE movement, hours, flexjob, allocation, pool_grant, application, budget, fiscal_year, rules;

-- What becomes free in a fiscal year, and from when: budgets and releases add, commitments take. The running sum by date
-- is what is free on each day, and is never negative.
CREATE TABLE movement (
    noun text NOT NULL,
    key text NOT NULL,
    fiscal_year integer NOT NULL,
    occurred_on date NOT NULL,
    amount_ore bigint NOT NULL
);

CREATE INDEX movement_of_resource ON movement (noun, key);
CREATE INDEX movement_of_year ON movement (fiscal_year, occurred_on);

-- What was registered before, from the events that told it; resources are told from these when the service starts.
CREATE TEMPORARY TABLE told ON COMMIT DROP AS
SELECT position, event_id::uuid, type, (body ->> 'time')::timestamptz AS registered_at, body -> 'data' AS data,
    row_number() OVER (PARTITION BY body -> 'data' -> 'budget_id' ORDER BY position) > 1
        AND body -> 'data' ? 'budget_id' AS again
FROM (SELECT position, event_id, type, convert_from(body, 'UTF8')::jsonb AS body FROM outbox) AS appended
WHERE type <> 'dk.kraftcenter.service.heartbeat.v1';

CREATE TEMPORARY TABLE kind (type text, again boolean, noun text, field text, kind text, asked text[]) ON COMMIT DROP;
INSERT INTO kind VALUES
    ('pool.rules_adopted', false, 'rules', 'rules_version', 'AdoptRules',
        '{refund_share, max_weekly_effective_hours, max_months, eligible_units}'),
    ('pool.budget_allocated', false, 'budget', 'budget_id', 'AllocateBudget', '{fiscal_year, amount_ore}'),
    ('pool.budget_allocated', true, 'budget', 'budget_id', 'AdjustBudget', '{amount_ore}'),
    ('application.submitted', false, 'application', 'application_id', 'Apply',
        '{need_id, department, workplace_unit, effective_hours_per_week, months, amount_ore}'),
    ('application.approved', false, 'application', 'application_id', 'Approve', '{}'),
    ('application.rejected', false, 'application', 'application_id', 'Reject', '{reject_code}'),
    ('grant.committed', false, 'grant', 'grant_id', 'CommitGrant', '{application_id, period_from, period_to}'),
    ('flexjob.started', false, 'flexjob', 'placement_id', 'StartFlexjob',
        '{person_ref, department, workplace_unit, grant_id, need_id, attendance_hours_per_week,
          effective_hours_per_week, grant_term, retention, scheme}'),
    ('flexjob.hours_changed', false, 'flexjob', 'placement_id', 'ChangeHours',
        '{attendance_hours_per_week, effective_hours_per_week, cause}'),
    ('flexjob.ended', false, 'flexjob', 'placement_id', 'EndFlexjob', '{reason_code}');

INSERT INTO decision (position, noun, about, kind, registered_on, keys) OVERRIDING SYSTEM VALUE
SELECT position, noun, data ->> field, kind, (registered_at AT TIME ZONE 'Europe/Copenhagen')::date,
    ARRAY(
        SELECT noun || ':' || (data ->> field)
        UNION SELECT known.noun || ':' || (data ->> known.field)
        FROM (VALUES ('budget', 'budget_id'), ('application', 'application_id'), ('need', 'need_id'),
            ('grant', 'grant_id'), ('flexjob', 'placement_id')) AS known (noun, field)
        WHERE data ? known.field
    )
FROM told JOIN kind ON told.type = 'dk.kraftcenter.' || kind.type || '.v1' AND told.again = kind.again
ORDER BY position;

SELECT setval(pg_get_serial_sequence('decision', 'position'), max(position)) FROM decision HAVING max(position) > 0;

-- A budget that was named again is an adjustment in the story, whatever the type of the event that told it.
INSERT INTO event (event_id, decision, type, root_id, ask, data, registered_at)
SELECT event_id, told.position, told.type, event_id,
    (SELECT jsonb_object_agg(key, value) FROM jsonb_each(data) WHERE key = ANY (asked || '{occurred_on}'::text[])),
    data, told.registered_at
FROM told JOIN kind ON told.type = 'dk.kraftcenter.' || kind.type || '.v1' AND told.again = kind.again
ORDER BY told.position;

-- A release followed from the end of the flexjob that the grant paid for.
INSERT INTO event (event_id, decision, type, root_id, data, registered_at)
SELECT released.event_id, ended.position, released.type, released.event_id, released.data, released.registered_at
FROM told released JOIN told ended ON ended.data ->> 'grant_id' = released.data ->> 'grant_id'
WHERE released.type = 'dk.kraftcenter.grant.released.v1' AND ended.type = 'dk.kraftcenter.flexjob.ended.v1'
ORDER BY released.position;
