"""How often customers may be contacted: the table `[contacts]` of the deployment file."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from recsys.config import StrictModel

ChannelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]


class ContactCap(StrictModel):
    """At most so many contacts of one customer in any so many days."""

    channels: tuple[ChannelName, ...] = ()
    """Counted together; none: all channels."""
    most: int = Field(ge=0, le=1_000)
    days: float = Field(gt=0, le=3_650)


class ContactLimits(StrictModel):
    """What holds for every offer; a file without the table limits nothing."""

    caps: tuple[ContactCap, ...] = Field(default=(), max_length=100)
    """All of them hold."""
    min_value: float = Field(default=0.0, allow_inf_nan=False)
    """Least expected value, in the shop's currency, that is worth a contact."""
    hold_out: float = Field(default=0.05, ge=0, lt=1)
    """Share of customers and offers that get nothing, so that the value of offers is learned."""
    hold_out_seed: str = Field(default="", max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
    """Another one holds out others."""
    email_channels: tuple[ChannelName, ...] = ("email",)
    """Channels that need consent to emails; the others need consent to the use on site."""

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        met: set[tuple[frozenset[str], float]] = set()
        for place, cap in enumerate(self.caps):
            if len(set(cap.channels)) < len(cap.channels):
                message = f"caps.{place}: a channel stands twice"
                raise ValueError(message)
            key = (frozenset(cap.channels), cap.days)
            if key in met:
                message = f"caps.{place}: another cap says how many in the same days and channels"
                raise ValueError(message)
            met.add(key)
        return self
