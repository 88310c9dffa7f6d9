-- Held to 26 weeks, but for the cut by weeks.
SELECT
    jsonb_strip_nulls(jsonb_build_object('kind', kind, 'origin', origin)) AS dimensions,
    (count(*) FILTER (WHERE employed AND hours_now >= hours_then))::numeric AS numerator,
    count(*)::numeric AS denominator
FROM reached
WHERE weeks = 26
GROUP BY GROUPING SETS ((), (kind), (origin))
UNION ALL
SELECT
    jsonb_build_object('weeks', weeks::text),
    count(*) FILTER (WHERE employed AND hours_now >= hours_then),
    count(*)
FROM reached
GROUP BY weeks
