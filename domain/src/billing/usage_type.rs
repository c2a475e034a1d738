//! What can be used, and in which units it is counted.

use super::tariff::Tariff;
use serde::{Deserialize, Serialize};

/// A kind of usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageType {
    /// A call to a number of the account.
    InboundMinutes,
    /// A call out, within the account's country.
    OutboundMinutes,
    /// A call between phones of the installation.
    InternalMinutes,
    /// A call to a number of the account whose owner pays for the caller.
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

impl UsageType {
    /// All of them, in the order of an invoice.
    pub const ALL: [Self; 11] = [
        Self::InboundMinutes,
        Self::OutboundMinutes,
        Self::InternalMinutes,
        Self::TollFreeMinutes,
        Self::InternationalMinutes,
        Self::SmsOutbound,
        Self::SmsInbound,
        Self::StorageGb,
        Self::Recording,
        Self::Conference,
        Self::Custom,
    ];

    /// How many counted units are one unit of price: seconds in a minute,
    /// megabytes in a gigabyte.
    pub const fn per_unit(self) -> u32 {
        match self {
            Self::InboundMinutes
            | Self::OutboundMinutes
            | Self::InternalMinutes
            | Self::TollFreeMinutes
            | Self::InternationalMinutes
            | Self::Recording
            | Self::Conference => 60,
            Self::StorageGb => 1_000,
            Self::SmsOutbound | Self::SmsInbound | Self::Custom => 1,
        }
    }

    /// Calls make it by themselves; everything else is counted by somebody else
    /// and recorded by them.
    pub const fn is_of_calls(self) -> bool {
        match self {
            Self::InboundMinutes
            | Self::OutboundMinutes
            | Self::TollFreeMinutes
            | Self::InternationalMinutes => true,
            Self::InternalMinutes
            | Self::SmsOutbound
            | Self::SmsInbound
            | Self::StorageGb
            | Self::Recording
            | Self::Conference
            | Self::Custom => false,
        }
    }

    /// It is counted in seconds.
    pub const fn is_time(self) -> bool {
        self.per_unit() == 60
    }

    /// Units that are charged for so many that were counted: time by the increments,
    /// anything else as it was counted.
    pub const fn units(self, counted: u64, tariff: &Tariff) -> u64 {
        if self.is_time() {
            tariff.charged_s(counted)
        } else {
            counted
        }
    }

    /// What one unit of price is called on an invoice.
    pub const fn unit_name(self) -> &'static str {
        match self {
            Self::InboundMinutes
            | Self::OutboundMinutes
            | Self::InternalMinutes
            | Self::TollFreeMinutes
            | Self::InternationalMinutes
            | Self::Recording
            | Self::Conference => "min",
            Self::StorageGb => "GB",
            Self::SmsOutbound | Self::SmsInbound => "message",
            Self::Custom => "unit",
        }
    }

    /// As a line of an invoice says it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::InboundMinutes => "Inbound calls",
            Self::OutboundMinutes => "Outbound calls",
            Self::InternalMinutes => "Internal calls",
            Self::TollFreeMinutes => "Toll-free calls",
            Self::InternationalMinutes => "International calls",
            Self::SmsOutbound => "Messages sent",
            Self::SmsInbound => "Messages received",
            Self::StorageGb => "Storage",
            Self::Recording => "Recording",
            Self::Conference => "Conferences",
            Self::Custom => "Other usage",
        }
    }
}
