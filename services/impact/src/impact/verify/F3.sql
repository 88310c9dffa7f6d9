,
change AS (
    SELECT
        person, carried.start, since, verb,
        CASE
            WHEN cause IN ('capacity_up', 'capacity_down', 'task_match', 'organisational', 'not_stated') THEN cause
            ELSE 'unknown'
        END AS cause,
        hours - lag(hours) OVER (PARTITION BY person, placement ORDER BY carried.turn) AS gained
    FROM job
    JOIN carried USING (person, placement)
    WHERE job.flexjob
),

by_cause AS (
    SELECT person, cause, sum(gained) AS gained
    FROM change
    JOIN progress USING (person)
    WHERE class = 'flexjob'
    AND verb = 'hours_changed'
    AND start < since
    AND begun_on < since AND since <= (SELECT as_of FROM asked)
    GROUP BY person, cause
),

-- What no change of hours explains came with another job, or went with one.
gain AS (
    SELECT cause, gained FROM by_cause
    UNION ALL
    SELECT 'other_job', hours_now - hours_then - coalesce(explained.gained, 0)
    FROM progress
    LEFT JOIN (SELECT person, sum(gained) AS gained FROM by_cause GROUP BY person) AS explained USING (person)
    WHERE class = 'flexjob'
)
SELECT
    jsonb_strip_nulls(jsonb_build_object('cause', cause)) AS dimensions,
    coalesce(sum(gained), 0) AS numerator,
    1::numeric AS denominator
FROM gain
GROUP BY GROUPING SETS ((), (cause))
