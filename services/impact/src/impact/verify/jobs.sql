,
-- Kinds that may count as a sustained job, and since when the law knows them.
eligible_kind (kind, valid_from) AS (
    VALUES
    ('ordinary', date '1990-01-01'),
    ('small_job', date '1990-01-01'),
    ('flexjob', date '1990-01-01'),
    ('apprenticeship', date '1990-01-01'),
    ('social_free_card', date '2019-01-01')
),

-- What happens in persons' jobs; `flexjob` marks the start of one.
life AS MATERIALIZED (
    SELECT
        data ->> 'person_ref' AS person,
        data ->> 'placement_id' AS placement,
        name = 'flexjob.started' AS flexjob,
        split_part(name, '.', 2) AS verb,
        source, occurred_on, turn, data
    FROM fact
    WHERE name IN (
        'flexjob.started', 'flexjob.hours_changed', 'flexjob.transferred', 'flexjob.ended',
        'placement.started', 'placement.hours_changed', 'placement.kind_changed', 'placement.ended'
    )
),

begun AS (
    SELECT DISTINCT ON (person, placement)
        person, placement, flexjob, source, turn, occurred_on AS start,
        CASE WHEN flexjob THEN 'the municipality' ELSE data ->> 'org_id' END AS employer,
        CASE
            WHEN NOT flexjob AND data ->> 'origin_code' IN (
                'unemployment_benefit', 'cash_benefit', 'sickness_benefit', 'flex_unemployment_benefit',
                'pension', 'education', 'employment', 'no_benefit'
            ) THEN data ->> 'origin_code'
            ELSE 'unknown'
        END AS origin,
        CASE WHEN flexjob OR data ->> 'partnership_id' IS NULL THEN 'no' ELSE 'yes' END AS partner
    FROM life
    WHERE verb = 'started'
    ORDER BY person, placement, turn
),

ended AS (
    SELECT DISTINCT ON (person, placement)
        person, placement, occurred_on AS finish, data ->> 'reason_code' AS reason
    FROM life
    WHERE verb = 'ended'
    ORDER BY person, placement, turn
),

spell AS MATERIALIZED (
    SELECT begun.*, coalesce(finish, 'infinity') AS finish, reason
    FROM begun
    LEFT JOIN ended USING (person, placement)
    WHERE finish IS NULL OR start < finish
),

-- The start of each job and its changes, with what each sets.
step AS (
    SELECT
        spell.person, spell.placement, spell.start, spell.finish,
        life.verb, life.turn, life.occurred_on AS since, life.data ->> 'cause' AS cause,
        CASE
            WHEN life.flexjob THEN 'flexjob'
            WHEN life.verb IN ('started', 'kind_changed') THEN life.data ->> 'employment_kind'
        END AS kind,
        CASE
            WHEN life.verb IN ('started', 'hours_changed') THEN (life.data ->> 'effective_hours_per_week')::numeric
        END AS hours,
        CASE WHEN life.flexjob OR life.verb = 'transferred' THEN life.data ->> 'department' END AS department
    FROM spell
    JOIN life USING (person, placement)
    WHERE life.turn = spell.turn
    OR (
        life.verb IN ('hours_changed', 'kind_changed', 'transferred')
        AND spell.start <= life.occurred_on AND life.occurred_on < spell.finish
    )
),

-- What holds after each step: the last that was said of kind, hours and department.
carried AS MATERIALIZED (
    SELECT
        person, placement, start, verb, turn, cause, since,
        lead(since, 1, finish) OVER so_far AS until,
        (array_agg(kind) FILTER (WHERE kind IS NOT NULL) OVER so_far)[count(kind) OVER so_far] AS kind,
        (array_agg(since) FILTER (WHERE kind IS NOT NULL) OVER so_far)[count(kind) OVER so_far] AS kind_since,
        (array_agg(hours) FILTER (WHERE hours IS NOT NULL) OVER so_far)[count(hours) OVER so_far] AS hours,
        (array_agg(department) FILTER (WHERE department IS NOT NULL) OVER so_far)[count(department) OVER so_far]
            AS department
    FROM step
    WINDOW so_far AS (PARTITION BY person, placement ORDER BY turn)
),

-- On its first day, so that a change dated the same day applies.
first_kind AS (
    SELECT spell.*, carried.kind
    FROM spell
    JOIN carried USING (person, placement)
    WHERE carried.since = spell.start AND carried.since < carried.until
),

told_twice AS (
    SELECT DISTINCT person, later.placement
    FROM first_kind AS later
    JOIN first_kind AS earlier USING (person, kind, employer)
    WHERE earlier.source <> later.source
    AND earlier.turn < later.turn
    AND earlier.start < later.finish AND later.start < earlier.finish
),

job AS MATERIALIZED (
    SELECT *
    FROM spell
    WHERE NOT EXISTS (
        SELECT FROM told_twice WHERE told_twice.person = spell.person AND told_twice.placement = spell.placement
    )
),

-- Each stretch of days in which a job is active and nothing about it changes.
active AS MATERIALIZED (
    SELECT
        job.person, job.placement, job.flexjob, job.start, job.origin, job.partner,
        carried.since, carried.until, carried.kind, carried.hours, carried.department
    FROM job
    JOIN carried USING (person, placement)
    JOIN eligible_kind ON eligible_kind.kind = carried.kind AND eligible_kind.valid_from <= carried.kind_since
    WHERE carried.since < carried.until
),

-- Each job on its first eligible day.
started AS (
    SELECT DISTINCT ON (person, placement) *
    FROM active
    ORDER BY person, placement, since
)
