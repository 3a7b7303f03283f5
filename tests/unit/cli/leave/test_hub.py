"""A member whose deletion the hub's admission refuses says why, and what lets it go."""

from typing import Any

import pytest
from typing_extensions import override

from cli.leave.hub import LeaveError, let_go
from fleet.api.cluster import MemberCluster
from fleet.kube.errors import ForbiddenError, NotPermittedError
from fleet.testing.client import FakeClient

MEMBER = MemberCluster.model_validate(
    {"metadata": {"name": "us"}, "spec": {"identity": {"kind": "User", "name": "us"}}}
)
EXPORTS = 'admission webhook "x" denied the request: Please delete serviceExport web/shop first'


class Guarded(FakeClient):
    """A hub that lets a member go only where its exports are not asked for."""

    error: Exception = ForbiddenError(EXPORTS)

    @override
    async def delete(self, resource: Any, **how: Any) -> None:
        (live,) = self.all(MemberCluster)
        options = live.spec.delete_options
        if options is None or options.validation_mode != "Skip":
            raise self.error
        await super().delete(resource, **how)


async def test_a_member_with_exports_stays_until_they_are_not_asked_for() -> None:
    hub = Guarded(MEMBER)
    (live,) = hub.all(MemberCluster)
    with pytest.raises(
        LeaveError, match=r"us may not leave: .*web/shop first; --skip-export-check"
    ):
        await let_go(hub, live)
    await let_go(hub, live, skip_exports=True)
    assert hub.all(MemberCluster) == []


async def test_who_lacks_the_right_is_not_told_of_exports() -> None:
    hub = Guarded(MEMBER)
    hub.error = NotPermittedError("cannot delete memberclusters")
    with pytest.raises(NotPermittedError):
        await let_go(hub, hub.all(MemberCluster)[0])
    hub.error = ForbiddenError("no")
    with pytest.raises(LeaveError, match=r"^us may not leave: no$"):
        await let_go(hub, hub.all(MemberCluster)[0])
