SELECT
    jsonb_strip_nulls(jsonb_build_object('department', department)) AS dimensions,
    coalesce(sum(fte), 0) AS numerator,
    1::numeric AS denominator
FROM snapshot
GROUP BY GROUPING SETS ((), (department))
