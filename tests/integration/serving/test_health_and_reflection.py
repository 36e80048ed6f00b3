"""Health per service name, and reflection by option."""

from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from recsys.errors import BundleError
from recsys.v1 import recommendation_service_pb2 as pb
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from tests.integration.serving.steered import ServerFactory

SERVICE = "recsys.v1.RecommendationService"
STATUS = health_pb2.HealthCheckResponse


def check(channel: grpc.Channel, service: str) -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    return int(health_pb2_grpc.HealthStub(channel).Check(request, timeout=5).status)


@pytest.mark.parametrize("service", ["", SERVICE, "recsys.v1.EventService"])
def test_serving_only_with_a_bundle(start_server: ServerFactory, service: str) -> None:
    running = start_server(loaded=False)
    with grpc.insecure_channel(running.target) as channel:
        assert check(channel, service) == STATUS.NOT_SERVING
        running.server.load()
        assert check(channel, service) == STATUS.SERVING


def test_unknown_service_is_not_found(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        check(channel, "recsys.v1.NoSuchService")
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.NOT_FOUND


def test_watchers_see_draining_and_hold_no_thread(start_server: ServerFactory) -> None:
    running = start_server(threads=1, maximum_concurrent_rpcs=2, grace_s=0.5)
    with grpc.insecure_channel(running.target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watches = []
        for _ in range(5):
            watches.append(stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE)))
            assert next(watches[-1]).status == STATUS.SERVING
        request = pb.RecommendRequest(placement="for_you")
        assert RecommendationServiceStub(channel).Recommend(request, timeout=5).items
        running.server.stop()
        assert next(watches[0]).status == STATUS.NOT_SERVING


def services(target: str) -> list[str]:
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    with grpc.insecure_channel(target) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        [answer] = stub.ServerReflectionInfo(iter([request]), timeout=5)
    return [service.name for service in answer.list_services_response.service]


def test_reflection_lists_the_services(start_server: ServerFactory) -> None:
    listed = services(start_server(reflection=True).target)
    assert {SERVICE, "recsys.v1.EventService"} <= set(listed)


def test_reflection_is_off_by_default(start_server: ServerFactory) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        services(start_server().target)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


def test_port_is_never_shared(start_server: ServerFactory) -> None:
    running = start_server()
    other = start_server(loaded=False)
    with pytest.raises(Exception, match="is the port taken") as caught:
        other.server.listen(running.port)
    assert not isinstance(caught.value, BundleError)
