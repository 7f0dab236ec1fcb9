"""One model behind one server: sends chat requests, and learns which fields the server does not take."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from .._http import Service
from ..agent.policy import Request
from ..errors import ServiceError
from .chat_reply import Reply, read_reply
from .chat_wire import PATH, STOP_FIELDS, body_json, refused_field, sampling_fields

log = logging.getLogger(__name__)


class ChatEndpoint:
    """Asks for completions.

    Args:
        service: the server.
        model: the model's name.
        extra: further fields of every request.
    """

    def __init__(self, service: Service, model: str, extra: Mapping[str, object]) -> None:
        self.service = service
        self.model = model
        self.extra = extra
        self._renamed: dict[str, str | None] = {}

    async def ask(
        self,
        messages: Sequence[bytes],
        request: Request,
        *,
        count: int = 1,
        seed: int = 0,
        tokens: bool = False,
        tries: int | None = None,
    ) -> Reply:
        """Return the turns that follow `messages`, at least one and hardly ever more than `count`.

        Args:
            messages: the conversation, each message as JSON.
            request: sampling, stop strings and tokens to score.
            count: turns wanted.
            seed: of the draw.
            tokens: whether token ids and log-probabilities are wanted.
            tries: most times the request is sent; None is as the service's patience says.

        Raises:
            ServiceError: it was refused, failed every time, or was answered by what is no completion.
        """
        wanted = sampling_fields(request, count=count, seed=seed, tokens=tokens) | dict(self.extra)
        while True:
            names = {name: self._renamed.get(name, name) for name in wanted}
            sent = {new: wanted[name] for name, new in names.items() if new is not None}
            try:
                return read_reply(
                    await self.service.call(PATH, body_json(self.model, messages, sent), tries=tries), request
                )
            except ServiceError as error:
                refused = refused_field(error, sent)
                if refused is None:
                    raise
                self._do_without(refused)

    def _do_without(self, name: str) -> None:
        new = self._renamed[name] = "max_completion_tokens" if name == "max_tokens" else None
        if new is None and name not in STOP_FIELDS:
            log.warning("%s takes no %s; requests go on without it", self.service.url, name)
