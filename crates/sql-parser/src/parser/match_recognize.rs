//! `MATCH_RECOGNIZE`.

use super::Result;
use super::cursor::Parser;
use crate::ast::{
    AfterMatch, MatchRecognize, Measure, MeasureSemantics, Pattern, PatternDefinition, PatternSubset, RowsPerMatch,
};
use crate::lexer::Punct;

impl Parser<'_> {
    pub(super) fn match_recognize(&mut self) -> Result<MatchRecognize> {
        let start = self.span();
        self.expect("MATCH_RECOGNIZE")?;
        self.expect_punct(Punct::LeftParen)?;
        let partition_by = if self.eat("PARTITION") {
            self.expect("BY")?;
            self.comma_list(Self::expr)?
        } else {
            Vec::new()
        };
        let order_by = self.optional_order_by()?;
        let measures = if self.eat("MEASURES") { self.comma_list(Self::measure)? } else { Vec::new() };
        let rows_per_match = self.rows_per_match()?;
        let after_match = self.after_match()?;
        let pattern = self.row_pattern()?;
        let within = if self.eat("WITHIN") { Some(self.expr()?) } else { None };
        let subsets = if self.eat("SUBSET") { self.comma_list(Self::pattern_subset)? } else { Vec::new() };
        self.expect("DEFINE")?;
        let definitions = self.comma_list(Self::pattern_definition)?;
        self.expect_punct(Punct::RightParen)?;
        Ok(MatchRecognize {
            partition_by,
            order_by,
            measures,
            rows_per_match,
            after_match,
            pattern,
            within,
            subsets,
            definitions,
            span: self.span_from(start),
        })
    }

    fn measure(&mut self) -> Result<Measure> {
        let has_semantics = !self.is_punct(1, Punct::Dot) && !self.is_punct(1, Punct::LeftParen);
        let semantics = match has_semantics.then(|| self.eat_any(&["FINAL", "RUNNING"])).flatten() {
            None => None,
            Some("FINAL") => Some(MeasureSemantics::Final),
            Some(_) => Some(MeasureSemantics::Running),
        };
        let expr = self.expr()?;
        self.expect("AS")?;
        let alias = self.ident()?;
        Ok(Measure { semantics, expr, alias })
    }

    fn rows_per_match(&mut self) -> Result<Option<RowsPerMatch>> {
        let rows = match self.eat_any(&["ONE", "ALL"]) {
            None => return Ok(None),
            Some("ONE") => {
                self.expect("ROW")?;
                RowsPerMatch::One
            }
            Some(_) => {
                self.expect("ROWS")?;
                RowsPerMatch::All
            }
        };
        self.expect_all(&["PER", "MATCH"])?;
        Ok(Some(rows))
    }

    fn after_match(&mut self) -> Result<Option<AfterMatch>> {
        if !self.eat("AFTER") {
            return Ok(None);
        }
        self.expect_all(&["MATCH", "SKIP"])?;
        if self.eat("PAST") {
            self.expect_all(&["LAST", "ROW"])?;
            return Ok(Some(AfterMatch::SkipPastLastRow));
        }
        self.expect("TO")?;
        if self.eat("NEXT") {
            self.expect("ROW")?;
            return Ok(Some(AfterMatch::SkipToNextRow));
        }
        if self.eat("FIRST") {
            return self.ident().map(AfterMatch::SkipToFirst).map(Some);
        }
        self.eat("LAST");
        self.ident().map(AfterMatch::SkipToLast).map(Some)
    }

    fn row_pattern(&mut self) -> Result<Pattern> {
        self.expect("PATTERN")?;
        self.parens(|parser| {
            let start = parser.span();
            let anchored_start = parser.eat_punct(Punct::Caret);
            let expr = parser.pattern_expr()?;
            let anchored_end = parser.eat_pattern_end();
            Ok(Pattern { anchored_start, anchored_end, expr, span: parser.span_from(start) })
        })
    }

    fn pattern_subset(&mut self) -> Result<PatternSubset> {
        let name = self.ident()?;
        self.expect_punct(Punct::Eq)?;
        let variables = self.paren_list(Self::ident)?;
        Ok(PatternSubset { name, variables })
    }

    fn pattern_definition(&mut self) -> Result<PatternDefinition> {
        let variable = self.ident()?;
        self.expect("AS")?;
        let condition = self.expr()?;
        Ok(PatternDefinition { variable, condition })
    }
}
