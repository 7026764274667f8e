//! Searched CASE: every branch is evaluated for the rows that reach it and no others.

use crate::arrow_error;
use crate::node::{Node, as_boolean, into_array};
use crate::scope::Scope;
use arrow::array::{Array, ArrayRef, BooleanArray, Datum, Scalar};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{interleave, prep_null_mask_filter};
use headwater_functions::Operand;
use headwater_types::Result;

pub(crate) struct CaseNode {
    pub(crate) branches: Vec<(Node, Node)>,
    /// The ELSE result; the compiler makes an absent one a NULL literal.
    pub(crate) otherwise: Box<Node>,
}

/// Where each row's result is: (array, position in it).
pub(crate) struct Assembly {
    arrays: Vec<ArrayRef>,
    places: Vec<(usize, usize)>,
}

impl CaseNode {
    pub(crate) fn eval(&self, scope: &Scope<'_>) -> Result<Operand> {
        if let [(condition, result)] = self.branches.as_slice()
            && result.is_total()
            && self.otherwise.is_total()
        {
            return choose(condition, result, &self.otherwise, scope);
        }
        let rows: Vec<u32> = (0..scope.rows() as u32).collect();
        let mut assembly = Assembly::of(rows.len());
        self.branch(0, scope, &rows, &mut assembly)?;
        assembly.finish(scope.rows())
    }

    /// Decides the rows of `scope`, which are `rows` of the outermost scope, from branch `index` on.
    fn branch(&self, index: usize, scope: &Scope<'_>, rows: &[u32], assembly: &mut Assembly) -> Result<()> {
        let Some((condition, result)) = self.branches.get(index) else {
            assembly.put(rows, self.otherwise.eval(scope)?);
            return Ok(());
        };
        let mask = truth(condition, scope)?;
        match mask.true_count() {
            0 => return self.branch(index + 1, scope, rows, assembly),
            hits if hits == scope.rows() => {
                assembly.put(rows, result.eval(scope)?);
                return Ok(());
            }
            _ => {}
        }
        let hits = Scope::select(scope, &mask);
        assembly.put(&select_rows(rows, &mask), result.eval(&hits)?);
        let misses = BooleanArray::new(!mask.values(), None);
        let rest = Scope::select(scope, &misses);
        self.branch(index + 1, &rest, &select_rows(rows, &misses), assembly)
    }
}

impl Assembly {
    /// An assembly of `rows` rows without results yet.
    pub(crate) fn of(rows: usize) -> Self {
        Self { arrays: vec![], places: vec![(0, 0); rows] }
    }

    /// Takes the results of `rows`.
    pub(crate) fn put(&mut self, rows: &[u32], result: Operand) {
        let array = self.arrays.len();
        for (position, row) in rows.iter().enumerate() {
            self.places[*row as usize] = (array, result.index(position));
        }
        self.arrays.push(result.array().clone());
    }

    /// The results of all rows, each of which was put last where it counts.
    pub(crate) fn finish(self, rows: usize) -> Result<Operand> {
        if let [array] = self.arrays.as_slice() {
            let whole = array.len() == rows && self.places.last().is_none_or(|last| last.1 + 1 == rows);
            return Ok(if whole { Operand::Array(array.clone()) } else { Operand::Scalar(array.clone()) });
        }
        let arrays: Vec<&dyn Array> = self.arrays.iter().map(AsRef::as_ref).collect();
        interleave(&arrays, &self.places).map(Operand::Array).map_err(arrow_error)
    }
}

fn truth(condition: &Node, scope: &Scope<'_>) -> Result<BooleanArray> {
    let array = into_array(condition.eval(scope)?, scope.rows())?;
    let mask = as_boolean(&array, "a condition of CASE")?;
    Ok(if mask.null_count() > 0 { prep_null_mask_filter(mask) } else { mask.clone() })
}

/// One condition between two results that are columns, literals or other cheap expressions.
fn choose(condition: &Node, result: &Node, otherwise: &Node, scope: &Scope<'_>) -> Result<Operand> {
    let mask = truth(condition, scope)?;
    let (yes, no) = (result.eval(scope)?, otherwise.eval(scope)?);
    zip(&mask, datum(&yes).as_ref(), datum(&no).as_ref()).map(Operand::Array).map_err(arrow_error)
}

fn datum(operand: &Operand) -> Box<dyn Datum> {
    match operand {
        Operand::Array(array) => Box::new(array.clone()),
        Operand::Scalar(array) => Box::new(Scalar::new(array.clone())),
    }
}

pub(crate) fn select_rows(rows: &[u32], mask: &BooleanArray) -> Vec<u32> {
    mask.values().set_indices().map(|i| rows[i]).collect()
}
