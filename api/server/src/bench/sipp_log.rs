//! What SIPp writes down: lines of our scenarios' `log` actions, and its own
//! statistics.

use std::collections::HashMap;

/// One line: `mark;name[;name];DATE<tab>TIME<tab>SECONDS.MICROSECONDS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What happened, a word of the scenario.
    pub mark: String,
    /// To whom: the call, and for an agent's phone also the agent.
    pub names: Vec<String>,
    /// When, in microseconds since 1970.
    pub at_us: u64,
}

/// All lines that have that form, in the order of the file.
pub(super) fn lines(text: &str) -> Vec<Line> {
    text.lines().filter_map(line).collect()
}

fn line(text: &str) -> Option<Line> {
    let mut fields: Vec<&str> = text.split(';').collect();
    let at_us = microseconds(fields.pop()?.rsplit('\t').next()?)?;
    let mut fields = fields.into_iter().map(|field| field.trim().to_owned());
    Some(Line {
        mark: fields.next()?,
        names: fields.collect(),
        at_us,
    })
}

fn microseconds(text: &str) -> Option<u64> {
    let (seconds, fraction) = text.trim().split_once('.')?;
    if fraction.len() != 6 {
        return None;
    }
    Some(seconds.parse::<u64>().ok()? * 1_000_000 + fraction.parse::<u64>().ok()?)
}

/// When each name had that mark for the first time.
pub(super) fn first_at<'a>(lines: &'a [Line], mark: &str) -> HashMap<&'a str, u64> {
    let mut found = HashMap::new();
    for line in lines.iter().filter(|line| line.mark == mark) {
        if let Some(name) = line.names.first() {
            found.entry(name.as_str()).or_insert(line.at_us);
        }
    }
    found
}

/// For each name that is in both: the time from one to the other. Clocks are
/// of one machine; a later that is not later counts as 0.
pub(super) fn between(from: &HashMap<&str, u64>, to: &HashMap<&str, u64>) -> Vec<u64> {
    from.iter()
        .filter_map(|(name, start)| Some(to.get(name)?.saturating_sub(*start)))
        .collect()
}

/// How long each agent was free between two calls: from `freed` to the next
/// `rung` of the same agent.
pub(super) fn idle_times(lines: &[Line]) -> Vec<u64> {
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_by_key(|line| line.at_us);
    let mut free_since: HashMap<&str, u64> = HashMap::new();
    let mut idle = Vec::new();
    for line in sorted {
        let Some(agent) = line.names.get(1) else {
            continue;
        };
        match line.mark.as_str() {
            "freed" => {
                free_since.insert(agent, line.at_us);
            }
            "rung" => {
                idle.extend(
                    free_since
                        .remove(agent.as_str())
                        .map(|since| line.at_us.saturating_sub(since)),
                );
            }
            // A mark of another scenario.
            _ => {}
        }
    }
    idle
}

/// SIPp's counters at the end of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counters {
    pub created: u64,
    pub successful: u64,
    pub failed: u64,
    pub retransmissions: u64,
    pub unexpected: u64,
}

/// The last line of a statistics file.
pub(super) fn counters(csv: &str) -> Option<Counters> {
    let mut rows = csv.lines().filter(|row| !row.trim().is_empty());
    let head: Vec<&str> = rows.next()?.split(';').collect();
    let last: Vec<&str> = rows.next_back()?.split(';').collect();
    let value = |name: &str| -> Option<u64> {
        let column = head.iter().position(|column| *column == name)?;
        last.get(column)?.parse().ok()
    };
    Some(Counters {
        created: value("TotalCallCreated")?,
        successful: value("SuccessfulCall(C)")?,
        failed: value("FailedCall(C)")?,
        retransmissions: value("Retransmissions(C)")?,
        unexpected: value("FailedUnexpectedMessage(C)")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_sipp_is_a_mark_its_names_and_an_instant() {
        let text = "rung;c12;a3;2026-11-21\t04:42:34.188362\t1795236154.188362\nnoise\n;;x\n";
        let expected = Line {
            mark: "rung".into(),
            names: vec!["c12".into(), "a3".into()],
            at_us: 1_795_236_154_188_362,
        };
        assert_eq!(lines(text), [expected]);
    }

    fn at(mark: &str, names: &[&str], at_us: u64) -> Line {
        Line {
            mark: mark.into(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            at_us,
        }
    }

    #[test]
    fn times_between_two_processes_are_matched_by_the_name_of_the_call() {
        let callers = [at("invited", &["c1"], 10), at("invited", &["c2"], 20)];
        // c1 is rung twice: a second agent was tried.
        let agents = [
            at("rung", &["c2", "a1"], 25),
            at("rung", &["c1", "a2"], 40),
            at("rung", &["c1", "a3"], 90),
        ];
        let mut got = between(&first_at(&callers, "invited"), &first_at(&agents, "rung"));
        got.sort_unstable();
        assert_eq!(got, [5, 30]);
    }

    #[test]
    fn an_agent_is_idle_from_one_call_to_the_next() {
        let lines = [
            at("rung", &["c1", "a1"], 0),
            at("rung", &["c2", "a2"], 1),
            at("freed", &["c1", "a1"], 100),
            at("freed", &["c2", "a2"], 105),
            at("rung", &["c4", "a2"], 106),
            at("rung", &["c3", "a1"], 103),
            at("freed", &["c3", "a1"], 200),
        ];
        assert_eq!(idle_times(&lines), [3, 1]);
    }

    #[test]
    fn the_counters_are_those_of_the_last_line() {
        let csv = "StartTime;TotalCallCreated;SuccessfulCall(C);FailedCall(C);\
                   FailedUnexpectedMessage(C);Retransmissions(C);\n\
                   a\tb;1;0;0;0;0;\na\tb;9;7;2;1;4;\n";
        assert_eq!(
            counters(csv),
            Some(Counters {
                created: 9,
                successful: 7,
                failed: 2,
                retransmissions: 4,
                unexpected: 1,
            })
        );
        assert_eq!(counters(""), None);
        assert_eq!(counters("StartTime;TotalCallCreated;\n"), None);
    }
}
