//! Documents of billing over HTTP: invoices, credit notes, statements and
//! reports, as HTML, PDF, JSON or CSV.

use crate::{
    auth::Scope,
    download::body,
    error::{Code, Fault},
    execute::App,
    http::{allow, refuse, with_status},
    query::{in_order, period},
};
use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use commands::ports::Position;
use documents::{
    account_at::AccountAt, annex::Annex, html::html, invoice, paper::Paper, pdf::pdf, statement,
};
use domain::{
    billing::invoice::SellerBlock,
    calendar::{Date, Period},
    id::{AccountId, InvoiceId},
};
use projections::{
    billing::{accounts, invoices},
    changed::View,
    page::{PAGE_MAX, Page, Slice},
    views::{ViewError, Views},
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// Which stretch of time.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    from: Option<String>,
    to: Option<String>,
}

/// Path of the documents of an invoice, without their ending.
pub(crate) fn path(invoice: InvoiceId) -> String {
    format!("/documents/invoices/{invoice}")
}

type Answer = Result<Response, (StatusCode, Fault)>;

fn unknown() -> (StatusCode, Fault) {
    (
        StatusCode::NOT_FOUND,
        Fault::not_found("there is no such document"),
    )
}

fn failed(error: ViewError) -> (StatusCode, Fault) {
    with_status(error.into())
}

fn finish(app: &App, headers: &HeaderMap, answer: Answer) -> Response {
    answer.unwrap_or_else(|(status, fault)| refuse(app, status, headers, fault))
}

/// A file with its type; shown, not saved, where a browser can.
fn file(name: &str, media_type: &'static str, body: impl Into<Body>) -> Response {
    let name: String = name
        .chars()
        .map(|sign| {
            if sign.is_ascii_alphanumeric() || "-.".contains(sign) {
                sign
            } else {
                '_'
            }
        })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("inline; filename=\"{name}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'".to_owned(),
        ),
    ];
    (headers, body.into()).into_response()
}

/// The paper in the form that the file's name asks for.
fn written(paper: &Paper, name: &str, ending: &str) -> Answer {
    match ending {
        "html" => {
            let body = html(paper).into_bytes();
            Ok(file(name, "text/html; charset=utf-8", body))
        }
        "pdf" => match pdf(paper) {
            Ok(body) => Ok(file(name, "application/pdf", body)),
            Err(error) => {
                tracing::error!(%error, title = paper.title, "a document was not written");
                Err(with_status(Fault::validation(
                    "document can not be written",
                )))
            }
        },
        _ => Err(unknown()),
    }
}

async fn find(views: &Views, name: &str) -> Result<invoices::Row, (StatusCode, Fault)> {
    let row = match Uuid::parse_str(name) {
        Ok(id) => views.invoice(InvoiceId(id)).await,
        Err(_) => views.invoice_numbered(name).await,
    };
    row.map_err(failed)?.ok_or_else(unknown)
}

/// What the account owed when the invoice was issued, where the invoice shows it. The
/// account books it in the moment after it is issued, and may yet be about to.
async fn account_at(
    app: &App,
    row: &invoices::Row,
) -> Result<Option<AccountAt>, (StatusCode, Fault)> {
    if row.issue.as_ref().is_none_or(|issue| !issue.shows_account) {
        return Ok(None);
    }
    let views = &app.services.views;
    let timeout = Duration::from_millis(app.services.options.position_timeout_ms);
    let mut progress = views.watch();
    let booked = async {
        loop {
            progress.borrow_and_update();
            let account = views.account(row.account).await?;
            if let Some(account) = account {
                // A credit note has its number before the account books it.
                let position = Position(account.position);
                views.wait_for(&[View::Invoices], position, timeout).await?;
                let notes = views.credit_notes_of(&account).await?;
                if let Some(booked) = AccountAt::new(row, &account, &notes) {
                    return Ok(Some(booked));
                }
            }
            if progress.changed().await.is_err() {
                return Ok::<_, Fault>(None);
            }
        }
    };
    match tokio::time::timeout(timeout, booked).await {
        Ok(Ok(Some(booked))) => Ok(Some(booked)),
        Ok(Err(fault)) => Err(with_status(fault)),
        Ok(Ok(None)) | Err(_) => {
            let message = "the account has not booked the invoice yet";
            Err(with_status(Fault::new(Code::Stale, message)))
        }
    }
}

/// GET /documents/invoices/{file}
pub(crate) async fn invoices(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Response {
    let answer = async {
        allow(&app, &headers, Scope::BillingRead).await?;
        let (id, ending) = name.rsplit_once('.').ok_or_else(unknown)?;
        let views = &app.services.views;
        let row = find(views, id).await?;
        match ending {
            "json" => {
                let account = account_at(&app, &row).await?;
                let value = invoice::json(&row, account.as_ref()).ok_or_else(unknown)?;
                let body = format!("{value:#}\n").into_bytes();
                Ok(file(&name, "application/json", body))
            }
            "csv" => {
                let annex = Annex::begun(views.clone(), row).await.map_err(failed)?;
                let media_type = "text/csv; charset=utf-8; header=present";
                Ok(file(&name, media_type, body(annex)))
            }
            _ => {
                let account = account_at(&app, &row).await?;
                let paper = invoice::invoice(&row, account.as_ref()).ok_or_else(unknown)?;
                written(&paper, &name, ending)
            }
        }
    };
    let answer = answer.await;
    finish(&app, &headers, answer)
}

/// GET /documents/invoices/{invoice}/credit-notes/{file}
pub(crate) async fn credit_notes(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path((of, name)): Path<(String, String)>,
) -> Response {
    let answer = async {
        allow(&app, &headers, Scope::BillingRead).await?;
        let (id, ending) = name.rsplit_once('.').ok_or_else(unknown)?;
        let row = find(&app.services.views, &of).await?;
        let is_it = |note: &&invoices::CreditNote| {
            let number = note.issued.as_ref().map(|(number, _, _)| number.as_str());
            number == Some(id) || note.credit_note.to_string() == id
        };
        let note = row.credit_notes.iter().find(is_it).ok_or_else(unknown)?;
        let paper = invoice::credit_note(&row, note).ok_or_else(unknown)?;
        written(&paper, &name, ending)
    };
    let answer = answer.await;
    finish(&app, &headers, answer)
}

impl Range {
    /// Months, both in it; `now` where none is said, and for a beginning no later than the end.
    fn months(&self, now: Period) -> Result<(Period, Period), (StatusCode, Fault)> {
        let month = |text: Option<&String>, field, otherwise| match text {
            Some(text) => period(text, field),
            None => Ok(otherwise),
        };
        let range = month(self.to.as_ref(), "to", now).and_then(|to| {
            let from = month(self.from.as_ref(), "from", now.min(to))?;
            in_order(from, to)
        });
        range.map_err(with_status)
    }

    /// Days, both in it; without an end where none is said.
    fn days(&self) -> Result<(Option<Date>, Option<Date>), (StatusCode, Fault)> {
        let day = |text: Option<&String>, field| {
            let invalid = |_| with_status(Fault::field(field, "is no day: it is YYYY-MM-DD"));
            text.map(|text| text.parse().map_err(invalid)).transpose()
        };
        let (from, to) = (
            day(self.from.as_ref(), "from")?,
            day(self.to.as_ref(), "to")?,
        );
        if let (Some(from), Some(to)) = (from, to) {
            in_order(from, to).map_err(with_status)?;
        }
        Ok((from, to))
    }
}

/// Rows of a list page by page, all of them.
async fn all<T, Read>(mut read: impl FnMut(Page) -> Read) -> Result<Vec<T>, ViewError>
where
    Read: Future<Output = Result<Slice<T>, ViewError>>,
{
    let mut rows = vec![];
    let mut after = None;
    loop {
        let slice = read(Page::First(PAGE_MAX, after)).await?;
        after = slice.rows.last().map(|(cursor, _)| cursor.clone());
        rows.extend(slice.rows.into_iter().map(|(_, row)| row));
        if !slice.has_more {
            return Ok(rows);
        }
    }
}

/// The seller as it stands on the account's newest invoice.
async fn seller(views: &Views, account: AccountId) -> Result<Option<SellerBlock>, ViewError> {
    let filter = invoices::Filter {
        account: Some(account),
        ..invoices::Filter::default()
    };
    let newest = views.invoices(&filter, &Page::First(1, None)).await?;
    let newest = newest.rows.into_iter().next();
    Ok(newest.and_then(|(_, row)| row.state.head.map(|head| head.seller)))
}

/// GET /documents/accounts/{account}/{file}
pub(crate) async fn accounts(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path((account, name)): Path<(Uuid, String)>,
    Query(range): Query<Range>,
) -> Response {
    let answer = async {
        allow(&app, &headers, Scope::BillingRead).await?;
        let views = &app.services.views;
        let at = app.services.clock.now();
        let account = AccountId(account);
        let row: accounts::Row = views
            .account(account)
            .await
            .map_err(failed)?
            .ok_or_else(unknown)?;
        let (what, ending) = name.rsplit_once('.').ok_or_else(unknown)?;
        let paper = match what {
            "statement" => {
                let days = range.days()?;
                let seller = seller(views, account).await.map_err(failed)?;
                let notes = views.credit_notes_of(&row).await.map_err(failed)?;
                let paper = statement::statement(&row, &notes, seller.as_ref(), days, at);
                paper.ok_or_else(unknown)?
            }
            "usage" => {
                let zone = row.state.profile.as_ref().map(|profile| profile.zone);
                let today = zone.unwrap_or(domain::calendar::Zone::UTC).date_of(at);
                let now = Period::of(today);
                let (from, to) = range.months(now)?;
                let usage = views.usage_summary(account, from, to).await;
                statement::usage_summary(&row, &usage.map_err(failed)?, at)
            }
            _ => return Err(unknown()),
        };
        written(&paper, &name, ending)
    };
    let answer = answer.await;
    finish(&app, &headers, answer)
}

/// GET /documents/reports/{file}
pub(crate) async fn reports(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(name): Path<String>,
    Query(range): Query<Range>,
) -> Response {
    let answer = async {
        allow(&app, &headers, Scope::BillingRead).await?;
        let views = &app.services.views;
        let at = app.services.clock.now();
        let (what, ending) = name.rsplit_once('.').ok_or_else(unknown)?;
        let paper = match what {
            "ageing" => {
                let filter = accounts::Filter::default();
                let rows = all(async |page| views.accounts(&filter, &page).await).await;
                statement::ageing_of(&rows.map_err(failed)?, at)
            }
            "taxes" => {
                let now = Period::of(domain::calendar::Zone::UTC.date_of(at));
                let (from, to) = range.months(now)?;
                let filter = invoices::Filter::default();
                let rows = all(async |page| views.invoices(&filter, &page).await).await;
                statement::tax_summary(&rows.map_err(failed)?, &(from..=to), at)
            }
            _ => return Err(unknown()),
        };
        written(&paper, &name, ending)
    };
    let answer = answer.await;
    finish(&app, &headers, answer)
}
