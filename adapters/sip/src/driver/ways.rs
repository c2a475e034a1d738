//! Which trunks serve a number, where they are, and the INVITE to one.

use crate::{
    address::{NameAddr, Uri, escape_user},
    dialog::NewInvite,
    legs::Way,
    message::Request,
};
use commands::directory::TrunkEntry;
use domain::trunk::Identity;
use std::{cmp::Reverse, net::SocketAddr, sync::Arc, time::Duration};

/// How long a name server is waited for before the next trunk is tried.
const RESOLVE: Duration = Duration::from_secs(3);

/// The trunks that serve a number, the best last: by the longest prefix, then by
/// priority, then by id, so that the order is the same everywhere.
pub(super) fn ways(trunks: &[Arc<TrunkEntry>], number: &str) -> Vec<Way> {
    let mut found: Vec<_> = trunks
        .iter()
        .filter_map(|trunk| {
            let host = trunk.config.host.clone()?;
            let length = trunk.config.outbound.serves(number)?;
            let order = (Reverse(length), trunk.config.outbound.priority, trunk.id);
            let way = Way {
                trunk: trunk.id,
                host,
                user: trunk.config.user.clone(),
                outbound: trunk.config.outbound.clone(),
            };
            Some((order, way))
        })
        .collect();
    found.sort_by_key(|(order, _)| Reverse(*order));
    found.into_iter().map(|(_, way)| way).collect()
}

/// Where a trunk is: an address, or a name that is looked up, with its port.
pub(super) async fn resolve(host: &str) -> Option<SocketAddr> {
    let uri = Uri::parse(&format!("sip:{host}"))?;
    if let Some(peer) = uri.socket() {
        return Some(peer);
    }
    let port = uri.port.unwrap_or(crate::address::DEFAULT_PORT);
    let found = tokio::net::lookup_host((uri.host.as_str(), port));
    let mut found = tokio::time::timeout(RESOLVE, found).await.ok()?.ok()?;
    found.next()
}

/// The INVITE to a trunk; `complete` adds what makes it unique.
pub(super) fn invite(
    way: &Way,
    number: &str,
    caller: &str,
    our_host: &str,
    complete: impl FnOnce(NewInvite) -> NewInvite,
) -> Request {
    let dialled = escape_user(&way.outbound.dialled(number));
    let shown = way.outbound.number.as_ref().or(way.user.as_ref());
    let account = shown.map(|shown| format!("<sip:{}@{}>", escape_user(shown), way.host));
    let known = is_known(caller).then_some(caller);
    let (from, asserted) = match (way.outbound.identity, &account) {
        (Identity::Account, Some(account)) => (account.as_str(), known),
        (Identity::Caller, account) => (caller, account.as_deref()),
        (Identity::Account, None) => (caller, None),
    };
    let target = format!("sip:{dialled}@{}", way.host);
    let new = NewInvite {
        to: format!("<{target}>"),
        target,
        from: from.to_owned(),
        call_id: String::new(),
        local_tag: String::new(),
        contact: format!("sip:{our_host}"),
        route: None,
        sdp: Vec::new(),
    };
    let mut request = complete(new).build();
    if let Some(asserted) = asserted {
        request.headers.push("P-Asserted-Identity", asserted);
    }
    request
}

/// Whether there is a caller to be asserted (RFC 3325).
fn is_known(caller: &str) -> bool {
    NameAddr::parse(caller)
        .and_then(|caller| Uri::parse(&caller.uri)?.user)
        .is_some_and(|user| user != "anonymous")
}

/// Gives a header another value.
pub(super) fn set(request: &mut Request, name: &str, value: String) {
    for (have, old) in &mut request.headers.0 {
        if have.eq_ignore_ascii_case(name) {
            *old = value;
            return;
        }
    }
    request.headers.push(name, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        id::TrunkId,
        trunk::{Config, Outbound},
    };
    use uuid::Uuid;

    fn trunk(number: u128, prefixes: &[&str], priority: u32) -> Arc<TrunkEntry> {
        Arc::new(TrunkEntry {
            id: TrunkId(Uuid::from_u128(number)),
            name: format!("trunk{number}"),
            config: Config {
                allow: vec![],
                host: Some("192.0.2.1:5070".into()),
                user: Some("account".into()),
                outbound: Outbound {
                    prefixes: prefixes.iter().map(|p| (*p).to_owned()).collect(),
                    priority,
                    ..Outbound::default()
                },
                forwards: vec![],
            },
        })
    }

    #[test]
    fn the_longest_prefix_then_the_lowest_priority_goes_first() {
        let mut inbound_only = trunk(9, &[], 0);
        Arc::make_mut(&mut inbound_only).config.host = None;
        let trunks = [
            trunk(1, &[], 0),
            trunk(2, &["+49"], 20),
            trunk(3, &["+4930"], 30),
            trunk(4, &["+49"], 10),
            trunk(5, &["+33"], 0),
            inbound_only,
        ];
        let order: Vec<u128> = ways(&trunks, "+49301")
            .into_iter()
            .rev()
            .map(|way| way.trunk.0.as_u128())
            .collect();
        assert_eq!(order, [3, 4, 2, 1]);
    }

    fn sent(change: impl FnOnce(&mut Way), caller: &str) -> Request {
        let mut way = ways(&[trunk(1, &[], 0)], "+4930").remove(0);
        change(&mut way);
        invite(&way, "+4930", caller, "us.example", |new| new)
    }

    #[test]
    fn a_call_goes_out_as_the_account_and_asserts_its_caller() {
        let caller = "\"Ann\" <sip:+4989@us.example>";
        let request = sent(
            |way| {
                way.outbound.strip_prefix = "+".into();
                way.outbound.add_prefix = "00".into();
            },
            caller,
        );
        assert_eq!(request.uri, "sip:004930@192.0.2.1:5070");
        let from = request.headers.get("From").unwrap();
        assert!(from.starts_with("<sip:account@192.0.2.1:5070>"), "{from}");
        assert_eq!(request.headers.get("P-Asserted-Identity"), Some(caller));
        let shown = sent(|way| way.outbound.number = Some("+49301".into()), caller);
        let from = shown.headers.get("From").unwrap();
        assert!(from.starts_with("<sip:+49301@"), "{from}");
    }

    #[test]
    fn a_call_goes_out_as_its_caller_where_the_trunk_wants_that() {
        let caller = "<sip:+4989@us.example>";
        let request = sent(|way| way.outbound.identity = Identity::Caller, caller);
        assert!(request.headers.get("From").unwrap().starts_with(caller));
        assert_eq!(
            request.headers.get("P-Asserted-Identity"),
            Some("<sip:account@192.0.2.1:5070>")
        );
        let anonymous = sent(|_| {}, "<sip:anonymous@us.example>");
        assert_eq!(anonymous.headers.get("P-Asserted-Identity"), None);
    }

    #[tokio::test]
    async fn a_host_is_an_address_or_a_name_with_or_without_a_port() {
        let found = resolve("127.0.0.1:5070").await.unwrap();
        assert_eq!(found.to_string(), "127.0.0.1:5070");
        let found = resolve("[::1]").await.unwrap();
        assert_eq!(found.to_string(), "[::1]:5060");
        let found = resolve("localhost:5071").await.unwrap();
        assert!(found.ip().is_loopback() && found.port() == 5071);
        assert_eq!(resolve("not a host").await, None);
    }
}
