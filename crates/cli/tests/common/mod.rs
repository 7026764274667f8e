//! The binary, run to its end, and what it printed.
#![allow(dead_code, unused_imports, reason = "every test program uses a part of it")]

mod gateway;

pub use gateway::Gateway;
use std::process::{Command, Output};

/// Runs `headwater` without a configuration directory.
pub fn headwater(args: &[&str]) -> Output {
    let command = Command::new(env!("CARGO_BIN_EXE_headwater")).args(args).env_remove("HEADWATER_CONF_DIR").output();
    command.expect("the binary runs")
}

/// What it printed for programs.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it told the user.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
