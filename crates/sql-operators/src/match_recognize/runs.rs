//! The automaton of a row pattern: which partial matches there are, and how a row moves them on.
//!
//! Rows of a partition are numbered without gaps, and a match takes rows without gaps. A run (a partial match) is
//! therefore told by its first row and by how many rows each variable took: the rows themselves are not in it.
//!
//! The rules are those of Flink:
//! * A match may begin at every row, so many runs are under way at once.
//! * A greedy variable takes every row that satisfies its condition and leaves it to no other. A reluctant one takes
//!   it and leaves it: both runs go on, and the one that completes first wins.
//! * A completed match waits until no run is left that began before it.
//! * What is skipped after a match ends the runs and the matches that began within it.

use headwater_plan::operators::{PatternElement, SkipStrategy};
use headwater_types::{Error, ErrorKind, Result};

/// Of which runs, for a variable by its position, the condition is true.
pub(super) type Condition<'a> = dyn FnMut(usize, &[Run]) -> Result<Vec<bool>> + 'a;

/// A partial or complete match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// Number of its first row.
    pub(super) start: u64,
    /// Time of its first row.
    start_ms: i64,
    /// Rows of each variable, in the order of the pattern.
    counts: Box<[u32]>,
}

impl Run {
    fn new(start: u64, start_ms: i64, variables: usize) -> Self {
        Self { start, start_ms, counts: vec![0; variables].into() }
    }

    /// The variable that took the last row.
    fn current(&self) -> Option<usize> {
        self.counts.iter().rposition(|count| *count > 0)
    }

    fn with(&self, variable: usize) -> Self {
        let mut run = self.clone();
        run.counts[variable] += 1;
        run
    }

    /// Numbers of the rows of a variable, or of all.
    pub(super) fn rows(&self, variable: Option<usize>) -> std::ops::Range<u64> {
        let sum = |counts: &[u32]| counts.iter().map(|count| u64::from(*count)).sum::<u64>();
        match variable {
            None => self.start..self.start + sum(&self.counts),
            Some(variable) => {
                let first = self.start + sum(&self.counts[..variable]);
                first..first + u64::from(self.counts[variable])
            }
        }
    }
}

/// A pattern.
pub(super) struct Pattern {
    pub(super) elements: Vec<PatternElement>,
    pub(super) skip: SkipStrategy,
    pub(super) within_ms: Option<i64>,
}

impl Pattern {
    /// The variables that may take the next row of a run.
    fn reach(&self, run: &Run) -> Vec<usize> {
        let current = run.current();
        let mut reach = vec![];
        if let Some(current) = current {
            let element = &self.elements[current];
            if element.max.is_none_or(|max| run.counts[current] < max) {
                reach.push(current);
            }
            if run.counts[current] < element.min {
                return reach;
            }
        }
        for next in current.map_or(0, |current| current + 1)..self.elements.len() {
            reach.push(next);
            if self.elements[next].min > 0 {
                break;
            }
        }
        reach
    }

    /// The variables that do take it, given those of `reach` whose condition it satisfies.
    fn takers(&self, run: &Run, satisfied: &[usize]) -> Vec<usize> {
        let mut takers = vec![];
        let stays = run.current().filter(|current| satisfied.contains(current));
        if let Some(current) = stays.filter(|current| self.elements[*current].greedy) {
            return vec![current];
        }
        for variable in satisfied.iter().copied().filter(|variable| Some(*variable) != stays) {
            takers.push(variable);
            if self.elements[variable].greedy {
                break;
            }
        }
        takers.extend(stays);
        takers
    }

    fn is_complete(&self, run: &Run) -> bool {
        let Some(current) = run.current() else { return false };
        run.counts[current] >= self.elements[current].min && self.elements[current + 1..].iter().all(|e| e.min == 0)
    }
}

/// The runs and matches of a partition.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Runs {
    /// Number of the next row.
    pub(super) next: u64,
    runs: Vec<Run>,
    /// Complete matches that wait for runs that began before them, by their first rows.
    waiting: Vec<Run>,
}

impl Runs {
    /// Time passes: runs that take too long end. Matches that need not wait any more go to `found`.
    pub(super) fn pass(&mut self, pattern: &Pattern, now_ms: i64, found: &mut Vec<Run>) -> Result<()> {
        let Some(within_ms) = pattern.within_ms else { return Ok(()) };
        self.runs.retain(|run| now_ms.saturating_sub(run.start_ms) < within_ms);
        self.release(pattern, found)
    }

    /// The next row comes. `satisfies` says, for a variable and runs that end in the row, of which its condition is true.
    pub(super) fn step(
        &mut self,
        pattern: &Pattern,
        time_ms: i64,
        satisfies: &mut Condition<'_>,
        found: &mut Vec<Run>,
    ) -> Result<()> {
        let mut runs = std::mem::take(&mut self.runs);
        runs.push(Run::new(self.next, time_ms, pattern.elements.len()));
        self.next += 1;
        let satisfied = satisfied(pattern, &runs, satisfies)?;
        for (run, satisfied) in runs.iter().zip(&satisfied) {
            for variable in pattern.takers(run, satisfied) {
                let run = run.with(variable);
                if pattern.is_complete(&run) {
                    let at = self.waiting.partition_point(|other| other.start <= run.start);
                    self.waiting.insert(at, run.clone());
                }
                if !pattern.reach(&run).is_empty() {
                    self.runs.push(run);
                }
            }
        }
        self.release(pattern, found)
    }

    /// Hands over the matches that wait for no run.
    fn release(&mut self, pattern: &Pattern, found: &mut Vec<Run>) -> Result<()> {
        while let Some(first) = self.waiting.first() {
            if self.runs.iter().any(|run| run.start < first.start) {
                break;
            }
            let first = self.waiting.remove(0);
            let next = resume(pattern, &first)?;
            self.runs.retain(|run| run.start >= next);
            self.waiting.retain(|run| run.start >= next);
            found.push(first);
        }
        Ok(())
    }

    /// The first row that a run or a match needs; the next one when none does.
    pub(super) fn first_needed(&self) -> u64 {
        self.runs.iter().chain(&self.waiting).map(|run| run.start).min().unwrap_or(self.next)
    }

    /// When the oldest run began.
    pub(super) fn oldest_ms(&self) -> Option<i64> {
        self.runs.iter().map(|run| run.start_ms).min()
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.runs.is_empty() && self.waiting.is_empty()
    }

    /// The bytes: number of the next row, number of runs, then each run and each waiting match as its first row, that
    /// row's time, and the counts; little endian.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.next.to_le_bytes().to_vec();
        bytes.extend((self.runs.len() as u64).to_le_bytes());
        for run in self.runs.iter().chain(&self.waiting) {
            bytes.extend(run.start.to_le_bytes());
            bytes.extend(run.start_ms.to_le_bytes());
            run.counts.iter().for_each(|count| bytes.extend(count.to_le_bytes()));
        }
        bytes
    }

    /// Reads what [`Runs::encode`] wrote for a pattern of so many variables.
    pub(super) fn decode(bytes: &[u8], variables: usize) -> Result<Self> {
        let (head, rest) = bytes.split_at_checked(16).ok_or_else(corrupt)?;
        let number = |bytes: &[u8]| bytes.first_chunk().map(|b| u64::from_le_bytes(*b)).ok_or_else(corrupt);
        let (next, count) = (number(head)?, number(&head[8..])? as usize);
        let size = 16 + 4 * variables;
        if rest.len() % size != 0 || rest.len() / size < count {
            return Err(corrupt());
        }
        let run = |bytes: &[u8]| {
            let counts = bytes[16..].chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            Ok(Run { start: number(bytes)?, start_ms: number(&bytes[8..])? as i64, counts })
        };
        let mut runs = rest.chunks_exact(size).map(run).collect::<Result<Vec<Run>>>()?;
        let waiting = runs.split_off(count);
        Ok(Self { next, runs, waiting })
    }
}

fn corrupt() -> Error {
    let message = "the runs of a pattern in state cannot be read: the pattern has other variables now, or the state is \
                   damaged";
    Error::new(ErrorKind::Corruption, "bad-operator-state", message)
}

/// For each run, the variables whose condition the row satisfies, among those that may take it. A variable is asked
/// once for all runs.
fn satisfied(pattern: &Pattern, runs: &[Run], satisfies: &mut Condition<'_>) -> Result<Vec<Vec<usize>>> {
    let mut satisfied = vec![vec![]; runs.len()];
    let mut asked: Vec<Vec<usize>> = vec![vec![]; pattern.elements.len()];
    for (position, run) in runs.iter().enumerate() {
        pattern.reach(run).into_iter().for_each(|variable| asked[variable].push(position));
    }
    for (variable, positions) in asked.iter().enumerate().filter(|(_, positions)| !positions.is_empty()) {
        let candidates: Vec<Run> = positions.iter().map(|position| runs[*position].with(variable)).collect();
        let answers = satisfies(variable, &candidates)?;
        for (position, _) in positions.iter().zip(answers).filter(|(_, answer)| *answer) {
            satisfied[*position].push(variable);
        }
    }
    Ok(satisfied)
}

/// The first row at which a match may begin after this one.
fn resume(pattern: &Pattern, found: &Run) -> Result<u64> {
    let rows_of = |variable: usize| {
        let rows = found.rows(Some(variable));
        let name = &pattern.elements[variable].variable;
        if rows.is_empty() {
            let message = format!("Could not skip to '{name}': no row of the match was mapped to it");
            return Err(Error::user("bad-skip", message));
        }
        Ok((rows, name))
    };
    let (row, name) = match pattern.skip {
        SkipStrategy::NextRow => return Ok(found.start + 1),
        SkipStrategy::PastLastRow => return Ok(found.rows(None).end),
        SkipStrategy::First(variable) => rows_of(variable).map(|(rows, name)| (rows.start, name))?,
        SkipStrategy::Last(variable) => rows_of(variable).map(|(rows, name)| (rows.end - 1, name))?,
    };
    if row == found.start {
        let message = format!("Could not skip to first element of a match: '{name}' is where it began");
        return Err(Error::user("bad-skip", message));
    }
    Ok(row)
}
