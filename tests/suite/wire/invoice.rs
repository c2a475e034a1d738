//! Two hundred calls of known lengths, to numbers of two accounts and out
//! through the trunk, and some that ring people back; then their invoices, against a calculation that knows
//! nothing of the product but its prices: what SIPp saw on the wire, counted in
//! integers.

use crate::{
    annex,
    invoice_log::{Price, Seen, cents, dialogs, half_even},
    sipp::{sipp, succeeds},
    support::{self, agent, command_id, incoming, mutate, sell},
};
use anyhow::{Context as _, ensure};
use ringledger_tests::{
    machine,
    server::{Server, Setup},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::UdpSocket,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::process::Command;

const CALLER: &str = include_str!("billed_caller.xml");
const CARRIER: &str = include_str!("billed_carrier.xml");
const CALLS: usize = 200;
const SIPP_TIME: Duration = Duration::from_secs(60);
/// The calls are in the middle of this month, whenever the test runs.
const PERIOD: &str = "2026-10";
const OCTOBER_15_S: i64 = 1_792_065_600;

/// Inbound minutes cost the same whatever was dialled.
const INBOUND: Price = Price {
    rate: 13_700,
    first_s: 1,
    next_s: 1,
    fee: 0,
    minimum: 0,
    grace_s: 0,
};

/// The prefixes of the deck.
const DECK: [(&str, Price); 5] = [
    ("4930", price(9_600, 1, 1, 0, 0, 0)),
    ("49", price(21_300, 2, 3, 11, 0, 0)),
    ("262", price(480_000, 1, 1, 50_000, 0, 3)),
    ("262692", price(890_700, 6, 6, 0, 0, 0)),
    ("43", price(70_001, 1, 1, 0, 9_000, 0)),
];

const fn price(
    rate: u64,
    first_s: u64,
    next_s: u64,
    fee: u64,
    minimum: u64,
    grace_s: u64,
) -> Price {
    Price {
        rate,
        first_s,
        next_s,
        fee,
        minimum,
        grace_s,
    }
}

/// What is dialled here, where it leads outside, and who pays.
const NUMBERS: [(&str, Option<&str>, &str); 8] = [
    ("+49301001", None, "north"),
    ("+49301002", None, "south"),
    // A queue that sends its callers on after a second.
    ("+49301003", Some("+43660123456"), "north"),
    ("+49302001", Some("+4930555001"), "north"),
    ("+49302002", Some("+491701234567"), "south"),
    ("+49302003", Some("+262692123456"), "north"),
    ("+49302004", Some("+262123456789"), "south"),
    // Busy: nobody pays anything.
    ("+49302005", Some("+49999"), "south"),
];
const OVERFLOWING: usize = 2;
/// Who is rung back by the agent of a queue of that account, and for how long they
/// talk; never near a whole second.
const BACK: [(&str, u64); 3] = [
    ("+4930555009", 1_500),
    ("+43660999999", 2_500),
    ("+262692000009", 1_500),
];
const BACK_OWNER: &str = "north";

fn provisioning(port: u16) -> String {
    let mut text = String::new();
    for (number, to, _) in &NUMBERS[..=OVERFLOWING] {
        let name = &number[1..];
        text.push_str(&format!(
            "[[queue]]\nname = \"q{name}\"\nanswer_mode = \"immediate\"\n\
             numbers = [\"{number}\"]\n"
        ));
        if let Some(to) = to {
            text.push_str(&format!(
                "max_wait_ms = 1000\noverflow = [{{ when = \"max_wait\", number = \"{to}\" }}]\n"
            ));
        }
    }
    let forwards: Vec<String> = NUMBERS[OVERFLOWING + 1..]
        .iter()
        .filter_map(|(number, to, _)| {
            Some(format!("{{ number = \"{number}\", to = \"{}\" }}", (*to)?))
        })
        .collect();
    format!(
        "{text}[[queue]]\nname = \"back\"\n\
         [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nready_on_register = true\n\
         queues = [\"back\"]\n\
         [[trunk]]\nname = \"carrier\"\nallow = [\"127.0.0.0/8\"]\n\
         host = \"127.0.0.1:{port}\"\nchannels_max = 0\nforwards = [{}]\n",
        forwards.join(", ")
    )
}

/// The lines of the callers: number and milliseconds, never near a whole second.
fn calls() -> String {
    let mut lines = String::from("SEQUENTIAL\n");
    for index in 0..CALLS {
        let place = index % NUMBERS.len();
        let step = index / NUMBERS.len();
        let seconds = match place {
            OVERFLOWING => 3 + step % 5,
            _ => 1 + step % 7,
        };
        lines.push_str(&format!(
            "{};{};\n",
            NUMBERS[place].0,
            seconds * 1_000 + 500
        ));
    }
    lines
}

/// SIPp that writes down what it hears and says, with the time.
fn noting(folder: &Path, who: &str, scenario: &str, count: usize) -> anyhow::Result<Command> {
    let mut command = sipp(folder, who, scenario, count, SIPP_TIME)?;
    command.args(["-trace_msg", "-message_file", &format!("{who}.log")]);
    Ok(command)
}

/// Seller, deck, plan and the two accounts, over the API.
async fn describe(server: &Server) -> anyhow::Result<BTreeMap<&'static str, String>> {
    let differs = json!({ "paymentLines": ["IBAN DE02120300000000202051"] });
    sell(server, differs).await?;
    let mut csv = String::from(
        "prefix,rate,first_increment_s,next_increment_s,connection_fee,minimum_charge,grace_s\n",
    );
    csv.extend(DECK.iter().map(|(prefix, price)| price.row(prefix)));
    let deck = json!({
        "commandId": command_id(2), "name": "world", "currency": "EUR", "csv": csv,
    });
    mutate(server, "importDeck", "id", deck).await?;
    let term = |usage_type: &str| json!({"usageType": usage_type, "price": {"deck": "world"}});
    let inbound = json!({"usageType": "INBOUND_MINUTES", "price": {"flat": {"rate": "0.0137"}}});
    let plan = json!({
        "commandId": command_id(3), "name": "basic", "currency": "EUR", "cycle": "MONTHLY",
        "terms": [inbound, term("OUTBOUND_MINUTES"), term("INTERNATIONAL_MINUTES")],
    });
    let plan = mutate(server, "createRatePlan", "id", plan).await?["id"].clone();
    let mut accounts = BTreeMap::new();
    for (place, owner) in ["north", "south"].into_iter().enumerate() {
        let owned = NUMBERS.iter().filter(|(_, _, of)| *of == owner);
        let numbers: Vec<Value> = owned
            .map(|(number, ..)| json!({"number": number, "tollFree": false}))
            .collect();
        let step = u128::try_from(place)? * 2 + 4;
        let account = json!({
            "commandId": command_id(step), "name": owner, "currency": "EUR", "timeZone": "UTC",
            "country": "DE", "callingCode": "49", "paymentMode": "POSTPAID", "numbers": numbers,
        });
        let mut account = account;
        if owner == BACK_OWNER {
            account["queueIds"] = json!([queue_back(server).await?]);
        }
        let id = mutate(server, "createAccount", "id", account).await?["id"].clone();
        let subscription = json!({
            "commandId": command_id(step + 1), "accountId": id, "planId": plan,
            "effective": "2026-10-01",
        });
        mutate(server, "subscribeAccount", "id", subscription).await?;
        accounts.insert(owner, id.as_str().context("an id")?.to_owned());
    }
    explains(server, &plan).await?;
    Ok(accounts)
}

/// The queue whose agent rings people back.
async fn queue_back(server: &Server) -> anyhow::Result<Value> {
    let answer = server.graphql("{ queues(first: 20) { nodes { id name } } }", json!({}));
    let answer = answer.await?;
    let mut queues = answer["queues"]["nodes"].as_array().into_iter().flatten();
    let back = queues.find(|queue| queue["name"] == "back");
    Ok(back.context("the queue")?["id"].clone())
}

/// People are rung back one after the other: the agent answers, they talk, and the
/// agent hangs up.
async fn ring_back(server: &Server) -> anyhow::Result<()> {
    let anna = agent(server, "anna").await?;
    let queue = queue_back(server).await?;
    for (place, (number, talk_ms)) in (0..).zip(BACK) {
        let input = json!({ "commandId": command_id(40 + place), "queueId": queue,
                            "number": number });
        let asked = mutate(server, "requestCallback", "callback { id }", input).await?;
        let call = incoming(&anna).await?;
        call.answer().await?;
        let query = format!(
            "{{ callback(id: {}) {{ state }} }}",
            asked["callback"]["id"]
        );
        let is_reached = |answer: &Value| answer["callback"]["state"] == "CONNECTED";
        server.until(&query, is_reached).await?;
        tokio::time::sleep(Duration::from_millis(talk_ms)).await;
        ensure!(call.hang_up().await? == 200, "BYE is refused");
    }
    Ok(())
}

/// A price is explained before anybody calls; the longest prefix counts.
async fn explains(server: &Server, plan: &Value) -> anyhow::Result<()> {
    let query = "query($plan: ID!, $to: String!) { rateQuote(planId: $plan, to: $to, seconds: 8, \
                 usageType: INTERNATIONAL_MINUTES) { amount billedSeconds prefix deckVersion row \
                 steps unratedReason } }";
    let ask = async |to: &str| {
        let answer = server.graphql(query, json!({"plan": plan, "to": to})).await;
        anyhow::Ok(answer?["rateQuote"].clone())
    };
    let quote = ask("+262692000000").await?;
    // 8 s are 12 at 0.8907 a minute.
    ensure!(quote["amount"] == "0.17814", "{quote}");
    ensure!(
        quote["billedSeconds"] == "12" && quote["prefix"] == "262692",
        "{quote}"
    );
    ensure!(quote["deckVersion"] == 1 && quote["row"] == 4, "{quote}");
    ensure!(
        quote["steps"][1] == "8 s began, 12 s are charged",
        "{quote}"
    );
    let nowhere = ask("+1202555").await?;
    ensure!(nowhere["amount"].is_null(), "{nowhere}");
    ensure!(nowhere["unratedReason"] == "no_match", "{nowhere}");
    Ok(())
}

/// Millionths by account and kind of usage, by what SIPp saw.
type Costs = BTreeMap<(&'static str, &'static str), u64>;

fn owner_of(
    is: impl Fn(&(&str, Option<&str>, &'static str)) -> bool,
) -> anyhow::Result<&'static str> {
    let found = NUMBERS.iter().find(|number| is(number));
    Ok(found.context("a number of ours")?.2)
}

fn costs(callers: &[Seen], carried: &[Seen]) -> anyhow::Result<Costs> {
    let mut costs = Costs::new();
    for seen in callers {
        if let Some(seconds) = seen.seconds()? {
            let owner = owner_of(|(number, ..)| *number == seen.number)?;
            *costs.entry((owner, "Inbound calls")).or_default() += INBOUND.of(seconds);
        }
    }
    for seen in carried {
        let Some(seconds) = seen.seconds()? else {
            continue;
        };
        let is_back = BACK.iter().any(|(number, _)| *number == seen.number);
        let owner = match is_back {
            true => BACK_OWNER,
            false => owner_of(|(_, to, _)| *to == Some(seen.number.as_str()))?,
        };
        let digits = &seen.number[1..];
        let rows = DECK.iter().filter(|(prefix, _)| digits.starts_with(prefix));
        let (_, price) = rows
            .max_by_key(|(prefix, _)| prefix.len())
            .context("a row")?;
        let kind = match digits.starts_with("49") {
            true => "Outbound calls",
            false => "International calls",
        };
        *costs.entry((owner, kind)).or_default() += price.of(seconds);
    }
    Ok(costs)
}

async fn invoices(server: &Server) -> anyhow::Result<Value> {
    let query = format!(
        "{{ invoices(filter: {{ period: \"{PERIOD}\" }}, first: 10) {{ nodes {{ number status \
         accountId net tax total documentPath lines {{ description net amount }} }} }} }}"
    );
    let answer = server
        .until(&query, |answer| {
            let nodes = answer["invoices"]["nodes"].as_array();
            nodes.is_some_and(|nodes| {
                nodes.len() == 2 && nodes.iter().all(|invoice| invoice["status"] == "ISSUED")
            })
        })
        .await?;
    Ok(answer["invoices"]["nodes"].clone())
}

fn amount(value: &Value) -> anyhow::Result<u64> {
    cents(value.as_str().context("an amount is text")?)
}

/// The line is of that kind, however its amount comes about.
fn says(line: &Value, kind: &str) -> bool {
    let description = line["description"].as_str().unwrap_or_default();
    description.split(", ").next() == Some(kind)
}

/// The invoice of an account is what its calls cost, line by line, in cents.
fn equal(
    invoice: &Value,
    accounts: &BTreeMap<&'static str, String>,
    costs: &Costs,
) -> anyhow::Result<()> {
    let mut names = accounts.iter();
    let owner = names.find(|(_, id)| invoice["accountId"] == id.as_str());
    let (owner, _) = owner.context("an account of ours")?;
    let mut net = 0;
    let lines = invoice["lines"].as_array().context("lines")?;
    let of_owner = costs.iter().filter(|((account, _), _)| account == owner);
    let mut count = 0;
    for ((_, kind), millionths) in of_owner {
        let line = lines
            .iter()
            .find(|line| says(line, kind))
            .with_context(|| format!("{kind} is no line of {invoice:#}"))?;
        let expected = half_even(*millionths, 10_000);
        ensure!(
            amount(&line["net"])? == expected,
            "{kind} {millionths}: {line}"
        );
        net += expected;
        count += 1;
    }
    ensure!(lines.len() == count, "more lines than kinds: {invoice:#}");
    let tax = half_even(net * 19, 100);
    ensure!(amount(&invoice["net"])? == net, "{net} net: {invoice:#}");
    ensure!(amount(&invoice["tax"])? == tax, "{tax} tax: {invoice:#}");
    ensure!(amount(&invoice["total"])? == net + tax, "{invoice:#}");
    Ok(())
}

async fn place(
    folder: &Path,
    server: &Server,
    port: u16,
) -> anyhow::Result<(Vec<Seen>, Vec<Seen>)> {
    std::fs::write(folder.join("calls.csv"), calls())?;
    let outside = (0..CALLS).filter(|index| NUMBERS[index % NUMBERS.len()].1.is_some());
    let count = outside.count() + BACK.len();
    let mut carrier = noting(folder, "carrier", CARRIER, count)?;
    carrier.args(["-p", &port.to_string()]);
    let carrier = tokio::spawn(async move { succeeds("carrier", carrier, SIPP_TIME).await });
    let mut callers = noting(folder, "callers", CALLER, CALLS)?;
    callers.arg(server.sip.to_string());
    callers.args(["-inf", "calls.csv", "-r", "25", "-l", "400"]);
    succeeds("callers", callers, SIPP_TIME).await?;
    ring_back(server).await?;
    carrier.await??;
    let seen = |who: &str| {
        let log = std::fs::read_to_string(folder.join(format!("{who}.log")));
        dialogs(&log?)
    };
    let (callers, carried) = (seen("callers")?, seen("carrier")?);
    ensure!(callers.len() == CALLS, "{} callers", callers.len());
    ensure!(carried.len() == count, "{} went out", carried.len());
    Ok((callers, carried))
}

/// Every leg that was used is on its account's month, and none waits for a
/// person.
async fn all_rated(
    server: &Server,
    accounts: &BTreeMap<&str, String>,
    legs: usize,
) -> anyhow::Result<()> {
    let sums = accounts.iter().map(|(name, id)| {
        format!(
            "{name}: usageSummary(accountId: \"{id}\", from: \"{PERIOD}\", to: \"{PERIOD}\") \
             {{ count }} "
        )
    });
    let query = format!(
        "{{ {} unratedCalls(first: 1) {{ nodes {{ callId }} }} }}",
        sums.collect::<String>()
    );
    let count = |answer: &Value| {
        let rows = accounts.keys().filter_map(|name| answer[name].as_array());
        let counts = rows.flatten().filter_map(|row| row["count"].as_u64());
        counts.sum::<u64>()
    };
    let expected = u64::try_from(legs)?;
    let answer = server
        .until(&query, |answer| count(answer) >= expected)
        .await?;
    ensure!(count(&answer) == expected, "more than {legs}: {answer}");
    ensure!(answer["unratedCalls"]["nodes"] == json!([]), "{answer}");
    Ok(())
}

/// The records say what the phones said that they are, and the codec of those who
/// talked to somebody outside; none where nobody answered.
async fn are_described(server: &Server) -> anyhow::Result<()> {
    for (place, codec) in [(3, json!("PCMU")), (7, Value::Null)] {
        let (number, ..) = NUMBERS[place];
        let query = format!(
            "{{ cdrs(filter: {{ to: \"{number}\" }}, first: 100) {{ nodes {{ userAgent codec \
             nodeEpoch legs {{ role codec }} }} }} }}"
        );
        let answer = server.graphql(&query, json!({})).await?;
        let records = answer["cdrs"]["nodes"].as_array().context("records")?;
        ensure!(records.len() == CALLS / NUMBERS.len(), "{answer}");
        for record in records {
            ensure!(record["userAgent"] == "billed caller/1", "{record}");
            ensure!(
                record["codec"] == codec && record["nodeEpoch"] == "1",
                "{record}"
            );
            let outside = json!({"role": "FORWARDED", "codec": codec});
            ensure!(record["legs"][1] == outside, "{record}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_real_calls_are_invoiced_to_the_last_digit() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
    let clock = folder.path().join("clock");
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    std::fs::write(&clock, (OCTOBER_15_S - now).to_ne_bytes())?;
    let mut setup = Setup::new(folder.path(), &provisioning(port));
    setup.environment = machine::clock_of(&clock)?;
    let server = Server::start(&setup).await?;
    let accounts = describe(&server).await?;
    let (callers, carried) = place(folder.path(), &server, port).await?;
    let all = callers.iter().chain(&carried);
    let lengths = all.map(Seen::seconds).collect::<anyhow::Result<Vec<_>>>()?;
    all_rated(&server, &accounts, lengths.into_iter().flatten().count()).await?;
    are_described(&server).await?;
    let run = json!({"commandId": command_id(20), "period": PERIOD});
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { finished \
                 drafted already failed { reason } userErrors { code field } } }";
    let early = server.graphql(order, json!({"input": run})).await?["runInvoices"].clone();
    ensure!(early["drafted"] == 0, "the month is not over: {early}");
    let reason = early["failed"][1]["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("is not over"), "{early}");
    server.stop().await?;

    // In the next month.
    std::fs::write(&clock, (OCTOBER_15_S + 30 * 86_400 - now).to_ne_bytes())?;
    let server = Server::start(&setup).await?;
    let ran = server.graphql(order, json!({"input": run})).await?["runInvoices"].clone();
    ensure!(ran["finished"] == true && ran["drafted"] == 2, "{ran}");
    let costs = costs(&callers, &carried)?;
    ensure!(costs.len() == 6, "both have three kinds: {costs:?}");
    let issued = invoices(&server).await?;
    for invoice in issued.as_array().context("invoices")? {
        equal(invoice, &accounts, &costs)?;
    }
    let again = server.graphql(order, json!({"input": run})).await?["runInvoices"].clone();
    ensure!(again["drafted"] == 0 && again["already"] == 2, "{again}");
    let back = BACK.map(|(number, _)| number);
    annex::names_what_was_dialled(&server, &issued, (&callers, &carried), &back).await?;
    keep(&server, &issued).await?;
    server.stop().await
}

/// The papers, for a person to look at.
async fn keep(server: &Server, issued: &Value) -> anyhow::Result<()> {
    for invoice in issued.as_array().into_iter().flatten() {
        let path = invoice["documentPath"].as_str().context("a path")?;
        let number = invoice["number"].as_str().context("a number")?;
        for form in ["html", "pdf", "json", "csv"] {
            let (_, bytes) = server.bytes(&format!("{path}.{form}")).await?;
            support::keep(&format!("{number}.{form}"), &bytes)?;
        }
    }
    Ok(())
}
