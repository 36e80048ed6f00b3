"""The verb `plan`: who gets which offer of a campaign, by which channel."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.assembly import load_recommender
from recsys.bundle import current, read_manifest
from recsys.data.bars import bars
from recsys.data.plain_numbers import money
from recsys.errors import DataError
from recsys.live.contact_limits import ContactLimits
from recsys.live.deployment import read_deployment
from recsys.offer_values import load_values
from recsys.offers.offer import MICROS, Offer
from recsys.offers.plan_room import purposes
from recsys.offers.plan_tiers import TieredPlan, solve_tiers
from recsys.online.campaign import DEFAULT_WINDOW_DAYS, WINDOW_DAYS
from recsys.store.offers import Offers
from recsys.store.plans import Plans
from recsys.store.store import Store
from training.plan_files import Format, part_of, read_draft, write_draft, write_plan
from training.plan_inputs import Inputs, Maker, PlanOptions, check_channels
from training.plan_past import planned_offers
from training.plan_register import draft_rows, offer_costs, register
from training.sources import opened_store, shown

StoreOption = Annotated[
    str, typer.Option("--store", metavar="URL", help="store://FOLDER or postgresql://...")
]
BundlesOption = Annotated[Path, typer.Option("--bundles", help="Bundle root; who is planned for.")]
OutOption = Annotated[Path, typer.Option("--out", help="Folder to write; replaced when complete.")]
ChannelOption = Annotated[
    list[str], typer.Option("--channel", help="By which channel; again for more.")
]
ValuesOption = Annotated[
    Path | None,
    typer.Option("--values", help="Folder that `values` wrote [how well offers fit]."),
]
DeploymentOption = Annotated[
    Path | None, typer.Option("--deployment", help="Its table [contacts] has the caps.")
]
OfferOption = Annotated[
    list[str] | None, typer.Option("--offer", help="Only this offer; again for more [all].")
]
BudgetOption = Annotated[
    float | None, typer.Option("--budget", min=0, help="What all contacts may cost together.")
]
MostOption = Annotated[
    int, typer.Option("--most", min=1, max=100, help="Contacts of one customer in this plan.")
]
HoldOutOption = Annotated[
    float | None,
    typer.Option("--hold-out", min=0, max=0.99, help="Share that gets nothing [as deployed]."),
]
MinValueOption = Annotated[
    float, typer.Option("--min-value", help="Least expected value that is worth a contact.")
]
TimeOption = Annotated[
    datetime | None, typer.Option("--contact-time", help="When contacts are made, UTC [now].")
]
WindowOption = Annotated[
    float,
    typer.Option(
        "--window-days",
        min=0.01,
        help="How long from the contact time on purchases will count in the campaign's result.",
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Decides who is held out.")]
FormatOption = Annotated[Format, typer.Option("--format", help="Of the file.")]


def plan_command(
    *,
    store: StoreOption,
    bundles: BundlesOption,
    out: OutOption,
    channel: ChannelOption,
    values: ValuesOption = None,
    deployment: DeploymentOption = None,
    offer: OfferOption = None,
    budget: BudgetOption = None,
    most: MostOption = 1,
    hold_out: HoldOutOption = None,
    min_value: MinValueOption = 0.0,
    contact_time: TimeOption = None,
    window_days: WindowOption = DEFAULT_WINDOW_DAYS,
    seed: SeedOption = 0,
    form: FormatOption = "parquet",
) -> None:
    """Plan a campaign: which customer gets which offer, within vouchers, budgets and caps.

    Everybody whom the current bundle knows is considered, the offers are those of the store. The
    plan is nearly as good as can be, and says how nearly (docs/plans.md). Its vouchers and
    budgets are reserved in the store, so that live calls cannot give them again. Stopped, it goes
    on with the same plan when it is called again with the same --out.

    \b
    recsys plan --store store://var/store --bundles var/bundles --channel email \\
        --deployment deployment.toml --out var/plans/spring
    """  # noqa: D301 - click looks for the character itself
    console = Console()
    limits = read_deployment(deployment).contacts if deployment else ContactLimits()
    moment = contact_time or datetime.now(UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        channels = check_channels(channel)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    options = PlanOptions(
        channels=channels,
        contact_time=int(moment.timestamp() * MICROS),
        total_budget=float("inf") if budget is None else budget,
        most=most,
        hold_out=limits.hold_out if hold_out is None else hold_out,
        min_value=min_value,
        seed=seed,
        window_days=window_days,
    )
    with opened_store(store, None, "command") as opened, bars(console) as progress:
        draft = read_draft(out)
        if draft is None:
            job = _Job(opened, bundles, values, limits, options)
            draft = job.planned(tuple(offer or ()), out, progress)
        else:
            console.print(f"Going on with {draft[1]['plan_id']}, which was broken off.")
        rows, facts = draft
        _check_same_store(opened, facts, out)
        refused = register(Plans(opened), rows, facts, progress)
        named = rows["offer_id"].unique().sort().to_list()
        stored = Offers(opened).of(named)
        about = [Offer.model_validate_json(stored[each].content) for each in named]
        manifest = write_plan(out, rows, refused, about, facts=_told(facts), form=form)
    _print(console, manifest, out, shown(store))


class _Job:
    """Makes the draft of a plan."""

    def __init__(
        self,
        store: Store,
        bundles: Path,
        values: Path | None,
        limits: ContactLimits,
        options: PlanOptions,
    ) -> None:
        self._store = store
        self._bundle = current(bundles)
        self._values = None if values is None else load_values(current(values))
        self._limits = limits
        self._options = options

    def planned(self, offer_ids: tuple[str, ...], out: Path, progress: Any) -> Any:  # noqa: ANN401
        options = self._options
        offers = planned_offers(self._store, offer_ids, options.channels, options.contact_time)
        progress("load", 0, 1)
        recommender = load_recommender(self._bundle)
        log = read_manifest(self._bundle).log_position()
        known = log is not None and log.store_id == self._store.id
        position = log.position if log is not None and known else 0
        progress("load", 1, 1)
        maker = Maker(recommender, self._values, self._limits, Plans(self._store), position)
        inputs = maker.inputs(offers, options, progress)
        plan = solve_tiers(
            inputs.problem, inputs.priority, inputs.held_out, seed=options.seed, progress=progress
        )
        facts = self._facts(inputs, plan)
        rows = draft_rows(facts["plan_id"], plan, inputs, options)
        write_draft(out, rows, facts)
        return rows, facts

    def _facts(self, inputs: Inputs, plan: TieredPlan) -> dict[str, Any]:
        options = self._options
        create = datetime.now(UTC)
        mark = hashlib.sha256(f"{create.timestamp()}/{options.seed}/{self._store.id}".encode())
        return {
            "plan_id": f"plan-{create:%Y%m%dt%H%M%Sz}-{mark.hexdigest()[:8]}",
            "store_id": self._store.id,
            "create_time": int(create.timestamp() * MICROS),
            "contact_time": options.contact_time,
            "channels": list(options.channels),
            "offers": len(inputs.offers),
            "customers": len(inputs.customers),
            "expected_value": plan.value,
            "bound": plan.bound,
            "gap": plan.gap,
            "exact": plan.exact,
            "hold_out_share": options.hold_out,
            WINDOW_DAYS: options.window_days,
            "seed": options.seed,
            "bundle_version": self._bundle.name,
            "values_version": self._values.version if self._values else "",
            "value_basis": sorted(set(inputs.basis)),
            "seen": inputs.seen,
            "costs": offer_costs(inputs),
            "purposes": dict(purposes(self._limits, options.channels)),
        }


def _check_same_store(store: Store, facts: Mapping[str, Any], out: Path) -> None:
    if facts["store_id"] != store.id:
        message = f"{part_of(out)}: holds a draft for another store; remove it to plan anew"
        raise DataError(message, folder=str(part_of(out)))


def _told(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what the manifest says; times as people read them."""
    told = {key: facts[key] for key in facts if key not in {"costs", "purposes", "seen"}}
    for key in ("expected_value", "bound"):
        told[key] = money(facts[key])
    for key in ("create_time", "contact_time"):
        told[key] = datetime.fromtimestamp(facts[key] / MICROS, UTC).isoformat()
    return told


def _print(console: Console, manifest: Mapping[str, Any], out: Path, url: str) -> None:
    table = Table(box=None, show_header=False)
    table.add_row("plan", manifest["plan_id"])
    table.add_row("customers", f"{manifest['customers']:,}")
    table.add_row("offers", f"{manifest['offers']:,}")
    table.add_row("contacts", f"{manifest['rows'] - manifest['held_out']:,}")
    apart = f", in {manifest['held_out_file']}" if manifest["held_out"] else ""
    table.add_row("held out", f"{manifest['held_out']:,}{apart}")
    table.add_row("expected value", f"{manifest['expected_value']:,.2f}")
    table.add_row("gap to the bound", f"{manifest['gap']:.3%} at most")
    table.add_row("values by", ", ".join(manifest["value_basis"]))
    if manifest["refused"]:
        table.add_row("no longer possible", f"{manifest['refused']:,}")
    console.print(table, highlight=False)
    console.print(f"Reserved in {escape(url)}. Rows: [bold]{escape(str(out))}[/]", highlight=False)
