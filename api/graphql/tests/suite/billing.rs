//! Accounts, decks, plans, invoices and payments over the API, and the
//! documents that come of them.

use crate::world::World;
use commands::ports::{Clock as _, Position};
use domain::{
    any::AnyCommand,
    billing::{
        Command, DocumentKind, Line, LineKind, SeriesId, UsageId, UsageType,
        account::Command as AccountCommand,
        invoice::{Command as InvoiceCommand, CustomerBlock, Head, SellerBlock, Source},
        tax::TaxCategory,
    },
    id::{AccountId, DEFAULT_TENANT, InvoiceId, PaymentId},
    money::{Currency, Decimal, Rounding},
    sealed::Party,
};
use ringledger_graphql::auth::Scope;
use serde_json::{Value, json};

const DONE: &str = "id position userErrors { code message field }";

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) async fn account(world: &World) -> AccountId {
    let input = json!({
        "name": "muster", "currency": "EUR", "timeZone": "Europe/Berlin", "country": "DE",
        "callingCode": "49", "taxId": "DE123456789", "paymentMode": "POSTPAID",
        "holder": ["Blåbær & Söhne <AG>", "Straße 1", "10623 Berlin"],
        "numbers": [{"number": "4930111", "tollFree": false}],
    });
    let made = world.order("createAccount", input, DONE).await;
    assert_eq!(made["userErrors"], json!([]));
    AccountId::named(DEFAULT_TENANT, "muster")
}

pub(crate) fn line(kind: LineKind, description: &str, exact: &str) -> Line {
    Line {
        kind,
        description: description.into(),
        quantity: decimal("12.5"),
        unit: "min".into(),
        unit_price: Some(decimal("0.0096")),
        tax_category: TaxCategory::Standard,
        tax_percent: Decimal::whole(19),
        exact: decimal(exact),
        amount: Decimal::ZERO,
        is_tax_inclusive: None,
        net: Decimal::ZERO,
        tax: Decimal::ZERO,
    }
}

pub(crate) async fn head(world: &World, account: AccountId) -> Head {
    let party = Party {
        user: "account:muster".into(),
        host: None,
        display_name: Some("Blåbær & Söhne <AG>\nStraße 1\n10623 Berlin".into()),
        contact: None,
        user_field: None,
    };
    let series = |document| SeriesId {
        tenant: DEFAULT_TENANT,
        document,
        year: 0,
    };
    Head {
        account,
        period: "2026-10".parse().unwrap(),
        currency: Currency::EUR,
        zone: "Europe/Berlin".parse().unwrap(),
        is_tax_inclusive: false,
        rounding: Rounding::HalfEven,
        seller: SellerBlock {
            name: "Königs Telefonie GmbH".into(),
            address: vec!["Königsallee 7".into(), "40212 Düsseldorf".into()],
            country: "DE".into(),
            tax_id: "DE999999999".into(),
            payment_lines: vec!["IBAN DE02120300000000202051".into()],
        },
        customer: CustomerBlock {
            name: "muster".into(),
            holder: Some(world.stores.vault.seal(&party).await.unwrap()),
            country: "DE".into(),
            tax_id: Some("DE123456789".into()),
        },
        texts: vec![],
        series: series(DocumentKind::Invoice),
        number_prefix: "INV-".into(),
        credit_note_series: series(DocumentKind::CreditNote),
        credit_note_prefix: "CN-".into(),
        due_days: 14,
        reminder_days: vec![7],
        suspend_days: None,
        fees: vec![],
        is_approved: false,
        is_prepaid: false,
    }
}

async fn tell(world: &World, command: Command) -> Position {
    world
        .dispatch(AnyCommand::Billing(Box::new(command)))
        .await
        .position
}

/// An issued invoice over 47.60 EUR that the account owes.
async fn issued(world: &World, account: AccountId) -> InvoiceId {
    let head = head(world, account).await;
    let period = head.period;
    let id = UsageId { account, period }.invoice();
    let usage = LineKind::Usage {
        usage_type: UsageType::OutboundMinutes,
        included: 600,
        rated: decimal("15.000049"),
    };
    let fee = LineKind::Fee {
        from: "2026-11-01".parse().unwrap(),
        to: "2026-12-01".parse().unwrap(),
    };
    let lines = vec![
        line(usage, "Outbound calls", "15.000049"),
        line(fee, "Plan basic", "25"),
    ];
    let of = |command| Command::Invoice(id, command);
    let head = Box::new(head);
    tell(world, of(InvoiceCommand::Draft { head, lines })).await;
    let input = json!({"invoiceId": id.to_string()});
    let approved = world.order("issueInvoice", input, DONE).await;
    assert_eq!(approved["userErrors"], json!([]));
    let number = String::from("INV-00000001");
    tell(
        world,
        of(InvoiceCommand::Issue {
            number: number.clone(),
        }),
    )
    .await;
    let post = AccountCommand::PostInvoice {
        invoice: id,
        number,
        period,
        amount: decimal("47.60"),
        due_at: world.clock.now(),
        fees: vec![],
    };
    tell(world, Command::Account(account, post)).await;
    id
}

pub(crate) async fn get(world: &World, path: &str) -> (u16, Vec<u8>) {
    let response = world
        .get(path)
        .bearer_auth(&world.admin)
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    (status, response.bytes().await.unwrap().to_vec())
}

async fn text(world: &World, path: &str) -> String {
    let (status, body) = get(world, path).await;
    let text = String::from_utf8(body).unwrap();
    assert_eq!(status, 200, "{path}: {text}");
    text
}

#[allow(
    clippy::too_many_lines,
    reason = "one story: each step needs what the one before has made"
)]
#[tokio::test]
async fn an_invoice_is_shown_as_html_pdf_json_and_csv_with_the_same_figures() {
    let world = World::start().await;
    let account = account(&world).await;
    let id = issued(&world, account).await;
    let query = format!(
        "{{ invoice(number: \"INV-00000001\", minPosition: \"{}\") {{ id status net tax total \
         balanceDue currency issuedOn dueOn documentPath lines {{ description amount net tax }} \
         taxes {{ percent net tax }} }} }}",
        world.head()
    );
    let invoice = world.data(&query).await["invoice"].clone();
    assert_eq!(invoice["id"], id.to_string());
    let figures = ["net", "tax", "total", "balanceDue"].map(|name| invoice[name].clone());
    assert_eq!(
        figures,
        ["40", "7.6", "47.6", "47.6"].map(|text| json!(text))
    );
    let path = invoice["documentPath"].as_str().unwrap();
    let page = text(&world, &format!("{path}.html")).await;
    for shown in [
        "Invoice INV-00000001",
        "Blåbær &amp; Söhne &lt;AG&gt;",
        "Königs Telefonie GmbH",
        "40.00",
        "7.60",
        "47.60",
        "included in the plan: 10 min",
        "2026-11-01 to 2026-11-30",
        "IBAN DE02120300000000202051",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let (status, pdf) = get(&world, "/documents/invoices/INV-00000001.pdf").await;
    assert_eq!(status, 200);
    assert!(pdf.starts_with(b"%PDF-1.7"));
    assert_eq!(get(&world, &format!("{path}.pdf")).await.1, pdf);
    let machine: Value =
        serde_json::from_str(&text(&world, &format!("{path}.json")).await).unwrap();
    assert_eq!(machine["schema"], "ringledger-invoice/3");
    let entry = &machine["account"]["entries"][0];
    assert_eq!(machine["account"]["brought_forward"], "0");
    assert_eq!([&entry["amount"], &entry["balance"]], ["-47.6", "-47.6"]);
    assert!(page.contains("This invoice, INV-00000001"), "{page}");
    assert_eq!(
        requested(&world, json!({"invoiceId": id.to_string()})).await,
        path
    );
    assert_eq!(
        requested(&world, json!({"number": "INV-00000001"})).await,
        path
    );
    assert_eq!(machine["totals"]["total"], "47.6");
    assert_eq!(machine["customer"]["lines"][0], "Blåbær & Söhne <AG>");
    let annex = text(&world, &format!("{path}.csv")).await;
    assert!(annex.starts_with("invoice,kind,call_id,"), "{annex}");

    // Documents never change: not by a payment either.
    let input = json!({
        "accountId": account.to_string(), "amount": "10.00", "currency": "EUR",
        "method": "BANK_TRANSFER", "reference": "=SUM(A1)", "invoiceId": id.to_string(),
    });
    let paid = world.order("recordPayment", input, DONE).await;
    assert_eq!(paid["userErrors"], json!([]));
    let source = Source::Payment(PaymentId(paid["id"].as_str().unwrap().parse().unwrap()));
    let record = InvoiceCommand::RecordPayment {
        source,
        amount: decimal("10"),
    };
    tell(&world, Command::Invoice(id, record)).await;
    let query = format!(
        "{{ invoice(id: \"{id}\", minPosition: \"{}\") {{ status balanceDue payments {{ amount \
         left }} }} }}",
        world.head()
    );
    let invoice = world.data(&query).await["invoice"].clone();
    assert_eq!(
        invoice,
        json!({"status": "PARTIALLY_PAID", "balanceDue": "37.6",
               "payments": [{"amount": "10", "left": "37.6"}]})
    );
    assert_eq!(text(&world, &format!("{path}.html")).await, page);
    assert_eq!(get(&world, &format!("{path}.pdf")).await.1, pdf);
    let statement = format!("/documents/accounts/{account}/statement.html");
    let statement = text(&world, &statement).await;
    for shown in ["Invoice INV-00000001", "-47.60", "-37.60", "0 to 30 days"] {
        assert!(statement.contains(shown), "{shown}: {statement}");
    }
    let ageing = text(&world, "/documents/reports/ageing.html").await;
    assert!(
        ageing.contains("muster") && ageing.contains("37.60"),
        "{ageing}"
    );
    // Of the month of the invoice, whose day is that of its account's zone.
    let taxes = "/documents/reports/taxes.html?to=2999-12";
    assert!(text(&world, taxes).await.contains("7.60"));
}

/// The path at which a PDF is to be had, without its ending.
async fn requested(world: &World, mut input: Value) -> String {
    input["format"] = json!("PDF");
    let order = "mutation($input: RequestInvoiceDocumentInput!) { requestInvoiceDocument(input: \
                 $input) { url } }";
    let answer = world.ask(order, json!({ "input": input })).await.data();
    let url = answer["requestInvoiceDocument"]["url"].as_str().unwrap();
    url.strip_suffix(".pdf").unwrap().to_owned()
}

#[tokio::test]
async fn the_same_order_again_hears_of_the_same_payment_and_credit_note() {
    let world = World::start().await;
    let account = account(&world).await;
    let id = issued(&world, account).await;
    let pay = json!({
        "accountId": account.to_string(), "amount": "10", "currency": "EUR",
        "method": "OTHER", "reference": "till", "invoiceId": id.to_string(),
    });
    let credit = json!({"invoiceId": id.to_string(), "amount": "1", "reason": "kindness"});
    for (mutation, input) in [("recordPayment", pay), ("issueCreditNote", credit)] {
        let command = crate::world::uuid();
        let order = async || {
            let answer = world.order_as(&world.admin, mutation, command, input.clone(), DONE);
            let payload = answer.await.data()[mutation].clone();
            assert_eq!(payload["userErrors"], json!([]), "{mutation}");
            payload
        };
        let first = order().await;
        let again = order().await;
        assert!(first["id"].is_string(), "{mutation}: {first}");
        assert_eq!(again, first, "{mutation}");
    }
}

#[tokio::test]
async fn documents_are_for_those_who_may_see_money() {
    let world = World::start().await;
    let token = world.token(&[Scope::CallRead, Scope::BillingManage]).await;
    for path in [
        "/documents/invoices/INV-00000001.pdf",
        "/documents/reports/ageing.html",
        "/documents/accounts/018f3b5c-0000-7000-8000-000000000000/statement.pdf",
    ] {
        let response = world.get(path).send().await.unwrap();
        assert_eq!(response.status(), 401, "{path}");
        let response = world.get(path).bearer_auth(&token).send().await.unwrap();
        assert_eq!(response.status(), 403, "{path}");
    }
    let (status, _) = get(&world, "/documents/invoices/INV-00000009.pdf").await;
    assert_eq!(status, 404);
}

#[allow(
    clippy::too_many_lines,
    reason = "one story: each step needs what the one before has made"
)]
#[tokio::test]
async fn what_is_wrong_is_refused_with_its_field_and_nothing_is_half_done() {
    let world = World::start().await;
    let account = account(&world).await;
    let head = world.head();
    let deck = |csv: &str| json!({"name": "world", "currency": "EUR", "csv": csv});
    let new = |more: Value| {
        let mut input = json!({
            "name": "other", "currency": "EUR", "timeZone": "UTC", "country": "DE",
            "callingCode": "49", "paymentMode": "POSTPAID",
        });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    let overlap = "prefix,rate,effective_from,effective_to\n\
                   49,0.01,2026-01-01,2026-06-01\n49,0.02,2026-05-01,2026-07-01\n";
    let pay = |amount: &str, currency: &str| {
        json!({"accountId": account.to_string(), "amount": amount, "currency": currency,
               "method": "OTHER", "reference": "x"})
    };
    let used = |number: &str| {
        json!({"accountId": account.to_string(), "key": "one", "usageType": "SMS_OUTBOUND",
               "quantity": 1, "at": "2026-10-01T00:00:00Z", "number": number})
    };
    for (mutation, input, code, field, says) in [
        (
            "recordUsage",
            used("sales"),
            "input.invalid_value",
            "number",
            "not a number",
        ),
        (
            "importDeck",
            deck(overlap),
            "input.invalid_value",
            "csv",
            "line 3",
        ),
        (
            "importDeck",
            deck("prefix,rate\n49,-0.01\n"),
            "input.invalid_value",
            "csv",
            "line 2: rate",
        ),
        (
            "importDeck",
            deck("prefix,rate\n49,=1+1\n"),
            "input.invalid_value",
            "csv",
            "line 2: rate",
        ),
        (
            "importDeck",
            deck("prefix,rate,currency\n49,1,USD\n"),
            "input.invalid_value",
            "csv",
            "line 2: currency",
        ),
        (
            "importDeck",
            deck("prefix,rate,first_increment_s\n49,1,0\n"),
            "input.invalid_value",
            "csv",
            "first_increment_s",
        ),
        (
            "createAccount",
            new(json!({"currency": "EURO"})),
            "input.invalid_value",
            "currency",
            "",
        ),
        (
            "createAccount",
            new(json!({"timeZone": "Mars"})),
            "input.invalid_value",
            "timeZone",
            "",
        ),
        (
            "createAccount",
            new(json!({"taxId": "DE1"})),
            "account.invalid_tax_id",
            "taxId",
            "",
        ),
        (
            "createAccount",
            new(json!({"country": "Germany"})),
            "account.invalid_country",
            "country",
            "",
        ),
        (
            "recordPayment",
            pay("10", "USD"),
            "account.other_currency",
            "currency",
            "EUR",
        ),
        (
            "recordPayment",
            pay("-10", "EUR"),
            "account.invalid_amount",
            "amount",
            "",
        ),
        (
            "recordPayment",
            pay("0.001", "EUR"),
            "account.invalid_amount",
            "amount",
            "",
        ),
    ] {
        let refused = world.order(mutation, input.clone(), DONE).await;
        let error = &refused["userErrors"][0];
        assert_eq!(error["code"], code, "{input}: {refused}");
        assert_eq!(error["field"], field, "{input}: {refused}");
        assert!(
            error["message"].as_str().unwrap().contains(says),
            "{input}: {refused}"
        );
        assert_eq!(
            (&refused["id"], &refused["position"]),
            (&json!(null), &json!(null))
        );
    }
    assert_eq!(world.head(), head, "something was done");
    // A paid invoice takes no more payments in its name.
    let id = issued(&world, account).await;
    let mut full = pay("47.60", "EUR");
    full["invoiceId"] = json!(id.to_string());
    let paid = world.order("recordPayment", full.clone(), DONE).await;
    assert_eq!(paid["userErrors"], json!([]));
    let head = world.head();
    let again = world.order("recordPayment", full, DONE).await;
    assert_eq!(again["userErrors"][0]["code"], "account.already_paid");
    assert_eq!(again["userErrors"][0]["field"], "invoiceId");
    assert_eq!(world.head(), head, "something was done");
}

#[tokio::test]
async fn a_deck_is_published_in_versions_and_a_plan_names_it() {
    let world = World::start().await;
    let rows: String = (0..2_500)
        .map(|number| {
            format!(
                "{},0.0{:03},Zone {number}\n",
                490_000 + number,
                number % 1_000
            )
        })
        .collect();
    for version in 1..=2 {
        // One row is another: the same table again would do nothing.
        let last = format!("48,0.{version},Poland\n");
        let csv = format!("prefix,rate,description\n{rows}{last}");
        let input = json!({"name": "world", "currency": "EUR", "csv": csv});
        let made = world.order("importDeck", input, DONE).await;
        assert_eq!(made["userErrors"], json!([]));
        let query = format!(
            "{{ decks(minPosition: \"{}\") {{ nodes {{ name version rowsCount hash publishedAt }} \
             }} }}",
            world.head()
        );
        let decks = world.data(&query).await["decks"]["nodes"].clone();
        let decks = decks.as_array().unwrap();
        assert_eq!(decks.len(), version);
        for deck in decks {
            assert_eq!(deck["rowsCount"], 2_501);
            assert_eq!(deck["hash"].as_str().map(str::len), Some(64));
            assert!(deck["publishedAt"].is_string());
        }
    }
    let input = json!({
        "name": "basic", "currency": "EUR", "cycle": "MONTHLY", "recurringFee": "25.00",
        "terms": [
            {"usageType": "OUTBOUND_MINUTES", "price": {"deck": "world"}, "included": "600"},
            {"usageType": "INBOUND_MINUTES",
             "price": {"flat": {"rate": "0.05", "firstIncrementS": 30, "nextIncrementS": 6}}},
        ],
    });
    let made = world.order("createRatePlan", input, DONE).await;
    assert_eq!(made["userErrors"], json!([]));
    let account = account(&world).await;
    let input = json!({"accountId": account.to_string(), "planId": made["id"],
                       "effective": "2026-10-01"});
    let selection = format!("{DONE} account {{ name balance owed credit subscriptions status }}");
    let subscribed = world.order("subscribeAccount", input, &selection).await;
    assert_eq!(subscribed["userErrors"], json!([]));
    assert_eq!(subscribed["account"]["balance"], "0");
    assert_eq!(
        subscribed["account"]["subscriptions"][0]["effective"],
        "2026-10-01"
    );
    let nowhere = json!({"accountId": account.to_string(), "effective": "2026-11-01",
                         "planId": "00000000-0000-4000-8000-000000000009"});
    let refused = world.order("subscribeAccount", nowhere, DONE).await;
    let said = &refused["userErrors"][0];
    assert_eq!(
        (&said["code"], &said["field"]),
        (&json!("input.invalid_value"), &json!("planId"))
    );
    assert_eq!(said["message"], "is of no plan");
    let limit = json!({"accountId": account.to_string(), "limit": "-1"});
    let refused = world.order("setCreditLimit", limit, DONE).await;
    assert_eq!(refused["userErrors"][0]["code"], "account.negative");
    let query = "{ ratePlans { nodes { name revision config } } }";
    let plans = world.data(query).await;
    assert_eq!(
        plans["ratePlans"]["nodes"][0]["config"]["recurring_fee"],
        "25"
    );
}
