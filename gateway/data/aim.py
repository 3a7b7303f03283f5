"""Where one request may go by its service's rules, and which others it is alike."""

from gateway.data.call import Call
from gateway.policy import affinity
from gateway.routes import Route
from gateway.snapshot import Rule


def aim(call: Call, route: Route) -> None:
    """Take a look at a request whose service wants one."""
    service = route.service
    rule = next((rule for rule in service.rules if _fits(rule, call)), None)
    if rule:
        call.targets = frozenset(rule.endpoints)
    call.adapter = route.adapters.get(call.model, "")
    call.hedge, call.continues = service.hedge, service.continues
    if alike := service.affinity:
        session = call.request.header(alike.header.encode()) if alike.header else b""
        call.key = affinity.session(session)
        if alike.prefix and not call.key:
            call.key = affinity.prefix(call.request.body, alike.prefix)


def _fits(rule: Rule, call: Call) -> bool:
    given = ((call.request.header(name.encode()), value) for name, value in rule.headers)
    return all(header and (not value or header == value.encode()) for header, value in given)
