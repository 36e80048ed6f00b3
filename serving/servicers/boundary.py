"""What lies between gRPC and every method of ours: the outermost interceptor.

It gives each call an id and a deadline, parses the request (gRPC itself answers malformed bytes
with INTERNAL), translates errors through the catalogue, and writes one log line. It aborts outside
its own `try`, because a synchronous `context.abort` raises a bare `Exception`.
"""

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError

from serving.errors import DeadlinePassedError, MalformedRequestError, is_public, to_status
from serving.logs import RPC_FAILED, RPC_FINISHED

OUR_METHODS = "/recsys."
"""Health and reflection stay as they are: wrapping a health watch would make it hold a thread."""
NEVER_S = 1e9
"""gRPC reports the absence of a deadline as one that is some 10^18 seconds away."""
REQUEST_ID_KEY = "x-request-id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Found: TypeAlias = "Handler | None"

_log = structlog.get_logger()


class Boundary(grpc.ServerInterceptor):
    """Wraps the handlers of our services; must be the first of the server's interceptors."""

    def __init__(self, *, unary_deadline_s: float, stream_deadline_s: float) -> None:
        """Takes the seconds that a call may take whose caller set no deadline."""
        self._unary_deadline_s = unary_deadline_s
        self._stream_deadline_s = stream_deadline_s

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Found],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Found:
        """Returns the method's handler with everything around it.

        gRPC calls this when a request arrives, before it waits for a thread: the own deadline
        counts from here.
        """
        handler = continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith(OUR_METHODS):
            return handler
        streaming = handler.request_streaming or handler.response_streaming
        call = _Call(
            method=method,
            request_id=_request_id(handler_call_details.invocation_metadata),
            own_deadline_s=self._stream_deadline_s if streaming else self._unary_deadline_s,
            arrived=time.monotonic(),
        )
        return _rewrapped(handler, call)


@dataclass(slots=True)
class _Call:
    """One call on its way through."""

    method: str
    request_id: str
    own_deadline_s: float
    arrived: float
    code: str = "CANCELLED"
    """Stays so if the caller leaves a stream before its end."""
    status: grpc.Status | None = None
    """What to abort with."""

    def check_deadline(self, context: grpc.ServicerContext) -> None:
        """Refuses work that nobody waits for any more.

        Raises:
            DeadlinePassedError: the caller's deadline, or else the server's own, has passed.
        """
        left = context.time_remaining()
        if left > NEVER_S:
            left = self._own_time_left()
        if left <= 0:
            raise DeadlinePassedError("the deadline passed before the call was answered")

    @contextmanager
    def bounded(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Cancels a call whose caller set no deadline and sends nothing until our own passes.

        Without this a caller that fell silent would hold a thread for ever: its messages are
        waited for inside gRPC, where no deadline is looked at.
        """
        if context.time_remaining() <= NEVER_S:
            yield
            return
        timer = threading.Timer(self._own_time_left(), context.cancel)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _own_time_left(self) -> float:
        return self.arrived + self.own_deadline_s - time.monotonic()

    @contextmanager
    def guarded(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Turns whatever goes wrong inside into the status to abort with; logs the call."""
        structlog.contextvars.bind_contextvars(request_id=self.request_id, method=self.method)
        context.set_trailing_metadata(((REQUEST_ID_KEY, self.request_id),))
        try:
            yield
            self.code = "OK"
        except grpc.RpcError:
            # From gRPC's own iterator of requests, which knows it again: the caller has left.
            raise
        except Exception as error:  # noqa: BLE001  the last resort: nothing may pass unseen
            self._refuse(error)
        finally:
            _log.info(
                RPC_FINISHED,
                code=self.code,
                duration_ms=round((time.monotonic() - self.arrived) * 1000, 3),
            )

    def abort_if_refused(self, context: grpc.ServicerContext) -> None:
        """Ends the call with its error, if it has one."""
        if self.status is not None:
            trailing = (*(self.status.trailing_metadata or ()), (REQUEST_ID_KEY, self.request_id))
            context.abort_with_status(_Status(self.status.code, self.status.details, trailing))

    def _refuse(self, error: Exception) -> None:
        self.status = to_status(error, self.request_id)
        self.code = self.status.code.name
        if is_public(error):
            structlog.contextvars.bind_contextvars(reason=error.reason)
        else:
            _log.error(RPC_FAILED, exc_info=error)


@dataclass(frozen=True, slots=True)
class _Status(grpc.Status):
    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, str | bytes], ...]


def _rewrapped(handler: Handler, call: _Call) -> Handler:
    """Returns the handler with parsing and the guard inside; gRPC hands it raw bytes."""
    decode = handler.request_deserializer
    inner = _behaviour(handler)

    def parsed(raw: Any, context: grpc.ServicerContext) -> Any:  # noqa: ANN401  bytes or many
        return each_parsed(raw, context) if handler.request_streaming else _decoded(decode, raw)

    def each_parsed(raw: Iterable[bytes], context: grpc.ServicerContext) -> Iterator[Any]:
        with call.bounded(context):
            for part in raw:
                call.check_deadline(context)
                yield _decoded(decode, part)
            # To the loop a stream that was cancelled looks as if it had come to its end.
            call.check_deadline(context)

    def one_answer(raw: Any, context: grpc.ServicerContext) -> Any:  # noqa: ANN401
        answer = None
        with call.guarded(context):
            call.check_deadline(context)
            answer = inner(parsed(raw, context), context)
        call.abort_if_refused(context)
        return answer

    def many_answers(raw: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: ANN401
        with call.guarded(context):
            call.check_deadline(context)
            for answer in inner(parsed(raw, context), context):
                yield answer
                call.check_deadline(context)
        call.abort_if_refused(context)

    make = _FACTORIES[handler.request_streaming, handler.response_streaming]
    behaviour = many_answers if handler.response_streaming else one_answer
    return make(behaviour, None, handler.response_serializer)


_FACTORIES: Mapping[tuple[bool, bool], Callable[..., Handler]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def _behaviour(handler: Handler) -> Callable[..., Any]:
    kinds = (handler.unary_unary, handler.unary_stream)
    if handler.request_streaming:
        kinds = (handler.stream_unary, handler.stream_stream)
    behaviour = kinds[handler.response_streaming]
    if behaviour is None:
        raise TypeError("the handler has no behaviour of the kind that it declares")
    return behaviour


def _decoded(decode: Callable[[bytes], Any] | None, raw: bytes) -> Any:  # noqa: ANN401
    if decode is None:
        return raw
    try:
        return decode(raw)
    except DecodeError:
        text = "the request is not the protobuf message that this method takes"
        raise MalformedRequestError(text) from None


def _request_id(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """Returns the caller's id of this call if it is a plain word, else a new one."""
    for key, value in metadata:
        if key == REQUEST_ID_KEY and isinstance(value, str) and _REQUEST_ID.fullmatch(value):
            return value
    return uuid.uuid4().hex
