SELECT
    jsonb_strip_nulls(jsonb_build_object('department', department)) AS dimensions,
    coalesce(sum(hours), 0) AS numerator,
    count(*)::numeric AS denominator
FROM seat
GROUP BY GROUPING SETS ((), (department))
