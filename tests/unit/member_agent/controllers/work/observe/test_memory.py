"""What the agent remembers of applied objects: who asks for them, who makes them, how they are."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.api.objects import Key
from member_agent.controllers.work.observe.memory import Memory
from member_agent.controllers.work.plan.actions import Seen
from member_agent.controllers.work.plan.availability import AVAILABLE
from member_agent.controllers.work.plan.manifests import Ref

ONE, TWO = Key("fleet-member-us", "one"), Key("fleet-member-us", "two")
REFS = {name: Ref("", "ConfigMap", "demo", name) for name in "abc"}
A, B = REFS["a"], REFS["b"]


def seen(version: int = 1) -> Seen:
    return Seen(
        digest="d",
        fingerprint="f",
        version=version,
        uid="u",
        generation=1,
        finding=AVAILABLE,
    )


def test_a_work_is_concerned_by_what_it_attends_to_now() -> None:
    memory = Memory()
    memory.attend(ONE, [A, B])
    memory.attend(TWO, [B])
    assert memory.concerned(A) == (ONE,)
    assert set(memory.concerned(B)) == {ONE, TWO}
    memory.attend(ONE, [A])
    assert memory.concerned(B) == (TWO,)
    memory.attend(ONE, [])
    assert memory.concerned(A) == ()


def test_what_was_seen_of_an_object_is_kept_while_it_is_attended_to() -> None:
    memory = Memory()
    memory.attend(ONE, [A])
    memory.keep(ONE, A, seen(1))
    memory.keep(ONE, A, seen(2))
    memory.attend(ONE, [A, B])
    assert memory.seen(ONE, A) == seen(2)
    assert memory.seen(TWO, A) is None
    memory.attend(ONE, [B])
    memory.attend(ONE, [A])
    assert memory.seen(ONE, A) is None


def test_the_first_that_asks_makes_an_object_until_it_asks_no_more() -> None:
    memory = Memory()
    for key in (ONE, TWO):
        memory.attend(key, [A])
    assert [memory.maker(key, A) for key in (TWO, ONE)] == [TWO, TWO]
    memory.attend(ONE, [])
    assert memory.maker(TWO, A) == TWO
    memory.attend(ONE, [A])
    memory.attend(TWO, [])
    assert memory.maker(ONE, A) == ONE


def test_every_work_that_an_object_concerns_hears_of_it() -> None:
    memory, heard = Memory(), list[Key]()
    listener = memory.listener(heard.append)
    for key in (ONE, TWO):
        memory.attend(key, [A])
    listener(A)
    listener(B)
    assert sorted(heard) == [ONE, TWO]


def test_all_is_told_once_every_work_has_spoken() -> None:
    memory = Memory()
    assert memory.all_told([])
    assert not memory.all_told([ONE])
    memory.told(ONE)
    assert memory.all_told([ONE])
    assert not memory.all_told([ONE, TWO])
    memory.told(TWO)
    assert memory.all_told([ONE, TWO])


@given(
    st.lists(
        st.tuples(st.sampled_from([ONE, TWO]), st.lists(st.sampled_from("abc"), unique=True)),
        max_size=12,
    )
)
def test_in_whatever_order_works_come_and_go_the_last_word_of_each_counts(
    steps: list[tuple[Key, list[str]]],
) -> None:
    memory, last = Memory(), dict[Key, list[str]]()
    for key, names in steps:
        memory.attend(key, [REFS[name] for name in names])
        last[key] = names
        for name in names:
            memory.keep(key, REFS[name], seen())
            memory.maker(key, REFS[name])
    for name, ref in REFS.items():
        asking = {key for key, names in last.items() if name in names}
        assert set(memory.concerned(ref)) == asking
        assert {key for key in (ONE, TWO) if memory.seen(key, ref)} == asking
        assert not asking or memory.maker(min(asking), ref) in asking
