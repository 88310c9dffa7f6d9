,
-- Progress is judged twice: among all eligible jobs, and among flexjobs alone.
worked AS MATERIALIZED (
    SELECT 'eligible' AS class, person, since, until, hours FROM active
    UNION ALL
    SELECT 'flexjob', person, since, until, hours FROM active WHERE flexjob
),

-- Stretches that at most 28 inactive days keep apart touch once each is drawn out by 28 days.
run AS (
    SELECT class, person, unnest(range_agg(daterange(since, until + 28))) AS days
    FROM worked
    GROUP BY class, person
),

baseline AS (
    SELECT class, person, lower(run.days) AS begun_on, sum(worked.hours) AS hours
    FROM run
    JOIN worked USING (class, person)
    WHERE run.days @> (SELECT as_of FROM asked)
    AND worked.since <= lower(run.days) AND lower(run.days) < worked.until
    GROUP BY class, person, run.days
),

progress AS MATERIALIZED (
    SELECT class, person, baseline.begun_on, baseline.hours AS hours_then, sum(worked.hours) AS hours_now
    FROM baseline
    JOIN worked USING (class, person)
    JOIN asked ON worked.since <= asked.as_of AND asked.as_of < worked.until
    GROUP BY class, person, baseline.begun_on, baseline.hours
),

-- The kind with most of the person's hours on the day.
main_kind AS (
    SELECT DISTINCT ON (person) person, kind
    FROM active
    JOIN asked ON active.since <= asked.as_of AND asked.as_of < active.until
    ORDER BY person, sum(hours) OVER (PARTITION BY person, kind) DESC, start, placement COLLATE "C"
)
