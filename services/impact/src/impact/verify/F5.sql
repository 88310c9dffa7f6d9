,
-- A grant draws from its commitment on; its first release after that is final.
commitment AS (
    SELECT data ->> 'grant_id' AS grant_id, min(turn) AS turn
    FROM fact
    WHERE name = 'grant.committed'
    GROUP BY 1
),

release AS (
    SELECT data ->> 'grant_id' AS grant_id, min(fact.turn) AS turn
    FROM fact
    JOIN commitment ON commitment.grant_id = fact.data ->> 'grant_id'
    WHERE name = 'grant.released' AND fact.turn > commitment.turn
    GROUP BY 1
),

latest_draw AS (
    SELECT DISTINCT ON (commitment.grant_id) data -> 'allocations' AS allocations
    FROM fact
    JOIN asked ON fact.occurred_on <= asked.as_of
    JOIN commitment ON commitment.grant_id = fact.data ->> 'grant_id'
    LEFT JOIN release ON release.grant_id = commitment.grant_id
    WHERE name IN ('grant.committed', 'grant.adjusted', 'grant.released')
    AND commitment.turn <= fact.turn
    AND (release.turn IS NULL OR fact.turn <= release.turn)
    ORDER BY commitment.grant_id, fact.turn DESC
),

latest_budget AS (
    SELECT DISTINCT ON (data ->> 'budget_id') data
    FROM fact, asked
    WHERE name IN ('pool.budget_allocated', 'pool.budget_adjusted') AND occurred_on <= as_of
    ORDER BY data ->> 'budget_id', turn DESC
),

money AS (
    SELECT part ->> 'fiscal_year' AS fiscal_year, (part ->> 'amount_ore')::numeric AS drawn, 0 AS budgeted
    FROM latest_draw, jsonb_array_elements(allocations) AS part
    UNION ALL
    SELECT data ->> 'fiscal_year', 0, (data ->> 'amount_ore')::numeric
    FROM latest_budget
)
-- Held to the year of the asked day, but for the cut by year.
SELECT '{}'::jsonb AS dimensions, coalesce(sum(drawn), 0) AS numerator, coalesce(sum(budgeted), 0) AS denominator
FROM money, asked
WHERE fiscal_year = extract(year FROM as_of)::text
UNION ALL
SELECT jsonb_build_object('fiscal_year', fiscal_year), sum(drawn), sum(budgeted)
FROM money
GROUP BY fiscal_year
