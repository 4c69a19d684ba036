//! Drives the group machine: one task hands it requests, deadlines and what the journal reports, one after the other.
//!
//! In: requests over a bounded queue. Out: answers over one-shot channels. The task ends when [`Coordinator::stop`] is
//! called; whoever waits then is told to look for another coordinator.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use kastellan_core::time::Clock;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info};
use wire::error::ErrorCode;
use wire::text::Str;

use crate::groups::{Answer, ChangeId, Effect, Entry, Event, Groups, Lost, Now, Waiter};
use crate::log::Log;
use crate::sync::NotDurable;

/// Requests that wait for the task.
const QUEUE: usize = 1_024;

enum Command {
    /// Something that is answered.
    Ask(
        Box<dyn FnOnce(Waiter) -> Event + Send>,
        oneshot::Sender<Answer>,
    ),
    /// Something that is not.
    Tell(Box<Event>),
    /// A look at the state between two steps.
    Look(Box<dyn FnOnce(&Groups) + Send>),
}

/// The way to the task.
#[derive(Clone, Debug)]
pub(crate) struct Coordinator {
    commands: mpsc::Sender<Command>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Command(..)")
    }
}

impl Coordinator {
    /// Starts the task. It ends after [`Coordinator::stop`]; the handle is to be awaited.
    pub(crate) fn start(
        groups: Groups,
        log: Log,
        clock: Clock,
        sweep: Duration,
    ) -> (Self, JoinHandle<()>) {
        let (commands, queue) = mpsc::channel(QUEUE);
        let driver = Driver {
            groups,
            log,
            clock,
            answers: HashMap::new(),
            next_waiter: 0,
            writing: VecDeque::new(),
        };
        let task = tokio::spawn(driver.run(queue, sweep));
        (Self { commands }, task)
    }

    /// Hands over a request and waits for its answer; `None` when the coordinator is gone.
    pub(crate) async fn ask(
        &self,
        event: impl FnOnce(Waiter) -> Event + Send + 'static,
    ) -> Option<Answer> {
        let (answer, answered) = oneshot::channel();
        self.commands
            .send(Command::Ask(Box::new(event), answer))
            .await
            .ok()?;
        answered.await.ok()
    }

    /// Looks at the groups between two steps; `None` when the coordinator is gone.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Groups) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let look = Box::new(move |groups: &Groups| {
            // Whoever asked may have gone.
            let _ = answer.send(look(groups));
        });
        self.commands.send(Command::Look(look)).await.ok()?;
        answered.await.ok()
    }

    /// Reports what needs no answer.
    pub(crate) async fn tell(&self, event: Event) {
        // A coordinator that is gone has nothing left to learn.
        let _ = self.commands.send(Command::Tell(Box::new(event))).await;
    }

    /// Ends the task once what was handed over is done.
    pub(crate) async fn stop(&self) {
        self.tell(Event::Stop).await;
    }
}

struct Driver {
    groups: Groups,
    log: Log,
    clock: Clock,
    answers: HashMap<Waiter, oneshot::Sender<Answer>>,
    next_waiter: u64,
    /// Changes that are being written, oldest first.
    writing: VecDeque<Writing>,
}

/// A change on its way to the disk.
struct Writing {
    change: ChangeId,
    durable: Pin<Box<dyn Future<Output = Result<(), NotDurable>> + Send>>,
}

impl Driver {
    async fn run(mut self, mut queue: mpsc::Receiver<Command>, sweep: Duration) {
        let mut sweeps = interval(sweep);
        sweeps.reset();
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopping = false;
        while !(stopping && self.writing.is_empty()) {
            let due = self.until_deadline();
            // A journal is written anew when nothing is on its way; until then nothing new is let in.
            let mut is_settling = self.log.groups_journal().is_large();
            if is_settling && self.writing.is_empty() {
                self.rewrite().await;
                is_settling = false;
            }
            tokio::select! {
                biased;
                // Journal first: its reports are what waiting requests wait for.
                (change, outcome) = written(&mut self.writing) => {
                    self.step(Event::Journaled(change, outcome));
                }
                // Deadlines before requests: a full queue must not keep silent members alive.
                () = sleep(due) => self.step(Event::Tick),
                _ = sweeps.tick() => self.sweep(),
                command = queue.recv(), if !is_settling => match command {
                    Some(command) => stopping |= self.handle(command),
                    None => stopping = true,
                },
            }
        }
    }

    fn until_deadline(&self) -> Option<Duration> {
        let due = self.groups.next_deadline()?;
        Some(due.saturating_sub(self.clock.monotonic()))
    }

    /// Handles a command; whether it was the last.
    fn handle(&mut self, command: Command) -> bool {
        match command {
            Command::Ask(event, answer) => {
                let waiter = Waiter(self.next_waiter);
                self.next_waiter += 1;
                self.answers.insert(waiter, answer);
                self.step(event(waiter));
                false
            }
            Command::Tell(event) => {
                let stops = matches!(*event, Event::Stop);
                self.step(*event);
                stops
            }
            Command::Look(look) => {
                look(&self.groups);
                false
            }
        }
    }

    fn step(&mut self, event: Event) {
        let now = Now {
            monotonic: self.clock.monotonic(),
            wall: self.clock.now(),
        };
        for effect in self.groups.step(event, now) {
            match effect {
                Effect::Answer(waiter, answer) => {
                    count(&answer);
                    if let Some(waiting) = self.answers.remove(&waiter) {
                        // The connection may be gone.
                        let _ = waiting.send(answer);
                    }
                }
                Effect::Journal(change, entries) => {
                    let entries: Vec<_> = entries.iter().map(Entry::encode).collect();
                    let durable = Box::pin(self.write(&entries));
                    self.writing.push_back(Writing { change, durable });
                }
                Effect::Rebalanced {
                    group,
                    generation,
                    members,
                } => {
                    metrics::counter!("group_rebalances_total").increment(1);
                    metrics::gauge!("group_members").set(self.groups.members() as f64);
                    info!(%group, generation, members, "Group rebalanced");
                }
            }
        }
    }

    /// Hands entries to the journal now; the future ends when they are on disk.
    fn write(
        &self,
        entries: &[(u16, Bytes)],
    ) -> impl Future<Output = Result<(), NotDurable>> + use<> {
        let written = self.log.groups_journal().append(entries);
        async move {
            match written {
                Ok(ticket) => ticket.durable().await,
                Err(_) => Err(NotDurable),
            }
        }
    }

    /// Writes the journal anew when it has grown. Nothing may be on its way then.
    fn rewrite(&self) -> impl Future<Output = ()> + use<> {
        let journal = self.log.groups_journal().clone();
        let snapshot: Vec<_> = self.groups.snapshot().iter().map(Entry::encode).collect();
        async move {
            let rewritten = tokio::task::spawn_blocking(move || journal.rewrite(&snapshot)).await;
            if !matches!(rewritten, Ok(Ok(()))) {
                error!("Groups journal could not be rewritten");
            }
        }
    }

    fn sweep(&mut self) {
        let topics = self.log.topics();
        let names = topics
            .iter()
            .map(|topic| (topic.id, Str::from(&topic.name)))
            .collect();
        self.step(Event::Sweep(names));
    }
}

fn count(answer: &Answer) {
    if let Answer::Commit(codes) = answer {
        let committed = codes
            .iter()
            .filter(|code| **code == ErrorCode::NONE)
            .count();
        metrics::counter!("offsets_committed_total").increment(committed as u64);
    }
}

/// The oldest change that is being written, when it is on disk or lost. Waits for ever if there is none.
async fn written(writing: &mut VecDeque<Writing>) -> (ChangeId, Result<(), Lost>) {
    let Some(oldest) = writing.front_mut() else {
        return std::future::pending().await;
    };
    let outcome = oldest.durable.as_mut().await.map_err(|_| Lost);
    let change = oldest.change;
    writing.pop_front();
    (change, outcome)
}

async fn sleep(due: Option<Duration>) {
    match due {
        Some(due) => tokio::time::sleep(due).await,
        None => std::future::pending().await,
    }
}
