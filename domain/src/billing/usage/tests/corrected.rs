//! What takes the place of what a closed month has counts by its own price.

use super::*;

/// Which tier a month reaches is not known before its end, so that the dearest counts;
/// what takes the place of what a closed month has is owed by its own price.
#[test]
fn what_is_corrected_counts_by_its_own_price_and_anything_else_by_the_dearest() {
    let (one, two, three) = (record(1, 1, 60), record(1, 2, 30), record(1, 3, 90));
    let asked = |new: &Record, old: &[Record], most: (u32, &str, &str), own: (&str, &str)| {
        let mut command = ask_with(from_ref(new), old, most);
        if let Command::Record {
            commits: Some(commits),
            ..
        } = &mut command
        {
            commits.own = Some(Own {
                amount: decimal(own.0),
                replaced: decimal(own.1),
            });
        }
        command
    };
    // What the month says after each: what counts, and what it is one of.
    let told = |commands: Vec<Command>| {
        let mut month = Usage::default();
        let mut said = vec![];
        for command in commands {
            for event in Usage::decide(&month, second(100), command).unwrap() {
                if let Event::Valued { amount, sums, .. } = &event {
                    let sums = sums.map(|sums| (sums.most.to_string(), sums.own.to_string()));
                    said.push((amount.to_string(), sums));
                }
                month = Usage::evolve(month, second(100), &event);
            }
        }
        said
    };
    let sums = |counts: &str, most: &str, own: &str| {
        (counts.to_owned(), Some((most.to_owned(), own.to_owned())))
    };
    let one_sum = |counts: &str| (counts.to_owned(), None);
    let first = || asked(&one, &[], (1, "0.20", "0"), ("0.06", "0"));
    let second_price = || {
        let most = (2, "0.30", "0.20");
        asked(&two, from_ref(&one), most, ("0.30", "0.06"))
    };
    let third_price = || {
        let most = (3, "0.90", "0.30");
        asked(&three, from_ref(&two), most, ("0.09", "0.30"))
    };
    let in_one_month = told(vec![first(), second_price(), third_price()]);
    assert_eq!(
        in_one_month,
        [
            sums("0.2", "0.2", "0.06"),
            one_sum("0.3"),
            sums("0.9", "0.9", "0.09")
        ]
    );
    let after_the_first_was_closed = told(vec![second_price(), third_price()]);
    assert_eq!(
        after_the_first_was_closed,
        [sums("0.24", "0.1", "0.24"), sums("0.03", "0.7", "0.03")]
    );
    let the_second_was_told_before_the_first = told(vec![second_price(), first()]);
    assert_eq!(
        the_second_was_told_before_the_first,
        [sums("0.24", "0.1", "0.24"), one_sum("0.3")]
    );
}
