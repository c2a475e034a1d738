//! A trunk's configuration.

use crate::value::{Columns, Corrupt, number, text, text_or_null, word};
use commands::ports::Value;
use domain::{
    id::TrunkId,
    trunk::{Forward, Outbound},
};

/// A trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which trunk.
    pub trunk: TrunkId,
    /// Position of the event that last changed the row.
    pub position: u64,
    /// Its name.
    pub name: String,
    /// Networks that calls may come from, in CIDR form.
    pub allow: Vec<String>,
    /// Where outbound calls go.
    pub host: Option<String>,
    /// User name for outbound calls.
    pub user: Option<String>,
    /// What goes out and how.
    pub outbound: Outbound,
    /// Numbers that are dialled here and lead outside again.
    pub forwards: Vec<Forward>,
    /// Version of the configuration.
    pub config_version: u32,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "trunk_id",
    "position",
    "name",
    "allow",
    "host",
    "user_name",
    "outbound",
    "forwards",
    "config_version",
];

impl Row {
    pub(crate) fn values(&self) -> Vec<Value> {
        vec![
            text(self.trunk),
            number(self.position),
            text(&self.name),
            word(&self.allow),
            text_or_null(self.host.as_ref()),
            text_or_null(self.user.as_ref()),
            word(&self.outbound),
            word(&self.forwards),
            number(self.config_version),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            trunk: columns.id()?,
            position: columns.number()?,
            name: columns.text()?,
            allow: columns.word()?,
            host: columns.text_or_null()?,
            user: columns.text_or_null()?,
            outbound: columns.word()?,
            forwards: columns.word()?,
            config_version: columns.number()?,
        })
    }
}
