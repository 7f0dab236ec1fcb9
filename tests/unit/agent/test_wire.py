"""Pins the wire form: ChatML turns, one picture mark a picture, and rendering that only ever appends."""

from __future__ import annotations

from tests.drawn import DrawnFolder
from tests.unit.agent.sessions import answer, play, setup, window, zoom

from vretrver.agent.messages import Message
from vretrver.agent.prompt import joined
from vretrver.agent.wire import PICTURE_MARK, estimate_tokens, render


def test_turns_are_written_in_chatml_with_the_assistant_asked() -> None:
    messages = [Message(role="system", pieces=("Rank.",)), Message(role="user", pieces=("One", " cup"))]
    opening = "<|im_start|>system\nRank.<|im_end|>\n<|im_start|>user\nOne cup<|im_end|>\n"
    assert render(messages, ask=False) == opening
    assert render(messages) == opening + "<|im_start|>assistant\n"


def test_a_longer_conversation_begins_with_the_shorter_one(drawn: DrawnFolder) -> None:
    turns = [zoom(1), zoom(2), answer(2, 1)]
    played = play(window(drawn.candidates(2), drawn.query(picture=3)), setup(drawn), turns)
    conversation: list[Message] = []
    before = ""
    for request, turn in zip(played.requests, turns, strict=True):
        conversation += request.messages
        assert render(conversation).startswith(before)
        before = render(conversation) + turn
        conversation.append(Message(role="assistant", pieces=(turn,)))
        assert render(conversation, ask=False).startswith(before)
    pictures = sum(len(message.pictures) for message in conversation)
    assert render(conversation).count(PICTURE_MARK) == pictures == 3 + 2


def test_a_request_carries_only_what_is_new(drawn: DrawnFolder) -> None:
    played = play(window(drawn.candidates(2), drawn.query()), setup(drawn), [zoom(1), zoom(2), answer(2, 1)])
    assert [[message.role for message in request.messages] for request in played.requests] == [
        ["system", "user"],
        ["user"],
        ["user"],
    ]


def test_the_estimate_is_exact_for_pictures_and_a_quarter_of_the_characters(drawn: DrawnFolder) -> None:
    played = play(window(drawn.candidates(1), drawn.query()), setup(drawn), [answer(1)])
    picture = played.requests[0].messages[1].pictures[0]
    assert estimate_tokens([]) == 0
    assert estimate_tokens([Message(role="user", pieces=("12345", picture))]) == 2 + picture.tokens + 5


def test_joined_pieces_hold_no_empty_and_no_neighbouring_texts(drawn: DrawnFolder) -> None:
    played = play(window(drawn.candidates(1), drawn.query()), setup(drawn), [answer(1)])
    picture = played.requests[0].messages[1].pictures[0]
    assert joined(["a", "", "b", picture, "", picture, "c", ""]) == ("ab", picture, picture, "c")
