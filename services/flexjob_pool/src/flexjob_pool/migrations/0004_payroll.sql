-- What payroll told, as it came: never edited. `target` is the id of the message that it corrects or retracts, which may
-- come later; `data` is the event's.
CREATE TABLE payroll_message (
    source text NOT NULL,
    id text NOT NULL,
    time timestamptz NOT NULL,
    type text NOT NULL,
    corrects text,
    target text,
    employment_ref uuid,
    data jsonb NOT NULL,
    PRIMARY KEY (source, id)
);

CREATE INDEX payroll_message_target ON payroll_message (source, target) WHERE target IS NOT NULL;
CREATE INDEX payroll_message_employment ON payroll_message (employment_ref);

-- What became of an employment: the placement that it pays for, and what differs from what is registered of it.
-- It is written only under the locks of the placement that it paid for and of the one it pays for.
CREATE TABLE payroll_employment (
    employment_ref uuid PRIMARY KEY,
    placement_id uuid,
    matched boolean NOT NULL DEFAULT false,
    status text NOT NULL CHECK (status IN ('applied', 'unknown', 'differs', 'refused', 'not_in_force')),
    why jsonb NOT NULL DEFAULT '[]',
    CHECK (placement_id IS NOT NULL OR status = 'not_in_force')
);

CREATE INDEX payroll_employment_placement ON payroll_employment (placement_id);
CREATE INDEX payroll_employment_status ON payroll_employment (status, employment_ref);
