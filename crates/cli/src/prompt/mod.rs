//! The interactive prompt: multi-line editing, history, completion and highlighting.

mod complete;
mod highlight;
mod line;

use crate::signals;
use crate::sql::{Client, Ending};
use complete::SqlCompleter;
use headwater_sql::completion::Vocabulary;
use headwater_sql_parser::parse_script;
use highlight::SqlHighlighter;
use line::{SqlPrompt, SqlValidator};
use reedline::{
    ColumnarMenu, Emacs, FileBackedHistory, KeyCode, KeyModifiers, MenuBuilder, Reedline, ReedlineEvent, ReedlineMenu,
    Signal, default_emacs_keybindings,
};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// Lines the history keeps.
const HISTORY_LINES: usize = 10_000;
/// The history's name in the home directory.
const HISTORY_FILE: &str = ".headwater_history";
const MENU: &str = "completion";

/// Reads statements until QUIT or the end of input. Without a terminal stdin is run as a script.
pub fn run(client: &mut Client, history: Option<&Path>) -> ExitCode {
    if !std::io::stdin().is_terminal() {
        return run_stdin(client);
    }
    let vocabulary = Arc::new(Mutex::new(Vocabulary::default()));
    let mut editor = editor(history, &vocabulary);
    let mut leaving = false;
    client.interactive();
    let _ =
        writeln!(std::io::stdout(), "Headwater {}. HELP; lists commands, Ctrl-D leaves.", env!("CARGO_PKG_VERSION"));
    loop {
        *vocabulary.lock().unwrap_or_else(PoisonError::into_inner) = client.vocabulary();
        signals::rest();
        let left = match editor.read_line(&SqlPrompt) {
            Ok(Signal::Success(text)) => match run_text(client, &text) {
                Ending::Closed => return ExitCode::SUCCESS,
                Ending::Quit => true,
                Ending::Done | Ending::Failed | Ending::Interrupted => false,
            },
            Ok(Signal::CtrlD) => true,
            Ok(_) => false,
            Err(error) => {
                crate::complain(format_args!("[ERROR] cannot read from the terminal: {error}"));
                return ExitCode::FAILURE;
            }
        };
        if left && (leaving || may_leave(client)) {
            return ExitCode::SUCCESS;
        }
        leaving = left;
    }
}

/// Jobs in the background end with the process: who leaves is told once.
fn may_leave(client: &mut Client) -> bool {
    let jobs = client.running_jobs();
    if !jobs.is_empty() {
        crate::complain(format_args!(
            "[WARNING] Jobs that still run would be canceled: {}. SHOW JOBS; lists them, STOP JOB 'id' WITH SAVEPOINT; \
             stops one. Leave again to cancel them.",
            jobs.len()
        ));
    }
    jobs.is_empty()
}

/// Runs the statements of a pipe; stops at the first error.
fn run_stdin(client: &mut Client) -> ExitCode {
    let text = match std::io::read_to_string(std::io::stdin()) {
        Ok(text) => text,
        Err(error) => {
            crate::complain(format_args!("[ERROR] cannot read stdin: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let ending = match run_text(client, &text) {
        Ending::Done | Ending::Quit => client.wait_for_jobs(),
        other => other,
    };
    match ending {
        Ending::Failed => ExitCode::FAILURE,
        Ending::Interrupted => ExitCode::from(130),
        Ending::Done | Ending::Quit | Ending::Closed => ExitCode::SUCCESS,
    }
}

/// Runs what was entered; the first error ends it.
fn run_text(client: &mut Client, text: &str) -> Ending {
    let (statements, syntax_error) = parse_script(text);
    for parsed in &statements {
        match client.run(parsed, text, None) {
            Ending::Done => {}
            other => return other,
        }
    }
    match syntax_error {
        None => Ending::Done,
        Some(error) => {
            client.show_error(&error.into(), text, None);
            Ending::Failed
        }
    }
}

fn editor(history: Option<&Path>, vocabulary: &Arc<Mutex<Vocabulary>>) -> Reedline {
    let mut keys = default_emacs_keybindings();
    let complete = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.to_string()), ReedlineEvent::MenuNext]);
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, complete);
    keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
    let menu = ReedlineMenu::EngineCompleter(Box::new(ColumnarMenu::default().with_name(MENU)));
    let editor = Reedline::create()
        .with_completer(Box::new(SqlCompleter::new(vocabulary.clone())))
        .with_highlighter(Box::new(SqlHighlighter))
        .with_validator(Box::new(SqlValidator))
        .with_menu(menu)
        .with_edit_mode(Box::new(Emacs::new(keys)))
        .use_bracketed_paste(true);
    match file_history(history) {
        Some(history) => editor.with_history(Box::new(history)),
        None => editor,
    }
}

/// A history that cannot be kept is no reason not to start.
fn file_history(path: Option<&Path>) -> Option<FileBackedHistory> {
    let in_home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(HISTORY_FILE));
    let path = path.map(Path::to_path_buf).or_else(in_home)?;
    match FileBackedHistory::with_file(HISTORY_LINES, path.clone()) {
        Ok(history) => Some(history),
        Err(error) => {
            crate::complain(format_args!("[WARNING] no history: cannot use {}: {error}", path.display()));
            None
        }
    }
}
