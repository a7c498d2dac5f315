//! The kill switch over children that do not want to end.

use std::fs;
use std::sync::Arc;

use handmill::model::{Choice, Event, Outcome};
use handmill::runtime::{KillScope, Manner, Order};

use crate::flows;
use crate::place::{Place, wait};

#[test]
fn the_kill_switch_leaves_no_survivor_of_any_kind() {
    let nasty = [
        (
            "ignores",
            "trap '' TERM INT HUP; echo $$ >p0; while :; do sleep 1; done",
        ),
        (
            "daemon",
            "(setsid sh -c 'echo $$ >p1; trap \"\" TERM; while :; do sleep 1; done' &) ; sleep 1000",
        ),
        ("stops itself", "echo $$ >p2; kill -STOP $$; sleep 1000"),
        (
            "forks",
            "echo $$ >p3; trap '' TERM; while :; do sleep 0.05 & sleep 0.01; done",
        ),
        ("closes", "exec <&- >&- 2>&-; echo $$ >p4; sleep 1000"),
        (
            "forgets",
            "(env -i setsid sh -c 'echo $$ >p5; while :; do /bin/sleep 1; done' >/dev/null 2>&1 &); sleep 1000",
        ),
    ];
    let place = Place::new(&flows::flow(&nasty, &[]));
    let face = {
        let mut face = place.face("window");
        face.handle.send(Order::Configure(Manner {
            slots: Some(10),
            ..Manner::default()
        }));
        face.frozen = Arc::new(flows::flow(&nasty, &[]));
        face
    };
    face.run(Choice::Full);
    let pid = |n: usize| {
        let text = fs::read_to_string(place.path(&format!("p{n}"))).unwrap_or_default();
        text.trim().parse::<u32>().ok()
    };
    wait("all of them", || (0..nasty.len()).all(|n| pid(n).is_some()));
    let pids: Vec<u32> = (0..nasty.len()).filter_map(pid).collect();
    face.handle.send(Order::Kill(KillScope::Everything));
    assert_eq!(face.outcome(), Outcome::Stopped);
    let told = face.next("what was ended", |event| match event {
        Event::Told(notice) => Some(notice.what.to_string()),
        _ => None,
    });
    assert!(told.starts_with("Ended 6 nodes ("), "{told}");
    let figure = told.split(" in ").nth(1).unwrap_or_default();
    let figure = figure.split(':').next().unwrap_or_default();
    // It tells how long it took, and would be a warning were it longer than `KILL_WITHIN`.
    assert!(figure.ends_with('s'), "{told}");
    assert!(told.contains("echo $$ >p2; kill -STOP $$; s…"), "{told}");
    place.await_none("node");
    for pid in pids {
        wait("a process without a mark", || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        });
    }
    face.end(Order::ShutDown);
}
