//! What lowering knows about the output of a logical plan node.

use super::one_input;
use super::physical::Input;
use headwater_plan::Partitioning;
use headwater_plan::operators::{WindowProperty, WindowSpec};
use headwater_types::LogicalType;

/// Where a logical column is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// In the physical row, at this position.
    Physical(usize),
    /// Nowhere yet: it is a column of the pending window.
    Window(WindowProperty),
}

/// The window a relation's rows belong to.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The assignment. While pending, its time column is a position of the physical row.
    pub spec: WindowSpec,
    /// Where its columns are.
    pub state: WindowState,
    /// Type of window_time: that of the time attribute.
    pub time_type: LogicalType,
    /// Whether the window derives from processing time.
    pub proctime: bool,
    /// Whether sessions are cut per group of the aggregate above.
    pub per_group: bool,
}

/// Whether window columns exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowState {
    /// The window was declared but its columns were not computed.
    Pending,
    /// Positions of window start and end in the physical row; `None` for one that was projected away.
    Attached {
        /// Position of the start.
        start: Option<usize>,
        /// Position of the end.
        end: Option<usize>,
    },
}

/// A lowered logical plan: producers of one physical row layout, and where each logical column is in it.
#[derive(Debug, Clone)]
pub struct Relation {
    /// The operators whose rows, together, are the relation.
    pub producers: Vec<usize>,
    /// Logical columns by unique name, in schema order.
    pub columns: Vec<(String, Slot)>,
    /// The window of the rows, if they have one.
    pub window: Option<Window>,
}

impl Relation {
    /// A relation of one producer without a window.
    pub fn new(producer: usize, columns: Vec<(String, Slot)>) -> Self {
        Self { producers: vec![producer], columns, window: None }
    }

    /// Where a column is.
    pub fn slot(&self, name: &str) -> Option<Slot> {
        self.columns.iter().find(|(n, _)| n == name).map(|(_, s)| *s)
    }

    /// The relation as an operator's input.
    pub fn input(&self, partitioning: Partitioning) -> Input {
        one_input(&self.producers, partitioning)
    }

    /// Which window column a logical column is, pending or attached.
    pub fn window_property(&self, name: &str) -> Option<WindowProperty> {
        match (self.slot(name)?, &self.window.as_ref()?.state) {
            (Slot::Window(property), _) => Some(property),
            (Slot::Physical(i), WindowState::Attached { start, .. }) if Some(i) == *start => {
                Some(WindowProperty::Start)
            }
            (Slot::Physical(i), WindowState::Attached { end, .. }) if Some(i) == *end => Some(WindowProperty::End),
            _ => None,
        }
    }
}
