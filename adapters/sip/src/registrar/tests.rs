use super::*;

const T0: u64 = 1_000_000;

struct Phone {
    bindings: Bindings,
    cseq: u32,
}

impl Phone {
    fn new() -> Self {
        Self {
            bindings: Bindings::new(),
            cseq: 0,
        }
    }

    fn request<'a>(&self, contact: &str, expires_s: Option<u32>, at_ms: u64) -> Registration<'a> {
        Registration {
            contacts: parse_contacts([contact].into_iter()).unwrap(),
            expires_s,
            call_id: "phone",
            cseq: self.cseq,
            source: "192.0.2.9:40000".parse().unwrap(),
            transport: Transport::Udp,
            now_ms: at_ms,
        }
    }

    /// Registers with the next CSeq and keeps the outcome.
    fn register(&mut self, contact: &str, expires_s: Option<u32>, at_ms: u64) -> Registered {
        self.cseq += 1;
        let done = register(&self.bindings, &self.request(contact, expires_s, at_ms)).unwrap();
        self.bindings = done.bindings.clone();
        done
    }
}

fn key(of: &str) -> String {
    match parse_contacts([of].into_iter()).unwrap() {
        Contacts::List(contacts) => contacts[0].key.clone(),
        Contacts::Query | Contacts::All => panic!("no contact"),
    }
}

#[test]
fn a_binding_is_added_refreshed_and_removed() {
    let mut phone = Phone::new();
    let contact = "<sip:a@192.0.2.9:5070>";
    let added = phone.register(contact, Some(120), T0);
    assert_eq!(added.changes, [Change::Added(key(contact))]);
    assert_eq!(added.contacts, ["<sip:a@192.0.2.9:5070>;expires=120"]);
    let refreshed = phone.register(contact, Some(120), T0 + 60_000);
    assert_eq!(refreshed.changes, [Change::Refreshed(key(contact))]);
    let removed = phone.register(contact, Some(0), T0 + 61_000);
    assert_eq!(
        removed.changes,
        [Change::Removed(key(contact), Removal::Deregistered)]
    );
    assert!(removed.contacts.is_empty());
}

#[test]
fn a_query_lists_what_is_left_and_says_what_expired() {
    let mut phone = Phone::new();
    phone.register("<sip:a@h>;expires=60, <sip:b@h>;expires=100", None, T0);
    let listed = phone.register("", None, T0 + 61_000);
    assert_eq!(
        listed.changes,
        [Change::Removed(key("<sip:a@h>"), Removal::Expired)]
    );
    assert_eq!(listed.contacts, ["<sip:b@h>;expires=39"]);
}

#[test]
fn the_contacts_own_expiry_wins_over_the_headers_and_both_are_capped() {
    let mut phone = Phone::new();
    let done = phone.register(
        "<sip:a@h>;expires=999999999999, <sip:b@h>, <sip:c@h>;expires=x",
        Some(90),
        T0,
    );
    assert_eq!(
        done.contacts,
        [
            "<sip:a@h>;expires=3600",
            "<sip:b@h>;expires=90",
            "<sip:c@h>;expires=3600"
        ]
    );
}

#[test]
fn an_expiry_under_a_minute_is_too_brief_and_zero_is_not() {
    let phone = Phone::new();
    for (seconds, wanted) in [(59, Some(Error::TooBrief)), (60, None), (0, None)] {
        let got = register(
            &phone.bindings,
            &phone.request("<sip:a@h>", Some(seconds), T0),
        )
        .err();
        assert_eq!(got, wanted, "{seconds}");
    }
    assert_eq!(Error::TooBrief.status(), 423);
}

#[test]
fn a_star_removes_everything_but_only_alone_and_with_zero() {
    let mut phone = Phone::new();
    phone.register("<sip:a@h>, <sip:b@h>", None, T0);
    let wrong = register(&phone.bindings, &phone.request("*", Some(60), T0));
    assert_eq!(wrong, Err(Error::BadContact));
    assert_eq!(
        parse_contacts(["*", "<sip:a@h>"].into_iter()),
        Err(Error::BadContact)
    );
    assert_eq!(phone.register("*", Some(0), T0).changes.len(), 2);
    assert!(phone.bindings.is_empty());
}

#[test]
fn a_request_that_was_overtaken_changes_nothing() {
    let mut phone = Phone::new();
    phone.register("<sip:a@h>", None, T0);
    let again = phone.request("<sip:a@h>", Some(0), T0);
    assert_eq!(register(&phone.bindings, &again), Err(Error::OutOfOrder));
    let mut star = phone.request("*", Some(0), T0);
    assert_eq!(register(&phone.bindings, &star), Err(Error::OutOfOrder));
    // After a reboot the phone has a new Call-ID and counts from one.
    star.call_id = "rebooted";
    assert!(
        register(&phone.bindings, &star)
            .unwrap()
            .bindings
            .is_empty()
    );
}

#[test]
fn one_bad_contact_leaves_all_as_it_was() {
    let mut phone = Phone::new();
    phone.register("<sip:a@h>", None, T0);
    phone.cseq += 1;
    let both = phone.request("<sip:b@h>, <sip:a@h>;expires=5", None, T0);
    assert_eq!(register(&phone.bindings, &both), Err(Error::TooBrief));
    for bad in ["<tel:+1>", "<sip:>", "<name:John>"] {
        assert_eq!(
            parse_contacts([bad].into_iter()),
            Err(Error::BadContact),
            "{bad}"
        );
    }
}

#[test]
fn a_phone_behind_nat_or_without_a_port_is_sent_to_where_it_came_from() {
    use Transport::{Tcp, Udp, Ws};
    for (contact, transport, wanted) in [
        ("<sip:a@192.0.2.9:5070>", Udp, "192.0.2.9:5070"),
        ("<sip:a@192.0.2.9>", Udp, "192.0.2.9:40000"),
        ("<sip:a@10.0.0.5:5070>", Udp, "192.0.2.9:40000"),
        ("<sip:a@phone.example.com:5070>", Udp, "192.0.2.9:40000"),
        ("<sip:a@192.0.2.9:5070>", Tcp, "192.0.2.9:40000"),
        ("<sip:a@192.0.2.9:5070;transport=ws>", Ws, "192.0.2.9:40000"),
        ("<sip:q7@x3.invalid;transport=ws>", Ws, "192.0.2.9:40000"),
    ] {
        let mut request = Phone::new().request(contact, None, T0);
        request.transport = transport;
        let done = register(&Bindings::new(), &request).unwrap();
        let binding = done.bindings.values().next().unwrap();
        assert_eq!(binding.send_to.to_string(), wanted, "{contact}");
    }
}

#[test]
fn the_same_contact_in_other_words_is_the_same_binding() {
    assert_eq!(
        key("<sip:%61@EXAMPLE.com;x=1>;q=0.5"),
        key("sip:a@example.com")
    );
    assert_ne!(key("<sip:a@h;transport=tcp>"), key("<sip:a@h>"));
    assert_ne!(key("<sip:A@h>"), key("<sip:a@h>"));
}

#[test]
fn an_eleventh_phone_takes_the_place_of_the_one_that_ends_first() {
    let mut phone = Phone::new();
    for number in 0..BINDINGS_MAX {
        let contact = format!("<sip:a@h:{}>", 5000 + number);
        phone.register(&contact, Some(100 + number as u32), T0);
    }
    let more = phone.register("<sip:a@h:6000>", None, T0);
    assert_eq!(more.bindings.len(), BINDINGS_MAX);
    assert!(
        more.changes
            .contains(&Change::Removed(key("<sip:a@h:5000>"), Removal::Displaced))
    );
    let many = (0..=BINDINGS_MAX)
        .map(|n| format!("<sip:b@h:{}>", 7000 + n))
        .collect::<Vec<_>>();
    phone.cseq += 1;
    let request = phone.request(&many.join(","), None, T0);
    assert_eq!(
        register(&phone.bindings, &request),
        Err(Error::TooManyContacts)
    );
}
