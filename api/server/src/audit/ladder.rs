//! Draws what happened as a ladder: a column for each side, an arrow for each
//! step.

/// Columns between two sides.
const STEP: usize = 24;

/// A side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Caller,
    Queue,
    Agent,
}

impl Side {
    pub(super) const ALL: [Self; 3] = [Self::Caller, Self::Queue, Self::Agent];

    const fn column(self) -> usize {
        match self {
            Self::Caller => 0,
            Self::Queue => STEP,
            Self::Agent => 2 * STEP,
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// From one side to another.
    Arrow(Side, Side, String),
    /// At one side.
    Note(Side, String),
}

/// The line of a step.
pub(super) fn draw(step: &Step) -> String {
    let mut line: Vec<char> = vec![' '; 2 * STEP + 1];
    for side in Side::ALL {
        line[side.column()] = '|';
    }
    match step {
        Step::Arrow(from, to, label) => arrow(&mut line, from.column(), to.column(), label),
        Step::Note(at, text) => {
            let mut column = at.column();
            for letter in std::iter::once('o')
                .chain(std::iter::once(' '))
                .chain(text.chars())
            {
                if column < line.len() {
                    line[column] = letter;
                } else {
                    line.push(letter);
                }
                column += 1;
            }
            if let Some(next) = line.get_mut(column)
                && *next != ' '
            {
                *next = ' ';
            }
        }
    }
    let line: String = line.into_iter().collect();
    line.trim_end().to_owned()
}

fn arrow(line: &mut [char], from: usize, to: usize, label: &str) {
    let (left, right) = (from.min(to) + 1, from.max(to) - 1);
    for place in &mut line[left..=right] {
        *place = '-';
    }
    if to > from {
        line[right] = '>';
    } else {
        line[left] = '<';
    }
    let room = right - left - 3;
    let label: Vec<char> = label.chars().take(room).collect();
    let start = left + 1 + (room - label.len()) / 2;
    line[start] = ' ';
    for (place, letter) in line[start + 1..].iter_mut().zip(&label) {
        *place = *letter;
    }
    line[start + 1 + label.len()] = ' ';
}

/// The line with the names of the sides.
pub(super) fn heads() -> String {
    format!("{:<STEP$}{:<STEP$}{}", "caller", "queue", "agent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_an_arrow_between_sides_or_a_note_at_one() {
        let arrow = |from, to, label: &str| draw(&Step::Arrow(from, to, label.into()));
        assert_eq!(
            heads(),
            "caller                  queue                   agent"
        );
        assert_eq!(
            arrow(Side::Caller, Side::Queue, "INVITE"),
            "|------- INVITE ------->|                       |"
        );
        assert_eq!(
            arrow(Side::Agent, Side::Queue, "rings"),
            "|                       |<------- rings --------|"
        );
        let long = arrow(Side::Caller, Side::Queue, &"x".repeat(99));
        assert_eq!(long.chars().count(), 49);
        let note = |side, text: &str| draw(&Step::Note(side, text.into()));
        assert_eq!(
            note(Side::Queue, "enqueued"),
            "|                       o enqueued              |"
        );
        assert_eq!(
            note(Side::Agent, "wrap-up"),
            "|                       |                       o wrap-up"
        );
    }
}
