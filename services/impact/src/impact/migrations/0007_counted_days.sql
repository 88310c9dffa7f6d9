-- How many facts count, by type and day: asked beside every figure, so never counted one by one.
CREATE TABLE counted_day (
    municipality text NOT NULL,
    type text NOT NULL,
    occurred_on date NOT NULL,
    facts bigint NOT NULL,
    PRIMARY KEY (municipality, type, occurred_on)
);
INSERT INTO counted_day (municipality, type, occurred_on, facts)
SELECT fact.municipality, fact.type, fact.occurred_on, count(*)
FROM ledger AS fact
JOIN outcome AS became
    ON became.municipality = fact.municipality AND became.position = coalesce(fact.concerns, fact.position)
WHERE fact.kind IN ('fact', 'replay') AND fact.parked IS NULL AND fact.occurred_on IS NOT NULL
AND became.outcome = 'counted'
GROUP BY 1, 2, 3;
