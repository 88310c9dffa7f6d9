SELECT
    jsonb_strip_nulls(jsonb_build_object('department', department)) AS dimensions,
    coalesce(sum(trainees), 0) AS numerator,
    coalesce(sum(headcount), 0) AS denominator
FROM snapshot
GROUP BY GROUPING SETS ((), (department))
