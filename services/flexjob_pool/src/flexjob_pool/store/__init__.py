"""All SQL of the flexjob pool: resources as they stand (cases), decisions and their events, and what callers list."""
