//! `ringledger invoice show`: an invoice as a document.

use crate::{cli::Place, demo::say, export, whole_file::WholeFile};
use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use documents::{account_at::AccountAt, annex::Annex, html::html, invoice, pdf::pdf};
use projections::{billing::invoices, changed::View, views::Views};
use std::{io::Write, path::PathBuf, process::ExitCode, time::Duration};
use tokio::time::Instant;

/// A server that runs books an invoice in the moment after it is issued.
const PATIENCE: Duration = Duration::from_secs(3);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);

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
    /// The file, there when it is whole; standard output without.
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
    let nothing = "the invoice says nothing";
    let account = account_at(&show.place, &row).await?;
    let account = account.as_ref();
    let whole = match show.format {
        Form::Html => Some(html(&invoice::invoice(&row, account).context(nothing)?).into_bytes()),
        Form::Pdf => Some(pdf(&invoice::invoice(&row, account).context(nothing)?)?),
        Form::Json => {
            let value = invoice::json(&row, account).context(nothing)?;
            Some(format!("{value:#}\n").into_bytes())
        }
        Form::Csv => None,
    };
    let file = show.out.as_deref().map(WholeFile::create);
    let mut file = file.transpose()?;
    let mut stdout = std::io::stdout();
    let out: &mut dyn Write = match &mut file {
        Some(file) => file,
        None => &mut stdout,
    };
    let mut bytes = 0;
    let mut put = |piece: &[u8]| {
        bytes += piece.len();
        out.write_all(piece)
    };
    match whole {
        Some(whole) => put(&whole)?,
        None => {
            let mut annex = Annex::new(views.clone(), row);
            while let Some(piece) = annex.next().await? {
                put(&piece)?;
            }
        }
    }
    out.flush()?;
    if let (Some(file), Some(path)) = (file, &show.out) {
        file.finish()?;
        say(&format!("{bytes} bytes in {}", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the account owed when the invoice was issued, where the invoice shows it: the same
/// that a server says, or nothing.
async fn account_at(place: &Place, row: &invoices::Row) -> anyhow::Result<Option<AccountAt>> {
    if row.issue.as_ref().is_none_or(|issue| !issue.shows_account) {
        return Ok(None);
    }
    let until = Instant::now() + PATIENCE;
    loop {
        // How far the views are is read when they are opened.
        let views = export::views(place).await?;
        if let Some(booked) = booked(&views, row).await? {
            return Ok(Some(booked));
        }
        ensure!(
            Instant::now() < until,
            "the account has not booked the invoice yet, or the invoices are not read as far as \
             the account: they are once a server runs"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// None while the account has not booked the invoice, or has booked a credit note that the
/// view of invoices does not show yet.
async fn booked(views: &Views, row: &invoices::Row) -> anyhow::Result<Option<AccountAt>> {
    let account = views.account(row.account).await?;
    let account = account.with_context(|| format!("there is no account {}", row.account))?;
    let progress = views.progress();
    let invoices = progress.iter().find(|status| status.view == View::Invoices);
    if invoices.is_none_or(|status| status.position.0 < account.position) {
        return Ok(None);
    }
    let notes = views.credit_notes_of(&account).await?;
    Ok(AccountAt::new(row, &account, &notes))
}
