//! Decisions on hand-made facts: the short stories. The long ones are random schedules, in the test kit.

mod canary;
mod flows;
mod hand;
mod places;
mod shards;
mod stored;
mod story;
mod verdicts;
mod watch;

#[test]
fn the_texts_of_both_languages_name_the_same_things() {
    assert_eq!(crate::fault::check_catalog(super::faults::ALL), Vec::<String>::new());
}
