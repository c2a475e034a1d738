//! The caller's leg as a table: we are the server of its INVITE.

/// Where the leg is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The INVITE waits for its final response.
    Early,
    /// 200 was sent, no ACK yet.
    Answered,
    /// 200 was sent and the call is over, but a BYE must wait for the ACK.
    Leaving,
    /// The dialog stands.
    Confirmed,
    /// Over.
    Ended,
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The call was answered.
    Answer,
    /// The call ended, or the leg is not wanted any more.
    Release,
    /// The caller's ACK came.
    Ack,
    /// The caller's ACK did not come in 64*T1.
    AckMissing,
    /// The caller cancelled.
    Cancel,
    /// The caller hung up.
    Bye,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// 200 with our session description.
    SendAnswer,
    /// A final response that refuses.
    SendRefusal,
    /// BYE.
    SendBye,
    /// Tell the call that the caller gave up.
    ReportCancel,
    /// Tell the call that the caller hung up.
    ReportBye,
    /// Tell the call that the caller does not answer any more.
    ReportLost,
}

/// One step.
pub fn step(state: State, input: Input) -> (State, &'static [Action]) {
    use Action as A;
    use Input as I;
    use State as S;
    match (state, input) {
        (S::Early, I::Answer) => (S::Answered, &[A::SendAnswer]), // 13.3.1.4
        (S::Early, I::Release) => (S::Ended, &[A::SendRefusal]),  // 13.3.1.3
        (S::Early, I::Cancel) => (S::Early, &[A::ReportCancel]),  // 9.2; 487 follows the record
        (S::Early, I::Bye) => (S::Early, &[A::ReportBye]),        // 15.1.2: early dialog
        (S::Answered, I::Ack) => (S::Confirmed, &[]),             // 13.3.1.4
        (S::Answered, I::Release) => (S::Leaving, &[]),           // 15: no BYE before the ACK
        (S::Answered, I::AckMissing) => (S::Ended, &[A::SendBye, A::ReportLost]), // 13.3.1.4
        (S::Leaving, I::Ack | I::AckMissing) => (S::Ended, &[A::SendBye]), // 15
        (S::Confirmed, I::Release) => (S::Ended, &[A::SendBye]),  // 15.1.1
        // The caller may hang up as soon as the 200 was sent, ACK lost or not.
        (S::Answered | S::Confirmed, I::Bye) => (S::Ended, &[A::ReportBye]), // 15.1.2
        (S::Leaving, I::Bye) => (S::Ended, &[]),
        // A CANCEL after the final response has no effect (9.2); a second ACK
        // is a retransmission; nothing moves a leg that is over.
        _ => (state, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(inputs: &[Input]) -> (State, Vec<Action>) {
        let mut state = State::Early;
        let mut done = Vec::new();
        for input in inputs {
            let (next, actions) = step(state, *input);
            state = next;
            done.extend_from_slice(actions);
        }
        (state, done)
    }

    #[test]
    fn a_bye_of_ours_waits_for_the_ack() {
        let (state, done) = run(&[Input::Answer, Input::Release]);
        assert_eq!((state, done), (State::Leaving, vec![Action::SendAnswer]));
        let (state, done) = run(&[Input::Answer, Input::Release, Input::Ack]);
        assert_eq!(state, State::Ended);
        assert_eq!(done, [Action::SendAnswer, Action::SendBye]);
    }

    #[test]
    fn an_ack_that_never_comes_ends_the_leg_with_a_bye() {
        let (_, done) = run(&[Input::Answer, Input::AckMissing]);
        assert_eq!(
            done,
            [Action::SendAnswer, Action::SendBye, Action::ReportLost]
        );
    }

    #[test]
    fn a_cancel_that_crosses_the_200_changes_nothing() {
        let (state, done) = run(&[Input::Answer, Input::Cancel, Input::Ack]);
        assert_eq!(state, State::Confirmed);
        assert_eq!(done, [Action::SendAnswer]);
    }

    #[test]
    fn a_leg_ends_once_in_every_order_of_inputs() {
        let all = [
            Input::Answer,
            Input::Release,
            Input::Ack,
            Input::AckMissing,
            Input::Cancel,
            Input::Bye,
        ];
        for code in 0..6_usize.pow(5) {
            let inputs: Vec<_> = (0..5)
                .map(|place| all[code / 6_usize.pow(place) % 6])
                .collect();
            let (_, done) = run(&inputs);
            let count = |wanted| done.iter().filter(|action| **action == wanted).count();
            assert!(
                count(Action::SendAnswer) + count(Action::SendRefusal) <= 1,
                "{inputs:?}: {done:?}"
            );
            assert!(count(Action::SendBye) <= 1, "{inputs:?}: {done:?}");
            assert!(
                count(Action::SendBye) <= count(Action::SendAnswer),
                "{inputs:?}: {done:?}"
            );
        }
    }
}
