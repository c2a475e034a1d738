//! The longest invoice that a payer may get from one month: all eleven kinds of usage
//! under three tax rates, real calls among them, what the plan includes, a minimum,
//! tiers and volume, and a plan that was changed twice, so that days are given back.
//! What is expected is worked out by hand beside each line.

use crate::support::{PATIENCE, caller, command_id, dial, incoming, is_refused, mutate, run};
use anyhow::{Context as _, ensure};
use domain::money::{Decimal, Rounding};
use phone::{Phone, PhoneOptions};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

const NUMBERS: [&str; 4] = ["+4930700", "+498007", "+4930701", "+4930702"];

/// What is used and counted elsewhere: kind, counted units.
const USED: [(&str, u64); 7] = [
    ("INTERNAL_MINUTES", 3_600),
    ("SMS_OUTBOUND", 150),
    ("SMS_INBOUND", 3),
    ("STORAGE_GB", 2_500),
    ("RECORDING", 1_500),
    ("CONFERENCE", 3_600),
    ("CUSTOM", 4),
];

/// Description, quantity, net and tax in percent of each line.
const LINES: [(&str, &str, &str, &str); 17] = [
    // Three calls of a minute at least, and of one a third included, as ten days of thirty
    // are: 160 s at 0.90 a minute.
    ("Inbound calls", "2.666667", "2.4", "19"),
    (
        "Inbound calls, included in the plan for 10 of 30 days",
        "0.333333",
        "0",
        "19",
    ),
    // 30/6: half a minute at 1.20, and 0.05 once.
    (
        "Outbound calls, at 1.20 each min, with connection fees of 0.05",
        "0.5",
        "0.65",
        "19",
    ),
    ("Internal calls", "60", "0.6", "19"),
    ("Toll-free calls", "1", "0.6", "19"),
    ("International calls", "1", "2.4", "19"),
    // A third of 100, so 34 at 0.08, and 116 at 0.06.
    ("Messages sent, by tiers", "150", "9.68", "19"),
    // 3 at 0.01, but a third of 5 at least.
    (
        "Messages received, minimum charge of 10 of 30 days",
        "3",
        "1.67",
        "19",
    ),
    ("Storage", "2.5", "1", "7"),
    // 1,500 s, of which 200 are included, at 0.06 a minute.
    ("Recording", "21.666667", "1.3", "19"),
    (
        "Recording, included in the plan for 10 of 30 days",
        "3.333333",
        "0",
        "19",
    ),
    ("Conferences", "60", "6", "19"),
    ("Other usage, at the price of the volume", "4", "8", "0"),
    // November had been paid for: 20 of its days go back, and are ten of each other plan.
    (
        "Recurring fee of team-plus (10 of 30 days, 60 for 30)",
        "10",
        "20",
        "19",
    ),
    (
        "Recurring fee of team, days not used (20 of 30 days, 30 for 30)",
        "20",
        "-20",
        "19",
    ),
    (
        "Recurring fee of team-max (10 of 30 days, 90 for 30)",
        "10",
        "30",
        "19",
    ),
    // In advance.
    (
        "Recurring fee of team-max (31 of 31 days)",
        "31",
        "90",
        "19",
    ),
];

/// A phone that is the carrier: what goes out comes to it.
pub(crate) async fn carrier() -> anyhow::Result<Phone> {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    Ok(Phone::bind(PhoneOptions::new(nobody, "carrier")).await?)
}

/// Two numbers of a queue, and two that lead outside.
pub(crate) fn provisioning(carrier: SocketAddr) -> String {
    let [desk, free, home, abroad] = NUMBERS;
    format!(
        "[[queue]]\nname = \"desk\"\nanswer_mode = \"immediate\"\n\
         numbers = [\"{desk}\", \"{free}\"]\n\
         [[trunk]]\nname = \"carrier\"\nallow = [\"127.0.0.0/8\"]\nhost = \"{carrier}\"\n\
         channels_max = 0\nforwards = [{{ number = \"{home}\", to = \"+491701234567\" }}, \
         {{ number = \"{abroad}\", to = \"+43660123456\" }}]\n"
    )
}

fn terms() -> Value {
    let flat = |kind: &str, price: Value| json!({"usageType": kind, "price": {"flat": price}});
    let timed = |kind: &str, rate: &str, increments: [u32; 2], fee: &str| {
        let [first, next] = increments;
        let price = json!({"rate": rate, "firstIncrementS": first, "nextIncrementS": next,
                           "connectionFee": fee});
        flat(kind, price)
    };
    let rate = |kind: &str, rate: &str| flat(kind, json!({ "rate": rate }));
    let mut inbound = timed("INBOUND_MINUTES", "0.90", [60, 60], "0");
    inbound["included"] = json!("60");
    let mut received = rate("SMS_INBOUND", "0.01");
    received["minimumCharge"] = json!("5");
    let mut storage = rate("STORAGE_GB", "0.40");
    storage["taxCategory"] = json!("REDUCED");
    let mut recording = rate("RECORDING", "0.06");
    recording["included"] = json!("600");
    let tiers = json!([{"upTo": "100", "rate": "0.08"}, {"rate": "0.06"}]);
    let volume = json!([{"upTo": "3", "rate": "2.50"}, {"rate": "2"}]);
    json!([
        inbound,
        timed("OUTBOUND_MINUTES", "1.20", [30, 6], "0.05"),
        timed("INTERNATIONAL_MINUTES", "2.40", [60, 60], "0"),
        timed("TOLL_FREE_MINUTES", "0.60", [60, 60], "0"),
        rate("INTERNAL_MINUTES", "0.01"),
        {"usageType": "SMS_OUTBOUND", "price": {"tiers": tiers}},
        received,
        storage,
        recording,
        rate("CONFERENCE", "0.10"),
        {"usageType": "CUSTOM", "price": {"volume": volume}, "taxCategory": "ZERO"},
    ])
}

/// An account with a plan from the first of October on, and two other plans later.
pub(crate) async fn describe(server: &Server) -> anyhow::Result<Value> {
    let numbers = NUMBERS.map(|number| json!({"number": number, "tollFree": number == "+498007"}));
    let account = json!({
        "commandId": command_id(900), "name": "long", "currency": "EUR",
        "timeZone": "Europe/Berlin", "country": "DE", "callingCode": "49",
        "paymentMode": "POSTPAID", "numbers": numbers, "taxId": "DE123456789",
        "holder": ["Müller & Söhne GmbH", "Hauptstraße 17", "10623 Berlin"],
    });
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    let plans = [
        ("team", "30", "2026-10-01"),
        ("team-plus", "60", "2026-11-11"),
        ("team-max", "90", "2026-11-21"),
    ];
    for (number, (name, fee, day)) in (910..).step_by(2).zip(plans) {
        let plan = json!({
            "commandId": command_id(number), "name": name, "currency": "EUR",
            "cycle": "MONTHLY", "recurringFee": fee, "terms": terms(),
        });
        let plan = mutate(server, "createRatePlan", "id", plan).await?["id"].clone();
        let subscription = json!({
            "commandId": command_id(number + 1), "accountId": account, "planId": plan,
            "effective": day,
        });
        mutate(server, "subscribeAccount", "id", subscription).await?;
    }
    Ok(account)
}

/// Everything is used in November: real calls in and out, and what others counted.
pub(crate) async fn is_used(
    server: &Server,
    account: &Value,
    carrier: &Phone,
) -> anyhow::Result<()> {
    for (number, (kind, quantity)) in (920..).zip(USED) {
        let used = json!({
            "commandId": command_id(number), "accountId": account, "key": kind,
            "usageType": kind, "quantity": quantity.to_string(),
            "at": "2026-11-12T12:00:00Z",
        });
        mutate(server, "recordUsage", "id", used).await?;
    }
    let phone = caller(server, "4930501").await?;
    for (place, number) in NUMBERS.into_iter().enumerate() {
        let out = dial(&phone, number).await?;
        if place >= 2 {
            incoming(carrier).await?.answer().await?;
        }
        out.wait_answered(PATIENCE).await?;
        out.hang_up().await?;
    }
    let query = format!(
        "{{ usageSummary(accountId: {account}, from: \"2026-11\", to: \"2026-11\") {{ count }} }}"
    );
    let counted = |answer: &Value| {
        let rows = answer["usageSummary"].as_array();
        let counts = rows.into_iter().flatten();
        counts.filter_map(|row| row["count"].as_u64()).sum::<u64>()
    };
    server.until(&query, |answer| counted(answer) == 13).await?;
    Ok(())
}

/// The invoice of November has these lines and adds up, by each tax rate too, in all
/// its forms. `LOOK=FOLDER` writes them there, for whoever wants to look at them.
pub(crate) async fn is_paid_from(server: &Server, account: &Value) -> anyhow::Result<()> {
    let query = format!(
        "{{ invoices(filter: {{ accountId: {account}, period: \"2026-11\" }}, first: 2) {{ nodes \
         {{ number documentPath }} }} }}"
    );
    let is_issued = |answer: &Value| answer["invoices"]["nodes"][0]["number"].is_string();
    let issued = server.until(&query, is_issued).await?;
    let path = &issued["invoices"]["nodes"][0]["documentPath"];
    let path = path.as_str().context("a path")?;
    let mut forms = vec![];
    for form in ["json", "html", "pdf", "csv"] {
        let (status, bytes) = server.bytes(&format!("{path}.{form}")).await?;
        ensure!(status == 200, "{form}: {status}");
        if let Some(folder) = std::env::var_os("LOOK") {
            let file = PathBuf::from(folder).join("longest").with_extension(form);
            std::fs::write(file, &bytes)?;
        }
        forms.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    let data: Value = serde_json::from_str(&forms[0])?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told = data["lines"].as_array().context("lines")?;
    let told = told.iter().map(|line| {
        let field = |name: &str| text(&line[name]);
        [
            field("description"),
            field("quantity"),
            field("net"),
            field("tax_percent"),
        ]
    });
    let told: Vec<[String; 4]> = told.collect();
    let expected = LINES
        .map(|(what, quantity, net, percent)| [what, quantity, net, percent].map(str::to_owned));
    ensure!(told == expected, "{told:#?}");
    adds_up(&data)?;
    let total: Decimal = text(&data["totals"]["total"]).parse()?;
    let total = total.with_digits(2);
    let shown = forms[1].contains(&format!("Please pay {total} EUR by "));
    ensure!(shown, "{total} is not in {}", forms[1]);
    ensure!(forms[2].matches("/Type/Page/").count() >= 2, "one page");
    Ok(())
}

/// A payment of it is taken back, and it is owed again; then all of it is taken back in
/// two parts, and no more. The command line has the same paper.
pub(crate) async fn is_taken_back(
    server: &Server,
    setup: &Setup,
    account: &Value,
) -> anyhow::Result<()> {
    let query = format!(
        "{{ invoices(filter: {{ accountId: {account}, period: \"2026-11\" }}, first: 2) {{ nodes \
         {{ id number status total balanceDue documentPath creditNotes {{ number total }} }} }} }}"
    );
    let of = |answer: &Value| answer["invoices"]["nodes"][0].clone();
    let until = async |status: &str| {
        let is = |answer: &Value| of(answer)["status"] == status;
        anyhow::Ok(of(&server.until(&query, is).await?))
    };
    let invoice = until("ISSUED").await?;
    let payment = json!({
        "commandId": command_id(940), "accountId": account, "amount": "10", "currency": "EUR",
        "method": "BANK_TRANSFER", "reference": "too early", "invoiceId": invoice["id"],
    });
    let paid = mutate(server, "recordPayment", "id", payment).await?;
    until("PARTIALLY_PAID").await?;
    let back = json!({
        "commandId": command_id(941), "accountId": account, "paymentId": paid["id"],
        "reason": "the bank took it back",
    });
    mutate(server, "reversePayment", "id", back).await?;
    let owed = until("ISSUED").await?;
    ensure!(owed["balanceDue"] == invoice["total"], "{owed}");

    let credit = |amount: Option<&str>| {
        let reason = "wrong plan";
        json!({"invoiceId": invoice["id"], "amount": amount, "reason": reason})
    };
    for (number, amount) in [(942, Some("50")), (943, None)] {
        let mut credit = credit(amount);
        credit["commandId"] = json!(command_id(number));
        mutate(server, "issueCreditNote", "id", credit).await?;
    }
    let code = "invoice.invalid_credit";
    let more = (
        "issueCreditNote",
        credit(Some("0.01")),
        code,
        "amount",
        "at most 0",
    );
    is_refused(server, 944, more).await?;
    let is_numbered = |answer: &Value| {
        let notes = of(answer)["creditNotes"].clone();
        notes[0]["number"].is_string() && notes[1]["number"].is_string()
    };
    let credited = of(&server.until(&query, is_numbered).await?);
    ensure!(credited["status"] == "CREDITED_FULLY", "{credited}");
    ensure!(credited["balanceDue"] == "0", "{credited}");
    let path = credited["documentPath"].as_str().context("a path")?;
    for (place, number) in ["CN-00000001", "CN-00000002"].into_iter().enumerate() {
        ensure!(
            credited["creditNotes"][place]["number"] == number,
            "{credited}"
        );
        let (status, paper) = server
            .get(&format!("{path}/credit-notes/{number}.html"))
            .await?;
        ensure!(status == 200 && paper.contains("wrong plan"), "{paper}");
    }

    is_shown_by_the_command_line(server, setup, &credited).await
}

async fn is_shown_by_the_command_line(
    server: &Server,
    setup: &Setup,
    invoice: &Value,
) -> anyhow::Result<()> {
    let path = invoice["documentPath"].as_str().context("a path")?;
    let number = invoice["number"].as_str().context("a number")?;
    let config = setup.folder.join("ringledger.toml").display().to_string();
    let data = setup.data().display().to_string();
    let out = setup.folder.join("shown.pdf");
    let mut arguments = vec![
        "invoice", "show", number, "--format", "pdf", "--config", &config,
    ];
    let file = out.display().to_string();
    arguments.extend(["--data", &data, "--out", &file]);
    let ran = run(&arguments, &[], &setup.folder).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let (_, told) = server.bytes(&format!("{path}.pdf")).await?;
    ensure!(std::fs::read(out)? == told, "not the same bytes");
    Ok(())
}

/// Each rate's tax is that of the sum of its lines, rounded once.
fn adds_up(data: &Value) -> anyhow::Result<()> {
    let mut nets: BTreeMap<&str, Decimal> = BTreeMap::new();
    for (_, _, net, percent) in LINES {
        let sum = nets.entry(percent).or_default();
        *sum = *sum + net.parse()?;
    }
    let taxes = data["taxes"].as_array().context("taxes")?;
    ensure!(taxes.len() == 3 && nets.len() == 3, "{taxes:#?}");
    let mut total = Decimal::ZERO;
    for line in taxes {
        let percent = line["percent"].as_str().context("a rate")?;
        let net = nets.get(percent).context("a known rate")?;
        let tax = net.percent(percent.parse()?, 2, Rounding::HalfEven);
        let told = |name: &str| -> anyhow::Result<Decimal> {
            Ok(line[name].as_str().context("an amount")?.parse()?)
        };
        ensure!(told("net")? == *net && told("tax")? == tax, "{line}");
        total = total + *net + tax;
    }
    let told: Decimal = data["totals"]["total"]
        .as_str()
        .context("a total")?
        .parse()?;
    ensure!(told == total, "{told} is not {total}");
    Ok(())
}
