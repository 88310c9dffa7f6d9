SELECT
    '{}'::jsonb AS dimensions,
    (count(*) FILTER (WHERE reason = 'ordinary_job'))::numeric AS numerator,
    count(*)::numeric AS denominator
FROM job, asked
WHERE flexjob AND finish BETWEEN asked.first AND asked.as_of
