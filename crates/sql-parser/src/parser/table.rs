//! `CREATE TABLE` and `CREATE MATERIALIZED TABLE`.

use super::Result;
use super::cursor::Parser;
use crate::ast::{
    CreateMaterializedTable, CreateMode, CreateTable, IntervalLiteral, LikeFeature, LikeOption, LikeStrategy,
    RefreshMode, StartMode, Statement, TableLike,
};
use crate::lexer::Punct;

impl Parser<'_> {
    /// Behind `CREATE … TABLE`.
    pub(super) fn create_table(&mut self, mode: CreateMode, temporary: bool) -> Result<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.object_name()?;
        let schema = self.optional_schema()?;
        let comment = self.optional_comment()?;
        let distribution = self.optional_distribution()?;
        let partitioned_by = self.optional_partitioned_by()?;
        let connection = if self.eat("USING") {
            self.expect("CONNECTION")?;
            Some(self.object_name()?)
        } else {
            None
        };
        let options = self.optional_with_options()?;
        let like = self.optional_like()?;
        let query = if like.is_none() && self.eat("AS") { Some(self.query()?) } else { None };
        Ok(Statement::CreateTable(Box::new(CreateTable {
            mode,
            temporary,
            if_not_exists,
            name,
            schema,
            comment,
            distribution,
            partitioned_by,
            connection,
            options,
            like,
            query,
        })))
    }

    fn optional_like(&mut self) -> Result<Option<TableLike>> {
        if !self.eat("LIKE") {
            return Ok(None);
        }
        let source = self.object_name()?;
        let mut options = Vec::new();
        if self.eat_punct(Punct::LeftParen) {
            while !self.eat_punct(Punct::RightParen) {
                options.push(self.like_option()?);
            }
        }
        Ok(Some(TableLike { source, options }))
    }

    fn like_option(&mut self) -> Result<LikeOption> {
        let start = self.span();
        let strategy = match self.expect_any(&["INCLUDING", "EXCLUDING", "OVERWRITING"])? {
            "INCLUDING" => LikeStrategy::Including,
            "EXCLUDING" => LikeStrategy::Excluding,
            _ => LikeStrategy::Overwriting,
        };
        let feature = self.like_feature()?;
        Ok(LikeOption { strategy, feature, span: self.span_from(start) })
    }

    fn like_feature(&mut self) -> Result<LikeFeature> {
        let word = self.expect_any(&[
            "ALL",
            "CONSTRAINTS",
            "DISTRIBUTION",
            "GENERATED",
            "METADATA",
            "OPTIONS",
            "PARTITIONS",
            "WATERMARKS",
        ])?;
        Ok(match word {
            "ALL" => LikeFeature::All,
            "CONSTRAINTS" => LikeFeature::Constraints,
            "DISTRIBUTION" => LikeFeature::Distribution,
            "GENERATED" => LikeFeature::Generated,
            "METADATA" => LikeFeature::Metadata,
            "OPTIONS" => LikeFeature::Options,
            "PARTITIONS" => LikeFeature::Partitions,
            _ => LikeFeature::Watermarks,
        })
    }

    /// Behind `CREATE [OR ALTER]`.
    pub(super) fn create_materialized_table(&mut self, or_alter: bool) -> Result<Statement> {
        self.expect_all(&["MATERIALIZED", "TABLE"])?;
        let if_not_exists = self.if_not_exists();
        let name = self.object_name()?;
        let schema = self.optional_schema()?;
        let comment = self.optional_comment()?;
        let distribution = self.optional_distribution()?;
        let partitioned_by = self.optional_partitioned_by()?;
        let options = self.optional_with_options()?;
        let mut refresh = Refresh::default();
        while self.refresh_clause(&mut refresh)? {}
        self.expect("AS")?;
        let query = self.query()?;
        let table = CreateMaterializedTable {
            or_alter,
            if_not_exists,
            name,
            schema,
            comment,
            distribution,
            partitioned_by,
            options,
            start_mode: refresh.start_mode,
            freshness: refresh.freshness,
            refresh_mode: refresh.mode,
            query,
        };
        Ok(Statement::CreateMaterializedTable(Box::new(table)))
    }

    /// One of `START_MODE`, `FRESHNESS`, `REFRESH_MODE`, in any order.
    fn refresh_clause(&mut self, refresh: &mut Refresh) -> Result<bool> {
        let Some(word) = self.eat_any(&["START_MODE", "FRESHNESS", "REFRESH_MODE"]) else {
            return Ok(false);
        };
        self.expect_punct(Punct::Eq)?;
        match word {
            "START_MODE" => refresh.start_mode = Some(self.start_mode()?),
            "FRESHNESS" => {
                self.expect("INTERVAL")?;
                refresh.freshness = Some(self.interval_literal()?);
            }
            _ => {
                refresh.mode = Some(match self.expect_any(&["CONTINUOUS", "FULL"])? {
                    "FULL" => RefreshMode::Full,
                    _ => RefreshMode::Continuous,
                });
            }
        }
        Ok(true)
    }

    fn start_mode(&mut self) -> Result<StartMode> {
        let name = self.ident()?;
        let argument = if self.at_punct(Punct::LeftParen) { Some(self.parens(Self::expr)?) } else { None };
        Ok(StartMode { name, argument })
    }
}

/// The clauses of a materialized table that may come in any order.
#[derive(Default)]
struct Refresh {
    start_mode: Option<StartMode>,
    freshness: Option<IntervalLiteral>,
    mode: Option<RefreshMode>,
}
