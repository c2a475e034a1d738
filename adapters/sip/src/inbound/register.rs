//! REGISTER (RFC 3261, 10.3): an agent's phone says where it can be reached.

use crate::{
    address::{NameAddr, Uri},
    message::Request,
    registrar::{self, Contacts, EXPIRES_DEFAULT_S, EXPIRES_MIN_S, Registration},
    stack::Reply,
    transport::Flow,
};

/// A REGISTER, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register<'a> {
    /// User part of the address of record.
    pub user: String,
    /// What is asked for it.
    pub registration: Registration<'a>,
}

/// Reads a REGISTER.
///
/// # Errors
/// The response to one that can not be read.
pub fn translate(request: &Request, flow: Flow, now_ms: u64) -> Result<Register<'_>, Reply> {
    let user = address_of_record(request).ok_or_else(|| Reply::new(404))?;
    let contacts: Contacts =
        registrar::parse_contacts(request.headers.all("Contact")).map_err(refused)?;
    let expires_s = request.headers.get("Expires").map(|value| {
        // A malformed value counts as the default (RFC 3261, 20.19).
        value.trim().parse().unwrap_or(EXPIRES_DEFAULT_S)
    });
    Ok(Register {
        user,
        registration: Registration {
            contacts,
            expires_s,
            call_id: request.headers.get("Call-ID").unwrap_or_default(),
            cseq: request.cseq().unwrap_or(0),
            source: flow.peer,
            transport: flow.transport,
            now_ms,
        },
    })
}

/// The user part of To: whose phone it is.
pub fn address_of_record(request: &Request) -> Option<String> {
    let to = NameAddr::parse(request.headers.get("To")?)?;
    Uri::parse(&to.uri)?.user
}

/// The response to a REGISTER that is refused.
pub fn refused(error: registrar::Error) -> Reply {
    let reply = Reply::new(error.status());
    match error {
        registrar::Error::TooBrief => reply.with("Min-Expires", EXPIRES_MIN_S.to_string()),
        registrar::Error::OutOfOrder => reply.with("Retry-After", "1"),
        registrar::Error::BadContact | registrar::Error::TooManyContacts => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        message::{Headers, Method},
        transport::Transport,
    };

    #[test]
    fn whose_phone_it_is_and_how_long_is_read_from_its_headers() {
        let mut headers = Headers::default();
        for (name, value) in [
            ("To", "<sip:anna@us>"),
            ("Call-ID", "r1"),
            ("CSeq", "5 REGISTER"),
            ("Expires", "never"),
            ("Contact", "<sip:anna@192.0.2.1:5070>"),
        ] {
            headers.push(name, value);
        }
        let request = Request {
            method: Method::Register,
            uri: "sip:us".into(),
            headers,
            body: Vec::new(),
        };
        let flow = Flow {
            transport: Transport::Udp,
            peer: "192.0.2.1:5070".parse().unwrap(),
        };
        let read = translate(&request, flow, 7).unwrap();
        assert_eq!(read.user, "anna");
        assert_eq!(read.registration.expires_s, Some(EXPIRES_DEFAULT_S));
        assert_eq!((read.registration.cseq, read.registration.now_ms), (5, 7));
        assert_eq!(
            refused(registrar::Error::TooBrief)
                .headers
                .get("Min-Expires"),
            Some("60")
        );
    }
}
