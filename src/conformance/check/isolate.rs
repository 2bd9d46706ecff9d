//! Isolate: programs that may end the process they run in are run in one of their own.
//!
//! An overflow of the stack, or an abort, ends whoever called the store. So the test is started once
//! more, by its name; there the check that it comes to runs the programs that it is handed, says
//! which one it is at, and nothing else. What is said by a process that ended in the midst of one is
//! known.

use crate::conformance::program::Program;
use crate::conformance::report::{Report, Verdict};
use crate::conformance::search::elsewhere::{Elsewhere, Fate};
use crate::conformance::subject::panics;
use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;
use std::{env, panic, thread};

/// In the environment of the second process: which check is meant.
const ERRAND: &str = "SESSION_SPEC_ERRAND";

/// How many checks of a test have other processes, unless told: one that makes hundreds, of drawn
/// stores or programs, would start as many, each of which comes to all the checks before.
const MANY: u32 = 8;

/// In front of what the second process says on its standard error.
const SAYS: &str = "session-spec-errand ";

/// What a check is to do in this process.
pub(crate) enum Role {
    /// All that it was asked for; with a way to run programs in another process, if there is one.
    Check(Option<Isolation>),
    /// To run the programs on standard input, and to [`leave`].
    Errand,
    /// To get out of the way: another check is meant.
    Aside(Box<Report>),
}

/// How to start this process once more, to come to the same check.
#[derive(Clone, Debug)]
pub(crate) struct Isolation {
    program: PathBuf,
    arguments: Vec<OsString>,
    errand: String,
    patience: Duration,
}

/// The checks that this thread has made.
#[derive(Clone, Copy, Default)]
struct Before {
    checks: u32,
    /// One had another verdict than the one it has in the second process.
    is_elsewhere: bool,
}

thread_local! {
    static BEFORE: Cell<Before> = const { Cell::new(Before { checks: 0, is_elsewhere: false }) };
}

impl Role {
    /// Of the check that begins now, on this thread; `subject` is the name of its subject's type.
    /// `wanted` is whether another process is to be started; nothing, if that is left to us.
    pub(crate) fn of(subject: &str, wanted: Option<bool>, patience: Duration) -> Self {
        let mut before = BEFORE.get();
        before.checks += 1;
        BEFORE.set(before);
        let errand = format!("{} {subject}", before.checks);
        match env::var(ERRAND) {
            Ok(meant) if meant == errand => Self::Errand,
            Ok(_) => Self::Aside(Box::new(Report::of_nothing())),
            Err(_) => Self::Check(Isolation::new(wanted, before, errand, patience)),
        }
    }
}

/// Whether this process was started by a check, to run programs that may end it.
pub(crate) fn is_errand() -> bool {
    env::var_os(ERRAND).is_some()
}

/// Notes what the check came to that began last on this thread.
pub(crate) fn concluded(verdict: &Verdict) {
    let mut before = BEFORE.get();
    before.is_elsewhere |= *verdict != Verdict::Conforms;
    BEFORE.set(before);
}

impl Isolation {
    fn new(
        wanted: Option<bool>,
        before: Before,
        errand: String,
        patience: Duration,
    ) -> Option<Self> {
        let is_one_of_many = before.checks > MANY && wanted.is_none();
        if before.is_elsewhere || is_one_of_many || wanted == Some(false) {
            return None;
        }
        let program = env::current_exe().ok()?;
        let arguments = match test_name(&program) {
            Some(name) => {
                let options = ["--exact", "--include-ignored", "--nocapture"];
                let options = options.into_iter().chain(["--test-threads=2"]);
                std::iter::once(name)
                    .chain(options.map(String::from))
                    .map(OsString::from)
                    .collect()
            }
            None if wanted == Some(true) => env::args_os().skip(1).collect(),
            None => return None,
        };
        Some(Self {
            program,
            arguments,
            errand,
            patience,
        })
    }

    fn follow(&self, child: &mut Child, programs: &[Program]) -> Fate {
        let lines = lines_of(child);
        let mut text: Vec<_> = programs.iter().map(Program::to_string).collect();
        text.push(String::new());
        let text = text.join("\n");
        if let Some(mut input) = child.stdin.take() {
            // Large, so that it may not fit a pipe; and it may never be read.
            thread::spawn(move || input.write_all(text.as_bytes()));
        }
        let mut at = None;
        let mut overflowed = false;
        let ended = loop {
            match lines.recv_timeout(self.patience) {
                Ok(line) => {
                    overflowed |= line.contains("has overflowed its stack");
                    match line.strip_prefix(SAYS) {
                        Some("ends") => return Fate::Survived,
                        Some(number) => at = number.parse().ok(),
                        None => {}
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break child.wait().map(Some),
                // It hangs; or it has ended, and left a process behind that may still say something.
                Err(RecvTimeoutError::Timeout) => break child.try_wait(),
            }
        };
        match (at, ended) {
            (Some(at), Ok(Some(status))) => Fate::Died {
                at,
                how: match overflowed {
                    true => "stack overflow".to_owned(),
                    false => status.to_string(),
                },
            },
            _ => Fate::Unknown,
        }
    }
}

impl Elsewhere for Isolation {
    /// Runs `programs` in another process, one after another.
    fn run(&self, programs: &[Program]) -> Fate {
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .env(ERRAND, &self.errand)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            return Fate::Unknown;
        };
        let fate = self.follow(&mut child, programs);
        // It has said all that it has to say.
        let _ = child.kill();
        let _ = child.wait();
        fate
    }
}

/// The test that runs on this thread: libtest names threads by their tests, and cargo has the
/// programs of tests in a folder `deps`.
fn test_name(program: &Path) -> Option<String> {
    let is_a_test = program.parent()?.file_name()? == "deps";
    let thread = thread::current();
    let name = thread.name().filter(|name| *name != "main" && is_a_test)?;
    Some(name.to_owned())
}

fn lines_of(child: &mut Child) -> Receiver<String> {
    let (send, lines) = mpsc::channel();
    if let Some(output) = child.stderr.take() {
        thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                if send
                    .send(String::from_utf8_lossy(&line).into_owned())
                    .is_err()
                {
                    return;
                }
            }
        });
    }
    lines
}

/// In the second process: runs the programs on standard input with `run`, each on a thread of its
/// own, as large as threads are, and ends the test.
pub(crate) fn errand(run: impl Fn(&Program) + Sync) -> ! {
    let mut text = String::new();
    let _ = io::stdin().read_to_string(&mut text);
    let programs = text.lines().map_while(|line| line.parse::<Program>().ok());
    for (number, program) in programs.enumerate() {
        say(&number.to_string());
        thread::scope(|scope| {
            let work = || {
                panics::silence_panics_here();
                run(&program);
            };
            let _ = scope.spawn(work).join();
        });
    }
    say("ends");
    // Whatever the test began ends with it.
    panic::resume_unwind(Box::new(()))
}

fn say(what: &str) {
    // Past the capture of a test's output.
    let _ = writeln!(io::stderr(), "{SAYS}{what}");
}
