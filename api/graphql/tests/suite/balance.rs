//! The balance of an account as a subscription.

use crate::{client::Client, world::World};
use domain::{
    any::AnyCommand,
    billing::{Command, account},
    id::{AccountId, DEFAULT_TENANT},
};
use serde_json::json;

const DONE: &str = "id position userErrors { code message field }";
const BALANCE: &str = "subscription S($id: ID!) { balance(accountId: $id) { \
    account { name balance credit reserved status } missed } }";

#[tokio::test]
async fn a_balance_is_told_as_it_is_and_again_after_each_change() {
    let world = World::start().await;
    let input = json!({
        "name": "muster", "currency": "EUR", "timeZone": "UTC", "country": "DE",
        "callingCode": "49", "paymentMode": "POSTPAID",
    });
    let made = world.order("createAccount", input, DONE).await;
    assert_eq!(made["userErrors"], json!([]));
    let account = AccountId::named(DEFAULT_TENANT, "muster");
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
