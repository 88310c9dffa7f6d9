SELECT
    jsonb_strip_nulls(jsonb_build_object('kind', kind)) AS dimensions,
    coalesce(sum(hours), 0) AS numerator,
    37::numeric AS denominator
FROM started, asked
WHERE started.since BETWEEN asked.first AND asked.as_of
GROUP BY GROUPING SETS ((), (kind))
