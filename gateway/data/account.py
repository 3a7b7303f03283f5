"""What the access log says of an exchange."""

from collections.abc import Sequence

from gateway.access import Line
from gateway.data.call import Call
from gateway.data.reply import Reply
from gateway.policy.endpoint import EndpointState


def line(
    time: str,
    call: Call,
    reply: Reply,
    tried: Sequence[EndpointState],
    outcome: str,
    spent: tuple[float, float],
) -> Line:
    """`spent`: seconds to the end of the answer, and to its beginning."""
    asked, usage = call.asked, reply.usage
    seconds, first = spent
    last = tried[-1].endpoint if tried else None
    return Line(
        time=time,
        path=asked.path.decode("latin-1"),
        status=outcome,
        seconds=round(seconds, 6),
        model=call.label,
        region=last.region if last else "",
        upstream=last.name if last else "",
        attempts=len(tried),
        stream=reply.streams,
        first_seconds=round(first, 6),
        request_bytes=len(asked.body),
        prompt_tokens=usage.prompt,
        answer_tokens=usage.answer,
    )
