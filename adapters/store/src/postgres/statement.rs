//! Runs a query of the read store on PostgreSQL.

use super::{numeric, pool::Pool, unavailable};
use commands::ports::{StoreError, Value};
use sqlx::{
    Column, Encode, Postgres, Row, Type, TypeInfo, ValueRef,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgArguments, PgRow, PgTypeInfo, types::Oid},
    query::Query,
};

/// The type of a parameter that the server infers from where it stands.
const UNKNOWN: Oid = Oid(705);

/// No value, of whatever type the statement wants there.
struct Nothing;

impl Type<Postgres> for Nothing {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(UNKNOWN)
    }
}

impl Encode<'_, Postgres> for Nothing {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

fn bound<'q>(sql: &'q str, parameters: &'q [Value]) -> Query<'q, Postgres, PgArguments> {
    parameters
        .iter()
        .fold(sqlx::query(sql), |query, parameter| match parameter {
            Value::Null => query.bind(Nothing),
            Value::Int(number) => query.bind(*number),
            Value::Text(text) => query.bind(text.as_str()),
            Value::Bytes(bytes) => query.bind(bytes.as_slice()),
        })
}

/// Runs a query and returns its rows.
pub(crate) async fn query(
    pool: &Pool,
    sql: &str,
    parameters: &[Value],
) -> Result<Vec<Vec<Value>>, StoreError> {
    let rows = bound(sql, parameters)
        .fetch_all(pool)
        .await
        .map_err(unavailable)?;
    rows.iter().map(values).collect()
}

fn values(row: &PgRow) -> Result<Vec<Value>, StoreError> {
    (0..row.len()).map(|column| value(row, column)).collect()
}

fn value(row: &PgRow, column: usize) -> Result<Value, StoreError> {
    let cell = row.try_get_raw(column).map_err(unavailable)?;
    if cell.is_null() {
        return Ok(Value::Null);
    }
    let kind = row.column(column).type_info().name().to_owned();
    let read = match kind.as_str() {
        "INT8" => row.try_get(column).map(Value::Int),
        "INT4" => row
            .try_get::<i32, _>(column)
            .map(|number| Value::Int(number.into())),
        "INT2" => row
            .try_get::<i16, _>(column)
            .map(|number| Value::Int(number.into())),
        "BOOL" => row
            .try_get::<bool, _>(column)
            .map(|yes| Value::Int(yes.into())),
        "BYTEA" => row.try_get(column).map(Value::Bytes),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" => row.try_get(column).map(Value::Text),
        "NUMERIC" => {
            return cell
                .as_bytes()
                .ok()
                .and_then(numeric::whole)
                .map(Value::Int)
                .ok_or_else(|| unreadable(row, column, &kind));
        }
        _ => return Err(unreadable(row, column, &kind)),
    };
    read.map_err(unavailable)
}

fn unreadable(row: &PgRow, column: usize, kind: &str) -> StoreError {
    let name = row.column(column).name();
    StoreError::Unavailable(format!(
        "column {name} is {kind}: read models hold whole numbers, text and bytes"
    ))
}
