"""A deployment is known again by its note."""

import pytest

from recsys.errors import ConfigError
from recsys.live.deployment import Deployment
from recsys.live.deployment_note import note_of, noted_deployment
from recsys.store.impressions import DeploymentNote
from tests.changing_shop import DEPLOYMENTS


@pytest.mark.parametrize("said", DEPLOYMENTS)
def test_a_note_says_what_the_file_said(said: dict[str, object]) -> None:
    deployment = Deployment.model_validate(said)
    note = note_of(deployment)
    assert noted_deployment(note) == deployment
    assert note_of(noted_deployment(note)) == note


def test_other_files_have_other_versions() -> None:
    notes = {note_of(Deployment.model_validate(said)).version for said in DEPLOYMENTS}
    assert len(notes) == len(DEPLOYMENTS)


def test_what_another_program_noted_is_refused() -> None:
    with pytest.raises(ConfigError, match="other things"):
        noted_deployment(DeploymentNote("v", '{"of_later": {}}'))
