//! Words of billing.

use async_graphql::Enum;

/// How an account stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountStatus {
    /// It may place calls.
    Active,
    /// It may not.
    Suspended,
    /// It never may again.
    Closed,
}

/// How the price of a call stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::billing::charges::Standing")]
pub(crate) enum ChargeState {
    /// It costs something.
    Rated,
    /// It costs nothing: nobody answered, it was shorter than the grace time, it was for
    /// help, or its price is zero.
    Free,
    /// It has no price: a person must look.
    Unrated,
    /// It has no price, and whoever has looked wants none: `dismissUnratedCalls`.
    Dismissed,
}

/// When an account pays.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::billing::account::PaymentMode")]
pub(crate) enum PaymentMode {
    /// Before: calls need credit.
    Prepaid,
    /// After, by invoice.
    Postpaid,
}

/// How a payment came.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::billing::account::PaymentMethod")]
pub(crate) enum PaymentMethod {
    /// By credit card.
    CreditCard,
    /// By bank transfer.
    BankTransfer,
    /// By PayPal.
    PayPal,
    /// Any other way.
    Other,
}

/// A kind of usage.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::billing::UsageType", name = "UsageType")]
pub(crate) enum UsageKind {
    /// A call to a number of the account.
    InboundMinutes,
    /// A call out, within the account's country.
    OutboundMinutes,
    /// A call between phones of the installation.
    InternalMinutes,
    /// A call to a number whose owner pays for the caller.
    TollFreeMinutes,
    /// A call out, to another country.
    InternationalMinutes,
    /// A text message sent.
    SmsOutbound,
    /// A text message received.
    SmsInbound,
    /// Storage.
    StorageGb,
    /// Recording.
    Recording,
    /// A place in a conference.
    Conference,
    /// Anything else.
    Custom,
}

/// How an invoice stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(
    remote = "projections::billing::invoices::Standing",
    name = "InvoiceStatus"
)]
pub(crate) enum InvoiceStanding {
    /// Can be changed.
    Draft,
    /// Was wrong, and is nobody's debt: its month can be invoiced anew.
    Discarded,
    /// Is to get its number.
    Approved,
    /// Issued, nothing paid.
    Issued,
    /// Issued, something paid.
    PartiallyPaid,
    /// Nothing is left to pay.
    Paid,
    /// Not paid in time.
    Overdue,
    /// Taken back in whole.
    CreditedFully,
    /// Will not be paid.
    WrittenOff,
}

/// How amounts are rounded.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::money::Rounding", name = "Rounding")]
pub(crate) enum RoundingKind {
    /// To the nearer; a half to the even neighbour.
    HalfEven,
    /// To the nearer; a half away from zero.
    HalfUp,
    /// Away from zero.
    Up,
}

/// How often a fee falls due.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::calendar::Cycle", name = "BillingCycle")]
pub(crate) enum CycleKind {
    /// Every month.
    Monthly,
    /// Every three months.
    Quarterly,
    /// Every year.
    Yearly,
    /// Never: only usage is paid.
    PayAsYouGo,
}

/// A tax treatment.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::billing::tax::TaxCategory", name = "TaxCategory")]
pub(crate) enum TaxKind {
    /// The standard rate of the country.
    Standard,
    /// A reduced rate.
    Reduced,
    /// The zero rate.
    Zero,
    /// The buyer owes the tax.
    ReverseCharge,
    /// Not within the scope of the seller's tax.
    OutOfScope,
}
