use super::{Print, prefix, terminal_error};
use crate::test_support::{table, write_spec, writer_context};
use headwater_connector_api::Connector;
use headwater_types::ErrorKind;

#[test]
fn lines_start_as_in_flink() {
    let cases = [("", 1, ""), ("", 2, "1> "), ("name", 1, "name> "), ("name", 2, "name:1> ")];
    for (identifier, parallelism, expected) in cases {
        assert_eq!(prefix(identifier, &writer_context(0, parallelism)), expected);
    }
}

#[test]
fn a_closed_pipe_is_no_failure_of_the_job() {
    let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
    assert_eq!(terminal_error(closed).kind(), ErrorKind::Cancelled);
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    assert_eq!(terminal_error(full).kind(), ErrorKind::Retryable);
}

#[test]
fn options_are_checked() {
    let spec = write_spec(table(&[], &[("connector", "print"), ("print-identifer", "x")]));
    let error = Print.sink(&spec).err().unwrap();
    assert!(error.message().contains("did you mean 'print-identifier'?"), "{error}");
}
