//! What customers do in the shop, and what they expect to hear.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tradewind_testkit::traffic::Line;

const GOODS: [&str; 4] = ["lamp-01", "mug-01", "bag-01", "pen-01"];

/// Browse, basket, checkout, payment; `None` when any answer was not right. Some payments are reported twice, as
/// providers do.
pub async fn visit(line: &mut Line, number: u64, pause: Duration) -> Option<()> {
    let sku = GOODS[number as usize % GOODS.len()];
    let quantity = 1 + number % 3;

    line.ask(Method::GET, "/products", None, StatusCode::OK, |b| {
        wanted(
            b["items"].as_array().is_some_and(|items| items.len() == GOODS.len()),
            "the list of products is not whole",
        )
    })
    .await?;
    tokio::time::sleep(pause).await;
    let product = line
        .ask(Method::GET, &format!("/products/{sku}"), None, StatusCode::OK, |b| {
            wanted(b["sku"] == sku, "another product")
        })
        .await?;
    let total = product["price_cents"].as_u64()? * quantity;
    tokio::time::sleep(pause).await;
    let basket =
        line.ask(Method::POST, "/baskets", Some(json!({})), StatusCode::CREATED, |b| has_text(b, "id")).await?;
    let basket = basket["id"].as_str()?;
    tokio::time::sleep(pause).await;
    let item = format!("/baskets/{basket}/items/{sku}");
    line.ask(Method::PUT, &item, Some(json!({"quantity": quantity})), StatusCode::OK, |b| {
        wanted(b["total_cents"] == total, "another total")
    })
    .await?;
    tokio::time::sleep(pause).await;
    let who = json!({"customer": format!("customer {number}")});
    let order = line
        .ask(Method::POST, &format!("/baskets/{basket}/checkout"), Some(who), StatusCode::CREATED, |b| {
            wanted(b["total_cents"] == total && b["status"] == "unpaid", "another order")
        })
        .await?;
    tokio::time::sleep(pause).await;
    let payment = json!({"payment_id": format!("pay-{number}"), "order_id": order["id"], "amount_cents": total});
    let reports = if number.is_multiple_of(10) { 2 } else { 1 };
    for _ in 0..reports {
        line.ask(Method::POST, "/payments/callback", Some(payment.clone()), StatusCode::OK, |b| {
            wanted(b["id"] == order["id"] && b["status"] == "paid", "not paid")
        })
        .await?;
    }
    line.ledger().paid();
    tokio::time::sleep(pause).await;
    Some(())
}

/// A partner's program asks what is left.
pub async fn watch_stock(line: &mut Line) -> Option<()> {
    line.ask(Method::GET, "/products/pen-01", None, StatusCode::OK, |b| {
        wanted(b["stock"].as_u64().is_some_and(|n| n > 0), "no stock")
    })
    .await
    .map(drop)
}

fn wanted(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn has_text(body: &Value, key: &str) -> Result<(), String> {
    wanted(body[key].as_str().is_some_and(|s| !s.is_empty()), &format!("no `{key}`"))
}
