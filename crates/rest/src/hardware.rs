//! What this process and its host have, as Linux tells it. Where it does not, the numbers are 0.

/// Memory of the host and of this process, bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    pub(crate) total: u64,
    pub(crate) available: u64,
    pub(crate) resident: u64,
}

/// Reads the present numbers.
pub(crate) fn memory() -> Memory {
    let host = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let own = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    Memory {
        total: kilobytes(&host, "MemTotal:"),
        available: kilobytes(&host, "MemAvailable:"),
        resident: kilobytes(&own, "VmRSS:"),
    }
}

/// Cores that may be used.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn kilobytes(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse::<u64>().ok());
    number.unwrap_or_default().saturating_mul(1024)
}
