,
milestone AS (
    SELECT person, placement, kind, origin, weeks, since AS begun_on, since + 7 * weeks AS due_on
    FROM started, asked, (VALUES (13), (26), (52)) AS mark (weeks)
    WHERE since + 7 * weeks <= as_of
),

active_days AS (
    SELECT person, range_agg(daterange(since, until)) AS days
    FROM active
    GROUP BY person
),

milestone_hours AS (
    SELECT
        person, milestone.placement, weeks,
        sum(hours) FILTER (WHERE since <= begun_on AND begun_on < until) AS hours_then,
        sum(hours) FILTER (WHERE since <= due_on AND due_on < until) AS hours_now
    FROM milestone
    JOIN active USING (person)
    GROUP BY person, milestone.placement, weeks
),

-- No hours now (null, not 0) means that no job is active on the due day.
reached AS (
    SELECT
        kind, origin, weeks, hours_then, hours_now,
        hours_now IS NOT NULL AND 7 * weeks - coalesce(worked.days, 0) <= 28 AS employed
    FROM milestone
    JOIN milestone_hours USING (person, placement, weeks)
    JOIN active_days USING (person)
    CROSS JOIN LATERAL (
        SELECT sum(upper(part) - lower(part)) AS days
        FROM unnest(active_days.days * datemultirange(daterange(begun_on, due_on))) AS part
    ) AS worked
)
