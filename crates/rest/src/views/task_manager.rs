//! TaskManagers.

use crate::cluster::TaskManagerInfo;
use crate::messages::task_manager::{
    AllocatedSlot, Hardware, MemoryConfiguration, MemoryMetrics, Resource, TaskManager, TaskManagerDetails,
};

const MEGABYTE: u64 = 1 << 20;

/// A TaskManager in a list.
pub(crate) fn row(manager: &TaskManagerInfo) -> TaskManager {
    TaskManager {
        id: manager.id.clone(),
        path: manager.endpoint.clone(),
        data_port: manager.data_port,
        jmx_port: -1,
        time_since_last_heartbeat: manager.heard_ms,
        slots_number: manager.slots,
        free_slots: manager.slots_free,
        assigned_tasks: manager.jobs.iter().map(|(_, tasks)| tasks).sum(),
        total_resource: resource(manager, manager.slots),
        free_resource: resource(manager, manager.slots_free),
        hardware: Hardware {
            cpu_cores: manager.cores,
            physical_memory: manager.memory_total,
            free_memory: manager.memory_free,
            managed_memory: manager.memory_managed,
        },
        memory_configuration: MemoryConfiguration {
            managed_memory: manager.memory_managed,
            total_flink_memory: manager.memory_managed,
            total_process_memory: manager.memory_managed,
            ..MemoryConfiguration::default()
        },
    }
}

/// A TaskManager.
pub(crate) fn details(manager: &TaskManagerInfo) -> TaskManagerDetails {
    let slot = |(job, tasks): &(headwater_types::ids::JobId, u32)| AllocatedSlot {
        job_id: job.to_string(),
        resource: resource(manager, 1),
        assigned_tasks: *tasks,
    };
    TaskManagerDetails {
        task_manager: row(manager),
        allocated_slots: manager.jobs.iter().map(slot).collect(),
        metrics: MemoryMetrics {
            heap_used: manager.process.memory_resident,
            heap_committed: manager.process.memory_resident,
            heap_max: manager.memory_total,
            ..MemoryMetrics::default()
        },
    }
}

/// What some of its slots have.
fn resource(manager: &TaskManagerInfo, slots: u32) -> Resource {
    let share = f64::from(slots) / f64::from(manager.slots.max(1));
    Resource {
        cpu_cores: f64::from(manager.cores) * share,
        managed_memory: (manager.memory_managed as f64 * share) as u64 / MEGABYTE,
        ..Resource::default()
    }
}
