#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn versions_of_node() {
    for (text, expected) in
        [("v20.19.1", Some((20, 19))), ("v9.0.0", Some((9, 0))), ("20.19.1", None), ("v20", None), ("", None)]
    {
        assert_eq!(node_version(text), expected, "{text}");
    }
    assert!(node_version("v20.9.0").unwrap() < NODE_MIN);
    assert!(node_version("v22.0.0").unwrap() > NODE_MIN);
}

#[test]
fn a_digest_changes_with_names_and_contents() {
    let folder = std::env::temp_dir().join(format!("headwater-xtask-web-{}", std::process::id()));
    fs::create_dir_all(folder.join("inner")).unwrap();
    let digest = || {
        let mut hasher = Sha256::new();
        add(&mut hasher, &folder).unwrap();
        hasher.finalize()
    };
    fs::write(folder.join("inner/a"), "one").unwrap();
    let first = digest();
    assert_eq!(first, digest());
    fs::write(folder.join("inner/a"), "two").unwrap();
    let second = digest();
    assert_ne!(first, second);
    fs::rename(folder.join("inner/a"), folder.join("inner/b")).unwrap();
    assert_ne!(second, digest());
    fs::remove_dir_all(&folder).unwrap();
}
