//! Windows of `OVER` and of the `WINDOW` clause.

use super::Result;
use super::cursor::Parser;
use super::expr::power;
use crate::ast::{FrameBound, FrameUnit, WindowFrame, WindowRef, WindowSpec};
use crate::lexer::Punct;

impl Parser<'_> {
    /// Behind `OVER`: a name or a window.
    pub(super) fn window_ref(&mut self) -> Result<WindowRef> {
        if self.at_punct(Punct::LeftParen) {
            self.window_spec().map(WindowRef::Spec)
        } else {
            self.ident().map(WindowRef::Named)
        }
    }

    pub(super) fn window_spec(&mut self) -> Result<WindowSpec> {
        self.nested(1, Self::window_spec_unbounded)
    }

    fn window_spec_unbounded(&mut self) -> Result<WindowSpec> {
        let start = self.span();
        self.expect_punct(Punct::LeftParen)?;
        let base = if self.is_ident(0) { Some(self.ident()?) } else { None };
        let partition_by = if self.eat("PARTITION") {
            self.expect("BY")?;
            self.comma_list(Self::expr)?
        } else {
            Vec::new()
        };
        let order_by = self.optional_order_by()?;
        let frame = self.optional_frame()?;
        self.expect_punct(Punct::RightParen)?;
        Ok(WindowSpec { base, partition_by, order_by, frame, span: self.span_from(start) })
    }

    fn optional_frame(&mut self) -> Result<Option<WindowFrame>> {
        let start = self.span();
        let unit = match self.eat_any(&["ROWS", "RANGE"]) {
            None => return Ok(None),
            Some("ROWS") => FrameUnit::Rows,
            Some(_) => FrameUnit::Range,
        };
        let has_both = self.eat("BETWEEN");
        let first = self.frame_bound()?;
        let end = if has_both {
            self.expect("AND")?;
            Some(self.frame_bound()?)
        } else {
            None
        };
        Ok(Some(WindowFrame { unit, start: first, end, span: self.span_from(start) }))
    }

    fn frame_bound(&mut self) -> Result<FrameBound> {
        if self.eat_all(&["CURRENT", "ROW"]) {
            return Ok(FrameBound::CurrentRow);
        }
        if self.eat_all(&["UNBOUNDED", "PRECEDING"]) {
            return Ok(FrameBound::UnboundedPreceding);
        }
        if self.eat_all(&["UNBOUNDED", "FOLLOWING"]) {
            return Ok(FrameBound::UnboundedFollowing);
        }
        let distance = Box::new(self.expr_above(power::PREDICATE)?);
        match self.expect_any(&["PRECEDING", "FOLLOWING"])? {
            "PRECEDING" => Ok(FrameBound::Preceding(distance)),
            _ => Ok(FrameBound::Following(distance)),
        }
    }
}
