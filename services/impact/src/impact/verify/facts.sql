-- What was in force at a position, from raw bodies, positions and parking entries alone: all that proofs read.
INSERT INTO pg_temp.fact (source, name, occurred_on, data, turn)
WITH RECURSIVE asked AS (
    SELECT $1::text AS municipality, $2::bigint AS position
),

-- Every type that an indicator reads: its phase (0 start, 1 change, 2 end) and the fact that opens it.
known (name, phase, opening, key) AS (
    VALUES
    ('flexjob.started', 0, NULL, NULL),
    ('flexjob.hours_changed', 1, 'flexjob.started', 'placement_id'),
    ('flexjob.transferred', 1, 'flexjob.started', 'placement_id'),
    ('flexjob.ended', 2, 'flexjob.started', 'placement_id'),
    ('flexjob.review_due', 0, 'flexjob.started', 'placement_id'),
    ('flexjob.review_held', 2, 'flexjob.started', 'placement_id'),
    ('placement.started', 0, NULL, NULL),
    ('placement.hours_changed', 1, 'placement.started', 'placement_id'),
    ('placement.kind_changed', 1, 'placement.started', 'placement_id'),
    ('placement.ended', 2, 'placement.started', 'placement_id'),
    ('pool.budget_allocated', 0, NULL, NULL),
    ('pool.budget_adjusted', 1, 'pool.budget_allocated', 'budget_id'),
    ('grant.committed', 0, NULL, NULL),
    ('grant.adjusted', 1, 'grant.committed', 'grant_id'),
    ('grant.released', 2, 'grant.committed', 'grant_id'),
    ('need.reported', 0, NULL, NULL),
    ('job7.candidate_requested', 0, NULL, NULL),
    ('job7.candidate_placed', 2, 'job7.candidate_requested', 'request_id'),
    ('workforce.snapshot_taken', 1, NULL, NULL)
),

-- A parked fact takes effect where its replay succeeds; a discarded one never does.
told AS MATERIALIZED (
    SELECT
        body ->> 'source' AS source,
        body ->> 'id' AS id,
        body ->> 'type' AS type,
        (body ->> 'time')::timestamptz AS time,
        body ->> 'corrects' AS corrects,
        body -> 'data' AS data
    FROM ledger, asked
    WHERE ledger.municipality = asked.municipality
    AND ledger.position <= asked.position
    AND ledger.kind IN ('fact', 'replay')
    AND ledger.parked IS NULL
),

retracted AS MATERIALIZED (
    SELECT DISTINCT source, data ->> 'event_id' AS id
    FROM told
    WHERE type = 'dk.kraftcenter.event.retracted.v1'
),

-- From each root to its corrections and theirs; what forms a ring has no root and is never reached.
chain AS (
    SELECT source, id AS root_id, time AS root_time, type, id, time, data, false AS corrected
    FROM told
    WHERE corrects IS NULL
    AND type <> 'dk.kraftcenter.event.retracted.v1'
    AND NOT EXISTS (SELECT FROM retracted WHERE retracted.source = told.source AND retracted.id = told.id)
    UNION ALL
    SELECT chain.source, chain.root_id, chain.root_time, chain.type, told.id, told.time, told.data, true
    FROM chain
    JOIN told ON told.source = chain.source AND told.corrects = chain.id AND told.type = chain.type
),

in_force AS MATERIALIZED (
    SELECT DISTINCT ON (source, root_id) *
    FROM chain
    WHERE NOT EXISTS (SELECT FROM retracted WHERE retracted.source = chain.source AND retracted.id = chain.id)
    ORDER BY source, root_id, corrected DESC, time DESC, id COLLATE "C" DESC
),

opened AS (
    SELECT DISTINCT needed.opening, needed.key, in_force.data ->> needed.key AS value
    FROM (SELECT DISTINCT opening, key FROM known) AS needed
    JOIN in_force ON in_force.type = 'dk.kraftcenter.' || needed.opening || '.v1'
)

-- `turn` is the order of life, in every history at once.
SELECT
    in_force.source,
    known.name,
    day.occurred_on,
    in_force.data,
    row_number() OVER (
        ORDER BY
            day.occurred_on, known.phase, in_force.root_time,
            in_force.root_id COLLATE "C", in_force.source COLLATE "C"
    ) AS turn
FROM in_force
JOIN known ON in_force.type = 'dk.kraftcenter.' || known.name || '.v1'
CROSS JOIN LATERAL (SELECT (in_force.data ->> 'occurred_on')::date AS occurred_on) AS day
LEFT JOIN opened
    ON opened.opening = known.opening
    AND opened.key = known.key
    AND opened.value = in_force.data ->> known.key
WHERE known.opening IS NULL OR opened.value IS NOT NULL
