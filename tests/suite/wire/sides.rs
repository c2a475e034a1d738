//! What a record says of the two sides of a call: how the sound of each travelled, and what
//! the agent's phone was.

use crate::exports::{order, text};
use crate::heard::tone_comes;
use crate::support::{PATIENCE, agent_is, setup, talk};
use anyhow::ensure;
use domain::id::DEFAULT_TENANT;
use phone::{Codec, Phone, PhoneOptions};
use ringledger_tests::server::Server;
use serde_json::{Value, json};

#[tokio::test]
async fn a_record_tells_the_codec_of_each_side_and_the_agents_phone() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let server = Server::start(&setup).await?;
    let anna = Phone::bind(PhoneOptions {
        codecs: vec![Codec::Pcmu],
        // The serial number is of one device, and is not kept.
        user_agent: Some("Acme-Desk/4.2 (0004F2ABCDEF) 0004F2ABCDEF".into()),
        ..PhoneOptions::new(server.sip, "anna").with_password("anna-secret")
    })
    .await?;
    anna.register(3_600).await?;
    agent_is(&server, "anna", "READY").await?;
    let caller = Phone::bind(PhoneOptions {
        codecs: vec![Codec::Pcma],
        ..PhoneOptions::new(server.sip, "+4930111")
    })
    .await?;
    let (out, ringing) = talk(&caller, &anna).await?;
    out.media().play_tone(440.0, 0.25);
    tone_comes(ringing.media(), 440.0).await?;
    out.hang_up().await?;
    ringing.wait_ended(PATIENCE).await?;
    let query = "{ cdrs(first: 1) { nodes { codec codecIn codecOut device tenantId \
                 from { e164 } toE164 legs { role codec device } } } }";
    let answer = server
        .until(query, |answer| {
            answer["cdrs"]["nodes"][0]["codecIn"].is_string()
        })
        .await?;
    let expected = json!({
        "codec": "PCMU", "codecIn": "PCMA", "codecOut": "PCMU", "device": "Acme-Desk/4.2",
        "tenantId": DEFAULT_TENANT.to_string(),
        "from": { "e164": "+4930111" }, "toE164": null,
        "legs": [
            {"role": "ORIGINATOR", "codec": "PCMA", "device": null},
            {"role": "AGENT", "codec": "PCMU", "device": "Acme-Desk/4.2"},
        ],
    });
    ensure!(answer["cdrs"]["nodes"][0] == expected, "{answer:#}");
    let ordered = order(&server, json!({ "format": "JSONL" })).await?;
    let row: Value = serde_json::from_str(&text(&server, &ordered["url"]).await?)?;
    for (column, value) in [
        ("schema", "ringledger-cdr/7"),
        ("codec_in", "PCMA"),
        ("codec_out", "PCMU"),
        ("device", "Acme-Desk/4.2"),
        ("from_e164", "+4930111"),
    ] {
        ensure!(row[column] == value, "{column}: {row:#}");
    }
    ensure!(row["dialled_e164"].is_null(), "{row:#}");
    ensure!(row["tenant_id"] == DEFAULT_TENANT.to_string(), "{row:#}");
    server.stop().await
}
