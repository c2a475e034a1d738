//! Orders about accounts and what they pay.

use super::{BillingPayload, invalid, read, tell};
use crate::{
    auth::Scope,
    error::Fault,
    mutation::{Order, UserError, refusal::Refusal},
    query::{Needs, ids, uuid, views},
    scalar::Amount,
    types::words::PaymentMode,
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use commands::bookkeeping::Bookkeeping;
use domain::{
    any::AnyCommand,
    billing::{
        Command,
        account::{self, Owned, OwnedNumber, Profile, SuspendReason},
    },
    calendar::Zone,
    id::{AccountId, AgentId, PlanId, QueueId, TrunkId},
    money::Currency,
    sealed::{Contact, Party},
};

#[derive(Default)]
pub(crate) struct AccountMutations;

/// A number that an account owns.
#[derive(InputObject)]
pub(crate) struct OwnedNumberInput {
    /// As callers dial it.
    number: String,
    /// The account pays for the caller.
    #[graphql(default)]
    toll_free: bool,
}

/// Whom to write to about invoices.
#[derive(InputObject)]
pub(crate) struct ContactInput {
    /// Name.
    name: String,
    /// E-mail address.
    email: Option<String>,
    /// Postal address, line by line.
    address: Option<Vec<String>>,
}

/// What can change of an account.
#[derive(InputObject)]
pub(crate) struct AccountProfileInput {
    /// ISO 3166 code; decides on taxes.
    country: String,
    /// Country code of its numbers: calls elsewhere are international.
    calling_code: String,
    /// Of the form of its country.
    tax_id: Option<String>,
    /// Name and postal address, line by line; kept sealed.
    holder: Option<Vec<String>>,
    /// Whom to write to about invoices; kept sealed, and erased with the holder.
    billing_contact: Option<ContactInput>,
    /// When it pays.
    payment_mode: PaymentMode,
    /// It is paid by itself.
    #[graphql(default)]
    auto_pay: bool,
    /// Numbers that it owns.
    numbers: Option<Vec<OwnedNumberInput>>,
    /// Queues whose calls it pays for.
    queue_ids: Option<Vec<ID>>,
    /// Agents whose calls it pays for.
    agent_ids: Option<Vec<ID>>,
    /// Trunks whose calls it pays for.
    trunk_ids: Option<Vec<ID>>,
}

/// An account to be made.
#[derive(InputObject)]
pub(crate) struct CreateAccountInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// 1 to 64 letters, digits, `.`, `-`, `_`.
    name: String,
    /// Code of ISO 4217, or one's own with an exponent: `PTS/0`.
    currency: String,
    /// IANA name; decides where months begin.
    time_zone: String,
    /// Everything else.
    #[graphql(flatten)]
    profile: AccountProfileInput,
}

/// An account as it is to be from now on: what is not given is none any more.
#[derive(InputObject)]
pub(crate) struct ConfigureAccountInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which account.
    account_id: ID,
    /// Everything but its name, currency and time zone, which stay.
    #[graphql(flatten)]
    profile: AccountProfileInput,
    /// Only if its profile is at this `revision` still: else nothing is done.
    expected_revision: Option<i32>,
}

/// How far an account may go below nothing.
#[derive(InputObject)]
pub(crate) struct SetCreditLimitInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which account.
    account_id: ID,
    /// New limit; null for no limit.
    limit: Option<Amount>,
    /// Only if its ledger is at this `ledgerRevision` still: else nothing is done.
    expected_ledger_revision: Option<i32>,
}

/// A plan for an account.
#[derive(InputObject)]
pub(crate) struct SubscribeAccountInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which account.
    account_id: ID,
    /// Which plan.
    plan_id: ID,
    /// First day, `YYYY-MM-DD`.
    effective: String,
    /// Only if its ledger is at this `ledgerRevision` still: else nothing is done.
    expected_ledger_revision: Option<i32>,
}

/// An account that is to place no calls.
#[derive(InputObject)]
pub(crate) struct SuspendAccountInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which account.
    account_id: ID,
    /// Only if its ledger is at this `ledgerRevision` still: else nothing is done.
    expected_ledger_revision: Option<i32>,
}

/// An account that may place calls again.
#[derive(InputObject)]
pub(crate) struct ReactivateAccountInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which account.
    account_id: ID,
    /// Only if its ledger is at this `ledgerRevision` still: else nothing is done.
    expected_ledger_revision: Option<i32>,
}

/// An account that is over.
#[derive(InputObject)]
pub(crate) struct CloseAccountInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// Which account.
    account_id: ID,
    /// Only if its ledger is at this `ledgerRevision` still: else nothing is done.
    expected_ledger_revision: Option<i32>,
}

/// Characters of a line of a contact at most.
const LINE_MAX: usize = 200;
/// Lines of a postal address at most.
const LINES_MAX: usize = 10;

/// What is sealed is not seen by the rules: its form is checked here.
fn contact(input: &ContactInput) -> Result<Contact, UserError> {
    let is_line = |text: &str| {
        let is_short = text.chars().count() <= LINE_MAX;
        !text.trim().is_empty() && is_short && !text.contains(char::is_control)
    };
    let line = "is empty, longer than 200 characters or has control characters";
    if !is_line(&input.name) {
        return Err(invalid("billingContact.name", line));
    }
    if let Some(email) = &input.email {
        let is_address = email.split_once('@').is_some_and(|(user, host)| {
            let is_part = |part: &str| !part.is_empty() && !part.contains(['@', ' ', '<', '>']);
            is_part(user) && is_part(host) && host.contains('.')
        });
        if !is_line(email) || !is_address {
            return Err(invalid("billingContact.email", "is no e-mail address"));
        }
    }
    let address = input.address.clone().unwrap_or_default();
    if address.len() > LINES_MAX || !address.iter().all(|text| is_line(text)) {
        let reason = format!("has more than {LINES_MAX} lines, or one that {line}");
        return Err(invalid("billingContact.address", &reason));
    }
    Ok(Contact {
        name: input.name.clone(),
        email: input.email.clone(),
        address,
    })
}

async fn profile(
    order: &Order<'_>,
    name: &str,
    (currency, zone): (Currency, Zone),
    input: AccountProfileInput,
) -> Result<Result<Profile, UserError>, Fault> {
    let contact = match input.billing_contact.as_ref().map(contact).transpose() {
        Ok(contact) => contact,
        Err(error) => return Ok(Err(error)),
    };
    let numbers = input.numbers.into_iter().flatten();
    let owned = Owned {
        numbers: numbers
            .map(|owned| OwnedNumber {
                number: owned.number,
                is_toll_free: owned.toll_free,
            })
            .collect(),
        queues: ids::<QueueId>(input.queue_ids, "queueIds")?,
        agents: ids::<AgentId>(input.agent_ids, "agentIds")?,
        trunks: ids::<TrunkId>(input.trunk_ids, "trunkIds")?,
    };
    let lines = input.holder.filter(|lines| !lines.is_empty());
    let holder = if lines.is_some() || contact.is_some() {
        let party = Party {
            user: format!("account:{name}"),
            host: None,
            display_name: lines.map(|lines| lines.join("\n")),
            contact,
            user_field: None,
        };
        let sealed = order.services.vault.seal(&party).await;
        Some(sealed.map_err(|error| Fault::vault(&error))?)
    } else {
        None
    };
    Ok(Ok(Profile {
        currency,
        zone,
        country: input.country,
        calling_code: input.calling_code,
        tax_id: input.tax_id,
        holder,
        payment_mode: input.payment_mode.into(),
        is_auto_pay: input.auto_pay,
        owned,
    }))
}

/// The books, with all that was acknowledged at this node.
async fn up_to_date<'a>(order: &Order<'a>) -> &'a Bookkeeping {
    let invoicing = &order.services.invoicing;
    invoicing.books.wait_for(invoicing.feed.head()).await;
    &invoicing.books
}

/// Gives an account that profile, if nothing in it is another's. Of two orders at once that
/// want the same thing, on two nodes, both may be carried out: then the first account by id
/// pays, and each later order about either tells it.
async fn give(
    order: &Order<'_>,
    account: AccountId,
    profile: Profile,
    command: impl FnOnce(Profile) -> account::Command,
) -> Result<BillingPayload> {
    let _one_at_a_time = order.services.owning.lock().await;
    let taken = up_to_date(order)
        .await
        .read(|books| books.owned_by_another(account, &profile));
    let command = Command::Account(account, command(profile));
    let outcome = match taken {
        None => tell(order, command, account.0).await?,
        Some((field, what, owner)) => {
            let mut error = Refusal::OwnedByAnother.about(field);
            error.message = format!("{field}: {what} belongs to the account {owner}");
            let command = AnyCommand::Billing(Box::new(command));
            order.refuse(command, vec![error]).await?
        }
    };
    Ok(BillingPayload::new(account, outcome).of_account(account))
}

/// The order of somebody who has seen the ledger at that revision, where one is given.
pub(super) fn expecting(command: account::Command, revision: Option<i32>) -> account::Command {
    match revision {
        None => command,
        // A negative one is no revision of anything.
        Some(revision) => account::Command::Expecting {
            ledger: u32::try_from(revision).unwrap_or(u32::MAX),
            command: Box::new(command),
        },
    }
}

/// Carries out an order about the money of an account.
pub(super) async fn ask(
    ctx: &Context<'_>,
    command_id: &ID,
    (account_id, ledger): (&ID, Option<i32>),
    command: account::Command,
) -> Result<BillingPayload> {
    let order = Order::new(ctx, command_id)?;
    let account = AccountId(uuid(account_id, "an account", "accountId")?);
    let command = expecting(command, ledger);
    let outcome = tell(&order, Command::Account(account, command), account.0).await?;
    Ok(BillingPayload::new(account, outcome).of_account(account))
}

/// What speaks against giving an account that plan: there is none, or it is in another
/// currency, and could never price a call.
async fn unfit(order: &Order<'_>, account: AccountId, plan: PlanId) -> Option<UserError> {
    let now = order.services.clock.now();
    let (ours, theirs) = up_to_date(order).await.read(|books| {
        let profile = books
            .account(account)
            .and_then(|known| known.profile.as_ref());
        let plan = books.plan(plan, now);
        (
            profile.map(|profile| profile.currency),
            plan.map(|plan| plan.config.currency),
        )
    });
    let reason = match (ours?, theirs) {
        (_, None) => "is of no plan".into(),
        (ours, Some(theirs)) if ours != theirs => {
            format!("is a plan in {theirs}, and the account is in {ours}")
        }
        (_, Some(_)) => return None,
    };
    Some(invalid("planId", &reason))
}

#[Object]
impl AccountMutations {
    /// Makes an account.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn create_account(
        &self,
        ctx: &Context<'_>,
        input: CreateAccountInput,
    ) -> Result<BillingPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let known = || -> Result<_, UserError> {
            let currency = read(&input.currency, "currency")?;
            Ok((currency, read(&input.time_zone, "timeZone")?))
        };
        let known = match known() {
            Ok(known) => known,
            Err(error) => return Ok(error.into()),
        };
        let name = input.name;
        let profile = match profile(&order, &name, known, input.profile).await? {
            Ok(profile) => profile,
            Err(error) => return Ok(error.into()),
        };
        let account = AccountId::named(order.identity.tenant, &name);
        give(&order, account, profile, |profile| account::Command::Open {
            name,
            profile,
        })
        .await
    }

    /// Gives an account another profile; its name, currency and time zone stay.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn configure_account(
        &self,
        ctx: &Context<'_>,
        input: ConfigureAccountInput,
    ) -> Result<BillingPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let account = AccountId(uuid(&input.account_id, "an account", "accountId")?);
        let row = views(ctx)?.account(account).await.map_err(Fault::from)?;
        let Some((name, Some(old))) = row.map(|row| (row.name, row.state.profile)) else {
            return Ok(invalid("accountId", "is of no account").into());
        };
        let (known, expected) = ((old.currency, old.zone), input.expected_revision);
        let profile = match profile(&order, &name, known, input.profile).await? {
            Ok(profile) => profile,
            Err(error) => return Ok(error.into()),
        };
        give(&order, account, profile, |profile| {
            account::Command::Configure {
                name,
                profile,
                // A negative one is no revision of anything.
                expected: expected.map(|revision| u32::try_from(revision).unwrap_or(u32::MAX)),
            }
        })
        .await
    }

    /// Sets how far an account may go below nothing.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn set_credit_limit(
        &self,
        ctx: &Context<'_>,
        input: SetCreditLimitInput,
    ) -> Result<BillingPayload> {
        let limit = input.limit.map(|limit| limit.0);
        let command = account::Command::SetCreditLimit { limit };
        let of = (&input.account_id, input.expected_ledger_revision);
        ask(ctx, &input.command_id, of, command).await
    }

    /// Gives an account a plan from a day on.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn subscribe_account(
        &self,
        ctx: &Context<'_>,
        input: SubscribeAccountInput,
    ) -> Result<BillingPayload> {
        let plan = PlanId(uuid(&input.plan_id, "a plan", "planId")?);
        let Ok(effective) = input.effective.parse() else {
            return Ok(invalid("effective", "is no day: it is YYYY-MM-DD").into());
        };
        let order = Order::new(ctx, &input.command_id)?;
        let account = AccountId(uuid(&input.account_id, "an account", "accountId")?);
        let command = account::Command::Subscribe { plan, effective };
        let command = expecting(command, input.expected_ledger_revision);
        let command = Command::Account(account, command);
        let outcome = match unfit(&order, account, plan).await {
            None => tell(&order, command, account.0).await?,
            Some(error) => {
                let command = AnyCommand::Billing(Box::new(command));
                order.refuse(command, vec![error]).await?
            }
        };
        Ok(BillingPayload::new(account, outcome).of_account(account))
    }

    /// Lets an account place no calls any more.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn suspend_account(
        &self,
        ctx: &Context<'_>,
        input: SuspendAccountInput,
    ) -> Result<BillingPayload> {
        let reason = SuspendReason::Operator;
        let command = account::Command::Suspend { reason };
        let of = (&input.account_id, input.expected_ledger_revision);
        ask(ctx, &input.command_id, of, command).await
    }

    /// Lets a suspended account place calls again.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn reactivate_account(
        &self,
        ctx: &Context<'_>,
        input: ReactivateAccountInput,
    ) -> Result<BillingPayload> {
        let command = account::Command::Reactivate;
        let of = (&input.account_id, input.expected_ledger_revision);
        ask(ctx, &input.command_id, of, command).await
    }

    /// Closes an account; only at zero.
    #[graphql(guard = "Needs(Scope::BillingManage)")]
    async fn close_account(
        &self,
        ctx: &Context<'_>,
        input: CloseAccountInput,
    ) -> Result<BillingPayload> {
        let command = account::Command::Close;
        let of = (&input.account_id, input.expected_ledger_revision);
        ask(ctx, &input.command_id, of, command).await
    }
}
