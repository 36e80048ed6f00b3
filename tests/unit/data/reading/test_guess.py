import pytest

from recsys.data.reading.guess import (
    EVENT_NAMES,
    ITEM_NAMES,
    guess_columns,
)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"],
            ["basket_id", "item_id", "quantity", "event_time", "unit_price", "customer_id"],
        ),
        (
            ["household_id", "product_id", "transaction_timestamp", "basket_id"],
            ["customer_id", "item_id", "event_time", "basket_id"],
        ),
        (
            ["timestamp", "visitorid", "event", "itemid", "transactionid"],
            ["event_time", "visitor_id", "event_type", "item_id", "basket_id"],
        ),
        (["user_id", "SKU", "Order Date"], ["customer_id", "item_id", "event_time"]),
        (
            ["Numéro client", "Référence produit", "Date commande", "Quantité", "Prix unitaire"],
            ["customer_id", "item_id", "event_time", "quantity", "unit_price"],
        ),
        (
            ["Código cliente", "codigo_produto", "Data do pedido", "Quantidade", "Preço unitário"],
            ["customer_id", "item_id", "event_time", "quantity", "unit_price"],
        ),
        (
            ["注文番号", "顧客ID", "商品コード", "注文日時", "数量", "単価"],
            ["basket_id", "customer_id", "item_id", "event_time", "quantity", "unit_price"],
        ),
        (["고객번호", "상품코드", "주문일시"], ["customer_id", "item_id", "event_time"]),
    ],
)
def test_usual_exports_are_recognised(columns: list[str], expected: list[str]) -> None:
    guessed = guess_columns(columns, EVENT_NAMES)
    assert guessed == dict(zip(expected, columns, strict=True))


def test_the_most_telling_name_wins_and_each_column_is_used_once() -> None:
    assert guess_columns(["date", "event_time"], EVENT_NAMES) == {"event_time": "event_time"}
    items = guess_columns(["id", "name", "price", "sale_price"], ITEM_NAMES)
    assert items == {"item_id": "id", "title": "name", "price": "price"}


def test_our_own_names_are_recognised() -> None:
    for names in (EVENT_NAMES, ITEM_NAMES):
        assert guess_columns(names, names) == {ours: ours for ours in names}
