"""Errors of `modelfleet join`: each says in one line what is wrong and what to do."""


class JoinError(Exception): ...
