-- What became free in a fiscal year, and from when: budgets and releases add, commitments take. The running sum by date
-- is what is free on each day, and is never negative.
CREATE TABLE movement (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fiscal_year integer NOT NULL REFERENCES fiscal_year,
    occurred_on date NOT NULL,
    amount_ore bigint NOT NULL
);

CREATE INDEX movement_of_year ON movement (fiscal_year, occurred_on);

INSERT INTO movement (fiscal_year, occurred_on, amount_ore)
SELECT fiscal_year, occurred_on, amount_ore FROM budget
UNION ALL SELECT fiscal_year, committed_on, -amount_ore FROM allocation JOIN pool_grant USING (grant_id);
