SELECT
    jsonb_strip_nulls(jsonb_build_object('kind', kind)) AS dimensions,
    (count(*) FILTER (WHERE hours_now < hours_then))::numeric AS numerator,
    count(*)::numeric AS denominator
FROM progress
JOIN main_kind USING (person)
WHERE class = 'eligible'
GROUP BY GROUPING SETS ((), (kind))
