//! Hears the clients of the sitter, and does what its book wants.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use super::book::{Book, Client, Effect};
use crate::exec::launcher::lock;
use crate::exec::sitter::message::{self, Ask};
use crate::exec::sitter::outbox::Outbox;
use crate::exec::sitter::place::{self, Place};
use crate::exec::{Launcher, Report, raise_open_files, unix};
use crate::model::Timestamp;

/// Tries to become the sitter while another one is just ending.
const LOCK_TRIES: u32 = 40;
const LOCK_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// Is the sitter of a place until nobody needs one. Returns at once when there is one already.
///
/// `background` is what its program is called with to start a process that carries runs on, `warden` what this one is
/// called with to start a process that ends what must not outlive it; `clock` tells the time that ends are noted with.
pub fn serve(
    place: &Place,
    background: &'static [&'static str],
    warden: &'static [&'static str],
    clock: fn() -> Timestamp,
) -> io::Result<()> {
    place.make()?;
    let mut seat = place.take()?;
    for _ in 0..LOCK_TRIES {
        if seat.is_some() {
            break;
        }
        thread::sleep(LOCK_AGAIN_AFTER);
        seat = place.take()?;
    }
    let Some(seat) = seat else { return Ok(()) };
    unix::leave_session();
    raise_open_files();
    let listener = seat.listen()?;
    // Whoever started us waits for this.
    unix::close_output();
    let (wake, woken) = UnixStream::pair()?;
    wake.set_nonblocking(true)?;
    woken.set_nonblocking(true)?;
    let server = Arc::new_cyclic(|own: &Weak<Server>| {
        let reports = own.clone();
        Server {
            launcher: Launcher::new(clock, move |report| {
                if let Some(server) = reports.upgrade() {
                    server.report(report);
                }
            }),
            state: Mutex::default(),
            acting: Mutex::default(),
            wake,
            background,
            backgrounds: Mutex::default(),
        }
    });
    if let Ok(program) = std::env::current_exe() {
        server.launcher.call_warden(program, warden);
    }
    let accepting = Arc::clone(&server);
    thread::Builder::new()
        .name("accept".to_owned())
        .spawn(move || accepting.accept(&listener))?;
    server.tend(&woken);
    seat.leave();
    Ok(())
}

pub(super) struct Server {
    pub launcher: Launcher,
    state: Mutex<State>,
    /// Held from a decision until it is carried out, so that an attempt is launched before it is ended. Not taken for
    /// reports, which come from within.
    acting: Mutex<()>,
    /// Wakes whoever tends.
    wake: UnixStream,
    background: &'static [&'static str],
    /// Processes that were started to carry runs on: number and start time.
    pub backgrounds: Mutex<Vec<(u32, u64)>>,
}

#[derive(Default)]
pub(super) struct State {
    pub book: Book,
    outboxes: BTreeMap<Client, Outbox>,
}

impl Server {
    fn accept(self: Arc<Self>, listener: &UnixListener) {
        for stream in listener.incoming() {
            // Out of files for the moment: whoever came tries again.
            let Ok(stream) = stream else {
                thread::sleep(LOCK_AGAIN_AFTER);
                continue;
            };
            if !place::is_ours(&stream) {
                continue;
            }
            let server = Arc::clone(&self);
            let thread = thread::Builder::new().name("client".to_owned());
            // Without a thread the client hears that the connection ended.
            thread.spawn(move || server.hear(stream)).ok();
        }
    }

    /// One client, from its hello to its end.
    fn hear(&self, stream: UnixStream) {
        let Ok(mut from) = stream.try_clone() else {
            return;
        };
        let Ok(Ask::Hello { program, .. }) = message::read(&mut from) else {
            return;
        };
        let outbox = Outbox::new(stream);
        let entered = self.act(|state, out| {
            let client = state.book.enter(program.into(), out)?;
            state.outboxes.insert(client, outbox.clone());
            Some(client)
        });
        if let Some(client) = entered {
            while let Ok(ask) = message::read::<Ask>(&mut from) {
                let now = unix::uptime();
                self.act(|state, out| state.book.asked(client, ask, now, out));
            }
            self.act(|state, out| {
                state.outboxes.remove(&client);
                state.book.gone(client, unix::uptime(), out);
            });
        }
        outbox.close();
    }

    /// Tells the book something and does what it wants.
    pub fn act<T>(&self, tell: impl FnOnce(&mut State, &mut Vec<Effect>) -> T) -> T {
        let _one = lock(&self.acting);
        let mut effects = Vec::new();
        let told = self.decide(tell, &mut effects);
        for effect in effects {
            self.carry_out(effect);
        }
        told
    }

    /// From a thread of the launcher, which must not wait.
    fn report(&self, report: Report) {
        let mut effects = Vec::new();
        self.decide(|state, out| state.book.reported(report, out), &mut effects);
        for effect in effects {
            self.carry_out(effect);
        }
    }

    /// What is told goes out under the lock, so that it stays in order; nothing waits there.
    fn decide<T>(
        &self,
        tell: impl FnOnce(&mut State, &mut Vec<Effect>) -> T,
        effects: &mut Vec<Effect>,
    ) -> T {
        let mut state = lock(&self.state);
        let told = tell(&mut state, effects);
        effects.retain(|effect| match effect {
            Effect::Tell(client, tell) => {
                if let Some(outbox) = state.outboxes.get(client) {
                    outbox.send(&message::frame(tell));
                }
                false
            }
            _ => true,
        });
        told
    }

    fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::Tell(..) => {}
            Effect::Launch(job) => self.launcher.launch(job),
            Effect::Terminate(id, end) => self.launcher.terminate(&id, end),
            Effect::Freeze(id, frozen) => self.launcher.freeze(&id, frozen),
            Effect::CloseRun(dir) => self.launcher.close_run(&dir),
            // What failed is tried again when the book says so.
            Effect::StartBackground(program) => {
                let started = self.start_background(&program);
                lock(&self.backgrounds).extend(started);
            }
            // Full: it has been woken often enough.
            Effect::Wake => drop((&self.wake).write_all(&[1])),
        }
    }

    /// Starts a process that carries on what nobody carries.
    fn start_background(&self, program: &Path) -> io::Result<(u32, u64)> {
        let child = Command::new(program)
            .args(self.background)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        // Reaped with the strays.
        Ok((child.id(), unix::birth_of(child.id()).unwrap_or(0)))
    }
}
