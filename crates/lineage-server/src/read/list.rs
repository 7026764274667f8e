//! Pages of lists: conditions are added one by one, then the page is counted and fetched.

use crate::error::Result;
use crate::store::db::{Database, Param};
use serde_json::{Value, json};

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageOf {
    /// Its number, from 1.
    pub number: i64,
    /// Its items.
    pub size: i64,
}

impl PageOf {
    /// The items before it.
    pub fn offset(self) -> i64 {
        (self.number - 1).saturating_mul(self.size)
    }
}

/// A query for ids under construction.
#[derive(Debug, Clone)]
pub struct List<'d> {
    db: &'d Database,
    from: String,
    conditions: Vec<String>,
    params: Vec<Param>,
}

/// A page of ids.
#[derive(Debug)]
pub struct Page {
    /// The ids, in order.
    pub ids: Vec<i64>,
    /// The `meta` of the answer.
    pub meta: Value,
}

impl<'d> List<'d> {
    /// A list of all rows of a `FROM` clause.
    pub fn new(db: &'d Database, from: &str) -> Self {
        Self { db, from: from.to_owned(), conditions: vec![], params: vec![] }
    }

    /// Adds a parameter and returns its number.
    pub fn param(&mut self, value: impl Into<Param>) -> usize {
        self.params.push(value.into());
        self.params.len()
    }

    /// Adds a condition, which may use parameters by number.
    pub fn condition(&mut self, condition: String) {
        self.conditions.push(condition);
    }

    /// The column is one of the numbers, unless there are none.
    pub fn ints(&mut self, column: &str, values: Vec<i64>) {
        if !values.is_empty() {
            let n = self.param(values);
            self.condition(self.db.within_ints(column, n));
        }
    }

    /// The column is one of the texts, unless there are none.
    pub fn texts(&mut self, column: &str, values: Vec<String>) {
        if !values.is_empty() {
            let n = self.param(values);
            self.condition(self.db.within_texts(column, n));
        }
    }

    /// The condition that a column is one of the values of parameter `n`.
    pub fn within(&self, column: &str, n: usize) -> String {
        self.db.within_texts(column, n)
    }

    /// The column compares with a number, if there is one.
    pub fn compare(&mut self, column: &str, operator: &str, value: Option<i64>) {
        if let Some(value) = value {
            let n = self.param(value);
            self.condition(format!("{column} {operator} ${n}"));
        }
    }

    /// Every one of the values stands in a table of tags for the owner.
    pub fn tagged(&mut self, table: &str, owner: &str, id: &str, values: Vec<i64>) {
        for value in values {
            let n = self.param(value);
            self.condition(format!(
                "EXISTS (SELECT 1 FROM {table} x WHERE x.{owner} = {id} AND x.tag_value_id = ${n})"
            ));
        }
    }

    /// A page of the ids of column `id`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page(mut self, id: &str, order: &str, page: PageOf) -> Result<Page> {
        let conditions = match self.conditions.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", self.conditions.join(" AND ")),
        };
        let sql = format!("SELECT COUNT(*) FROM {}{conditions}", self.from);
        let total = self.db.rows(&sql, self.params.clone()).await?.first().map_or(0, |row| row.int(0));
        let (limit, offset) = (self.param(page.size), self.param(page.offset()));
        let sql =
            format!("SELECT {id} FROM {}{conditions} ORDER BY {order} LIMIT ${limit} OFFSET ${offset}", self.from);
        let ids = self.db.rows(&sql, self.params).await?.iter().map(|row| row.int(0)).collect();
        Ok(Page { ids, meta: meta(page, total) })
    }
}

/// The `meta` of a page.
pub fn meta(page: PageOf, total: i64) -> Value {
    let PageOf { number: page, size } = page;
    let pages = ((total + size - 1) / size).max(1);
    let (next, previous) = (page < pages, page > 1);
    json!({"page": page, "page_size": size, "total_count": total, "pages_count": pages,
           "has_next": next, "has_previous": previous,
           "next_page": next.then_some(page + 1), "previous_page": previous.then_some(page - 1)})
}
