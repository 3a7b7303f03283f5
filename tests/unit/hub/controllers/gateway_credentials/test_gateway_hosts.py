"""No two gateways have certificates for one host, whatever their agents report."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hub.controllers.gateway_credentials.office import DAY, Office

HOSTS = ("a.example", "b.example", "")
MEMBERS = ("us", "eu")


def held(office: Office, member: str) -> frozenset[str]:
    return frozenset(HOSTS) & office.certificate(member).names


async def test_a_certificate_for_a_host_is_its_first_holder_s_until_he_leaves() -> None:
    office = Office("us", "eu")
    await office.settle()
    before = office.certificate("us")
    office.join("eu", "https://us.example:8443/v1")
    await office.settle()
    assert office.certificate("us") == before
    assert "us.example" not in office.certificate("eu").names
    await office.client.delete(office.member("us"))
    await office.settle()
    assert "us.example" in office.certificate("eu").names


async def test_a_gateway_without_an_address_for_a_while_keeps_its_certificate() -> None:
    office = Office("us", "eu")
    await office.settle()
    before = office.certificate("us")
    office.join("us", None)
    await office.settle()
    assert office.certificate("us") == before
    office.join("eu", "https://us.example/v1")
    await office.settle()
    assert office.certificate("us") == before
    assert "us.example" not in office.certificate("eu").names
    await office.pass_time(8 * DAY)
    assert office.certificate("us").names == before.names


async def test_a_name_of_the_global_gateway_is_not_in_a_member_s_certificate() -> None:
    office = Office("us")
    office.join("us", "https://models.example/v1")
    await office.settle()
    assert "models.example" not in office.certificate("us").names


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(MEMBERS), st.sampled_from(HOSTS), st.booleans()), max_size=8)
)
async def test_of_all_who_report_a_host_one_is_certified_and_who_keeps_to_it_keeps_it(
    steps: list[tuple[str, str, bool]],
) -> None:
    office, reported = Office(*MEMBERS), dict.fromkeys(MEMBERS, "")
    await office.settle()
    for member, host, hasty in steps:
        before = {name: held(office, name) for name in MEMBERS}
        reported[member] = host
        office.join(member, f"https://{host}/v1" if host else None)
        if hasty:
            continue
        await office.settle()
        us, eu = (held(office, name) for name in MEMBERS)
        assert not us & eu
        for name in MEMBERS:
            if before[name] == {reported[name]}:
                assert held(office, name) == before[name]
        for wanted in filter(None, reported.values()):
            assert wanted in us | eu
    await office.settle()
    assert not held(office, "us") & held(office, "eu")
