-- Other placements at which something of an employment is registered that could not be taken back.
ALTER TABLE payroll_employment ADD COLUMN left_at uuid[] NOT NULL DEFAULT '{}';

CREATE INDEX payroll_employment_left ON payroll_employment (employment_ref) WHERE left_at <> '{}';
