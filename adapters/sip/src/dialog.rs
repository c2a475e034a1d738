//! Dialogs (RFC 3261, section 12): our side of one, as a value. Pure; the
//! crate below keeps none.

use crate::{
    address::{NameAddr, Uri},
    message::{DialogId, Headers, Method, Request, Response},
    transport::Flow,
};
use std::net::IpAddr;

/// Hops a request may take (RFC 3261, 8.1.1.6).
const MAX_FORWARDS: &str = "70";

/// One dialog: what is needed to send a request inside it and to accept one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    /// Its name.
    pub id: DialogId,
    /// Our From value, with our tag.
    local: String,
    /// Their To value, with their tag.
    remote: String,
    /// Where requests are addressed to: their Contact.
    target: String,
    /// Proxies that want to see every request, nearest first.
    routes: Vec<String>,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    /// Where their messages come from.
    seen: Flow,
    /// Our Contact URI.
    contact: String,
    /// Its way leads through another node, whatever address that has in its
    /// route.
    through_node: bool,
}

/// The request came after one with a higher CSeq: 500 (RFC 3261, 12.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfOrder;

impl Dialog {
    /// The dialog of an INVITE that we accept under that tag. `None` if the
    /// INVITE has no usable Contact.
    pub fn accepting(
        invite: &Request,
        seen: Flow,
        local_tag: &str,
        contact: String,
    ) -> Option<Self> {
        let headers = &invite.headers;
        let call_id = headers.get("Call-ID")?.to_owned();
        let remote = headers.get("From")?.to_owned();
        let remote_tag = crate::message::tag(&remote).unwrap_or("").to_owned();
        let target = contact_uri(headers)?;
        Some(Self {
            id: DialogId {
                call_id,
                local_tag: local_tag.to_owned(),
                remote_tag,
            },
            local: format!("{};tag={local_tag}", headers.get("To")?),
            remote,
            target,
            routes: headers.list("Record-Route"),
            local_cseq: 0,
            remote_cseq: invite.cseq(),
            seen,
            contact,
            through_node: false,
        })
    }

    /// The dialog that a 2xx to our INVITE makes; one without a Contact is
    /// reached where the INVITE was. `None` if it has no tag.
    pub fn established(
        invite: &Request,
        response: &Response,
        seen: Flow,
        contact: String,
    ) -> Option<Self> {
        let id = response.dialog()?;
        if id.remote_tag.is_empty() {
            return None;
        }
        let mut routes = response.headers.list("Record-Route");
        routes.reverse();
        Some(Self {
            id,
            local: invite.headers.get("From")?.to_owned(),
            remote: response.headers.get("To")?.to_owned(),
            target: contact_uri(&response.headers).unwrap_or_else(|| invite.uri.clone()),
            routes,
            local_cseq: invite.cseq()?,
            remote_cseq: None,
            seen,
            contact,
            // The only Route of ours in a first request.
            through_node: invite.headers.get("Route").is_some(),
        })
    }

    /// Takes note of a request received inside the dialog: its order, a new
    /// remote target (RFC 3261, 12.2.2), and where it came from now: a phone's
    /// connection or NAT binding may have changed in the meantime.
    ///
    /// # Errors
    /// When a later request was seen before it.
    pub fn accept(&mut self, request: &Request, from: Flow) -> Result<(), OutOfOrder> {
        let number = request.cseq().unwrap_or(0);
        if self.remote_cseq.is_some_and(|last| number < last) {
            return Err(OutOfOrder);
        }
        self.remote_cseq = Some(number);
        self.seen = from;
        if request.method == Method::Invite
            && let Some(target) = contact_uri(&request.headers)
        {
            self.target = target;
        }
        Ok(())
    }

    /// Goes on counting our requests where that one is, which was this dialog before the
    /// answer (RFC 3261, 12.2.1.1).
    pub fn continues(&mut self, early: &Self) {
        self.local_cseq = self.local_cseq.max(early.local_cseq);
    }

    /// Where their messages come from.
    pub const fn seen(&self) -> Flow {
        self.seen
    }

    /// Takes note that their messages come from elsewhere now. The way through
    /// another node is in the route and stays as it is.
    pub const fn moved(&mut self, seen: Flow) {
        if !self.through_node {
            self.seen = seen;
        }
    }

    /// The next request inside the dialog, without a Via.
    pub fn request(&mut self, method: Method) -> Request {
        self.local_cseq += 1;
        self.build(method, self.local_cseq)
    }

    /// The ACK of a 2xx to the INVITE with that number (RFC 3261, 13.2.2.4).
    pub fn ack(&self, invite_cseq: u32) -> Request {
        self.build(Method::Ack, invite_cseq)
    }

    /// Our Contact URI in this dialog.
    pub fn contact(&self) -> &str {
        &self.contact
    }

    /// Where requests go: the first proxy of the route, else the remote
    /// target; but back where their messages come from when that address can
    /// not be reached from here (a phone behind NAT writes its inner one).
    pub fn next_hop(&self) -> Flow {
        if self.through_node {
            return self.seen;
        }
        let first = self.routes.first();
        let uri = match first.and_then(|route| NameAddr::parse(route)) {
            Some(route) => route.uri,
            None => self.target.clone(),
        };
        next_hop(&uri, self.seen)
    }

    fn build(&self, method: Method, cseq: u32) -> Request {
        let mut headers = Headers::default();
        for route in &self.routes {
            headers.push("Route", route.as_str());
        }
        headers.push("Max-Forwards", MAX_FORWARDS);
        headers.push("From", self.local.as_str());
        headers.push("To", self.remote.as_str());
        headers.push("Call-ID", self.id.call_id.as_str());
        headers.push("CSeq", format!("{cseq} {method}"));
        if method == Method::Invite {
            headers.push("Contact", format!("<{}>", self.contact));
            headers.push("Allow", crate::message::allow());
        }
        Request {
            method,
            uri: self.target.clone(),
            headers,
            body: Vec::new(),
        }
    }
}

/// Who and where an INVITE of ours goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvite {
    /// The Request-URI.
    pub target: String,
    /// From value without a tag.
    pub from: String,
    /// To value.
    pub to: String,
    /// A new Call-ID.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// Our Contact URI.
    pub contact: String,
    /// The way through another node; none on the direct way.
    pub route: Option<String>,
    /// The session description that we offer.
    pub sdp: Vec<u8>,
}

impl NewInvite {
    /// The request, without a Via.
    pub fn build(self) -> Request {
        let mut headers = Headers::default();
        if let Some(route) = self.route {
            headers.push("Route", route);
        }
        headers.push("Max-Forwards", MAX_FORWARDS);
        headers.push("From", format!("{};tag={}", self.from, self.local_tag));
        headers.push("To", self.to);
        headers.push("Call-ID", self.call_id);
        headers.push("CSeq", "1 INVITE");
        headers.push("Contact", format!("<{}>", self.contact));
        headers.push("Allow", crate::message::allow());
        headers.push("Content-Type", "application/sdp");
        Request {
            method: Method::Invite,
            uri: self.target,
            headers,
            body: self.sdp,
        }
    }
}

/// Where a URI is reached, for a peer that was seen at that flow.
pub fn next_hop(uri: &str, seen: Flow) -> Flow {
    // A connection is the way back, whatever its far end writes (RFC 5923).
    if seen.transport.is_connection() {
        return seen;
    }
    match Uri::parse(uri).and_then(|uri| uri.socket()) {
        Some(peer) if peer.ip() == seen.peer.ip() || is_reachable(peer.ip(), seen.peer.ip()) => {
            Flow { peer, ..seen }
        }
        Some(_) | None => seen,
    }
}

/// Whether an address in a Contact can be meant for us: a private one cannot
/// when its owner came from a public one.
fn is_reachable(ip: IpAddr, seen: IpAddr) -> bool {
    if ip.is_unspecified() || ip.is_multicast() || ip.is_loopback() != seen.is_loopback() {
        return false;
    }
    !is_private(ip) || is_private(seen)
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let carrier_grade = first == 100 && (64..128).contains(&second);
            ip.is_private() || ip.is_link_local() || carrier_grade
        }
        IpAddr::V6(ip) => {
            let first = ip.segments()[0];
            (first & 0xfe00) == 0xfc00 || (first & 0xffc0) == 0xfe80
        }
    }
}

fn contact_uri(headers: &Headers) -> Option<String> {
    let contact = headers.list("Contact").into_iter().next()?;
    let uri = NameAddr::parse(&contact)?.uri;
    Uri::parse(&uri).map(|_| uri)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Transport;

    fn flow(peer: &str) -> Flow {
        Flow {
            transport: Transport::Udp,
            peer: peer.parse().unwrap(),
        }
    }

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::default();
        for (name, value) in lines {
            headers.push(name, *value);
        }
        headers
    }

    fn invite() -> Request {
        Request {
            method: Method::Invite,
            uri: "sip:support@us".into(),
            headers: headers(&[
                ("From", "\"A\" <sip:a@h>;tag=theirs"),
                ("To", "<sip:support@us>"),
                ("Call-ID", "c1"),
                ("CSeq", "7 INVITE"),
                ("Contact", "<sip:a@192.0.2.9:5070>"),
                ("Record-Route", "<sip:p1.example;lr>, <sip:p2.example;lr>"),
            ]),
            body: Vec::new(),
        }
    }

    #[test]
    fn requests_to_the_caller_carry_swapped_ends_its_route_and_our_own_numbers() {
        let mut dialog =
            Dialog::accepting(&invite(), flow("192.0.2.9:5070"), "ours", "sip:us".into()).unwrap();
        let bye = dialog.request(Method::Bye);
        assert_eq!(bye.uri, "sip:a@192.0.2.9:5070");
        assert_eq!(bye.headers.get("From"), Some("<sip:support@us>;tag=ours"));
        assert_eq!(bye.headers.get("To"), Some("\"A\" <sip:a@h>;tag=theirs"));
        assert_eq!(bye.headers.get("CSeq"), Some("1 BYE"));
        let routes: Vec<_> = bye.headers.all("Route").collect();
        assert_eq!(routes, ["<sip:p1.example;lr>", "<sip:p2.example;lr>"]);
        assert_eq!(dialog.request(Method::Options).cseq(), Some(2));
    }

    #[test]
    fn a_route_that_an_answer_brings_is_reversed() {
        let response = Response {
            status: 200,
            headers: headers(&[
                ("From", "<sip:us>;tag=ours"),
                ("To", "<sip:b@h>;tag=theirs"),
                ("Call-ID", "c2"),
                ("CSeq", "1 INVITE"),
                ("Contact", "<sip:b@198.51.100.4>"),
                ("Record-Route", "<sip:far;lr>"),
                ("Record-Route", "<sip:near;lr>"),
            ]),
            body: Vec::new(),
        };
        let mut sent = invite();
        sent.headers = headers(&[("From", "<sip:us>;tag=ours"), ("CSeq", "1 INVITE")]);
        let dialog =
            Dialog::established(&sent, &response, flow("198.51.100.4:5060"), "sip:us".into())
                .unwrap();
        let ack = dialog.ack(1);
        let routes: Vec<_> = ack.headers.all("Route").collect();
        assert_eq!(routes, ["<sip:near;lr>", "<sip:far;lr>"]);
        assert_eq!(ack.headers.get("CSeq"), Some("1 ACK"));
    }

    #[test]
    fn what_is_said_after_the_answer_is_counted_on_from_what_was_said_while_it_rang() {
        let ringing = Response {
            status: 180,
            headers: headers(&[
                ("From", "<sip:us>;tag=ours"),
                ("To", "<sip:b@h>;tag=theirs"),
                ("Call-ID", "c2"),
                ("CSeq", "1 INVITE"),
                ("Contact", "<sip:b@198.51.100.4>"),
            ]),
            body: Vec::new(),
        };
        let mut sent = invite();
        sent.headers = headers(&[("From", "<sip:us>;tag=ours"), ("CSeq", "1 INVITE")]);
        let of = |response: &Response| {
            let seen = flow("198.51.100.4:5060");
            Dialog::established(&sent, response, seen, "sip:us".into()).unwrap()
        };
        let mut early = of(&ringing);
        assert_eq!(early.request(Method::Notify).cseq(), Some(2));
        let mut dialog = of(&Response {
            status: 200,
            ..ringing
        });
        dialog.continues(&early);
        assert_eq!(dialog.ack(1).cseq(), Some(1));
        assert_eq!(dialog.request(Method::Bye).cseq(), Some(3));
    }

    #[test]
    fn an_older_request_is_refused_and_a_newer_one_moves_the_target() {
        let mut dialog =
            Dialog::accepting(&invite(), flow("192.0.2.9:5070"), "ours", "sip:us".into()).unwrap();
        let mut again = invite();
        again.headers = headers(&[("CSeq", "9 INVITE"), ("Contact", "<sip:a@192.0.2.9:6000>")]);
        let rebound = flow("192.0.2.9:7000");
        assert_eq!(dialog.accept(&again, rebound), Ok(()));
        assert_eq!(dialog.seen, rebound);
        assert_eq!(dialog.request(Method::Bye).uri, "sip:a@192.0.2.9:6000");
        again.headers = headers(&[("CSeq", "8 BYE")]);
        assert_eq!(dialog.accept(&again, rebound), Err(OutOfOrder));
    }

    #[test]
    fn a_phone_on_a_connection_is_reached_over_it_whatever_its_contact_says() {
        for transport in [Transport::Tcp, Transport::Ws] {
            let seen = Flow {
                transport,
                ..flow("203.0.113.7:40000")
            };
            for contact in ["sip:a@q7x3.invalid;transport=ws", "sip:a@203.0.113.7:5062"] {
                assert_eq!(next_hop(contact, seen), seen, "{contact}");
            }
        }
    }

    #[test]
    fn a_phone_behind_nat_is_reached_where_it_was_seen() {
        let cases = [
            (
                "sip:a@10.0.0.5:5060",
                "203.0.113.7:40000",
                "203.0.113.7:40000",
            ),
            (
                "sip:a@203.0.113.7:5062",
                "203.0.113.7:40000",
                "203.0.113.7:5062",
            ),
            ("sip:a@10.0.0.5", "10.0.0.1:5080", "10.0.0.5:5060"),
            (
                "sip:a@host.invalid",
                "203.0.113.7:40000",
                "203.0.113.7:40000",
            ),
            (
                "sip:a@198.51.100.4",
                "203.0.113.7:5060",
                "198.51.100.4:5060",
            ),
        ];
        for (contact, seen, expected) in cases {
            assert_eq!(next_hop(contact, flow(seen)), flow(expected), "{contact}");
        }
    }
}
