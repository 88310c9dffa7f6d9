"""The rules of track 2, written once: decisions (what is asked, and the case) and effects (an event, and the case).

A decision returns the events that come of what is asked, or raises a refusal with all its reasons; its first event is
the one that was asked for, the others follow from it. An effect puts the resources that an event changes into the case
and checks nothing. Both depend on nothing else, so that a story can be told again: nothing here reads a clock, draws an
id or touches a database.
"""
