//! Orders of files. Nothing is recorded: what is ordered stands in the address
//! that is answered, and the same address gives the same bytes.

use crate::{
    auth::Scope,
    download,
    error::Fault,
    papers,
    query::{CdrFilter, Needs, identity, invoice_of, services, views_at, zone},
    scalar::{Cursor, count},
    types::Invoice,
};
use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use documents::cdr_export::{Format, Order};

#[derive(Default)]
pub(crate) struct ExportMutations;

/// How rows are written.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "documents::cdr_export::Format")]
pub(crate) enum ExportFormat {
    /// RFC 4180 in UTF-8, with a header; text that a spreadsheet would run as a
    /// formula begins with an apostrophe.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// Which records, and how.
#[derive(InputObject)]
pub(crate) struct RequestCdrExportInput {
    /// Which.
    filter: Option<CdrFilter>,
    /// How they are written.
    format: ExportFormat,
    /// A row for each leg, not for each call.
    #[graphql(default)]
    legs: bool,
    /// Zone of the instants that are not in UTC, by its IANA name; UTC when not
    /// given.
    time_zone: Option<String>,
    /// As the records stood when the log had got so far; as they stand when not
    /// given.
    position: Option<Cursor>,
    /// What the export must know at least.
    min_position: Option<Cursor>,
}

/// Where the file is to be had.
#[derive(SimpleObject)]
pub(crate) struct RequestCdrExportPayload {
    /// Path of the file, for a GET with a token that has `cdr:export`. It has the
    /// columns of what calls cost when the token that orders it has `billing:read`;
    /// then the one that fetches it needs that, too.
    url: String,
    /// Path of its manifest: the order, the number of rows and the SHA-256.
    manifest_url: String,
    /// The log as far as the export knows it.
    position: Cursor,
    /// Records that it has.
    calls_count: i32,
}

/// How a document is written.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DocumentFormat {
    /// One accessible page that can be printed.
    Html,
    /// PDF/A, with the same data.
    Pdf,
    /// The same data for a machine.
    Json,
    /// The annex: every rated call of the invoice's month.
    Csv,
}

impl DocumentFormat {
    const fn ending(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }
}

/// Which document, and how. An invoice has an id or a number: one of them is given.
#[derive(InputObject)]
pub(crate) struct RequestInvoiceDocumentInput {
    /// The invoice.
    invoice_id: Option<ID>,
    /// Its number.
    number: Option<String>,
    /// How it is written.
    format: DocumentFormat,
    /// What must be known of it at least.
    min_position: Option<Cursor>,
}

/// Where the document is to be had.
#[derive(SimpleObject)]
pub(crate) struct RequestInvoiceDocumentPayload {
    /// Path of the document, for a GET with a token that has `billing:read`. That of an
    /// issued invoice has the same bytes for ever.
    url: String,
    /// The invoice.
    invoice: Invoice,
    /// The event that last changed it.
    position: Cursor,
}

#[Object]
impl ExportMutations {
    /// Orders an invoice as a document.
    #[graphql(guard = "Needs(Scope::BillingRead)")]
    async fn request_invoice_document(
        &self,
        ctx: &Context<'_>,
        input: RequestInvoiceDocumentInput,
    ) -> Result<RequestInvoiceDocumentPayload> {
        let named = (input.invoice_id, input.number);
        let row = invoice_of(ctx, "invoiceId", named, input.min_position).await?;
        let row = row.ok_or_else(|| Fault::not_found("there is no such invoice"))?;
        let path = papers::path(row.invoice);
        Ok(RequestInvoiceDocumentPayload {
            url: format!("{path}.{}", input.format.ending()),
            position: Cursor(row.position),
            invoice: Invoice(row),
        })
    }

    /// Orders the records of ended calls as a file.
    #[graphql(guard = "Needs(Scope::CdrExport)")]
    async fn request_cdr_export(
        &self,
        ctx: &Context<'_>,
        input: RequestCdrExportInput,
    ) -> Result<RequestCdrExportPayload> {
        let wanted = input.min_position.max(input.position);
        let views = views_at(ctx, &download::READ, wanted).await?;
        let position = match input.position {
            Some(position) => position.0,
            None => download::known(views),
        };
        let vault = services(ctx)?.vault.as_ref();
        let order = Order {
            filter: input.filter.unwrap_or_default().read(vault)?,
            format: Format::from(input.format),
            legs: input.legs,
            zone: zone(input.time_zone.as_deref())?,
            position,
            without_prices: !identity(ctx)?.may(Scope::BillingRead),
        };
        let calls = views.cdrs_as_of_count(&order.filter, position).await;
        let calls_count = count(calls.map_err(Fault::from)?);
        let (url, manifest_url) = download::paths(&order);
        Ok(RequestCdrExportPayload {
            url,
            manifest_url,
            position: Cursor(position),
            calls_count,
        })
    }
}
