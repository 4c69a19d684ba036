//! Runs a program: all threads side by side, one character at a time, the preferred one first.

use super::Match;
use super::compile::Step;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// From the first to the last character.
    Whole,
    /// Anywhere from the given position.
    Search,
}

#[derive(Clone)]
struct Thread {
    at: usize,
    start: usize,
    slots: Vec<Option<usize>>,
}

struct Machine<'a> {
    program: &'a [Step],
    text: &'a [char],
    /// Steps that a better thread already stands on, by generation.
    seen: Vec<usize>,
    generation: usize,
}

pub fn run(
    program: &[Step],
    groups: usize,
    text: &[char],
    from: usize,
    mode: Mode,
) -> Option<Match> {
    let mut machine = Machine {
        program,
        text,
        seen: vec![0; program.len()],
        generation: 0,
    };
    let mut threads: Vec<Thread> = Vec::new();
    let mut best: Option<Match> = None;
    for position in from..=text.len() {
        machine.generation += 1;
        let mut ready = Vec::new();
        for thread in threads {
            machine.follow(thread, position, &mut ready);
        }
        if best.is_none() && (mode == Mode::Search || position == from) {
            machine.follow(
                Thread {
                    at: 0,
                    start: position,
                    slots: vec![None; groups * 2],
                },
                position,
                &mut ready,
            );
        }
        threads = Vec::new();
        for thread in ready {
            match &program[thread.at] {
                Step::Done if mode == Mode::Search || position == text.len() => {
                    best = Some(finish(&thread, position));
                    // Whoever comes behind is less preferred.
                    break;
                }
                Step::One(class)
                    if text
                        .get(position)
                        .is_some_and(|letter| class.contains(*letter)) =>
                {
                    threads.push(Thread {
                        at: thread.at + 1,
                        ..thread
                    });
                }
                _ => {}
            }
        }
        if threads.is_empty() && (best.is_some() || mode == Mode::Whole) {
            break;
        }
    }
    best
}

fn finish(thread: &Thread, end: usize) -> Match {
    let groups = thread
        .slots
        .chunks(2)
        .map(|pair| match pair {
            [Some(start), Some(end)] => Some((*start, *end)),
            _ => None,
        })
        .collect();
    Match {
        start: thread.start,
        end,
        groups,
    }
}

impl Machine<'_> {
    /// Goes on through steps that take no character.
    fn follow(&mut self, thread: Thread, position: usize, ready: &mut Vec<Thread>) {
        let mut stack = vec![thread];
        while let Some(mut thread) = stack.pop() {
            if self.seen[thread.at] == self.generation {
                continue;
            }
            self.seen[thread.at] = self.generation;
            match &self.program[thread.at] {
                Step::Jump(to) => stack.push(Thread { at: *to, ..thread }),
                Step::Split(first, second) => {
                    stack.push(Thread {
                        at: *second,
                        ..thread.clone()
                    });
                    stack.push(Thread {
                        at: *first,
                        ..thread
                    });
                }
                Step::Save(slot) => {
                    if let Some(slot) = thread.slots.get_mut(*slot) {
                        *slot = Some(position);
                    }
                    stack.push(Thread {
                        at: thread.at + 1,
                        ..thread
                    });
                }
                Step::Start if position == 0 => stack.push(Thread {
                    at: thread.at + 1,
                    ..thread
                }),
                Step::End if position == self.text.len() => stack.push(Thread {
                    at: thread.at + 1,
                    ..thread
                }),
                Step::Start | Step::End => {}
                Step::One(_) | Step::Done => ready.push(thread),
            }
        }
    }
}
