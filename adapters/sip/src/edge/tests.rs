use super::*;
use std::cell::Cell;

const NODE: &str = "10.0.0.1:5060";
const PHONE: &str = "192.0.2.9:40000";

struct Here {
    open: bool,
    looked: Cell<bool>,
}

impl Here {
    fn new(open: bool) -> Self {
        Self {
            open,
            looked: Cell::new(false),
        }
    }
}

impl Around for Here {
    fn is_node(&self, address: SocketAddr) -> bool {
        address == NODE.parse().unwrap()
    }

    fn look(&self) {
        self.looked.set(true);
    }

    fn is_open(&self, flow: Flow) -> bool {
        self.open || flow.transport == Transport::Udp
    }

    fn sent_by(&self, transport: Transport) -> String {
        match transport {
            Transport::Udp | Transport::Tcp => "edge.example:5060".into(),
            Transport::Ws => "edge.example:5066".into(),
        }
    }
}

fn flow(transport: Transport, peer: &str) -> Flow {
    Flow {
        transport,
        peer: peer.parse().unwrap(),
    }
}

fn node() -> Flow {
    flow(Transport::Udp, NODE)
}

fn phone() -> Flow {
    flow(Transport::Tcp, PHONE)
}

fn key() -> FlowKey {
    FlowKey::new([7; 32])
}

fn edge() -> Edge {
    let edge = Edge::default();
    edge.set_key(key());
    edge
}

fn request(method: &str, uri: &str, route: &str, branch: &str) -> Vec<u8> {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch={branch};rport\r\n\
         Route: {route}\r\nMax-Forwards: 70\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:anna@h>\r\n\
         Call-ID: c\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn to_the_phone(method: &str) -> Vec<u8> {
    let route = route(&key(), "10.0.0.2:5060".parse().unwrap(), phone());
    request(method, "sip:anna@192.0.2.9", &route, "z9hG4bKone")
}

fn passed(step: Step) -> (String, Flow) {
    let Step::Pass(bytes, to) = step else {
        panic!("{step:?}");
    };
    (String::from_utf8(bytes).unwrap(), to)
}

/// The start of what is answered to whoever sent it.
fn answered(step: Step) -> String {
    let Step::Answer(bytes) = step else {
        panic!("{step:?}");
    };
    String::from_utf8(bytes).unwrap()
}

fn line<'a>(message: &'a str, name: &str) -> &'a str {
    message
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or_default()
}

#[test]
fn an_invite_of_another_node_goes_out_over_the_flow_and_its_answer_comes_back() {
    let here = Here::new(true);
    let (invite, to) = passed(edge().step(&to_the_phone("INVITE"), node(), &here));
    assert_eq!(to, phone());
    assert_eq!(line(&invite, "Route"), "");
    assert_eq!(line(&invite, "Max-Forwards"), "69");
    let via = line(&invite, "Via").to_owned();
    assert!(
        via.starts_with("SIP/2.0/TCP edge.example:5060;branch=z9hG4bKedge"),
        "{via}"
    );
    let record = line(&invite, "Record-Route");
    assert!(
        record.starts_with("<sip:edge.example:5060;transport=tcp;lr;flow="),
        "{record}"
    );
    let ok = format!(
        "SIP/2.0 200 OK\r\nVia: {via}\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKone\r\n\
         CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
    );
    let (answer, to) = passed(edge().step(ok.as_bytes(), phone(), &here));
    assert_eq!(to, node());
    assert_eq!(
        line(&answer, "Via"),
        "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKone"
    );
}

#[test]
fn a_phone_on_a_websocket_is_reached_over_it_and_its_answers_need_no_length() {
    let here = Here::new(true);
    let phone = flow(Transport::Ws, PHONE);
    let route = route(&key(), "10.0.0.2:5060".parse().unwrap(), phone);
    let invite = request(
        "INVITE",
        "sip:q7@x3.invalid;transport=ws",
        &route,
        "z9hG4bKone",
    );
    let (invite, to) = passed(edge().step(&invite, node(), &here));
    assert_eq!(to, phone);
    let via = line(&invite, "Via").to_owned();
    assert!(via.starts_with("SIP/2.0/WS edge.example:5066;"), "{via}");
    let record = line(&invite, "Record-Route").to_owned();
    assert!(
        record.starts_with("<sip:edge.example:5066;transport=ws;lr;flow="),
        "{record}"
    );
    let ok = format!(
        "SIP/2.0 200 OK\r\nVia: {via}\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKone\r\n\
         CSeq: 1 INVITE\r\n\r\nv=0\r\n"
    );
    let (answer, to) = passed(edge().step(ok.as_bytes(), phone, &here));
    assert_eq!(to, node());
    assert!(
        answer.ends_with("Content-Length: 5\r\n\r\nv=0\r\n"),
        "{answer}"
    );
    let bye = request("BYE", "sip:10.0.0.1:5060", &record, "z9hG4bKtwo");
    let (bye, to) = passed(edge().step(&bye, phone, &here));
    assert_eq!(to, node());
    assert!(line(&bye, "Via").starts_with("SIP/2.0/UDP edge.example:5060;"));
    // A connection of the same address that is none of WebSocket's is another flow.
    let (_, to) = passed(edge().step(&to_the_phone("INVITE"), node(), &here));
    assert_ne!(to, phone);
}

#[test]
fn a_cancel_and_an_ack_have_the_branch_of_their_invite_and_copies_have_the_same() {
    let here = Here::new(true);
    let via = |method| {
        let (message, _) = passed(edge().step(&to_the_phone(method), node(), &here));
        line(&message, "Via").to_owned()
    };
    assert_eq!(via("INVITE"), via("INVITE"));
    assert_eq!(via("INVITE"), via("CANCEL"));
    assert_eq!(via("INVITE"), via("ACK"));
}

#[test]
fn a_request_of_the_phone_goes_to_the_node_that_has_the_call_and_nowhere_else() {
    let here = Here::new(true);
    let record = format!("<sip:edge.example;lr;flow={}>", key().token(phone()));
    let bye = |target: &str| request("BYE", target, &record, "z9hG4bKtwo");
    let (_, to) = passed(edge().step(&bye("sip:10.0.0.1:5060"), phone(), &here));
    assert_eq!(to, node());
    for target in ["sip:203.0.113.7:5060", "sip:elsewhere.example"] {
        assert!(answered(edge().step(&bye(target), phone(), &here)).starts_with("SIP/2.0 403 "));
    }
}

#[test]
fn only_nodes_reach_a_flow_and_only_with_its_signature() {
    let here = Here::new(true);
    let mut forged = key().token(phone());
    forged.replace_range(..1, if forged.starts_with('0') { "1" } else { "0" });
    let forged = request(
        "INVITE",
        "sip:a@h",
        &format!("<sip:e;lr;flow={forged}>"),
        "z9hG4bKx",
    );
    let refused = answered(edge().step(&forged, node(), &here));
    assert!(refused.starts_with("SIP/2.0 403 "));
    assert!(!here.looked.get(), "a forged flow has nobody looked up");
    let stranger = flow(Transport::Udp, "203.0.113.7:5060");
    for method in ["INVITE", "ACK"] {
        let step = edge().step(&to_the_phone(method), stranger, &here);
        assert_eq!(step, Step::Drop);
    }
    assert!(here.looked.get(), "a node may have just joined");
}

#[test]
fn a_phone_whose_address_has_changed_amid_its_call_hears_so_at_once() {
    let here = Here::new(true);
    let bye = String::from_utf8(to_the_phone("BYE")).unwrap();
    let bye = bye.replace("To: <sip:anna@h>", "To: <sip:anna@h>;tag=2");
    let elsewhere = flow(Transport::Udp, "203.0.113.7:5060");
    let refused = answered(edge().step(bye.as_bytes(), elsewhere, &here));
    assert!(refused.starts_with("SIP/2.0 403 "));
    assert!(
        !here.looked.get(),
        "no node comes into a call that it did not begin"
    );
}

#[test]
fn a_flow_that_is_closed_is_told() {
    let closed = edge().step(&to_the_phone("INVITE"), node(), &Here::new(false));
    assert!(answered(closed).starts_with("SIP/2.0 430 Flow Failed"));
}

#[test]
fn everything_else_is_for_this_node() {
    let here = Here::new(true);
    let plain = request("INVITE", "sip:a@h;flow=1", "<sip:p;lr>", "z9hG4bKx");
    assert_eq!(edge().step(&plain, phone(), &here), Step::Ours);
    let ours = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP us;branch=z9hG4bKx;flow=2\r\n\r\n";
    assert_eq!(edge().step(ours.as_bytes(), node(), &here), Step::Ours);
    assert_eq!(
        Edge::default().step(&to_the_phone("INVITE"), node(), &here),
        Step::Ours
    );
}

#[test]
fn a_key_is_stored_as_text() {
    assert_eq!(FlowKey::from_stored(&key().to_stored()), Some(key()));
    assert_eq!(FlowKey::from_stored("00"), None);
}
