//! REFER (RFC 3515): a phone in a call asks us to send the other side elsewhere, which is a
//! blind transfer (RFC 5589, section 6). Only to an address that leads somewhere here.

use crate::{
    address::{NameAddr, Uri},
    message::Request,
    stack::Reply,
};

/// The user part of the address that the other side is to be sent to.
///
/// # Errors
/// The response that refuses it: 400 without exactly one Refer-To (RFC 3515, 2.4.2) or with
/// one that can not be read, 416 to an address of a kind that is not served, 501 to what is
/// no blind transfer: another method than INVITE, or a call that is to be replaced
/// (RFC 3891), as an attended transfer asks for.
pub fn translate(request: &Request) -> Result<String, Reply> {
    let targets = request.headers.list("Refer-To");
    let [target] = targets.as_slice() else {
        return Err(malformed("not exactly one Refer-To"));
    };
    let target = NameAddr::parse(target).ok_or_else(|| malformed("malformed Refer-To"))?;
    let uri = Uri::parse(&target.uri).ok_or_else(|| Reply::new(416))?;
    let is_call = uri
        .parameter("method")
        .is_none_or(|method| method.eq_ignore_ascii_case("INVITE"));
    if !is_call || replaces(&target.uri) {
        return Err(Reply::new(501));
    }
    let user = uri.user.filter(|user| !user.is_empty());
    user.ok_or_else(|| Reply::new(404))
}

/// Whether the headers of a URI (RFC 3261, 19.1.1) name a call that is to be replaced.
fn replaces(uri: &str) -> bool {
    // A user part may hold a `?`.
    let host = uri.rsplit_once('@').map_or(uri, |(_, host)| host);
    let headers = host.split_once('?').map_or("", |(_, headers)| headers);
    headers.split('&').any(|header| {
        let name = header.split_once('=').map_or(header, |(name, _)| name);
        name.trim().eq_ignore_ascii_case("Replaces")
    })
}

fn malformed(what: &str) -> Reply {
    Reply::new(400).with("Warning", format!("399 ringledger \"{what}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Headers, Method};

    fn referred(values: &[&str]) -> Result<String, u16> {
        let mut headers = Headers::default();
        for value in values {
            headers.push("Refer-To", *value);
        }
        let request = Request {
            method: Method::Refer,
            uri: "sip:us@127.0.0.1".into(),
            headers,
            body: vec![],
        };
        translate(&request).map_err(|reply| reply.status)
    }

    #[test]
    fn the_user_part_says_where_to() {
        for (value, user) in [
            ("<sip:sales@us.example>", "sales"),
            ("sip:sales@us.example", "sales"),
            (
                "\"The Sales\" <sip:sales@us.example;transport=tcp>",
                "sales",
            ),
            ("<sip:%2B4930@us.example;method=INVITE>", "+4930"),
            ("<sip:sales@us.example?Subject=hello>", "sales"),
            ("<tel:+4930>", "+4930"),
        ] {
            assert_eq!(referred(&[value]), Ok(user.into()), "{value}");
        }
    }

    #[test]
    fn what_names_no_place_or_asks_for_more_is_refused() {
        for (values, status) in [
            (vec![], 400),
            (vec!["<sip:a@h>", "<sip:b@h>"], 400),
            (vec!["<sip:a@h>, <sip:b@h>"], 400),
            (vec!["<>"], 416),
            (vec!["<http://h/a>"], 416),
            (vec!["<sip:h>"], 404),
            (vec!["<sip:a@h;method=BYE>"], 501),
            (
                vec!["<sip:a@h?Replaces=c%3Bto-tag%3D1%3Bfrom-tag%3D2>"],
                501,
            ),
            (vec!["<sip:a@h?Subject=x&replaces=c>"], 501),
        ] {
            assert_eq!(referred(&values), Err(status), "{values:?}");
        }
    }
}
