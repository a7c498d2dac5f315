//! What the ledger costs: CPU per event of a 10 000-node run, and the time of the questions that a
//! face waits for. Prints a line each; `cargo bench --bench ledger`.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its figures, and ends at the first surprise"
)]

#[path = "shared/past.rs"]
mod past;

use std::sync::Arc;
use std::time::{Duration, Instant};

use handmill::ledger::Ledger;
use handmill::model::{
    Flow, FlowRef, HistoryFilter, Node, Point, Retention, RunId, Timestamp, WorkspaceId, going,
};

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let open = |name: &str| {
        let path = folder.path().join(name).join("ledger.sqlite");
        Ledger::open(&path, Timestamp(0), |notice| println!("{notice:?}")).expect("a ledger")
    };

    let ledger = open("large");
    let (large, frozen) = (flow_ref("large.graphml"), past::flow(10_000));
    for (run, what) in [("r1", "first run"), ("r2", "second run")] {
        let (wall, cpu) = (Instant::now(), cpu_time());
        let events = record(&ledger, &large, &frozen, run);
        let sent = wall.elapsed();
        ledger.flush().expect("on disk");
        println!(
            "10 000 nodes, {what}: {:.1} us CPU per event ({events} events, {:.0} ms wall, of which {:.1} ms recording)",
            (cpu_time() - cpu).as_secs_f64() * 1e6 / f64::from(events),
            millis(wall.elapsed()),
            millis(sent),
        );
    }
    timed("past of 10 000 nodes", || {
        let past = ledger.past(&large).expect("a past");
        assert_eq!(past.nodes.len(), 10_000);
    });
    timed("states of an older run of 10 000 nodes", || {
        let states = ledger.states_of_run(&large, &RunId::from("r1"));
        assert_eq!(states.expect("states").len(), 10_000);
    });

    let runs: u32 = std::env::var("RUNS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(10_000);
    let ledger = open("long");
    let (long, frozen) = (flow_ref("long.graphml"), past::flow(200));
    let wall = Instant::now();
    for run in 0..runs {
        record(&ledger, &long, &frozen, &format!("r{run:06}"));
        if run % 100 == 99 {
            ledger.flush().expect("on disk");
        }
    }
    println!(
        "{runs} runs of 200 nodes recorded in {:.1} s",
        wall.elapsed().as_secs_f64()
    );
    timed("history, newest 50", || {
        ledger.history(&long, 50, None).expect("history");
    });
    let middle = RunId::new(format!("r{:06}", runs / 2));
    timed("history, 50 from the middle", || {
        ledger.history(&long, 50, Some(&middle)).expect("history");
    });
    timed("attempts of one run", || {
        ledger.node_runs(&middle, None).expect("rows");
    });
    timed("newest attempt of one node", || {
        let node = "node-7".into();
        ledger.newest_node_run(&long, &node).expect("a row");
    });
    timed("past of 200 nodes", || {
        ledger.past(&long).expect("a past");
    });
    let all = HistoryFilter::default();
    timed("page of 50 of one flow", || {
        let page = ledger.search(Some(&long), &all, 50, Some(&middle));
        assert_eq!(page.expect("a page").runs.len(), 50);
    });
    timed("runs since the middle, counted", || {
        ledger.count_runs_since(Timestamp(0)).expect("a count");
    });
    for (what, text) in [
        ("search that finds 50 at once", "part-7.o"),
        ("search that finds nothing", "nowhere"),
    ] {
        let filter = HistoryFilter {
            text: text.to_owned(),
            ..HistoryFilter::default()
        };
        timed(what, || {
            let page = ledger.search(Some(&long), &filter, 50, None);
            assert!(page.expect("a page").runs.len() <= 50);
        });
    }
    record_odd(&ledger, &long);
    let odd = HistoryFilter {
        text: "odd-one-out".to_owned(),
        ..HistoryFilter::default()
    };
    timed("search through every attempt for one", || {
        let page = ledger.search(Some(&long), &odd, 2, None);
        assert_eq!(page.expect("a page").runs.len(), 1);
    });
    let path = folder.path().join("long/ledger.sqlite");
    timed("open, last run, past and history", || {
        let ledger = Ledger::open(&path, Timestamp(0), |notice| println!("{notice:?}"));
        let ledger = ledger.expect("opens");
        assert!(ledger.open_runs().expect("runs").is_empty());
        ledger.past(&long).expect("a past");
        ledger.history(&long, 50, None).expect("history");
    });
    prune(&ledger, &long, runs);
    let health = ledger.health().expect("health");
    println!(
        "file: {:.1} MB, {:.0} bytes per attempt, troubles: {:?}",
        (health.bytes + health.wal_bytes) as f64 / 1e6,
        (health.bytes + health.wal_bytes) as f64 / (f64::from(runs) * 200.0),
        health.troubles
    );
}

/// The newest and the oldest of the long history, with a command that no other run has.
fn record_odd(ledger: &Ledger, flow: &FlowRef) {
    let mut odd = Flow::default();
    let node = Node::new("odd", "echo odd-one-out", Point::default());
    odd.graph.add_node(node).expect("the first");
    record(ledger, flow, &Arc::new(odd), "odd");
    for run in 0..50 {
        record(ledger, flow, &past::flow(200), &format!("later{run}"));
    }
    ledger.flush().expect("on disk");
}

/// Has a tenth of the runs go, while another thread records and waits for each commit as a run's start
/// does: nobody may wait long.
fn prune(ledger: &Ledger, flow: &FlowRef, runs: u32) {
    let kept = ledger.kept_runs().expect("runs");
    let keys: Vec<i64> = kept
        .iter()
        .take(runs as usize / 10)
        .map(|run| run.key)
        .collect();
    let rule = Retention::default();
    timed("what is to go of all runs, decided", || {
        let kept = ledger.kept_runs().expect("runs");
        going(&kept, &rule, Timestamp(i64::MAX / 2));
    });
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let frozen = past::flow(1);
            let mut waits = Vec::new();
            let mut n = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                record(ledger, flow, &frozen, &format!("meanwhile{n}"));
                let start = Instant::now();
                ledger.commit_now().expect("written");
                waits.push(start.elapsed());
                n += 1;
            }
            waits.sort_unstable();
            (waits.len(), waits[waits.len() / 2], waits[waits.len() - 1])
        });
        let reader = scope.spawn(|| {
            let mut worst = Duration::ZERO;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let start = Instant::now();
                ledger.history(flow, 50, None).expect("history");
                worst = worst.max(start.elapsed());
                std::thread::sleep(Duration::from_millis(5));
            }
            worst
        });
        let start = Instant::now();
        ledger.unlist(&keys).expect("unlisted");
        let unlisted = start.elapsed();
        ledger.forget(&keys).expect("forgotten");
        let forgotten = start.elapsed();
        ledger.shrink().expect("shrunk");
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        let (n, median, worst) = writer.join().expect("no panic");
        let page = reader.join().expect("no panic");
        println!(
            "{} runs go: unlisted after {:.0} ms, gone after {:.0} ms; meanwhile {n} commits waited {:.1} ms \
             median, {:.1} ms at worst, a history page {:.1} ms at worst",
            keys.len(),
            millis(unlisted),
            millis(forgotten),
            millis(median),
            millis(worst),
            millis(page)
        );
    });
}

fn flow_ref(file: &str) -> FlowRef {
    FlowRef {
        workspace: WorkspaceId::new("bench"),
        root: std::path::Path::new("/flows").into(),
        file: file.into(),
    }
}

/// Records a whole run; gives the number of events.
fn record(ledger: &Ledger, flow: &FlowRef, frozen: &Arc<Flow>, run: &str) -> u32 {
    past::record(ledger, flow, frozen, run, Timestamp(0))
}

/// CPU time tells what a question costs on a busy machine, wall time how long a person waits.
fn timed(what: &str, mut ask: impl FnMut()) {
    const TIMES: u32 = 9;
    let cpu = cpu_time();
    let mut times: Vec<Duration> = (0..TIMES)
        .map(|_| {
            let start = Instant::now();
            ask();
            start.elapsed()
        })
        .collect();
    let cpu = (cpu_time() - cpu) / TIMES;
    times.sort_unstable();
    println!(
        "{what}: {:.2} ms CPU; {:.2} ms median, {:.2} ms worst of {TIMES}",
        millis(cpu),
        millis(times[times.len() / 2]),
        millis(times[times.len() - 1])
    );
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// CPU time of this process, all threads; wall time where the system does not tell.
fn cpu_time() -> Duration {
    #[cfg(target_os = "linux")]
    {
        // `/proc/self/schedstat` is of one thread; the sum over the threads is what we want.
        let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten();
        let nanos = threads
            .filter_map(|thread| {
                std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()
            })
            .filter_map(|stat| stat.split(' ').next()?.parse::<u64>().ok())
            .sum();
        Duration::from_nanos(nanos)
    }
    #[cfg(not(target_os = "linux"))]
    {
        use std::sync::OnceLock;
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}
