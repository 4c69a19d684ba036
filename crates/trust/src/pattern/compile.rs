//! Tree to program.

use super::parse::{Class, Node};
use super::{PROGRAM_MAX, PatternError};

#[derive(Clone, Debug)]
pub enum Step {
    One(Class),
    Start,
    End,
    /// Remembers the position in a slot.
    Save(usize),
    /// Goes on at both; the first is preferred.
    Split(usize, usize),
    Jump(usize),
    Done,
}

pub fn compile(node: &Node, _groups: usize) -> Result<Vec<Step>, PatternError> {
    let mut program = Vec::new();
    emit(node, &mut program)?;
    program.push(Step::Done);
    Ok(program)
}

fn push(program: &mut Vec<Step>, step: Step) -> Result<usize, PatternError> {
    if program.len() >= PROGRAM_MAX {
        return Err(PatternError::TooLarge);
    }
    program.push(step);
    Ok(program.len() - 1)
}

fn emit(node: &Node, program: &mut Vec<Step>) -> Result<(), PatternError> {
    match node {
        Node::Empty => Ok(()),
        Node::One(class) => push(program, Step::One(class.clone())).map(drop),
        Node::Start => push(program, Step::Start).map(drop),
        Node::End => push(program, Step::End).map(drop),
        Node::Group(inner, number) => {
            push(program, Step::Save(number * 2 - 2))?;
            emit(inner, program)?;
            push(program, Step::Save(number * 2 - 1)).map(drop)
        }
        Node::Sequence(nodes) => nodes.iter().try_for_each(|node| emit(node, program)),
        Node::Either(branches) => emit_either(branches, program),
        Node::Repeat {
            node,
            min,
            max,
            greedy,
        } => emit_repeat(node, *min, *max, *greedy, program),
    }
}

fn emit_either(branches: &[Node], program: &mut Vec<Step>) -> Result<(), PatternError> {
    let mut ends = Vec::new();
    for (at, branch) in branches.iter().enumerate() {
        if at + 1 == branches.len() {
            emit(branch, program)?;
            break;
        }
        let split = push(program, Step::Split(0, 0))?;
        emit(branch, program)?;
        ends.push(push(program, Step::Jump(0))?);
        program[split] = Step::Split(split + 1, program.len());
    }
    for end in ends {
        program[end] = Step::Jump(program.len());
    }
    Ok(())
}

fn split(greedy: bool, inside: usize, behind: usize) -> Step {
    if greedy {
        Step::Split(inside, behind)
    } else {
        Step::Split(behind, inside)
    }
}

fn emit_repeat(
    node: &Node,
    min: u32,
    max: Option<u32>,
    greedy: bool,
    program: &mut Vec<Step>,
) -> Result<(), PatternError> {
    for _ in 0..min {
        emit(node, program)?;
    }
    let Some(max) = max else {
        let head = push(program, Step::Split(0, 0))?;
        emit(node, program)?;
        push(program, Step::Jump(head))?;
        program[head] = split(greedy, head + 1, program.len());
        return Ok(());
    };
    let mut heads = Vec::new();
    for _ in min..max {
        heads.push(push(program, Step::Split(0, 0))?);
        emit(node, program)?;
    }
    for head in heads {
        program[head] = split(greedy, head + 1, program.len());
    }
    Ok(())
}
