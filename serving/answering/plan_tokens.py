"""The tokens of planned offers: the same contact has the same one, whoever asks and when."""

import hashlib
from json import loads

from recsys.live.attribution import Shown
from recsys.store.contacts import Contact
from recsys.store.plans import PlanNote
from serving.answering.attribution import Attribution

PLACEMENT = "plan"
"""What a token says in the place of a placement."""


def plan_token(contact: Contact, note: PlanNote, attribution: Attribution) -> str:
    """Returns the token of a contact of a plan, or of one that stands in its place."""
    name = hashlib.blake2b(contact.contact_id.encode(), digest_size=16).hexdigest()
    version = str(loads(note.details).get("bundle_version", ""))
    return attribution.token(Shown(name, PLACEMENT, version, "", "", contact.choose_time // 1_000))
