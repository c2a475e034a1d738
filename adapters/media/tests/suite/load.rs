//! Many calls at once.

use crate::support::{options, start};
use ringledger_media::bench;

#[test]
fn two_hundred_legs_lose_nothing_in_two_seconds() {
    let (relay, _events) = start(&options(200));
    let report = bench::run(
        &relay,
        &bench::Options {
            calls: 100,
            duration_ms: 2_000,
            generators: 1,
        },
    )
    .unwrap();
    println!("{report}");
    assert_eq!(report.calls, 100);
    assert_eq!(report.sent, 100 * 2 * 100, "50 packets a second each way");
    assert_eq!(report.lost, 0, "{report}");
    assert!(report.latency_p50_us > 0);
}
