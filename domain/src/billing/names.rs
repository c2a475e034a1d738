//! Names of billing's commands: stable, part of derived ids.

use super::{Command, account, credit_note, deck, invoice, plan, rating, seller, series, usage};

impl Command {
    /// The command's name, without its data.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Seller(_, seller::Command::Configure { .. }) => "configure_seller",
            Self::Account(_, command) => account_name(command),
            Self::Plan(_, command) => match command {
                plan::Command::Create { .. } => "create_plan",
                plan::Command::Configure { .. } => "configure_plan",
            },
            Self::Deck(_, command) => match command {
                deck::Command::Open { .. } => "open_deck",
                deck::Command::AddRows { .. } => "add_deck_rows",
                deck::Command::Publish => "publish_deck",
                deck::Command::Retire => "retire_deck",
            },
            Self::Rating(_, command) => match command {
                rating::Command::Start { .. } => "start_charging",
                rating::Command::Extend { .. } => "extend_charging",
                rating::Command::Exhaust { .. } => "exhaust_charging",
                rating::Command::Rate { .. } => "rate_call",
                rating::Command::Rerate { .. } => "rerate_call",
                rating::Command::Dismiss { .. } => "dismiss_unrated",
                rating::Command::Restore { .. } => "restore_price",
            },
            Self::Usage(_, command) => match command {
                usage::Command::Record { .. } => "record_usage",
                usage::Command::Count { .. } => "count_usage",
                usage::Command::Close { .. } => "close_usage_period",
                usage::Command::Reopen => "reopen_usage_period",
            },
            Self::Invoice(_, command) => invoice_name(command),
            Self::CreditNote(_, command) => match command {
                credit_note::Command::Draft { .. } => "draft_credit_note",
                credit_note::Command::Issue { .. } => "issue_credit_note",
            },
            Self::Series(_, series::Command::Issue { .. }) => "issue_number",
        }
    }
}

fn account_name(command: &account::Command) -> &'static str {
    match command {
        account::Command::Expecting { command, .. } => account_name(command),
        account::Command::Open { .. } => "open_account",
        account::Command::Configure { .. } => "configure_account",
        account::Command::SetCreditLimit { .. } => "set_credit_limit",
        account::Command::Subscribe { .. } => "subscribe_account",
        account::Command::ReserveCredit { .. } => "reserve_credit",
        account::Command::ReleaseCredit { .. } => "release_credit",
        account::Command::CommitUsage { .. } => "commit_usage",
        account::Command::ChargeUsage { .. } => "charge_usage",
        account::Command::WithdrawUsage { .. } => "withdraw_usage",
        account::Command::BeginInvoice { .. } => "begin_invoice",
        account::Command::DropInvoice { .. } => "drop_invoice",
        account::Command::PostInvoice { .. } => "post_invoice",
        account::Command::PostCreditNote { .. } => "post_credit_note",
        account::Command::WriteOff { .. } => "write_off_invoice",
        account::Command::WriteOffDebit { .. } => "write_off_debit",
        account::Command::ApplyPayment { .. } => "apply_payment",
        account::Command::ReversePayment { .. } => "reverse_payment",
        account::Command::RefundCredit { .. } => "refund_credit",
        account::Command::Suspend { .. } => "suspend_account",
        account::Command::Reactivate => "reactivate_account",
        account::Command::Close => "close_account",
    }
}

const fn invoice_name(command: &invoice::Command) -> &'static str {
    match command {
        invoice::Command::Draft { .. } => "draft_invoice",
        invoice::Command::AddAdjustment { .. } => "add_adjustment",
        invoice::Command::Discard { .. } => "discard_invoice",
        invoice::Command::Approve => "approve_invoice",
        invoice::Command::Issue { .. } => "issue_invoice",
        invoice::Command::RecordPayment { .. } => "record_payment",
        invoice::Command::ReversePayment { .. } => "reverse_invoice_payment",
        invoice::Command::MarkOverdue { .. } => "mark_overdue",
        invoice::Command::Credit { .. } => "credit_invoice",
        invoice::Command::WriteOff { .. } => "write_off",
        invoice::Command::RecordWriteOff { .. } => "record_write_off",
        invoice::Command::LowerWriteOff { .. } => "lower_write_off",
    }
}
