//! The choice of `backend` auto.

use crate::engine::gpu::AdapterReport;

/// The choice of `auto`, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Auto {
    Gpu(String),
    Cpu(String),
}

/// Chooses among adapters, best first.
pub(super) fn auto_choice(adapters: &[AdapterReport]) -> Auto {
    if let Some(best) = adapters.iter().find(|adapter| adapter.is_hardware && adapter.usable.is_ok()) {
        return Auto::Gpu(format!("{} is a hardware GPU", best.name));
    }
    let hardware = adapters.iter().find(|adapter| adapter.is_hardware);
    Auto::Cpu(match (hardware, adapters.first()) {
        (Some(AdapterReport { name, usable: Err(lack), .. }), _) => format!("{name} is not usable, {lack}"),
        (_, Some(software)) => {
            format!("no hardware GPU, {} is software, which `backend` gpu would take", software.name)
        }
        (_, None) => "no GPU was found".to_owned(),
    })
}

/// Why `backend` auto may not try GPUs.
pub const TOO_NARROW: &str = "the limit on address space leaves no memory for a GPU driver";

/// Whether this applies; checked before drivers are loaded, because they use address space.
#[must_use]
pub fn is_too_narrow_for_drivers() -> bool {
    crate::host::is_too_narrow_for_drivers()
}

/// The choice of `backend` auto among these adapters, as a sentence.
#[must_use]
pub fn auto_sentence(adapters: &[AdapterReport], is_too_narrow: bool) -> String {
    let choice = if is_too_narrow { Auto::Cpu(TOO_NARROW.into()) } else { auto_choice(adapters) };
    match choice {
        Auto::Gpu(why) => format!("auto chooses the GPU: {why}"),
        Auto::Cpu(why) => format!("auto chooses the CPU: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(name: &str, is_hardware: bool, lack: Option<&str>) -> AdapterReport {
        AdapterReport {
            number: 1,
            bus_id: None,
            memory: None,
            name: name.into(),
            driver: String::new(),
            driver_info: String::new(),
            backend: "vulkan".into(),
            device_type: "other",
            is_hardware,
            max_buffer_size: 0,
            max_binding_size: 0,
            max_storage_buffers: 0,
            has_timestamps: false,
            usable: lack.map_or(Ok(()), |lack| Err(lack.to_owned())),
        }
    }

    #[test]
    fn auto_takes_hardware_only_and_says_why() {
        let (gpu, soft) = (adapter("card", true, None), adapter("pipe", false, None));
        assert_eq!(auto_choice(&[gpu, soft]), Auto::Gpu("card is a hardware GPU".into()));
        assert_eq!(auto_choice(&[]), Auto::Cpu("no GPU was found".into()));
        let soft = adapter("pipe", false, None);
        let Auto::Cpu(why) = auto_choice(&[soft]) else { panic!("software was chosen") };
        assert!(why.contains("pipe is software"), "{why}");
        let (old, soft) =
            (adapter("old", true, Some("it has no compute shaders")), adapter("pipe", false, None));
        assert_eq!(
            auto_choice(&[old, soft]),
            Auto::Cpu("old is not usable, it has no compute shaders".into())
        );
        let (old, new) = (adapter("old", true, Some("it is old")), adapter("new", true, None));
        assert_eq!(auto_choice(&[old, new]), Auto::Gpu("new is a hardware GPU".into()));
    }
}
