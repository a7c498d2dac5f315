//! The page of past runs and the comparison that a face looks at: what is asked for, and whether it is
//! being read. Read on the pool's blocking threads; what nobody looks at any more is dropped.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::model::{FlowRef, HistoryPage};

use super::board::{ComparisonShown, HistoryShown};
use super::incoming::Incoming;
use super::mailbox::Inbox;
use super::order::{CompareAsk, HistoryAsk};
use super::query;
use super::workspace::Workspace;

/// Most runs of one page on the board: who wants older ones narrows the search.
pub const SHOWN_RUNS_MAX: usize = 5_000;

/// What faces look at.
pub struct HistoryDesk {
    pool: Handle,
    inbox: Inbox,
    history: Option<HistoryAsk>,
    /// A page is being read.
    reading: bool,
    comparison: Option<CompareAsk>,
    /// What is on the board.
    shown: Option<Arc<HistoryShown>>,
    compared: Option<Arc<ComparisonShown>>,
}

impl HistoryDesk {
    /// Shows nothing.
    pub fn new(pool: Handle, inbox: Inbox) -> Self {
        Self {
            pool,
            inbox,
            history: None,
            reading: false,
            comparison: None,
            shown: None,
            compared: None,
        }
    }

    /// The page for the board.
    pub fn shown(&self) -> Option<Arc<HistoryShown>> {
        self.shown.clone()
    }

    /// The comparison for the board.
    pub fn compared(&self) -> Option<Arc<ComparisonShown>> {
        self.compared.clone()
    }

    /// This page from now on.
    pub fn show(&mut self, ask: Option<HistoryAsk>, workspace: Option<Arc<Workspace>>) {
        let ask = ask.map(|ask| HistoryAsk {
            n: ask.n.clamp(1, SHOWN_RUNS_MAX),
            ..ask
        });
        if ask.is_none() {
            self.shown = None;
        }
        self.history = ask;
        self.read(workspace, false);
    }

    /// Reads what is asked for; with `anew` also what is there already.
    fn read(&mut self, workspace: Option<Arc<Workspace>>, anew: bool) {
        let (Some(ask), Some(workspace), false) = (&self.history, workspace, self.reading) else {
            return;
        };
        // More of the same goes on from the last run there is.
        let before = self
            .shown
            .clone()
            .filter(|shown| !anew && shown.ask.is_same_list(ask) && shown.ask.n < ask.n);
        self.reading = true;
        let (ask, inbox) = (ask.clone(), self.inbox.clone());
        self.pool.spawn_blocking(move || {
            let read = read(&workspace, &ask, before.as_deref());
            let (page, trouble) = match read {
                Ok(page) => (page, String::new()),
                Err(why) => (HistoryPage::default(), why),
            };
            inbox.send(Incoming::HistoryRead(Box::new(HistoryShown {
                ask,
                page,
                trouble,
            })));
        });
    }

    /// A page came; true when it is one to show. `workspace` is that of what is asked for now.
    pub fn was_read(&mut self, read: HistoryShown, workspace: Option<Arc<Workspace>>) -> bool {
        self.reading = false;
        let wanted = self.history.as_ref() == Some(&read.ask);
        if wanted {
            self.shown = Some(Arc::new(read));
        } else {
            // Something else was asked for meanwhile.
            self.read(workspace, false);
        }
        wanted
    }

    /// Which flow's page is shown.
    pub fn flow(&self) -> Option<&FlowRef> {
        self.history.as_ref().map(|ask| &ask.flow)
    }

    /// Puts two runs beside each other, or nothing any more.
    pub fn compare(&mut self, ask: Option<CompareAsk>, workspace: Option<Arc<Workspace>>) {
        self.comparison = ask;
        if self.comparison != self.compared.as_ref().map(|shown| shown.ask.clone()) {
            self.compared = None;
        }
        let (Some(ask), Some(workspace)) = (self.comparison.clone(), workspace) else {
            return;
        };
        let inbox = self.inbox.clone();
        self.pool.spawn_blocking(move || {
            let result = query::compare(&workspace, &ask.flow, &ask.a, &ask.b);
            inbox.send(Incoming::Compared(Box::new(ComparisonShown {
                ask,
                result,
            })));
        });
    }

    /// A comparison came; true when it is the one to show.
    pub fn was_compared(&mut self, compared: ComparisonShown) -> bool {
        let wanted = self.comparison.as_ref() == Some(&compared.ask);
        if wanted {
            self.compared = Some(Arc::new(compared));
        }
        wanted
    }

    /// A run of this flow began, ended or was pinned: what is shown of it is read anew.
    pub fn changed(&mut self, flow: &FlowRef, workspace: &Arc<Workspace>) {
        if self.flow() == Some(flow) {
            self.read(Some(workspace.clone()), true);
        }
        if let Some(ask) = self.comparison.clone().filter(|ask| ask.flow == *flow) {
            self.compare(Some(ask), Some(workspace.clone()));
        }
    }
}

fn read(
    workspace: &Workspace,
    ask: &HistoryAsk,
    before: Option<&HistoryShown>,
) -> Result<HistoryPage, String> {
    let mut runs = before.map_or_else(Vec::new, |shown| shown.page.runs.clone());
    let last = runs.last().map(|run| run.summary.id.clone());
    let page = workspace
        .ledger
        .search(
            Some(&ask.flow),
            &ask.filter,
            ask.n - runs.len().min(ask.n - 1),
            last.as_ref(),
        )
        .map_err(|why| why.to_string())?;
    runs.extend(page.runs);
    Ok(HistoryPage {
        runs,
        more: page.more,
    })
}
