,
-- Only what this municipality asks others for; what others ask it for counts in theirs.
request AS (
    SELECT DISTINCT ON (data ->> 'request_id')
        data ->> 'request_id' AS request,
        CASE
            WHEN data ->> 'to_municipality' IN ('410', '510', '530', '575', '607', '621', '630')
            THEN data ->> 'to_municipality'
            ELSE 'unknown'
        END AS to_municipality,
        occurred_on + 90 AS due_on
    FROM fact
    WHERE name = 'job7.candidate_requested' AND data ->> 'from_municipality' = split_part(source, ':', 3)
    ORDER BY data ->> 'request_id', turn
),

placed AS (
    SELECT data ->> 'request_id' AS request, min(occurred_on) AS placed_on
    FROM fact
    WHERE name = 'job7.candidate_placed'
    GROUP BY 1
)
SELECT
    jsonb_strip_nulls(jsonb_build_object('to_municipality', to_municipality)) AS dimensions,
    (count(*) FILTER (WHERE placed_on <= due_on))::numeric AS numerator,
    count(*)::numeric AS denominator
FROM request
LEFT JOIN placed USING (request)
WHERE due_on <= (SELECT as_of FROM asked)
GROUP BY GROUPING SETS ((), (to_municipality))
