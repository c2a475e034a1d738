//! `ringledger erlang`: how many callers wait, by the formulas of Erlang, as a
//! check whether what a report or the simulator says is plausible.
//!
//! Erlang C takes it that nobody ever leaves; Erlang A (Palm) that each caller
//! leaves after an exponentially distributed patience.

use std::process::ExitCode;

/// What is asked.
#[derive(Debug, Clone, clap::Args)]
pub struct Erlang {
    /// Calls in an hour.
    #[arg(long)]
    calls_per_hour: f64,
    /// Mean time that an agent has a call, wrap-up included, in seconds.
    #[arg(long)]
    aht: f64,
    /// Agents.
    #[arg(long)]
    agents: u32,
    /// T: answered within so many seconds counts as in time.
    #[arg(long, default_value_t = 20.0)]
    threshold: f64,
    /// Mean patience in seconds, for Erlang A.
    #[arg(long)]
    patience: Option<f64>,
}

/// What a formula says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// Share of calls that wait at all.
    pub waits: f64,
    /// Share of all calls that are answered within the threshold.
    pub service_level: f64,
    /// Mean wait of all calls, in seconds.
    pub mean_wait: f64,
    /// Share of calls that leave.
    pub abandons: f64,
}

/// Agents at most: the sums stay small.
const AGENTS_MAX: u32 = 100_000;

/// Erlang B by its recursion: the share of calls lost when nobody can wait.
fn blocking(load: f64, agents: u32) -> f64 {
    (1..=agents).fold(1.0, |before, n| {
        load * before / (f64::from(n) + load * before)
    })
}

/// Erlang C; none when there is more work than agents can do: then the line
/// grows for ever.
pub fn erlang_c(load: f64, aht: f64, agents: u32, threshold: f64) -> Option<Answer> {
    let n = f64::from(agents);
    if load >= n {
        return None;
    }
    let lost = blocking(load, agents);
    let waits = n * lost / (n - load * (1.0 - lost));
    Some(Answer {
        waits,
        service_level: 1.0 - waits * (-(n - load) * threshold / aht).exp(),
        mean_wait: waits * aht / (n - load),
        abandons: 0.0,
    })
}

/// Erlang A: the states of a birth and death process, summed up until what is
/// left does not count. In time are calls that are answered in time, of all.
pub fn erlang_a(load: f64, aht: f64, agents: u32, threshold: f64, patience: f64) -> Answer {
    let (arrivals, leaving) = (load / aht, 1.0 / patience);
    let served = f64::from(agents) / aht;
    // Weights relative to the state in which all agents are busy and nobody
    // waits; those of the states below are Erlang B's.
    let below = 1.0 / blocking(load, agents) - 1.0;
    let mut waits = Waits::new(served, leaving, threshold);
    let (mut weight, mut above, mut line, mut in_time) = (1.0, 0.0, 0.0, 0.0);
    let mut waiting = 0.0;
    while weight > (above + below) * 1e-12 {
        above += weight;
        line += waiting * weight;
        in_time += weight * waits.answered_in_time();
        waiting += 1.0;
        weight *= arrivals / (served + waiting * leaving);
        waits.one_more_before_me();
    }
    let whole = below + above;
    Answer {
        waits: above / whole,
        service_level: (below + in_time) / whole,
        mean_wait: line / whole / arrivals,
        abandons: leaving * line / whole / arrivals,
    }
}

/// Parts of the integral over the time until the threshold; even, for Simpson.
const PARTS: u32 = 400;

/// How long a caller who finds so many others waiting would wait, as a density
/// over time: sums of exponential gaps whose rates grow by the leaving of one.
struct Waits {
    served: f64,
    leaving: f64,
    step: f64,
    before_me: f64,
    /// Of each instant: the density times the chance of still being there.
    density: Vec<f64>,
}

impl Waits {
    fn new(served: f64, leaving: f64, threshold: f64) -> Self {
        let step = threshold / f64::from(PARTS);
        let density = (0..=PARTS)
            .map(|part| served * (-(served + leaving) * step * f64::from(part)).exp())
            .collect();
        Self {
            served,
            leaving,
            step,
            before_me: 0.0,
            density,
        }
    }

    fn one_more_before_me(&mut self) {
        self.before_me += 1.0;
        let rate = (self.served + self.before_me * self.leaving) / (self.before_me * self.leaving);
        for (part, density) in (0u32..).zip(&mut self.density) {
            *density *= rate * (1.0 - (-self.leaving * self.step * f64::from(part)).exp());
        }
    }

    /// Simpson's rule.
    fn answered_in_time(&self) -> f64 {
        let sum: f64 = (0u32..)
            .zip(&self.density)
            .map(|(part, density)| match part {
                0 | PARTS => *density,
                odd if odd % 2 == 1 => 4.0 * density,
                _ => 2.0 * density,
            })
            .sum();
        sum * self.step / 3.0
    }
}

/// Answers the question.
///
/// # Errors
/// When a number makes no sense.
pub fn run(asked: &Erlang) -> anyhow::Result<ExitCode> {
    let Erlang {
        calls_per_hour,
        aht,
        agents,
        threshold,
        patience,
    } = *asked;
    let positive = |number: f64| number.is_finite() && number > 0.0;
    anyhow::ensure!(
        positive(calls_per_hour) && positive(aht) && patience.is_none_or(positive),
        "calls per hour, AHT and patience are greater than 0"
    );
    anyhow::ensure!(
        (1..=AGENTS_MAX).contains(&agents) && threshold >= 0.0 && threshold.is_finite(),
        "agents are 1 to {AGENTS_MAX}, the threshold is not negative"
    );
    let load = calls_per_hour * aht / 3_600.0;
    say(&format!("load {load:.2} erlangs for {agents} agents"));
    match erlang_c(load, aht, agents, threshold) {
        Some(answer) => show("Erlang C (nobody leaves)", &answer, threshold),
        None => say("Erlang C: more work than the agents can do; the line grows for ever"),
    }
    if let Some(patience) = patience {
        let answer = erlang_a(load, aht, agents, threshold, patience);
        show("Erlang A", &answer, threshold);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(name: &str, answer: &Answer, threshold: f64) {
    say(&format!(
        "{name}: {:.2} % wait, {:.2} % answered within {threshold} s, mean wait {:.2} s, {:.2} % leave",
        answer.waits * 100.0,
        answer.service_level * 100.0,
        answer.mean_wait,
        answer.abandons * 100.0,
    ));
}

#[allow(clippy::print_stdout, reason = "the command line speaks to a person")]
fn say(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(value: f64, expected: f64, within: f64) {
        assert!(
            (value - expected).abs() <= within,
            "{value} is not {expected}"
        );
    }

    /// The worked example of Call Centre Helper's Erlang C page: 100 calls of
    /// 180 s in half an hour, 14 agents.
    #[test]
    fn erlang_c_gives_the_published_example() {
        let answer = erlang_c(10.0, 180.0, 14, 20.0).unwrap();
        close(answer.waits, 0.1741, 0.00005);
        close(answer.service_level, 0.8884, 0.00005);
        close(answer.mean_wait, 7.83, 0.01);
        assert_eq!(erlang_c(14.0, 180.0, 14, 20.0), None);
    }

    /// Mandelbaum and Zeltyn, "The Palm/Erlang-A Queue": 48 calls a minute of
    /// one minute each, 50 agents, a patience of two minutes.
    #[test]
    fn erlang_a_gives_the_published_example() {
        let without = erlang_c(48.0, 60.0, 50, 20.0).unwrap();
        close(without.mean_wait, 20.8, 0.1);
        let answer = erlang_a(48.0, 60.0, 50, 20.0, 120.0);
        close(answer.abandons, 0.031, 0.0005);
        close(answer.mean_wait, 3.7, 0.05);
    }

    /// Who is very patient is Erlang C's caller.
    #[test]
    fn erlang_a_with_endless_patience_is_erlang_c() {
        let (c, a) = (
            erlang_c(10.0, 180.0, 12, 20.0).unwrap(),
            erlang_a(10.0, 180.0, 12, 20.0, 1e9),
        );
        close(a.waits, c.waits, 1e-4);
        close(a.service_level, c.service_level, 1e-4);
        close(a.mean_wait, c.mean_wait, 1e-2);
    }
}
