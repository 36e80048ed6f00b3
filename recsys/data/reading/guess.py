"""Recognises columns under the names that retailers usually give them."""

from collections.abc import Iterable, Mapping
from unicodedata import combining, normalize

from recsys.data.event_names import bare


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


EVENT_NAMES: Mapping[str, tuple[str, ...]] = {
    "event_id": _names("eventid eventuuid eventkey messageid"),
    "customer_id": _names(
        "customerid userid householdid householdkey memberid clientid shopperid buyerid accountid "
        "customernumber customerno custid custno customercode membernumber memberno reviewerid "
        "personid uid customer user "
        "kundennr kundennummer kundenid kunde idclient codeclient numeroclient client idcliente "
        "codigocliente cliente klantnummer klantid numerodecliente idducliente codclient "
        "codcliente numeroclient numerocliente 顧客id 顧客番号 会員id 会員番号 ユーザーid "
        "고객번호 고객id 고객아이디 회원번호 회원id 회원아이디 고객"
    ),
    "visitor_id": _names(
        "visitorid anonymousid cookieid userpseudoid fullvisitorid visitor deviceid"
    ),
    "session_id": _names("sessionid visitid usersession session gasessionid"),
    "basket_id": _names(
        "basketid orderid invoiceno invoiceid invoice transactionid ordernumber orderno receiptid "
        "ticketid invoicenumber receiptnumber receiptno billno orderreference cartid "
        "bestellnr bestellnummer rechnungsnr rechnungsnummer belegnr auftragsnr numerocommande "
        "注文番号 注文id numerodecommande numerodopedido idpedido ordine ordernummer "
        "commande numeropedido pedido factura 주문번호 영수증번호"
    ),
    "item_id": _names(
        "itemid productid stockcode sku skuid articleid articleno asin productcode itemcode "
        "itemsku productsku itemno itemnumber productno productnumber movieid filmid bookid isbn "
        "gtin ean barcode product item "
        "artikelnr artikelnummer artikelid produktid produktnr artikel idproduit referenceproduit "
        "produit article idproducto codigoproducto producto artikelcode idproduto codigoproduto "
        "produto codproduto codproducto codigodoproduto referencia codeproduit codearticle "
        "prodotto 商品コード 商品id 商品番号 品番 "
        "상품번호 상품코드 상품id 품번 상품"
    ),
    "offer_id": _names("offerid couponid couponupc promotionid voucherid"),
    "event_type": _names(
        "eventtype event eventname action behaviortype behaviour interactiontype activity"
    ),
    "event_time": _names(
        "eventtime timestamp transactiontimestamp eventtimestamp datetime invoicedate orderdate "
        "purchasedate transactiondate orderedat createdat eventdate orderdatetime ordertime "
        "purchasetime purchasetimestamp orderpurchasetimestamp saledate occurredat tdat "
        "transactiondt transdate "
        "unixreviewtime createddate datecreated createdon time date ts "
        "注文日時 注文日 購入日時 購入日 日時 日付 datapedido datadopedido datavenda datacompra "
        "fechapedido fechacompra fechaventa datedecommande besteldatum dataordine "
        "datum bestelldatum rechnungsdatum zeitpunkt zeitstempel datecommande fecha data "
        "주문일시 주문일자 주문일 구매일시 구매일 결제일시 일시 날짜"
    ),
    "quantity": _names(
        "quantity qty units amountunits qtyordered quantityordered itemquantity "
        "数量 quantidade qtde aantal "
        "menge anzahl stückzahl quantité quantite cantidad quantità 수량 주문수량 구매수량"
    ),
    "unit_price": _names(
        "unitprice price priceperunit itemprice "
        "単価 販売価格 preco precounitario valorunitario prijs prezzo prezzounitario "
        "einzelpreis stückpreis preis prixunitaire prix preciounitario precio "
        "단가 판매단가 판매가 가격"
    ),
    "channel": _names("channel saleschannel platform"),
    "attribution_token": _names("attributiontoken"),
    "value": _names("value rating stars overall bewertung 평점 별점"),
    "properties": _names("properties"),
}
"""Our event column -> names it goes by, most telling first, as `bare` writes them."""

ITEM_NAMES: Mapping[str, tuple[str, ...]] = {
    "item_id": (*EVENT_NAMES["item_id"], "id"),
    "group_id": _names("groupid parentid itemgroupid modelid parentasin variantof parentsku"),
    "title": _names(
        "title productname itemname name description productdescription producttitle prodname "
        "bezeichnung artikelbezeichnung produktname titre désignation nombre 상품명 품명"
    ),
    "category": _names(
        "category categorypath categories productcategory categoryid categoryname categorycode "
        "genres producttype kategorie warengruppe catégorie categoria categoría 카테고리 분류"
    ),
    "brand": _names("brand brandname manufacturer vendor marke hersteller marque marca 브랜드"),
    "price": _names(
        "price currentprice sellingprice unitprice variantprice saleprice preis prix precio "
        "판매가 가격"
    ),
    "list_price": _names("listprice regularprice originalprice compareatprice msrp rrp uvp 정가"),
    "cost": _names("cost unitcost costprice costperitem"),
    "available": _names(
        "available isavailable availability instock isinstock stockstatus availabilitystatus "
        "inventorystatus stock stockquantity stockqty stocklevel stockcount inventory "
        "inventoryquantity inventoryqty inventorylevel variantinventoryqty quantityinstock "
        "qtyinstock quantityonhand qtyonhand onhand quantityavailable availablequantity "
        "verfügbar bestand lagerbestand disponible disponibilité existencias 재고 재고수량"
    ),
    "markets": _names("markets"),
    "created_at": _names("createdat created launchdate firstseen publishedat datecreated"),
    "tags": _names("tags labels keywords"),
}
"""Our item column -> names it goes by, as in `EVENT_NAMES`."""

SALE_PRICE_NAMES = _names("saleprice specialprice discountedprice discountprice promotionalprice")
"""What a reduced price beside the usual one goes by."""

CUSTOMER_NAMES: Mapping[str, tuple[str, ...]] = {
    "customer_id": EVENT_NAMES["customer_id"] + ("id",)
}
"""Our customer column -> names it goes by, as in `EVENT_NAMES`."""


def guess_columns(columns: Iterable[str], names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Returns our column -> the file's column, for the ones whose name is obvious.

    Of several that match, the one with the most telling name; each is used once.
    """
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(_plain(bare(column)), column)
    guessed: dict[str, str] = {}
    for ours, theirs in names.items():
        for name in map(_plain, theirs):
            if name in by_name:
                guessed[ours] = by_name.pop(name)
                break
    return guessed


def _plain(name: str) -> str:
    """Returns a name without accents."""
    letters = (letter for letter in normalize("NFD", name) if not combining(letter))
    return normalize("NFC", "".join(letters))
