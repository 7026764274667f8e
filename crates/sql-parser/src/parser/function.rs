//! Function calls and the clauses behind them.

use super::Result;
use super::cursor::Parser;
use crate::ast::{Expr, ExprKind, Function, NullTreatment, ObjectName, OrderByExpr, SetQuantifier};
use crate::lexer::Punct;

impl Parser<'_> {
    /// `CURRENT_DATE` and the like; the caller has looked.
    pub(super) fn niladic_call(&mut self) -> Expr {
        let name = ObjectName::from(self.any_word());
        let span = name.span();
        let mut function = Function::call(name, Vec::new(), span);
        function.parenthesised = false;
        Expr::new(ExprKind::Function(Box::new(function)), span)
    }

    /// A call with everything that may follow it.
    pub(super) fn call(&mut self, name: ObjectName) -> Result<Expr> {
        let mut function = Box::new(self.plain_call(name)?);
        self.call_suffixes(&mut function)?;
        let span = function.span;
        Ok(Expr::new(ExprKind::Function(function), span))
    }

    /// `name(…)`, without `FILTER`, `OVER` and so on.
    pub(super) fn plain_call(&mut self, name: ObjectName) -> Result<Function> {
        let start = name.span();
        let mut function = Function::call(name, Vec::new(), start);
        self.expect_punct(Punct::LeftParen)?;
        function.quantifier = self.set_quantifier();
        if !self.at_punct(Punct::RightParen) && !self.at_all(&["ORDER", "BY"]) {
            function.args = self.comma_list(Self::function_arg)?;
        }
        function.order_by = self.optional_order_by()?;
        function.null_treatment = self.null_treatment();
        self.expect_punct(Punct::RightParen)?;
        function.span = self.span_from(start);
        Ok(function)
    }

    fn call_suffixes(&mut self, function: &mut Function) -> Result<()> {
        if function.null_treatment.is_none() {
            function.null_treatment = self.null_treatment();
        }
        if self.at_all(&["WITHIN", "GROUP"]) {
            self.expect_all(&["WITHIN", "GROUP"])?;
            function.within_group = self.parens(Self::order_by)?;
        }
        function.filter = self.optional_filter()?;
        if function.null_treatment.is_none() {
            function.null_treatment = self.null_treatment();
        }
        if self.at("OVER") {
            self.advance();
            function.over = Some(self.window_ref()?);
        }
        function.span = self.span_from(function.span);
        Ok(())
    }

    /// `FILTER (WHERE …)` if it is there.
    pub(super) fn optional_filter(&mut self) -> Result<Option<Expr>> {
        if !self.at("FILTER") {
            return Ok(None);
        }
        self.advance();
        let condition = self.parens(|parser| {
            parser.expect("WHERE")?;
            parser.expr()
        })?;
        Ok(Some(condition))
    }

    fn null_treatment(&mut self) -> Option<NullTreatment> {
        if !self.is_keyword(1, "NULLS") {
            return None;
        }
        match self.eat_any(&["RESPECT", "IGNORE"])? {
            "RESPECT" => {
                self.advance();
                Some(NullTreatment::Respect)
            }
            _ => {
                self.advance();
                Some(NullTreatment::Ignore)
            }
        }
    }

    /// `ALL` or `DISTINCT` if it is there.
    pub(super) fn set_quantifier(&mut self) -> Option<SetQuantifier> {
        match self.eat_any(&["DISTINCT", "ALL"])? {
            "ALL" => Some(SetQuantifier::All),
            _ => Some(SetQuantifier::Distinct),
        }
    }

    /// `ORDER BY …` if it is there.
    pub(super) fn optional_order_by(&mut self) -> Result<Vec<OrderByExpr>> {
        if self.at("ORDER") { self.order_by() } else { Ok(Vec::new()) }
    }
}
