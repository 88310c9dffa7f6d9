"""The rules of track 2: what is registered and what is asked go in, events come out, or a refusal with all its reasons.

What is asked comes as the event that it would become. Nothing here reads a clock, draws an id or touches a database.
"""
