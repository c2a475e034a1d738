//! Imports of decks that were cut off, and tables that are sent again.

use crate::world::{World, uuid};
use domain::{
    any::AnyCommand,
    billing::{
        Command, DeckVersionId,
        deck::{Header, import},
    },
    calendar::Zone,
    id::{DEFAULT_TENANT, DeckId},
    money::Rounding,
};
use serde_json::{Value, json};

const DONE: &str = "id position userErrors { code message field }";
/// More than one command takes.
const ROWS: usize = 2_500;

/// A table of that many rows; `wrong` is the price of the second.
fn table(wrong: &str) -> String {
    let rate = |row| if row == 1 { wrong } else { "0.01" };
    let rows = (0..ROWS).map(|row| format!("{},{}\n", 490_000 + row, rate(row)));
    format!("prefix,rate\n{}", rows.collect::<String>())
}

async fn imports(world: &World, csv: &str) -> Value {
    let input = json!({"name": "world", "currency": "EUR", "csv": csv});
    let made = world.order("importDeck", input, DONE).await;
    assert_eq!(made["userErrors"], json!([]), "{made}");
    // The list may be a moment behind the order.
    let query = format!(
        "{{ decks(minPosition: {}) {{ nodes {{ version rowsCount publishedAt }} }} }}",
        made["position"]
    );
    world.data(&query).await["decks"]["nodes"].clone()
}

/// The server was lost in the middle of an import of the table.
async fn cut_off(world: &World, csv: &str) {
    let header = Header {
        name: "world".into(),
        currency: "EUR".parse().unwrap(),
        zone: Zone::UTC,
        rounding: Rounding::HalfEven,
        bands: vec![],
    };
    let rows = import::read(&header, csv).unwrap();
    let deck = DeckVersionId {
        deck: DeckId::named(DEFAULT_TENANT, "world"),
        version: 1,
    };
    for command in import::commands(header, &rows).into_iter().take(2) {
        let command = AnyCommand::Billing(Box::new(Command::Deck(deck, command)));
        world.dispatch(command).await;
    }
}

#[tokio::test]
async fn a_table_that_was_cut_off_goes_on_when_it_is_sent_again() {
    let world = World::start().await;
    let csv = table("0.02");
    cut_off(&world, &csv).await;
    let decks = imports(&world, &csv).await;
    assert_eq!(decks.as_array().map(Vec::len), Some(1), "{decks}");
    assert_eq!(
        (&decks[0]["version"], &decks[0]["rowsCount"]),
        (&json!(1), &json!(ROWS))
    );
    assert!(decks[0]["publishedAt"].is_string());
    // And again it is there already.
    assert_eq!(imports(&world, &csv).await, decks);
}

#[tokio::test]
async fn a_corrected_table_is_published_whatever_was_cut_off_before_it() {
    let world = World::start().await;
    cut_off(&world, &table("0.02")).await;
    let decks = imports(&world, &table("0.03")).await;
    let published = decks.as_array().unwrap().iter();
    let published: Vec<_> = published
        .filter(|deck| deck["publishedAt"].is_string())
        .map(|deck| (&deck["version"], &deck["rowsCount"]))
        .collect();
    assert_eq!(published, [(&json!(2), &json!(ROWS))], "{decks}");
}

/// The rows of each published version, in order.
fn published(decks: &Value) -> Vec<(i64, i64)> {
    let all = decks.as_array().unwrap().iter();
    let mut published: Vec<_> = all
        .filter(|deck| deck["publishedAt"].is_string())
        .map(|deck| {
            let number = |field: &str| deck[field].as_i64().unwrap();
            (number("version"), number("rowsCount"))
        })
        .collect();
    published.sort_unstable();
    published
}

#[tokio::test]
async fn a_table_that_was_cut_off_is_the_newest_when_it_is_sent_again() {
    let world = World::start().await;
    cut_off(&world, &table("0.02")).await;
    imports(&world, &table("0.03")).await;
    // Finished as the first version it would never apply.
    let decks = imports(&world, &table("0.02")).await;
    let rows = i64::try_from(ROWS).unwrap();
    assert_eq!(published(&decks), [(2, rows), (3, rows)]);
}

#[tokio::test]
async fn a_deck_keeps_its_currency_and_so_do_plans_that_name_it() {
    let world = World::start().await;
    imports(&world, "prefix,rate\n49,0.02\n").await;
    let other = json!({
        "name": "world", "currency": "USD", "csv": "prefix,rate\n49,0.03\n",
    });
    let refused = world.order("importDeck", other, DONE).await;
    let error = &refused["userErrors"][0];
    assert_eq!(error["field"], "currency", "{refused}");
    assert_eq!(error["message"], "the deck is in EUR");
    let plan = json!({
        "name": "abroad", "currency": "USD", "cycle": "MONTHLY",
        "terms": [{ "usageType": "OUTBOUND_MINUTES", "price": { "deck": "world" } }],
    });
    let refused = world.order("createRatePlan", plan, DONE).await;
    let error = &refused["userErrors"][0];
    assert_eq!(error["field"], "terms", "{refused}");
    let says = error["message"].as_str().unwrap();
    assert!(says.ends_with("is in EUR, and the plan in USD"), "{says}");
}

#[tokio::test]
async fn an_import_that_is_repeated_late_leaves_the_newest_prices_in_force() {
    let world = World::start().await;
    let csv = |rate: &str| format!("prefix,rate\n49,{rate}\n");
    let id = uuid();
    let import = async |rate: &str| {
        let input = json!({"name": "world", "currency": "EUR", "csv": csv(rate)});
        let answer = world.order_as(&world.admin, "importDeck", id, input, DONE);
        answer.await.data()["importDeck"].clone()
    };
    let first = import("0.02").await;
    assert_eq!(first["userErrors"], json!([]), "{first}");
    imports(&world, &csv("0.03")).await;
    // The answer was lost, and the client asks again.
    assert_eq!(import("0.02").await, first);
    let decks = imports(&world, &csv("0.03")).await;
    assert_eq!(published(&decks), [(1, 1), (2, 1)]);
    // Whoever wants the first table again says so anew.
    let decks = imports(&world, &csv("0.02")).await;
    assert_eq!(published(&decks), [(1, 1), (2, 1), (3, 1)]);
}
