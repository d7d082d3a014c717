"""uvicorn's HTTP/1.1 protocol, with a limit on what its parser buffers."""

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.graphql.execution.answers import error_answer
from app.errors import BadRequest
from app.tables import new_id

# The limit of uvicorn's other parser. It is above that of the headers, so that only a request line,
# a header or a trailer that does not end exceeds it.
BUFFER_LIMIT = 64 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a request whose head, or what follows a chunked body, does not end.

    The parser copies its buffer with every chunk that arrives: 50 MB of one header took seconds,
    in which no other request was served.
    """

    _buffered = 0

    def data_received(self, data: bytes) -> None:
        self._buffered += len(data)
        super().data_received(data)
        if self._buffered > BUFFER_LIMIT and not self.transport.is_closing():
            self._refuse()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._buffered = 0

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._buffered = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._buffered = 0

    def _refuse(self) -> None:
        """Closes the connection, with an answer unless another one is being sent."""
        error = BadRequest(f"The head of a request must have at most {BUFFER_LIMIT:,} bytes.", 431)
        self.logger.warning(error.message)
        if self.cycle is None or self.cycle.response_complete:
            content = orjson.dumps(error_answer(error))
            head = (
                "HTTP/1.1 431 Request Header Fields Too Large\r\n"
                "content-type: application/json\r\n"
                f"content-length: {len(content)}\r\n"
                f"x-request-id: {new_id()}\r\n"
                "connection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + content)
        self.transport.close()
