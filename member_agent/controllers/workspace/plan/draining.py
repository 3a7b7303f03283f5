"""How an engine's pod ends: what it has begun it finishes, and then it is told to stop."""

from typing import Final

from member_agent.controllers.workspace.plan.actions import Body
from member_agent.controllers.workspace.plan.arguments import PORT

UNNOTICED_SECONDS: Final = 5
"""Until gateways and Services have heard that a pod ends, and send it nothing more."""
DRAIN_SECONDS: Final = 300
"""For answers under way; a long one takes minutes."""
GRACE_SECONDS: Final = DRAIN_SECONDS + 30
"""Of a pod that is deleted: the engine needs some of it for its own end."""
HUNG_GRACE_SECONDS: Final = 30
"""Of an engine whose probes fail: it answers nobody."""


def before_stop() -> Body:
    """Wait in the container until nothing is under way; a worker waits for the first pod."""
    code = waiting(PORT, UNNOTICED_SECONDS, DRAIN_SECONDS)
    return {"preStop": {"exec": {"command": ["python3", "-c", code]}}}


def waiting(port: int, unnoticed: int, longest: int) -> str:
    """Write the program that waits (seconds); an engine that does not answer has nothing to do."""
    return f"""\
import os, re, time
from urllib.request import urlopen

begun = re.compile(r"^vllm:num_requests_(?:running|waiting)(?:{{.*}})? (\\S+)$", re.M)
first = os.environ.get("POD_INDEX", "0") == "0"
host = "127.0.0.1" if first else os.environ.get("LEADER", "127.0.0.1")
end = time.monotonic() + {longest}
time.sleep({unnoticed})
while time.monotonic() < end:
    try:
        told = urlopen(f"http://{{host}}:{port}/metrics", timeout=5).read().decode()
    except OSError:
        break
    if not sum(map(float, begun.findall(told))):
        break
    time.sleep(1)
"""
