//! `ringledger`: parse the command line, run one command, say what went wrong.

use std::process::ExitCode;

fn main() -> ExitCode {
    ringledger_server::cli::run()
}
