CREATE TABLE rules (
    rules_version integer PRIMARY KEY CHECK (rules_version >= 1),
    occurred_on date NOT NULL,
    refund_share numeric NOT NULL CHECK (refund_share BETWEEN 0 AND 1),
    max_weekly_effective_hours numeric(5, 2),
    max_months integer,
    eligible_units text[] NOT NULL
);

CREATE FUNCTION refuse_edit() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'a row of % is never edited', TG_TABLE_NAME; END $$;

CREATE TRIGGER rules_are_never_edited BEFORE UPDATE OR DELETE ON rules
FOR EACH ROW EXECUTE FUNCTION refuse_edit();

-- The sums of a year's budgets and draws stand in one row, so that one lock and one check guard the budget.
CREATE TABLE fiscal_year (
    fiscal_year integer PRIMARY KEY,
    budget_ore bigint NOT NULL CHECK (budget_ore >= 0),
    drawn_ore bigint NOT NULL CHECK (drawn_ore >= 0),
    CONSTRAINT draws_never_exceed_the_budget CHECK (drawn_ore <= budget_ore)
);

CREATE TABLE budget (
    budget_id uuid PRIMARY KEY,
    fiscal_year integer NOT NULL REFERENCES fiscal_year,
    amount_ore bigint NOT NULL CHECK (amount_ore >= 0),
    occurred_on date NOT NULL
);

CREATE INDEX budget_of_year ON budget (fiscal_year);

CREATE TABLE application (
    application_id uuid PRIMARY KEY,
    need_id uuid,
    department text NOT NULL,
    workplace_unit text NOT NULL,
    effective_hours_per_week numeric(5, 2) NOT NULL,
    months integer NOT NULL,
    amount_ore bigint NOT NULL,
    submitted_on date NOT NULL,
    status text NOT NULL DEFAULT 'submitted' CHECK (status IN ('submitted', 'approved', 'rejected')),
    decided_on date,
    rules_version integer REFERENCES rules,
    reject_code text,
    CHECK ((status = 'submitted') = (decided_on IS NULL)),
    CHECK ((status = 'submitted') = (rules_version IS NULL)),
    CHECK ((status = 'rejected') = (reject_code IS NOT NULL))
);

CREATE TABLE pool_grant (
    grant_id uuid PRIMARY KEY,
    application_id uuid NOT NULL UNIQUE REFERENCES application,
    committed_on date NOT NULL,
    period_from date NOT NULL,
    period_to date NOT NULL CHECK (period_to > period_from),
    released_on date
);

CREATE TABLE allocation (
    grant_id uuid NOT NULL REFERENCES pool_grant,
    fiscal_year integer NOT NULL REFERENCES fiscal_year,
    amount_ore bigint NOT NULL CHECK (amount_ore >= 0),
    PRIMARY KEY (grant_id, fiscal_year)
);

CREATE INDEX allocation_of_year ON allocation (fiscal_year);

CREATE TABLE flexjob (
    placement_id uuid PRIMARY KEY,
    person_ref uuid NOT NULL,
    department text NOT NULL,
    workplace_unit text NOT NULL,
    grant_id uuid UNIQUE REFERENCES pool_grant,
    need_id uuid,
    grant_term text NOT NULL,
    retention boolean NOT NULL,
    scheme text NOT NULL,
    started_on date NOT NULL,
    ended_on date CHECK (ended_on >= started_on),
    reason_code text,
    CHECK ((ended_on IS NULL) = (reason_code IS NULL))
);

-- The first row of a flexjob is its start and has no cause; position is the order of registration.
CREATE TABLE hours (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    placement_id uuid NOT NULL REFERENCES flexjob,
    occurred_on date NOT NULL,
    attendance_hours_per_week numeric(5, 2) NOT NULL,
    effective_hours_per_week numeric(5, 2) NOT NULL,
    cause text
);

CREATE INDEX hours_of_flexjob ON hours (placement_id, occurred_on, position);
