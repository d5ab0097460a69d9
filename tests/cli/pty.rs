//! The binary on a pseudo-terminal: fitting tables, colours, a view that disappears when the run ends.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::support::{SMALL, folder_with_data, tanner};

/// A program whose stdin, stdout and stderr are a terminal.
struct OnTerminal {
    child: Child,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl OnTerminal {
    fn start(folder: &Path, line: &str, columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_tanner"))
            .current_dir(folder)
            .args(line.split_whitespace())
            .env("TERM", "xterm-256color")
            .env("TANNER_CACHE", folder.join("cache"))
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env_remove("RUST_LOG")
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .unwrap();
        let mut master = File::from(master);
        let screen = Arc::<Mutex<Vec<u8>>>::default();
        let text = Arc::clone(&screen);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal whose last program has gone is an error to read from.
            while let Ok(length @ 1..) = master.read(&mut buffer) {
                text.lock().unwrap().extend(&buffer[..length]);
            }
        });
        Self { child, screen, reader }
    }

    /// Everything that was written, and the exit code.
    fn end(mut self) -> (String, Option<i32>) {
        let code = self.child.wait().unwrap().code();
        self.reader.join().unwrap();
        let text = String::from_utf8_lossy(&self.screen.lock().unwrap()).replace("\r\n", "\n");
        (text, code)
    }

    /// Waits until this text is on the screen, then interrupts.
    fn interrupt_after(&self, text: &str) {
        let start = Instant::now();
        while !String::from_utf8_lossy(&self.screen.lock().unwrap()).contains(text) {
            assert!(start.elapsed() < Duration::from_secs(60), "{text} never came");
            thread::sleep(Duration::from_millis(20));
        }
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }
}

fn on_terminal(folder: &Path, line: &str, columns: u16) -> String {
    let (text, code) = OnTerminal::start(folder, line, columns).end();
    assert_eq!(code, Some(0), "{line}: {text}");
    text
}

/// Without escape sequences.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn tables_fit_the_terminal_and_list_hidden_columns() {
    let folder = folder_with_data();
    for columns in [40, 80, 200] {
        let text = plain(&on_terminal(folder.path(), "inspect", columns));
        let lines =
            text.lines().filter(|line| !line.contains("weights with") && !line.contains("parameters"));
        for line in lines {
            assert!(line.chars().count() <= columns.into(), "{columns}: {line:?}");
        }
        assert_eq!(text.contains("not shown: "), columns < 200, "{columns}:\n{text}");
        assert!(text.contains("41,650") && text.contains("784 x 784"), "{columns}:\n{text}");
    }
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let folder = folder_with_data();
    let folder = folder.path();
    let bold = "\u{1b}[1m";
    assert!(on_terminal(folder, "inspect", 100).contains(&format!("{bold}layer")));
    assert!(!on_terminal(folder, "inspect --color never", 100).contains('\u{1b}'));
    assert!(!on_terminal(folder, "--color=never --help", 100).contains('\u{1b}'));
    assert!(on_terminal(folder, "--help", 100).contains('\u{1b}'));
    let (text, code) = OnTerminal::start(folder, "inspect --blocks 0", 100).end();
    assert_eq!(code, Some(1));
    assert!(text.contains("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m --blocks"), "{text:?}");
    for line in ["inspect --blocks 0", "--help", "nonsense", "inspect"] {
        let outcome = tanner(folder, line);
        assert!(!outcome.stderr.contains('\u{1b}') && !outcome.stdout.contains('\u{1b}'), "{outcome:?}");
    }
    assert!(tanner(folder, "inspect --blocks 0 --color always").stderr.contains('\u{1b}'));
    assert!(tanner(folder, "--color always --help").stdout.contains('\u{1b}'));
}

/// After the last of these words there may only be erasing sequences.
fn is_erased(screen: &str, words: &str) -> bool {
    screen.rsplit(words).next().is_some_and(|rest| rest.contains("\u{1b}[2K") || rest.contains("\u{1b}[J"))
}

#[test]
fn an_interrupted_forest_leaves_no_bar() {
    let folder = folder_with_data();
    let run = OnTerminal::start(folder.path(), &format!("{SMALL} --rf --trees 3000000 --out run"), 80);
    run.interrupt_after("random forest");
    let (screen, code) = run.end();
    assert_eq!(code, Some(130), "{screen:?}");
    assert!(is_erased(&screen, "random forest"), "{screen:?}");
}

#[test]
fn an_interrupted_run_leaves_no_view() {
    let folder = folder_with_data();
    let line = format!("{SMALL} --out run").replace("--epochs 3", "--epochs 1000000");
    let run = OnTerminal::start(folder.path(), &line, 100);
    run.interrupt_after("left");
    let (screen, code) = run.end();
    assert_eq!(code, Some(130), "{screen:?}");
    assert!(is_erased(&screen, " left"), "{screen:?}");
    // A terminal shows `^C` after the view: there is space for it, twice.
    let parts = screen.split("\u{1b}[2K").flat_map(|part| part.split(['\r', '\n'])).map(plain);
    let views: Vec<String> = parts.filter(|part| part.contains(" left")).collect();
    assert!(!views.is_empty() && views.iter().all(|view| view.chars().count() <= 95), "{views:#?}");
    assert!(plain(&screen).trim_end().ends_with("resume with: tanner train --resume run"), "{screen:?}");
}
