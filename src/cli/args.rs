//! The arguments, as clap reads them.

use std::path::PathBuf;

/// Draw shell workflows by hand, press a key to run or resume them, read every node's log.
#[derive(Debug, clap::Parser)]
#[command(
    name = "handmill",
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
pub struct Args {
    /// A workfile, a workspace or a collection of workspaces to open in the window
    pub path: Option<PathBuf>,
    /// What to do without a window
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do without a window.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Run a flow: what failed last time if something did, else all of it
    Run(RunArgs),
    /// Run again what failed, was stopped or was interrupted, and what waits for it
    Resume(ResumeArgs),
    /// Stop the run of a flow, whoever runs it on this machine
    Stop(StopArgs),
    /// Show how each node of a flow stands
    Status(StatusArgs),
    /// Print what nodes wrote
    Logs(LogsArgs),
    /// List workspaces and flows
    Ls(LsArgs),
    /// Read a workfile and say what is odd about it
    Check(CheckArgs),
    /// Hold the nodes of a window; started by it
    #[command(name = "__sitter", hide = true)]
    Sitter,
    /// Carry on the runs of a window that is gone; started by the sitter
    #[command(name = "__background", hide = true)]
    Background,
}

/// Arguments of `run`.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    /// The workfile
    pub flow: PathBuf,
    /// Run these nodes and the edges between them (ids or names, separated by commas or repeated)
    #[arg(long, value_name = "NODE", value_delimiter = ',', conflicts_with_all = ["from", "to", "full"])]
    pub nodes: Vec<String>,
    /// Run these nodes and everything downstream
    #[arg(long, value_name = "NODE", value_delimiter = ',', conflicts_with_all = ["to", "full"])]
    pub from: Vec<String>,
    /// Run these nodes and everything upstream that is not fresh
    #[arg(
        long,
        value_name = "NODE",
        value_delimiter = ',',
        conflicts_with = "full"
    )]
    pub to: Vec<String>,
    /// Run the whole flow from scratch, whatever failed last time
    #[arg(long)]
    pub full: bool,
    /// How it is run and told
    #[command(flatten)]
    pub how: HowArgs,
}

/// Arguments of `resume`.
#[derive(Clone, Debug, clap::Args)]
pub struct ResumeArgs {
    /// The workfile
    pub flow: PathBuf,
    /// How it is run and told
    #[command(flatten)]
    pub how: HowArgs,
}

/// How a run is carried out and told.
#[derive(Clone, Debug, clap::Args)]
pub struct HowArgs {
    /// Use this wrapper instead of the flow's; `{}` stands for the command
    #[arg(long, value_name = "TEMPLATE")]
    pub wrapper: Option<String>,
    /// Use this shell instead of the flow's (default: bash where it exists, else sh)
    #[arg(long, value_name = "SHELL")]
    pub shell: Option<String>,
    /// Nodes that may run at once (default: the machine's cores)
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub jobs: Option<u32>,
    /// Print one JSON object per event
    #[arg(long)]
    pub json: bool,
    /// Print failures and the end only
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,
}

/// Arguments of `stop`.
#[derive(Clone, Debug, clap::Args)]
pub struct StopArgs {
    /// The workfile
    pub flow: PathBuf,
    /// Kill at once, without the grace time
    #[arg(long)]
    pub now: bool,
}

/// Arguments of `status`.
#[derive(Clone, Debug, clap::Args)]
pub struct StatusArgs {
    /// The workfile
    pub flow: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `logs`.
#[derive(Clone, Debug, clap::Args)]
pub struct LogsArgs {
    /// The workfile
    pub flow: PathBuf,
    /// A node's id or name; without it, every node of the run
    pub node: Option<String>,
    /// Go on printing until the run ends
    #[arg(short, long)]
    pub follow: bool,
    /// A run's id; without it, the newest
    #[arg(long, value_name = "ID")]
    pub run: Option<String>,
}

/// Arguments of `ls`.
#[derive(Clone, Debug, clap::Args)]
pub struct LsArgs {
    /// A collection, a workspace or a workfile
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `check`.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArgs {
    /// The workfile
    pub file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
