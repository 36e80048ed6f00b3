"""A campaign from the command line: planned, reserved, written, and taken up again."""

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from recsys.assembly import load_recommender
from recsys.bundle import current
from recsys.errors import DataError
from recsys.offers.offer import Offer, to_micros
from recsys.store.choosing import Candidate, Choosing, Outcome
from recsys.store.consent import Consent
from recsys.store.customers import Customers
from recsys.store.events import LogEvent
from recsys.store.offers import Offers
from recsys.store.open import open_store
from recsys.store.plans import Plans
from tests.small_shop import CUSTOMERS, END
from training.cli import app
from training.plan_files import part_of

TIME = END.strftime("%Y-%m-%dT%H:%M:%S")
DUE_SOON = "days_until_due < 7"
OFFERS = [
    {"offer_id": "tea", "scope": {"category": ["Drinks", "Tea"]}, "voucher_stock": 10},
    {"offer_id": "coffee", "scope": {"category": ["Drinks", "Coffee"]}, "budget": 2.0},
    {"offer_id": "mug", "eligibility": "purchases > 1000"},
]


def offer(**given) -> Offer:
    cost = {"per_contact": 0.01, "per_redemption": 0.2} if "budget" in given else {}
    base = {"kind": "amount", "discount": 1.0, "channels": ["email", "web"], "cost": cost}
    return Offer.model_validate({**base, "gain_per_redemption": 40.0, **given})


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"store://{tmp_path / 'store'}"
    store = open_store(made)
    rows = [offer(**each) for each in OFFERS]
    Offers(store).upsert(
        [
            (
                each.offer_id,
                each.model_dump_json(),
                each.voucher_stock,
                None if each.budget is None else to_micros(each.budget),
            )
            for each in rows
        ]
    )
    Customers(store).set_consent("customer-03", Consent(use_in_email=False))
    store.close()
    return made


def plan(url: str, bundles: Path, out: Path, *words: object):
    options = ["--store", url, "--bundles", bundles, "--out", out, "--channel", "email"]
    options += ["--contact-time", TIME, *words]
    return CliRunner().invoke(app, ["plan", *map(str, options)], env={"COLUMNS": "120"})


def rows_of(out: Path) -> pl.DataFrame:
    return pl.read_parquet(out / "plan.parquet")


def test_a_plan_keeps_its_limits_and_is_reserved(url, bundle_root, tmp_path) -> None:
    out = tmp_path / "spring"
    result = plan(url, bundle_root, out, "--hold-out", 0.2)
    assert result.exit_code == 0, result.output
    rows = rows_of(out)
    manifest = json.loads((out / "manifest.json").read_text())
    apart = pl.read_parquet(out / "held_out.parquet")
    assert manifest["rows"] == len(rows) + len(apart)
    assert min(len(rows), len(apart)) > 5
    for name, key in (("plan", "sha256"), ("held_out", "held_out_sha256")):
        content = (out / f"{name}.parquet").read_bytes()
        assert manifest[key] == hashlib.sha256(content).hexdigest()
    assert manifest["value_basis"] == ["affinity"]
    assert manifest["plan_id"] in result.output
    given = rows
    assert not rows["hold_out"].any()
    assert given["offer_id"].value_counts().filter(offer_id="tea")["count"].to_list() == [10]
    assert given.filter(offer_id="coffee")["expected_cost"].sum() <= 2.0
    assert apart["hold_out"].all()
    assert set(apart["held_out_of"]) <= {"tea", "coffee"}
    assert "offer_id" not in apart.columns
    assert 0 < manifest["held_out"] == len(apart) < CUSTOMERS // 2
    assert f"{len(apart)}, in held_out.parquet" in result.output
    assert pl.concat([rows["customer_id"], apart["customer_id"]]).is_unique().all()
    assert "customer-03" not in rows["customer_id"]
    store = open_store(url, role="reader")
    [note] = Plans(store).all()
    assert (note.plan_id, note.row_count) == (manifest["plan_id"], manifest["rows"])
    assert note.expected_value == pytest.approx(given["expected_value"].sum())
    left = Offers(store).of(["tea", "coffee"])
    assert left["tea"].vouchers_taken == 10
    assert left["coffee"].spent == round(
        given.filter(offer_id="coffee")["expected_cost"].sum() * 1e6
    )
    store.close()


def test_live_calls_cannot_have_what_is_planned(url, bundle_root, tmp_path) -> None:
    assert plan(url, bundle_root, tmp_path / "spring", "--hold-out", 0).exit_code == 0
    store = open_store(url)
    candidate = Candidate("tea", 0, 0, 0, 0, held_out=False)
    asked = Choosing("live", "somebody", "email", 0, "use_in_email", (), [candidate])
    assert Offers(store).give(asked).outcome is Outcome.SPENT
    store.close()


def test_a_second_plan_keeps_caps_and_cooldowns_of_the_first(url, bundle_root, tmp_path) -> None:
    limits = tmp_path / "deployment.toml"
    limits.write_text("[contacts]\nhold_out = 0.0\n[[contacts.caps]]\nmost = 1\ndays = 7\n")
    words = ("--deployment", limits)
    assert plan(url, bundle_root, tmp_path / "a", *words).exit_code == 0
    assert plan(url, bundle_root, tmp_path / "b", *words).exit_code == 0
    first, second = rows_of(tmp_path / "a"), rows_of(tmp_path / "b")
    assert len(first) > 10
    assert not set(first["customer_id"]) & set(second["customer_id"])


def test_the_same_arguments_make_the_same_plan(url, bundle_root, tmp_path) -> None:
    again = f"store://{tmp_path / 'again'}"
    (tmp_path / "again").mkdir()
    for name in (tmp_path / "store").iterdir():
        if name.is_file():
            (tmp_path / "again" / name.name).write_bytes(name.read_bytes())
    assert plan(url, bundle_root, tmp_path / "a").exit_code == 0
    assert plan(again, bundle_root, tmp_path / "b").exit_code == 0
    first, second = (rows_of(tmp_path / name).drop("contact_id") for name in ("a", "b"))
    assert first.equals(second)


def test_a_plan_that_was_broken_off_goes_on(url, bundle_root, tmp_path, monkeypatch) -> None:
    out, calls = tmp_path / "spring", []
    add = Plans.add

    def broken(self, contacts, **named):
        calls.append(len(contacts))
        if len(calls) > 1:
            raise KeyboardInterrupt
        return add(self, contacts, **named)

    monkeypatch.setattr("training.plan_register.AT_ONCE", 5)
    with monkeypatch.context() as patch:
        patch.setattr(Plans, "add", broken)
        assert plan(url, bundle_root, out).exit_code != 0
    assert part_of(out).exists()
    assert not out.exists()
    store = open_store(url)
    assert Plans(store).all() == []
    store.close()
    result = plan(url, bundle_root, out, "--format", "csv")
    assert result.exit_code == 0, result.output
    rows, apart = pl.read_csv(out / "plan.csv"), pl.read_csv(out / "held_out.csv")
    both = pl.concat([each.select("row", "contact_id") for each in (rows, apart)])
    assert both["contact_id"].is_unique().all()
    assert sorted(both["row"]) == list(range(1, len(both) + 1))
    assert not part_of(out).exists()
    store = open_store(url, role="reader")
    taken = Offers(store).of(["tea"])["tea"].vouchers_taken
    assert taken == len(rows.filter(pl.col("offer_id") == "tea"))
    store.close()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_files_say_what_offers_are_in_plain_numbers(url, bundle_root, tmp_path, form) -> None:
    store = open_store(url)
    for name, attributes in (("tea", {"code": "X", "points": 12.0}), ("coffee", {"more": [1.0]})):
        was = Offer.model_validate_json(Offers(store).of([name])[name].content)
        made = was.model_copy(update={"attributes": attributes, "title": f"On {name}"})
        stock, budget = (10, None) if name == "tea" else (None, 2_000_000)
        Offers(store).upsert([(name, made.model_dump_json(), stock, budget)])
    store.close()
    result = plan(url, bundle_root, tmp_path / "a", "--hold-out", 0, "--format", form)
    assert result.exit_code == 0, result.output
    if form == "csv":
        rows = pl.read_csv(tmp_path / "a" / "plan.csv", infer_schema=False)
    else:
        rows = rows_of(tmp_path / "a")
    offers = {row["offer_id"]: row for row in rows.to_dicts()}
    tea, coffee = offers["tea"], offers["coffee"]
    assert (tea["offer_title"], tea["offer_kind"]) == ("On tea", "amount")
    assert (tea["offer_attribute_code"], coffee["offer_attribute_code"]) == ("X", None)
    assert (tea["offer_attribute_more"], coffee["offer_attribute_more"]) == (None, "[1]")
    number = str if form == "csv" else float
    assert tea["offer_attribute_points"] == number(12)
    assert tea["offer_discount"] == number(1)
    for row in rows.to_dicts():
        for name in ("expected_value", "probability", "expected_cost"):
            digits = str(row[name]).partition(".")[2]
            assert len(digits) <= (10 if name == "probability" else 6), row
            assert form == "parquet" or not str(row[name]).endswith(".0")
    manifest = (tmp_path / "a" / "manifest.json").read_text()
    assert '"hold_out_share": 0,' in manifest
    assert '"result_window_days": 14,' in manifest


def test_what_cannot_be_planned_is_said(url, bundle_root, tmp_path) -> None:
    unknown = plan(url, bundle_root, tmp_path / "a", "--offer", "gone")
    assert isinstance(unknown.exception, DataError)
    assert "gone" in str(unknown.exception)
    nobody = plan(url, bundle_root, tmp_path / "a", "--channel", "email")
    assert nobody.exit_code == 2


def test_a_plan_sees_what_customers_did_since_the_bundle(url, bundle_root, tmp_path) -> None:
    """Two offers by turns: for who bought within the last day, and for who did not."""
    store = open_store(url)
    moment = int(END.timestamp() * 1e6) - 3_600_000_000
    row = ("new", "customer-04", None, None, "item-02", None, "purchase", moment)
    store.append([LogEvent(*row)])
    for name, eligibility in (("thanks", "days_since_purchase < 0.1"), ("soon", DUE_SOON)):
        made = offer(offer_id=name, eligibility=eligibility)
        Offers(store).upsert([(name, made.model_dump_json(), None, None)])
    store.close()
    words = ("--offer", "thanks", "--hold-out", 0)
    assert plan(url, bundle_root, tmp_path / "a", *words).exit_code == 0
    assert rows_of(tmp_path / "a")["customer_id"].to_list() == ["customer-04"]
    soon = plan(url, bundle_root, tmp_path / "b", "--offer", "soon", "--hold-out", 0)
    assert soon.exit_code == 0, soon.output
    recommender, now = load_recommender(current(bundle_root)), int(END.timestamp())
    resolver, [model] = recommender.resolver, recommender.forecasters.values()
    due = set()
    for number, name in enumerate(resolver.customers.series()):
        told = model.forecast(resolver.states.of(number), now)
        left = told.due_times - now
        own = (told.days > 1) & (-left <= told.due_times - told.last_times)
        if (own & (left < 7 * 86_400)).any():
            due.add(name)
    assert set(rows_of(tmp_path / "b")["customer_id"]) == due - {"customer-03"}  # who refuses
    assert 10 < len(due) < CUSTOMERS


def test_a_plan_is_listed_and_can_be_given_back(url, bundle_root, tmp_path) -> None:
    assert plan(url, bundle_root, tmp_path / "a", "--hold-out", 0).exit_code == 0
    name = json.loads((tmp_path / "a" / "manifest.json").read_text())["plan_id"]
    run = CliRunner()
    assert name in run.invoke(app, ["plans", "list", url], env={"COLUMNS": "120"}).output
    count = len(rows_of(tmp_path / "a"))
    assert f"{count} contacts" in run.invoke(app, ["plans", "cancel", url, name]).output
    store = open_store(url, role="reader")
    assert [each.vouchers_taken for each in Offers(store).all()] == [0, 0, 0]
    assert Offers(store).of(["coffee"])["coffee"].spent == 0
    store.close()
