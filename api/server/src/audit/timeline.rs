//! `ringledger timeline`: one call, from its first event to its last, as a
//! ladder that a person can read.

use super::ladder::{Side, Step, draw, heads};
use anyhow::Context as _;
use commands::ports::Recorded;
use domain::time::Timestamp;
use projections::past::{Faces, faces, story};
use serde_json::Value;

/// The lines of a call's ladder. The call is named by its id, as logs, events
/// or GraphQL write it.
///
/// # Errors
/// When the store can not be read or has no such call.
pub async fn timeline(store_url: &str, call: &str) -> anyhow::Result<Vec<String>> {
    let id = graphql::call_id(call).with_context(|| format!("{call:?} is no id of a call"))?;
    let look = store::look(store_url)
        .await
        .context("store can not be opened")?;
    let read = look.read.as_deref();
    let events = story(look.log.as_ref(), read, id).await?;
    anyhow::ensure!(!events.is_empty(), "there is no call {id} on the record");
    let faces = match read {
        Some(read) => faces(read, id).await?,
        None => Faces::default(),
    };
    let events: Vec<Event> = events.iter().filter_map(Event::read).collect();
    let first = events.first().map(|event| event.at).unwrap_or_default();
    let mut lines = vec![
        format!(
            "call {id} from {} on {}",
            clean(faces.caller.as_deref().unwrap_or("(not known any more)")),
            first.to_string().split('T').next().unwrap_or_default()
        ),
        format!("{:<16}{:>9}  {}", "time (UTC)", "ms", heads()),
    ];
    let sides = Sides::of(&events, &faces);
    lines.extend(events.iter().map(|event| {
        let clock = event.at.to_string();
        let clock = clock.split('T').nth(1).unwrap_or_default();
        format!(
            "{:<16}{:>9}  {}",
            clock.trim_end_matches('Z'),
            event.at.ms_since(first),
            draw(&sides.step(event))
        )
    }));
    Ok(lines)
}

/// Text that came over the wire, fit for a terminal.
fn clean(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// An event with its fields.
struct Event<'a> {
    stored: &'a Recorded,
    at: Timestamp,
    fields: Value,
}

impl<'a> Event<'a> {
    fn read(stored: &'a Recorded) -> Option<Self> {
        let payload: Value = serde_json::from_str(&stored.payload).ok()?;
        let at = serde_json::from_value(payload.get("at")?.clone()).ok()?;
        let fields = payload.get("event")?.as_object()?.values().next()?.clone();
        Some(Self { stored, at, fields })
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.fields.pointer(pointer)?.as_str()
    }
}

/// Who is who in one call.
struct Sides<'a> {
    faces: &'a Faces,
    caller_leg: Option<String>,
}

impl<'a> Sides<'a> {
    fn of(events: &[Event<'_>], faces: &'a Faces) -> Self {
        let received = events
            .iter()
            .find(|event| &*event.stored.event_type == "call_received");
        Self {
            faces,
            caller_leg: received
                .and_then(|event| event.text("/leg"))
                .map(Into::into),
        }
    }

    /// The agent that an event is about.
    fn agent(&self, event: &Event<'_>) -> String {
        let key = event.stored.stream.key();
        // The key of a session is its agent's id and a number.
        let of_session = || key.rsplit_once('-').map(|(agent, _)| agent);
        let id = event.text("/session/agent").or_else(of_session);
        let name = id.and_then(|id| self.faces.agents.get(id));
        clean(name.map_or("agent", String::as_str))
    }

    fn queue(&self, event: &Event<'_>) -> String {
        let key = event.stored.stream.key();
        let id = event.text("/queue").unwrap_or(key);
        let name = self.faces.queues.get(id);
        clean(name.map_or("queue", String::as_str))
    }

    /// The side that did it, by its leg.
    fn side(&self, event: &Event<'_>) -> Side {
        if event.text("/leg") == self.caller_leg.as_deref() {
            Side::Caller
        } else {
            Side::Agent
        }
    }

    fn step(&self, event: &Event<'_>) -> Step {
        use Side::{Agent, Caller, Queue};
        let note = |side, text: String| Step::Note(side, text);
        let arrow = |from, to, text: String| Step::Arrow(from, to, text);
        let text = |pointer| clean(event.text(pointer).unwrap_or("?"));
        let agent = || self.agent(event);
        match &*event.stored.event_type {
            "call_received" => arrow(Caller, Queue, format!("INVITE {}", text("/to"))),
            "call_routed" => note(Queue, format!("leads to {}", self.queue(event))),
            "call_answered" => arrow(Queue, Caller, "answered".into()),
            "visit_matched" => note(Queue, format!("given to {}", agent())),
            "visit_returned" => note(Queue, format!("waits again ({})", text("/cause"))),
            "visit_closed" => note(Queue, format!("left the queue: {}", text("/result"))),
            "agent_reserved" => note(Agent, format!("{} is reserved", agent())),
            "reservation_released" => {
                note(Agent, format!("{} is free ({})", agent(), text("/reason")))
            }
            "offer_started" => arrow(Queue, Agent, format!("offer to {}", agent())),
            "leg_alerting" => arrow(Agent, Queue, "rings".into()),
            "offer_ended" => arrow(Agent, Queue, format!("no: {}", text("/outcome"))),
            "agent_connected" => arrow(Agent, Caller, format!("connected to {}", agent())),
            "agent_connected_to_contact" => note(Agent, format!("{} talks", agent())),
            "agent_contact_ended" => note(Agent, format!("{} has done", agent())),
            "wrap_up_started" => note(Agent, format!("{} wraps up", agent())),
            "wrap_up_ended" => note(Agent, format!("{} is done with wrap-up", agent())),
            "call_held" => match self.side(event) {
                Caller => arrow(Caller, Agent, "hold".into()),
                side @ (Queue | Agent) => arrow(side, Caller, "hold".into()),
            },
            "call_retrieved" => match self.side(event) {
                Caller => arrow(Caller, Agent, "retrieve".into()),
                side @ (Queue | Agent) => arrow(side, Caller, "retrieve".into()),
            },
            "call_ended" => self.end(event),
            other => note(
                side_of(event.stored.stream.category()),
                other.replace('_', " "),
            ),
        }
    }

    fn end(&self, event: &Event<'_>) -> Step {
        let disposition = event.text("/disposition").unwrap_or("?");
        let reason = event.text("/cause/reason").unwrap_or("?");
        let word = format!("{reason}: {disposition}");
        let was_with_agent = event.text("/session/agent").is_some();
        match event.text("/cause/by") {
            Some("caller") if was_with_agent => Step::Arrow(Side::Caller, Side::Agent, word),
            Some("caller") => Step::Arrow(Side::Caller, Side::Queue, word),
            Some("agent") => Step::Arrow(Side::Agent, Side::Caller, word),
            Some(_) | None => Step::Note(Side::Queue, format!("ended, {word}")),
        }
    }
}

/// The side that a stream's events stand at.
fn side_of(category: &str) -> Side {
    match category {
        "agent" | "session" | "device" => Side::Agent,
        _ => Side::Queue,
    }
}
