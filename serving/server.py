"""One server process's gRPC server, from listening to the end of its last call."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from recsys.pipeline.recommender import Recommender
from recsys.store.store import Store
from recsys.v1 import (
    catalog_service_pb2,
    customer_service_pb2,
    event_service_pb2,
    offer_service_pb2,
    recommendation_service_pb2,
)
from recsys.v1.catalog_service_pb2_grpc import add_CatalogServiceServicer_to_server
from recsys.v1.customer_service_pb2_grpc import add_CustomerServiceServicer_to_server
from recsys.v1.event_service_pb2_grpc import add_EventServiceServicer_to_server
from recsys.v1.offer_service_pb2_grpc import add_OfferServiceServicer_to_server
from recsys.v1.recommendation_service_pb2_grpc import add_RecommendationServiceServicer_to_server
from serving.answering.attribution import Attribution
from serving.answering.impressions import ImpressionLog
from serving.answering.whom import Whom
from serving.errors import StartError
from serving.logs import SERVER_DRAINING, SERVER_LISTENING, SERVER_READY, SERVER_STOPPED
from serving.servicers.boundary import Boundary
from serving.servicers.catalog import CatalogService
from serving.servicers.customer import CustomerService
from serving.servicers.event import EventService
from serving.servicers.health import Health
from serving.servicers.offer import OfferService
from serving.servicers.recommendation import RecommendationService
from serving.settings import ServingSettings
from serving.state.arm_bundles import ArmBundles
from serving.state.arranger import Arranger
from serving.state.deployment_file import DeploymentFile
from serving.state.live_bundle import LiveBundle
from serving.state.live_catalogue import LiveCatalogue
from serving.state.live_offers import LiveOffers
from serving.state.live_state import LiveState
from serving.state.patience import Patience
from serving.state.refusals import RefusalFollower
from serving.state.snapshot import Live
from serving.state.tombstones import TombstoneFollower

SERVICES = tuple(
    service.full_name
    for file in (
        recommendation_service_pb2,
        event_service_pb2,
        catalog_service_pb2,
        customer_service_pb2,
        offer_service_pb2,
    )
    for service in file.DESCRIPTOR.services_by_name.values()
)
"""What health and reflection know by name."""
REFRESH_INTERVAL_S = 0.25
"""Seconds between two looks at what may change while serving."""
_log = structlog.get_logger()


class Server:
    """Listens at once, answers when its bundle is loaded, and stops without losing a call."""

    def __init__(
        self,
        settings: ServingSettings,
        *,
        current: Callable[[Path], Path],
        load: Callable[[Path], Recommender],
        store: Store | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Takes what it works with.

        Args:
            settings: of the deployment.
            current: finds the current bundle below the bundle root.
            load: makes the Recommender of a bundle.
            store: outlives the server; None: events are not stored.
            clock: returns Unix seconds.
        """
        self._settings = settings
        catalogue = LiveCatalogue(store)
        load = catalogue.following(load)
        self._bundle = LiveBundle(
            settings.bundles,
            current=current,
            load=load,
            poll_interval_s=settings.poll_interval_s,
            swapped=self._refresh,
        )
        self._arm_bundles = ArmBundles(settings.bundles, load)
        self._live = Live(
            self._bundle.recommender,
            arranger=Arranger(
                DeploymentFile(settings.deployment),
                self._arm_bundles,
                catalogue=catalogue,
                clock=clock,
            ),
            catalogue=catalogue,
            tombstones=TombstoneFollower(store),
            refusals=RefusalFollower(store, time.monotonic),
            refresh_interval_s=REFRESH_INTERVAL_S,
            offers=LiveOffers(store, settings.values),
        )
        log = ImpressionLog(store) if store is not None and settings.impressions else None
        self._attribution = Attribution(store, log=log)
        self._patience = Patience(time.monotonic)
        self._health = Health()
        self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._ready = False
        self._grpc = self._build(store, clock)

    def listen(self, port: int) -> int:
        """Opens the port, where health is NOT_SERVING as yet, and returns it (0: a free one).

        Raises:
            StartError: the port is taken or the address is not this machine's.
        """
        address = f"{self._settings.host}:{port}"
        try:
            port = self._grpc.add_insecure_port(address)
        except RuntimeError as error:
            hint = "is the port taken? Stop who listens there, or choose another: --port"
            raise StartError(f"cannot listen on {address}: {hint}") from error
        self._grpc.start()
        _log.info(SERVER_LISTENING, host=self._settings.host, port=port)
        return port

    def load(self) -> None:
        """Loads the current bundle and begins to answer.

        Raises:
            BundleError: there is none, or it is damaged; the text names the file.
        """
        self._bundle.start()
        self._arm_bundles.start()
        self._live.start()
        self._attribution.start()
        self._set_health(health_pb2.HealthCheckResponse.SERVING)
        self._ready = True
        _log.info(SERVER_READY)

    def stop(self) -> None:
        """Says NOT_SERVING, gives balancers time to turn away, and lets calls in work end."""
        self._health.enter_graceful_shutdown()
        _log.info(SERVER_DRAINING)
        if self._ready:
            time.sleep(self._settings.drain_s)
        self._grpc.stop(self._settings.grace_s).wait()
        self._attribution.stop()
        self._live.stop()
        self._arm_bundles.stop()
        self._bundle.stop()
        _log.info(SERVER_STOPPED)

    def _refresh(self) -> None:
        self._live.refresh()

    def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for service in ("", *SERVICES):
            self._health.set(service, status)

    def _build(self, store: Store | None, clock: Callable[[], float]) -> grpc.Server:
        settings = self._settings
        server = grpc.server(
            ThreadPoolExecutor(settings.threads, thread_name_prefix="rpc"),
            interceptors=[
                Boundary(
                    unary_deadline_s=settings.deadline_s,
                    stream_deadline_s=settings.batch_deadline_s,
                )
            ],
            options=[
                # Without this a second server on the same port would silently take half the calls.
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", settings.max_request_bytes),
            ],
            maximum_concurrent_rpcs=settings.maximum_concurrent_rpcs,
        )
        service = RecommendationService(
            self._live,
            attribution=self._attribution,
            state=LiveState(store, self._patience),
            whom=Whom(store, self._patience),
            clock=clock,
            concurrent_batches=settings.concurrent_batches,
        )
        events = EventService(store, clock=clock, concurrent_imports=settings.concurrent_imports)
        add_RecommendationServiceServicer_to_server(service, server)
        add_EventServiceServicer_to_server(events, server)
        customers = CustomerService(store, bundles=settings.bundles)
        add_CustomerServiceServicer_to_server(customers, server)
        add_CatalogServiceServicer_to_server(CatalogService(self._live, store), server)
        offers = OfferService(
            self._live,
            store,
            state=LiveState(store, self._patience),
            attribution=self._attribution,
            clock=clock,
        )
        add_OfferServiceServicer_to_server(offers, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if settings.reflection:
            names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, server)
        return server
