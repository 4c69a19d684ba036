//! Pattern text to a tree.

use super::PatternError;

#[derive(Clone, Debug)]
pub enum Node {
    Empty,
    One(Class),
    Start,
    End,
    Group(Box<Node>, usize),
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        greedy: bool,
    },
}

/// Characters that match.
#[derive(Clone, Debug)]
pub struct Class {
    pub ranges: Vec<(char, char)>,
    pub negated: bool,
}

impl Class {
    fn one(letter: char) -> Self {
        Self {
            ranges: vec![(letter, letter)],
            negated: false,
        }
    }

    pub fn contains(&self, letter: char) -> bool {
        self.ranges
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&letter))
            != self.negated
    }
}

impl Node {
    /// Whether it matches without taking a character.
    fn may_be_empty(&self) -> bool {
        match self {
            Self::Empty | Self::Start | Self::End => true,
            Self::One(_) => false,
            Self::Group(inner, _) => inner.may_be_empty(),
            Self::Sequence(nodes) => nodes.iter().all(Self::may_be_empty),
            Self::Either(branches) => branches.iter().any(Self::may_be_empty),
            Self::Repeat { node, min, .. } => *min == 0 || node.may_be_empty(),
        }
    }
}

const DEPTH_MAX: usize = 50;
const REPEAT_MAX: u32 = 1_000;

struct Parser<'a> {
    letters: std::iter::Peekable<std::str::Chars<'a>>,
    groups: usize,
    depth: usize,
}

/// The tree and the number of capturing groups.
pub fn parse(text: &str) -> Result<(Node, usize), PatternError> {
    let mut parser = Parser {
        letters: text.chars().peekable(),
        groups: 0,
        depth: 0,
    };
    let node = parser.either()?;
    match parser.letters.peek() {
        None => Ok((node, parser.groups)),
        Some(_) => Err(PatternError::Malformed("a ) without its (")),
    }
}

impl Parser<'_> {
    fn either(&mut self) -> Result<Node, PatternError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(PatternError::TooLarge);
        }
        let mut branches = vec![self.sequence()?];
        while self.letters.next_if_eq(&'|').is_some() {
            branches.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(if branches.len() == 1 {
            branches.remove(0)
        } else {
            Node::Either(branches)
        })
    }

    fn sequence(&mut self) -> Result<Node, PatternError> {
        let mut nodes = Vec::new();
        while let Some(letter) = self.letters.peek().copied() {
            if letter == '|' || letter == ')' {
                break;
            }
            let atom = self.atom()?;
            nodes.push(self.repeated(atom)?);
        }
        Ok(if nodes.is_empty() {
            Node::Empty
        } else {
            Node::Sequence(nodes)
        })
    }

    fn atom(&mut self) -> Result<Node, PatternError> {
        let letter = self
            .letters
            .next()
            .ok_or(PatternError::Malformed("it ends too early"))?;
        Ok(match letter {
            '^' => Node::Start,
            '$' => Node::End,
            '.' => Node::One(Class {
                // Java's line terminators.
                ranges: ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']
                    .map(|end| (end, end))
                    .to_vec(),
                negated: true,
            }),
            '(' => self.group()?,
            '[' => Node::One(self.class()?),
            '\\' => Node::One(self.escape()?),
            '*' | '+' | '?' => {
                return Err(PatternError::Malformed(
                    "a quantifier without anything before it",
                ));
            }
            '{' => return Err(PatternError::Malformed("a { without anything before it")),
            other => Node::One(Class::one(other)),
        })
    }

    fn group(&mut self) -> Result<Node, PatternError> {
        let mut number = None;
        if self.letters.next_if_eq(&'?').is_some() {
            if self.letters.next() != Some(':') {
                return Err(PatternError::Unsupported(
                    "a group that begins with (? other than (?:",
                ));
            }
        } else {
            self.groups += 1;
            number = Some(self.groups);
        }
        let inner = self.either()?;
        if self.letters.next() != Some(')') {
            return Err(PatternError::Malformed("a ( without its )"));
        }
        Ok(match number {
            Some(number) => Node::Group(Box::new(inner), number),
            None => inner,
        })
    }

    fn escape(&mut self) -> Result<Class, PatternError> {
        let letter = self
            .letters
            .next()
            .ok_or(PatternError::Malformed("a \\ at the end"))?;
        let digits = vec![('0', '9')];
        let word = vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')];
        let space = vec![(' ', ' '), ('\t', '\r')];
        let class = |ranges, negated| Class { ranges, negated };
        Ok(match letter {
            'd' => class(digits, false),
            'D' => class(digits, true),
            'w' => class(word, false),
            'W' => class(word, true),
            's' => class(space, false),
            'S' => class(space, true),
            't' => Class::one('\t'),
            'n' => Class::one('\n'),
            '1'..='9' => return Err(PatternError::Unsupported("a back-reference")),
            letter if letter.is_ascii_alphanumeric() => {
                return Err(PatternError::Unsupported("this \\ escape"));
            }
            other => Class::one(other),
        })
    }

    fn class(&mut self) -> Result<Class, PatternError> {
        let unfinished = PatternError::Malformed("a [ without its ]");
        let negated = self.letters.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        loop {
            let letter = self.letters.next().ok_or(unfinished.clone())?;
            let low = match letter {
                ']' if !ranges.is_empty() => return Ok(Class { ranges, negated }),
                '[' => return Err(PatternError::Unsupported("a class inside a class")),
                '&' if self.letters.peek() == Some(&'&') => {
                    return Err(PatternError::Unsupported("an intersection of classes"));
                }
                '\\' => {
                    let inner = self.escape()?;
                    match inner.ranges.as_slice() {
                        [(low, high)] if low == high && !inner.negated => *low,
                        _ if inner.negated => {
                            return Err(PatternError::Unsupported(
                                "a negated escape inside a class",
                            ));
                        }
                        several => {
                            ranges.extend_from_slice(several);
                            continue;
                        }
                    }
                }
                other => other,
            };
            let mut ahead = self.letters.clone();
            let is_range =
                ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']');
            if !is_range {
                ranges.push((low, low));
                continue;
            }
            self.letters.next();
            let high = match self.letters.next().ok_or(unfinished.clone())? {
                '\\' => self
                    .letters
                    .next_if(|letter| !letter.is_ascii_alphanumeric())
                    .ok_or(PatternError::Malformed(
                        "a range needs a character at its end",
                    ))?,
                '[' => return Err(PatternError::Unsupported("a class inside a class")),
                other => other,
            };
            if high < low {
                return Err(PatternError::Malformed("a range that runs backwards"));
            }
            ranges.push((low, high));
        }
    }

    fn repeated(&mut self, atom: Node) -> Result<Node, PatternError> {
        let (min, max) = match self.letters.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.letters.next();
                let bounds = self.bounds()?;
                return self.quantified(atom, bounds.0, bounds.1);
            }
            _ => return Ok(atom),
        };
        self.letters.next();
        self.quantified(atom, min, max)
    }

    fn quantified(&mut self, atom: Node, min: u32, max: Option<u32>) -> Result<Node, PatternError> {
        if max.is_none_or(|max| max > 1) && atom.may_be_empty() {
            // What Java's matcher finds here depends on how it breaks its loops.
            return Err(PatternError::Unsupported(
                "repeating what may be empty, as in (a*)*,",
            ));
        }
        let greedy = self.letters.next_if_eq(&'?').is_none();
        match self.letters.peek() {
            Some('+') => Err(PatternError::Unsupported("a possessive quantifier")),
            Some('*' | '?' | '{') => Err(PatternError::Malformed("two quantifiers in a row")),
            _ => Ok(Node::Repeat {
                node: Box::new(atom),
                min,
                max,
                greedy,
            }),
        }
    }

    /// `m}`, `m,}` or `m,n}`
    fn bounds(&mut self) -> Result<(u32, Option<u32>), PatternError> {
        let min = self.number()?;
        let max = if self.letters.next_if_eq(&',').is_none() {
            Some(min)
        } else if self.letters.peek() == Some(&'}') {
            None
        } else {
            Some(self.number()?)
        };
        if self.letters.next() != Some('}') || max.is_some_and(|max| max < min) {
            return Err(PatternError::Malformed(
                "a repetition is written {2}, {2,} or {2,5}",
            ));
        }
        Ok((min, max))
    }

    fn number(&mut self) -> Result<u32, PatternError> {
        let mut digits = String::new();
        while let Some(digit) = self.letters.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        match digits.parse() {
            Ok(number) if number <= REPEAT_MAX => Ok(number),
            Ok(_) => Err(PatternError::TooLarge),
            Err(_) => Err(PatternError::Malformed("a repetition needs numbers")),
        }
    }
}
