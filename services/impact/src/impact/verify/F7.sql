,
review AS (
    SELECT DISTINCT ON (data ->> 'placement_id', data ->> 'review_id')
        data ->> 'placement_id' AS placement,
        data ->> 'review_id' AS review,
        CASE WHEN data ->> 'review_kind' IN ('m30', 'm54', 'early') THEN data ->> 'review_kind' ELSE 'unknown' END
            AS review_kind,
        (data ->> 'due_on')::date AS due_on
    FROM fact
    WHERE name = 'flexjob.review_due'
    ORDER BY data ->> 'placement_id', data ->> 'review_id', turn DESC
),

flexjob AS (
    SELECT
        data ->> 'placement_id' AS placement,
        min(occurred_on) FILTER (WHERE name = 'flexjob.started') AS start,
        coalesce(min(occurred_on) FILTER (WHERE name = 'flexjob.ended'), 'infinity') AS finish
    FROM fact
    WHERE name IN ('flexjob.started', 'flexjob.ended')
    GROUP BY 1
),

held AS (
    SELECT data ->> 'placement_id' AS placement, data ->> 'review_id' AS review, min(occurred_on) AS held_on
    FROM fact
    WHERE name = 'flexjob.review_held'
    GROUP BY 1, 2
)
SELECT
    jsonb_strip_nulls(jsonb_build_object('review_kind', review_kind)) AS dimensions,
    (count(*) FILTER (WHERE held_on <= due_on))::numeric AS numerator,
    count(*)::numeric AS denominator
FROM review
JOIN flexjob USING (placement)
LEFT JOIN held USING (placement, review)
WHERE start <= due_on AND due_on < finish AND due_on <= (SELECT as_of FROM asked)
GROUP BY GROUPING SETS ((), (review_kind))
