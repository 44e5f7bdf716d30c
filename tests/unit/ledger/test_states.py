"""What makes two requests the same, and the states they may go through."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st

from seedream_api.ledger.states import (
    RELEASED_STATES,
    STORED_STATES,
    TRANSITIONS,
    UNFINISHED_STATES,
    State,
    fingerprint,
    key_fingerprint,
)

BODY = {"model": "Seedream-4.5", "prompt": "a cat", "size": "1:1", "n": 1}
ADDRESS = "https://api.deepspaceai.net"
REFERENCES = ("sha256:aa", "url:https://example.com/a.png")


def printed(**changed: Any) -> str:
    parts: dict[str, Any] = {
        "address": ADDRESS, "body": BODY, "references": REFERENCES, "seed": 0, **changed,
    }  # fmt: skip
    return fingerprint(**parts)


# ---- fingerprints ----


def test_same_parts_have_the_same_print_in_any_order() -> None:
    assert printed() == printed(body=dict(reversed(BODY.items())))
    assert len(printed()) == 64 and set(printed()) <= set("0123456789abcdef")


def test_print_is_stable_across_versions() -> None:
    # Changing it forgets everything that anybody has paid for.
    assert printed() == "c9c8e73d9a0198f743fe3c90534ebe1a5b3c77e70f5da666efdf0555d07c54e8"
    chinese = printed(body={**BODY, "prompt": "一只猫"})
    assert chinese == "e6984f42e4f26b38d68f2df8b84c9dacef341c2939b5e9f963bef7e0e33c0e05"


def test_every_part_makes_another_print() -> None:
    others = [
        printed(address="sandbox"),
        printed(seed=1),
        printed(references=()),
        printed(references=REFERENCES[::-1]),
        printed(references=(*REFERENCES, REFERENCES[0])),
        *(printed(body={**BODY, name: "other"}) for name in BODY),
        printed(body={**BODY, "watermark": False}),
        printed(body={**BODY, "n": "1"}),
    ]
    assert len({printed(), *others}) == len(others) + 1


@given(st.text(alphabet=st.characters(), max_size=20), st.text(max_size=20))
def test_different_prompts_have_different_prints(one: str, other: str) -> None:
    same = printed(body={**BODY, "prompt": one}) == printed(body={**BODY, "prompt": other})
    assert same == (one == other)


def test_prompt_with_a_lone_surrogate_can_be_printed() -> None:
    assert printed(body={"prompt": "\ud800"}) != printed(body={"prompt": "\ud801"})


def test_key_print_tells_keys_apart_and_tells_no_key() -> None:
    key = "sk-0123456789abcdef"
    assert key_fingerprint(key) == key_fingerprint(key) != key_fingerprint(key + "0")
    assert len(key_fingerprint(key)) == 12 and key[3:9] not in key_fingerprint(key)


# ---- the machine ----


def test_every_state_has_its_moves_and_they_lead_to_states() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(after <= set(State) for after in TRANSITIONS.values())
    assert len({state.value for state in State}) == len(State)


def test_sent_row_is_intended_again_only_after_a_refusal() -> None:
    to_intended = [state for state in State if State.INTENDED in TRANSITIONS[state]]
    assert to_intended == [State.SENDING]
    reaching_sending = [state for state in State if State.SENDING in TRANSITIONS[state]]
    assert reaching_sending == [State.INTENDED]


def test_unknown_ends_by_its_task_its_response_or_a_person() -> None:
    reread = {State.ANSWERED, State.EMPTY}
    assert TRANSITIONS[State.UNKNOWN] == {State.ACCEPTED, *reread, State.FORGOTTEN}


def test_empty_ends_by_its_task_its_response_or_a_person() -> None:
    assert TRANSITIONS[State.EMPTY] == {State.ACCEPTED, State.ANSWERED, State.FORGOTTEN}


def test_accepted_never_becomes_unknown() -> None:
    assert State.UNKNOWN not in TRANSITIONS[State.ACCEPTED]


def test_forgotten_is_final_and_allowed_from_each_resting_state() -> None:
    assert TRANSITIONS[State.FORGOTTEN] == frozenset()
    at_rest = set(State) - {State.SENDING, State.FORGOTTEN}
    assert {state for state in State if State.FORGOTTEN in TRANSITIONS[state]} == at_rest


def test_what_is_stored_is_only_ever_fetched_again_or_forgotten() -> None:
    for state in STORED_STATES:
        assert TRANSITIONS[state] == {State.ANSWERED, State.FORGOTTEN}


def test_every_state_can_be_reached_from_intended() -> None:
    reached, new = {State.INTENDED}, {State.INTENDED}
    while new:
        new = set[State]().union(*(TRANSITIONS[state] for state in new)) - reached
        reached |= new
    assert reached == set(State)


def test_groups_of_states_do_not_overlap() -> None:
    groups = [
        set(RELEASED_STATES),
        set(STORED_STATES),
        set(UNFINISHED_STATES),
        {State.EMPTY, State.UNKNOWN},
    ]
    assert set[State]().union(*groups) == set(State)
    assert sum(len(group) for group in groups) == len(State)
