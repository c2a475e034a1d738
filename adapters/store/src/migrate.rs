//! The numbered, forward-only migrations, embedded in the program. Adding one
//! is a file in `migrations/sqlite`, one in `migrations/postgres`, and one
//! entry in [`ALL`].

/// Which database a migration belongs to: a file of its own on SQLite, a
/// schema of its own on PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The event log: `log.db`, schema `public`.
    Log,
    /// Read models, checkpoints and process rows: `read.db`, schema `read_models`.
    Read,
    /// Data keys and credentials: `secrets.db`, schema `secrets`.
    Secrets,
}

/// One step forward.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Place in the order; never reused.
    pub number: i64,
    /// Which database.
    pub target: Target,
    /// What it adds, for messages.
    pub name: &'static str,
    /// SQL for SQLite.
    pub sqlite: &'static str,
    /// SQL for PostgreSQL.
    pub postgres: &'static str,
}

macro_rules! migration {
    ($number:literal, $target:ident, $file:literal) => {
        Migration {
            number: $number,
            target: Target::$target,
            name: $file,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $file, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $file, ".sql")),
        }
    };
}

/// Every migration, in order of number.
pub const ALL: &[Migration] = &[
    migration!(1, Log, "0001_events"),
    migration!(2, Log, "0002_nodes"),
    migration!(3, Read, "0003_heartbeats"),
    migration!(4, Secrets, "0004_vault"),
    migration!(5, Secrets, "0005_secrets"),
    migration!(6, Log, "0006_append"),
    migration!(10, Read, "0010_snapshots"),
    migration!(11, Log, "0011_refusals"),
    migration!(12, Log, "0012_plain_events"),
    migration!(20, Log, "0020_members"),
    migration!(21, Read, "0021_process_lead"),
    migration!(22, Read, "0022_binding_nodes"),
    migration!(30, Secrets, "0030_vault_erasures"),
    migration!(31, Read, "0031_erasures"),
    migration!(90, Read, "0090_sip_bindings"),
    migration!(100, Read, "0100_processes"),
    migration!(101, Read, "0101_projections"),
    migration!(102, Read, "0102_timeline"),
    migration!(103, Read, "0103_live_calls"),
    migration!(104, Read, "0104_agent_states"),
    migration!(105, Read, "0105_queue_stats"),
    migration!(106, Read, "0106_cdr"),
    migration!(107, Read, "0107_trunks"),
    migration!(108, Read, "0108_queue_matched"),
    migration!(110, Read, "0110_agent_subject"),
    migration!(120, Read, "0120_boards"),
    migration!(160, Read, "0160_cdr_legs"),
    migration!(161, Read, "0161_billing"),
    migration!(180, Read, "0180_trunks_outbound"),
    migration!(210, Read, "0210_live_offers"),
    migration!(211, Read, "0211_agent_skills"),
    migration!(220, Read, "0220_visits"),
    migration!(221, Read, "0221_agent_log"),
    migration!(222, Read, "0222_cdr_by_end"),
    migration!(250, Read, "0250_outbox"),
    migration!(300, Read, "0300_kurrent_index"),
    migration!(301, Read, "0301_cdr_phone"),
    migration!(330, Read, "0330_callbacks"),
    migration!(350, Read, "0350_not_ready_codes"),
    migration!(351, Read, "0351_agent_grace"),
    migration!(370, Read, "0370_cdr_quality"),
    migration!(371, Read, "0371_projection_switches"),
    migration!(372, Log, "0372_member_lease"),
    migration!(380, Read, "0380_queue_doors"),
    migration!(381, Read, "0381_callback_agent"),
    migration!(390, Read, "0390_visit_previous"),
    migration!(391, Read, "0391_queue_paused"),
    migration!(392, Read, "0392_queue_deleted"),
    migration!(400, Log, "0400_recordings"),
    migration!(401, Read, "0401_mailboxes"),
    migration!(402, Read, "0402_cdr_voicemail"),
    migration!(410, Read, "0410_queue_revision"),
    migration!(411, Read, "0411_visit_measure"),
    migration!(412, Read, "0412_visit_attempts"),
    migration!(413, Read, "0413_agent_session_revision"),
    migration!(414, Read, "0414_staff"),
    migration!(415, Read, "0415_supervision"),
    migration!(430, Read, "0430_call_tags"),
    migration!(431, Read, "0431_cdr_devices"),
    migration!(440, Read, "0440_tagged_calls"),
    migration!(441, Read, "0441_projection_parked"),
    migration!(442, Read, "0442_refusal_sums"),
    migration!(443, Read, "0443_visit_target"),
    migration!(444, Read, "0444_agent_capacity"),
    migration!(445, Read, "0445_cdr_agent_left"),
    migration!(446, Read, "0446_cdr_went_out"),
    migration!(447, Read, "0447_contacts_again"),
    migration!(450, Secrets, "0450_vault_clean"),
    migration!(451, Log, "0451_clock_steps"),
    migration!(452, Read, "0452_kurrent_times"),
    migration!(453, Read, "0453_kurrent_fence"),
    migration!(454, Read, "0454_live_direction"),
    migration!(455, Read, "0455_cdr_transfers"),
    migration!(456, Read, "0456_schedules"),
    migration!(460, Read, "0460_queue_slots"),
    migration!(461, Read, "0461_queue_short_abandons"),
    migration!(470, Read, "0470_binding_websockets"),
];

/// Why a database can not be brought to this program's version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MigrateError {
    /// A later version of the program has changed it.
    #[error(
        "database has migration {found}, this program knows only up to {known}: it was written by a newer version"
    )]
    Newer {
        /// Highest number in the database.
        found: i64,
        /// Highest number that the program knows.
        known: i64,
    },
    /// A step did not work; it was undone.
    #[error("migration {name} failed: {reason}")]
    Failed {
        /// Which one.
        name: &'static str,
        /// What the database said.
        reason: String,
    },
}

/// The migrations that a database still needs, given the numbers it has.
///
/// # Errors
/// [`MigrateError::Newer`] when it has one that this program does not know.
pub(crate) fn missing(
    all: &'static [Migration],
    target: Target,
    applied: &[i64],
) -> Result<Vec<&'static Migration>, MigrateError> {
    let ours = || all.iter().filter(|migration| migration.target == target);
    let unknown = applied
        .iter()
        .filter(|number| !ours().any(|migration| migration.number == **number))
        .max();
    if let Some(&found) = unknown {
        let known = ours().map(|migration| migration.number).max().unwrap_or(0);
        return Err(MigrateError::Newer { found, known });
    }
    Ok(ours()
        .filter(|migration| !applied.contains(&migration.number))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_and_are_the_files_own() {
        for pair in ALL.windows(2) {
            assert!(pair[0].number < pair[1].number, "{}", pair[1].name);
        }
        for migration in ALL {
            assert!(
                migration
                    .name
                    .starts_with(&format!("{:04}_", migration.number)),
                "{}",
                migration.name
            );
        }
    }

    #[test]
    fn a_new_database_needs_all_of_its_target() {
        let names: Vec<_> = missing(ALL, Target::Log, &[])
            .unwrap()
            .iter()
            .map(|migration| migration.name)
            .collect();
        assert_eq!(
            names,
            [
                "0001_events",
                "0002_nodes",
                "0006_append",
                "0011_refusals",
                "0012_plain_events",
                "0020_members",
                "0372_member_lease",
                "0400_recordings",
                "0451_clock_steps"
            ]
        );
    }

    #[test]
    fn a_database_of_a_newer_version_is_refused_by_number() {
        let error = missing(ALL, Target::Log, &[1, 2, 6, 11, 12, 9999]).unwrap_err();
        assert_eq!(
            error,
            MigrateError::Newer {
                found: 9999,
                known: 451
            }
        );
    }
}
