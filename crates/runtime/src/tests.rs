//! Subtasks driven by hand: every test runs on one thread with a simulated clock, and can be replayed.

mod chains;
mod checkpoints;
mod ends;
mod flow;
mod lanes;
mod random;
mod simulation;
