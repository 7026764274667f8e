//! `/v1/datasets`.

use super::error::Answer;
use super::params::{Kind, PAGE, PAGE_SIZE, Params, optional};
use super::{Access, Routes, Spec};
use crate::app::{App, User};
use crate::read::{
    self,
    list::List,
    search::{Of, Search},
};
use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::{Value, json};

const LIST: Spec = Spec {
    method: "GET",
    path: "/v1/datasets",
    summary: "Datasets, by name",
    group: "Datasets",
    query: &[
        PAGE,
        PAGE_SIZE,
        optional("dataset_id", Kind::Ints),
        optional("search_query", Kind::Search),
        optional("tag_value_id", Kind::Ints),
        optional("location_id", Kind::Ints),
        optional("location_type", Kind::Texts),
    ],
    access: Access::User,
};

pub(super) const SPECS: &[Spec] = &[LIST];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&LIST, list)
}

async fn list(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(LIST.query, query.as_deref())?;
    let mut list = List::new(app.db(), "dataset d JOIN location l ON l.id = d.location_id");
    list.ints("d.id", params.ints("dataset_id"));
    list.ints("d.location_id", params.ints("location_id"));
    list.texts("l.kind", params.texts("location_type"));
    list.tagged("dataset_tag", "dataset_id", "d.id", params.ints("tag_value_id"));
    let order = "d.key, d.id";
    let page = match params.text("search_query") {
        Some(text) => Search::new(Of::Datasets, text).page(app.db(), list, "d.id", order, params.page()).await?,
        None => list.page("d.id", order, params.page()).await?,
    };
    let mut datasets = read::datasets(app.db(), page.ids.clone()).await?;
    let mut tags = read::tags(app.db(), "dataset_tag", "dataset_id", page.ids.clone()).await?;
    let item = |id: &i64| {
        let tags = tags.remove(id).unwrap_or_else(|| json!([]));
        Some(json!({"id": id.to_string(), "data": datasets.remove(id)?, "tags": tags}))
    };
    let items: Vec<Value> = page.ids.iter().filter_map(item).collect();
    Ok(Json(json!({"meta": page.meta, "items": items})))
}
