use super::results::{PAGE_BYTES_MAX, PAGE_ROWS_MAX};
use super::*;
use headwater_sql::session::Rows;

const AT_ONCE: Duration = Duration::ZERO;

fn operation() -> Operation {
    Operation::new(Uuid::nil(), Some(1_000))
}

fn described() -> Description {
    Description { columns: vec![], is_query: false, is_plain_success: true, job: None, zone: Tz::UTC }
}

fn rows(count: usize, width: usize) -> Results {
    Results::rows(&Rows::list("c", (0..count).map(|_| "x".repeat(width)))).expect("texts are a batch")
}

fn count(page: Page) -> Option<usize> {
    match page {
        Page::NotReady => None,
        Page::Ready(_, fetched) => Some(fetched.batches.iter().map(|batch| batch.num_rows()).sum()),
    }
}

#[test]
fn a_result_comes_in_pages_and_the_last_one_again() {
    let operation = operation();
    assert_eq!(count(operation.fetch(0, AT_ONCE).unwrap()), None);
    assert!(operation.begin());
    operation.finish(described(), rows(2 * PAGE_ROWS_MAX + 7, 1));
    assert_eq!(operation.status(), Status::Finished);
    for (token, expected) in
        [(0, PAGE_ROWS_MAX), (0, PAGE_ROWS_MAX), (1, PAGE_ROWS_MAX), (2, 7), (2, 7), (3, 0), (3, 0)]
    {
        assert_eq!(count(operation.fetch(token, AT_ONCE).unwrap()), Some(expected), "{token}");
    }
    for token in [0, 1, 4, u64::MAX] {
        let Err(NoPage::WrongToken(wrong)) = operation.fetch(token, AT_ONCE) else { panic!("{token} is wrong") };
        assert_eq!(wrong.expected, 3, "{token}");
    }
}

#[test]
fn a_page_is_bounded_in_bytes() {
    let operation = operation();
    operation.begin();
    let width = PAGE_BYTES_MAX / 4;
    operation.finish(described(), rows(10, width));
    let mut all = 0;
    for token in 0.. {
        let page = count(operation.fetch(token, AT_ONCE).unwrap()).unwrap();
        assert!(page <= 5, "{page}");
        all += page;
        if page == 0 {
            break;
        }
    }
    assert_eq!(all, 10);
}

#[test]
fn what_is_over_stays_over() {
    let ended = operation();
    ended.begin();
    ended.end(Status::Canceled).unwrap();
    ended.finish(described(), rows(1, 1));
    assert_eq!(ended.status(), Status::Canceled);
    assert!(matches!(ended.fetch(0, AT_ONCE), Err(NoPage::Over(Status::Canceled))));
    assert_eq!(ended.end(Status::Canceled), Err(Status::Canceled));
    ended.end(Status::Closed).unwrap();

    let waiting = operation();
    waiting.end(Status::Timeout).unwrap();
    assert!(!waiting.begin(), "nobody wants it any more");

    let failed = operation();
    failed.begin();
    failed.fail(Failure { exception: "E", message: "why".to_owned() });
    assert_eq!(failed.end(Status::Canceled), Err(Status::Error));
    let Err(NoPage::Failed(failure)) = failed.fetch(0, AT_ONCE) else { panic!("it failed") };
    assert_eq!(failure.message, "why");

    let finished = operation();
    finished.begin();
    finished.finish(described(), rows(1, 1));
    assert_eq!(finished.end(Status::Canceled), Err(Status::Finished), "nothing runs that could be cancelled");
    assert!(finished.is_forgettable());
}

#[test]
fn only_what_waits_can_be_late() {
    let operation = operation();
    assert!(!operation.is_late(999));
    assert!(operation.is_late(1_000));
    operation.begin();
    operation.finish(described(), rows(1, 1));
    assert!(!operation.is_late(1_000));
}
