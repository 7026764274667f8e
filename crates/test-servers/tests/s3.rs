//! The S3 server starts, keeps its data over a kill, and goes with its handle.

use headwater_test_servers::S3;

#[test]
fn a_server_lives_as_long_as_its_handle() {
    let mut server = S3::start().expect("the server starts");
    server.create_bucket("bucket").expect("the bucket is made");
    server.kill().expect("the server is killed");
    assert!(!server.is_running());
    server.start_again().expect("the server starts again");
    let log = server.log();
    assert!(log.exists());
    drop(server);
    assert!(!log.exists(), "its directory goes with it");
}
