//! The configuration, as the binary reads it.

use crate::support::{files_with, run};
use anyhow::{Context as _, ensure};
use phone::RawSocket;
use ringledger_tests::server::{Server, Setup};
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[tokio::test]
async fn every_configuration_file_of_the_repository_is_accepted() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut files = vec![repository().join("ringledger.toml")];
    for entry in std::fs::read_dir(repository().join("examples"))? {
        files.push(entry?.path());
    }
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "toml")
    });
    ensure!(files.len() > 1, "no examples");
    for file in files {
        let file = file.to_str().context("a name in UTF-8")?;
        let ran = run(
            &["serve", "--check-config", "--config", file],
            &[],
            folder.path(),
        )
        .await?;
        ensure!(ran.code == Some(0), "{file}: {ran:?}");
    }
    ensure!(
        std::fs::read_dir(folder.path())?.next().is_none(),
        "a check writes nothing"
    );
    Ok(())
}

#[tokio::test]
async fn a_wrong_key_or_value_ends_the_start_and_is_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("bad.toml");
    for (text, named) in [
        ("[media]\nport_min = \"many\"\n", "media.port_min"),
        (
            "[media]\nport_min = 30000\nport_max = 20000\n",
            "media.port_min",
        ),
        ("[sip]\nlisten_on = \"0.0.0.0:5060\"\n", "listen_on"),
        ("[sip]\nws_listen = \"browsers\"\n", "sip.ws_listen"),
        ("[sip]\nws_listen = \"127.0.0.1:8080\"\n", "sip.ws_listen"),
        ("[sips]\nlisten = \"0.0.0.0:5060\"\n", "sips"),
        (
            "[[queue]]\nname = \"a\"\nring_timeout = 1\n",
            "ring_timeout",
        ),
        (
            "[[trunk]]\nname = \"t\"\nallow = [\"everywhere\"]\n",
            "trunk[0].allow",
        ),
    ] {
        std::fs::write(&file, text)?;
        // Checked alone, and before anything is served.
        for arguments in [
            &["serve", "--check-config", "--config", "bad.toml"][..],
            &["serve", "--config", "bad.toml", "--data", "data"][..],
        ] {
            let ran = run(arguments, &[], folder.path()).await?;
            ensure!(ran.code.is_some_and(|code| code != 0), "{text}: {ran:?}");
            ensure!(ran.err.contains(named), "{text}: {ran:?}");
        }
    }
    let ran = run(
        &["serve", "--check-config", "--config", "none.toml"],
        &[],
        folder.path(),
    )
    .await?;
    ensure!(
        ran.code != Some(0) && ran.err.contains("none.toml"),
        "{ran:?}"
    );
    ensure!(!folder.path().join("data").exists(), "nothing was opened");
    Ok(())
}

#[tokio::test]
async fn a_wrong_environment_variable_is_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for (name, value, named) in [
        (
            "RINGLEDGER__SIP__LISTEN",
            "bad",
            ["sip.listen", "SIP.LISTEN"],
        ),
        (
            "RINGLEDGER__MEDIA__PORT_MIN",
            "-1",
            ["media.port_min", "MEDIA.PORT_MIN"],
        ),
        (
            "RINGLEDGER__SIP__NO_SUCH_KEY",
            "1",
            ["no_such_key", "NO_SUCH_KEY"],
        ),
    ] {
        let ran = run(
            &["serve", "--check-config"],
            &[(name, value)],
            folder.path(),
        )
        .await?;
        ensure!(ran.code.is_some_and(|code| code != 0), "{name}: {ran:?}");
        ensure!(
            named.iter().any(|named| ran.err.contains(named)),
            "{name}: {ran:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_environment_overrides_the_file() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = Setup::new(folder.path(), "");
    setup.environment = vec![("RINGLEDGER__SIP__REALM".into(), "elsewhere.example".into())];
    let server = Server::start(&setup).await?;
    let socket = RawSocket::bind("127.0.0.1:0".parse()?, server.sip).await?;
    let local = socket.local_addr();
    let request = format!(
        "REGISTER sip:{0} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKrealm\r\n\
         Max-Forwards: 70\r\nFrom: <sip:anna@{0}>;tag=1\r\nTo: <sip:anna@{0}>\r\n\
         Call-ID: realm@test\r\nCSeq: 1 REGISTER\r\nContact: <sip:anna@{local}>\r\n\
         Content-Length: 0\r\n\r\n",
        server.sip
    );
    socket.send(request.as_bytes()).await?;
    let answer = socket
        .receive(crate::support::PATIENCE)
        .await?
        .context("no answer")?;
    let answer = answer.message().context("not SIP")?;
    ensure!(answer.status() == Some(401), "{answer:?}");
    for challenge in answer.headers_named("WWW-Authenticate") {
        ensure!(
            challenge.contains("realm=\"elsewhere.example\""),
            "{challenge}"
        );
    }
    ensure!(answer.header("WWW-Authenticate").is_some(), "no challenge");
    server.stop().await
}

#[tokio::test]
async fn a_token_is_made_on_first_start_shown_once_and_kept_nowhere_in_clear() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("log.txt");
    let mut setup = Setup::new(folder.path(), "");
    setup.token = None;
    setup.log = Some(log.clone());
    setup.environment = vec![(
        "RINGLEDGER__LOG__FILTER".into(),
        "info,rsipstack=error".into(),
    )];
    let mut server = Server::start(&setup).await?;
    let token = loop {
        let said = server.said();
        if let Some(line) = said.iter().find(|line| line.contains("token")) {
            break line
                .split_whitespace()
                .last()
                .context("a token")?
                .to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    ensure!(token.len() >= 32, "{token} can be guessed");
    ensure!(
        server
            .graphql("{ me { name } }", serde_json::json!({}))
            .await
            .is_err(),
        "no token"
    );
    server.use_token(&token);
    let me = server
        .graphql("{ me { name scopes } }", serde_json::json!({}))
        .await?;
    ensure!(me["me"]["name"] == "administrator", "{me}");
    server.stop().await?;

    let mut server = Server::start(&setup).await?;
    server.use_token(&token);
    server
        .graphql("{ me { name } }", serde_json::json!({}))
        .await?;
    let said = server.said().join("\n");
    ensure!(!said.contains(&token), "it is shown again: {said}");
    server.stop().await?;
    ensure!(std::fs::metadata(&log)?.len() > 0, "there is a log");
    let found = files_with(folder.path(), token.as_bytes())?;
    ensure!(found.is_empty(), "the token stands in {found:?}");
    Ok(())
}
