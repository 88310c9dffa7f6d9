"""All SQL of impact, one module per business noun."""
