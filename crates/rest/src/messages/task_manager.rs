//! Documents about TaskManagers.

use serde::Serialize;
use std::collections::BTreeMap;

/// `/taskmanagers`.
#[derive(Debug, Clone, Serialize)]
pub struct TaskManagers {
    /// The TaskManagers.
    pub taskmanagers: Vec<TaskManager>,
}

/// A TaskManager.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskManager {
    /// Its id.
    pub id: String,
    /// Its address.
    pub path: String,
    /// Where others send it rows; 0 when there are none.
    pub data_port: u16,
    /// Always -1: there is no JMX.
    pub jmx_port: i32,
    /// When it was heard of last, as Flink's field of this name.
    pub time_since_last_heartbeat: i64,
    /// Its slots.
    pub slots_number: u32,
    /// Slots without tasks.
    pub free_slots: u32,
    /// Tasks in its slots.
    pub assigned_tasks: u32,
    /// All it has.
    pub total_resource: Resource,
    /// Of this what is free.
    pub free_resource: Resource,
    /// Its host.
    pub hardware: Hardware,
    /// How its memory is divided.
    pub memory_configuration: MemoryConfiguration,
}

/// `/taskmanagers/:id`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskManagerDetails {
    /// The TaskManager.
    #[serde(flatten)]
    pub task_manager: TaskManager,
    /// Its slots that have tasks.
    pub allocated_slots: Vec<AllocatedSlot>,
    /// Its memory.
    pub metrics: MemoryMetrics,
}

/// A slot, or what is free of several.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Cores.
    pub cpu_cores: f64,
    /// Always 0: there is no heap to divide. Megabytes.
    pub task_heap_memory: u64,
    /// Always 0. Megabytes.
    pub task_off_heap_memory: u64,
    /// For state and sorting, megabytes.
    pub managed_memory: u64,
    /// Always 0: part of the rest. Megabytes.
    pub network_memory: u64,
    /// Always empty.
    pub extended_resources: BTreeMap<String, f64>,
}

/// A host.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hardware {
    /// Cores.
    pub cpu_cores: u32,
    /// Bytes.
    pub physical_memory: u64,
    /// Bytes not in use.
    pub free_memory: u64,
    /// For state and sorting, bytes.
    pub managed_memory: u64,
}

/// How memory is divided, in bytes: one part is managed, the rest is one.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryConfiguration {
    /// Always 0.
    pub framework_heap: u64,
    /// Always 0.
    pub task_heap: u64,
    /// Always 0.
    pub framework_off_heap: u64,
    /// Always 0.
    pub task_off_heap: u64,
    /// Always 0.
    pub network_memory: u64,
    /// For state and sorting.
    pub managed_memory: u64,
    /// Always 0.
    pub jvm_metaspace: u64,
    /// Always 0.
    pub jvm_overhead: u64,
    /// All that is divided.
    pub total_flink_memory: u64,
    /// All that is divided.
    pub total_process_memory: u64,
}

/// A slot with tasks.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AllocatedSlot {
    /// Whose they are.
    pub job_id: String,
    /// What it has.
    pub resource: Resource,
    /// Its tasks.
    pub assigned_tasks: u32,
}

/// Memory of a process under the names that a JVM's has: the heap is the resident memory.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryMetrics {
    /// Resident memory, bytes.
    pub heap_used: u64,
    /// Resident memory, bytes.
    pub heap_committed: u64,
    /// Memory of the host, bytes.
    pub heap_max: u64,
    /// Always 0.
    pub non_heap_used: u64,
    /// Always 0.
    pub non_heap_committed: u64,
    /// Always 0.
    pub non_heap_max: u64,
    /// Always 0.
    pub direct_count: u64,
    /// Always 0.
    pub direct_used: u64,
    /// Always 0.
    pub direct_max: u64,
    /// Always 0.
    pub mapped_count: u64,
    /// Always 0.
    pub mapped_used: u64,
    /// Always 0.
    pub mapped_max: u64,
    /// Always 0: batches move, there are no segments.
    pub netty_shuffle_memory_segments_available: u64,
    /// Always 0.
    pub netty_shuffle_memory_segments_used: u64,
    /// Always 0.
    pub netty_shuffle_memory_segments_total: u64,
    /// Always 0.
    pub netty_shuffle_memory_available: u64,
    /// Always 0.
    pub netty_shuffle_memory_used: u64,
    /// Always 0.
    pub netty_shuffle_memory_total: u64,
    /// Always empty: nothing is collected.
    pub garbage_collectors: Vec<String>,
}
