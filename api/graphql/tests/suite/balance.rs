//! The balance of an account as a subscription.

use crate::{
    billing::{head, line},
    client::Client,
    world::World,
};
use commands::ports::Clock as _;
use domain::{
    any::AnyCommand,
    billing::{Command, LineKind, UsageId, UsageType, account, invoice, tariff::Tariff, usage},
    id::{AccountId, DEFAULT_TENANT, InvoiceId, LegId, PlanId},
    money::{Currency, Decimal},
    time::Timestamp,
};
use serde_json::json;
use uuid::Uuid;

const DONE: &str = "id position userErrors { code message field }";
const BALANCE: &str = "subscription S($id: ID!) { balance(accountId: $id) { \
    account { name balance credit reserved overdue status } missed } }";

async fn account(world: &World) -> AccountId {
    let input = json!({
        "name": "muster", "currency": "EUR", "timeZone": "UTC", "country": "DE",
        "callingCode": "49", "paymentMode": "POSTPAID",
    });
    let made = world.order("createAccount", input, DONE).await;
    assert_eq!(made["userErrors"], json!([]));
    AccountId::named(DEFAULT_TENANT, "muster")
}

#[tokio::test]
async fn a_balance_is_told_as_it_is_and_again_after_each_change() {
    let world = World::start().await;
    let account = account(&world).await;
    let mut client = Client::admitted(&world, &world.admin).await;
    let id = json!({"id": account.to_string()});
    client.subscribe("1", BALANCE, id).await;
    let told = client.data("1").await["balance"]["account"].clone();
    assert_eq!(told["name"], "muster");
    assert_eq!(
        (&told["balance"], &told["credit"]),
        (&json!("0"), &json!("0"))
    );
    for (payment, balance) in [("20", "20"), ("0.5", "20.5")] {
        let input = json!({"accountId": account.to_string(), "amount": payment,
                           "currency": "EUR", "method": "OTHER", "reference": "x"});
        let paid = world.order("recordPayment", input, DONE).await;
        assert_eq!(paid["userErrors"], json!([]));
        loop {
            let told = client.data("1").await["balance"].clone();
            if told["account"]["balance"] == balance {
                assert_eq!(told["account"]["credit"], balance);
                break;
            }
        }
    }
    let reason = account::SuspendReason::Operator;
    let suspend = Command::Account(account, account::Command::Suspend { reason });
    world.dispatch(AnyCommand::Billing(Box::new(suspend))).await;
    loop {
        let told = client.data("1").await["balance"]["account"].clone();
        assert_eq!(told["balance"], "20.5");
        if told["status"] == "SUSPENDED" {
            break;
        }
    }
}

/// A use of that month that costs as many euros.
fn count(usage: UsageId, euros: i64) -> Command {
    let amount = Decimal::whole(euros);
    let record = usage::Record {
        cdr: usage.counted("a"),
        revision: 1,
        leg: LegId(Uuid::nil()),
        usage_type: UsageType::Custom,
        answered_at: Timestamp::from_micros(1),
        ended_at: Timestamp::from_micros(1),
        quantity: 1,
        tariff: Tariff::flat(amount),
        amount,
        currency: Currency::EUR,
        plan: PlanId(Uuid::nil()),
        plan_version: 1,
        matched: None,
        of_period: None,
        counted: None,
        rounding: None,
    };
    let count = usage::Command::Count {
        record: Box::new(record),
        is_charged: false,
    };
    Command::Usage(usage, count)
}

#[tokio::test]
async fn a_month_that_is_invoiced_out_of_order_leaves_the_others_unbilled() {
    let world = World::start().await;
    let account = account(&world).await;
    let month = |name: &str| UsageId {
        account,
        period: name.parse().unwrap(),
    };
    let post = account::Command::PostInvoice {
        invoice: InvoiceId(Uuid::from_u128(1)),
        number: "INV-1".into(),
        period: "2026-10".parse().unwrap(),
        amount: Decimal::whole(4),
        due_at: Timestamp::from_micros(1),
        fees: vec![],
    };
    let later = account::Command::PostInvoice {
        invoice: InvoiceId(Uuid::from_u128(2)),
        number: "INV-2".into(),
        period: "2026-08".parse().unwrap(),
        amount: Decimal::whole(5),
        due_at: world.clock.now().plus_ms(3_600_000),
        fees: vec![],
    };
    let commands = [
        count(month("2026-09"), 2),
        count(month("2026-10"), 4),
        count(month("2026-11"), 1),
        Command::Account(account, post),
        Command::Account(account, later),
    ];
    for command in commands {
        world.dispatch(AnyCommand::Billing(Box::new(command))).await;
    }
    let query = format!(
        "{{ account(id: \"{account}\", minPosition: \"{}\") {{ unbilled owed overdue balance }} }}",
        world.head()
    );
    let told = world.data(&query).await["account"].clone();
    let expected = json!({"unbilled": "3", "owed": "9", "overdue": "4", "balance": "-12"});
    assert_eq!(told, expected);
}

/// An invoice over 5 EUR, whose day is long past.
async fn invoiced(world: &World, account: AccountId) -> InvoiceId {
    let id = InvoiceId(Uuid::from_u128(7));
    let past = Timestamp::from_micros(1_600_000_000_000_000);
    let number = String::from("INV-00000001");
    let head = head(world, account).await;
    let due_at = past.plus_ms(15 * 86_400_000);
    let post = account::Command::PostInvoice {
        invoice: id,
        number: number.clone(),
        period: head.period,
        amount: Decimal::whole(5),
        due_at,
        fees: vec![],
    };
    let kind = LineKind::Adjustment;
    let draft = invoice::Command::Draft {
        head: Box::new(head),
        lines: vec![line(kind, "A thing", "5")],
    };
    let commands = [
        Command::Invoice(id, draft),
        Command::Invoice(id, invoice::Command::Approve),
        Command::Invoice(id, invoice::Command::Issue { number }),
        Command::Account(account, post),
    ];
    for command in commands {
        let command = AnyCommand::Billing(Box::new(command));
        world.dispatch_at(past, command).await;
    }
    id
}

#[tokio::test]
async fn a_balance_is_told_when_the_day_of_an_invoice_has_passed() {
    let world = World::start().await;
    let account = account(&world).await;
    let invoice = invoiced(&world, account).await;
    // What comes after this is of the day that passes.
    let head = world.head();
    let seen = format!("{{ account(id: \"{account}\", minPosition: \"{head}\") {{ balance }} }}");
    assert_eq!(world.data(&seen).await["account"]["balance"], "-5");
    let mut client = Client::admitted(&world, &world.admin).await;
    let id = json!({"id": account.to_string()});
    client.subscribe("1", BALANCE, id).await;
    let before = client.data("1").await["balance"].clone();
    assert_eq!(before["account"]["balance"], "-5");
    let overdue = Command::Invoice(invoice, invoice::Command::MarkOverdue { level: 1 });
    let position = world
        .dispatch(AnyCommand::Billing(Box::new(overdue)))
        .await
        .position;
    let told = client.data("1").await["balance"].clone();
    assert_eq!(told["account"]["overdue"], "5", "at {position:?}: {told}");
}
