"""Pins turns that are begun or constrained over HTTP: what a server is asked, what it takes, and what is claimed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.stub_server import Answer, Script, Seen, StubServer, as_json, chat, completion, first, refusal
from tests.unit.policies.asking import MORE, Make, answer, ask

from vretrver.agent.answers import FORMS
from vretrver.agent.policy import Failure, FailureKind, FinishReason
from vretrver.policies.chat_endpoint import MISSES

GRAMMAR = FORMS["ranking"].grammar(3, whole_turn=True, complete=True)


def test_a_turn_that_was_begun_is_continued_and_sent_back_whole(server: StubServer, make: Make) -> None:
    server.script = chat(lambda _: "<answer>[2, 1]</answer>")
    policy = make(tokens=True)
    done = answer(policy, ask("s", prefix="<answer>["))
    assert done.text == "<answer>[2, 1]</answer>"
    assert (done.token_ids, done.logprobs, done.held) == (None, None, ())
    post = server.posts[-1]
    assert post["messages"][-1] == {"role": "assistant", "content": "<answer>["}
    assert (post["continue_final_message"], post["add_generation_prompt"]) == (True, False)
    answer(policy, ask("s", messages=(MORE,)))
    assert [message["content"] for message in server.posts[-1]["messages"]] == ["hello", done.text, "more"]
    assert "continue_final_message" not in server.posts[-1]


def test_whether_a_server_continues_a_turn_is_asked_once(server: StubServer, make: Make) -> None:
    policy = make()
    for session in ("a", "b"):
        policy.submit(ask(session, prefix="<answer>"))
    while policy.collect():
        pass
    assert len(server.posts) == 3 + 2


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (chat(lambda _: "<answer>[1]</answer>", continues=False), "does not continue a turn as it was begun"),
        (
            lambda seen: (
                refusal(400, "Unknown parameter: 'continue_final_message'.")
                if "continue_final_message" in seen.body
                else as_json(completion(["x"]))
            ),
            "refuses to continue a turn (Unknown parameter: 'continue_final_message'. error)",
        ),
        (
            lambda _: as_json({"choices": [{"message": {"content": "x"}}]}),
            "reports no token counts: whether it continues a turn is not known",
        ),
    ],
    ids=["ignores", "refuses", "does not count"],
)
def test_a_server_that_does_not_continue_a_turn_is_asked_for_none(
    server: StubServer, make: Make, script: Script, words: str
) -> None:
    server.script = script
    policy = make()
    done = answer(policy, ask("s", prefix="<answer>["))
    assert (done.text, done.finish) == ("", FinishReason.ERROR)
    assert done.failure == Failure(kind=FailureKind.REFUSED, words=f"{server.url} {words}")
    asked = len(server.posts)
    assert answer(policy, ask("s", messages=(), prefix="<answer>[")).failure == done.failure
    assert len(server.posts) == asked
    assert answer(policy, ask("s", messages=())).failure is None


def test_a_server_that_is_not_reached_is_asked_again_whether_it_continues(server: StubServer, make: Make) -> None:
    server.script = first([refusal(500, "boom")] * 2, chat(lambda _: "<answer>[1]</answer>"))
    policy = make()
    done = answer(policy, ask("s", prefix="<answer>["))
    assert done.failure is not None
    assert done.failure.kind is FailureKind.UNREACHABLE
    assert answer(policy, ask("t", prefix="<answer>[")).text == "<answer>[1]</answer>"


def test_a_grammar_of_the_whole_turn_is_sent_and_others_are_not(server: StubServer, make: Make) -> None:
    policy = make()
    assert GRAMMAR is not None
    answer(policy, ask("a", grammar=GRAMMAR))
    answer(policy, ask("b", grammar=replace(GRAMMAR, whole_turn=False)))
    answer(policy, ask("c", grammar=GRAMMAR, prefix="<answer>["))
    answer(policy, ask("d"))
    assert server.posts[0]["structured_outputs"] == {"regex": GRAMMAR.pattern}
    assert not any("structured_outputs" in post for post in server.posts[1:])


def taking(*fields: str, refuses: str | None = "Unknown parameter") -> Script:
    """Return a server that keeps to a grammar in these fields, and refuses or ignores it in others."""

    def script(seen: Seen) -> Answer:
        sent = [name for name in ("structured_outputs", "guided_regex", "regex") if name in seen.body]
        if refuses and not set(sent) <= set(fields):
            return refusal(400, f"{refuses}: '{sent[0]}'")
        text = "<answer>[1]</answer>" if set(sent) & set(fields) else "I prefer 1."
        logprobs = {"content": [{"token": "a", "logprob": -0.5}] * 3}
        return as_json(completion([text], token_ids=[5, 6, 7], logprobs=logprobs))

    return script


@pytest.mark.parametrize("field", ["structured_outputs", "guided_regex", "regex"])
@pytest.mark.parametrize("refuses", ["Unknown parameter", None])
def test_which_field_of_a_grammar_a_server_takes_is_learned(
    server: StubServer, make: Make, field: str, refuses: str | None
) -> None:
    server.script = taking(field, refuses=refuses)
    policy = make(tokens=True)
    for _ in range(2 * MISSES + 1):
        done = answer(policy, ask("s", grammar=GRAMMAR))
    assert (done.text, done.held) == ("<answer>[1]</answer>", ((0, 3),))
    assert [name for name in server.posts[-1] if name in ("structured_outputs", "guided_regex", "regex")] == [field]


@pytest.mark.parametrize("refuses", ["Unknown parameter", None])
def test_a_server_that_takes_no_grammar_goes_on_without_and_nothing_counts_as_held(
    server: StubServer, make: Make, refuses: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    server.script = taking(refuses=refuses)
    policy = make(tokens=True)
    done = [answer(policy, ask(f"s{number}", grammar=GRAMMAR)) for number in range(3 * MISSES + 1)]
    assert {(one.text, one.held) for one in done} == {("I prefer 1.", ())}
    assert not set(server.posts[-1]) & {"structured_outputs", "guided_regex", "regex"}
    (record,) = caplog.records
    assert record.getMessage() == f"{server.url} takes no grammar; answers are not constrained"


def test_a_turn_cut_off_under_a_grammar_counts_as_held(server: StubServer, make: Make) -> None:
    logprobs = {"content": [{"token": "a", "logprob": -0.5}]}
    server.script = lambda _: as_json(completion(["<answer>["], finish="length", token_ids=[5], logprobs=logprobs))
    done = answer(make(tokens=True), ask("s", grammar=GRAMMAR))
    assert (done.finish, done.held) == (FinishReason.LENGTH, ((0, 1),))


def test_thoughts_that_the_server_took_out_do_not_count_against_the_grammar(server: StubServer, make: Make) -> None:
    """So does vLLM with a reasoning parser: the answer was constrained, what was thought before it was not."""
    said = {"role": "assistant", "content": "<answer>[1]</answer>", "reasoning_content": "1 has it"}
    server.script = lambda _: as_json({"choices": [{"message": said, "finish_reason": "stop"}]})
    policy = make()
    for number in range(MISSES + 1):
        done = answer(policy, ask(f"s{number}", grammar=GRAMMAR))
        assert done.text == "<think>1 has it</think><answer>[1]</answer>"
    assert all("structured_outputs" in post for post in server.posts)


def test_a_turn_now_and_then_that_does_not_match_is_an_accident(server: StubServer, make: Make) -> None:
    texts = iter(["I prefer 1.", "I prefer 1.", "<answer>[1]</answer>"] * 3)
    server.script = lambda _: as_json(completion([next(texts)]))
    policy = make()
    for number in range(9):
        answer(policy, ask(f"s{number}", grammar=GRAMMAR))
    assert all("structured_outputs" in post for post in server.posts)
