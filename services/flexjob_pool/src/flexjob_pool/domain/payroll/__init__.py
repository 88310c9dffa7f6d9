"""What a payroll system tells of its employments, and what the pool must have registered because of it. Pure.

Messages become versions in force (`versions`), these the timeline of an employment (`timeline`), and the timeline,
beside what the doors registered, the registrations that are due (`reconcile`).
"""
