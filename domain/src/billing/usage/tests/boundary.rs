//! What is left of a call of which a part is included.

use super::*;

#[test]
fn the_rest_of_a_call_at_the_boundary_is_rounded_as_the_call_was() {
    // 60 + 60 s, 100 s included: the second call pays for 20 s at 0.10 a minute, 0.0333..
    let rounded = |rounding| {
        let call = |number| Record {
            tariff: Tariff::flat(decimal("0.10")),
            amount: decimal("0.10"),
            rounding,
            ..record(number, 1, 60)
        };
        let closed = story([recorded(call(1)), recorded(call(2))]);
        let closed = closed.when(close(100)).events();
        let [Event::PeriodClosed { totals, .. }] = &closed[..] else {
            unreachable!("{closed:?}")
        };
        totals[0].due
    };
    assert_eq!(rounded(None), decimal("0.033333"));
    assert_eq!(rounded(Some(Rounding::Up)), decimal("0.033334"));
}
