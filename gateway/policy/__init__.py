"""Deciding code: which endpoint, how often, when not, and what to say. No I/O; time is given."""
