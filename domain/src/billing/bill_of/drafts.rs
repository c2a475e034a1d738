//! Whole drafts: each line has the tax of its own day and the sort of price of its own
//! plan.

use super::*;
use crate::{
    billing::account::Status,
    billing::{
        account::{Owned, PaymentMode, Subscription},
        invoice::Invoice,
        plan::{Price, Term},
        seller::Dunning,
        settle::settle,
        stretch::{self, Rules, Stretch},
        usage::{Record, Usage},
    },
    calendar::Zone,
    decider::Decider,
    id::{CallId, DEFAULT_TENANT, LegId},
    testing::{NOW, plan_config},
};
use uuid::Uuid;

const FIRST: PlanId = PlanId(Uuid::from_u128(1));
const SECOND: PlanId = PlanId(Uuid::from_u128(2));

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn profile() -> Profile {
    Profile {
        currency: Currency::EUR,
        zone: Zone::UTC,
        country: "DE".into(),
        calling_code: "49".into(),
        tax_id: None,
        holder: None,
        payment_mode: PaymentMode::Postpaid,
        is_auto_pay: false,
        owned: Owned::default(),
    }
}

/// A seller in Germany, with these rates, each from a day on.
fn seller(rates: &[(&str, &str)]) -> seller::Config {
    let ends = rates.iter().skip(1).map(|(_, from)| Some(date(from)));
    let rates = rates.iter().zip(ends.chain([None]));
    let rate = |((percent, from), to): (&(&str, &str), Option<Date>)| TaxRate {
        country: "DE".into(),
        category: TaxCategory::Standard,
        percent: decimal(percent),
        from: date(from),
        to,
    };
    seller::Config {
        name: "Seller".into(),
        address: vec!["Street 1".into()],
        country: "DE".into(),
        tax_id: "DE123456789".into(),
        payment_lines: vec![],
        tax_rates: rates.map(rate).collect(),
        invoice_prefix: "INV-".into(),
        credit_note_prefix: "CN-".into(),
        is_yearly_series: false,
        is_approval_required: false,
        due_days: 14,
        dunning: Dunning::default(),
        slice_s: 60,
        emergency_numbers: vec![],
    }
}

/// Other usage at 1, and a fee of so much a month.
fn plan(fee: &str, is_tax_inclusive: bool) -> plan::Config {
    let term = Term {
        price: Price::Flat(Tariff::flat(Decimal::whole(1))),
        included: 0,
        minimum_charge: Decimal::ZERO,
        tax_category: None,
    };
    plan::Config {
        recurring_fee: decimal(fee),
        is_tax_inclusive,
        ..plan_config(BTreeMap::from([(UsageType::Custom, term)]))
    }
}

/// So many units by that plan on that day.
fn used(number: u128, plan: PlanId, quantity: u64, day: &str) -> Record {
    let tariff = Tariff::flat(Decimal::whole(1));
    Record {
        cdr: CallId(Uuid::from_u128(number)),
        revision: 1,
        leg: LegId(Uuid::nil()),
        usage_type: UsageType::Custom,
        answered_at: Zone::UTC.start_of(date(day)),
        ended_at: Zone::UTC.start_of(date(day)),
        quantity,
        amount: tariff.price(quantity, 1, Rounding::HalfEven),
        tariff,
        currency: Currency::EUR,
        plan,
        plan_version: 1,
        matched: None,
        of_period: None,
        counted: None,
        rounding: None,
    }
}

/// What is said of the draft of a month.
fn of_month<T>(
    (seller, profile, period): (&seller::Config, &Profile, &str),
    plans: &[(PlanId, &str, plan::Config)],
    records: &[Record],
    ledger: &Account,
    said: impl FnOnce(&Draft<'_>) -> T,
) -> T {
    let period: Period = period.parse().unwrap();
    let config = |id| &plans.iter().find(|(plan, ..)| *plan == id).unwrap().2;
    let had = plans.iter().map(|(id, ..)| *id).collect();
    let ends = ledger.ends(Zone::UTC);
    let days = stretch::of((&ledger.subscriptions, ends), &had, period);
    let stretches = days.iter().map(|days| Stretch {
        plan: days.plan,
        plan_version: 1,
        from: days.from,
        to: days.to,
        config: config(days.plan).clone(),
    });
    let rules = Rules {
        period,
        zone: Zone::UTC,
        stretches: stretches.collect(),
        turns: turns(seller, profile),
        taken_back: BTreeSet::new(),
    };
    let used = records
        .iter()
        .map(|record| (record.key(), Usage::kept(record)));
    let totals = settle(&used.collect(), &BTreeMap::new(), &rules);
    let named = plans
        .iter()
        .map(|(id, name, config)| (*id, Named { name, config }));
    said(&Draft {
        account: AccountId(Uuid::from_u128(9)),
        name: "acme",
        profile,
        ledger,
        period,
        plan: ledger.plan_on(last_day(period)).unwrap(),
        plans: &named.collect(),
        seller,
        tenant: DEFAULT_TENANT,
        totals: &totals,
    })
}

/// The lines of October's invoice as `description: amount, percent, net, tax`, and its
/// total.
fn drafted(
    seller: &seller::Config,
    plans: &[(PlanId, &str, plan::Config)],
    records: &[Record],
    ledger: Account,
) -> (Vec<String>, String) {
    let of = (seller, &profile(), "2026-10");
    let command = of_month(of, plans, records, &ledger, draft);
    let events = Invoice::decide(&Invoice::default(), NOW, command.unwrap().unwrap()).unwrap();
    let start = Invoice::default();
    let invoice = events
        .iter()
        .fold(start, |invoice, event| Invoice::evolve(invoice, NOW, event));
    let told = |line: &Line| {
        let (what, percent) = (&line.description, line.tax_percent);
        format!(
            "{what}: {}, {percent} %, {} + {}",
            line.amount, line.net, line.tax
        )
    };
    let lines = invoice.lines.iter().map(told).collect();
    (lines, invoice.totals.total.to_string())
}

fn subscribed(plans: &[(PlanId, &str)]) -> Account {
    let subscription = |(plan, day): &(PlanId, &str)| Subscription {
        plan: *plan,
        effective: date(day),
    };
    Account {
        status: Status::Active,
        subscriptions: plans.iter().map(subscription).collect(),
        invoiced: Some("2026-09".parse().unwrap()),
        ..Account::default()
    }
}

#[test]
fn usage_has_the_tax_of_its_day_and_a_fee_that_of_its_first_day() {
    let seller = seller(&[
        ("19", "2021-01-01"),
        ("16", "2026-10-15"),
        ("25", "2026-11-01"),
    ]);
    let records = [
        used(1, FIRST, 100, "2026-10-14"),
        used(2, FIRST, 200, "2026-10-15"),
        used(3, FIRST, 300, "2026-10-31"),
    ];
    let plans = [(FIRST, "basic", plan("30", false))];
    let (lines, total) = drafted(
        &seller,
        &plans,
        &records,
        subscribed(&[(FIRST, "2026-10-11")]),
    );
    let expected = [
        "Other usage: 100, 19 %, 100 + 19",
        "Other usage: 500, 16 %, 500 + 80",
        // 21 of 31 days of 30, from the 11th on.
        "Recurring fee (21 of 31 days, 30 for 31): 20.32, 19 %, 20.32 + 3.86",
        "Recurring fee (30 of 30 days): 30, 25 %, 30 + 7.5",
    ];
    assert_eq!(lines, expected);
    assert_eq!(total, "760.68");
}

/// Days that were paid for and not used are given back with the tax that was paid.
#[test]
fn a_fee_is_given_back_with_the_tax_that_it_was_billed_with() {
    let seller = seller(&[("19", "2021-01-01"), ("25", "2026-10-15")]);
    let plans = [
        (FIRST, "basic", plan("31", false)),
        (SECOND, "large", plan("62", false)),
    ];
    let fee = Fee {
        cycle: crate::calendar::Cycle::Monthly,
        amount: decimal("31"),
    };
    let ledger = Account {
        fees_billed: vec![fees::Billed {
            plan: FIRST,
            from: date("2026-10-01"),
            to: date("2026-11-01"),
            fee: Some(fee),
            taxed: None,
        }],
        ..subscribed(&[(FIRST, "2026-09-01"), (SECOND, "2026-10-22")])
    };
    let (lines, _) = drafted(&seller, &plans, &[], ledger);
    let expected = [
        "Recurring fee of basic, days not used (10 of 31 days, 31 for 31): -10, 19 %, -10 + -1.9",
        "Recurring fee of large (10 of 31 days, 62 for 31): 20, 25 %, 20 + 5",
        "Recurring fee of large (30 of 30 days): 62, 25 %, 62 + 15.5",
    ];
    assert_eq!(lines, expected);
}

/// The account was at home when the fee was billed, and is a business in another country by
/// now: what it had paid 19 % on was given back without.
#[test]
fn a_fee_is_given_back_as_it_was_billed_whatever_the_account_is_by_now() {
    let seller = seller(&[("19", "2021-01-01")]);
    let plans = [
        (FIRST, "basic", plan("31", false)),
        (SECOND, "large", plan("62", false)),
    ];
    let drafted = |profile: &Profile, period, ledger: &Account| {
        let of = (&seller, profile, period);
        let drafted = of_month(of, &plans, &[], ledger, draft).unwrap();
        let Some(Command::Draft { head, lines }) = drafted else {
            unreachable!("{drafted:?}")
        };
        (*head, lines)
    };
    let first = subscribed(&[(FIRST, "2026-10-01")]);
    let (head, _) = drafted(&profile(), "2026-10", &first);
    let taxed = fees::Taxed {
        category: TaxCategory::Standard,
        percent: decimal("19"),
    };
    let kept: Vec<_> = head.fees.iter().map(|fee| fee.taxed).collect();
    assert_eq!(kept, [Some(taxed)]);
    let abroad = Profile {
        country: "FR".into(),
        tax_id: Some("FR12345678901".into()),
        ..profile()
    };
    let then = Account {
        fees_billed: head.fees,
        invoiced: Some("2026-10".parse().unwrap()),
        ..subscribed(&[(FIRST, "2026-10-01"), (SECOND, "2026-11-21")])
    };
    let (head, lines) = drafted(&abroad, "2026-11", &then);
    let told = |line: &Line| {
        let (amount, percent) = (line.exact, line.tax_percent);
        format!("{amount}, {:?}, {percent} %", line.tax_category)
    };
    assert_eq!(
        lines.iter().map(told).collect::<Vec<_>>(),
        [
            // 10 of 30 days.
            "-10.33, Standard, 19 %",
            "20.67, ReverseCharge, 0 %",
            "62, ReverseCharge, 0 %",
        ]
    );
    let kept: Vec<_> = head.fees.iter().filter_map(|fee| fee.taxed).collect();
    assert_eq!(kept[0].category, TaxCategory::ReverseCharge);
}

/// It was settled as a whole month: 31, and nothing to pay for 600 units.
#[test]
fn an_account_that_was_closed_within_the_month_has_its_days_of_it() {
    let seller = seller(&[("19", "2021-01-01")]);
    let mut least = plan("0", false);
    let mut more = plan("0", false);
    for (config, included, minimum) in [(&mut least, 0, "31"), (&mut more, 620, "0")] {
        let term = config.terms.get_mut(&UsageType::Custom).unwrap();
        (term.included, term.minimum_charge) = (included, decimal(minimum));
    }
    let drafted = |config, quantity| {
        let ledger = Account {
            status: Status::Closed,
            closed_at: Some(Zone::UTC.start_of(date("2026-10-10"))),
            ..subscribed(&[(FIRST, "2026-09-01")])
        };
        let records = [used(1, FIRST, quantity, "2026-10-02")];
        drafted(&seller, &[(FIRST, "basic", config)], &records, ledger).0
    };
    assert_eq!(
        drafted(least, 1),
        ["Other usage, minimum charge of 10 of 31 days: 10, 19 %, 10 + 1.9"]
    );
    assert_eq!(
        drafted(more, 600),
        [
            "Other usage: 400, 19 %, 400 + 76",
            "Other usage, included in the plan for 10 of 31 days: 0, 19 %, 0 + 0"
        ]
    );
}

/// 119 with tax were 141.61 on the invoice of a month that ended by a plan without.
#[test]
fn prices_with_tax_stay_so_when_the_next_plan_is_without() {
    let seller = seller(&[("19", "2021-01-01")]);
    let plans = [
        (FIRST, "private", plan("0", true)),
        (SECOND, "business", plan("30", false)),
    ];
    let records = [
        used(1, FIRST, 119, "2026-10-30"),
        used(2, SECOND, 100, "2026-10-31"),
    ];
    let ledger = subscribed(&[(FIRST, "2026-09-01"), (SECOND, "2026-10-31")]);
    let (lines, total) = drafted(&seller, &plans, &records, ledger);
    let expected = [
        "Other usage of private, 2026-10-01 to 2026-10-30, at 1 each unit, priced with tax: 119, \
         19 %, 100 + 19",
        "Other usage of business, 2026-10-31 to 2026-10-31: 100, 19 %, 100 + 19",
        // A day of October, and November.
        "Recurring fee (1 of 31 days, 30 for 31): 0.97, 19 %, 0.97 + 0.18",
        "Recurring fee (30 of 30 days): 30, 19 %, 30 + 5.7",
    ];
    assert_eq!(lines, expected);
    // 119, 119, and 30.97 with 5.88.
    assert_eq!(total, "274.85");
}

/// The seller has rates from October on only.
#[test]
fn what_is_of_a_day_without_a_tax_rate_is_known_before_the_month_is_closed() {
    let seller = seller(&[("19", "2026-10-01")]);
    let plans = [
        (FIRST, "basic", plan("31", false)),
        (SECOND, "free", plan("0", false)),
    ];
    let is_taxable = |records: &[Record], ledger: &Account| {
        let of = (&seller, &profile(), "2026-10");
        let draft = |of: &Draft<'_>| (taxable(of).is_ok(), draft(of).is_ok());
        let (is_taxable, is_drafted) = of_month(of, &plans, records, ledger, draft);
        assert_eq!(is_taxable, is_drafted);
        is_taxable
    };
    let ledger = subscribed(&[(FIRST, "2026-09-01")]);
    assert!(is_taxable(&[used(1, FIRST, 1, "2026-10-01")], &ledger));
    // It came late.
    assert!(!is_taxable(&[used(1, FIRST, 1, "2026-09-30")], &ledger));
    let days = |from| date(from)..date("2026-11-01");
    let standard = BTreeSet::from([TaxCategory::Standard]);
    let has_rates = |from| has_rates(&seller, &profile(), standard.clone(), days(from));
    assert!(has_rates("2026-10-01") && !has_rates("2026-09-30"));
    // Days of a year are given back, by the rate of the first that was billed.
    let given_back = |taxed| Account {
        fees_billed: vec![fees::Billed {
            plan: FIRST,
            from: date("2026-09-01"),
            to: date("2027-01-01"),
            fee: Some(Fee {
                cycle: crate::calendar::Cycle::Yearly,
                amount: decimal("365"),
            }),
            taxed,
        }],
        ..subscribed(&[(FIRST, "2026-09-01"), (SECOND, "2026-10-11")])
    };
    assert!(!is_taxable(&[], &given_back(None)));
    let taxed = fees::Taxed {
        category: TaxCategory::Standard,
        percent: decimal("19"),
    };
    assert!(is_taxable(&[], &given_back(Some(taxed))));
}
