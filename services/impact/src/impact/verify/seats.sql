,
-- Persons in flexjob on the asked day, each in the department with most of their hours.
seat AS (
    SELECT DISTINCT ON (person) person, department, sum(hours) OVER (PARTITION BY person) AS hours
    FROM active
    JOIN asked ON active.since <= asked.as_of AND asked.as_of < active.until
    WHERE flexjob
    ORDER BY person, sum(active.hours) OVER (PARTITION BY person, department) DESC, start, placement COLLATE "C"
)
