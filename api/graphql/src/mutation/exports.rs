//! Orders of files. Nothing is recorded: what is ordered stands in the address
//! that is answered, and the same address gives the same bytes.

use crate::{
    auth::Scope,
    download,
    error::Fault,
    query::{CdrFilter, Needs, identity, services, views_at, zone},
    scalar::{Cursor, count},
};
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
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

#[Object]
impl ExportMutations {
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
