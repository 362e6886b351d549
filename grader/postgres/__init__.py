"""A PostgreSQL for runs: one that is given, or a throw-away server of our own.

`server` is what the harness uses, `guard` a process that starts a server and ends it
however the harness ends, and `reader` reads what a submission stored, as data.
"""
