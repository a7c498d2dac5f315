//! Machines whose hosts have one name, told apart for people.
//!
//! Two machines may both be called `localhost`, and a laptop may have the name of the desktop that it was set up from.
//! Nothing is ever decided by a host's name, but a person reads it, and must not take one machine for the other. Where
//! two have the same name, the beginning of the machine's id follows it: `vm (3f2a)`. Unaware of files.

use std::collections::BTreeMap;

use crate::lease::MachineId;

/// So many machines are remembered; a folder that names more is not one that people share.
const MACHINES_MAX: usize = 64;

/// Characters of an id that follow a name.
const ID_CHARS: usize = 4;

/// The machines that were seen in one folder, by what their hosts are called.
#[derive(Debug)]
pub(super) struct Namesakes {
    me: MachineId,
    host: String,
    others: BTreeMap<MachineId, String>,
}

impl Namesakes {
    /// Nobody was seen but this machine, whose host is called so.
    pub(super) fn new(me: MachineId, host: String) -> Self {
        Self {
            me,
            host,
            others: BTreeMap::new(),
        }
    }

    /// What people call a machine that was seen: its host's name, and behind it a part of its id where another machine
    /// has that name too.
    pub(super) fn told(&mut self, machine: &MachineId, host: String) -> String {
        // An older program has no id but its host's name.
        if *machine == self.me || machine.0 == host {
            return host;
        }
        if self.others.len() < MACHINES_MAX || self.others.contains_key(machine) {
            self.others.insert(machine.clone(), host.clone());
        }
        let mut others = self.others.iter();
        let is_shared =
            host == self.host || others.any(|(other, name)| other != machine && *name == host);
        match is_shared {
            true => with_id(&host, machine),
            false => host,
        }
    }

    /// What people call whoever signed with a host's name alone.
    pub(super) fn signed(&self, host: String) -> String {
        let mut called = self.others.iter().filter(|(_, name)| **name == host);
        match (called.next(), called.next()) {
            (Some((machine, _)), None) if host == self.host => with_id(&host, machine),
            _ => host,
        }
    }
}

fn with_id(host: &str, machine: &MachineId) -> String {
    let id: String = machine.0.chars().take(ID_CHARS).collect();
    format!("{host} ({id})")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Machines are written `id:host`; the first is this one. Gives what each later one is called when it is seen.
    fn check(seen: &str, told: &str) {
        let mut seen = seen.split(' ').map(|one| {
            let (id, host) = one.split_once(':').expect("an id and a host");
            (MachineId(id.to_owned()), host.to_owned())
        });
        let (me, host) = seen.next().expect("this machine");
        let mut namesakes = Namesakes::new(me, host);
        let names = seen.map(|(machine, host)| namesakes.told(&machine, host));
        assert_eq!(names.collect::<Vec<_>>().join(", "), told);
    }

    #[test]
    fn only_machines_of_one_name_are_called_by_their_ids_too() {
        check("a1:wsA b2:wsB c3:wsC", "wsB, wsC");
        check("a111:vm b22222:vm c3:wsC", "vm (b222), wsC");
        // The first one had its name for itself as long as the second was not seen.
        check(
            "a1:wsA b2:vm c3:vm b2:vm c3:vm",
            "vm, vm (c3), vm (b2), vm (c3)",
        );
        check("a1:vm a1:vm", "vm");
        // An older program on this very machine.
        check("a1:vm vm:vm", "vm");
    }

    #[test]
    fn an_answer_is_signed_by_the_one_that_has_the_name_of_this_machine() {
        let mut namesakes = Namesakes::new(MachineId("a1".into()), "vm".to_owned());
        assert_eq!(namesakes.signed("vm".to_owned()), "vm");
        namesakes.told(&MachineId("b2".into()), "vm".to_owned());
        assert_eq!(namesakes.signed("vm".to_owned()), "vm (b2)");
        namesakes.told(&MachineId("c3".into()), "vm".to_owned());
        assert_eq!(namesakes.signed("vm".to_owned()), "vm");
    }
}
