//! The contract that every event log obeys, as functions over the port. A
//! store's tests call each of them with a fresh log, or with an [`Installation`] where
//! the store itself is opened, copied or written to from outside.

mod appends;
mod copies;
mod installation;
mod leaders;
mod readers;
mod words;
mod writers;

pub use appends::{
    a_command_with_an_effect_is_not_refused, a_refused_append_leaves_the_others_of_its_batch,
    a_refused_command_stays_refused, a_retry_hears_the_first_result,
    an_append_without_events_is_refused, expected_version_is_exact,
    one_command_has_one_effect_inside_a_batch, what_was_written_is_read,
};
pub use copies::dump_and_restore_keep_positions;
pub use installation::{Installation, Second, Slow};
pub use leaders::{
    a_second_server_never_writes_beside_the_first, of_two_leaders_the_older_is_fenced,
};
pub use readers::{
    a_long_stretch_is_read_like_its_parts, a_stream_is_read_in_pages,
    events_are_found_by_when_they_were_taken, everything_is_kept,
    reading_resumes_after_every_position, the_golden_corpus_is_read_as_it_was_stored,
    wakeups_follow_the_head, written_before,
};
pub use words::{Ids, append_of, change_of};
pub use writers::{
    a_hot_stream_stays_contiguous, a_slow_or_undone_writer_is_waited_for_and_leaves_no_hole,
    a_tail_reader_misses_nothing, writers_that_are_given_up_on_lose_nothing,
};
