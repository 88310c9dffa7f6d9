,
-- Where each person in flexjob belonged on the day of any department's snapshot.
seat AS (
    SELECT DISTINCT ON (taken_on, person) taken_on, person, department
    FROM (SELECT DISTINCT taken_on FROM snapshot) AS day
    JOIN active ON active.since <= day.taken_on AND day.taken_on < active.until
    WHERE flexjob
    ORDER BY
        taken_on, person,
        sum(active.hours) OVER (PARTITION BY taken_on, person, department) DESC, start, placement COLLATE "C"
),

filled AS (
    SELECT department, taken_on, count(*) AS persons
    FROM seat
    GROUP BY department, taken_on
)
SELECT
    jsonb_strip_nulls(jsonb_build_object('department', department)) AS dimensions,
    coalesce(sum(persons), 0) AS numerator,
    coalesce(sum(headcount), 0) AS denominator
FROM snapshot
LEFT JOIN filled USING (department, taken_on)
GROUP BY GROUPING SETS ((), (department))
