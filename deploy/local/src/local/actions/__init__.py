"""What a municipality tells its systems in a year: what caseworkers register, and what payroll sends. Plain data."""
