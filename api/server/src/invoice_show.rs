//! `ringledger invoice show`: an invoice as a document.

use crate::{cli::Place, demo::say, export};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use documents::{annex, html::html, invoice, pdf::pdf};
use projections::{billing::invoices::Row, views::Views};
use std::{io::Write as _, path::PathBuf, process::ExitCode};

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One page of HTML that can be printed.
    Html,
    /// PDF/A.
    Pdf,
    /// For a machine.
    Json,
    /// Every rated call of its month.
    Csv,
}

/// Which invoice, how, and where to.
#[derive(Debug, Args)]
pub struct Show {
    /// Its number.
    number: String,
    /// How it is written.
    #[arg(long, value_enum, default_value = "html")]
    format: Form,
    /// The file; standard output without.
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Writes it.
///
/// # Errors
/// When the store can not be read, there is no such invoice, or the file can
/// not be written.
pub async fn run(show: Show) -> anyhow::Result<ExitCode> {
    let views = export::views(&show.place).await?;
    let row = views.invoice_numbered(&show.number).await?;
    let row = row.with_context(|| format!("there is no invoice {}", show.number))?;
    let body = written(&views, &row, show.format).await?;
    match &show.out {
        Some(file) => {
            std::fs::write(file, &body).with_context(|| file.display().to_string())?;
            say(&format!("{} bytes in {}", body.len(), file.display()));
        }
        None => std::io::stdout().write_all(&body)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn written(views: &Views, row: &Row, form: Form) -> anyhow::Result<Vec<u8>> {
    let nothing = "the invoice says nothing";
    Ok(match form {
        Form::Html => html(&invoice::invoice(row).context(nothing)?).into_bytes(),
        Form::Pdf => pdf(&invoice::invoice(row).context(nothing)?)?,
        Form::Json => format!("{:#}\n", invoice::json(row).context(nothing)?).into_bytes(),
        Form::Csv => annex::annex(views, row).await?.into_bytes(),
    })
}
