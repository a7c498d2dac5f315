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
    /// The folder that holds the workspaces, for this window (default: HANDMILL_COLLECTION, else
    /// the one chosen last)
    #[arg(long, value_name = "FOLDER")]
    pub collection: Option<PathBuf>,
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
    /// List past runs, newest first
    History(HistoryArgs),
    /// Put two runs of a flow beside each other: what changed in status, time and command
    Compare(CompareArgs),
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
    /// End what a sitter leaves when it is killed; started by it
    #[command(name = "__warden", hide = true)]
    Warden,
    /// Make what a folder lacks of a workspace, and change nothing in it
    Provision(ProvisionArgs),
    /// Say how this machine and its folders are, and what to do about what is not well
    Doctor(DoctorArgs),
    /// List earlier versions of a workfile, and take one back
    Backups(BackupsArgs),
    /// Merge three versions of a workfile: git's merge driver
    Merge(MergeArgs),
    /// See who has control of a shared workspace, ask for it, take it, give it up
    Control(ControlArgs),
    /// Keep passwords and the like in the system's keyring, by name
    Resource(ResourceArgs),
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
    /// Take the value of this resource from the environment, else from the terminal or standard input, before the keyring
    #[arg(long = "resource", value_name = "NAME")]
    pub resources: Vec<String>,
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

/// Arguments of `history`.
#[derive(Clone, Debug, clap::Args)]
pub struct HistoryArgs {
    /// A workfile, a workspace or a collection
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Runs to list
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub limit: u32,
    /// Only runs with this text in their flow's title, choice, or a name or command of a node
    #[arg(short, long, value_name = "TEXT")]
    pub search: Option<String>,
    /// Only runs that failed
    #[arg(long)]
    pub failed: bool,
    /// Only runs that began then or later: a span back from now (90m, 12h, 7d), today, yesterday, or a date (2026-11-21, 2026-11-21T10:30)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only runs that began before then
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Keep this run whatever its age
    #[arg(long, value_name = "RUN", conflicts_with_all = ["unpin", "prune"])]
    pub pin: Option<String>,
    /// Keep this run no longer than others
    #[arg(long, value_name = "RUN", conflicts_with = "prune")]
    pub unpin: Option<String>,
    /// Remove the runs and logs that are older or larger than the settings say
    #[arg(long)]
    pub prune: bool,
    /// With --prune: only print what would go
    #[arg(long, requires = "prune")]
    pub dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `compare`.
#[derive(Clone, Debug, clap::Args)]
pub struct CompareArgs {
    /// The workfile
    pub flow: PathBuf,
    /// A run's id, `last`, or `prev` for the one before
    pub a: String,
    /// The run to compare it with
    #[arg(default_value = "last")]
    pub b: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `ls`.
#[derive(Clone, Debug, clap::Args)]
pub struct LsArgs {
    /// A collection, a workspace or a workfile (default: the collection that --collection or
    /// HANDMILL_COLLECTION names, else this folder)
    pub path: Option<PathBuf>,
    /// The folder that holds the workspaces
    #[arg(long, value_name = "FOLDER", conflicts_with = "path")]
    pub collection: Option<PathBuf>,
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

/// Arguments of `provision`.
#[derive(Clone, Debug, clap::Args)]
pub struct ProvisionArgs {
    /// The workspace's folder; it need not be there yet
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// The collection it belongs to (default: HANDMILL_COLLECTION, else the one chosen last)
    #[arg(long, value_name = "FOLDER")]
    pub collection: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `doctor`.
#[derive(Clone, Debug, clap::Args)]
pub struct DoctorArgs {
    /// The folder that holds the workspaces (default: HANDMILL_COLLECTION, else the one chosen last)
    #[arg(long, value_name = "FOLDER")]
    pub collection: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `backups`.
#[derive(Clone, Debug, clap::Args)]
pub struct BackupsArgs {
    /// The workfile
    pub file: PathBuf,
    /// Show what taking back this version would change
    #[arg(long, value_name = "N", conflicts_with = "restore")]
    pub show: Option<usize>,
    /// Take this version back; what the file holds now is kept as a version too
    #[arg(long, value_name = "N")]
    pub restore: Option<usize>,
}

/// Arguments of `control`.
#[derive(Clone, Debug, clap::Args)]
pub struct ControlArgs {
    /// What to do
    #[command(subcommand)]
    pub verb: ControlVerb,
}

/// What can be done about control. Exit codes: 0 done, 1 not possible or not granted, 2 bad input, 130 stopped
/// before it came.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum ControlVerb {
    /// Look once, claim nothing
    Status(ControlOf),
    /// Look, and print each change until Ctrl-C
    Watch(ControlOf),
    /// List what happened to control, as this machine saw it, newest first
    Log(LogOf),
    /// Ask for control and wait for it; then keep it until Ctrl-C, unless another Handmill of this machine does
    Request(WaitArgs),
    /// Take control of a workspace whose owner has fallen silent, and keep it as `request` does
    TakeOver(WaitArgs),
    /// Have this machine give control up
    Release(GiveArgs),
    /// Have this machine give control to another one
    HandOver(AnswerArgs),
    /// Have this machine refuse a request
    Deny(AnswerArgs),
    /// Take over what Data Engine 0.5 left, its history with it
    Import(ControlOf),
}

/// Which workspace.
#[derive(Clone, Debug, clap::Args)]
pub struct ControlOf {
    /// A workspace, or a workfile in it
    #[arg(default_value = ".")]
    pub workspace: PathBuf,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `control log`.
#[derive(Clone, Debug, clap::Args)]
pub struct LogOf {
    /// Which workspace
    #[command(flatten)]
    pub of: ControlOf,
    /// So many at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
}

/// How long to wait for control.
#[derive(Clone, Debug, clap::Args)]
pub struct WaitArgs {
    /// Which workspace
    #[command(flatten)]
    pub of: ControlOf,
    /// Seconds to wait for it
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub wait: u64,
}

/// When control is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum GiveWhen {
    /// Nodes that run are stopped
    Now,
    /// When the nodes that run have ended; no other starts
    AfterNodes,
    /// When the runs that go on have ended; no other starts
    AfterRuns,
}

/// Arguments of `control release`.
#[derive(Clone, Debug, clap::Args)]
pub struct GiveArgs {
    /// Which workspace
    #[command(flatten)]
    pub of: ControlOf,
    /// When
    #[arg(long, value_enum, default_value_t = GiveWhen::AfterRuns)]
    pub when: GiveWhen,
}

/// Arguments of `control hand-over` and `control deny`.
#[derive(Clone, Debug, clap::Args)]
pub struct AnswerArgs {
    /// Which workspace
    #[command(flatten)]
    pub of: ControlOf,
    /// The host, or the beginning of the id, of the machine that asks; without it, the one that asks alone
    #[arg(long, value_name = "MACHINE")]
    pub to: Option<String>,
    /// When it is handed over
    #[arg(long, value_enum, default_value_t = GiveWhen::AfterRuns)]
    pub when: GiveWhen,
}

/// Arguments of `merge`.
#[derive(Clone, Debug, clap::Args)]
pub struct MergeArgs {
    /// The common ancestor (%O)
    pub base: Option<PathBuf>,
    /// Our version (%A); the merge is written over it
    pub ours: Option<PathBuf>,
    /// Their version (%B)
    pub theirs: Option<PathBuf>,
    /// What the file is called (%P)
    pub name: Option<PathBuf>,
    /// Tell git about this driver, in the repository of the current folder
    #[arg(long, conflicts_with_all = ["base", "ours", "theirs", "name"])]
    pub install: bool,
    /// With --install: for all repositories of this user
    #[arg(long, requires = "install")]
    pub global: bool,
}

/// Arguments of `resource`.
#[derive(Clone, Debug, clap::Args)]
pub struct ResourceArgs {
    /// What to do
    #[command(subcommand)]
    pub verb: ResourceVerb,
}

/// What can be done about resources. Exit codes: 0 done, 1 a resource cannot be had, 2 refused or bad input, 130 given
/// up at the prompt.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum ResourceVerb {
    /// List the names, and whether each value can be had now; values are never shown
    List(ResourceListArgs),
    /// Keep a value: typed at the terminal without being shown, or read from standard input
    Set(ResourceSetArgs),
    /// Forget names and their values
    Remove(ResourceNames),
    /// Fail, and say why, unless each of these can be had
    Require(ResourceNames),
}

/// Arguments of `resource list`.
#[derive(Clone, Debug, clap::Args)]
pub struct ResourceListArgs {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `resource set`.
#[derive(Clone, Debug, clap::Args)]
pub struct ResourceSetArgs {
    /// Its name, which is that of an environment variable
    pub name: String,
    /// Keep no value: take it from Handmill's own environment
    #[arg(long)]
    pub environment: bool,
}

/// Names of resources.
#[derive(Clone, Debug, clap::Args)]
pub struct ResourceNames {
    /// The names
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
}
