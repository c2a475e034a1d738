//! REGISTER and OPTIONS: what a phone does outside calls (RFC 3261 sections 10.2 and 11.1).

use std::time::Instant;

use super::call::Reply;
use super::client::Purpose;
use super::{ALLOW, Engine};
use crate::address::{param, split_list, uri_of};
use crate::error::Error;
use crate::message::{Message, Method};
use crate::phone::{OptionsOutcome, RegisterOutcome};

impl Engine {
    pub(super) fn register(
        &mut self,
        now: Instant,
        expires_s: u32,
        every: bool,
        reply: Reply<RegisterOutcome>,
    ) {
        self.cseq += 1;
        let (user, domain) = (self.options.user.clone(), self.options.domain.clone());
        let address = self.own_address(&user);
        let contact = if every {
            "*".to_owned()
        } else {
            format!("<{}>;expires={expires_s}", self.contact_uri())
        };
        let mut request = Message::request(Method::Register, format!("sip:{domain}"))
            .with("Max-Forwards", "70")
            .with("From", format!("{address};tag={}", self.names.name()))
            .with("To", address)
            .with("Call-ID", self.register_call_id.clone())
            .with("CSeq", format!("{} REGISTER", self.cseq))
            .with("Contact", contact)
            .with("Expires", expires_s.to_string())
            .with("Allow", ALLOW);
        // The nonce of the last challenge goes on being used, with its count (RFC 7616 3.4).
        if let (Some(mut session), Some(password)) =
            (self.register_digest.take(), self.options.password.clone())
        {
            let credentials = self.credentials(&mut session, &password, &request);
            request.set(session.header_name(), credentials);
            self.register_digest = Some(session);
        }
        self.start_client(
            now,
            request,
            self.options.server,
            Purpose::Register { reply },
        );
    }

    pub(super) fn registered(
        &mut self,
        challenges: u32,
        status: u16,
        response: &Message,
        reply: Reply<RegisterOutcome>,
    ) {
        let result = if status < 300 {
            let own = self.contact_uri();
            let contacts = response
                .headers_named("Contact")
                .flat_map(split_list)
                .map(str::to_owned)
                .collect::<Vec<_>>();
            let ours = contacts.iter().find(|contact| uri_of(contact) == own);
            let granted = ours
                .and_then(|contact| param(contact, "expires"))
                .or_else(|| response.header("Expires"));
            let expires_s = granted.and_then(|text| text.parse().ok());
            let algorithm = self
                .register_digest
                .as_ref()
                .map(|session| session.algorithm());
            Ok(RegisterOutcome {
                status,
                expires_s,
                contacts,
                challenges,
                algorithm,
            })
        } else {
            // Credentials that were refused are not worth offering again.
            self.register_digest = None;
            Err(Error::Rejected {
                status,
                reason: response.reason().to_owned(),
            })
        };
        let _ = reply.send(result); // nobody waits any more: nothing to tell
    }

    pub(super) fn options_ping(
        &mut self,
        now: Instant,
        target: &str,
        reply: Reply<OptionsOutcome>,
    ) {
        self.cseq += 1;
        let uri = self.target_uri(target);
        let from = format!(
            "{};tag={}",
            self.own_address(&self.options.user),
            self.names.name()
        );
        let request = Message::request(Method::Options, uri.clone())
            .with("Max-Forwards", "70")
            .with("From", from)
            .with("To", format!("<{uri}>"))
            .with("Call-ID", self.names.name())
            .with("CSeq", format!("{} OPTIONS", self.cseq))
            .with("Contact", format!("<{}>", self.contact_uri()))
            .with("Accept", "application/sdp");
        self.start_client(
            now,
            request,
            self.options.server,
            Purpose::Options { reply },
        );
    }

    pub(super) fn options_answered(
        &mut self,
        status: u16,
        response: Message,
        reply: Reply<OptionsOutcome>,
    ) {
        let allow = response
            .headers_named("Allow")
            .flat_map(split_list)
            .map(str::to_owned)
            .collect();
        let _ = reply.send(Ok(OptionsOutcome {
            status,
            allow,
            response,
        })); // nobody waits any more: nothing to tell
    }
}
