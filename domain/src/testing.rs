//! The words of the tests: `given` what has happened, `when` a command comes,
//! `then` these events or this refusal follow. Ids and instants are fixed, so
//! that a failure reads the same on every machine.

use crate::{
    billing::{
        DocumentKind, SeriesId, UsageType,
        invoice::{CustomerBlock, Head, SellerBlock},
        plan::{Config, Term},
        stretch::{Rules, Stretch},
        tax::TaxCategory,
    },
    calendar::{Cycle, Period, Zone},
    decider::Decider,
    id::{
        AccountId, AgentId, CallId, DEFAULT_TENANT, LegId, OfferId, PlanId, QueueId, SessionId,
        SubjectId, TrunkId, VisitId,
    },
    money::{Currency, Decimal, Rounding},
    sealed::{Party, Sealed},
    time::Timestamp,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An instant: `seconds` after the start of the story.
pub(crate) const fn second(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).plus_ms(seconds * 1_000)
}

/// When a command comes, unless the test says otherwise. The events that were
/// given before it happened one second apart, from `second(0)`.
pub(crate) const NOW: Timestamp = second(60);

const fn id(kind: u128, number: u128) -> Uuid {
    Uuid::from_u128((kind << 64) | number)
}

pub(crate) const CALL: CallId = CallId(id(1, 1));
pub(crate) const OTHER_CALL: CallId = CallId(id(1, 2));
pub(crate) const CALLER_LEG: LegId = LegId(id(2, 1));
pub(crate) const AGENT_LEG: LegId = LegId(id(2, 2));
pub(crate) const OTHER_LEG: LegId = LegId(id(2, 3));
pub(crate) const OUTSIDE_LEG: LegId = LegId(id(2, 4));
pub(crate) const SUPERVISOR_LEG: LegId = LegId(id(2, 5));
pub(crate) const AGENT: AgentId = AgentId(id(3, 1));
pub(crate) const OTHER_AGENT: AgentId = AgentId(id(3, 2));
pub(crate) const QUEUE: QueueId = QueueId(id(4, 1));
pub(crate) const OTHER_QUEUE: QueueId = QueueId(id(4, 2));
pub(crate) const VISIT: VisitId = VisitId(id(5, 1));
pub(crate) const OTHER_VISIT: VisitId = VisitId(id(5, 2));
pub(crate) const OFFER: OfferId = OfferId(id(6, 1));
pub(crate) const OTHER_OFFER: OfferId = OfferId(id(6, 2));
pub(crate) const TRUNK: TrunkId = TrunkId(id(7, 1));
pub(crate) const OTHER_TRUNK: TrunkId = TrunkId(id(7, 2));
pub(crate) const SUBJECT: SubjectId = SubjectId(id(8, 1));
/// A registered contact of an agent.
pub(crate) const PHONE: Uuid = id(9, 1);
pub(crate) const OTHER_PHONE: Uuid = id(9, 2);
pub(crate) const SESSION: SessionId = SessionId {
    agent: AGENT,
    number: 1,
};
pub(crate) const OTHER_SESSION: SessionId = SessionId {
    agent: OTHER_AGENT,
    number: 1,
};

/// A sealed caller.
pub(crate) fn caller() -> Sealed<Party> {
    Sealed::new(SUBJECT, "c2VhbGVk".into())
}

/// What has happened so far.
#[derive(Debug)]
pub(crate) struct Given<D: Decider> {
    state: D::State,
}

/// What a command has led to.
#[derive(Debug)]
pub(crate) struct When<D: Decider> {
    before: D::State,
    at: Timestamp,
    outcome: Result<Vec<D::Event>, D::Error>,
}

/// Starts a story: these events happened, one second apart.
pub(crate) fn given<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    let state = (0..)
        .zip(events)
        .fold(D::State::default(), |state, (seconds, event)| {
            D::evolve(state, second(seconds), &event)
        });
    Given { state }
}

impl<D: Decider> Given<D> {
    /// The command comes at [`NOW`].
    pub(crate) fn when(self, command: D::Command) -> When<D> {
        self.when_at(NOW, command)
    }

    /// The command comes at that instant.
    pub(crate) fn when_at(self, at: Timestamp, command: D::Command) -> When<D> {
        let outcome = D::decide(&self.state, at, command);
        When {
            before: self.state,
            at,
            outcome,
        }
    }

    /// What has been folded.
    pub(crate) fn state(&self) -> &D::State {
        &self.state
    }
}

impl<D: Decider> When<D> {
    /// Exactly these events follow. The story goes on after them.
    #[track_caller]
    pub(crate) fn then(self, expected: impl IntoIterator<Item = D::Event>) -> Given<D> {
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(self.outcome.as_ref(), Ok(&expected));
        let state = expected
            .iter()
            .fold(self.before, |state, event| D::evolve(state, self.at, event));
        Given { state }
    }

    /// Nothing follows: the command changes nothing.
    #[track_caller]
    pub(crate) fn nothing(self) -> Given<D> {
        self.then([])
    }

    /// The command is refused. The story goes on as if it had not come.
    #[track_caller]
    pub(crate) fn refused(self, expected: D::Error) -> Given<D> {
        assert_eq!(self.outcome, Err(expected));
        Given { state: self.before }
    }

    /// The events, for a test that looks at a part of them.
    #[track_caller]
    pub(crate) fn events(self) -> Vec<D::Event> {
        self.outcome.expect("the command is not refused")
    }
}

/// A plan in euro with these terms, by the month, without a fee, and without tax.
pub(crate) fn plan_config(terms: BTreeMap<UsageType, Term>) -> Config {
    Config {
        currency: Currency::EUR,
        cycle: Cycle::Monthly,
        recurring_fee: Decimal::ZERO,
        is_tax_inclusive: false,
        tax_category: TaxCategory::Standard,
        rounding: Rounding::HalfEven,
        terms,
    }
}

/// A month that has that plan from its first day to its last.
pub(crate) fn month_of(plan: PlanId, period: &str, terms: BTreeMap<UsageType, Term>) -> Box<Rules> {
    let period: Period = period.parse().expect("a month");
    Box::new(Rules {
        period,
        zone: Zone::UTC,
        stretches: vec![Stretch {
            plan,
            plan_version: 1,
            from: period.start(),
            to: period.end(),
            config: plan_config(terms),
        }],
        turns: BTreeMap::new(),
        taken_back: Default::default(),
    })
}

/// The head of an invoice of that account and month, in euro, without suspension.
pub(crate) fn invoice_head(account: AccountId, period: Period) -> Head {
    let series = |document| SeriesId {
        tenant: DEFAULT_TENANT,
        document,
        year: 0,
    };
    Head {
        account,
        period,
        currency: Currency::EUR,
        zone: "Europe/Berlin".parse().expect("a time zone"),
        is_tax_inclusive: false,
        rounding: Rounding::HalfEven,
        seller: SellerBlock {
            name: "Seller".into(),
            address: vec![],
            country: "DE".into(),
            tax_id: "DE123456789".into(),
            payment_lines: vec![],
        },
        customer: CustomerBlock {
            name: "acme".into(),
            holder: None,
            country: "DE".into(),
            tax_id: None,
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
        is_approved: true,
        is_prepaid: false,
    }
}
