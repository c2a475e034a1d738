//! Orders about trunks.

use super::{Order, Outcome, UserError, refusal::Refusal};
use crate::{
    auth::Scope,
    error::Fault,
    query::{Needs, views_at},
    scalar::Cursor,
    types::{Trunk, words::TrunkIdentity},
};
use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{
    any::AnyCommand,
    id::TrunkId,
    trunk::{Command, Config, Forward, Outbound},
};
use ipnet::IpNet;
use projections::changed::View;
use std::net::IpAddr;

/// Kind of the passwords for outbound calls in the credential store; the key
/// is the trunk's id.
const PASSWORD_KIND: &str = "trunk_password";

#[derive(Default)]
pub(crate) struct TrunkMutations;

/// A trunk to be made.
#[derive(InputObject)]
pub(crate) struct CreateTrunkInput {
    /// UUID: the same one again has one effect and hears the first answer.
    command_id: ID,
    /// 1 to 64 letters, digits, `.`, `-`, `_`.
    name: String,
    /// Networks that calls may come from, in CIDR form, or single addresses.
    allow: Vec<String>,
    /// Where outbound calls go.
    host: Option<String>,
    /// User name for outbound calls.
    user: Option<String>,
    /// Password for outbound calls; kept in the credential store.
    #[graphql(secret)]
    password: Option<String>,
    /// Starts of the numbers that go out here; empty for all.
    #[graphql(default)]
    prefixes: Vec<String>,
    /// Of several trunks that serve a number equally well, the lowest is tried first.
    #[graphql(default = 0)]
    priority: i32,
    /// Taken off the start of the number.
    #[graphql(default)]
    strip_prefix: String,
    /// Put before what is left.
    #[graphql(default)]
    add_prefix: String,
    /// Calls that go out at once on a node; 0 for no limit.
    #[graphql(default = 0)]
    channels_max: i32,
    /// As whom outbound calls are shown.
    #[graphql(default_with = "TrunkIdentity::Account")]
    identity: TrunkIdentity,
    /// The number that is shown for the account; without it, the user name.
    number: Option<String>,
    /// Numbers that are dialled here and lead outside again.
    #[graphql(default)]
    forwards: Vec<TrunkForwardInput>,
}

/// A number that leads outside.
#[derive(InputObject)]
pub(crate) struct TrunkForwardInput {
    /// As it is dialled here.
    number: String,
    /// Where it leads.
    to: String,
}

impl CreateTrunkInput {
    /// What goes out and how. A negative number is none.
    fn outbound(&self) -> Outbound {
        Outbound {
            prefixes: self.prefixes.clone(),
            priority: u32::try_from(self.priority).unwrap_or(0),
            strip_prefix: self.strip_prefix.clone(),
            add_prefix: self.add_prefix.clone(),
            channels_max: u32::try_from(self.channels_max).unwrap_or(0),
            identity: self.identity.into(),
            number: self.number.clone(),
        }
    }

    fn forwards(&self) -> Vec<Forward> {
        let forwards = self.forwards.iter();
        forwards
            .map(|forward| Forward {
                number: forward.number.clone(),
                to: forward.to.clone(),
            })
            .collect()
    }
}

/// What came of it.
pub(crate) struct CreateTrunkPayload {
    trunk: TrunkId,
    outcome: Outcome,
}

#[Object]
impl CreateTrunkPayload {
    /// The trunk, once the views know it.
    async fn trunk(&self, ctx: &Context<'_>) -> Result<Option<Trunk>> {
        if !self.outcome.is_done() {
            return Ok(None);
        }
        let views = views_at(ctx, &[View::Trunks], self.outcome.position).await?;
        let row = views.trunk(self.trunk).await;
        Ok(row.map_err(Fault::from)?.map(Trunk))
    }

    /// What a read must have reached to see it; null when nothing was done.
    async fn position(&self) -> Option<Cursor> {
        self.outcome.position
    }

    /// Why nothing was done; empty when it was.
    async fn user_errors(&self) -> &[UserError] {
        &self.outcome.user_errors
    }
}

/// A network as the record keeps it: CIDR form without host bits.
fn network(text: &str) -> Option<String> {
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let network = text.parse::<IpNet>().ok().or_else(single)?;
    Some(network.trunc().to_string())
}

#[Object]
impl TrunkMutations {
    /// Makes a trunk. As soon as there is one, calls come in only from the
    /// networks of trunks.
    #[graphql(guard = "Needs(Scope::SystemConfig)")]
    async fn create_trunk(
        &self,
        ctx: &Context<'_>,
        input: CreateTrunkInput,
    ) -> Result<CreateTrunkPayload> {
        let order = Order::new(ctx, &input.command_id)?;
        let trunk = TrunkId::named(order.identity.tenant, &input.name);
        let allow: Option<Vec<_>> = input.allow.iter().map(|text| network(text)).collect();
        let Some(allow) = allow else {
            let outcome = Outcome::refused(Refusal::InvalidNetwork.into());
            return Ok(CreateTrunkPayload { trunk, outcome });
        };
        let config = Config {
            allow,
            outbound: input.outbound(),
            forwards: input.forwards(),
            host: input.host,
            user: input.user,
        };
        let name = input.name;
        let command = AnyCommand::Trunk(trunk, Command::Create { name, config });
        let outcome = order.dispatch(command, trunk.0).await?;
        if let (true, Some(password)) = (outcome.is_done(), input.password) {
            let secrets = &order.services.secrets;
            let kept = secrets
                .put(PASSWORD_KIND, &trunk.to_string(), &password)
                .await;
            kept.map_err(Fault::from)?;
        }
        order.settle(&outcome).await;
        Ok(CreateTrunkPayload { trunk, outcome })
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn a_network_is_kept_in_cidr_form_without_host_bits() {
        for (text, kept) in [
            ("192.0.2.7/24", Some("192.0.2.0/24")),
            ("192.0.2.7", Some("192.0.2.7/32")),
            ("2001:db8::1", Some("2001:db8::1/128")),
            ("192.0.2.0/33", None),
            ("example.net", None),
            ("", None),
        ] {
            assert_eq!(network(text).as_deref(), kept, "{text}");
        }
    }
}
