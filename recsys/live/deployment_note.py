"""What a deployment file said, as the store keeps it to answer a request again."""

from hashlib import blake2b

from pydantic import ValidationError

from recsys.errors import ConfigError
from recsys.live.deployment import Deployment
from recsys.store.impressions import DeploymentNote


def note_of(deployment: Deployment) -> DeploymentNote:
    """Returns the note of a deployment; equal deployments have equal notes."""
    content = deployment.model_dump_json()
    return DeploymentNote(blake2b(content.encode(), digest_size=8).hexdigest(), content)


def noted_deployment(note: DeploymentNote) -> Deployment:
    """Returns the deployment of a note.

    Raises:
        ConfigError: it is not one that this program knows.
    """
    try:
        return Deployment.model_validate_json(note.content)
    except ValidationError as error:
        message = f"deployment {note.version} was noted by a program that says other things"
        raise ConfigError(message) from error
