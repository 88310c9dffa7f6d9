,
need AS (
    SELECT DISTINCT ON (data ->> 'need_id')
        data ->> 'need_id' AS need_id,
        occurred_on AS reported_on,
        data ->> 'department' AS department,
        data ->> 'workplace_unit' AS workplace_unit
    FROM fact
    WHERE name = 'need.reported'
    ORDER BY data ->> 'need_id', turn
),

filled AS (
    SELECT need_id, department, workplace_unit, min(fact.occurred_on) - reported_on AS days
    FROM need
    JOIN fact ON fact.name = 'flexjob.started' AND fact.data ->> 'need_id' = need_id
    WHERE reported_on <= fact.occurred_on AND fact.occurred_on <= (SELECT as_of FROM asked)
    GROUP BY need_id, department, workplace_unit, reported_on
),

sorted AS (
    SELECT
        jsonb_strip_nulls(jsonb_build_object('department', department, 'workplace_unit', workplace_unit))
            AS dimensions,
        array_agg(days::numeric ORDER BY days) AS days
    FROM filled
    GROUP BY GROUPING SETS ((), (department), (workplace_unit))
)
-- Of an even number, the mean of the two in the middle; of an odd one, both are the same.
SELECT
    dimensions,
    (days[(cardinality(days) + 1) / 2] + days[(cardinality(days) + 2) / 2]) / 2 AS numerator,
    1::numeric AS denominator
FROM sorted
WHERE days IS NOT NULL
