//! One INVITE of ours to one phone as a table: we are the client. An agent's
//! leg is a fork to each of the agent's phones; the first answer wins.

/// Where the fork is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing has come back.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// Not wanted any more, but a CANCEL must wait for a provisional response.
    Unwanted,
    /// CANCEL was sent.
    Cancelling,
    /// Answered, and it is the leg's answer.
    Answered,
    /// Over without an answer; one may still come, from a phone that was given up
    /// or over another branch.
    Unanswered,
    /// Over.
    Ended,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// 100.
    Trying,
    /// 101 to 199.
    Progress,
    /// 2xx, for the first time or again.
    Success,
    /// 300 to 699.
    Failure,
    /// No final response will come.
    Silence,
    /// The leg is not wanted any more, or another fork has won.
    Release,
    /// The phone hung up.
    Bye,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// ACK the 2xx.
    SendAck,
    /// CANCEL the INVITE.
    SendCancel,
    /// BYE.
    SendBye,
    /// Tell the leg that this phone rings.
    Alerting,
    /// Tell the leg that this phone has answered.
    Answered,
    /// Tell the leg that this phone will not.
    Failed,
    /// Tell the call that the agent hung up.
    ReportBye,
}

impl State {
    /// Whether nothing more is to be done for it.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Unanswered | Self::Ended => true,
            Self::Calling
            | Self::Proceeding
            | Self::Unwanted
            | Self::Cancelling
            | Self::Answered => false,
        }
    }
}

/// One step.
pub fn step(state: State, input: Input) -> (State, &'static [Action]) {
    use Action as A;
    use Input as I;
    use State as S;
    match (state, input) {
        (S::Calling, I::Trying) => (S::Proceeding, &[]), // 17.1.1.2
        (S::Calling | S::Proceeding, I::Progress) => (S::Proceeding, &[A::Alerting]),
        (S::Calling | S::Proceeding, I::Success) => (S::Answered, &[A::SendAck, A::Answered]), // 13.2.2.4
        (S::Calling | S::Proceeding, I::Failure | I::Silence) => (S::Unanswered, &[A::Failed]),
        (S::Calling, I::Release) => (S::Unwanted, &[]), // 9.1: no CANCEL before a provisional
        (S::Proceeding, I::Release) => (S::Cancelling, &[A::SendCancel]), // 9.1
        (S::Unwanted, I::Trying | I::Progress) => (S::Cancelling, &[A::SendCancel]), // 9.1
        // The 200 was on its way: the dialog stands and must be ended (15).
        // So does one of which nobody thought any more (13.2.2.4).
        (S::Unwanted | S::Cancelling | S::Unanswered, I::Success) => {
            (S::Ended, &[A::SendAck, A::SendBye])
        }
        (S::Unwanted | S::Cancelling, I::Failure | I::Silence) => (S::Unanswered, &[]),
        // A retransmitted 2xx wants its ACK again (13.2.2.4).
        (S::Answered | S::Ended, I::Success) => (state, &[A::SendAck]),
        (S::Answered, I::Release) => (S::Ended, &[A::SendBye]), // 15.1.1
        (S::Answered, I::Bye) => (S::Ended, &[A::ReportBye]),   // 15.1.2
        // Late provisionals, a release of what is over.
        _ => (state, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(inputs: &[Input]) -> (State, Vec<Action>) {
        let mut state = State::Calling;
        let mut done = Vec::new();
        for input in inputs {
            let (next, actions) = step(state, *input);
            state = next;
            done.extend_from_slice(actions);
        }
        (state, done)
    }

    #[test]
    fn a_cancel_waits_for_the_first_provisional() {
        let (_, done) = run(&[Input::Release]);
        assert_eq!(done, []);
        let (_, done) = run(&[Input::Release, Input::Trying]);
        assert_eq!(done, [Action::SendCancel]);
    }

    #[test]
    fn an_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up() {
        let (state, done) = run(&[Input::Progress, Input::Release, Input::Success]);
        assert_eq!(state, State::Ended);
        assert_eq!(
            done,
            [
                Action::Alerting,
                Action::SendCancel,
                Action::SendAck,
                Action::SendBye
            ]
        );
    }

    #[test]
    fn a_repeated_answer_gets_its_ack_again_also_after_the_end() {
        let (_, done) = run(&[
            Input::Success,
            Input::Success,
            Input::Release,
            Input::Success,
        ]);
        let acks = done.iter().filter(|a| **a == Action::SendAck).count();
        assert_eq!(acks, 3);
        let byes = done.iter().filter(|a| **a == Action::SendBye).count();
        assert_eq!(byes, 1);
    }

    #[test]
    fn an_answer_that_comes_after_we_gave_up_is_acknowledged_and_hung_up_once() {
        for gave_up in [
            &[Input::Silence][..],
            &[Input::Trying, Input::Silence],
            &[Input::Progress, Input::Failure],
            &[Input::Release, Input::Silence],
            &[Input::Progress, Input::Release, Input::Failure],
        ] {
            let late = [gave_up, &[Input::Success, Input::Success]].concat();
            let (state, done) = run(&late);
            assert_eq!(state, State::Ended, "{late:?}");
            let tail = &done[done.len() - 3..];
            let expected = [Action::SendAck, Action::SendBye, Action::SendAck];
            assert_eq!(tail, expected, "{late:?}");
        }
    }

    #[test]
    fn no_dialog_is_left_standing_in_any_order_that_ends_with_a_release() {
        let all = [
            Input::Trying,
            Input::Progress,
            Input::Success,
            Input::Failure,
            Input::Silence,
            Input::Release,
        ];
        for code in 0..6_usize.pow(4) {
            let mut inputs: Vec<_> = (0..4)
                .map(|place| all[code / 6_usize.pow(place) % 6])
                .collect();
            inputs.push(Input::Release);
            let (state, done) = run(&inputs);
            assert_ne!(state, State::Answered, "{inputs:?}");
            let byes = done.iter().filter(|a| **a == Action::SendBye).count();
            assert!(byes <= 1, "{inputs:?}: {done:?}");
            if done.contains(&Action::SendAck) {
                assert_eq!(byes, 1, "{inputs:?}: {done:?}");
            }
        }
    }
}
