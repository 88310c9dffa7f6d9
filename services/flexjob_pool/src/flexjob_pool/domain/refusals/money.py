"""Why the pool says no about budgets, grants and refunds."""

from flexjob_pool.domain.refusals import Clash, Refusal


class BudgetExists(Clash):
    """A budget is registered under that id already; adjust it."""

    danish = "Der er allerede registreret et budget under det id; regulér det."
    field = "budget_id"


class BudgetDatedBack(Clash):
    """A new total may not be dated before the total that it replaces."""

    danish = "Et nyt budgetbeløb kan ikke dateres før det beløb, det afløser."
    field = "occurred_on"


class BudgetExceeded(Clash):
    """The budget of {fiscal_year} would not cover all that is committed from that day on."""

    danish = "Budgettet for {fiscal_year} ville ikke dække alle tilsagn fra den dag."


class GrantExists(Clash):
    """A grant is registered under that id already."""

    danish = "Der er allerede registreret et tilsagn under det id."
    field = "grant_id"


class GrantUnknown(Refusal):
    """No grant is registered under that id."""

    danish = "Der er ikke registreret et tilsagn under det id."
    field = "grant_id"


class AlreadyGranted(Clash):
    """Money has been committed for this application already."""

    danish = "Der er allerede givet tilsagn til denne ansøgning."
    field = "application_id"


class CommittedBeforeApproval(Refusal):
    """Money cannot be committed before the application was approved."""

    danish = "Der kan ikke gives tilsagn, før ansøgningen er godkendt."
    field = "occurred_on"


class PeriodIsEmpty(Refusal):
    """The period must end after it begins."""

    danish = "Perioden skal slutte, efter den begynder."
    field = "period_to"


class PeriodLongerThanApproved(Refusal):
    """The period is longer than the {months} months that were approved."""

    danish = "Perioden er længere end de {months} måneder, der er godkendt."
    field = "period_to"


class AmountAboveApproved(Refusal):
    """The amount is more than what was approved."""

    danish = "Beløbet er større end det, der er godkendt."
    field = "amount_ore"


class GrantIsReleased(Clash):
    """The grant has been released to the pool again."""

    danish = "Tilsagnet er frigivet til puljen igen."


class GrantDatedBack(Clash):
    """That may not be dated before the grant's last change."""

    danish = "Det kan ikke dateres før den seneste ændring af tilsagnet."
    field = "occurred_on"


class BelowRefunds(Clash):
    """More has been refunded from the grant in {fiscal_year} than it would have left."""

    danish = "Der er refunderet mere fra tilsagnet i {fiscal_year}, end det ville have tilbage."
    field = "amount_ore"


class RefundedOutsidePeriod(Clash):
    """A month that has been refunded would lie outside the period."""

    danish = "En måned, der er refunderet, ville ligge uden for perioden."
    field = "period_from"


class FlexjobOutsidePeriod(Clash):
    """The flexjob that the grant pays for would start outside the period."""

    danish = "Det fleksjob, tilsagnet betaler, ville starte uden for perioden."
    field = "period_from"


class RefundExists(Clash):
    """A refund is registered under that id already."""

    danish = "Der er allerede registreret en refusion under det id."
    field = "refund_id"


class MonthOutsideGrant(Refusal):
    """No day of that month lies in the period of the grant."""

    danish = "Ingen dag i den måned ligger i tilsagnets periode."
    field = "payroll_month"


class MonthRefundedAlready(Clash):
    """The month has been refunded from this grant already."""

    danish = "Måneden er allerede refunderet fra dette tilsagn."
    field = "payroll_month"


class RefundBeforeGrant(Refusal):
    """A refund cannot be posted before the day of the grant."""

    danish = "En refusion kan ikke bogføres før den dag, tilsagnet blev givet."
    field = "occurred_on"


class GrantUsedUp(Clash):
    """The grant does not have that much left for {fiscal_year}."""

    danish = "Der er ikke så meget tilbage af tilsagnet for {fiscal_year}."
    field = "wage_ore"


class AlreadyReversed(Clash):
    """The refund has been reversed; that happens once."""

    danish = "Refusionen er tilbageført; det sker kun én gang."


class ReversedBeforePosted(Refusal):
    """A refund cannot be reversed before the day on which it was posted."""

    danish = "En refusion kan ikke tilbageføres før den dag, den blev bogført."
    field = "occurred_on"
