,
-- The last workforce snapshot of each department.
snapshot AS MATERIALIZED (
    SELECT DISTINCT ON (data ->> 'department')
        data ->> 'department' AS department,
        occurred_on AS taken_on,
        (data ->> 'headcount')::numeric AS headcount,
        (data ->> 'fte')::numeric AS fte,
        (data ->> 'trainee_headcount')::numeric AS trainees
    FROM fact, asked
    WHERE name = 'workforce.snapshot_taken' AND occurred_on <= as_of
    ORDER BY data ->> 'department', turn DESC
)
