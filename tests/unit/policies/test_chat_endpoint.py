"""Pins the form of chat requests and the reading of answers, literally; no server is involved."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from tests.stub_server import completion

from vretrver.agent.messages import Message, ShownPicture
from vretrver.agent.policy import Failure, FailureKind, FinishReason, Request, Sampling, Usage
from vretrver.errors import ServiceError
from vretrver.images import Picture
from vretrver.policies.chat_endpoint import (
    body_json,
    failure_of,
    is_overflow,
    message_json,
    refused_field,
    sampling_fields,
    turn_json,
)
from vretrver.policies.chat_reply import Reply, read_reply, with_stop
from vretrver.records import Address

DATA = bytes(range(256))
SHOWN = ShownPicture(
    address=Address(item=1),
    picture=Picture(data=DATA, width=32, height=32, sha256=hashlib.sha256(DATA).hexdigest()),
    tokens=1,
)


def request(**fields: Any) -> Request:
    return Request(session="s", messages=(), **{"sampling": Sampling(), **fields})


def test_a_text_message_is_a_string() -> None:
    message = Message(role="system", pieces=("one\n", "two"))
    assert json.loads(message_json(message)) == {"role": "system", "content": "one\ntwo"}


def test_pictures_are_data_urls_of_their_bytes_at_their_places() -> None:
    message = Message(role="user", pieces=("(1) ", SHOWN, "\nend"))
    url = f"data:image/jpeg;base64,{base64.b64encode(DATA).decode()}"
    assert json.loads(message_json(message)) == {
        "role": "user",
        "content": [
            {"type": "text", "text": "(1) "},
            {"type": "image_url", "image_url": {"url": url}},
            {"type": "text", "text": "\nend"},
        ],
    }


def test_a_turn_is_sent_back_verbatim_and_lone_surrogates_are_replaced() -> None:
    assert json.loads(turn_json('<think>\n é"</think> ')) == {"role": "assistant", "content": '<think>\n é"</think> '}
    assert json.loads(turn_json("a\ud800b"))["content"] == "a?b"


def test_a_body_is_model_sampling_and_messages() -> None:
    fields = sampling_fields(request(sampling=Sampling(max_tokens=7)), seed=5, tokens=False)
    assert json.loads(body_json("m", [turn_json("a"), turn_json("b")], fields)) == {
        "model": "m",
        "max_tokens": 7,
        "temperature": 0.0,
        "top_p": 1.0,
        "messages": [{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}],
    }


def test_what_is_asked_for_besides_stands_in_the_fields() -> None:
    asked = request(sampling=Sampling(temperature=0.7), stop=("</tool_call>",), score_tokens=("1",))
    fields = sampling_fields(asked, seed=5, tokens=True)
    assert fields == {
        "max_tokens": 1024,
        "temperature": 0.7,
        "top_p": 1.0,
        "seed": 5,
        "stop": ["</tool_call>"],
        "include_stop_str_in_output": True,
        "no_stop_trim": True,
        "return_token_ids": True,
        "logprobs": True,
        "top_logprobs": 20,
    }


def test_a_turn_that_was_begun_is_asked_to_be_continued() -> None:
    fields = sampling_fields(request(prefix="<answer>["), seed=5, tokens=False)
    assert (fields["continue_final_message"], fields["add_generation_prompt"]) == (True, False)


def one(value: dict[str, Any], **fields: Any) -> Reply:
    return read_reply(value, request(**fields))


def test_text_finish_and_usage_are_read() -> None:
    value = completion(["hello"], prompt=12)
    value["usage"]["prompt_tokens_details"] = {"cached_tokens": 8}
    reply = read_reply(value, request())
    assert (reply.text, reply.finish, reply.failure) == ("hello", FinishReason.STOP, None)
    assert reply.usage == Usage(prompt_tokens=12, cached_tokens=8, completion_tokens=1)


def test_a_turn_cut_off_at_its_length_says_so() -> None:
    assert one(completion(["hel"], finish="length")).finish is FinishReason.LENGTH


def test_ids_and_logprobs_are_read_when_there_is_one_for_each() -> None:
    logprobs = {"content": [{"token": "a", "logprob": -0.5}, {"token": "<|im_end|>", "logprob": -0.25}]}
    whole = one(completion(["a"], token_ids=[5, 9], logprobs=logprobs))
    assert (whole.token_ids, whole.logprobs) == ((5, 9), (-0.5, -0.25))
    torn = one(completion(["a"], token_ids=[5], logprobs=logprobs))
    assert (torn.token_ids, torn.logprobs) == (None, None)
    begun = one(completion(["a"], token_ids=[5, 9], logprobs=logprobs), prefix="b")
    assert (begun.text, begun.token_ids, begun.logprobs) == ("ba", None, None)


def test_thoughts_taken_out_of_a_turn_that_was_begun_are_a_failure() -> None:
    value = completion(["<answer>[1]</answer>"])
    value["choices"][0]["message"]["reasoning_content"] = "so"
    reply = one(value, prefix="<think>")
    assert reply.failure is not None
    assert reply.failure.kind is FailureKind.REFUSED


def test_scores_are_those_of_the_first_token_as_far_as_told() -> None:
    top = [{"token": "2", "logprob": -2.0}, {"token": "x", "logprob": -3.0}]
    logprobs = {"content": [{"token": "1", "logprob": -0.5, "top_logprobs": top}]}
    assert one(completion(["1"], logprobs=logprobs), score_tokens=("1", "2", "3")).scores == {"1": -0.5, "2": -2.0}


@pytest.mark.parametrize(
    ("text", "named", "whole"),
    [
        ("<tool_call>{}", "</tool_call>", "<tool_call>{}</tool_call>"),
        ("<tool_call>{}</tool_call>", "</tool_call>", "<tool_call>{}</tool_call>"),
        ("<tool_call>{}", None, "<tool_call>{}</tool_call>"),
        ("<tool_call>{}</tool_call><tool_call>{}", None, "<tool_call>{}</tool_call><tool_call>{}</tool_call>"),
        ("<answer>[1]</answer>", None, "<answer>[1]</answer>"),
        ("<tool_call>{}", 151645, "<tool_call>{}"),
        ("<tool_call>{}", "something else", "<tool_call>{}"),
        ("", None, ""),
    ],
)
def test_the_stop_string_is_put_back_where_a_server_dropped_it(
    text: str, named: str | int | None, whole: str
) -> None:
    assert with_stop(text, ["</tool_call>"], named) == whole


@pytest.mark.parametrize("field", ["stop_reason", "matched_stop"])
def test_servers_name_the_stop_string_in_their_own_field(field: str) -> None:
    assert one(completion(["END"], **{field: "."}), stop=(".",)).text == "END."


def test_a_text_cut_off_at_its_length_gets_no_stop_string() -> None:
    value = completion(["<tool_call>{"], finish="length")
    assert one(value, stop=("</tool_call>",)).text == "<tool_call>{"


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_a_server_took_apart_are_put_back(name: str) -> None:
    value = completion(["<answer>[1]</answer>"])
    value["choices"][0]["message"][name] = "so"
    choice = one(value)
    assert (choice.text, choice.content) == ("<think>so</think><answer>[1]</answer>", "<answer>[1]</answer>")
    assert choice.thoughts == "<think>so</think>"


def test_thoughts_alone_are_a_turn() -> None:
    value = completion(["x"], finish="length")
    value["choices"][0]["message"] = {"role": "assistant", "content": None, "reasoning_content": "so"}
    assert (one(value).text, one(value).finish) == ("<think>so</think>", FinishReason.LENGTH)


def test_content_in_parts_is_joined() -> None:
    value = completion(["x"])
    value["choices"][0]["message"]["content"] = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert one(value).text == "ab"


@pytest.mark.parametrize(
    ("message", "finish", "kind", "words"),
    [
        (
            {"content": None, "tool_calls": [{"function": {"name": "zoom_in", "arguments": "{}"}}]},
            "tool_calls",
            "refused",
            "the server took tool calls out of the text; start it without a tool call parser",
        ),
        ({"content": None}, "stop", "broken", "the answer holds no text"),
        ({"content": "x"}, "content_filter", "filtered", "the server withheld the answer (content filter)"),
        (
            {"content": None, "refusal": "I cannot"},
            "stop",
            "filtered",
            "the server withheld the answer (content filter)",
        ),
        ({"content": "x"}, "abort", "broken", "the server broke the answer off (abort)"),
    ],
)
def test_what_is_not_a_turn_of_the_agent_is_a_failure(
    message: dict[str, Any], finish: str, kind: str, words: str
) -> None:
    value = completion(["x"], finish=finish)
    value["choices"][0]["message"] = message
    assert one(value).finish is FinishReason.ERROR
    assert one(value).failure == Failure(kind=FailureKind(kind), words=words)


@pytest.mark.parametrize(
    "value",
    [
        [],
        "text",
        None,
        {},
        {"choices": []},
        {"choices": [{}]},
        {"choices": [{"message": {"content": 5}}]},
        {"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": -1}},
        {"content": [{"type": "text", "text": "another API"}], "stop_reason": "end_turn"},
    ],
)
def test_what_is_not_a_chat_completion_is_refused(value: object) -> None:
    with pytest.raises(ServiceError, match="the answer is not a chat completion"):
        read_reply(value, request())


@pytest.mark.parametrize(
    ("status", "words", "overflow"),
    [
        (400, "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens", True),
        (400, "the request exceeds the available context size, try increasing it exceed_context_size_error", True),
        (400, "Your input exceeds the context window of this model context_length_exceeded", True),
        (400, "The input (9000 tokens) is longer than the model's context length (8192 tokens).", True),
        (400, "At most 16 image(s) may be provided in one prompt.", True),
        (413, "Payload Too Large", True),
        (400, "temperature must be non-negative", False),
        (500, "maximum context length", False),
        (None, "", False),
    ],
)
def test_what_does_not_fit_is_told_from_other_refusals(status: int | None, words: str, overflow: bool) -> None:
    assert is_overflow(ServiceError("x", status=status, words=words)) is overflow


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (None, "", "unreachable"),
        (429, "slow down", "unreachable"),
        (500, "maximum context length", "unreachable"),
        (400, "maximum context length is 9", "context"),
        (413, "Payload Too Large", "context"),
        (400, "The response was filtered due to the prompt triggering content management policy", "filtered"),
        (400, "Your request was rejected by our safety system", "filtered"),
        (400, "cannot identify image file <_io.BytesIO object>", "unreadable"),
        (400, "Failed to load image: broken data stream", "unreadable"),
        (400, "Invalid image", "unreadable"),
        (400, "temperature must be non-negative", "refused"),
        (401, "who are you", "refused"),
    ],
)
def test_a_refusal_says_what_kind_of_failure_it_is(status: int | None, words: str, kind: str) -> None:
    assert failure_of(ServiceError("x", status=status, words=words)) == Failure(kind=FailureKind(kind), words="x")


@pytest.mark.parametrize(
    ("status", "words", "name"),
    [
        (400, "Unknown parameter: 'include_stop_str_in_output'.", "include_stop_str_in_output"),
        (422, '[{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]', "seed"),
        (400, "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "max_tokens"),
        (400, "max_completion_tokens is too large, the maximum context length is 10", None),
        (400, "temperature is not supported", None),
        (500, "seed", None),
        (400, "Unknown parameter: 'regex'", "regex"),
        (400, "the grammar could not be compiled", "regex"),
        (400, "Cannot use add_generation_prompt", "add_generation_prompt"),
        (400, "Unknown parameter: 'continue_final_message'", None),
    ],
)
def test_a_field_that_is_not_taken_is_found_in_the_refusal(status: int, words: str, name: str | None) -> None:
    sent = {"include_stop_str_in_output": True, "seed": 1, "max_tokens": 5, "temperature": 0, "regex": "x"}
    sent |= {"continue_final_message": True, "add_generation_prompt": False}
    assert refused_field(ServiceError("x", status=status, words=words), sent) == name
