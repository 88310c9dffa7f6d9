SELECT
    jsonb_strip_nulls(jsonb_build_object('department', department)) AS dimensions,
    count(*)::numeric AS numerator,
    1::numeric AS denominator
FROM seat
GROUP BY GROUPING SETS ((), (department))
