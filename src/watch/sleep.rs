//! Notices that the machine is about to sleep, and holds it up for a moment.
//!
//! The login manager tells it on the system's bus and waits for those who asked for a delay. Where there is no such
//! manager nobody tells it; that it was asleep shows afterwards.

/// What is told of sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// It begins as soon as [`SleepNotices::ready`] was called, or a few seconds have passed.
    Begins,
    /// It is over, or does not come after all.
    Over,
}

/// Tells of sleep for as long as it exists.
pub struct SleepNotices {
    #[cfg(target_os = "linux")]
    ready: std::sync::mpsc::Sender<()>,
}

impl SleepNotices {
    /// Begins to listen. `tell` is called on a thread of its own and must not wait.
    #[cfg(target_os = "linux")]
    pub fn start(tell: impl Fn(Sleep) + Send + 'static) -> std::io::Result<Self> {
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::Builder::new()
            .name("sleep".to_owned())
            .spawn(move || {
                // No bus, or no login manager on it: nobody tells it then.
                logind::listen(&tell, &is_ready).ok();
            })?;
        Ok(Self { ready })
    }

    /// Nobody tells it here.
    #[cfg(not(target_os = "linux"))]
    pub fn start(_: impl Fn(Sleep) + Send + 'static) -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// What had to be done before the machine sleeps is on its way.
    pub fn ready(&self) {
        #[cfg(target_os = "linux")]
        self.ready.send(()).ok();
    }
}

#[cfg(target_os = "linux")]
mod logind {
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::sync::mpsc::{Receiver, RecvTimeoutError};
    use std::time::Duration;

    use futures_core::Stream as _;
    use zbus::zvariant::OwnedFd;
    use zbus::{Connection, Proxy};

    use super::Sleep;

    /// The login manager waits five seconds at most.
    const READY_WITHIN: Duration = Duration::from_secs(3);
    /// For what is on its way to other processes.
    const ARRIVES_WITHIN: Duration = Duration::from_millis(100);

    pub fn listen(tell: &impl Fn(Sleep), is_ready: &Receiver<()>) -> zbus::Result<()> {
        zbus::block_on(async {
            let bus = Connection::system().await?;
            let manager = Proxy::new(
                &bus,
                "org.freedesktop.login1",
                "/org/freedesktop/login1",
                "org.freedesktop.login1.Manager",
            )
            .await?;
            let mut notices = manager.receive_signal("PrepareForSleep").await?;
            // Held for as long as the machine is to wait for us; without it we are told late at worst.
            let mut delay = inhibit(&manager).await.ok();
            loop {
                let next = poll_fn(|cx| Pin::new(&mut notices).poll_next(cx)).await;
                let Some(notice) = next else { return Ok(()) };
                let begins: bool = notice.body().deserialize()?;
                if !begins {
                    tell(Sleep::Over);
                    delay = inhibit(&manager).await.ok();
                    continue;
                }
                while is_ready.try_recv().is_ok() {}
                tell(Sleep::Begins);
                match is_ready.recv_timeout(READY_WITHIN) {
                    Ok(()) => std::thread::sleep(ARRIVES_WITHIN),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                }
                delay.take();
            }
        })
    }

    async fn inhibit(manager: &Proxy<'_>) -> zbus::Result<OwnedFd> {
        let why = "Running nodes stand still before the machine sleeps.";
        let wish = ("sleep", "Handmill", why, "delay");
        manager.call("Inhibit", &wish).await
    }
}
