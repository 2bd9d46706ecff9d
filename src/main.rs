//! The `session-spec` command: checks stores against the contract, replays programs, writes test
//! vectors, shows clauses.

use clap::builder::styling::{AnsiColor, Style};
use clap::{Parser, Subcommand, ValueEnum};
use session_spec::conformance::{Check, Program, Report, Trace, Vectors, Verdict, check, searches};
use session_spec::{Clause, Clock, MemStore, SystemClock};
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

/// The contract of server-side web sessions, executable.
#[derive(Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit status:
  0  the store conforms
  1  a clause is violated
  2  wrong use, or the store cannot be reached
  3  undecided: what was asked for was not exercised, or not decided

Examples:
  session-spec check memstore
  session-spec check memstore --depth 6 --seed 7 --format json
  session-spec replay 's1: commit A v1 ttl 1s; advance 1s; prepare A'
  session-spec spec COM-6
  session-spec vectors > vectors.jsonl";

#[derive(Subcommand)]
enum Command {
    /// Check a store against the contract: what was searched, every clause, and a verdict.
    #[command(long_about = about_check())]
    Check {
        /// The store.
        store: Store,
        /// Seed of what is drawn; the same seed finds the same again [default: `SESSION_SPEC_SEED`, or a
        /// fresh one]
        #[arg(long)]
        seed: Option<u64>,
        /// Longest programs of the exhaustive search, in operations; 0 leaves it out, 7 is the most.
        #[arg(long, default_value_t = 5)]
        depth: usize,
        /// How many random programs to run; 0 leaves them out.
        #[arg(long, default_value_t = 10_000)]
        sequences: usize,
        /// How many clients call at once in the concurrent search; fewer than 2 leave it out.
        #[arg(long, default_value_t = 4)]
        clients: usize,
        /// How long the check may take, such as 30s [default: no end; the environment variable
        /// `SESSION_SPEC_BUDGET` says the same]
        #[arg(long, value_name = "TIME", value_parser = session_spec::conformance::parse_budget)]
        budget: Option<Duration>,
        /// Look for this clause only; may be given more than once.
        #[arg(long, value_name = "CLAUSE")]
        only: Vec<Clause>,
        /// How to print the report.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Run one program on the model and on MemStore, and show every step with its clause.
    ///
    /// A program is operations with `;` between them: `prepare ID`, `commit ID PAYLOAD ttl TIME`,
    /// `drop ID`, `advance TIME`, `restart`, each with `-> REPLY` behind it if you like to state one.
    /// An ID is a letter (A stands for the token of 32 A) or a JSON string; a PAYLOAD is v0, v1, .. or
    /// JSON; a TIME is a number and ns, us, ms or s, or max. Counterexamples are printed in this form.
    ///
    /// `together { CALLS | CALLS }` has several clients call at once, as tasks that are polled in many
    /// orders; `together polls 1 2 { .. }` in this one, and `together threads hold 2 at clock 1 { .. }`
    /// as threads, of which the second is held at its first reading of the clock, or at a `clone`, `id`,
    /// `compare`, `encode`, `decode` or `release` of a snapshot. `cancel after 2 polls { CALL }` drops a call half way. What several orders explain is shown as `v1 or nothing`.
    Replay {
        /// The program, in quotes.
        program: String,
        /// How to print the report.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Write test vectors for a store in any language: programs, and the replies that are right.
    ///
    /// JSON lines, on standard output: every program of the exhaustive search up to a length, and
    /// random ones with hostile ids, times to live at which clocks break, and any JSON value. A
    /// runner of some fifty lines takes them to your store.
    #[command(after_long_help = format_of_vectors())]
    Vectors {
        /// Longest programs of the exhaustive part, in operations; 0 leaves it out, 5 is the most.
        #[arg(long, default_value_t = 3)]
        depth: usize,
        /// How many random programs to write.
        #[arg(long, default_value_t = 300)]
        sequences: usize,
        /// Seed of the random programs; the same seed writes the same ones.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// List the clauses of the contract, or show what SPEC.md says of one.
    Spec {
        /// The clause, such as COM-6.
        clause: Option<Clause>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Store {
    /// The in-process store of this crate.
    Memstore,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: the report as one JSON object.
    Json,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Check {
            store: Store::Memstore,
            seed,
            depth,
            sequences,
            clients,
            budget,
            only,
            format,
        } => {
            let watch = Watch::start();
            let mut check = check(MemStore::with_clock)
                .isolate(true)
                .depth(depth)
                .sequences(sequences)
                .clients(clients)
                .on_progress(move |progress| {
                    let search = format!("{} search", progress.search);
                    watch.tell(&search, progress.done, progress.total, progress.left);
                });
            if let Some(budget) = budget {
                check = check.budget(budget);
            }
            if let Some(seed) = seed {
                check = check.seed(seed);
            }
            finish(&only.into_iter().fold(check, Check::only).run(), format)
        }
        Command::Replay { program, format } => replay(&program, format),
        Command::Vectors {
            depth,
            sequences,
            seed,
        } => vectors(depth, sequences, seed),
        Command::Spec { clause } => {
            say(&clause.map_or_else(list, section));
            ExitCode::SUCCESS
        }
    }
}

fn finish(report: &Report, format: Format) -> ExitCode {
    if let Verdict::Misused(reason) = &report.verdict {
        return misuse(reason);
    }
    match format {
        Format::Text => say(&painted(&report.to_string())),
        Format::Json => say(&serde_json::to_string_pretty(report).unwrap_or_default()),
    }
    ExitCode::from(match report.verdict {
        Verdict::Conforms => 0,
        Verdict::Violated => 1,
        _ => 3,
    })
}

fn replay(text: &str, format: Format) -> ExitCode {
    let program: Program = match text.parse() {
        Ok(program) => program,
        Err(error) => return misuse(&format!("malformed program at {error}")),
    };
    if program.ops().is_empty() {
        return misuse("the program has no operations");
    }
    let trace = Trace::of(&program);
    if let Format::Text = format {
        say(&format!("what the contract says\n{trace}"));
    }
    if trace.is_disputed() {
        return ExitCode::FAILURE;
    }
    if program.has_restart() {
        return misuse(
            "MemStore keeps nothing over a restart, so only the model was asked; a test with \
             check_subject(..).replay(..) takes this program to a store of yours",
        );
    }
    if !program.is_expressible() {
        return misuse(
            "a Rust store cannot be handed this program (a nil snapshot, a negative ttl, or a time \
             beyond the longest Duration), so only the model was asked",
        );
    }
    finish(&check(MemStore::with_clock).replay(text).run(), format)
}

fn vectors(depth: usize, sequences: usize, seed: u64) -> ExitCode {
    if depth > Vectors::DEEPEST {
        return misuse(&format!(
            "depth {depth} is more than anybody would read; the deepest is {}",
            Vectors::DEEPEST
        ));
    }
    let (vectors, watch) = (Vectors::new(depth, sequences, seed), Watch::start());
    let total = vectors.programs();
    let mut output = io::BufWriter::new(io::stdout().lock());
    for (done, line) in (0..).zip(vectors.lines()) {
        if let Err(error) = writeln!(output, "{line}") {
            return unread(&error);
        }
        watch.tell("vectors", done, total, None);
    }
    match output.flush() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => unread(&error),
    }
}

fn about_check() -> String {
    let mut about =
        "Check a store against the contract: what was searched, every clause, and a verdict.\n\n\
                     These searches run, one after another:\n\n"
            .to_owned();
    for (name, runs) in searches() {
        // Wrapped lines begin where their first one does.
        about += &format!("  {name}\n      {runs}\n");
    }
    about
        + "\nWhatever fails is reduced to what is needed to see it, and printed as a program for `replay`."
}

/// As the library documents it, without the marks that only its documentation needs.
fn format_of_vectors() -> String {
    let format = include_str!("conformance/report/vectors.md");
    let format = format.replace("```text\n", "").replace("```\n", "");
    format!("Format:\n\n{format}")
}

/// Nobody has to read on.
fn unread(error: &io::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        _ => misuse(&error.to_string()),
    }
}

fn misuse(reason: &str) -> ExitCode {
    eprintln!("error: {reason}\n\nFor more information, try '--help'.");
    ExitCode::from(2)
}

fn list() -> String {
    let line = |clause: &Clause| format!("{clause:<6} {}", clause.statement());
    let lines: Vec<_> = Clause::ALL.iter().map(line).collect();
    lines.join("\n")
}

/// What SPEC.md says under the clause's heading.
fn section(clause: Clause) -> String {
    let heading = format!("### {clause}\n");
    let from_heading = SPEC.split_once(&heading).map_or("", |(_, section)| section);
    let ends =
        ["\n### ", "\n## "].map(|next| from_heading.find(next).unwrap_or(from_heading.len()));
    let text = from_heading[..ends[0].min(ends[1])].trim();
    format!("{clause}\n\n{text}")
}

const SPEC: &str = include_str!("../SPEC.md");

/// Prints, and does not mind when nobody reads on.
fn say(text: &str) {
    match writeln!(io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => eprintln!("error: {error}"),
        _ => {}
    }
}

/// The words that matter in colour, on a terminal that wants it.
fn painted(text: &str) -> String {
    if !io::stdout().is_terminal()
        || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
    {
        return text.to_owned();
    }
    let in_colour = |word: &str, colour: AnsiColor| {
        let style = Style::new().fg_color(Some(colour.into())).bold();
        format!("{style}{word}{style:#}")
    };
    let mut text = text.to_owned();
    for (word, colour) in [
        ("VIOLATED", AnsiColor::Red),
        ("violated:", AnsiColor::Red),
        ("<- expected", AnsiColor::Red),
        ("breaks the contract", AnsiColor::Red),
        ("conforms.", AnsiColor::Green),
        ("vacuous", AnsiColor::Yellow),
        ("not checked", AnsiColor::Yellow),
        ("is undecided", AnsiColor::Yellow),
    ] {
        text = text.replace(word, &in_colour(word, colour));
    }
    text
}

/// Tells on standard error how far a long search has come.
struct Watch {
    clock: SystemClock,
    told: Mutex<Duration>,
}

impl Watch {
    /// A search shorter than this is not worth a word.
    const PATIENCE: Duration = Duration::from_secs(2);

    fn start() -> Self {
        Self {
            clock: SystemClock::new(),
            told: Mutex::new(Duration::ZERO),
        }
    }

    fn tell(&self, what: &str, done: u64, total: u64, left: Option<Duration>) {
        let now = self.clock.now();
        let Ok(mut told) = self.told.lock() else {
            return;
        };
        if now.saturating_sub(*told) < Self::PATIENCE {
            return;
        }
        *told = now;
        let percent = done * 100 / total.max(1);
        let left = left.map_or_else(String::new, |left| {
            format!(", about {} s left", left.as_secs().max(1))
        });
        eprintln!("{what}: {percent} % of {total} programs{left}");
    }
}
