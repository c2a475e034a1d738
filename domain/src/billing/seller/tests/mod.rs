//! What an invoice can not be without is asked for by its name.

use super::*;
use crate::{
    billing::tax::{TaxCategory, TaxRate},
    money::Decimal,
    testing::given,
};

fn config() -> Config {
    Config {
        name: "Seller".into(),
        address: vec![],
        country: "DE".into(),
        tax_id: "DE123456789".into(),
        payment_lines: vec![],
        tax_rates: vec![rate("2020-01-01", None)],
        invoice_prefix: "INV-".into(),
        credit_note_prefix: "CN-".into(),
        is_yearly_series: false,
        due_days: 14,
        dunning: Dunning::default(),
        slice_s: 60,
        emergency_numbers: vec!["112".into()],
        is_approval_required: false,
    }
}

fn rate(from: &str, to: Option<&str>) -> TaxRate {
    TaxRate {
        country: "DE".into(),
        category: TaxCategory::Standard,
        percent: Decimal::whole(19),
        from: from.parse().unwrap(),
        to: to.map(|to| to.parse().unwrap()),
    }
}

#[test]
fn each_change_has_the_next_version() {
    let configure = |config| Command::Configure { config };
    let other = Config {
        due_days: 30,
        ..config()
    };
    let configured = |config_version, config| Event::Configured {
        config_version,
        config: Box::new(config),
    };
    given::<Seller>([])
        .when(configure(config()))
        .then([configured(1, config())])
        .when(configure(config()))
        .nothing()
        .when(configure(other.clone()))
        .then([configured(2, other)]);
}

#[test]
fn what_is_wrong_is_named() {
    type Change = fn(&mut Config);
    let wrong: [(Change, &str); 12] = [
        (|c| c.name = " ".into(), "name"),
        (|c| c.country = "Germany".into(), "country"),
        (|c| c.tax_id = "123".into(), "tax_id"),
        (|c| c.invoice_prefix = "a b".into(), "invoice_prefix"),
        (
            |c| c.credit_note_prefix = "INV-".into(),
            "credit_note_prefix",
        ),
        // What a yearly series of `INV-` gives in 2026.
        (|c| c.invoice_prefix = "INV-2026-".into(), "invoice_prefix"),
        (
            |c| c.credit_note_prefix = "2026-".into(),
            "credit_note_prefix",
        ),
        (|c| c.due_days = 999, "due_days"),
        (|c| c.slice_s = 0, "slice_s"),
        (|c| c.dunning.reminder_days = vec![7, 7], "reminder_days"),
        // Its day could not be written down.
        (
            |c| c.dunning.reminder_days = vec![9_999_999],
            "reminder_days",
        ),
        (|c| c.dunning.suspend_days = Some(9_999_999), "suspend_days"),
    ];
    for (change, expected) in wrong {
        let mut config = config();
        change(&mut config);
        let refusal = Seller::decide(
            &Seller::default(),
            crate::testing::NOW,
            Command::Configure { config },
        );
        let Err(Error::InvalidField { field, .. }) = refusal else {
            unreachable!("{expected}: {refusal:?}")
        };
        assert_eq!(field, expected);
    }
}

#[test]
fn no_number_is_given_twice_whatever_the_prefixes_were() {
    let configured = |change: fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        Event::Configured {
            config_version: 1,
            config: Box::new(config),
        }
    };
    let refused = |before, change: fn(&mut Config), field, reason| {
        let mut config = config();
        change(&mut config);
        let story = given::<Seller>([before]);
        let refused = Error::InvalidField { field, reason };
        story.when(Command::Configure { config }).refused(refused);
    };
    let other = "was the prefix of the other kind of document";
    let swaps = |c: &mut Config| {
        c.invoice_prefix = "RE-".into();
        c.credit_note_prefix = "INV-".into();
    };
    refused(configured(|_| ()), swaps, "credit_note_prefix", other);
    let takes = |c: &mut Config| {
        c.invoice_prefix = "CN-".into();
        c.credit_note_prefix = "X-".into();
    };
    refused(configured(|_| ()), takes, "invoice_prefix", other);
    // Such a prefix was allowed by earlier programs.
    let dated = configured(|c| c.invoice_prefix = "INV-2026-".into());
    let year = "was a prefix with a year and a dash behind it";
    let yearly = |c: &mut Config| c.is_yearly_series = true;
    refused(dated, yearly, "invoice_prefix", year);
    // Its own prefix may come back: its numbers go on.
    let mut again = config();
    again.invoice_prefix = "RE-".into();
    given::<Seller>([configured(|_| ())])
        .when(Command::Configure { config: again })
        .then([Event::Configured {
            config_version: 2,
            config: Box::new(Config {
                invoice_prefix: "RE-".into(),
                ..config()
            }),
        }]);
}

#[test]
fn two_rates_never_hold_on_one_day() {
    let with = |tax_rates| Command::Configure {
        config: Config {
            tax_rates,
            ..config()
        },
    };
    let reason = |rates| {
        let seller = Seller::default();
        let refusal = Seller::decide(&seller, crate::testing::NOW, with(rates)).unwrap_err();
        let Error::InvalidTaxRate { reason, .. } = refusal else {
            unreachable!("{refusal:?}")
        };
        reason
    };
    let open = rate("2020-01-01", None);
    assert_eq!(
        reason(vec![open.clone(), rate("2021-01-01", None)]),
        "overlaps with another rate"
    );
    assert_eq!(
        reason(vec![rate("2021-01-01", Some("2021-01-01"))]),
        "ends before it begins"
    );
    let lower = TaxRate {
        country: "de".into(),
        ..open
    };
    assert_eq!(
        reason(vec![lower]),
        "its country is not two capital letters of ISO 3166"
    );
    let negative = TaxRate {
        percent: Decimal::whole(-1),
        ..open
    };
    assert!(reason(vec![negative]).starts_with("is not 0 to 100"));
    given::<Seller>([])
        .when(with(vec![
            rate("2020-01-01", Some("2021-01-01")),
            rate("2021-01-01", None),
        ]))
        .events();
}
