"""The HTTP doors of impact, one module per business noun."""
