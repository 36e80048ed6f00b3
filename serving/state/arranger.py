"""Keeps the arrangement of now: the deployment file, and the bundles that it names."""

from collections.abc import Callable, Mapping

import structlog

from recsys.live.deployment import Deployment
from recsys.live.fit_to_bundle import misfits
from recsys.pipeline.arrangement import NOT_LOADED, Arrangement, arrange, parts_of
from recsys.pipeline.recommender import Recommender
from serving.logs import DEPLOYMENT_ARM_LOST, DEPLOYMENT_MISFIT
from serving.state.arm_bundles import ArmBundles
from serving.state.deployment_file import DeploymentFile
from serving.state.live_catalogue import LiveCatalogue

_log = structlog.get_logger()


class Arranger:
    """Arranges anew when the file, the current bundle or a bundle of an arm is another one.

    For one thread at a time.
    """

    def __init__(
        self,
        file: DeploymentFile,
        bundles: ArmBundles,
        *,
        catalogue: LiveCatalogue,
        clock: Callable[[], float],
    ) -> None:
        """Takes the file, the bundles beside the current one, and a clock of Unix seconds.

        `catalogue` lays over those bundles what has changed of their items.
        """
        self._file = file
        self._bundles = bundles
        self._catalogue = catalogue
        self._clock = clock
        self._deployment: Deployment | None = None
        self._held: Mapping[str, Recommender] = {}
        self._arrangement: Arrangement | None = None
        self._control: Recommender | None = None

    def arranged(self, control: Recommender) -> Arrangement:
        """Returns who answers, the very same value as long as nothing has changed.

        Args:
            control: of the current bundle.
        """
        deployment = self._file.look(lambda new: misfits(new, parts_of(control)))
        held = self._bundles.hold(deployment.bundles(self._clock()), control)
        held = self._catalogue.over_all(held)
        before = self._arrangement
        if (
            before is not None
            and self._control is control
            and self._deployment is deployment
            and self._held is held
        ):
            return before
        after = arrange(deployment, control, held)
        self._report(before, after)
        self._deployment, self._held, self._arrangement = deployment, held, after
        self._control = control
        return after

    @staticmethod
    def _report(before: Arrangement | None, after: Arrangement) -> None:
        """Logs what does not work and did, or did otherwise."""
        for misfit in after.left_out:
            if before is None or misfit not in before.left_out:
                _log.error(DEPLOYMENT_MISFIT, part=misfit.part, problem=misfit.problem)
        told = before.lost if before else ()
        for lost in after.lost:
            # Of what cannot be loaded tells whoever tried.
            if lost not in told and lost.problem != NOT_LOADED:
                _log.error(DEPLOYMENT_ARM_LOST, **lost._asdict())
