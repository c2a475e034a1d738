//! What a parsed document would cost to run. Each fragment is weighed once,
//! however often it is used, so that weighing takes a time that grows with the
//! length of the document alone.

use super::scan::over;
use crate::{error::Fault, options::Options};
use async_graphql::{
    Name, Value, Variables,
    parser::types::{ExecutableDocument, Field, Selection, SelectionSet},
};

use projections::page::{PAGE_DEFAULT, PAGE_MAX};
use std::collections::HashMap;

/// Fields with pages, which hold that many rows even when nobody says.
pub(super) const PAGED: [&str; 24] = [
    "voicemails",
    "accounts",
    "ratePlans",
    "decks",
    "refusalSums",
    "unratedCalls",
    "invoices",
    "callbacks",
    "erasures",
    "queueReport",
    "agentReport",
    "trunkReport",
    "agentStateLog",
    "abandonedCalls",
    "calls",
    "activeCalls",
    "cdrs",
    "agents",
    "queues",
    "trunks",
    "callTimeline",
    "timeline",
    "agentStates",
    "events",
];

/// What a selection costs with everything below it.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    /// Fields to resolve.
    fields: u64,
    /// Aliases in it, as they stand.
    aliases: u64,
    /// Levels of selections below, itself included.
    depth: usize,
}

struct Scales<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    options: &'a Options,
    /// `None` while it is being weighed: then it contains itself.
    fragments: HashMap<&'a Name, Option<Weight>>,
    directives: u64,
    introspects: bool,
}

/// Whether it asks for the schema.
///
/// # Errors
/// When it is over a limit, or a fragment contains itself.
pub(super) fn check(
    document: &ExecutableDocument,
    variables: &Variables,
    options: &Options,
) -> Result<bool, Fault> {
    if document.fragments.len() > options.fragments_max {
        return Err(over("fragments", options.fragments_max as u64));
    }
    let mut scales = Scales {
        document,
        variables,
        options,
        fragments: HashMap::new(),
        directives: 0,
        introspects: false,
    };
    let mut sum = Weight::default();
    for (_, operation) in document.operations.iter() {
        scales.directives += operation.node.directives.len() as u64;
        let weight = scales.set(&operation.node.selection_set.node, 1)?;
        sum = scales.plus(sum, weight)?;
    }
    // One that is not used is validated all the same.
    for name in document.fragments.keys() {
        let weight = scales.fragment(name, 1)?;
        sum = scales.plus(sum, weight)?;
    }
    if scales.directives > options.directives_max {
        return Err(over("directives", options.directives_max));
    }
    Ok(scales.introspects)
}

impl<'a> Scales<'a> {
    fn plus(&self, a: Weight, b: Weight) -> Result<Weight, Fault> {
        let sum = Weight {
            fields: a.fields.saturating_add(b.fields),
            aliases: a.aliases.saturating_add(b.aliases),
            depth: a.depth.max(b.depth),
        };
        if sum.fields > self.options.complexity_max {
            return Err(over("fields to resolve", self.options.complexity_max));
        }
        if sum.aliases > self.options.aliases_max {
            return Err(over("aliases", self.options.aliases_max));
        }
        Ok(sum)
    }

    /// `level` bounds how deep this function is in itself.
    fn set(&mut self, set: &'a SelectionSet, level: usize) -> Result<Weight, Fault> {
        if level > self.options.depth_max {
            return Err(over("levels", self.options.depth_max as u64));
        }
        let mut sum = Weight {
            depth: 1,
            ..Weight::default()
        };
        for selection in &set.items {
            self.directives += selection.node.directives().len() as u64;
            let mut below = match &selection.node {
                Selection::Field(field) => self.field(&field.node, level)?,
                Selection::FragmentSpread(spread) => {
                    let mut weight = self.fragment(&spread.node.fragment_name.node, level)?;
                    // A spread is work for the validator, even of nothing.
                    weight.fields = weight.fields.saturating_add(1);
                    weight
                }
                Selection::InlineFragment(inline) => {
                    let mut weight = self.set(&inline.node.selection_set.node, level + 1)?;
                    weight.fields = weight.fields.saturating_add(1);
                    weight
                }
            };
            below.depth += 1;
            sum = self.plus(sum, below)?;
        }
        Ok(sum)
    }

    fn field(&mut self, field: &'a Field, level: usize) -> Result<Weight, Fault> {
        let name = field.name.node.as_str();
        if matches!(name, "__schema" | "__type") {
            self.introspects = true;
        }
        let mut weight = if field.selection_set.node.items.is_empty() {
            Weight::default()
        } else {
            self.set(&field.selection_set.node, level + 1)?
        };
        weight.fields = weight
            .fields
            .saturating_mul(self.rows(field))
            .saturating_add(1);
        weight.aliases = weight
            .aliases
            .saturating_add(u64::from(field.alias.is_some()));
        Ok(weight)
    }

    fn fragment(&mut self, name: &'a Name, level: usize) -> Result<Weight, Fault> {
        let Some((name, definition)) = self.document.fragments.get_key_value(name) else {
            return Ok(Weight::default());
        };
        let weight = match self.fragments.get(name) {
            Some(Some(weight)) => *weight,
            Some(None) => {
                return Err(Fault::validation(format!(
                    "fragment {name} contains itself"
                )));
            }
            None => {
                self.fragments.insert(name, None);
                self.directives += definition.node.directives.len() as u64;
                let weight = self.set(&definition.node.selection_set.node, level + 1)?;
                self.fragments.insert(name, Some(weight));
                weight
            }
        };
        if level + weight.depth > self.options.depth_max {
            return Err(over("levels", self.options.depth_max as u64));
        }
        Ok(weight)
    }

    /// How many rows the field may have.
    fn rows(&self, field: &Field) -> u64 {
        let most = PAGE_MAX as u64;
        let asked = field
            .get_argument("first")
            .or_else(|| field.get_argument("last"));
        let Some(asked) = asked else {
            let is_paged = PAGED.contains(&field.name.node.as_str());
            return if is_paged { PAGE_DEFAULT as u64 } else { 1 };
        };
        // The default of a variable that is not given may be anything up to the
        // limit, and what is no number is refused later.
        let asked = asked
            .node
            .clone()
            .into_const_with(|name| self.variables.get(&name).cloned().ok_or(()));
        match asked {
            Ok(Value::Number(number)) => number.as_u64().map_or(most, |rows| rows.clamp(1, most)),
            Ok(_) | Err(()) => most,
        }
    }
}
