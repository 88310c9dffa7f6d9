SELECT
    jsonb_strip_nulls(jsonb_build_object('kind', kind, 'origin', origin, 'partner', partner)) AS dimensions,
    count(*)::numeric AS numerator,
    1::numeric AS denominator
FROM started, asked
WHERE started.since BETWEEN asked.first AND asked.as_of
GROUP BY GROUPING SETS ((), (kind), (origin), (partner))
